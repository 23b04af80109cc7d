"""Device triggers: what can be chosen on the page of a camera or a person."""

import asyncio
from typing import Any, Final, cast

from homeassistant.components.device_automation import DEVICE_TRIGGER_BASE_SCHEMA
from homeassistant.components.device_automation.exceptions import InvalidDeviceAutomationConfig
from homeassistant.const import CONF_DEVICE_ID, CONF_DOMAIN, CONF_FOR, CONF_PLATFORM, CONF_TYPE
from homeassistant.core import CALLBACK_TYPE, Context, HassJob, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.trigger import TriggerActionType, TriggerConfig, TriggerInfo
from homeassistant.helpers.typing import ConfigType
import voluptuous as vol

from .const import DOMAIN, SUBENTRY_CAMERA, SUBENTRY_PERSON
from .household.period import period
from .seen.visit_filter import async_kind
from .trigger import TRIGGERS

TYPES: Final[dict[str | None, dict[str, str]]] = {
    SUBENTRY_CAMERA: {key: key for key in TRIGGERS},
    SUBENTRY_PERSON: {"seen": "familiar_person_seen"},
}
"""The types by the kind of device, and the triggers that they are."""

TRIGGER_SCHEMA: Final = DEVICE_TRIGGER_BASE_SCHEMA.extend(
    {
        vol.Required(CONF_TYPE): vol.In({each for types in TYPES.values() for each in types}),
        vol.Optional(CONF_FOR): vol.All(dict, period),
    }
)


async def async_get_triggers(hass: HomeAssistant, device_id: str) -> list[dict[str, Any]]:
    """Return the triggers of a device."""
    return [
        {CONF_PLATFORM: "device", CONF_DOMAIN: DOMAIN, CONF_DEVICE_ID: device_id, CONF_TYPE: each}
        for each in TYPES.get(async_kind(hass, device_id), ())
    ]


async def async_get_trigger_capabilities(hass: HomeAssistant, config: ConfigType) -> dict[str, vol.Schema]:
    """Return what else can be chosen."""
    return {"extra_fields": vol.Schema({vol.Optional(CONF_FOR): cv.positive_time_period_dict})}


async def async_validate_trigger_config(hass: HomeAssistant, config: ConfigType) -> ConfigType:
    """Refuse a trigger that the device has not."""
    config = cast(ConfigType, TRIGGER_SCHEMA(config))
    if config[CONF_TYPE] not in TYPES.get(async_kind(hass, config[CONF_DEVICE_ID]), ()):
        raise InvalidDeviceAutomationConfig(
            translation_domain=DOMAIN,
            translation_key="not_of_this_device",
            translation_placeholders={"type": config[CONF_TYPE]},
        )
    return config


async def async_attach_trigger(
    hass: HomeAssistant, config: ConfigType, action: TriggerActionType, trigger_info: TriggerInfo
) -> CALLBACK_TYPE:
    """Listen to what the trigger of the same name listens to, of this device alone."""
    # Whatever kind of device it is, also one that there is not yet when automations are set up.
    names = {type_: name for types in TYPES.values() for type_, name in types.items()}
    name = names[config[CONF_TYPE]]
    # While the entry is not loaded, Home Assistant hands on what was written as it is.
    options = {CONF_FOR: cv.positive_time_period(config[CONF_FOR])} if CONF_FOR in config else {}
    target = {CONF_DEVICE_ID: [config[CONF_DEVICE_ID]]}
    trigger = TRIGGERS[name](hass, TriggerConfig(f"{DOMAIN}.{name}", target, options))
    job = HassJob(action, f"{DOMAIN} device trigger {trigger_info}")
    given = {key: config[key] for key in (CONF_PLATFORM, CONF_DOMAIN, CONF_DEVICE_ID, CONF_TYPE)}

    async def act(payload: dict[str, Any], context: Context | None) -> None:
        if (running := hass.async_run_hass_job(job, {"trigger": payload}, context)) is not None:
            await running

    @callback
    def run(
        extra_trigger_payload: dict[str, Any], description: str, context: Context | None = None
    ) -> asyncio.Task[None]:
        payload = {
            **trigger_info["trigger_data"],
            **given,
            "description": description,
            **extra_trigger_payload,
        }
        return hass.async_create_task(act(payload, context))

    return await trigger.async_attach_runner(run)
