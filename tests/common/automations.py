"""What tests of triggers and conditions need: automations that note when they ran, and visits to tell of."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from homeassistant.components.automation.const import DOMAIN as AUTOMATION
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices
from custom_components.familiar_faces.visits.visit import Decision, Visit

from . import made_up_visits
from .people_on_record import DAY, a_consent, put_on_record

VARIABLES = (
    "platform",
    "entity_id",
    "visit_id",
    "decision",
    "reason",
    "person_id",
    "person_name",
    "person_device_id",
    "person_entity_id",
    "confidence",
    "camera_id",
    "camera_name",
    "camera_device_id",
    "camera_entity_id",
    "started_at",
    "last_seen_at",
    "for",
    "description",
)
"""What a trigger tells templates."""


CONFIGS: HassKey[list[dict[str, Any]]] = HassKey("test_automations")


@dataclass
class Ran:
    """The times an automation ran, with what its trigger told."""

    calls: list[dict[str, Any]] = field(default_factory=list)

    def __len__(self) -> int:
        """Return how often it ran."""
        return len(self.calls)

    def said(self, variable: str) -> list[Any]:
        """Return what was told each time."""
        return [call[variable] for call in self.calls]


async def automate(
    hass: HomeAssistant,
    *triggers: dict[str, Any],
    conditions: list[dict[str, Any]] | None = None,
    alias: str = "Visitors",
) -> Ran:
    """Set up an automation, and return what it does."""
    ran = Ran()

    @callback
    def note(call: ServiceCall) -> None:
        ran.calls.append(dict(call.data))

    service = uuid4().hex
    hass.services.async_register("test", service, note)
    config = {
        "id": service,
        "alias": alias,
        "triggers": list(triggers),
        "conditions": conditions or [],
        "actions": {
            "action": f"test.{service}",
            "data": {name: "{{ trigger['" + name + "'] | default(none) }}" for name in VARIABLES},
        },
        "mode": "parallel",
    }
    configs = hass.data.setdefault(CONFIGS, [])
    configs.append(config)
    assert await async_setup_component(hass, AUTOMATION, {})
    with patch("homeassistant.config.load_yaml_config_file", return_value={AUTOMATION: configs}):
        await hass.services.async_call(AUTOMATION, "reload", blocking=True)
    await hass.async_block_till_done()
    return ran


async def check(hass: HomeAssistant, *conditions: dict[str, Any]) -> int:
    """Return how often an automation with these conditions runs when it is triggered by something else: 0 or 1."""
    event = uuid4().hex
    ran = await automate(hass, {"trigger": "event", "event_type": event}, conditions=list(conditions))
    hass.bus.async_fire(event)
    await hass.async_block_till_done()
    return len(ran)


def a_visit(
    hub: Hub, person_id: str | None = None, decision: Decision = Decision.FAMILIAR, **more: Any
) -> Visit:
    """Return a visit that says another name than the person has."""
    said: dict[str, Any] = {"name": "Said by the engine's side", "confidence": 0.95} | more
    return made_up_visits.a_visit(hub, person_id, decision, **said)


def device_of(hass: HomeAssistant, of: str) -> str:
    """Return the id of the device of a camera or a person."""
    (device,) = [each for each in dr.async_get(hass).devices if (DOMAIN, of) in each.identifiers]
    return device.id


async def somebody(
    hass: HomeAssistant, hub: Hub, person_id: str, *, visits_for: timedelta | None = None, **choices: Any
) -> str:
    """Put somebody on record who agreed a while ago, and return the id of their device."""
    now = dt_util.utcnow()
    consent = a_consent(now - 40 * DAY, now + 300 * DAY, choices=Choices(**choices))
    await put_on_record(hass, hub, replace(consent, visits_for=visits_for), person_id, person_id.title())
    return device_of(hass, person_id)
