"""Device conditions: what can be chosen on the page of a camera or a person."""

from datetime import timedelta
from typing import Any, Final, cast

from homeassistant.components.device_automation.exceptions import InvalidDeviceAutomationConfig
from homeassistant.const import (
    CONF_CONDITION,
    CONF_DEVICE_ID,
    CONF_DOMAIN,
    CONF_FOR,
    CONF_TYPE,
    STATE_ON,
    Platform,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.condition import ConditionCheckerType
from homeassistant.helpers.typing import ConfigType, TemplateVarsType
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .condition import CONF_KIND, CONF_WITHIN, async_was_seen
from .const import DOMAIN, KEY_PRESENT, SUBENTRY_CAMERA, SUBENTRY_PERSON
from .household.period import period
from .seen.visit_filter import async_ids, async_kind
from .visits.visit import Decision

IS_PRESENT: Final = "is_present"
SEEN: Final[dict[str, Decision]] = {
    "was_seen": Decision.FAMILIAR,
    "familiar_person_was_seen": Decision.FAMILIAR,
    "stranger_was_seen": Decision.STRANGER,
    "unclear_was_seen": Decision.UNCLEAR,
}
TYPES: Final[dict[str | None, tuple[str, ...]]] = {
    SUBENTRY_CAMERA: ("familiar_person_was_seen", "stranger_was_seen", "unclear_was_seen"),
    SUBENTRY_PERSON: (IS_PRESENT, "was_seen"),
}
"""The types by the kind of device."""

_FOR: Final = {vol.Optional(CONF_FOR): cv.positive_time_period_dict}
_WITHIN: Final = {vol.Required(CONF_WITHIN): cv.positive_time_period_dict}
_PRESENT_SCHEMA: Final = cv.DEVICE_CONDITION_BASE_SCHEMA.extend(
    {vol.Required(CONF_TYPE): vol.In((IS_PRESENT, *SEEN)), vol.Optional(CONF_FOR): vol.All(dict, period)}
)
_SEEN_SCHEMA: Final = cv.DEVICE_CONDITION_BASE_SCHEMA.extend(
    {vol.Required(CONF_TYPE): vol.In(SEEN), vol.Required(CONF_WITHIN): vol.All(dict, period)}
)


async def async_get_conditions(hass: HomeAssistant, device_id: str) -> list[dict[str, str]]:
    """Return the conditions of a device."""
    return [
        {CONF_CONDITION: "device", CONF_DOMAIN: DOMAIN, CONF_DEVICE_ID: device_id, CONF_TYPE: each}
        for each in TYPES.get(async_kind(hass, device_id), ())
    ]


async def async_get_condition_capabilities(hass: HomeAssistant, config: ConfigType) -> dict[str, vol.Schema]:
    """Return what else can be chosen."""
    return {"extra_fields": vol.Schema(_WITHIN if config[CONF_TYPE] in SEEN else _FOR)}


async def async_validate_condition_config(hass: HomeAssistant, config: ConfigType) -> ConfigType:
    """Refuse a condition that the device has not."""
    # By the type, and not whichever fits: what is wrong is to be said of the one that was chosen.
    schema = _SEEN_SCHEMA if str(config.get(CONF_TYPE)) in SEEN else _PRESENT_SCHEMA
    config = cast(ConfigType, schema(config))
    if config[CONF_TYPE] not in TYPES.get(async_kind(hass, config[CONF_DEVICE_ID]), ()):
        raise InvalidDeviceAutomationConfig(
            translation_domain=DOMAIN,
            translation_key="not_of_this_device",
            translation_placeholders={"type": config[CONF_TYPE]},
        )
    return config


@callback
def async_condition_from_config(hass: HomeAssistant, config: ConfigType) -> ConditionCheckerType:
    """Return what checks a condition."""
    device_id: str = config[CONF_DEVICE_ID]
    # While the entry is not loaded, Home Assistant hands on what was written as it is.
    if config[CONF_TYPE] == IS_PRESENT:
        duration: timedelta = cv.positive_time_period(config.get(CONF_FOR, timedelta(0)))

        @callback
        def is_present(hass: HomeAssistant, variables: TemplateVarsType) -> bool:
            return _is_present(hass, device_id, duration)

        return is_present
    target = {CONF_DEVICE_ID: [device_id]}
    options: dict[str, Any] = {
        CONF_WITHIN: cv.positive_time_period(config[CONF_WITHIN]),
        CONF_KIND: [str(SEEN[config[CONF_TYPE]])],
    }

    @callback
    def was_seen(hass: HomeAssistant, variables: TemplateVarsType) -> bool:
        return async_was_seen(hass, target, options, variables)

    return was_seen


@callback
def _is_present(hass: HomeAssistant, device_id: str, duration: timedelta) -> bool:
    registry = er.async_get(hass)
    for person_id in async_ids(hass, [device_id]):
        entity_id = registry.async_get_entity_id(Platform.BINARY_SENSOR, DOMAIN, f"{person_id}_{KEY_PRESENT}")
        state = None if entity_id is None else hass.states.get(entity_id)
        if state is not None and state.state == STATE_ON:
            return dt_util.utcnow() - state.last_changed >= duration
    return False
