"""What phones were told, and what they ought to have been. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import ndiff
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Told:
    """A notification as a phone got it."""

    step: str
    """What happened before."""
    phone: str
    title: str
    message: str
    tag: int
    """Counts the tags as they appear: the same number takes the place of what was shown before."""
    silent: bool = False
    """Whether it makes no sound."""
    cleared: bool = False
    """Whether it takes what was shown away."""
    picture: bool = False
    """Whether it came with a link to a picture, and the picture was there."""
    buttons: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """Return it as a line that a person can read."""
        if self.cleared:
            return f"{self.phone} #{self.tag}: taken away"
        how = ["silently"] if self.silent else ["with a sound"]
        how += ["with a picture"] if self.picture else []
        buttons = "".join(f" [{each}]" for each in self.buttons)
        return f"{self.phone} #{self.tag}: {self.title}: {self.message} ({', '.join(how)}){buttons}"

    @property
    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return asdict(self) | {"buttons": list(self.buttons)}


def differences(expected: Sequence[Told], told: Sequence[Told]) -> list[str]:
    """Return what was told otherwise than expected, as lines of a diff; none when it was exactly so.

    The order counts at each phone; which of two phones is told first may differ from one time to the next.
    """
    ought, was = _by_phone(expected), _by_phone(told)
    lines: list[str] = []
    for where in sorted(ought.keys() | was.keys()):
        right, got = ought.get(where, []), was.get(where, [])
        if right != got:
            lines += [f"  {where[0]}, {where[1]}:", *_compared(right, got)]
    steps = [each.step for each in told]
    order = [step for step, _ in groupby(steps)]
    if len(order) != len(set(order)):
        lines.append(f"  The steps are mixed up: {', '.join(order)}.")
    return lines


def _by_phone(told: Sequence[Told]) -> dict[tuple[str, str], list[Told]]:
    found: dict[tuple[str, str], list[Told]] = {}
    for each in told:
        found.setdefault((each.step, each.phone), []).append(each)
    return found


def _compared(right: Sequence[Told], got: Sequence[Told]) -> Iterator[str]:
    lines = ndiff([each.line for each in right], [each.line for each in got])
    for line in lines:
        if not line.startswith("?"):
            yield f"  {line}"
