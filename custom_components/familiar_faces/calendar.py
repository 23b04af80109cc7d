"""A calendar of visits: those of familiar people that are kept, and today's without a name."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import override

from homeassistant.components.calendar import CalendarEntity, CalendarEntityDescription, CalendarEvent
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .entity import HubEntity, async_setup_entities
from .household.breath import Breath
from .household.signals import Of
from .hub import FamiliarFacesConfigEntry
from .seen.shown import Shown
from .vault.errors import VaultError
from .visits.open_visits import GAP
from .visits.tally import Nameless
from .wording.vault_errors import Failed, vault_failed
from .wording.words import in_sentence, say_at_once, shown_language

PARALLEL_UPDATES = 0

_LONGEST = timedelta(days=1)
"""How long before a time visits are looked for that may reach into it."""
_SHORTEST = timedelta(minutes=1)
"""As how long a visit is shown at least: calendars draw an event without a length as one of an hour."""

VISITS = CalendarEntityDescription(key="visits", translation_key="visits")


async def async_setup_entry(
    hass: HomeAssistant, entry: FamiliarFacesConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the calendar."""
    await async_setup_entities(
        entry, async_add_entities, hub=[VisitsCalendar(entry.runtime_data, VISITS, Of.GOING_ON)]
    )


class VisitsCalendar(HubEntity, CalendarEntity):
    """Who came when, as far as it is kept."""

    entity_description: CalendarEntityDescription

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """Return None: no visit is still to come. As its state, one that goes on would add two lines to Activity."""
        return None

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return the visits within a time, oldest first."""
        board = self.hub.board
        try:
            while True:
                turn = board.turn
                events = [each async for each in self._async_events(start_date, end_date)]
                if turn == board.turn:
                    events += self._nameless(start_date, end_date)
                    return sorted(events, key=lambda each: each.start_datetime_local)
                # Somebody was forgotten meanwhile, or a visit corrected.
        except VaultError as err:
            raise vault_failed(err, Failed.READING) from err

    async def _async_events(self, start_date: datetime, end_date: datetime) -> AsyncIterator[CalendarEvent]:
        """Yield the visits within a time, newest first."""
        board, breath = self.hub.board, Breath()
        async for page in board.async_pages(since=start_date - _LONGEST, before=end_date):
            going_on = {each.visit_id: each.last_seen_at + GAP for each in board.going_on()}
            for visit in page:
                await breath.async_take()
                end = going_on.get(visit.visit_id, max(visit.last_seen_at, visit.started_at + _SHORTEST))
                if end > start_date:
                    yield self._event(visit, end)

    @callback
    def _nameless(self, start_date: datetime, end_date: datetime) -> Iterator[CalendarEvent]:
        """Yield today's visits without a name; nothing of them is kept."""
        today = dt_util.as_utc(dt_util.start_of_local_day())
        for visit in self.hub.tally.visits(self.hub.watchers, today):
            end = visit.started_at + _SHORTEST
            if visit.started_at < end_date and end > start_date:
                yield self._event(visit, end)

    @callback
    def _event(self, visit: Shown | Nameless, end: datetime) -> CalendarEvent:
        """Return what is shown of a visit."""
        subentry = self.hub.entry.subentries.get(visit.camera_id)
        camera = None if subentry is None else subentry.title
        name = visit.name if isinstance(visit, Shown) else None
        summary = name or say_at_once(self.hass, "logbook", f"who_{visit.decision}")
        if camera is not None:
            place = in_sentence(camera, shown_language(self.hass))
            summary = say_at_once(self.hass, "calendar", "visit", who=summary, camera=place)
        return CalendarEvent(
            start=dt_util.as_local(visit.started_at),
            end=dt_util.as_local(end),
            summary=summary,
            location=camera,
            uid=visit.visit_id,
        )
