"""Who may use the models now: looks at once, and photos that were sent in step by step between them."""

from collections.abc import Iterator
from contextlib import contextmanager
import threading
from typing import Any

PATIENCE = 0.2
"""Seconds that a step waits for a moment without looks. Then the next look waits for it, which takes 15 ms: at a busy
home photos go on, too."""


class RightOfWay:
    """As many looks at a time as there are workers. A photo takes its next step only while no look waits."""

    def __init__(self, workers: int = 1) -> None:
        """Nobody is there yet."""
        self._free = workers
        """How many more looks or steps may go on; below 0 while one that stood aside ends beside others."""
        self._news = threading.Condition()
        self._coming = 0
        """Looks that wait."""
        self._stepping = False
        """Whether a step goes on: there is one at a time, whatever there are of workers."""
        self._due = 0
        """Steps that have waited long enough."""

    @contextmanager
    def look(self) -> Iterator[None]:
        """Have the right of way, at the latest when the step at hand has ended, or one that waited long."""
        with self._news:
            self._coming += 1
            try:
                self._news.wait_for(lambda: self._free > min(self._due, 1))
            finally:
                self._coming -= 1
            self._free -= 1
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Leave the place of this look to others while it waits for what is computed elsewhere.

        Then it goes on at once, beside them: it has little left to do, and somebody waits for its answer.
        """
        self._leave()
        try:
            yield
        finally:
            with self._news:
                self._free -= 1

    @contextmanager
    def step(self) -> Iterator[None]:
        """Wait until there is no look, or long enough, and be quick: a look may come."""
        with self._news:
            if not self._news.wait_for(lambda: self._may_step and not self._coming, PATIENCE):
                # One place is kept free for it from now on.
                self._due += 1
                try:
                    self._news.wait_for(lambda: self._may_step)
                finally:
                    self._due -= 1
            self._stepping = True
            self._free -= 1
        try:
            yield
        finally:
            self._leave(stepped=True)

    @property
    def _may_step(self) -> bool:
        return self._free > 0 and not self._stepping

    def _leave(self, *, stepped: bool = False) -> None:
        with self._news:
            self._free += 1
            if stepped:
                self._stepping = False
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
