"""What `script/eval calibrate` counted at each strictness: data alone."""

from .calibration import Strictness
from .promise import Counted, Measurement

MEASURED = Measurement(
    people=5,
    strangers=1208,
    own=208,
    counted={
        Strictness.RELAXED: Counted(strangers_named=0, own_named=204),
        Strictness.BALANCED: Counted(strangers_named=0, own_named=204),
        Strictness.STRICT: Counted(strangers_named=0, own_named=201),
    },
)
"""Households of up to five with three photos each. A visit is one other photo of somebody in three frames: 24 px wide,
dark and blurred. Each stranger is compared with one household, and nobody with a fit to themselves."""
