"""What attacks came to: tries, failures with a reason, what was skipped; and the last line for programs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypedDict


class Promise(StrEnum):
    """What is promised, by the group of attacks that tries it."""

    PAGES = "pages"
    ROLES = "roles"
    UPLOADS = "uploads"
    VAULT = "vault"
    CLOCK = "clock"
    DISK = "disk"
    KILL = "kill"
    BYTES = "bytes"
    BACKUP = "backup"


class Counts(TypedDict):
    """What was tried for one promise."""

    tries: int
    failures: int
    skipped: int


class Failure(TypedDict):
    """A promise that did not hold."""

    attack: str
    promise: str
    why: str


class Summary(TypedDict):
    """The last line. `promises`: by their names, only those that an attack was chosen for."""

    promises: dict[str, Counts]
    failures: list[Failure]
    skipped: dict[str, str]
    seconds: float


@dataclass(slots=True)
class Trial:
    """One attack while it runs: it counts each try, and says in one line why one succeeded."""

    attack: str
    promise: Promise
    tries: int = 0
    failures: list[str] = field(default_factory=list)
    skipped: str = ""
    """Why it could not be tried here; empty when it was."""

    def holds(self, held: object, otherwise: str) -> bool:
        """Count a try; `otherwise`: what is said when the promise did not hold. Return whether it did."""
        self.tries += 1
        if not held:
            self.failures.append(" ".join(otherwise.split()))
        return bool(held)

    def broke(self, why: str) -> None:
        """Count a try that came to no end: what was not seen to hold is a failure."""
        self.holds(False, f"the attack did not come to its end: {why}")

    def skip(self, why: str) -> None:
        """Say that it cannot be tried on this machine, and why."""
        self.skipped = why


def summary(trials: Sequence[Trial], seconds: float) -> Summary:
    """Return what the attacks came to, by promise."""
    promises: dict[str, Counts] = {}
    for trial in trials:
        counts = promises.setdefault(trial.promise, {"tries": 0, "failures": 0, "skipped": 0})
        counts["tries"] += trial.tries
        counts["failures"] += len(trial.failures)
        counts["skipped"] += bool(trial.skipped)
    return {
        "promises": promises,
        "failures": [
            {"attack": trial.attack, "promise": trial.promise, "why": why}
            for trial in trials
            for why in trial.failures
        ],
        "skipped": {trial.attack: trial.skipped for trial in trials if trial.skipped},
        "seconds": round(seconds, 1),
    }


def exit_code(trials: Sequence[Trial]) -> int:
    """Return 0 only when something was tried and all of it held; an attack that neither tried nor skipped failed."""
    idle = any(not trial.tries and not trial.skipped for trial in trials)
    return 1 if not trials or idle or any(trial.failures for trial in trials) else 0
