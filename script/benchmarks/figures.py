"""What measures return, and how two of them are compared. For every environment."""

from statistics import median

type Figure = float | dict[str, Figure]
type Figures = dict[str, Figure]


def ratio(above: list[float], below: list[float]) -> float:
    """Return the median of the rounds' ratios."""
    return median(one / other for one, other in zip(above, below, strict=True))
