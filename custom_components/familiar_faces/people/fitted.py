"""What `script/eval calibrate` fitted: data alone. Write it anew with that command, never by hand."""

from base64 import b64decode

CENTRE_SPACES = frozenset({"sface_2021dec_float32_5pt", "sface_2021dec_int8bq_5pt"})
"""The embedding spaces that it holds for: the same network, and nearly the same values."""
CENTRE = b64decode(
    "GqxepS4pyiXDKX4nEiETJKWpPR9qpLcox5vlGFkkV6DcqlGkVa0+Hd0WjB5EJe2k+hrApcqiGZ/xm76koBdWKoYdWaHTIrUg"
    "Wac8KL0ja5iAJ6ulb6QTIdMk9J58pWwoJ6LnGeymTSVCFtYkwKDGpo0np6O/pRQZv5YHKjmtRR+yJBekMSCXoZUgQ6QqKQqk"
    "D4php/0mXaffogQWw6siGWOlvIeMppgbnanOkAwoQKThofGhlpayKOEqQicPqAOoSJy/KOyk3xqsIF6kbaeZqh+dKKhkoYck"
    "aCrypqop26dUp0uYCytqJ4unXJjlJIygpaNEqWsqkaFRKTSoB6NxJg=="
)
"""The middle of the space, 128 half-precision numbers; see `centre`."""
# What follows is explained in `calibration.Calibration`.
STRANGER_MEAN = -0.0026
STRANGER_SD = 0.0942
OFFSET = -17.7437
SLOPE = 64.2958
