"""How well a face was seen: the length of the recogniser's output before it is made 1 tells it for nothing.

The length grows with how much of a face there is to recognise (Meng et al. 2021, MagFace, for networks that are trained
for it; SFace is not, and yet it holds).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

CLEAR = 10.5
"""From which length on a face was seen well enough to call it a stranger's.

A household member in the dark, in cap and sunglasses, or moving resembles nobody. `script/eval visits DIR --condition
porch`, and `infrared`: 0 of 30 visits of people enrolled are called a stranger's, where 45 and 33 in 100 were without
it on other people.
"""


def are_poor(lengths: ArrayLike | None, count: int) -> NDArray[np.bool_]:
    """Return which of `count` faces were seen poorly; none of those for which the engine does not say.

    `lengths`: (count,), nan where it is not known. Raises ValueError when there are more or fewer.
    """
    if lengths is None:
        return np.zeros(count, np.bool_)
    known = np.asarray(lengths, np.float64)
    if known.shape != (count,):
        raise ValueError("every embedding has one length")
    return known < CLEAR
