"""What tests of triggers and conditions need: automations that note when they ran, and visits to tell of."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from homeassistant.components.automation.const import DOMAIN as AUTOMATION
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from custom_components.familiar_faces.const import DOMAIN, signal_seen_again, signal_visit
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.visits.visit import Decision, UnclearReason, Visit
from custom_components.familiar_faces.visits.watcher import Timing

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
    hub: Hub,
    person_id: str | None = None,
    decision: Decision = Decision.FAMILIAR,
    *,
    camera_id: str | None = None,
    confidence: float = 0.95,
    ago: timedelta = timedelta(0),
) -> Visit:
    """Return a visit that began a while ago, and was seen then."""
    at = dt_util.utcnow() - ago
    familiar = decision is Decision.FAMILIAR
    return Visit(
        uuid4().hex,
        camera_id or next(iter(hub.watchers)),
        decision,
        at,
        at,
        3,
        person_id if familiar else None,
        "Said by the engine's side" if familiar else None,
        confidence if familiar else None,
        UnclearReason.NOT_SURE if decision is Decision.UNCLEAR else None,
    )


async def announce(hass: HomeAssistant, hub: Hub, *visits: Visit) -> None:
    """Tell of visits as the hub does."""
    for visit in visits:
        async_dispatcher_send(hass, signal_visit(hub.entry.entry_id), visit, Timing(1, 1, 1))
    await hass.async_block_till_done()


async def go_on(hass: HomeAssistant, hub: Hub, visit: Visit) -> None:
    """Tell that a visit goes on as the hub does."""
    async_dispatcher_send(hass, signal_seen_again(hub.entry.entry_id), visit)
    await hass.async_block_till_done()


def device_of(hass: HomeAssistant, of: str) -> str:
    """Return the id of the device of a camera or a person."""
    (device,) = [each for each in dr.async_get(hass).devices if (DOMAIN, of) in each.identifiers]
    return device.id
