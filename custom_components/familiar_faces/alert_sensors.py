"""The sensor of an alert: when it told somebody last."""

from datetime import datetime
from typing import override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EntityCategory
from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from .entity import AlertEntity
from .household.keeping import shortest_kept
from .household.signals import SIGNAL_TOLD
from .hub import Hub

LAST_TOLD = SensorEntityDescription(
    key="last_told",
    translation_key="last_told",
    device_class=SensorDeviceClass.TIMESTAMP,
    entity_category=EntityCategory.DIAGNOSTIC,
)


def make_alert_sensors(hub: Hub, subentry: ConfigSubentry) -> list[SensorEntity]:
    """Return the sensors of an alert."""
    return [LastToldSensor(hub, subentry, LAST_TOLD)]


class LastToldSensor(AlertEntity, RestoreSensor):
    """When an alert told somebody last. Of whom is nowhere: who came is told by the visits that are kept."""

    _restored: datetime | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Show what was shown before a restart, and follow the alert."""
        await super().async_added_to_hass()
        data = await self.async_get_last_sensor_data()
        if data is not None and isinstance(data.native_value, datetime):
            self._restored = data.native_value
        self.async_on_remove(self.hub.async_connect(SIGNAL_TOLD, self.async_write_ha_state))

    @property
    @override
    def native_value(self) -> datetime | None:
        """Return when it was, for as long as the visit of anybody may be kept of whom it can have told."""
        told_at = self.hub.alerts.told_at.get(self.alert_id, self._restored)
        kept = shortest_kept(self.hub)
        over = told_at is None or (kept is not None and dt_util.utcnow() - told_at >= kept)
        return None if over else told_at

    @override
    @callback
    def async_forgotten(self, person_id: str) -> None:
        """Show nothing of before a restart: it may have been about this person."""
        self._restored = None
        self.async_write_ha_state()
