"""Faces that lie in the shadow: what a lamp at the side or above leaves of them is lifted before they are looked for.

YuNet learned faces in daylight, and does not even out the light of a picture.
"""

import cv2
import numpy as np

from .pixels import Pixels

GAMMA = 0.47
"""Of 122 faces of Extended Yale B with the lamp more than 50 degrees aside, seen 96 pixels wide, a score of 0.7 or
more had 33 % as they are, 92 % with 0.47, 91 % with 0.3; evened out by CLAHE, by the histogram and by dividing by the
surroundings 59, 61 and 61 %. The landmarks lie a third less far off, and the embedding of the lifted crop is the
better one, too: with the lamp more than 77 degrees aside rank 1 was 0.936 instead of 0.872."""
_LEVELS = np.rint(255 * (np.arange(256) / 255) ** GAMMA).astype(np.uint8)


def lifted(image: Pixels) -> Pixels:
    """Return an image whose dark parts are as light as others; what is white stays white."""
    return cv2.LUT(image, _LEVELS)  # type: ignore[no-any-return]
