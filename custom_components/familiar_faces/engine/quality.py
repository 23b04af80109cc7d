"""Whether a face is good enough to be compared.

The limits lie where recognition stops working, for a face that is poor must not be taken for a stranger's.
Measured on 200 same-person pairs of LFW view 1, one photo as it came and the other made worse (scaled to
14 to 45 pixels with JPEG quality 90, darkened with noise, overexposed, blurred); named means a cosine
above 0.35, which 0.2 % of pairs of different people reach. Undamaged, 97.5 % are named.
"""

from dataclasses import replace
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from .pixels import Pixels
from .protocol import Quality

NOSE_DEPTH = 0.43
"""How far the nose tip stands before the eyes, in distances between the eyes; from the generic head that
OpenCV's pose examples use (eye corners 450 apart and 135 behind the nose, pupils 0.7 of that apart)."""
TOO_SMALL = 16
"""Width in the frame as it came, pixels. Named at 12 to 14: 67 %, 14 to 16: 72 %, 16 to 18: 85 %, 18 to
20: 91 %, 24 to 28: 96 %. Cautious: smaller ones are still named more often than not, but of people 18
pixels wide only 71 % keep their name at a threshold that 1 % of strangers pass (24 pixels: 97 %)."""
TOO_DARK = 10.0
"""Mean grey level. Named at 4 to 6: 38 %, 6 to 12: 69 %, 12 to 20: 91 %, over 20: 98 %. Cautious: at 8 %
of the light, where the mean is about 9, a fifth of the faces are not found at all."""
TOO_BRIGHT = 220.0
"""Mean grey level. Named at 200 to 210: 87 %, 210 to 225: 64 %, 225 to 240: 51 %, over 240: 18 %."""
TOO_BLURRED = 5.0
"""Variance of the Laplacian at ordinary light (see `protocol.Quality`). Named at 2 to 3: 18 %, 3 to 4:
38 %, 4 to 5: 43 %, 5 to 6: 60 %, 6 to 10: 70 %, over 20: 94 %."""
ORDINARY_CONTRAST = 50.0
"""Standard deviation of an ordinary face's grey levels; the median of LFW's is 53."""
TOO_BLURRED_IN_HAZE = 16.0
"""The same at ordinary contrast: haze and a bright sky leave little of it, and are no blur. Of photos in haze 37 % were
below the limit for ordinary light and all of them named, none is below this one; of photos blurred beyond recognition
90 % are below either."""
TURNED_AWAY = 75.0
"""Degrees. Of the faces in profile (CFP) that are turned by 60 to 75, 93 % resemble their own person most. With them 87
instead of 75 % of the visits in profile get their name, and 31 instead of 26 % of the single pictures, no stranger among
348 pictures. `visits.visit.evidence_weight` counts them half, `people.photos` takes none to enrol with."""


def judge(crop: Pixels, landmarks: NDArray[np.float64], width: float, *, lies: bool = False) -> Quality:
    """Return the verdict on a face from its aligned crop, its landmarks and its width in the frame.

    `lies`: whether it is turned too far in the picture, see `turning`; then all else is measured in vain.

    The reason is the first that applies; what makes the others untrustworthy comes first.
    """
    measured = Quality(
        usable=True,
        reason=None,
        sharpness=sharpness(crop),
        yaw=yaw(landmarks),
        brightness=brightness(crop),
        size=round(width),
    )
    if lies:
        reason = "turned"
    elif width < TOO_SMALL:
        reason = "too_small"
    elif measured.brightness < TOO_DARK:
        reason = "too_dark"
    elif measured.brightness > TOO_BRIGHT:
        reason = "too_bright"
    elif abs(measured.yaw) > TURNED_AWAY:
        reason = "turned_away"
    elif measured.ordinary_sharpness < TOO_BLURRED and _crisp(crop, measured) < TOO_BLURRED_IN_HAZE:
        reason = "too_blurred"
    else:
        return measured
    return replace(measured, usable=False, reason=reason)


def sharpness(crop: Pixels) -> float:
    """Return the variance of the Laplacian of the aligned crop's grey levels; Pech-Pacheco et al. (2000)."""
    return float(cv2.Laplacian(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), cv2.CV_64F).var())


def _crisp(crop: Pixels, measured: Quality) -> float:
    """Return the sharpness that the crop would have at ordinary contrast; 0 where it has none."""
    contrast = float(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY).std())
    return measured.sharpness * (ORDINARY_CONTRAST / contrast) ** 2 if contrast else 0.0


def brightness(crop: Pixels) -> float:
    """Return the mean grey level of the aligned crop."""
    return float(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY).mean())


def yaw(landmarks: NDArray[np.float64]) -> float:
    """Return how far the head is turned, degrees, positive to the viewer's right.

    The nose tip leaves the middle between the eyes by NOSE_DEPTH * sin(yaw), while the eyes come closer
    together by cos(yaw).
    """
    right_eye, left_eye, nose = landmarks[:3]
    across = left_eye - right_eye
    squared = float(across @ across)
    if squared == 0.0:
        return math.copysign(90.0, float(nose[0] - right_eye[0]))
    offset = float((nose - (right_eye + left_eye) / 2) @ across) / squared
    return math.degrees(math.atan(offset / NOSE_DEPTH))
