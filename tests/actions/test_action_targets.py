"""The targets of the actions: people, cameras and alerts by their devices, entities, areas and labels."""

from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import yaml

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.hub import Hub

from ..common.calling import act, last_visits, refused
from ..common.exposing import SEEN, VISITOR, a_user
from ..common.source import FOLDER
from ..conftest import CAMERA

OF_THE_CAMERA = "switch.front_door_notifications"
OF_EILEEN = "switch.eileen_notifications"


def device_of(hass: HomeAssistant, entity_id: str) -> str:
    """Return the device of an entity."""
    entry = er.async_get(hass).async_get(entity_id)
    assert entry is not None
    assert entry.device_id is not None
    return entry.device_id


def put_into_an_area(hass: HomeAssistant, device_id: str) -> str:
    """Put a device into an area, and return the id of that."""
    area = ar.async_get(hass).async_create("Garden")
    dr.async_get(hass).async_update_device(device_id, area_id=area.id)
    return area.id


async def test_who_is_here(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """Cameras are targeted by their event, device and area."""
    device_id = device_of(hass, VISITOR)
    targets: list[dict[str, Any]] = [
        {"entity_id": VISITOR},
        {"device_id": device_id},
        {"area_id": [put_into_an_area(hass, device_id)]},
    ]
    for target in targets:
        (camera,) = (await act(hass, "who_is_here", **target))["cameras"]
        assert (camera["camera"], camera["people"][0]["name"]) == (CAMERA, "Eileen"), target


async def test_last_visits(hass: HomeAssistant, hub: Hub, visited: str, days_of_nadie: Any) -> None:
    """People and cameras are targeted alone, together, and beside what the fields say."""
    assert {each["name"] for each in await last_visits(hass)} == {"Eileen", "Nadie"}
    assert {each["name"] for each in await last_visits(hass, entity_id=SEEN)} == {"Eileen"}
    # Nadie came to another camera.
    assert {each["name"] for each in await last_visits(hass, entity_id=VISITOR)} == {"Eileen"}
    assert {each["name"] for each in await last_visits(hass, entity_id=[VISITOR, SEEN])} == {"Eileen"}
    assert {each["name"] for each in await last_visits(hass, person="Nadie", entity_id=SEEN)} == {
        "Eileen",
        "Nadie",
    }
    assert await last_visits(hass, person="Nadie", entity_id=VISITOR) == []


async def test_mute(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """Whatever has a switch of notifications in an area is muted, each by itself."""
    area_id = put_into_an_area(hass, device_of(hass, OF_THE_CAMERA))
    (camera_id,) = hub.watchers
    now = dt_util.utcnow()
    await act(hass, "mute", area_id=area_id)
    assert hub.alerts.mutes.until(camera_id, now) is not None
    assert hub.alerts.mutes.until(visited, now) is None
    await act(hass, "mute", entity_id=OF_EILEEN, duration="02:00:00")
    until = hub.alerts.mutes.until(visited, now)
    assert until is not None
    assert until - now > timedelta(hours=1)


async def test_nothing_targeted(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """What is not ours, or not for the action, is an error and not everything."""
    area_id = ar.async_get(hass).async_create("Attic").id
    for action in ("who_is_here", "last_visits", "mute"):
        targets: tuple[dict[str, Any], ...] = (
            {"entity_id": CAMERA},
            {"device_id": "gone"},
            {"area_id": area_id},
        )
        for target in targets:
            assert await refused(hass, action, **target) == "nothing_targeted", (action, target)
    assert await refused(hass, "who_is_here", entity_id=SEEN) == "nothing_targeted"
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    assert "muted" not in entry.data


async def test_what_a_user_may_not_read(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """People that a user may not be told of are answered as nobody at all."""
    user = a_user(hass, VISITOR)
    assert await refused(hass, "last_visits", user, entity_id=SEEN) == "nothing_targeted"
    assert await refused(hass, "last_visits", user, entity_id="event.nobody_seen") == "nothing_targeted"
    assert (await act(hass, "who_is_here", user, entity_id=VISITOR))["others"] == 1


def test_offered() -> None:
    """The editor offers targets for these actions."""
    described = yaml.safe_load((FOLDER / "services.yaml").read_text(encoding="utf-8"))
    assert {key for key, each in described.items() if each and "target" in each} == {
        "last_visits",
        "who_is_here",
        "mute",
    }
