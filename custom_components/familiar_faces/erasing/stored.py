"""Home Assistant's files: what they hold of people is written again at once, and looked for."""

from collections.abc import Callable, Iterator
import logging
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import STORAGE_DIR

from ..const import DOMAIN
from ..internals import restored_states
from ..internals.stored_files import async_write_entries, async_write_registries
from ..internals.wanted import Wanted

_LOGGER = logging.getLogger(__name__)

OWN_FILES = frozenset(
    {
        "core.config_entries",
        "core.device_registry",
        "core.entity_registry",
        "core.restore_state",
        "repairs.issue_registry",
        "trace.saved_traces",
    }
)
"""Files of Home Assistant from which whatever is of a person is erased."""
UNFINISHED = f"{DOMAIN}.unfinished"
"""Our file of what is still to be erased; it is removed when that is done."""


async def async_write_files(hass: HomeAssistant) -> None:
    """Write now what Home Assistant would write up to three minutes later: until then its files hold what is gone.

    All that can be written is, also when an error is raised.
    """
    failed: Exception | None = None
    for write in (restored_states.async_write, async_write_entries, async_write_registries):
        try:
            await write(hass)
        except Exception as err:  # noqa: BLE001 - one file that cannot be written keeps no other from being so
            failed = err
    if failed is not None:
        raise failed


def files_left(config: Path, wanted: Wanted) -> int:
    """Return how many of Home Assistant's own files still hold something of people. Blocks; raise OSError.

    A file that cannot be read cannot be called clean.
    """
    # A name alone may be somebody else's.
    own = Wanted(wanted.person_ids)
    return sum(mentions(config / STORAGE_DIR / name, own.identified_in) for name in OWN_FILES)


def looked_through(config: Path) -> Iterator[Path]:
    """Yield what is looked through: its storage, its settings and its logs; not backups, media, and the vault."""
    yield from (each for each in (config / STORAGE_DIR).glob("*") if each.name != UNFINISHED)
    yield from config.glob("*.yaml")
    yield from config.glob("*.log*")


def mentions(path: Path, told_in: Callable[[str], bool]) -> bool:
    """Return whether a file mentions people.

    Line by line: a log may be larger than the memory, and while one long text is searched nothing else runs.
    """
    if not path.is_file():
        return False
    with path.open(errors="replace") as file:
        return any(map(told_in, file))
