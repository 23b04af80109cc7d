"""An engine's place that somebody else has made."""

from pathlib import Path

from .engine_errors import EnvironmentFailed
from .environment import Progress


class ReadyMade:
    """An interpreter with the engine's packages and a folder of weights that somebody else made."""

    def __init__(self, python: Path, weights: Path) -> None:
        """Use these as they are."""
        self.python = python
        self.weights = weights

    @property
    def interpreter(self) -> tuple[str | Path, ...]:
        """Return how it is started."""
        return (self.python,)

    def ready(self) -> bool:
        """Return whether both are there."""
        return self.python.exists() and self.weights.is_dir()

    def distrust(self) -> None:
        """Do nothing: their maker looks after them."""

    async def prepare(self, progress: Progress) -> None:
        """Say that they are not there."""
        raise EnvironmentFailed("self_check_failed", f"{self.python} or {self.weights} is missing")
