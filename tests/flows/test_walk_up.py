"""Walk-up enrolment: somebody stands before a camera and is told what to do until their faces are taken."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from homeassistant.components.camera.const import CameraEntityFeature
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.data_entry_flow import EVENT_DATA_ENTRY_FLOW_PROGRESSED, FlowResultType
from homeassistant.util import dt as dt_util
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import pytest_socket

from custom_components.familiar_faces.const import EVERYWHERE
from custom_components.familiar_faces.enrolment import walking_up
from custom_components.familiar_faces.enrolment.reference_photos import async_take_photo
from custom_components.familiar_faces.flows import walk_up
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.people.guidance import Guide, Hint
from custom_components.familiar_faces.vault.errors import VaultUnwritable

from ..common import films
from ..common.live_streams import live
from ..common.pictures import (
    astronaut,
    different_photos,
    enrolment_photos,
    frame,
    jpeg,
    photos_of,
    porch,
    stranger,
    turned,
)
from ..common.steps import (
    VISITOR,
    Result,
    add_photo,
    choose,
    configure,
    consent,
    enrol,
    ring,
    start_person,
    visits,
)
from ..conftest import FrontDoor

type Scene = Mapping[str, list[bytes]]

FRAMES = 8
"""How many different frames of a scene there are: more than it takes to be steady."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody have to read what is shown."""
    monkeypatch.setattr(walking_up, "FRAME_EVERY", 0.02)
    for name, seconds in (("READABLE", 0.05), ("HEARD", 0.01)):
        monkeypatch.setattr(walk_up, name, seconds)


def scene(*people: Image.Image, scale: float = 1.4) -> list[bytes]:
    """Return frames of people at the door who stay where they are."""
    return [frame(*people, seed=seed, scale=scale) for seed in range(FRAMES)]


def eileen(*beside: Image.Image) -> Scene:
    """Return what the camera shows when Eileen does what she is told, and others stand beside her."""
    return {
        Hint.LOOK_HERE: scene(astronaut(), *beside),
        Hint.TURN_LEFT: scene(turned(0.09), *beside),
        Hint.TURN_RIGHT: scene(turned(-0.09), *beside),
    }


class Walk:
    """A walk-up in the frontend: it asks again whenever it is told that there is something new."""

    def __init__(self, hass: HomeAssistant, door: FrontDoor, result: Result) -> None:
        """Begin where the camera was chosen."""
        self.hass = hass
        self.door = door
        self.result = result
        self.told: list[str] = []
        """What was shown, in order."""
        self.news = asyncio.Event()
        self.end = hass.bus.async_listen(EVENT_DATA_ENTRY_FLOW_PROGRESSED, self._changed)

    @callback
    def _changed(self, event: Event) -> None:
        if event.data["flow_id"] == self.result["flow_id"]:
            self.news.set()

    def show(self, frames: list[bytes]) -> None:
        """Have the camera show something else from now on."""
        self.door.frames = frames

    async def follow(self, scene: Scene, until: Callable[[], bool] | None = None) -> Result:
        """Do what is shown until it ends, or until something is so."""
        while self.result["type"] is FlowResultType.SHOW_PROGRESS:
            action = self.result["progress_action"]
            self.told.append(action)
            if action in scene:
                self.show(scene[action])
            if until is not None and until():
                break
            async with asyncio.timeout(30):
                await self.news.wait()
            self.news.clear()
            self.result = await self.hass.config_entries.subentries.async_configure(self.result["flow_id"])
        return self.result

    @property
    def verdict(self) -> str:
        """Return what the menu says in the end."""
        assert (self.result["type"], self.result["step_id"]) == (FlowResultType.MENU, "photos")
        said: str = self.result["description_placeholders"]["verdict"]
        return said


async def _menu(hass: HomeAssistant, entry: MockConfigEntry) -> Result:
    result = await configure(hass, await start_person(hass, entry), consent())
    assert (result["type"], result["menu_options"]) == (FlowResultType.MENU, ["photo", "walk_up"])
    return result


def _camera_id(entry: MockConfigEntry) -> str:
    (camera,) = entry.get_subentries_of_type("camera")
    return camera.subentry_id


async def _walk(
    hass: HomeAssistant, entry: MockConfigEntry, door: FrontDoor, result: Result, frames: list[bytes]
) -> Walk:
    """Choose the camera, which shows these frames."""
    result = await choose(hass, result, "walk_up")
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "walk_up")
    assert door.fetched == 0, "no frame is fetched before somebody asks for it"
    door.frames = frames
    result = await configure(hass, result, {"camera": _camera_id(entry)})
    assert (result["type"], result["step_id"]) == (FlowResultType.SHOW_PROGRESS, "look")
    return Walk(hass, door, result)


def _person_id(hass: HomeAssistant) -> str:
    (flow,) = hass.config_entries.subentries._progress.values()
    person_id: str = vars(flow)["_person_id"]
    return person_id


def _tasks() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks() if "walk-up" in task.get_name()]


async def test_enrolled_at_the_door(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor
) -> None:
    """Who does what is said is enrolled with three different faces, and recognised when they ring."""
    shares: list[float] = []
    hass.bus.async_listen(
        "data_entry_flow_progress_update", lambda event: shares.append(event.data["progress"])
    )
    walk = await _walk(
        hass, entry, front_door, await _menu(hass, entry), [jpeg(porch(n)) for n in range(FRAMES)]
    )
    # Nobody is there at first.
    steps = eileen()
    await walk.follow({}, until=lambda: True)
    assert walk.told == [Hint.COME]
    await asyncio.sleep(0.3)
    assert walk.news.is_set() is False
    walk.show(steps[Hint.LOOK_HERE])
    result = await walk.follow(steps)

    assert "from the camera: 3." in walk.verdict
    assert result["description_placeholders"]["count"] == "3"
    assert [each for each in walk.told if each.startswith("turn")] == [Hint.TURN_LEFT, Hint.TURN_RIGHT]
    assert max(shares) == 1.0
    result = await choose(hass, result, "finish")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    assert _tasks() == []
    fetched = front_door.fetched
    await asyncio.sleep(0.1)
    assert front_door.fetched == fetched, "the camera is left alone"

    (person,) = hub.people.values()
    assert len(person.templates) == 3
    # What is kept of the frames are the portraits of those taken.
    for template in person.templates:
        photo = await hass.async_add_executor_job(hub.vault.reference_photo, template.template_id)
        with Image.open(BytesIO(photo)) as portrait:
            assert portrait.width <= 320
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    visit = hass.states.get(VISITOR)
    assert (visit.attributes["event_type"], visit.attributes["person_name"]) == ("familiar", "Eileen")


async def test_a_camera_that_repeats_a_picture(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor
) -> None:
    """Nothing is taken of a picture that may be old: the person who stands there now may be somebody else."""
    front_door.stuck = True
    walk = await _walk(hass, entry, front_door, await _menu(hass, entry), scene(astronaut())[:1])
    await walk.follow({}, until=lambda: True)
    await asyncio.sleep(1.0)
    assert walk.told == [Hint.COME]
    assert front_door.fetched > 5
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.templates, stored.photos) == (0, 0)
    front_door.stuck = False
    steps = eileen()
    walk.show(steps[Hint.LOOK_HERE])
    await walk.follow(steps)
    assert "from the camera: 3." in walk.verdict


async def test_over_a_stream(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, socket_enabled: None
) -> None:
    """The frames of a stream are looked at as they come; its stills, the last key frame of before, are not."""
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
    poses = [scene(astronaut()), scene(turned(0.09)), scene(turned(-0.09))]

    @cache
    def shown(pose: int, number: int) -> Image.Image:
        with Image.open(BytesIO(poses[pose][number])) as picture:
            return picture.convert("RGB")

    # Two seconds each; she does what she is told sooner or later.
    film = films.film(lambda number: shown(number // 30 % 3, number % FRAMES), seconds=6, bit_rate=3_000_000)
    async with live(film.pieces, films.FPS) as server:
        front_door.address = server.address
        front_door._attr_supported_features = CameraEntityFeature.STREAM
        front_door.async_write_ha_state()
        walk = await _walk(hass, entry, front_door, await _menu(hass, entry), [jpeg(porch())])
        result = await walk.follow({})
        assert "from the camera: 3." in walk.verdict
        assert front_door.fetched == 0
        await choose(hass, result, "finish")
        await hass.async_block_till_done(wait_background_tasks=True)
        (person,) = hub.people.values()
        photos = [
            await hass.async_add_executor_job(hub.vault.reference_photo, each.template_id)
            for each in person.templates
        ]
        assert len({sha256(each).hexdigest() for each in photos}) == 3
        await hub.cameras.async_stop()


async def test_nothing_is_taken_of_a_stranger_who_stands_beside(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor
) -> None:
    """As long as two are in the picture nobody is taken; alone again, it goes on."""
    both, alone = eileen(stranger(0)), eileen()
    walk = await _walk(hass, entry, front_door, await _menu(hass, entry), both[Hint.LOOK_HERE])
    await walk.follow({}, until=lambda: walk.told[-1] == Hint.ONE_PERSON)
    await asyncio.sleep(0.3)
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.templates, stored.photos) == (0, 0)
    walk.show(alone[Hint.LOOK_HERE])
    # The stranger steps in again for each further face, and away when told so.
    await walk.follow({}, until=lambda: walk.told[-1] == Hint.TURN_LEFT)
    walk.show(both[Hint.TURN_LEFT])
    await walk.follow({}, until=lambda: walk.told[-1] == Hint.ONE_PERSON)
    # Then stands there alone.
    walk.show(scene(stranger(0)))
    await walk.follow({}, until=lambda: walk.told[-1] == Hint.SOMEBODY_ELSE)
    await asyncio.sleep(0.3)
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert stored.templates == 1
    walk.show(alone[Hint.TURN_LEFT])
    result = await walk.follow(alone)
    assert "from the camera: 3." in walk.verdict
    result = await choose(hass, result, "finish")
    await hass.async_block_till_done(wait_background_tasks=True)
    front_door.frames = visits(stranger(0))
    await ring(hass, hub)
    assert hass.states.get(VISITOR).attributes["event_type"] == "stranger"


@pytest.mark.parametrize(
    ("choices", "hint", "other"),
    [
        pytest.param(Choices(), Hint.KNOWN, "Judy", id="agreed to this camera"),
        pytest.param(Choices(cameras=frozenset()), Hint.SOMEBODY_ELSE, "", id="to none"),
        pytest.param(Choices(keeping=Keeping.SILENT), Hint.SOMEBODY_ELSE, "", id="stays silent"),
    ],
)
async def test_somebody_who_is_enrolled_already(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    choices: Choices,
    hint: Hint,
    other: str,
) -> None:
    """Who is here already is not taken for another; they are named, if they agreed to that."""
    judy = await enrol(hass, entry, photos_of(stranger(0)), name="Judy")
    agreed = hub.people[judy].consent
    assert agreed is not None
    renewed = replace(agreed, consent_id="renewed", choices=choices)
    await hass.async_add_executor_job(hub.vault.record_consent, judy, renewed)
    await hub.async_refresh_people()
    front_door.fetched = 0
    walk = await _walk(hass, entry, front_door, await _menu(hass, entry), scene(stranger(0)))
    result = await walk.follow({}, until=lambda: walk.told[-1] != Hint.COME)
    assert (result["progress_action"], result["description_placeholders"]["other"]) == (hint, other)
    await asyncio.sleep(0.3)
    person_id = _person_id(hass)
    assert (await hass.async_add_executor_job(hub.vault.person, person_id)).templates == ()
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_time_limit(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When nobody comes, or nobody turns, the camera is left alone; what was taken is there."""
    monkeypatch.setattr(walking_up, "WALK_UP_SECONDS", 2.5)
    walk = await _walk(hass, entry, front_door, await _menu(hass, entry), scene(astronaut()))
    began = hass.loop.time()
    result = await walk.follow({})
    assert 2.4 < hass.loop.time() - began < 6
    assert walk.verdict.startswith("Time is up after 1 of 3")
    assert result["menu_options"] == ["photo", "walk_up", "finish"]
    fetched = front_door.fetched
    await asyncio.sleep(0.2)
    assert (front_door.fetched, _tasks()) == (fetched, [])
    result = await choose(hass, result, "finish")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_camera_that_never_answers_ends_with_the_time(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The time limit does not wait for the camera."""
    monkeypatch.setattr(walking_up, "WALK_UP_SECONDS", 0.5)
    front_door.before = lambda: asyncio.sleep(60)
    walk = await _walk(hass, entry, front_door, await _menu(hass, entry), scene(astronaut()))
    await walk.follow({})
    assert walk.verdict.startswith("Time is up after 0 of 3")


@pytest.mark.parametrize(
    "frames", [[], [b"no picture"] * 3 + [b"nor this", b"or this"] * 3], ids=["none", "rubbish"]
)
async def test_camera_fails(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    monkeypatch: pytest.MonkeyPatch,
    frames: list[bytes],
) -> None:
    """A camera without a picture is named as the trouble, and may be tried again or done without."""
    monkeypatch.setattr(walking_up, "PATIENCE", 0.2)
    if frames:
        frames = [b"%d" % number for number in range(1000)]
    walk = await _walk(hass, entry, front_door, await _menu(hass, entry), frames)
    result = await walk.follow({})
    assert walk.verdict.startswith("The camera gave no picture after")
    front_door.fetched = 0
    walk = await _walk(hass, entry, front_door, result, scene(astronaut()))
    await walk.follow({}, until=lambda: walk.told[-1] == Hint.TURN_LEFT)
    front_door.frames = []
    result = await walk.follow({})
    assert "1 of 3" in walk.verdict
    result = await add_photo(hass, result, different_photos()[1])
    assert result["description_placeholders"]["count"] == "2"


async def test_camera_that_fails_now_and_then(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor
) -> None:
    """One frame that does not come is no reason to stop."""
    asked = 0

    async def every_other_time() -> None:
        nonlocal asked
        asked += 1
        if asked % 2:
            raise OSError("the stream has died")

    front_door.before = every_other_time
    steps = eileen()
    walk = await _walk(hass, entry, front_door, await _menu(hass, entry), steps[Hint.LOOK_HERE])
    await walk.follow(steps)
    assert "from the camera: 3." in walk.verdict


async def test_engine_is_away(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without an engine nothing can be seen, and that is said; once it is back, it goes on."""
    monkeypatch.setattr(walking_up, "ENGINE_PATIENCE", 0.1)
    result = await _menu(hass, entry)
    await hub.engine.stop()
    walk = await _walk(hass, entry, front_door, result, scene(astronaut()))
    result = await walk.follow({})
    assert walk.verdict.startswith("The engine was not ready after")
    await hub.engine.start()
    assert await hub.engine.wait_ready(30)
    front_door.fetched = 0
    walk = await _walk(hass, entry, front_door, result, scene(astronaut()))
    await walk.follow({}, until=lambda: walk.told[-1] == Hint.TURN_LEFT)
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)


@pytest.mark.parametrize("taken", [False, True], ids=["nothing taken", "one taken"])
async def test_dialog_is_closed(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, taken: bool
) -> None:
    """Closing the dialog leaves the camera alone, no task, and nobody half enrolled: what was good is saved."""
    walk = await _walk(hass, entry, front_door, await _menu(hass, entry), scene(astronaut()))
    if taken:
        await walk.follow({}, until=lambda: walk.told[-1] == Hint.TURN_LEFT)
    hass.config_entries.subentries.async_abort(walk.result["flow_id"])
    await hass.async_block_till_done()
    fetched = front_door.fetched
    await asyncio.sleep(0.2)
    assert (front_door.fetched, _tasks()) == (fetched, [])
    await hass.async_block_till_done(wait_background_tasks=True)
    stored = await hass.async_add_executor_job(hub.vault.stored)
    kept = (stored.people, stored.templates, stored.photos, stored.consents)
    assert kept == ((1, 1, 1, 1) if taken else (0, 0, 0, 0))
    assert hub.turns._served == {}


async def test_dialog_is_closed_while_the_camera_takes_its_time(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor
) -> None:
    """A fetch that is under way does not keep the walk-up alive."""
    await enrol(hass, entry, enrolment_photos()[:1])
    (subentry,) = entry.get_subentries_of_type("person")
    changing = await entry.start_subentry_reconfigure_flow(hass, subentry.subentry_id)
    fetching = asyncio.Event()

    async def slow() -> None:
        fetching.set()
        await asyncio.sleep(60)

    front_door.before = slow
    walk = await _walk(hass, entry, front_door, changing, scene(astronaut()))
    await asyncio.wait_for(fetching.wait(), 30)
    fetching.clear()
    hass.config_entries.subentries.async_abort(walk.result["flow_id"])
    await asyncio.sleep(0.2)
    assert (_tasks(), fetching.is_set(), front_door.fetched) == ([], False, 0)


async def test_dialog_is_closed_while_a_photo_is_saved(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever happens first, nothing is left of somebody who was given up."""
    saving, closed = asyncio.Event(), asyncio.Event()
    take = async_take_photo

    async def slowly(*args: Any, **kwargs: Any) -> object:
        saving.set()
        await closed.wait()
        return await take(*args, **kwargs)

    monkeypatch.setattr(walking_up, "async_take_photo", slowly)
    walk = await _walk(hass, entry, front_door, await _menu(hass, entry), scene(astronaut()))
    await asyncio.wait_for(saving.wait(), 30)
    person_id = _person_id(hass)
    hass.config_entries.subentries.async_abort(walk.result["flow_id"])
    for _ in range(50):
        if await hass.async_add_executor_job(hub.vault.was_forgotten, person_id):
            break
        await asyncio.sleep(0.02)
    closed.set()
    await hass.async_block_till_done(wait_background_tasks=True)
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.people, stored.templates, stored.photos) == (0, 0, 0)
    assert _tasks() == []
    assert "ERROR" not in caplog.text


@pytest.mark.parametrize("how", ["withdrawn", "forgotten", "another camera"])
async def test_consent_is_lost_in_the_middle(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    """A person who says no is no longer checked, also while the camera is still being fetched."""
    walk = await _walk(hass, entry, front_door, await _menu(hass, entry), scene(astronaut()))
    await walk.follow({}, until=lambda: walk.told[-1] == Hint.TURN_LEFT)
    person_id = _person_id(hass)
    asked = 0
    ask = hub.client.faces

    async def count(*args: Any, **kwargs: Any) -> object:
        nonlocal asked
        asked += 1
        return await ask(*args, **kwargs)

    monkeypatch.setattr(hub.client, "faces", count)
    fetching, go_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        fetching.set()
        await go_on.wait()

    front_door.before = hold
    await asyncio.wait_for(fetching.wait(), 30)
    asked = 0
    now = dt_util.utcnow()
    match how:
        case "withdrawn":
            await hass.async_add_executor_job(hub.vault.withdraw_consent, person_id, now)
        case "forgotten":
            await hass.async_add_executor_job(hub.vault.forget, person_id, now)
        case "another camera":
            agreed = (await hass.async_add_executor_job(hub.vault.person, person_id)).consent
            assert agreed is not None
            other = replace(agreed, consent_id="other", choices=Choices(cameras=frozenset({"garden"})))
            await hass.async_add_executor_job(hub.vault.record_consent, person_id, other)
    go_on.set()
    fetched = front_door.fetched
    result = await walk.follow({})
    assert (asked, front_door.fetched) == (0, fetched + 1)
    if how == "forgotten":
        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "nothing_stored")
    else:
        assert "recorded consent no longer allows" in walk.verdict
        assert result["menu_options"] == ["photo", "finish"]
        hass.config_entries.subentries.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert _tasks() == []


async def test_only_cameras_that_were_agreed_to(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor
) -> None:
    """A camera that the consent leaves out, or that is switched off, is not offered; nor taken by its id."""
    result = await _menu(hass, entry)
    form = await choose(hass, result, "walk_up")
    await hub.settings.async_switch_recognition(False, EVERYWHERE)
    result = await configure(hass, form, {"camera": _camera_id(entry)})
    assert "No camera is available" in result["description_placeholders"]["verdict"]
    assert result["menu_options"] == ["photo"]
    await hub.settings.async_switch_recognition(True, EVERYWHERE)
    person_id = _person_id(hass)
    agreed = (await hass.async_add_executor_job(hub.vault.person, person_id)).consent
    assert agreed is not None
    none = replace(agreed, consent_id="none", choices=Choices(cameras=frozenset()))
    await hass.async_add_executor_job(hub.vault.record_consent, person_id, none)
    result = await hass.config_entries.subentries.async_configure(result["flow_id"])
    assert result["menu_options"] == ["photo"]
    assert front_door.fetched == 0
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_switched_off_in_the_middle(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor
) -> None:
    """A camera at which recognition is switched off is not looked at."""
    walk = await _walk(hass, entry, front_door, await _menu(hass, entry), scene(astronaut()))
    await hub.settings.async_switch_recognition(False, _camera_id(entry))
    result = await walk.follow({})
    assert "recognition was switched off" in walk.verdict
    assert result["menu_options"][0:1] == ["photo"]
    assert "walk_up" not in result["menu_options"]


async def test_home_without_a_camera(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor
) -> None:
    """Where there is no camera a photo is asked for at once."""
    hass.config_entries.async_remove_subentry(entry, _camera_id(entry))
    await hass.async_block_till_done()
    result = await configure(hass, await start_person(hass, entry), consent())
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "photo")
    result = await add_photo(hass, result, enrolment_photos()[0])
    assert result["menu_options"] == ["photo", "finish"]


async def test_full_disk(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A photo that cannot be saved ends it with the reason."""

    def full(*args: object, **kwargs: object) -> None:
        raise VaultUnwritable("database or disk is full")

    monkeypatch.setattr(hub.vault, "add_reference", full)
    walk = await _walk(hass, entry, front_door, await _menu(hass, entry), scene(astronaut()))
    result = await walk.follow({})
    assert walk.verdict.startswith("This could not be saved")
    assert result["description_placeholders"]["count"] == "0"


async def test_anything_else_that_goes_wrong(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever it is, the dialog does not stand still."""

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(Guide, "see", broken)
    walk = await _walk(hass, entry, front_door, await _menu(hass, entry), scene(astronaut()))
    await walk.follow({})
    assert walk.verdict.startswith("Stopped after ")


async def test_later_at_the_door(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor
) -> None:
    """Somebody who is here gets more faces from the camera, which count although the dialog is closed."""
    person_id = await enrol(hass, entry, enrolment_photos()[:1])
    (subentry,) = entry.get_subentries_of_type("person")
    result = await entry.start_subentry_reconfigure_flow(hass, subentry.subentry_id)
    steps = eileen()
    walk = await _walk(hass, entry, front_door, result, steps[Hint.LOOK_HERE])
    await walk.follow(steps, until=lambda: walk.told[-1] == Hint.TURN_RIGHT)
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    # The front was in her photo already, nearly the same.
    assert len(hub.people[person_id].templates) == 2
    assert _tasks() == []

    front_door.fetched = 0
    result = await entry.start_subentry_reconfigure_flow(hass, subentry.subentry_id)
    walk = await _walk(hass, entry, front_door, result, steps[Hint.LOOK_HERE])
    await walk.follow(steps)
    assert "from the camera: 1." in walk.verdict
    result = await choose(hass, walk.result, "finish")
    assert result["reason"] == "reconfigure_successful"
    assert len(hub.people[person_id].templates) == 3

    front_door.fetched = 0
    result = await entry.start_subentry_reconfigure_flow(hass, subentry.subentry_id)
    walk = await _walk(hass, entry, front_door, result, steps[Hint.LOOK_HERE])
    await walk.follow(steps)
    assert walk.verdict.startswith("No photo was added")
    assert len(hub.people[person_id].templates) == 3


async def test_unloaded_in_the_middle(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor
) -> None:
    """An integration that is stopped stops looking, and the dialog says so."""
    walk = await _walk(hass, entry, front_door, await _menu(hass, entry), scene(astronaut()))
    await walk.follow({}, until=lambda: walk.told[-1] == Hint.TURN_LEFT)
    assert await hass.config_entries.async_unload(entry.entry_id)
    result = await walk.follow({})
    assert result["type"] is FlowResultType.MENU
    assert "could not be saved" in walk.verdict
    fetched = front_door.fetched
    await asyncio.sleep(0.2)
    assert (front_door.fetched, _tasks()) == (fetched, [])


async def test_real_people(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, labelled: Path
) -> None:
    """Real photos of one person from three sides are taken, another person's are not."""

    def photo(name: str, number: int) -> Image.Image:
        (path,) = (labelled / "identify").glob(f"*/{name}/*{number:04}.jpg")
        with Image.open(path) as image:
            return image.convert("RGB")

    name = "Pierce_Brosnan"
    steps: dict[str, list[bytes]] = {
        Hint.LOOK_HERE: scene(photo(name, 5)),
        Hint.TURN_LEFT: scene(photo("Albert_Costa", 4)),
        Hint.SOMEBODY_ELSE: scene(photo(name, 10)),
        Hint.TURN_RIGHT: scene(photo(name, 13)),
    }
    walk = await _walk(hass, entry, front_door, await _menu(hass, entry), steps[Hint.LOOK_HERE])
    result = await walk.follow(steps)
    assert Hint.SOMEBODY_ELSE in walk.told
    assert "from the camera: 3." in walk.verdict
    await choose(hass, result, "finish")
    await hass.async_block_till_done(wait_background_tasks=True)
    front_door.frames = visits(photo(name, 7))
    await ring(hass, hub)
    assert hass.states.get(VISITOR).attributes["event_type"] == "familiar"
    front_door.frames = visits(photo("Albert_Costa", 1))
    await ring(hass, hub)
    assert hass.states.get(VISITOR).attributes["event_type"] == "stranger"
