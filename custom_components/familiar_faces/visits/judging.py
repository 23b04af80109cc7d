"""What the engine's guesses whether a face is a picture come to, over the frames of a look. Pure."""

from collections.abc import Sequence
from statistics import median

from ..engine.protocol import Face

PICTURE = 0.3
"""Probability of being no picture below which a face may be one, the median of its frames."""
JUDGED = 3
"""In how many frames a face has to be judged, for a name while the look goes on and for the limit above."""
ALONE = 0.02
"""The limit where it was judged in fewer frames."""


def looks_like_a_picture(faces: Sequence[Face]) -> bool:
    """Return whether usable faces of one individual look like a picture, see `Face.real`.

    Where most of them could not be judged, nothing is said.
    """
    known = _known(faces)
    if not known or 2 * len(known) < len(faces):
        return False
    return median(known) < (PICTURE if len(known) >= JUDGED else ALONE)


def judged_too_few(faces: Sequence[Face]) -> bool:
    """Return whether more frames should be judged before a name is said: some were, and more can be."""
    known = _known(faces)
    return 0 < len(known) < JUDGED and len(faces) < 2 * JUDGED


def _known(faces: Sequence[Face]) -> list[float]:
    return [face.real for face in faces if face.real is not None]
