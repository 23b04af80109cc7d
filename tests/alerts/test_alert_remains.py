"""What alerts and automations leave of visitors, in memory, in files and on record: no more than may be kept."""

from collections.abc import Iterator, Mapping
from datetime import datetime
import json
from pathlib import Path
import sqlite3
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.familiar_faces.alerts.alerts import Alerts
from custom_components.familiar_faces.alerts.notification import LINK_MINUTES
from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.erasing.start_over import async_start_over
from custom_components.familiar_faces.people.choices import Keeping
from custom_components.familiar_faces.visits.news import Stage
from custom_components.familiar_faces.visits.turns import Urgency

from ..common.alerting import an_alert, shown
from ..common.evidence import NAME, Evidence, ask
from ..common.home import DATABASE, Home, MakeRecorder, home
from ..common.people_on_record import change_choices
from ..common.phone import CLEAR, NewPhone
from ..common.pictures import astronaut
from ..common.steps import later, ring, visits
from ..common.street import Street
from ..conftest import FrontDoor, set_up

OURS = "custom_components.familiar_faces"


def pictures_in(alerts: Alerts) -> set[bytes]:
    """Return every picture that is in memory for alerts, wherever it is held."""
    return set(_bytes([vars(alerts), vars(alerts._teller), vars(alerts.pictures)], {}))


def _bytes(value: object, known: dict[int, object]) -> Iterator[bytes]:
    if id(value) in known:
        return
    # Held, so that no id comes twice.
    known[id(value)] = value
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, Mapping):
        for each in value.items():
            yield from _bytes(each, known)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for each in value:
            yield from _bytes(each, known)
    elif type(value).__module__.startswith((f"{OURS}.alerts", f"{OURS}.visits.visit")):
        names = (name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ()))
        yield from _bytes([getattr(value, name, None) for name in names], known)
        yield from _bytes(getattr(value, "__dict__", {}), known)


# In memory


async def test_no_picture_outlives_its_link(hass: HomeAssistant, street: Street, new_phone: NewPhone) -> None:
    """Neither of a stranger nor of everybody in the first frame; nor of somebody who lost a wrong name."""
    phone = await new_phone("Pixel")
    street.alert(phone, picture="everybody")
    await change_choices(hass, street.hub, "silas", keeping=Keeping.VISITS, pictures=True)
    await change_choices(hass, street.hub, "carla", pictures=True)
    street.rings("Gate")
    await street.settle()
    await street.ends("Gate")
    await street.comes("Front", "x")
    (visit,) = await street.comes("Back", "Anna")
    assert len(pictures_in(street.hub.alerts)) == 3
    assert visit.person_id == "anna"
    await phone.press(phone.action("Not them"))
    await street.settle()
    assert shown(phone)[-1].startswith("It was not Anna")
    await street.later(LINK_MINUTES * 60 + 1)
    async_fire_time_changed(hass)
    await street.settle()
    assert pictures_in(street.hub.alerts) == set()


async def test_pictures_go_whatever_goes_on(hass: HomeAssistant, street: Street, new_phone: NewPhone) -> None:
    """Rings that never end put nothing off, and who stays does not hold the picture of who has left."""
    phone = await new_phone("Pixel")
    street.alert(phone, picture="everybody")
    await street.comes("Front", "Anna", "x")
    for _ in range(LINK_MINUTES * 2):
        await street.later(20)
        await street.sees("Front", "Anna")
        street.rings("Back")
        await street.settle()
        await street.ends("Back")
        await street.later(20)
        await street.sees("Front", "Anna")
        async_fire_time_changed(hass)
        await street.settle()
    assert {each for each in pictures_in(street.hub.alerts) if each.endswith(b" x")} == set()
    assert {each for each in pictures_in(street.hub.alerts) if each.endswith(b" Anna")} != set()


async def test_when_somebody_was_told_of(street: Street, new_phone: NewPhone) -> None:
    """It is known for as long as an alert can keep quiet about somebody."""
    phone = await new_phone("Pixel")
    street.alert(phone, every=24 * 60, early=False)
    await street.comes("Front", "Anna")
    await street.later(23 * 3600)
    await street.comes("Front", "Anna")
    assert len(phone.messages) == 1
    await street.later(3601)
    street.hub.async_changed()
    assert street.hub.alerts._teller._told == {}
    await street.comes("Front", "Anna")
    assert len(phone.messages) == 2


@pytest.mark.parametrize("who", ["Anna", "Silas"])
@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_someone_is_not_shown_as_told(
    hass: HomeAssistant, street: Street, new_phone: NewPhone, who: str
) -> None:
    """The first notification is nobody's yet: the moment of somebody who has nothing kept is not shown by it."""
    phone = await new_phone("Pixel")
    street.alert(phone)
    await street.settle()
    await change_choices(
        hass, street.hub, "anna", keeping=Keeping.NOTHING if who == "Anna" else Keeping.VISITS
    )
    await street.comes("Front", who)
    await street.settle()
    assert phone.messages[0] == "Someone is at the front door."
    assert hass.states.get("sensor.everybody_last_notified").state == "unknown"
    await street.later(60)
    await street.comes("Front", "x")
    await street.settle()
    assert hass.states.get("sensor.everybody_last_notified").state != "unknown"


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_last_told_no_longer_than_visits(
    hass: HomeAssistant, street: Street, new_phone: NewPhone
) -> None:
    """It is shown no longer than anybody's visits are kept: it may have been them, also from before a restart."""
    phone = await new_phone("Pixel")
    street.alert(phone)
    hass.config_entries.async_update_entry(street.entry, options={"visit_days": 2})
    await street.comes("Front", "Anna")
    await street.settle()
    assert hass.states.get("sensor.everybody_last_notified").state != "unknown"
    await street.later(2 * 24 * 3600 - 60)
    street.hub.async_changed()
    assert hass.states.get("sensor.everybody_last_notified").state != "unknown"
    await street.later(61)
    street.hub.async_changed()
    assert hass.states.get("sensor.everybody_last_notified").state == "unknown"


# Of those who wish silence


@pytest.mark.parametrize(
    ("who", "frames", "expected"),
    [
        ("Silas", 2, []),
        ("Silas", 3, ["Someone is at the front door.", CLEAR]),
        ("x", 2, ["A stranger is at the front door."]),
        ("x", 3, ["Someone is at the front door.", "A stranger is at the front door."]),
    ],
)
async def test_a_face_that_wishes_silence(
    hass: HomeAssistant, street: Street, new_phone: NewPhone, who: str, frames: int, expected: list[str]
) -> None:
    """Without a bell their face is all that says that somebody is there: nobody is told of it, or no longer."""
    phone = await new_phone("Pixel")
    street.alert(phone)
    street.news("Front", Stage.STARTED, urgency=Urgency.MOTION)
    street.news("Front", Stage.FETCHED, urgency=Urgency.MOTION, frame=b"")
    for number in range(1, frames + 1):
        street.news("Front", Stage.COMPARED, urgency=Urgency.MOTION, frames=number, faces=1)
        await street.settle()
    await street.sees("Front", who)
    await street.ends("Front")
    await street.later(3)
    async_fire_time_changed(hass)
    await street.settle()
    assert phone.messages == expected


# What is damaged


@pytest.mark.parametrize(
    "damage",
    [
        {"who": ["burglar"]},
        {"who": 7},
        {"who": [["familiar"]]},
        {"people": "anna"},
        {"cameras": 5},
        {"cameras": [[1]]},
        {"recipients": None},
        {"recipients": [["phone"]]},
        {"after": "25:61"},
        {"before": 900},
        {"weekdays": "mon"},
        {"home": "somewhere"},
        {"picture": "naked"},
        {"every": "often"},
        {"every": 10**18},
    ],
)
async def test_a_damaged_alert(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    real_engine: None,
    damage: dict[str, Any],
) -> None:
    """It tells nobody, and says so; everything else starts, other alerts tell, and it can be removed."""
    damaged = an_alert(**{"recipients": ["here:"]} | damage)
    whole = an_alert(["here:"], early=True)
    for each in (damaged, whole):
        hass.config_entries.async_add_subentry(entry, each)
    hub = await set_up(hass, entry)
    assert [each.alert_id for each in hub.alerts.rules if not each.about_nobody] == [whole.subentry_id]
    issues = ir.async_get(hass)
    issue_id = f"alert_about_nobody_{damaged.subentry_id}"
    assert issues.async_get_issue(DOMAIN, issue_id) is not None
    told: list[object] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hub.alerts._teller, "async_tell", lambda *args: told.append(args[2]))
        street = Street(hass, hub, None)  # type: ignore[arg-type]
        street.rings("Front")
        await street.ends("Front")
    assert any(telling is not None for telling in told)
    hass.config_entries.async_remove_subentry(entry, damaged.subentry_id)
    await hass.async_block_till_done()
    assert issues.async_get_issue(DOMAIN, issue_id) is None
    assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize(
    "damage", [None, 7, "text", {"an": "object"}, [["a list"], {"an": "object"}, 5, None]]
)
async def test_damaged_books(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    real_engine: None,
    damage: object,
) -> None:
    """What is noted beside the settings does not keep anything from starting, nor from being removed."""
    keys = ("muted", "unannounced", "switched_off", "people", "forgetting")
    data = {**entry.data, **dict.fromkeys(keys, damage)}
    hass.config_entries.async_update_entry(entry, data=data)
    hub = await set_up(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert hub.recognition()
    assert not hub.alerts.mutes.muted("phone:1", "front", "anna", dt_util.utcnow())
    await hass.config_entries.async_remove(entry.entry_id)
    assert not (Path(hass.config.config_dir) / ".storage" / DOMAIN).exists()


async def test_mutes_that_end_at_no_moment(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    real_engine: None,
) -> None:
    """They are as if they were not there."""
    lines = ["2026-13-45T99:99:99+00:00 anna *", "never anna *", "2999-01-01T00:00:00 anna *", "anna", ""]
    hass.config_entries.async_update_entry(entry, data={**entry.data, "muted": lines})
    hub = await set_up(hass, entry)
    assert not hub.alerts.mutes.muted("phone:1", "front", "anna", dt_util.utcnow())
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_starting_over(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """When everything is erased because the vault cannot be opened, alerts, switches and mutes know nobody more."""
    alert = an_alert(["here:"], people=["nadie"])
    person = ConfigSubentry(
        data=MappingProxyType({"person_id": "nadie", "name": "Nadie"}),
        subentry_type="person",
        title="Nadie",
        unique_id="nadie",
    )
    for each in (alert, person):
        hass.config_entries.async_add_subentry(entry, each)
    lines = ["2999-01-01T00:00:00+00:00 nadie *"]
    data = {**entry.data, "muted": lines, "unannounced": ["nadie"], "people": ["nadie"]}
    hass.config_entries.async_update_entry(entry, data=data)
    await async_start_over(hass, entry)
    assert alert.subentry_id in entry.subentries
    assert "nadie" not in json.dumps(entry.as_dict(), default=str).lower()


# On record


async def rows(running: Home, statement: str) -> list[Any]:
    """Return what the database of the recorder holds."""
    await running.settle()

    def read() -> list[Any]:
        connection = sqlite3.connect(running.folder / DATABASE)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    return await running.hass.async_add_executor_job(read)


HISTORY = "SELECT state FROM states JOIN states_meta USING (metadata_id) WHERE states_meta.entity_id = '{}'"


def moments(states: list[Any]) -> list[datetime]:
    """Return those states that are moments."""
    return [at for (state,) in states if (at := dt_util.parse_datetime(str(state))) is not None]


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_the_history_of_what_was_told(
    lived: tuple[Path, Evidence],
    make_recorder: MakeRecorder,
) -> None:
    """When alerts told somebody, of Zyxandra perhaps, goes with her; also of an alert that was removed before."""
    folder, evidence = lived
    async with home(folder, make_recorder) as running:
        hass = running.hass
        alert = an_alert(["here:"])
        hass.config_entries.async_add_subentry(running.entry, alert)
        await running.settle()
        running.front_door.frames = visits(astronaut())
        await ring(hass, running.hub)
        await running.hub.alerts.async_flush()
        statement = HISTORY.format("sensor.everybody_last_notified")
        assert moments(await rows(running, statement))
        hass.config_entries.async_remove_subentry(running.entry, alert.subentry_id)
        await running.settle()
        assert er.async_get(hass).async_get("sensor.everybody_last_notified") is None
        await ask(running, evidence.person_id)
        assert moments(await rows(running, statement)) == []
    assert evidence.find(folder) == []


async def test_the_history_of_a_camera_that_was_removed(
    lived: tuple[Path, Evidence],
    make_recorder: MakeRecorder,
) -> None:
    """It named Zyxandra before it was taken down."""
    folder, evidence = lived
    async with home(folder, make_recorder) as running:
        statement = HISTORY.format("sensor.front_door_last_visitor")
        assert (NAME,) in await rows(running, statement)
        (camera,) = running.entry.get_subentries_of_type("camera")
        running.hass.config_entries.async_remove_subentry(running.entry, camera.subentry_id)
        await running.settle()
        await ask(running, evidence.person_id)
        assert (NAME,) not in await rows(running, statement)
    assert evidence.find(folder) == []


async def test_events_of_visits_without_any_alert(
    lived: tuple[Path, Evidence],
    make_recorder: MakeRecorder,
) -> None:
    """That a familiar person came is on record no longer than the visit is kept."""
    folder, _evidence = lived
    statement = (
        "SELECT shared_data FROM events JOIN event_data USING (data_id) JOIN event_types USING (event_type_id) "
        "WHERE event_types.event_type = 'familiar_faces_visit'"
    )
    async with home(folder, make_recorder) as running:
        await running.hub.purging.async_purge()
        (event,) = await rows(running, statement)
        (kept,) = await running.hass.async_add_executor_job(running.hub.vault.visits)
        assert json.loads(event[0])["visit_id"] == kept.visit_id
        running.hass.config_entries.async_update_entry(running.entry, options={"visit_days": 1})
        with later(minutes=24 * 60 + 1):
            await running.hub.purging.async_purge()
        assert await rows(running, statement) == []


def traced(folder: Path) -> str:
    """Return what is written of what automations did."""
    path = folder / ".storage" / "trace.saved_traces"
    return path.read_text() if path.exists() else ""


async def test_traces_of_whom_nothing_is_kept(
    lived: tuple[Path, Evidence],
    make_recorder: MakeRecorder,
) -> None:
    """A trigger tells an automation who came; that is not written down, also when Home Assistant stops at once."""
    folder, evidence = lived
    assert NAME in traced(folder)
    # As of an automation that waits for her to be present, which knows of no visit.
    without = traced(folder).replace('"visit_id"', '"without"')
    (folder / ".storage" / "trace.saved_traces").write_text(without)
    async with home(folder, make_recorder) as running:
        hass, hub = running.hass, running.hub
        await change_choices(hass, hub, evidence.person_id, keeping=Keeping.NOTHING, pictures=False)
        await hub.purging.async_purge()
        assert NAME not in traced(folder)
        with later(minutes=5):
            running.front_door.frames = visits(astronaut())
            await ring(hass, hub)
            await running.settle()
        assert hass.states.get("event.front_door_visitor").attributes["person_name"] == NAME
        await hass.async_stop()
    assert NAME not in traced(folder)
    assert evidence.person_id not in traced(folder)


async def test_traces_no_longer_than_visits(
    lived: tuple[Path, Evidence],
    make_recorder: MakeRecorder,
) -> None:
    """What automations did because of a visit is remembered no longer than the visit."""
    folder, _evidence = lived
    async with home(folder, make_recorder) as running:
        await running.hub.purging.async_purge()
        assert NAME in traced(folder)
        with later(minutes=91 * 24 * 60):
            await running.hub.purging.async_purge()
            assert NAME not in traced(folder)
