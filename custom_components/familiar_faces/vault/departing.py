"""Forgetting a person on any disk: done, or noted so that it counts, or refused."""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime
from pathlib import Path
import threading

from .erasure import Eraser
from .errors import ErasedLater, UnknownPerson, VaultUnwritable
from .keys import Keys
from .records import Receipt
from .reserve import Leaving, Reserve
from .times import from_stamp


class Departing:
    """The way out of one store. Any thread may call any method."""

    def __init__(self, folder: Path, keys: Keys, eraser: Eraser) -> None:
        """Take the room that is kept for it, as far as there is any."""
        self._eraser = eraser
        self._reserve = Reserve(folder)
        self._leaving = Leaving(folder, keys)
        self._lock = threading.RLock()
        self.take_room()
        with suppress(VaultUnwritable):
            # Without room nothing can be noted, which is said when it is needed.
            self._leaving.prepare()

    @property
    def people(self) -> frozenset[str]:
        """Return the ids of those who could not be erased yet. Waits for nobody: it is asked on the event loop too."""
        return frozenset(self._leaving.people)

    def take_room(self) -> None:
        """Take what is missing of the reserve, as far as the disk has it."""
        self._reserve.make()

    def forget(self, person_id: str, now: datetime, reason: str, also: Collection[str] = ()) -> Receipt:
        """Erase somebody; raise UnknownPerson, ErasedLater, or VaultUnwritable when not even that is noted.

        For a person already noted, when and why they left stays as it was noted, and so do the places.
        """
        if (noted := self._leaving.people.get(person_id)) is not None:
            now, reason, also = from_stamp(noted.stamp), noted.reason, {*noted.also, *also}
        try:
            receipt = self._erase(person_id, now, reason, also)
        except UnknownPerson:
            self._has_left(person_id)
            raise
        self._has_left(person_id)
        return receipt

    def _erase(self, person_id: str, now: datetime, reason: str, also: Collection[str]) -> Receipt:
        def erase() -> Receipt:
            return self._eraser.forget([person_id], now, reason, also)[0]

        try:
            return erase()
        except VaultUnwritable:
            # First that it has to be done: from here on a kill changes nothing of it.
            with self._lock:
                self._leaving.add(person_id, now, reason, also)
            try:
                return self.with_reserve(erase)
            except VaultUnwritable as err:
                raise ErasedLater(err.detail) from err

    def with_reserve[T](self, work: Callable[[], T]) -> T:
        """Do what erases, if need be with the room that is kept for that."""
        try:
            return work()
        except VaultUnwritable:
            if not self._reserve.give_up():
                raise
            try:
                return work()
            finally:
                self.take_room()

    def _has_left(self, person_id: str) -> None:
        with self._lock, suppress(VaultUnwritable):
            # Anyone who stays noted is looked for once more, and found to be gone.
            self._leaving.remove(person_id)
