"""An image entity with the picture of the last event, as a doorbell's integration has one."""

from datetime import datetime
from typing import override

from homeassistant.components.image import ImageEntity
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import setup_test_component_platform

IMAGE = "image.event"


class EventImage(ImageEntity):
    """An image entity that shows what it is given."""

    _attr_content_type = "image/jpeg"

    def __init__(self, hass: HomeAssistant) -> None:
        """Have no picture yet."""
        super().__init__(hass)
        self.entity_id = IMAGE
        self.picture = b"nothing yet"

    @override
    async def async_image(self) -> bytes:
        """Return the picture of the last event."""
        return self.picture

    def show(self, picture: bytes, made: datetime) -> None:
        """Have another picture."""
        self.picture, self._attr_image_last_updated = picture, made
        self.async_write_ha_state()


async def put_up_image(hass: HomeAssistant) -> EventImage:
    """Set up a real image entity."""
    entity = EventImage(hass)
    setup_test_component_platform(hass, "image", [entity])
    assert await async_setup_component(hass, "image", {"image": {"platform": "test"}})
    await hass.async_block_till_done()
    return entity
