"""What `script/eval calibrate` fitted: data alone. Write it again with that command, never by hand."""

from base64 import b64decode

CENTRE_SPACES = frozenset({"sface_2021dec_float32_5pt", "sface_2021dec_int8bq_5pt"})
"""The embedding spaces that it holds for: the same network, and nearly the same values."""
CENTRE = b64decode(
    "GaxepS4pyyXCKX4nFyEPJKSpPh9ppLco3pvgGFskUqDcqlCkVK1EHc4Wih5FJe6kABvBpcqiFJ/om76kwhdWKoIdU6HTIrEg"
    "Wac8KL4jdJh+J6mlbaQRIdIk8558pWsoLKLjGeymTCVNFtQkxKDHpo0nr6PBpREZqpYIKjmtQx+xJBakNCCZoZIgQ6QqKQqk"
    "0olgp/8mXafjouYVw6sbGWGly4aNppYbnanKkAsoQKTfofahipayKOEqQicPqAOoU5y+KOuk2BqxIFykbKeaqh2dJ6hooYYk"
    "aCrxpqkp2qdVp1WYDCtuJ42nVpjnJIigp6NFqWsqlKFQKTOoAaNxJg=="
)
"""The middle of the space, 128 half-precision numbers; see `centre`."""
# What follows is explained in `calibration.Calibration`.
STRANGER_MEAN = -0.0022
STRANGER_SD = 0.0944
OFFSET = -16.6316
SLOPE = 58.5027
