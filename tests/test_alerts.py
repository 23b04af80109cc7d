"""Alerts: one notification a visit that grows, on real phones' side of the real companion integration."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.familiar_faces.hub import Hub

from .conftest import FrontDoor
from .phone import CLEAR, Phone, PushServer, register
from .pictures import astronaut, enrolment_photos, frame, stranger
from .steps import enrol, ring

type NewPhone = Callable[..., Awaitable[Phone]]


@pytest.fixture
async def new_phone(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, sockets: None
) -> AsyncGenerator[NewPhone]:
    """Return how to register a phone."""
    server = PushServer()
    url = await server.start()

    async def new(name: str, user: MockUser | None = None) -> Phone:
        user = user or MockUser(name=name).add_to_hass(hass)
        return await register(hass, hass_client, server, url, name, user)

    yield new
    await server.stop()


def add_alert(hass: HomeAssistant, entry: MockConfigEntry, *phones: Phone, **changes: Any) -> str:
    """Add an alert to an entry, and return its id."""
    data = {
        "who": ["familiar", "stranger", "unclear"],
        "recipients": [phone.key for phone in phones],
        "early": True,
        "picture": "familiar",
    } | changes
    subentry = ConfigSubentry(data=data, subentry_type="alert", title="Everybody", unique_id=None)
    hass.config_entries.async_add_subentry(entry, subentry)
    return subentry.subentry_id


async def test_grows(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, new_phone: NewPhone
) -> None:
    """Someone at once, then the name in its place."""
    phone = await new_phone("Pixel")
    add_alert(hass, entry, phone)
    await enrol(hass, entry, enrolment_photos())
    front_door.frames = [frame(astronaut(), seed=seed) for seed in range(5)]
    await ring(hass, hub)
    await hub.alerts.async_flush()
    assert phone.messages == ["Someone is at the front door.", "Eileen is at the front door."]
    first, second = phone.pushed
    assert first["data"]["tag"] == second["data"]["tag"]
    assert (first["data"]["alert_once"], second["data"]["alert_once"]) == (False, True)
    assert "image" not in first["data"]
    assert second["data"]["image"].startswith("/api/familiar_faces/notification/")


async def test_a_stranger(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, new_phone: NewPhone
) -> None:
    """An alert for familiar people alone takes the first notification back."""
    everybody, familiar = await new_phone("Pixel"), await new_phone("Apple")
    add_alert(hass, entry, everybody)
    add_alert(hass, entry, familiar, who=["familiar"])
    await enrol(hass, entry, enrolment_photos())
    front_door.frames = [frame(stranger(0), seed=seed) for seed in range(5)]
    await ring(hass, hub)
    await hub.alerts.async_flush()
    assert everybody.messages == ["Someone is at the front door.", "A stranger is at the front door."]
    assert "image" not in everybody.pushed[-1]["data"]
    assert familiar.messages == ["Someone is at the front door.", CLEAR]
    assert not familiar.shown()
