"""Made-up visits, and telling of them as the hub does: nobody was at a camera."""

from datetime import datetime
from uuid import uuid4

from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util import dt as dt_util

from custom_components.familiar_faces.household.signals import SIGNAL_SEEN_AGAIN, SIGNAL_VISIT
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.visits.open_visits import Change, Outcome
from custom_components.familiar_faces.visits.visit import Decision, Timing, UnclearReason, Visit

TIMING = Timing(ms=100, camera_fetch_ms=10, engine_ms=10)


def a_visit(
    hub: Hub,
    person_id: str | None = None,
    decision: Decision = Decision.FAMILIAR,
    *,
    visit_id: str | None = None,
    camera_id: str | None = None,
    began: datetime | None = None,
    seen: datetime | None = None,
    name: str | None = None,
    confidence: float = 0.99,
) -> Visit:
    """Return a visit, of now and at the first camera where nothing else is said; only a familiar one names somebody."""
    began = began or dt_util.utcnow()
    known = person_id if decision is Decision.FAMILIAR else None
    return Visit(
        visit_id=visit_id or uuid4().hex,
        camera_id=camera_id or next(iter(hub.watchers)),
        decision=decision,
        started_at=began,
        last_seen_at=seen or began,
        frames=3,
        person_id=known,
        name=None if known is None else name or hub.people[known].name,
        confidence=None if known is None else confidence,
        reason=UnclearReason.NOT_SURE if decision is Decision.UNCLEAR else None,
    )


async def come(hass: HomeAssistant, hub: Hub, visit: Visit, change: Change = Change.OPENED) -> None:
    """Have a visit be announced and kept."""
    await hub.announcer.async_settle(Outcome(visit, change), TIMING, None)
    await hass.async_block_till_done()


async def announce(hass: HomeAssistant, hub: Hub, *visits: Visit) -> None:
    """Tell of visits, and keep nothing of them."""
    for visit in visits:
        async_dispatcher_send(hass, SIGNAL_VISIT.format(hub.entry.entry_id), visit, TIMING)
    await hass.async_block_till_done()


async def go_on(hass: HomeAssistant, hub: Hub, visit: Visit) -> None:
    """Tell that a visit goes on."""
    async_dispatcher_send(hass, SIGNAL_SEEN_AGAIN.format(hub.entry.entry_id), visit)
    await hass.async_block_till_done()
