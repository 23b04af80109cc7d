"""Which entities are suggested for a camera."""

from typing import Any

from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.capture.suggesting import (
    async_suggest_event_pictures,
    async_suggest_triggers,
)
from custom_components.familiar_faces.const import DOMAIN


class Home:
    """The entities of a home, in the registries."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Have a camera on a device."""
        self.hass = hass
        self.other = MockConfigEntry(domain="test")
        self.other.add_to_hass(hass)
        self.device = self.add_device("doorbell")
        self.camera = self.add("camera.door", self.device)

    def add_device(self, name: str, via: str | None = None) -> str:
        """Add a device; return its id."""
        device = dr.async_get(self.hass).async_get_or_create(
            config_entry_id=self.other.entry_id,
            identifiers={("test", name)},
            via_device_id=via,
        )
        return device.id

    def add(self, entity_id: str, device: str | None = None, **more: Any) -> str:
        """Add an entity; return its id."""
        domain, name = entity_id.split(".")
        entry = er.async_get(self.hass).async_get_or_create(
            domain, "test", name, suggested_object_id=name, device_id=device, **more
        )
        return entry.entity_id


@pytest.fixture
def home_of_camera(hass: HomeAssistant) -> Home:
    """Return a home with one camera."""
    return Home(hass)


@pytest.mark.parametrize(
    ("entity_id", "more"),
    [
        ("event.door_doorbell", {"original_device_class": "doorbell"}),
        (
            "event.front_ding",
            {"original_device_class": "doorbell", "capabilities": {"event_types": ["press"]}},
        ),
        ("event.doorbell_button", {"capabilities": {"event_types": ["pressed"]}}),
        ("binary_sensor.g4_doorbell", {"original_device_class": "occupancy"}),
        ("binary_sensor.door_button_pressed_doorbell", {"original_device_class": "sound"}),
        ("binary_sensor.reolink_visitor", {}),
    ],
)
async def test_bells(home_of_camera: Home, entity_id: str, more: dict[str, Any]) -> None:
    """The bell of the camera's own device is suggested, as the integrations have them."""
    bell = home_of_camera.add(entity_id, home_of_camera.device, **more)
    assert async_suggest_triggers(home_of_camera.hass, home_of_camera.camera)[0] == [bell]


@pytest.mark.parametrize(
    ("entity_id", "more"),
    [
        ("event.automatic_backup", {"capabilities": {"event_types": ["completed", "failed"]}}),
        (
            "event.doorbell_voicemail",
            {"original_device_class": "doorbell", "capabilities": {"event_types": ["played"]}},
        ),
        ("binary_sensor.doorbell_battery", {"original_device_class": "battery"}),
        ("binary_sensor.doorbell_firmware", {"original_device_class": "occupancy"}),
        ("binary_sensor.window", {"original_device_class": "opening"}),
        ("binary_sensor.doorbell_setting", {"entity_category": EntityCategory.DIAGNOSTIC}),
        ("binary_sensor.doorbell_off", {"disabled_by": er.RegistryEntryDisabler.USER}),
    ],
)
async def test_no_bells(home_of_camera: Home, entity_id: str, more: dict[str, Any]) -> None:
    """What only sounds like a bell, or never reports a press, is not suggested."""
    home_of_camera.add(entity_id, home_of_camera.device, **more)
    assert async_suggest_triggers(home_of_camera.hass, home_of_camera.camera)[0] == []


async def test_device_before_area(hass: HomeAssistant, home_of_camera: Home) -> None:
    """What is on the camera's device, or behind it, goes before what is only in its area."""
    home = home_of_camera
    area = ar.async_get(hass).async_create("Porch")
    dr.async_get(hass).async_update_device(home.device, area_id=area.id)
    motion = home.add("binary_sensor.motion", original_device_class="motion")
    own = home.add("binary_sensor.own", original_device_class="occupancy")
    er.async_get(hass).async_update_entity(motion, area_id=area.id)
    assert async_suggest_triggers(hass, home.camera) == ([], [motion])
    chime = home.add_device("chime", via=home.device)
    bell = home.add("event.chime", chime, original_device_class="doorbell")
    presence = home.add("binary_sensor.presence", home.device, original_device_class="presence")
    assert async_suggest_triggers(hass, home.camera) == ([bell], [presence])
    assert own not in async_suggest_triggers(hass, home.camera)[1]
    assert async_suggest_triggers(hass, "camera.not_registered") == ([], [])


async def test_own_entities(hass: HomeAssistant, home_of_camera: Home) -> None:
    """What this integration says follows from a look."""
    er.async_get(hass).async_get_or_create(
        "binary_sensor", DOMAIN, "seen", device_id=home_of_camera.device, original_device_class="occupancy"
    )
    er.async_get(hass).async_get_or_create("image", DOMAIN, "last", device_id=home_of_camera.device)
    assert async_suggest_triggers(hass, home_of_camera.camera) == ([], [])
    assert async_suggest_event_pictures(hass, home_of_camera.camera) == []


async def test_event_pictures(hass: HomeAssistant, home_of_camera: Home) -> None:
    """Those of the camera's device, a person before anything else."""
    home = home_of_camera
    car = home.add("image.door_car", home.device)
    person = home.add("image.door_person", home.device)
    home.add("image.elsewhere")
    assert async_suggest_event_pictures(hass, home.camera) == [person, car]
