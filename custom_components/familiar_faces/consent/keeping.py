"""What may be kept and shown of somebody's visits: by what they agreed to, and by what is set."""

import asyncio
from datetime import datetime, timedelta
from functools import cache
import logging
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.recorder import DATA_INSTANCE
from homeassistant.util import dt as dt_util

from ..erasing.home_traces import async_entity_ids, async_kept_visits, async_naming, async_purge_traces
from ..erasing.recorder_traces import Wanted, async_erase_recorded
from ..people.person import Consent, Person

if TYPE_CHECKING:
    from ..hub import Hub

_LOGGER = logging.getLogger(__name__)

PATIENCE = 60.0
"""Seconds that a purge waits for the recorder, which does nothing before Home Assistant has started."""
_RECORDER = "recorder"
_PURGE_ENTITIES = "purge_entities"


def visits_kept_for(hub: Hub, consent: Consent | None) -> timedelta:
    """Return how long visits are kept: as long as is set, and never longer than was agreed to."""
    return _shorter(hub.retention.visits, timedelta(0) if consent is None else consent.keeps_visits_for)


def pictures_kept_for(hub: Hub, consent: Consent | None) -> timedelta:
    """Return how long pictures of visits are kept; never longer than their visits."""
    agreed = timedelta(0) if consent is None else consent.keeps_pictures_for
    return min(_shorter(hub.retention.pictures, agreed), visits_kept_for(hub, consent))


def _shorter(chosen: timedelta, agreed: timedelta | None) -> timedelta:
    return chosen if agreed is None else min(chosen, agreed)


def keeps_visits(hub: Hub, person_id: str | None) -> bool:
    """Return whether visits of somebody are kept: they agreed to it, and it is not switched off."""
    return bool(visits_kept_for(hub, _consent(hub, person_id)))


def keeps_pictures(hub: Hub, person_id: str | None) -> bool:
    """Return whether pictures of somebody's visits are kept."""
    return bool(pictures_kept_for(hub, _consent(hub, person_id)))


def may_be_told(hub: Hub, person_id: str, camera_id: str) -> bool:
    """Return whether it may be said now that somebody is at a camera: they agreed to both, and still do."""
    person = hub.people.get(person_id)
    return (
        person is not None
        and person.choices.announced
        and person.may_be_recognised(dt_util.utcnow(), camera_id)
    )


def may_show(hub: Hub, person_id: str | None, at: datetime | None) -> bool:
    """Return whether it may still be shown that somebody came at a moment: as long as the visit is kept."""
    return at is not None and dt_util.utcnow() - at < visits_kept_for(hub, _consent(hub, person_id))


def may_show_picture(hub: Hub, person_id: str | None, at: datetime | None) -> bool:
    """Return whether a picture of a visit that began at a moment may still be shown: as long as it is kept."""
    return at is not None and dt_util.utcnow() - at < pictures_kept_for(hub, _consent(hub, person_id))


def shortest_kept(hub: Hub) -> timedelta | None:
    """Return how long visits are kept of whom they are kept shortest; None when they are of nobody.

    For what does not say of whom it tells: it may be of them.
    """
    return min((each for each in _kept_of_each(hub).values() if each), default=None)


def _kept_of_each(hub: Hub) -> dict[str, timedelta]:
    return {person_id: visits_kept_for(hub, person.consent) for person_id, person in hub.people.items()}


def _consent(hub: Hub, person_id: str | None) -> Consent | None:
    person = hub.people.get(person_id or "")
    return None if person is None else person.consent


def narrowed(before: Person, after: Person) -> bool:
    """Return whether somebody agrees to less than before, so that what is shown of them has to go."""
    old, new = before.choices, after.choices
    fewer = new.cameras is not None and (old.cameras is None or not old.cameras <= new.cameras)
    return fewer or (old.keeps_visits and not new.keeps_visits) or (old.announced and not new.announced)


async def async_purge_told(hub: Hub) -> None:
    """Drop what automations remember of visits that are not kept: a trigger tells them who came."""
    now, people = dt_util.utcnow(), dict(hub.people)
    if not people:
        return
    kept = _kept_of_each(hub)

    @cache
    def wanted(ids: frozenset[str]) -> Wanted:
        names = frozenset(name for each in ids for name in (people[each].name, *people[each].former_names))
        return Wanted(ids, names, async_entity_ids(hub.hass, ids))

    def gone_at(at: datetime) -> Wanted | None:
        # Of those of whom nothing is kept nothing is, also when the clock was set back meanwhile.
        gone = frozenset(each for each, length in kept.items() if not length or now - at >= length)
        return wanted(gone) if gone else None

    try:
        await async_purge_traces(hub.hass, wanted(frozenset(people)), gone_at, await async_kept_visits(hub))
    except (HomeAssistantError, OSError) as err:
        _LOGGER.warning("What automations remember could not be purged yet, it is tried again: %s", err)


async def async_purge_recorded(hub: Hub) -> None:
    """Have the recorder know no longer who came, and when, than visits are kept.

    Of those of whom nothing is kept it knows nothing after every purge; it offers no way to know less. A
    recorder that is busy does it later, and the next purge of the vault does not wait for it.
    """
    hass = hub.hass
    if DATA_INSTANCE not in hass.data or not hass.services.has_service(_RECORDER, _PURGE_ENTITIES):
        return
    kept = _kept_of_each(hub)
    days = {person_id: length.days for person_id, length in kept.items()}
    names = [hub.people[person_id].name for person_id, length in kept.items() if length]
    naming = async_naming(hass, hub.entry, names, await async_kept_visits(hub))
    try:
        for keep_days in sorted(set(days.values())):
            whose = [person_id for person_id, agreed in days.items() if agreed == keep_days]
            await _async_purge_entities(hass, async_entity_ids(hass, whose), keep_days=keep_days)
        # Who is named there cannot be told apart, so the shortest period that somebody agreed to counts for all.
        shortest = (shortest_kept(hub) or hub.retention.visits).days
        await _async_purge_entities(hass, naming.entity_ids | naming.told, keep_days=shortest)
        if hub.people or hub.alerts.all_rules:
            async with asyncio.timeout(PATIENCE):
                await async_erase_recorded(hass, Wanted(frozenset()), naming)
    except TimeoutError:
        _LOGGER.debug("Home Assistant's history is still being purged")
    except HomeAssistantError as err:
        _LOGGER.warning("Home Assistant's history could not be purged yet, it is tried again: %s", err)


async def _async_purge_entities(hass: HomeAssistant, entity_ids: frozenset[str], *, keep_days: int) -> None:
    if entity_ids:
        await hass.services.async_call(
            _RECORDER,
            _PURGE_ENTITIES,
            {"entity_id": sorted(entity_ids), "keep_days": keep_days},
            blocking=True,
        )
