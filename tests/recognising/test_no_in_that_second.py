"""Anyone who says no, or whose consent ends, in the very second of a look is named by nothing afterwards."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.alerts.sentences import async_message
from custom_components.familiar_faces.consent.withdrawal import async_withdraw
from custom_components.familiar_faces.hub import Hub

from ..common.alerting import add_alert, an_alert, ring_and_tell
from ..common.notified import notified
from ..common.phone import NewPhone
from ..common.pictures import astronaut, enrolment_photos
from ..common.steps import VISITOR, enrol, ring, visits
from ..conftest import FrontDoor

type No = Callable[[], Awaitable[None]]


@pytest.fixture(params=["withdrawn", "expired"])
async def no(
    request: pytest.FixtureRequest, hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> tuple[str, No]:
    """Have Eileen enrolled; return her id, and what ends her consent."""
    person_id = await enrol(hass, entry, enrolment_photos())

    async def withdraw() -> None:
        if hub.people.get(person_id) is not None:
            await async_withdraw(hub, hub.forgetting, person_id)

    async def expire() -> None:
        person = hub.people[person_id]
        over = replace(person.consents[-1], valid_until=dt_util.utcnow())
        hub.roster.people[person_id] = replace(person, consents=(over,))

    return person_id, withdraw if request.param == "withdrawn" else expire


@callback
def what_is_shown(hass: HomeAssistant) -> str:
    """Return what Home Assistant shows of visits."""
    of_cameras = [each.as_dict() for each in hass.states.async_all() if "front_door" in each.entity_id]
    return f"{of_cameras} {notified(hass)}"


@pytest.mark.parametrize("when", ["seen", "settled"])
async def test_in_that_second(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    no: tuple[str, No],
    monkeypatch: pytest.MonkeyPatch,
    when: str,
) -> None:
    """After the engine has seen them, or right before they are announced: no state, event or notification, nothing kept."""
    person_id, ends = no
    hass.config_entries.async_add_subentry(entry, an_alert(["here:"], who=["familiar"]))
    await hass.async_block_till_done()
    place: object = hub.client if when == "seen" else hub.announcer
    name = "faces" if when == "seen" else "async_settle"
    done = getattr(place, name)
    said: list[Event[Any]] = []
    hass.bus.async_listen("*", said.append)

    async def first(*args: Any, **values: Any) -> Any:
        if when == "seen":
            result = await done(*args, **values)
            await ends()
            return result
        await ends()
        said.clear()
        return await done(*args, **values)

    monkeypatch.setattr(
        type(place) if when == "seen" else place, name, _method(first) if when == "seen" else first
    )
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    await hub.alerts.async_flush()
    assert "Eileen" not in what_is_shown(hass)
    assert person_id not in what_is_shown(hass)
    assert hass.states.get(VISITOR).attributes.get("person_name") is None
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.visits, stored.pictures) == (0, 0)
    visited = [each for each in said if each.event_type == "familiar_faces_visit"]
    assert [each for each in visited if each.data.get("decision") == "familiar"] == []


def _method(work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def method(_self: object, *args: Any, **values: Any) -> Any:
        return await work(*args, **values)

    return method


async def test_while_a_notification_waits(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    new_phone: NewPhone,
    no: tuple[str, No],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was to be said, and had to wait for its words, is not said."""
    _, ends = no
    phone = await new_phone("Pixel")
    add_alert(hass, entry, phone)
    await hass.async_block_till_done()

    async def slowly(*args: Any) -> str:
        message = await async_message(*args)
        if "Eileen" in message:
            await ends()
        return message

    monkeypatch.setattr("custom_components.familiar_faces.alerts.teller.async_message", slowly)
    front_door.frames = visits(astronaut())
    await ring_and_tell(hass, hub)
    assert "Someone is at the front door." in phone.messages
    assert "Eileen" not in str(phone.pushed)
    assert len(hub.alerts.pictures) == 0


async def test_the_picture_on_a_phone_is_dead(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    new_phone: NewPhone,
    hass_client_no_auth: Any,
    no: tuple[str, No],
) -> None:
    """Its link, signed for ten minutes, opens nothing from that second on."""
    _, ends = no
    phone = await new_phone("Pixel")
    add_alert(hass, entry, phone)
    front_door.frames = visits(astronaut())
    await ring_and_tell(hass, hub)
    link = phone.pushed[-1]["data"]["image"]
    nobody = await hass_client_no_auth()
    assert (await nobody.get(link)).status == 200
    await ends()
    assert (await nobody.get(link)).status == 404
