"""Erasing everybody, with the integration."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_NAME
from homeassistant.core import HomeAssistant, callback

from ..const import CONF_FORGETTING, CONF_PEOPLE, CONF_PERSON_ID, SUBENTRY_PERSON
from ..household.books import Books
from ..internals.wanted import Wanted
from ..vault.errors import VaultError
from ..vault.provenance import Marks
from ..vault.records import Unfinished
from ..vault.store import Vault
from .home_traces import async_entity_ids, async_naming
from .surely import async_erase_surely, async_note


async def async_forget_everybody(hass: HomeAssistant, entry: ConfigEntry, folder: Path) -> None:
    """Destroy the closed vault of an entry that is removed, and erase everybody's traces in Home Assistant.

    Home Assistant writes without the entry only then, so after a kill before that, the entry is there again to remove. What
    cannot be erased now is noted and done later. Raises OSError when the vault could not be destroyed.
    """
    left, stored, marks = await hass.async_add_executor_job(_known, folder)
    # Also of those who were removed while it did not run.
    stored |= {each.person_id: (each.name, *each.former_names) for each in left}
    wanted = async_wanted(hass, entry, stored, marks)
    wanted = replace(wanted, entity_ids=wanted.entity_ids.union(*(each.entity_ids for each in left)))
    naming = async_naming(hass, entry, ())
    noted = await async_note(hass, wanted, naming, marks=marks, entry_id=entry.entry_id)
    try:
        await hass.async_add_executor_job(Vault.destroy, folder)
    finally:
        await async_erase_surely(hass, noted)


@callback
def async_wanted(
    hass: HomeAssistant,
    entry: ConfigEntry,
    names: Mapping[str, Iterable[str]] | None = None,
    marks: Marks | None = None,
) -> Wanted:
    """Return what is of everybody of an entry; `names` of theirs by their ids, as far as the vault told them."""
    names = names or {}
    people = entry.get_subentries_of_type(SUBENTRY_PERSON)
    person_ids = {*names, *(str(each.data[CONF_PERSON_ID]) for each in people)}
    books = Books(hass, entry)
    person_ids |= books.read(CONF_FORGETTING) | books.read(CONF_PEOPLE)
    called = {str(each.data[CONF_NAME]) for each in people}.union(*names.values())
    wanted = Wanted(frozenset(person_ids), frozenset(called - {""}), async_entity_ids(hass, person_ids))
    return wanted if marks is None else replace(wanted, marked=marks.finder(wanted.person_ids))


def _known(folder: Path) -> tuple[list[Unfinished], dict[str, tuple[str, ...]], Marks | None]:
    """Return who is being forgotten, the names of all others by their ids, former ones too, and the marks. Blocks.

    As far as a closed vault can tell, which may be damaged or lost.
    """
    try:
        vault = Vault.open(folder, expected=True)
    except VaultError:
        return [], {}, None
    try:
        stored = {each.person_id: (each.name, *each.former_names) for each in vault.people()}
        return vault.unfinished(), stored, vault.marks
    except VaultError:
        return [], {}, vault.marks
    finally:
        vault.close()
