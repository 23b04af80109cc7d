"""Taking photos with a camera from the panel: who may, what is told meanwhile, and that it ends."""

import asyncio
from dataclasses import replace
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.enrolment import walking_up
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices
from custom_components.familiar_faces.people.guidance import Guide, Hint

from ..common.pictures import astronaut, frame, jpeg, porch, turned
from ..conftest import FrontDoor
from .conftest import Browser, OpenBrowser

WALK_UP = "familiar_faces/person/walk_up"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody have to read what is shown."""
    monkeypatch.setattr(walking_up, "FRAME_EVERY", 0.02)


@pytest.fixture
def camera_id(hub: Hub) -> str:
    """Return the id of the front door."""
    (found,) = hub.watchers
    return found


def scene(share: float = 0.0) -> list[bytes]:
    """Return frames of Eileen at the door, her head turned by so much."""
    return [frame(turned(share) if share else astronaut(), seed=seed, scale=1.4) for seed in range(8)]


async def begin(asking: Browser, person_id: str, camera_id: str) -> int:
    """Begin, and return the id of the subscription."""
    answer = await asking.ask(WALK_UP, person_id=person_id, camera_id=camera_id)
    assert answer["success"], answer
    return int(answer["id"])


async def ended(asking: Browser) -> dict[str, Any]:
    """Return how it ended."""
    async with asyncio.timeout(30):
        while (event := await asking.event())["type"] != "ended":
            pass
    return event


@pytest.mark.parametrize("who", ["user", "read-only", "linked"])
async def test_administrators_alone(
    browser: OpenBrowser, nadie: str, camera_id: str, front_door: FrontDoor, who: str
) -> None:
    """Nobody else may, also not with their own face: the camera shows others too."""
    asking = await browser("user", own=nadie) if who == "linked" else await browser(who)
    assert await asking.refused(WALK_UP, person_id=nadie, camera_id=camera_id) == "unauthorized"
    assert front_door.fetched == 0


async def test_three_faces(
    hass: HomeAssistant, browser: OpenBrowser, hub: Hub, nadie: str, camera_id: str, front_door: FrontDoor
) -> None:
    """It says what to do, shows what the camera sees, and has each photo count at once."""
    (made_up,) = hub.people[nadie].templates
    steps = {Hint.LOOK_HERE: scene(), Hint.TURN_LEFT: scene(0.09), Hint.TURN_RIGHT: scene(-0.09)}
    now = dt_util.utcnow()
    await hass.async_add_executor_job(
        lambda: hub.vault.use_reference(nadie, made_up.template_id, usable=False, now=now)
    )
    await hub.async_refresh_people()
    front_door.frames = steps[Hint.LOOK_HERE]
    asking = await browser()
    await begin(asking, nadie, camera_id)
    told, shown = [], []
    async with asyncio.timeout(60):
        while (event := await asking.event())["type"] == "frame":
            told.append(event["hint"])
            if event["hint"] in steps:
                front_door.frames = steps[event["hint"]]
            shown += [event["shown"]] if event["shown"] else []
    assert (event["ended"], event["taken"], event["wanted"]) == ("done", 3, 3)
    assert [each for each in dict.fromkeys(told) if each.startswith("turn")] == [
        Hint.TURN_LEFT,
        Hint.TURN_RIGHT,
    ]
    assert {len(each["faces"]) for each in shown} == {1}
    assert {tuple(each["size"]) for each in shown} == {(1280, 720)}
    assert len(hub.people[nadie].templates) == 4
    log = await hass.async_add_executor_job(hub.vault.audit_entries)
    assert [each.person_id for each in log if each.kind == "faces_viewed"] == [None]


async def test_the_browser_leaves(
    hass: HomeAssistant, browser: OpenBrowser, hub: Hub, nadie: str, camera_id: str, front_door: FrontDoor
) -> None:
    """Then the camera is left alone; meanwhile there is one for each browser window."""
    front_door.frames = [jpeg(porch(number)) for number in range(8)]
    asking = await browser()
    begun = await begin(asking, nadie, camera_id)
    assert (await asking.event())["hint"] == Hint.COME
    other = await browser()
    await begin(other, nadie, camera_id)
    assert (await other.event())["hint"] == Hint.COME
    await other._socket.send_json_auto_id({"type": WALK_UP, "person_id": nadie, "camera_id": camera_id})
    while (answer := await other.hear())["type"] == "event":
        pass
    assert answer["error"]["translation_key"] == "walk_up_goes_on"
    await other._socket.close()
    await asking._socket.send_json_auto_id({"type": "unsubscribe_events", "subscription": begun})
    while (answer := await asking.hear())["type"] == "event":
        pass
    assert answer["success"]
    await hass.async_block_till_done(wait_background_tasks=True)
    fetched = front_door.fetched
    await asyncio.sleep(0.2)
    assert front_door.fetched == fetched
    assert [each.get_name() for each in asyncio.all_tasks() if "walk-up" in each.get_name()] == []


async def test_who_says_no(
    hass: HomeAssistant, browser: OpenBrowser, hub: Hub, nadie: str, camera_id: str, front_door: FrontDoor
) -> None:
    """It ends at once with the reason, and cannot be begun at a camera that they did not agree to."""
    front_door.frames = [jpeg(porch(number)) for number in range(8)]
    asking = await browser()
    await begin(asking, nadie, camera_id)
    await asking.event()
    agreed = hub.people[nadie].consent
    assert agreed is not None
    none = replace(agreed, consent_id="none", choices=Choices(cameras=frozenset()))
    await hass.async_add_executor_job(hub.vault.record_consent, nadie, none)
    await hub.async_refresh_people()
    assert (await ended(asking))["ended"] == "consent_missing"
    assert await asking.refused(WALK_UP, person_id=nadie, camera_id=camera_id) == "unknown_camera"


async def test_stopped_meanwhile(
    hass: HomeAssistant, browser: OpenBrowser, hub: Hub, nadie: str, camera_id: str, front_door: FrontDoor
) -> None:
    """The browser is told when the integration stops, and when something fails that nobody thought of."""
    front_door.frames = [jpeg(porch(number)) for number in range(8)]
    asking = await browser()
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(Guide, "see", lambda *_args, **_values: 1 / 0)
        await begin(asking, nadie, camera_id)
        assert (await ended(asking))["ended"] == "stopped"
    await begin(asking, nadie, camera_id)
    await asking.event()
    assert await hass.config_entries.async_unload(hub.entry.entry_id)
    assert (await ended(asking))["ended"] in ("stopped", "vault_failed")
    assert await asking.refused(WALK_UP, person_id=nadie, camera_id=camera_id) == "not_loaded"


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({"camera_id": "elsewhere"}, "unknown_camera"),
        ({"person_id": "nobody"}, "unknown_person"),
        ({"camera_id": ""}, "invalid_format"),
        ({"person_id": "x" * 65}, "invalid_format"),
        ({"person_id": ["nadie"]}, "invalid_format"),
        ({"seconds": 900}, "invalid_format"),
    ],
    ids=str,
)
async def test_malformed(
    browser: OpenBrowser,
    nadie: str,
    camera_id: str,
    front_door: FrontDoor,
    values: dict[str, Any],
    refused: str,
) -> None:
    """Each is refused, and no camera is looked at."""
    asked = {"person_id": nadie, "camera_id": camera_id} | values
    assert await (await browser()).refused(WALK_UP, **asked) == refused
    assert front_door.fetched == 0
