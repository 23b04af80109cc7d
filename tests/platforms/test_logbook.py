"""The logbook: lines that a person would write, and no name in what is recorded."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
import json
import threading
import time
from typing import Any
from unittest.mock import patch

from homeassistant.components.recorder.db_schema import EventData, Events, EventTypes
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, translation
from homeassistant.helpers.recorder import session_scope
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.familiar_faces.const import DOMAIN, EVENT_VISIT
from custom_components.familiar_faces.erasing.purging import Purging
from custom_components.familiar_faces.erasing.stores import HomeTraces, async_erase
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.vault.errors import VaultUnwritable
from custom_components.familiar_faces.vault.records import VisitRecord
from custom_components.familiar_faces.visits.open_visits import Change
from custom_components.familiar_faces.visits.visit import Decision

from ..common.made_up_visits import TIMING, a_visit, come
from ..common.people_on_record import DAY, a_consent, put_on_record, settle
from ..common.pictures import astronaut, enrolment_photos, stranger, variant
from ..common.steps import enrol, later, ring, visits
from ..conftest import FrontDoor

pytestmark = pytest.mark.usefixtures("recorder_mock")

type Lines = Callable[[], Awaitable[list[str]]]
type Page = Callable[..., Awaitable[list[str]]]


@pytest.fixture
async def logbook(hass: HomeAssistant, sockets: None) -> None:
    """Set up a real logbook on a real recorder."""
    assert await async_setup_component(hass, "logbook", {})


@pytest.fixture
def lines(hass: HomeAssistant, logbook: None, hass_ws_client: WebSocketGenerator) -> Lines:
    """Return what reads this integration's lines of the logbook, as its page does."""

    async def read() -> list[str]:
        await async_wait_recording_done(hass)
        client = await hass_ws_client()
        since = dt_util.utcnow() - timedelta(days=1)
        await client.send_json_auto_id({"type": "logbook/get_events", "start_time": since.isoformat()})
        answer = await client.receive_json()
        await client.close()
        ours = [each for each in answer["result"] if each.get("domain") == DOMAIN]
        # The frontend shows the name of the entity in the place of this one.
        assert not any("entity_id" in each for each in ours)
        return [f"{each['name']}: {each['message']}" for each in ours]

    return read


@pytest.fixture
async def people(hass: HomeAssistant, hub: Hub) -> None:
    """Have two people on record."""
    now = dt_util.utcnow()
    await put_on_record(hass, hub, a_consent(now - DAY, now + 300 * DAY))
    await put_on_record(hass, hub, a_consent(now - DAY, now + 300 * DAY), "otto", "Otto")


def recorded(hass: HomeAssistant) -> list[dict[str, str]]:
    """Return the data of the visits' events as the database holds them."""
    with session_scope(hass=hass, read_only=True) as session:
        rows = (
            session.query(EventData.shared_data)
            .join(Events, Events.data_id == EventData.data_id)
            .join(EventTypes, EventTypes.event_type_id == Events.event_type_id)
            .filter(EventTypes.event_type == EVENT_VISIT)
            .order_by(Events.time_fired_ts)
        )
        return [json.loads(text) for (text,) in rows]


# What is read


async def test_with_the_real_engine(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, lines: Lines
) -> None:
    """Each visit is one sentence."""
    await enrol(hass, entry, enrolment_photos())
    expected = []
    for number, (frames, line) in enumerate(
        (
            (visits(astronaut()), "Front door: Eileen was seen"),
            (visits(stranger(0)), "Front door: A stranger came"),
            (visits(variant(astronaut(), blur=9)), "Front door: Somebody came, not recognised"),
        )
    ):
        front_door.frames = frames
        expected.append(line)
        with later(minutes=2 * number):
            await ring(hass, hub)
            await ring(hass, hub)
    with later(minutes=10):
        assert await lines() == expected


async def test_bookkeeping_has_no_line(
    hass: HomeAssistant, hub: Hub, people: None, logbook: None, hass_ws_client: WebSocketGenerator
) -> None:
    """That more is stored, or the engine was quick, is no line of Activity."""
    for number in range(3):
        await come(hass, hub, a_visit(hub, "nadie", visit_id=f"v{number}"))
        await hub.async_count()
        hub.async_changed()
    await async_wait_recording_done(hass)
    client = await hass_ws_client()
    since = dt_util.utcnow() - timedelta(hours=1)
    await client.send_json_auto_id({"type": "logbook/get_events", "start_time": since.isoformat()})
    lines = (await client.receive_json())["result"]
    of_the_hub = {each["entity_id"] for each in lines if "familiar_faces_" in each.get("entity_id", "")}
    assert of_the_hub.isdisjoint(
        f"sensor.familiar_faces_{key}"
        for key in ("engine_latency", "stored_items", "next_purge", "visits_today")
    )


@pytest.fixture
def page(hass: HomeAssistant, logbook: None, hass_ws_client: WebSocketGenerator) -> Page:
    """Return what reads Activity on the page of a device, or in the history of entities, as the frontend does."""

    async def read(**of: list[str]) -> list[str]:
        await async_wait_recording_done(hass)
        client = await hass_ws_client()
        since = dt_util.utcnow() - timedelta(hours=1)
        await client.send_json_auto_id({"type": "logbook/get_events", "start_time": since.isoformat(), **of})
        answer = await client.receive_json()
        await client.close()
        return [
            f"{each['name']}: {each['message']}" if "message" in each else each["entity_id"]
            for each in answer["result"]
        ]

    return read


async def test_one_line_on_each_page(hass: HomeAssistant, hub: Hub, people: None, page: Page) -> None:
    """A visit is a sentence with the name where its camera or person is looked at, beside the events themselves."""
    devices, entities = dr.async_get(hass), er.async_get(hass)
    (camera_id,) = hub.watchers
    for number in range(2):
        await come(hass, hub, a_visit(hub, "nadie", visit_id=f"v{number}"))
    await come(hass, hub, a_visit(hub, visit_id="v2", decision=Decision.STRANGER))
    nadie, stranger = "Front door: Nadie was seen", "Front door: A stranger came"
    event = "event.front_door_visitor"
    for whose, expected in (
        (camera_id, [nadie, event, nadie, event, stranger, event]),
        ("nadie", [nadie, "event.nadie_seen", nadie, "event.nadie_seen"]),
        ("otto", []),
    ):
        device = devices.async_get_device_by_identifier((DOMAIN, whose), hub.entry.entry_id)
        assert device is not None
        theirs = [each.entity_id for each in er.async_entries_for_device(entities, device.id)]
        found = await page(entity_ids=theirs, device_ids=[device.id])
        # Besides, that they are here, and where they were last.
        assert sorted(each for each in found if not each.startswith(("sensor.", "binary_sensor."))) == sorted(
            expected
        )
    assert [each for each in await page(entity_ids=[event]) if each != event] == [nadie, nadie, stranger]


async def test_at_once(
    hass: HomeAssistant, hub: Hub, people: None, lines: Lines, hass_ws_client: WebSocketGenerator
) -> None:
    """Anyone who looks at the logbook reads the same sentences when it happens."""
    client = await hass_ws_client()
    await client.send_json_auto_id(
        {"type": "logbook/event_stream", "start_time": dt_util.utcnow().isoformat()}
    )
    # The answer, and what was until now.
    assert (await client.receive_json())["success"]
    assert "events" in (await client.receive_json())["event"]
    await come(hass, hub, a_visit(hub, "nadie", visit_id="known"))
    await come(hass, hub, a_visit(hub, visit_id="unknown", decision=Decision.STRANGER))
    live: list[str] = []
    async with asyncio.timeout(30):
        while len(live) < 2:
            events = (await client.receive_json())["event"]["events"]
            live += [f"{each['name']}: {each['message']}" for each in events if each.get("domain") == DOMAIN]
    await client.close()
    assert live == ["Front door: Nadie was seen", "Front door: A stranger came"]
    assert await lines() == live


async def test_taken_for_a_stranger_at_first(
    hass: HomeAssistant, hub: Hub, people: None, lines: Lines
) -> None:
    """Nobody is called a stranger who was recognised a moment later."""
    taken_for = a_visit(hub, visit_id="visit", decision=Decision.STRANGER)
    await come(hass, hub, taken_for)
    assert await lines() == ["Front door: A stranger came"]
    await come(hass, hub, a_visit(hub, "nadie", visit_id="visit"), Change.UPGRADED)
    assert await lines() == ["Front door: Somebody came", "Front door: Nadie was seen"]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("nl", ["Front door: Nadie is gezien", "Front door: Een onbekende kwam langs"]),
        (
            "de",
            [
                "Front door: Nadie wurde gesehen",
                "Front door: Eine fremde Person war da",
            ],
        ),
    ],
)
async def test_in_the_language_of_the_home(
    hass: HomeAssistant, hub: Hub, people: None, lines: Lines, language: str, expected: list[str]
) -> None:
    """It can be changed, also for what is recorded already."""
    # As when Home Assistant starts.
    translation.async_setup(hass)
    await come(hass, hub, a_visit(hub, "nadie", visit_id="visit-1"))
    await come(hass, hub, a_visit(hub, visit_id="visit-2", decision=Decision.STRANGER))
    await hass.config.async_update(language=language)
    await hass.async_block_till_done()
    assert await lines() == expected


async def test_other_names(hass: HomeAssistant, hub: Hub, people: None, lines: Lines) -> None:
    """People and cameras are called what they are called now."""
    await come(hass, hub, a_visit(hub, "nadie", visit_id="visit"))
    await hass.async_add_executor_job(hub.vault.update_person, "nadie", "Nadja", None)
    await hub.async_refresh_people()
    devices = dr.async_get(hass)
    (camera_id,) = hub.watchers
    device = devices.async_get_device_by_identifier((DOMAIN, camera_id), hub.entry.entry_id)
    assert device is not None
    devices.async_update_device(device.id, name_by_user="Garden gate")
    assert await lines() == ["Garden gate: Nadja was seen"]
    devices.async_remove_device(device.id)
    assert await lines() == ["Familiar Faces: Nadja was seen"]


async def test_anybody_may_fire_an_event(hass: HomeAssistant, hub: Hub, people: None, lines: Lines) -> None:
    """What is no visit is described anyway, and never with a name that is not in the vault."""
    for data in (
        {},
        {"visit_id": ["a list"], "decision": 7, "device_id": {"a": "dict"}},
        {"visit_id": "unknown", "decision": "familiar", "device_id": "unknown"},
        {"visit_id": "nadie", "decision": "stranger"},
    ):
        hass.bus.async_fire(EVENT_VISIT, data)
    assert await lines() == ["Familiar Faces: Somebody came"] * 3 + ["Familiar Faces: A stranger came"]


async def test_without_the_integration(hass: HomeAssistant, hub: Hub, people: None, lines: Lines) -> None:
    """While it does not run, nobody is named; where it was can still be said."""
    await come(hass, hub, a_visit(hub, "nadie", visit_id="visit"))
    await hass.config_entries.async_unload(hub.entry.entry_id)
    assert await lines() == ["Front door: Somebody came"]
    await hass.config_entries.async_setup(hub.entry.entry_id)
    assert await lines() == ["Front door: Nadie was seen"]


# What is recorded


async def test_no_name_is_recorded(hass: HomeAssistant, hub: Hub, people: None, lines: Lines) -> None:
    """An event holds what kind of visit it was, where, and a random id that means nothing outside the vault."""
    await come(hass, hub, a_visit(hub, "nadie", visit_id="visit-1"))
    await come(hass, hub, a_visit(hub, visit_id="visit-2", decision=Decision.UNCLEAR))
    await lines()
    assert [sorted(each) for each in recorded(hass)] == [
        ["camera_id", "decision", "device_id", "entity_id", "visit_id"]
    ] * 2
    assert "nadie" not in str(recorded(hass)).lower()


@pytest.mark.parametrize("keeping", [Keeping.NOTHING, Keeping.SILENT])
async def test_nothing_is_fired_for_whom_nothing_is_kept(
    hass: HomeAssistant, hub: Hub, lines: Lines, keeping: Keeping
) -> None:
    """Neither a line nor an event tells that they came."""
    now = dt_util.utcnow()
    choices = Choices(keeping=keeping)
    await put_on_record(hass, hub, a_consent(now - DAY, now + 300 * DAY, choices=choices))
    events = async_capture_events(hass, EVENT_VISIT)
    await come(hass, hub, a_visit(hub, "nadie", visit_id="visit"))
    assert (events, await lines()) == ([], [])


# What becomes of it


async def test_forgotten(hass: HomeAssistant, hub: Hub, people: None, lines: Lines) -> None:
    """Nobody can be named from the moment on, and then nothing is left of their visits in the recorder."""
    await come(hass, hub, a_visit(hub, visit_id="early", decision=Decision.STRANGER))
    await come(hass, hub, a_visit(hub, "nadie", visit_id="early"), Change.UPGRADED)
    await come(hass, hub, a_visit(hub, "nadie", visit_id="visit"))
    await come(hass, hub, a_visit(hub, "otto", visit_id="others"))
    await come(hass, hub, a_visit(hub, visit_id="strangers", decision=Decision.STRANGER))
    assert (await lines()).count("Front door: Nadie was seen") == 2
    told = asyncio.Event()

    async def erase(*args: Any) -> HomeTraces:
        await told.wait()
        return await async_erase(*args)

    with patch("custom_components.familiar_faces.erasing.forgetting.async_erase", erase):
        await hub.forgetting.async_forget("nadie", patience=0)
        assert await lines() == [
            # Nothing is known of them, as of any stranger.
            "Front door: A stranger came",
            *["Front door: Somebody came"] * 2,
            "Front door: Otto was seen",
            "Front door: A stranger came",
        ]
        told.set()
        await settle(hass, hub)
    assert await lines() == ["Front door: Otto was seen", "Front door: A stranger came"]
    assert {each["visit_id"] for each in recorded(hass)} == {"others", "strangers"}


async def test_forgotten_while_somebody_comes(
    hass: HomeAssistant, hub: Hub, people: None, lines: Lines
) -> None:
    """What others do meanwhile stays, written in the vault already or not, and also when that cannot be read."""
    await come(hass, hub, a_visit(hub, "otto", visit_id="before"))
    await lines()
    with patch.object(hub.vault, "visit_ids", side_effect=VaultUnwritable("full")):
        await hub.forgetting.async_forget("nadie")
        await settle(hass, hub)
    assert await lines() == ["Front door: Otto was seen"]


async def test_corrected(hass: HomeAssistant, hub: Hub, people: None, lines: Lines) -> None:
    """The line says who it was, or that somebody came when that is not known."""
    await come(hass, hub, a_visit(hub, "nadie", visit_id="moved"))
    await come(hass, hub, a_visit(hub, "nadie", visit_id="wrong"))
    for visit_id, person_id in (("moved", "otto"), ("wrong", None)):
        corrected = await hass.async_add_executor_job(
            hub.vault.correct_visit, visit_id, dt_util.utcnow(), person_id
        )
        assert corrected.visit_id == visit_id
        log = hass.data["familiar_faces_visit_log"]
        await hub.board._async_corrected(corrected)
        assert (log.find(visit_id) is None) is (person_id is None)
    assert await lines() == ["Front door: Otto was seen", "Front door: Somebody came"]


async def test_not_kept_any_longer(hass: HomeAssistant, hub: Hub, people: None, lines: Lines) -> None:
    """A name is said as long as the visit is kept, also before the purge."""
    await come(hass, hub, a_visit(hub, "nadie", visit_id="visit"))
    assert await lines() == ["Front door: Nadie was seen"]
    with patch.object(Purging, "async_purge"):
        hass.config_entries.async_update_entry(hub.entry, options={**hub.entry.options, "visit_days": 0})
        assert (await lines())[-1] == "Front door: Somebody came"


# What it costs


async def test_the_vault_is_not_read_on_the_event_loop(
    hass: HomeAssistant, hub: Hub, people: None, lines: Lines, caplog: pytest.LogCaptureFixture
) -> None:
    """What happens now is described from memory, and there is little of that."""
    (camera_id,) = hub.watchers
    now = dt_util.utcnow()

    def write() -> None:
        for number in range(200):
            at = now - timedelta(seconds=200 - number)
            record = VisitRecord(f"visit-{number}", "nadie", camera_id, at, confidence=0.9, frames=3)
            hub.vault.add_visit(record, None, at)

    await hass.async_add_executor_job(write)
    log = hass.data["familiar_faces_visit_log"]
    threads: set[int] = set()
    read = hub.vault.visit

    def watched(visit_id: str) -> VisitRecord:
        threads.add(threading.get_ident())
        return read(visit_id)

    with patch.object(hub.vault, "visit", watched):
        assert log.find("visit-1") is None
        assert await hass.async_add_executor_job(log.find, "visit-1") is not None
        for number in range(200):
            visit = a_visit(hub, "nadie", visit_id=f"visit-{number}")
            hub.board._async_visit(visit, TIMING)
            log._async_visit(visit, TIMING)
        assert len(hub.board.recent()) == 100
        assert log.find("visit-199") is not None
        assert len(await lines()) == 200
    assert threads
    assert hass.loop_thread_id not in threads
    started = time.perf_counter()
    await hass.async_add_executor_job(lambda: [log.find(f"visit-{number}") for number in range(100)])
    assert time.perf_counter() - started < 1
