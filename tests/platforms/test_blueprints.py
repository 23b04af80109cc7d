"""Blueprints: each loads and runs in the real automation component, filled in as its form does."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
import re
import shutil
import time
from typing import Any
from unittest.mock import patch

from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.components.light import LightEntity
from homeassistant.components.light.const import ColorMode
from homeassistant.components.mobile_app.const import DOMAIN as MOBILE_APP
from homeassistant.components.notify import NotifyEntity
from homeassistant.components.notify.const import DATA_COMPONENT as NOTIFY
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.selector import validate_selector
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockUser,
    async_fire_time_changed,
    setup_test_component_platform,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import yaml

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.visits.open_visits import Change, Outcome
from custom_components.familiar_faces.visits.visit import Decision, UnclearReason, Visit

from ..common.made_up_visits import TIMING, a_visit
from ..common.notified import notified
from ..common.people_on_record import DAY, SECOND, a_consent, at, put_on_record
from ..common.phone import Phone, PushServer, register
from ..common.pictures import astronaut, enrolment_photos, stranger
from ..common.steps import enrol, ring, visits
from ..conftest import FrontDoor, a_door, an_entry, put_up, set_up

FOLDER = Path(__file__).parents[2] / "blueprints" / "automation" / DOMAIN
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
REPOSITORY = "https://github.com/familiar-faces/familiar-faces"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
UNLOCKS = re.compile(r"\b(unlock|lock\.|cover\.open|alarm_control_panel\.|garage)")


class Lamp(LightEntity):
    """A lamp."""

    _attr_name = "Porch"
    _attr_should_poll = False
    _attr_supported_color_modes = {ColorMode.ONOFF}
    _attr_color_mode = ColorMode.ONOFF
    _attr_is_on = False

    async def async_turn_on(self, **_kwargs: Any) -> None:
        """Switch on."""
        self._attr_is_on = True
        self.async_write_ha_state()

    async def async_turn_off(self, **_kwargs: Any) -> None:
        """Switch off."""
        self._attr_is_on = False
        self.async_write_ha_state()


class Board(NotifyEntity):
    """Something that shows messages."""

    _attr_name = "Board"
    _attr_should_poll = False

    def __init__(self) -> None:
        """Show nothing yet."""
        self.messages: list[str] = []

    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Show a message."""
        self.messages.append(message)


@dataclass
class House:
    """A home with two doors, people, a lamp, something that shows messages, and automations."""

    hass: HomeAssistant
    hub: Hub
    lamp: Lamp
    board: Board
    front: str
    """Id of the front door's camera, as below."""
    back: str
    clock: datetime
    came: int = 0

    def device(self, identifier: str) -> str:
        """Return the id of the device of a person or a camera, as a form writes it."""
        registry = dr.async_get(self.hass)
        device = registry.async_get_device_by_identifier((DOMAIN, identifier), self.hub.entry.entry_id)
        assert device is not None
        return device.id

    async def automate(self, blueprint: str, **inputs: Any) -> None:
        """Make an automation of a blueprint."""
        use = {"path": f"{DOMAIN}/{blueprint}.yaml", "input": inputs}
        config = {"id": blueprint, "alias": "Under test", "use_blueprint": use}
        assert await async_setup_component(self.hass, "automation", {"automation": [config]})
        await self.hass.async_block_till_done()
        (automation,) = self.hass.data["automation"].entities
        assert automation.available, "the automation is not valid"
        assert automation.is_on

    def visit(self, person_id: str | None = None, camera_id: str | None = None) -> Visit:
        """Return a visit of somebody, or of a stranger."""
        self.came += 1
        return a_visit(
            self.hub,
            person_id,
            Decision.STRANGER if person_id is None else Decision.FAMILIAR,
            visit_id=f"visit-{self.came}",
            camera_id=camera_id or self.front,
            began=self.clock,
        )

    async def come(self, person_id: str | None = None, camera_id: str | None = None) -> Visit:
        """Have somebody come, or a stranger."""
        visit = self.visit(person_id, camera_id)
        await self.settle(visit, Change.OPENED)
        return visit

    async def come_unclear(self) -> None:
        """Have somebody come who cannot be made out."""
        visit = replace(self.visit(), decision=Decision.UNCLEAR, reason=UnclearReason.NOT_SURE)
        await self.settle(visit, Change.OPENED)

    async def settle(self, visit: Visit, change: Change) -> None:
        """Have a visit be announced, and all that follows at this moment be done."""
        with at(self.clock):
            await self.hub.announcer.async_settle(Outcome(visit, change), TIMING, None)
            await self.breathe()

    async def wait(self, length: timedelta, due: timedelta | None = None) -> None:
        """Have time pass, and all timers end that had been set for less than it, or than `due`."""
        with at(self.clock):
            async_fire_time_changed(self.hass, self.clock + (due or length))
        self.clock += length
        with at(self.clock):
            await self.breathe()

    async def breathe(self) -> None:
        """Have everything be done but what waits for time to pass: automations that do are never done."""
        for _ in range(20):
            # Not `asyncio.sleep`: the clock stands still.
            await self.hass.async_add_executor_job(time.sleep, 0.005)

    @property
    def notes(self) -> list[str]:
        """Return the notifications in Home Assistant's own list."""
        shown = notified(self.hass)
        return [each["message"] for each in shown.values()]


@pytest.fixture
def noon() -> datetime:
    """Return a noon on a Monday soon, at home."""
    today = dt_util.now().replace(hour=12, minute=0, second=0, microsecond=0)
    return dt_util.as_utc(today + (7 - today.weekday()) * DAY)


@pytest.fixture
async def house(hass: HomeAssistant, config_folder: Path, sockets: None, noon: datetime) -> House:
    """Return the home, at noon."""
    folder = config_folder / "blueprints" / "automation"
    folder.mkdir(parents=True)
    shutil.copytree(FOLDER, folder / DOMAIN)
    entry = an_entry(a_door(), a_door("camera.back_door", "Back door", "input_button.back"))
    entry.add_to_hass(hass)
    front, back, lamp, board = FrontDoor(), FrontDoor("Back door"), Lamp(), Board()
    setup_test_component_platform(hass, "light", [lamp])
    await put_up(hass, [front, back], ["doorbell", "back"])
    config: dict[str, Any] = {
        "light": {"platform": "test"},
        "notify": {},
        "input_boolean": {"music": {}, "motion": {}},
        "scene": [{"name": "Welcome", "entities": {"input_boolean.music": "on"}}],
        "persistent_notification": {},
        "websocket_api": {},
    }
    for component in config:
        assert await async_setup_component(hass, component, config)
    await hass.data[NOTIFY].async_add_entities([board])
    hub = await set_up(hass, entry)
    now = dt_util.utcnow()
    for person_id, name in (("nadie", "Nadie"), ("otto", "Otto")):
        await put_on_record(hass, hub, a_consent(now - DAY, now + 300 * DAY), person_id, name)
    cameras = {each.title: each.subentry_id for each in entry.subentries.values()}
    return House(hass, hub, lamp, board, cameras["Front door"], cameras["Back door"], noon)


def is_on(house: House, entity_id: str) -> bool:
    """Return whether something is switched on."""
    state = house.hass.states.get(entity_id)
    assert state is not None
    return state.state == "on"


# What they say


@pytest.mark.parametrize("name", NAMES)
async def test_form(house: House, name: str) -> None:
    """Its form has words for every field, offers only what fits, and needs no code."""
    blueprints = await async_get_blueprints(house.hass).async_get_blueprints()
    blueprint = blueprints[f"{DOMAIN}/{name}.yaml"]
    assert not isinstance(blueprint, Exception)
    assert blueprint.validate() is None
    about = blueprint.metadata
    assert about["name"].startswith("Familiar Faces: ")
    assert about["source_url"] == f"{REPOSITORY}/blob/main/blueprints/automation/{DOMAIN}/{name}.yaml"
    assert about["homeassistant"] == {"min_version": "2026.10.0"}
    assert about["author"] == "Familiar Faces"
    for field in blueprint.inputs.values():
        assert field["name"]
        assert field["description"]
        validate_selector(field["selector"])
        assert "object" not in field["selector"]
        assert "template" not in field["selector"]
        if "device" in (selector := field["selector"]):
            (chosen,) = selector["device"]["filter"]
            assert chosen.get("model_id") in ("person", "camera") or chosen["integration"] == MOBILE_APP
    assert blueprint.data["mode"] in ("single", "queued")


@pytest.mark.parametrize("name", NAMES)
def test_no_lock(name: str) -> None:
    """None of them opens anything, and those that might be taken for it say what a face is not."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    whole = yaml.load(text, _Loader)
    assert not UNLOCKS.search(str({key: value for key, value in whole.items() if key != "blueprint"}))
    if any("familiar_person_seen" in str(whole[key]) or "familiar" in str(whole[key]) for key in whole):
        said = whole["blueprint"]["description"]
        assert "does not prove who somebody is" in said or name in (
            "light_for_a_familiar_face",
            "package_courier",
            "stranger_at_night",
        )


class _Loader(yaml.SafeLoader):
    """Reads blueprints."""


_Loader.add_constructor("!input", lambda loader, node: f"input {node.value}")


def test_all() -> None:
    """These are the blueprints."""
    assert NAMES == [
        "child_came_home",
        "do_not_disturb",
        "light_for_a_familiar_face",
        "package_courier",
        "stranger_at_night",
        "welcome_home_scene",
    ]


# Welcome home


async def test_welcome_home(house: House) -> None:
    """The scene is for this person, at this camera, and not again while they are about."""
    await house.automate(
        "welcome_home_scene",
        person=house.device("nadie"),
        cameras=[house.device(house.front)],
        welcome="scene.welcome",
        away={"hours": 0, "minutes": 30, "seconds": 0},
        actions=[{"action": "light.turn_on", "target": {"entity_id": "light.porch"}}],
    )
    await house.come("otto")
    await house.come("nadie", house.back)
    await house.come()
    await house.come_unclear()
    assert not is_on(house, "input_boolean.music")

    await house.come("nadie")
    assert is_on(house, "input_boolean.music")
    assert house.lamp.is_on

    await house.hass.services.async_call(
        "input_boolean", "turn_off", {"entity_id": "input_boolean.music"}, blocking=True
    )
    await house.wait(20 * MINUTE)
    await house.come("nadie")
    assert not is_on(house, "input_boolean.music")
    await house.wait(31 * MINUTE)
    await house.come("nadie")
    assert is_on(house, "input_boolean.music")


async def test_with_the_real_engine(house: House, front_door_of_house: FrontDoor) -> None:
    """Somebody who rings is welcomed, a stranger is not."""
    hass = house.hass
    eileen = await enrol(hass, house.hub.entry, enrolment_photos())
    await house.automate("welcome_home_scene", person=house.device(eileen), welcome="scene.welcome")
    front_door_of_house.frames = visits(stranger(0))
    await ring_at_front(house)
    assert not is_on(house, "input_boolean.music")
    front_door_of_house.frames = visits(astronaut())
    await ring_at_front(house)
    assert is_on(house, "input_boolean.music")


@pytest.fixture
def front_door_of_house(house: House) -> FrontDoor:
    """Return the camera of the front door."""
    entity = house.hass.data["camera"].get_entity("camera.front_door")
    assert isinstance(entity, FrontDoor)
    return entity


async def ring_at_front(house: House) -> None:
    """Ring at the front door, and wait until the look is over."""
    with patch.dict(house.hub.watchers, {}, clear=False):
        house.hub.watchers.pop(house.back, None)
        await ring(house.hass, house.hub)


# Stranger at night


async def test_stranger_at_night(house: House) -> None:
    """By night, strangers are told of, and nobody else is; by day, nobody."""
    await house.automate(
        "stranger_at_night",
        cameras=[house.device(house.front)],
        lights=["light.porch"],
        recipients=["notify.board"],
        message="Somebody strange at {camera}!",
    )
    await house.come()
    await house.wait(11 * HOUR)
    await house.come("nadie")
    await house.come_unclear()
    await house.come(camera_id=house.back)
    assert (house.board.messages, house.lamp.is_on) == ([], False)
    await house.come()
    assert (house.board.messages, house.lamp.is_on) == (["Somebody strange at Front door!"], True)
    assert house.notes == []
    await house.wait(8 * HOUR)
    await house.come()
    assert len(house.board.messages) == 1


async def test_stranger_at_night_as_it_is(house: House) -> None:
    """With nothing chosen it is every camera, and Home Assistant's own list."""
    await house.automate("stranger_at_night")
    await house.wait(11 * HOUR)
    await house.come(camera_id=house.back)
    assert house.notes == ["A stranger is at the camera Back door."]
    assert not house.lamp.is_on


# Child came home


async def test_child_came_home(house: House) -> None:
    """It is told once a day, on school days, after school, of this child."""
    await house.automate(
        "child_came_home",
        person=house.device("nadie"),
        cameras=[house.device(house.front)],
        recipients=["notify.board"],
    )
    await house.come("nadie")
    assert house.board.messages == []
    await house.wait(2 * HOUR)
    await house.come("otto")
    await house.come()
    assert house.board.messages == []
    await house.come("nadie")
    await house.wait(HOUR)
    await house.come("nadie")
    assert house.board.messages == ["Nadie came home at 14:00."]
    # Tuesday to Friday, and no more at the weekend.
    for _ in range(6):
        await house.wait(23 * HOUR)
        await house.wait(HOUR)
        await house.come("nadie")
    assert len(house.board.messages) == 5


async def test_child_came_home_in_the_list(house: House) -> None:
    """Without anybody to tell it stands in Home Assistant's own list; not in the evening."""
    await house.automate("child_came_home", person=house.device("nadie"), message="{person}: {camera}")
    await house.wait(7 * HOUR)
    await house.come("nadie")
    assert house.notes == []
    await house.wait(19 * HOUR)
    await house.come("nadie", house.back)
    assert house.notes == ["Nadie: Back door"]


# Courier


@pytest.fixture
async def push_server() -> AsyncGenerator[PushServer]:
    """Run a push server."""
    server = PushServer()
    yield server
    await server.stop()


@pytest.fixture
def new_phone(
    house: House, hass_client: ClientSessionGenerator, push_server: PushServer, hass_admin_user: MockUser
) -> Callable[[], Awaitable[tuple[Phone, str]]]:
    """Return how to register a phone and get its device."""

    async def new() -> tuple[Phone, str]:
        url = await push_server.start()
        phone = await register(house.hass, hass_client, push_server, url, "Pixel", hass_admin_user)
        (entry,) = house.hass.config_entries.async_entries(MOBILE_APP)
        (device,) = dr.async_entries_for_config_entry(dr.async_get(house.hass), entry.entry_id)
        return phone, device.id

    return new


async def test_courier(house: House, new_phone: Callable[[], Awaitable[tuple[Phone, str]]]) -> None:
    """By day a stranger is a quiet note; the family is none, and neither is somebody by night."""
    phone, device_id = await new_phone()
    await house.automate("package_courier", cameras=[house.device(house.front)], phone=device_id)
    await house.come("nadie")
    await house.come(camera_id=house.back)
    assert phone.messages == []
    await house.wait(SECOND)
    await house.come()
    assert phone.messages == ["Somebody was at the camera Front door at 12:00, perhaps with a package."]
    data = phone.pushed[0]["data"]
    assert (data["importance"], data["push"]["interruption-level"]) == ("low", "passive")
    assert "image" not in data
    # Not twice in a row, and not by night.
    await house.wait(2 * MINUTE)
    await house.come()
    await house.wait(10 * HOUR)
    await house.come()
    assert len(phone.messages) == 1


# Do not disturb


@pytest.fixture
async def quiet(house: House) -> House:
    """Have the automation run, with a sensor that notices motion."""
    house.hass.states.async_set("binary_sensor.motion", "off", {"friendly_name": "Porch"})
    await house.automate(
        "do_not_disturb",
        motion=["binary_sensor.motion"],
        people=[house.device("nadie")],
        cameras=[house.device(house.front)],
        recipients=["notify.board"],
    )
    return house


async def move(house: House) -> None:
    """Have something move."""
    with at(house.clock):
        for state in ("off", "on"):
            house.hass.states.async_set("binary_sensor.motion", state, {"friendly_name": "Porch"})
            await house.breathe()


async def test_quiet_for_whoever_is_familiar(quiet: House) -> None:
    """Motion is not told of when they are seen within a moment, or were a moment ago."""
    await move(quiet)
    await quiet.wait(3 * SECOND)
    await quiet.come("nadie")
    await quiet.wait(8 * SECOND, due=10 * SECOND)
    await quiet.wait(2 * MINUTE)
    await move(quiet)
    await quiet.wait(11 * SECOND)
    assert quiet.board.messages == []
    await quiet.wait(10 * MINUTE)
    await move(quiet)
    await quiet.wait(11 * SECOND)
    assert quiet.board.messages == ["Porch: motion, and nobody familiar was seen."]


async def test_not_quiet_for_others(quiet: House) -> None:
    """Somebody else, a stranger, and them at another door, silence nothing."""
    for number, (person_id, camera) in enumerate(
        (("otto", quiet.front), (None, quiet.front), ("nadie", quiet.back)), start=1
    ):
        await move(quiet)
        await quiet.wait(3 * SECOND)
        await quiet.come(person_id, camera)
        await quiet.wait(8 * SECOND, due=10 * SECOND)
        assert len(quiet.board.messages) == number


# Light


async def test_light_in_the_dark(house: House) -> None:
    """It is on while they are here, and off afterwards."""
    house.hass.states.async_set("sun.sun", "below_horizon")
    await house.automate("light_for_a_familiar_face", people=[house.device("nadie")], lights=["light.porch"])
    await house.come("otto")
    await house.come()
    assert not house.lamp.is_on
    visit = await house.come("nadie")
    assert house.lamp.is_on
    # They stay, and the light with them.
    await house.wait(2 * MINUTE)
    await house.settle(replace(visit, last_seen_at=house.clock), Change.CONTINUED)
    await house.wait(MINUTE, due=3 * MINUTE)
    assert house.lamp.is_on
    await house.wait(3 * MINUTE)
    assert not house.lamp.is_on


async def test_light_by_day(house: House) -> None:
    """By day there is none, unless it was chosen; a light that is on is left alone."""
    house.hass.states.async_set("sun.sun", "above_horizon")
    await house.automate("light_for_a_familiar_face", lights=["light.porch"])
    await house.come("nadie")
    assert not house.lamp.is_on
    house.hass.states.async_set("sun.sun", "below_horizon")
    await house.lamp.async_turn_on()
    await house.wait(MINUTE)
    await house.come("nadie")
    await house.wait(10 * MINUTE)
    assert house.lamp.is_on


async def test_light_at_any_time(house: House) -> None:
    """It can be by day as well."""
    house.hass.states.async_set("sun.sun", "above_horizon")
    await house.automate("light_for_a_familiar_face", lights=["light.porch"], dark=False)
    await house.come("otto", house.back)
    assert house.lamp.is_on
