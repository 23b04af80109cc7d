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

from .entity import AlertEntity
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

    @override
    async def async_added_to_hass(self) -> None:
        """Show what was shown before a restart, and follow the alert."""
        await super().async_added_to_hass()
        data = await self.async_get_last_sensor_data()
        if data is not None and isinstance(data.native_value, datetime):
            self.hub.alerts.async_told_before(self.alert_id, data.native_value)
        self.async_on_remove(self.hub.async_connect(SIGNAL_TOLD, self.async_write_ha_state))

    @property
    @override
    def native_value(self) -> datetime | None:
        """Return when it was, as long as that may be shown."""
        return self.hub.alerts.last_told(self.alert_id)
