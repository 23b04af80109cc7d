"""Who may use the models now: looks at once, and photos that were sent in step by step between them."""

from collections.abc import Iterator
from contextlib import contextmanager
import threading
from typing import Any

PATIENCE = 0.2
"""Seconds that a step waits for a moment without looks. Then the next look waits for it, which takes 15 ms: at a busy
home photos go on, too."""


class RightOfWay:
    """One look at a time. A photo takes its next step only while no look goes on or waits."""

    def __init__(self) -> None:
        """Nobody is there yet."""
        self._news = threading.Condition()
        self._coming = 0
        """Looks that wait."""
        self._taken = False
        """Whether a look goes on, or a step."""
        self._due = False
        """Whether a step has waited long enough."""

    @contextmanager
    def look(self) -> Iterator[None]:
        """Have the right of way, at the latest when the step at hand has ended, or one that waited long."""
        with self._news:
            self._coming += 1
            try:
                self._news.wait_for(lambda: not self._taken and not self._due)
            finally:
                self._coming -= 1
            self._taken = True
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def step(self) -> Iterator[None]:
        """Wait until there is no look, or long enough, and be quick: a look may come."""
        with self._news:
            if not self._news.wait_for(lambda: not self._taken and not self._coming, PATIENCE):
                self._due = True
                self._news.wait_for(lambda: not self._taken)
            self._due = False
            self._taken = True
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._news:
            self._taken = False
            self._news.notify_all()


class Stepwise:
    """A model, the detector's or the recogniser's, each of its uses is one step."""

    def __init__(self, model: Any, way: RightOfWay) -> None:
        """Use `model`, which looks use too: it keeps nothing between two calls."""
        self._model = model
        self._way = way

    def __getattr__(self, name: str) -> Any:
        """Return what is set up and not used."""
        return getattr(self._model, name)

    def detect(self, image: Any) -> Any:
        """Return what the detector finds."""
        with self._way.step():
            return self._model.detect(image)

    def predict(self, image: Any) -> Any:
        """Return what the recogniser makes of a crop."""
        with self._way.step():
            return self._model.predict(image)
