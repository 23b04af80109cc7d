"""Erasing for which nobody is there to come back: of an entry that is removed, and of a vault that was started over.

What is to be erased is written down first, in a file of its own, and done again until nothing is left: every hour,
and whenever this integration is loaded again. Home Assistant does not load an integration without an entry, so after
a restart it is only done when it is added again; the repair, which outlives restarts, says so.
"""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
import logging
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.storage import Store as StoredFile
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..household.issues import async_check_removal
from ..internals.stored_files import async_sync
from ..internals.wanted import Naming, Wanted
from ..vault.provenance import Marks
from .stored import UNFINISHED
from .stores import Store, async_erase

_LOGGER = logging.getLogger(__name__)

AGAIN = timedelta(hours=1)
_VERSION = 1
_GATHERED = ("entity_ids", "names")
"""What a note of the same people before may know, and the next one not."""


@dataclass(slots=True)
class _Retry:
    """What is waited for."""

    working: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while traces are erased, which may take minutes."""
    noting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while the file is read and written."""
    timer: CALLBACK_TYPE | None = None


_RETRY: HassKey[_Retry] = HassKey(f"{DOMAIN}_unfinished")


@dataclass(slots=True, frozen=True)
class Noted:
    """What is to be erased, as it is noted."""

    note: dict[str, Any]
    naming: Naming


async def async_note(
    hass: HomeAssistant, wanted: Wanted, naming: Naming, *, marks: Marks | None, entry_id: str = ""
) -> Noted:
    """Note what is to be erased, before the vault is destroyed: a kill after that loses none of it.

    `marks`: those of the vault that is destroyed. `entry_id`: the entry that is removed; as long as it is there, as
    after a kill, nothing is tried again, for then it has to be removed again. Without room on the disk it is erased
    without a note: that the vault goes matters more.
    """
    retry = hass.data.setdefault(_RETRY, _Retry())
    mine = _noted(wanted, naming, marks, entry_id)
    try:
        async with retry.noting:
            noted = await _async_read(hass)
            for before in (each for each in noted if _same(each, mine)):
                # After a kill in between the vault, which knew this, is gone.
                mine |= {"marks": mine["marks"] or before["marks"]}
                mine |= {key: sorted({*before[key], *mine[key]}) for key in _GATHERED}
            await _async_write(hass, [*(each for each in noted if not _same(each, mine)), mine])
    except (OSError, HomeAssistantError) as err:
        _LOGGER.warning("What is to be erased could not be noted: %s", type(err).__name__)
    return Noted(mine, naming)


async def async_drop_note(hass: HomeAssistant, noted: Noted) -> None:
    """Take a note back: nothing of it is erased."""
    async with hass.data[_RETRY].noting:
        await _async_write(hass, [each for each in await _async_read(hass) if not _same(each, noted.note)])


async def async_erase_surely(hass: HomeAssistant, noted: Noted) -> bool:
    """Erase everybody's traces in Home Assistant, now or later; return whether it is done."""
    async with hass.data[_RETRY].working:
        left = await _async_erase(hass, noted.note, _wanted(noted.note), noted.naming)
    await _async_report(hass, left)
    return not left


async def _async_report(hass: HomeAssistant, left: set[Store]) -> None:
    """Tell the owner what is left, and try again; what another removal left stays said."""
    if left:
        async_check_removal(hass, left)
        _async_wait(hass)
    elif not any(_is_removed(hass, each) for each in await _async_read(hass)):
        async_check_removal(hass, ())


def _is_removed(hass: HomeAssistant, noted: dict[str, Any]) -> bool:
    return hass.config_entries.async_get_entry(noted["entry_id"]) is None


@callback
def async_erase_unfinished(hass: HomeAssistant) -> None:
    """Go on with what was left, once Home Assistant has started."""

    async def go_on(hass: HomeAssistant) -> None:
        await _async_try_again(hass)

    async_at_started(hass, go_on)


async def _async_try_again(hass: HomeAssistant) -> None:
    retry = hass.data.setdefault(_RETRY, _Retry())
    left: set[Store] = set()
    async with retry.working:
        for each in await _async_read(hass):
            if _is_removed(hass, each):
                left |= await _async_erase(hass, each, *_read_back(each))
    await _async_report(hass, left)


async def _async_erase(
    hass: HomeAssistant, noted: dict[str, Any], wanted: Wanted, naming: Naming
) -> set[Store]:
    """Erase once, and note no longer what is done; return what is left."""
    traces = await async_erase(hass, wanted, naming)
    if traces.done:
        async with hass.data[_RETRY].noting:
            await _async_write(hass, [each for each in await _async_read(hass) if not _same(each, noted)])
    else:
        _LOGGER.warning("Those who were recognised are not erased everywhere yet, it is tried again")
    return traces.left


@callback
def _async_wait(hass: HomeAssistant) -> None:
    retry = hass.data[_RETRY]
    if retry.timer is not None:
        retry.timer()

    async def again(_now: object) -> None:
        retry.timer = None
        await _async_try_again(hass)

    retry.timer = async_call_later(hass, AGAIN, HassJob(again, cancel_on_shutdown=True))


def _file(hass: HomeAssistant) -> StoredFile[list[dict[str, Any]]]:
    return StoredFile(hass, _VERSION, UNFINISHED, private=True, atomic_writes=True)


async def _async_read(hass: HomeAssistant) -> list[dict[str, Any]]:
    return await _file(hass).async_load() or []


async def _async_write(hass: HomeAssistant, noted: list[dict[str, Any]]) -> None:
    file = _file(hass)
    if not noted:
        await file.async_remove()
        return
    await file.async_save(noted)
    await async_sync(file)


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one[key] == other[key] for key in ("entry_id", "person_ids"))


def _noted(wanted: Wanted, naming: Naming, marks: Marks | None, entry_id: str) -> dict[str, Any]:
    return {
        "entry_id": entry_id,
        "person_ids": sorted(wanted.person_ids),
        "names": sorted(wanted.names),
        "entity_ids": sorted(wanted.entity_ids),
        "marks": None if marks is None else marks.key.hex(),
        "naming": sorted(naming.entity_ids),
        "told": sorted(naming.told),
        "familiar": naming.familiar,
        "at": naming.at,
    }


def _wanted(noted: dict[str, Any]) -> Wanted:
    wanted = Wanted(frozenset(noted["person_ids"]), frozenset(noted["names"]), frozenset(noted["entity_ids"]))
    if noted["marks"] is None:
        return wanted
    return replace(wanted, marked=Marks(bytes.fromhex(noted["marks"])).finder(wanted.person_ids))


def _read_back(noted: dict[str, Any]) -> tuple[Wanted, Naming]:
    # Who came since then may be somebody of the same home that was set up again.
    naming = Naming(
        frozenset(noted["naming"]),
        None,
        frozenset(),
        frozenset(noted["told"]),
        noted["familiar"],
        noted["at"],
    )
    return _wanted(noted), naming
