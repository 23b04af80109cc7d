"""The commands of the tab Cameras: how a camera does, what it shows now, and what can be changed there."""

import base64
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.capture.camera_settings import camera_settings
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.recognising import look_now
from custom_components.familiar_faces.vault.counts import Counts
from custom_components.familiar_faces.vault.errors import VaultDamaged
from custom_components.familiar_faces.vault.times import week_of
from custom_components.familiar_faces.visits.posters import LOOKS, Poster
from custom_components.familiar_faces.visits.visit import Decision, UnclearReason

from ..common.made_up_visits import a_visit, come
from ..common.people_on_record import change_choices
from ..common.pictures import astronaut, frame
from ..common.steps import ring, visits
from ..conftest import CAMERA, DOORBELL, FrontDoor
from .conftest import Browser, OpenBrowser

LIST = "familiar_faces/cameras/list"
LOOK = "familiar_faces/cameras/look"
CHANGE = "familiar_faces/cameras/change"
WEEKS = "familiar_faces/cameras/weeks"
MOTION = "binary_sensor.porch_motion"
BUTTON = "event.porch_button"


async def the_camera(asking: Browser) -> dict[str, Any]:
    """Return the one camera there is."""
    (camera,) = (await asking.said(LIST))["cameras"]
    found: dict[str, Any] = camera
    return found


async def a_porch(hass: HomeAssistant, hub: Hub, *triggers: str) -> str:
    """Add a camera that looks on motion, and return its id."""
    subentry = ConfigSubentry(
        data=MappingProxyType(
            {"camera": CAMERA, "mode": "on_motion", "public_space": False, "triggers": list(triggers)}
        ),
        subentry_type="camera",
        title="Porch",
        unique_id="porch",
    )
    hass.config_entries.async_add_subentry(hub.entry, subentry)
    await hass.async_block_till_done()
    return subentry.subentry_id


@pytest.mark.parametrize("who", ["user", "read-only", "linked"])
async def test_for_administrators_alone(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str, who: str
) -> None:
    """Others are told nothing, see nothing and change nothing."""
    asking = await browser("user", own=nadie) if who == "linked" else await browser(who)
    (camera_id,) = hub.watchers
    before = dict(hub.entry.subentries[camera_id].data)
    assert await asking.refused(LIST) == "unauthorized"
    assert await asking.refused(LOOK, camera_id=camera_id) == "unauthorized"
    assert await asking.refused(CHANGE, camera_id=camera_id, turn=90) == "unauthorized"
    assert await asking.refused(WEEKS) == "unauthorized"
    assert hub.entry.subentries[camera_id].data == before


async def test_how_a_camera_does(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, front_door: FrontDoor, eileen: str
) -> None:
    """Its figures are those of the last looks, and who agreed is counted."""
    asking = await browser()
    camera = await the_camera(asking)
    assert (camera["name"], camera["entity_id"], camera["mode"]) == ("Front door", CAMERA, "on_ring")
    assert (camera["fitness"], camera["faces"], camera["time_to_name_ms"]) == (None, 0, None)
    assert (camera["agreed"], camera["people"], camera["there"], camera["on"]) == (1, 1, True, True)
    # This camera has none.
    assert (camera["stream"], camera["stream_open"]) == (None, False)
    assert camera["triggers"] == [{"entity_id": DOORBELL, "name": "doorbell", "there": True, "role": "bell"}]
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    camera = await the_camera(asking)
    (watcher,) = hub.watchers.values()
    assert (camera["fitness"], camera["face_width"]) == ("good", watcher.fitness.face_width)
    assert camera["time_to_name_ms"] > 0
    assert camera["photos_of"] == [{"person_id": eileen, "name": "Eileen"}]
    await change_choices(hass, hub, eileen, cameras=frozenset())
    camera = await the_camera(asking)
    assert camera["photos_of"] == []
    assert (camera["fitness"], camera["agreed"]) == ("nobody_agreed", 0)


async def test_what_a_camera_shows_now(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, front_door: FrontDoor
) -> None:
    """It is the very picture in which the faces are; nobody is named, and that somebody looked is noted."""
    front_door.frames = visits(astronaut())
    (camera_id,) = hub.watchers
    asking = await browser()
    before = await hass.async_add_executor_job(hub.vault.stored)
    shown = await asking.said(LOOK, camera_id=camera_id)
    picture = base64.b64decode(shown["picture"])
    again = await hub.client.faces(picture)
    (face,) = shown["faces"]
    assert face["box"] == [round(value) for value in again.faces[0].box]
    assert (face["quality"], face["width"], shown["size"]) == (
        "good",
        again.faces[0].quality.size,
        list(again.size),
    )
    assert set(face) == {"box", "width", "quality", "poster"}
    assert face["poster"] is None
    after = await hass.async_add_executor_job(hub.vault.stored)
    assert (after.audit_entries, after.visits, after.pictures) == (
        before.audit_entries + 1,
        before.visits,
        before.pictures,
    )
    (noted, *_) = await hass.async_add_executor_job(hub.vault.audit_entries)
    assert (noted.kind, noted.person_id) == ("faces_viewed", None)


async def test_a_poster_is_ignored_and_recognised_again(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, front_door: FrontDoor
) -> None:
    """What never moves is listed, ignored in one step, shown as ignored, and recognised again in another."""
    (camera_id,) = hub.watchers
    front_door.frames = visits(astronaut(), number=1)
    asking = await browser()
    (face,) = (await hub.client.faces(front_door.frames[0])).faces
    watcher = hub.watchers[camera_id]
    poster = Poster.of(face, (1280, 720))
    for _ in range(LOOKS):
        watcher.suspected.note([poster], (1280, 720))
    camera = await the_camera(asking)
    assert (camera["posters_found"], camera["posters_ignored"]) == ([poster.poster_id], [])

    await asking.said(CHANGE, camera_id=camera_id, ignore=poster.poster_id)
    await hass.async_block_till_done()
    camera = await the_camera(asking)
    assert (camera["posters_found"], camera["posters_ignored"]) == ([], [poster.poster_id])
    (shown,) = (await asking.said(LOOK, camera_id=camera_id))["faces"]
    assert shown["poster"] == 1
    await ring(hass, hub)
    assert not hub.open_visits.visits

    await asking.said(CHANGE, camera_id=camera_id, recognise=poster.poster_id)
    await hass.async_block_till_done()
    assert (await the_camera(asking))["posters_ignored"] == []
    for change in ({"ignore": poster.poster_id}, {"recognise": poster.poster_id}, {"ignore": "nothing"}):
        assert await asking.refused(CHANGE, camera_id=camera_id, **change) == "unknown_poster"


async def test_nobody_there(hub: Hub, browser: OpenBrowser, front_door: FrontDoor) -> None:
    """An empty picture is shown, and no face in it."""
    front_door.frames = [frame(seed=seed) for seed in range(4)]
    (camera_id,) = hub.watchers
    assert (await (await browser()).said(LOOK, camera_id=camera_id))["faces"] == []


async def test_it_is_turned(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, front_door: FrontDoor
) -> None:
    """Boxes are of the picture as it is turned, by as much as is said with it."""
    front_door.frames = visits(astronaut())
    (camera_id,) = hub.watchers
    asking = await browser()
    await asking.said(CHANGE, camera_id=camera_id, turn=90)
    await hass.async_block_till_done()
    shown = await asking.said(LOOK, camera_id=camera_id)
    size = (await hub.client.faces(base64.b64decode(shown["picture"]))).size
    assert (shown["turn"], shown["size"]) == (90, [size[1], size[0]])


async def test_a_camera_or_an_engine_that_gives_nothing(
    hub: Hub, browser: OpenBrowser, front_door: FrontDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong is said: no picture, an old one, no engine."""
    monkeypatch.setattr(look_now, "SECONDS", 1.0)
    (camera_id,) = hub.watchers
    asking = await browser()
    assert await asking.refused(LOOK, camera_id=camera_id) == "camera_no_picture"
    front_door.frames, front_door.stuck = visits(astronaut(), number=1), True
    await asking.ask(LOOK, camera_id=camera_id)
    assert await asking.refused(LOOK, camera_id=camera_id) == "camera_old_picture"
    front_door.stuck = False
    monkeypatch.setattr(look_now, "LARGEST", 1000)
    assert await asking.refused(LOOK, camera_id=camera_id) == "picture_too_large"
    await hub.engine.stop()
    assert await asking.refused(LOOK, camera_id=camera_id) == "engine_failed"


async def test_it_is_no_stream(
    hub: Hub, browser: OpenBrowser, front_door: FrontDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only so many pictures in a row; another user has their own."""
    monkeypatch.setattr(look_now, "AT_ONCE", 1)
    monkeypatch.setattr(look_now, "ONE_MORE_EVERY", 60.0)
    hub.look_now = look_now.LookNow(hub, hub.cameras)
    front_door.frames = visits(astronaut())
    (camera_id,) = hub.watchers
    one, other = await browser(), await browser()
    await one.said(LOOK, camera_id=camera_id)
    assert await one.refused(LOOK, camera_id=camera_id) == "identify_too_often"
    await other.said(LOOK, camera_id=camera_id)


async def test_what_triggers_mean(hass: HomeAssistant, hub: Hub, browser: OpenBrowser) -> None:
    """A bell can be made a motion sensor and back; what is not said stays as it was."""
    hass.states.async_set(MOTION, "off", {"device_class": "motion"})
    camera_id = await a_porch(hass, hub, MOTION, DOORBELL)
    asking = await browser()

    async def roles() -> dict[str, str]:
        (porch,) = [each for each in (await asking.said(LIST))["cameras"] if each["camera_id"] == camera_id]
        return {each["entity_id"]: each["role"] for each in porch["triggers"]}

    assert await roles() == {MOTION: "motion", DOORBELL: "bell"}
    await asking.said(CHANGE, camera_id=camera_id, roles={MOTION: "bell"})
    await hass.async_block_till_done()
    assert await roles() == {MOTION: "bell", DOORBELL: "bell"}
    await asking.said(CHANGE, camera_id=camera_id, roles={DOORBELL: "motion"}, stream="never")
    await hass.async_block_till_done()
    assert await roles() == {MOTION: "bell", DOORBELL: "motion"}
    settings = camera_settings(hub.entry.subentries[camera_id].data)
    assert (str(settings.stream), settings.turn) == ("never", 0)
    # It is in the audit log, as each change of a camera is.
    kinds = [each.kind for each in await hass.async_add_executor_job(hub.vault.audit_entries)]
    assert kinds.count("setting_changed") >= 2


async def test_changes_that_make_no_sense(hass: HomeAssistant, hub: Hub, browser: OpenBrowser) -> None:
    """Each is refused in words, and nothing is changed."""
    hass.states.async_set(BUTTON, "unknown", {"device_class": "doorbell", "event_types": ["one", "two"]})
    camera_id = await a_porch(hass, hub, BUTTON)
    front_door = next(each for each in hub.watchers if each != camera_id)
    before = {each: dict(hub.entry.subentries[each].data) for each in hub.watchers}
    asking = await browser()
    for asked, why in (
        ({"camera_id": front_door, "roles": {DOORBELL: "motion"}}, "roles_only_on_motion"),
        ({"camera_id": camera_id, "roles": {DOORBELL: "bell"}}, "not_a_trigger"),
        ({"camera_id": camera_id, "roles": {BUTTON: "bell"}}, "choose_ring_events"),
        ({"camera_id": "none", "turn": 90}, "unknown_camera"),
        ({"camera_id": next(iter(hub.entry.subentries)) + "x", "turn": 90}, "unknown_camera"),
    ):
        assert await asking.refused(CHANGE, **asked) == why
    assert await asking.refused(LOOK, camera_id="none") == "unknown_camera"
    assert {each: dict(hub.entry.subentries[each].data) for each in hub.watchers} == before


async def test_a_person_is_no_camera(hub: Hub, browser: OpenBrowser, nadie: str) -> None:
    """The id of something else finds no camera."""
    (theirs,) = [each.subentry_id for each in hub.entry.subentries.values() if each.subentry_type == "person"]
    asking = await browser()
    assert await asking.refused(CHANGE, camera_id=theirs, turn=90) == "unknown_camera"
    assert await asking.refused(LOOK, camera_id=theirs) == "unknown_camera"


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"camera_id": ""},
        {"camera_id": "x" * 65},
        {"camera_id": 7},
        {"turn": 45},
        {"turn": 90.0},
        {"turn": False},
        {"turn": "90"},
        {"stream": "sometimes"},
        {"roles": {}},
        {"roles": {"a.b": "enemy"}},
        {"roles": {"x" * 256: "bell"}},
        {"roles": {f"event.e{each}": "bell" for each in range(51)}},
        {"roles": ["bell"]},
        {"mode": "always"},
        {"else": True},
    ],
    ids=str,
)
async def test_malformed_and_huge(hub: Hub, browser: OpenBrowser, asked: dict[str, Any]) -> None:
    """Each is refused, and the next one that is in order is answered."""
    (camera_id,) = hub.watchers
    asking = await browser()
    whole = asked if not asked or "camera_id" in asked else {"camera_id": camera_id, **asked}
    assert await asking.refused(CHANGE, **whole) == "invalid_format"
    if "camera_id" in asked or not asked:
        assert await asking.refused(LOOK, **asked) == "invalid_format"
    assert len((await asking.said(LIST))["cameras"]) == 1


async def test_while_it_does_not_run(hass: HomeAssistant, hub: Hub, browser: OpenBrowser) -> None:
    """Everything is refused with a sentence."""
    asking = await browser()
    assert await hass.config_entries.async_unload(hub.entry.entry_id)
    assert await asking.refused(LIST) == "not_loaded"
    assert await asking.refused(LOOK, camera_id="x") == "not_loaded"
    assert await asking.refused(CHANGE, camera_id="x", turn=90) == "not_loaded"
    assert await asking.refused(WEEKS) == "not_loaded"


async def test_how_well_it_works(hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str) -> None:
    """The numbers are those of the visits and of what was answered, and nothing else is said."""
    (camera_id,) = hub.watchers
    asking = await browser()
    assert await asking.said(WEEKS) == {
        "cameras": [{"camera_id": camera_id, "advice": None, "weeks": []}],
    }
    named = a_visit(hub, nadie)
    await come(hass, hub, named)
    await come(hass, hub, a_visit(hub, nadie))
    await hass.async_add_executor_job(hub.vault.confirm_visit, named.visit_id, dt_util.utcnow())
    dark = replace(
        a_visit(hub, None, Decision.UNCLEAR), reason=UnclearReason.NO_USABLE_FACE, quality="too_dark"
    )
    hub.counting.async_ended((*[dark] * 7, a_visit(hub, None, Decision.STRANGER)))
    (camera,) = (await asking.said(WEEKS))["cameras"]
    assert camera["advice"] == {"key": "too_dark", "count": 7, "visits": 10, "usable": 3, "weeks": 1}
    (week,) = camera["weeks"]
    assert week == {
        "begins": week_of(named.started_at).date().isoformat(),
        "visits": 10,
        "named": 2,
        "confirmed": 1,
        "corrected": 0,
        "missed": 0,
        "strangers": 1,
        "unclear": {"too_dark": 7},
        "usable": 3,
        "took_ms": 250,
    }


async def test_weeks_that_cannot_be_read(
    hub: Hub, browser: OpenBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, and the rest is answered."""

    def refuse(*_: object) -> None:
        raise VaultDamaged("made up")

    asking = await browser()
    monkeypatch.setattr(Counts, "read", refuse)
    assert await asking.refused(WEEKS) == "reading_failed"
    assert await asking.refused(WEEKS, since="ever") == "invalid_format"
    assert len((await asking.said(LIST))["cameras"]) == 1
