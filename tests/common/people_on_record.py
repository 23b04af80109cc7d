"""People who are in the vault without a dialog, and moments that stand still."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from freezegun import freeze_time
from freezegun.api import _freeze_time
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.familiar_faces.household.subentries import person_subentry
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices
from custom_components.familiar_faces.people.person import Consent, ConsentMethod
from custom_components.familiar_faces.vault.records import VisitRecord

from .vectors import axis

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def at(moment: datetime) -> _freeze_time:
    """Return a context in which it is this very moment, and stays so."""
    return freeze_time(moment, tick=False, real_asyncio=True)


async def clock_says(hass: HomeAssistant, hub: Hub, moment: datetime) -> None:
    """Have the clock show a moment, and wait until everything that follows is done."""
    with at(moment):
        async_fire_time_changed(hass, fire_all=True)
        await settle(hass, hub)


async def settle(hass: HomeAssistant, hub: Hub) -> None:
    """Wait until what was begun is done, the purge too."""
    await hass.async_block_till_done(wait_background_tasks=True)
    if (purging := hub.clock._purging) is not None:
        await purging
    await hass.async_block_till_done(wait_background_tasks=True)


def a_consent(
    given_at: datetime, valid_until: datetime, *, child: bool = False, choices: Choices | None = None
) -> Consent:
    """Return a consent."""
    return Consent(
        consent_id=uuid4().hex,
        given_by="Nadie",
        on_behalf_of_child=child,
        method=ConsentMethod.ON_PAPER,
        given_at=given_at,
        valid_until=valid_until,
        text_version="en/2",
        recorded_at=given_at,
        choices=choices or Choices(),
        text="The text.",
    )


async def put_on_record(
    hass: HomeAssistant, hub: Hub, consent: Consent, person_id: str = "nadie", name: str = "Nadie"
) -> None:
    """Have somebody be enrolled with a made-up template, and shown."""
    model = "made up" if hub.gallery is None else hub.gallery.model
    now = consent.given_at

    def write() -> None:
        hub.vault.begin_enrolment(person_id, name, None, consent, now)
        hub.vault.add_reference(
            person_id,
            photo=b"a photo",
            embedding=axis(len(hub.people)),
            model=model,
            photo_digest=f"digest of {person_id}",
            now=now,
        )
        hub.vault.finish_enrolment(person_id, now)

    await hass.async_add_executor_job(write)
    person = await hass.async_add_executor_job(hub.vault.person, person_id)
    with patch.object(hub.roster, "async_note_people"):
        hass.config_entries.async_add_subentry(hub.entry, person_subentry(person))
        await hub.async_refresh_people()
        await settle(hass, hub)


async def change_choices(hass: HomeAssistant, hub: Hub, person_id: str, **choices: Any) -> None:
    """Have somebody agree to something else than before."""
    before = hub.people[person_id].consent
    assert before is not None
    consent = replace(before, consent_id=uuid4().hex, choices=replace(before.choices, **choices))
    await hass.async_add_executor_job(hub.vault.record_consent, person_id, consent, dt_util.utcnow())
    await hub.async_refresh_people()


async def link_to_user(hass: HomeAssistant, hub: Hub, person_id: str, user_id: str) -> None:
    """Have somebody be linked to a `person.*` that has an account."""
    entity_id = f"person.{person_id}"
    hass.states.async_set(entity_id, "home", {"user_id": user_id, "friendly_name": "Linked"})
    name = hub.people[person_id].name
    await hass.async_add_executor_job(hub.vault.update_person, person_id, name, entity_id)
    await hub.async_refresh_people()


async def put_visit(hass: HomeAssistant, hub: Hub, moment: datetime, person_id: str = "nadie") -> None:
    """Have somebody's visit be kept, with a picture."""
    visit = VisitRecord(
        visit_id=f"visit-{moment.timestamp()}",
        person_id=person_id,
        camera_id="camera",
        started_at=moment,
        confidence=0.99,
        frames=3,
    )
    await hass.async_add_executor_job(hub.vault.add_visit, visit, b"a picture", moment)
    await hub.async_count()
    await hub.board.async_read()


def now() -> datetime:
    """Return the time, in whole seconds."""
    return dt_util.utcnow().replace(microsecond=0)
