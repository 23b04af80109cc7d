"""The calendar of visits: what is kept of familiar people, through Home Assistant's own calendar."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
import threading
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.familiar_faces.const import CONF_VISIT_DAYS
from custom_components.familiar_faces.erasing.purging import Purging
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.recognising.announcing import Announcer
from custom_components.familiar_faces.seen.board import PAGE
from custom_components.familiar_faces.vault.errors import VaultUnwritable
from custom_components.familiar_faces.vault.records import VisitCursor, VisitPage, VisitRecord
from custom_components.familiar_faces.visits.open_visits import GAP, Change
from custom_components.familiar_faces.visits.visit import Decision

from ..common.made_up_visits import a_visit, come
from ..common.people_on_record import DAY, SECOND, a_consent, at, clock_says, put_on_record, settle
from ..common.pictures import astronaut, enrolment_photos, stranger
from ..common.steps import enrol, ring, visits
from ..conftest import FrontDoor, set_up

CALENDAR = "calendar.familiar_faces_visits"
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def shown(hass: HomeAssistant, entry: MockConfigEntry, sockets: None, front_door: FrontDoor) -> Hub:
    """Return the hub of an entry in a home with a calendar."""
    for component in ("calendar", "websocket_api"):
        assert await async_setup_component(hass, component, {})
    return await set_up(hass, entry)


@pytest.fixture
async def people(hass: HomeAssistant, shown: Hub, start: datetime) -> Hub:
    """Have two people on record."""
    for person_id, name in (("nadie", "Nadie"), ("otto", "Otto")):
        consent = a_consent(start - 20 * DAY, start + 300 * DAY)
        await put_on_record(hass, shown, consent, person_id, name)
    return shown


async def keep(
    hass: HomeAssistant, hub: Hub, person_id: str, began: datetime, lasted: timedelta, camera_id: str = ""
) -> None:
    """Have a visit be kept."""
    visit = VisitRecord(
        f"{person_id} {began}",
        person_id,
        camera_id or next(iter(hub.watchers)),
        began,
        confidence=0.9,
        frames=3,
    )

    def write() -> None:
        hub.vault.add_visit(visit, None, began)
        hub.vault.continue_visit(visit.visit_id, person_id, began + lasted, None, None)

    await hass.async_add_executor_job(write)


async def events(
    hass: HomeAssistant, since: datetime, until: datetime
) -> list[tuple[str, datetime, datetime]]:
    """Return what the action of the calendar answers."""
    answer: Any = await hass.services.async_call(
        "calendar",
        "get_events",
        {"entity_id": CALENDAR, "start_date_time": since, "end_date_time": until},
        blocking=True,
        return_response=True,
    )
    return [
        (
            each["summary"],
            dt_util.as_utc(datetime.fromisoformat(each["start"])),
            dt_util.as_utc(datetime.fromisoformat(each["end"])),
        )
        for each in answer[CALENDAR]["events"]
    ]


async def test_there_from_the_first_day(hass: HomeAssistant, hub: Hub) -> None:
    """The owner has to switch nothing on."""
    assert hass.states.get(CALENDAR).state == "off"


async def test_visitors_without_a_name(hass: HomeAssistant, people: Hub) -> None:
    """That they came is shown until midnight; when they are recognised after all, it is their visit."""
    now = dt_util.utcnow()
    came = [
        a_visit(people, visit_id=f"v{each}", decision=each) for each in (Decision.STRANGER, Decision.UNCLEAR)
    ]
    for visit in came:
        await come(hass, people, visit)
    assert [each[0] for each in await events(hass, now - DAY, now + DAY)] == [
        "A stranger at the front door",
        "Somebody at the front door",
    ]
    assert await events(hass, now + 2 * MINUTE, now + DAY) == []
    await come(hass, people, a_visit(people, "nadie", visit_id=came[0].visit_id), Change.UPGRADED)
    assert "A stranger at the front door" not in str(await events(hass, now - DAY, now + DAY))
    people.tally.drop(now + DAY)
    assert "Somebody" not in str(await events(hass, now - DAY, now + DAY))


async def test_with_the_real_engine(
    hass: HomeAssistant, shown: Hub, entry: MockConfigEntry, front_door: FrontDoor
) -> None:
    """A visit of somebody familiar is in it from its beginning, and its state says nothing of it."""
    await enrol(hass, entry, enrolment_photos())
    front_door.frames = visits(stranger(0))
    await ring(hass, shown)
    assert hass.states.get(CALENDAR).state == "off"
    front_door.frames = visits(astronaut())
    await ring(hass, shown)
    assert hass.states.get(CALENDAR).state == "off"
    assert "Eileen" not in str(hass.states.get(CALENDAR).attributes)
    (visit,) = await hass.async_add_executor_job(shown.vault.visits)
    over = visit.until + GAP
    assert (await events(hass, visit.started_at - DAY, visit.started_at + DAY))[1:] == [
        ("Eileen at the front door", visit.started_at, over)
    ]
    # The visit itself is dropped from memory a little later.
    with patch.object(Announcer, "async_expire"):
        await clock_says(hass, shown, over + SECOND)
    (_, (_, _, end)) = await events(hass, visit.started_at - DAY, visit.started_at + DAY)
    # As one of a second could not be seen in a calendar.
    assert end == visit.started_at + MINUTE


async def test_ranges(hass: HomeAssistant, people: Hub, start: datetime) -> None:
    """A visit is in every range that it reaches into, by its beginning and its end."""
    noon = start - 5 * DAY
    await keep(hass, people, "nadie", noon, 30 * MINUTE)
    await keep(hass, people, "otto", noon + 10 * MINUTE, 5 * MINUTE)
    await keep(hass, people, "otto", noon + 10 * DAY / 10, SECOND)
    nadie = ("Nadie at the front door", noon, noon + 30 * MINUTE)
    otto = ("Otto at the front door", noon + 10 * MINUTE, noon + 15 * MINUTE)
    assert await events(hass, noon - MINUTE, noon + 40 * MINUTE) == [nadie, otto]
    assert await events(hass, noon + 20 * MINUTE, noon + 40 * MINUTE) == [nadie]
    assert await events(hass, noon - DAY, noon) == []
    assert await events(hass, noon + 30 * MINUTE, noon + 40 * MINUTE) == []
    assert len(await events(hass, noon - 300 * DAY, start)) == 3


async def test_in_the_frontend(
    hass: HomeAssistant,
    people: Hub,
    start: datetime,
    hass_client: ClientSessionGenerator,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """The page of calendars reads it, is told of what is new, and of what is gone."""
    began = start - 60 * MINUTE
    await keep(hass, people, "nadie", began, 10 * MINUTE)
    client = await hass_client()
    span = {"start": (start - DAY).isoformat(), "end": (start + DAY).isoformat()}
    response = await client.get(f"/api/calendars/{CALENDAR}", params=span)
    assert response.status == HTTPStatus.OK
    (event,) = await response.json()
    assert (event["summary"], event["location"]) == ("Nadie at the front door", "Front door")
    assert event["start"]["dateTime"] == dt_util.as_local(began).isoformat()

    socket = await hass_ws_client()
    await socket.send_json_auto_id({"type": "calendar/event/subscribe", "entity_id": CALENDAR, **span})
    answer = await socket.receive_json()
    assert answer["success"], answer
    assert [each["summary"] for each in (await socket.receive_json())["event"]["events"]] == [
        "Nadie at the front door"
    ]
    await people.forgetting.async_forget("nadie")
    await settle(hass, people)
    while (await socket.receive_json(timeout=30))["event"]["events"] != []:
        pass
    response = await client.get(f"/api/calendars/{CALENDAR}", params=span)
    assert await response.json() == []


async def test_whose_visits_may_not_be_shown(
    hass: HomeAssistant, people: Hub, front_door: FrontDoor, start: datetime
) -> None:
    """Neither what is past its time, before the purge, nor what is not to be announced."""
    await keep(hass, people, "nadie", start - 3 * DAY, MINUTE)
    await keep(hass, people, "otto", start - 60 * MINUTE, MINUTE)
    assert len(await events(hass, start - 9 * DAY, start)) == 2
    with patch.object(Purging, "async_purge"):
        options = {**people.entry.options, CONF_VISIT_DAYS: 2}
        hass.config_entries.async_update_entry(people.entry, options=options)
        await settle(hass, people)
        assert [each[0] for each in await events(hass, start - 9 * DAY, start)] == ["Otto at the front door"]
    silent = Choices(keeping=Keeping.SILENT)
    consent = a_consent(start, start + 300 * DAY, choices=silent)
    await hass.async_add_executor_job(people.vault.record_consent, "otto", consent)
    await people.async_refresh_people()
    assert await events(hass, start - 9 * DAY, start) == []
    assert not people.people["otto"].choices.announced


async def test_corrected(hass: HomeAssistant, people: Hub, start: datetime) -> None:
    """A visit is in it as whose it was."""
    await keep(hass, people, "nadie", start - 60 * MINUTE, 10 * MINUTE)
    visit_id = f"nadie {start - 60 * MINUTE}"
    await hass.async_add_executor_job(people.vault.correct_visit, visit_id, start, "otto")
    assert await events(hass, start - DAY, start) == [
        ("Otto at the front door", start - 60 * MINUTE, start - 50 * MINUTE)
    ]


async def test_a_camera_that_is_gone(hass: HomeAssistant, people: Hub, start: datetime) -> None:
    """Who came can still be told."""
    await keep(hass, people, "nadie", start - 60 * MINUTE, 10 * MINUTE, "gone")
    assert [each[0] for each in await events(hass, start - DAY, start)] == ["Nadie"]


async def test_a_vault_that_cannot_be_read(hass: HomeAssistant, people: Hub, start: datetime) -> None:
    """Anyone who asks is told so."""
    with (
        patch.object(people.vault, "visit_page", side_effect=VaultUnwritable("full")),
        pytest.raises(HomeAssistantError) as failed,
    ):
        await events(hass, start - DAY, start)
    assert failed.value.translation_key == "reading_failed"


async def test_a_large_range_blocks_nothing(hass: HomeAssistant, people: Hub, start: datetime) -> None:
    """However much is kept, all of it is shown, and read a page at a time, in threads."""
    camera_id = next(iter(people.watchers))
    threads: set[int] = set()
    pages: list[int] = []
    read = people.vault.visit_page
    number = 2 * PAGE + 1

    def watched(*asked: Any, **more: Any) -> VisitPage:
        threads.add(threading.get_ident())
        page = read(*asked, **more)
        pages.append(len(page.visits))
        return page

    def write() -> None:
        for minutes in range(number):
            began = start - (minutes + 1) * MINUTE
            visit = VisitRecord(f"{minutes}", "nadie", camera_id, began, confidence=0.9, frames=3)
            people.vault.add_visit(visit, None, began)

    await hass.async_add_executor_job(write)
    with patch.object(people.vault, "visit_page", watched), at(start):
        found = await events(hass, start - 365 * DAY, start)
    assert hass.loop_thread_id not in threads
    assert pages == [PAGE, PAGE, 1]
    assert [each[1] for each in found] == [start - minutes * MINUTE for minutes in range(number, 0, -1)]


async def test_who_is_forgotten_while_the_calendar_is_read_is_not_in_it(
    hass: HomeAssistant, people: Hub, start: datetime
) -> None:
    await keep(hass, people, "nadie", start - 60 * MINUTE, 10 * MINUTE)
    read = people.vault.visit_page
    asked = 0

    async def forget() -> None:
        # A purge may have read them again meanwhile.
        people.people.pop("nadie", None)
        people.async_forget_in_memory("nadie")

    def once(*sought: Any, **more: Any) -> VisitPage:
        nonlocal asked
        asked += 1
        page = read(*sought, **more)
        if asked == 1:
            # There is more, and somebody goes before it is read.
            return replace(page, after=VisitCursor(0, 0))
        if asked == 2:
            people.vault.forget("nadie", start)
            asyncio.run_coroutine_threadsafe(forget(), hass.loop).result()
        return page

    with patch.object(people.vault, "visit_page", once), at(start):
        found = await events(hass, start - DAY, start)
    assert asked == 3
    assert found == []
