"""What an attack is, and where those of a room are gathered."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import getdoc

from .grounds import Grounds
from .outcome import Promise, Trial

type Run = Callable[[Grounds, Trial], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Attack:
    """Something that somebody might try."""

    name: str
    """By which it is called, in the documentation as well."""
    promise: Promise
    claim: str
    """Where what it tries is promised: a document of this repository and its heading."""
    about: str
    run: Run
    check: bool = True
    """Whether it is quick enough for each change."""


class Room:
    """The attacks on one promise."""

    def __init__(self, promise: Promise, claim: str) -> None:
        """Gather attacks on what is promised at `claim`."""
        self.attacks: list[Attack] = []
        self._promise, self._claim = promise, claim

    def attack(self, *, check: bool = True) -> Callable[[Run], Run]:
        """Make an attack of a function, named and described as it is."""

        def add(run: Run) -> Run:
            name = run.__name__.replace("_", "-")
            about = (getdoc(run) or name).partition("\n")[0].rstrip(".")
            self.attacks.append(Attack(name, self._promise, self._claim, about, run, check))
            return run

        return add
