"""What automations are about: the devices of two people and of the front door."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.familiar_faces.hub import Hub

from ..common.automations import device_of, somebody


@pytest.fixture
async def anna(hass: HomeAssistant, hub: Hub) -> str:
    """Put Anna on record, and return the id of their device."""
    return await somebody(hass, hub, "anna")


@pytest.fixture
async def ben(hass: HomeAssistant, hub: Hub) -> str:
    """Put Ben on record, and return the id of their device."""
    return await somebody(hass, hub, "ben")


@pytest.fixture
def front(hass: HomeAssistant, hub: Hub) -> str:
    """Return the id of the device of the front door."""
    return device_of(hass, next(iter(hub.watchers)))
