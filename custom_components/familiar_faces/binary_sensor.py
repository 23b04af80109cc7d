"""Binary sensors: who is there now."""

from datetime import datetime
from typing import override

from homeassistant.components.binary_sensor import BinarySensorEntity, BinarySensorEntityDescription
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from .const import KEY_PRESENT
from .entity import CameraEntity, FamiliarFacesEntity, PersonEntity, async_setup_entities
from .hub import FamiliarFacesConfigEntry, Hub
from .visits.visit import Decision

PARALLEL_UPDATES = 0

# Off at first: the event of the camera says it, and these would add two lines to Activity for each visit.
FAMILIAR_PERSON = BinarySensorEntityDescription(
    key="familiar_person",
    translation_key="familiar_person",
    device_class=BinarySensorDeviceClass.OCCUPANCY,
    entity_registry_enabled_default=False,
)
STRANGER = BinarySensorEntityDescription(
    key="stranger",
    translation_key="stranger",
    device_class=BinarySensorDeviceClass.OCCUPANCY,
    entity_registry_enabled_default=False,
)
# No device class: "home" is not what being seen at a camera means.
PRESENT = BinarySensorEntityDescription(key=KEY_PRESENT, translation_key=KEY_PRESENT)


async def async_setup_entry(
    hass: HomeAssistant, entry: FamiliarFacesConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Set up the binary sensors."""
    await async_setup_entities(
        entry,
        async_add_entities,
        camera=lambda hub, subentry: [
            CameraOccupancy(hub, subentry, FAMILIAR_PERSON, Decision.FAMILIAR),
            CameraOccupancy(hub, subentry, STRANGER, Decision.STRANGER),
        ],
        person=lambda hub, subentry: [PersonPresent(hub, subentry, PRESENT)],
    )


class _OnUntil(FamiliarFacesEntity, BinarySensorEntity):
    """Is on until a moment that the board says, and off then, whatever the clock says by then."""

    needs_engine = True
    tells_of_visits = True
    _attr_is_on = False
    _end: CALLBACK_TYPE | None = None

    @property
    def until(self) -> datetime | None:
        """Return until when it is on, None when it is off."""
        raise NotImplementedError

    @override
    async def async_added_to_hass(self) -> None:
        """Be on when that began before a restart."""
        await super().async_added_to_hass()
        self.async_follow()

    @override
    @callback
    def async_shown(self) -> None:
        """Be on or off by what the board says now."""
        self.async_follow()
        super().async_shown()

    @callback
    def async_follow(self) -> None:
        """Be on for as long as is left."""
        if self._end is not None:
            self._end()
            self._end = None
        until, now = self.until, dt_util.utcnow()
        self._attr_is_on = until is not None and until > now
        if until is not None and self._attr_is_on:
            self._end = async_call_later(
                self.hass, until - now, HassJob(self._async_time_is_up, cancel_on_shutdown=True)
            )

    @callback
    def _async_time_is_up(self, _now: datetime) -> None:
        self._end = None
        self._attr_is_on = False
        self.async_write()

    @override
    async def async_will_remove_from_hass(self) -> None:
        """Stop waiting."""
        if self._end is not None:
            self._end()
            self._end = None


class CameraOccupancy(CameraEntity, _OnUntil):
    """Somebody of a kind is at a camera."""

    def __init__(
        self, hub: Hub, subentry: ConfigSubentry, description: EntityDescription, decision: Decision
    ) -> None:
        """Be on for visits with this decision."""
        super().__init__(hub, subentry, description)
        self._decision = decision

    @property
    @override
    def until(self) -> datetime | None:
        """Return until when somebody counts as being there."""
        return self.hub.board.occupied_until(self.camera_id, self._decision)


class PersonPresent(PersonEntity, _OnUntil):
    """A person was seen a moment ago: until `PRESENT_FOR` after they were last seen."""

    @property
    @override
    def until(self) -> datetime | None:
        """Return until when they count as present."""
        return self.hub.board.present_until(self.person_id)
