"""The recorder's SQLite file: nothing of what was deleted is left in its pages and in its log."""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
import shutil
import time
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import DATA_INSTANCE

if TYPE_CHECKING:
    from homeassistant.components.recorder.core import Recorder

_CHUNK = 1 << 20
"""Bytes of a database file that are searched at once."""
_CHECKPOINT_TRIES = 20
_ROOM_TO_REPACK = 2.2
"""SQLite writes a repacked database beside the old one, and once more through its log."""


class RecorderReach(StrEnum):
    """How far the erasing in the recorder came."""

    ERASED = "erased"
    NOT_RUNNING = "not_running"
    """There is no recorder."""
    DATABASE_SERVER = "database_server"
    """The rows are deleted; when a database server overwrites what they held is its own affair."""
    NOT_REPACKED = "not_repacked"
    """The rows are deleted and overwritten; older remains could not be, for want of room on the disk."""
    LATER = "later"
    """The recorder did not do it yet."""


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant's recorder still has its file as is expected here; yes where none runs."""
    if (instance := hass.data.get(DATA_INSTANCE)) is None:
        return True
    try:
        from homeassistant.components.recorder.repack import repack_database
    except ImportError:
        return False
    return callable(repack_database) and hasattr(instance, "engine")


def overwrite(instance: Recorder, texts: Iterable[bytes]) -> RecorderReach:
    """Have nothing left in the file either: neither in its log nor where rows were deleted before. Blocks."""
    from homeassistant.components.recorder.repack import repack_database

    assert instance.engine is not None
    if (database := instance.engine.url.database) in (None, "", ":memory:"):
        return RecorderReach.ERASED
    path, texts = Path(str(database)), list(texts)
    if not checkpoint(instance):
        return RecorderReach.LATER
    if not texts or not _holds(path, texts):
        return RecorderReach.ERASED
    if shutil.disk_usage(path.parent).free < _ROOM_TO_REPACK * path.stat().st_size:
        return RecorderReach.NOT_REPACKED
    repack_database(instance)
    return RecorderReach.ERASED if checkpoint(instance) else RecorderReach.LATER


def checkpoint(instance: Recorder) -> bool:
    """Move the log into the database and empty it; False when somebody reads all the time. Blocks."""
    from sqlalchemy import text

    assert instance.engine is not None
    for _ in range(_CHECKPOINT_TRIES):
        with instance.engine.connect() as connection:
            busy = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0]
            connection.commit()
        if not busy:
            return True
        time.sleep(0.25)
    return False


def _holds(path: Path, texts: list[bytes]) -> bool:
    """Return whether a file holds any of these texts."""
    overlap = max((len(text) for text in texts), default=1) - 1
    tail = b""
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            block = tail + block
            if any(text in block for text in texts):
                return True
            tail = block[-overlap:] if overlap else b""
    return False
