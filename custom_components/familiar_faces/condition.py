"""Conditions: somebody is present, or was seen a short time ago."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Final, Unpack, cast, override

from homeassistant.const import CONF_FOR, CONF_OPTIONS, CONF_TARGET, STATE_ON, Platform
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.condition import (
    ATTR_BEHAVIOR,
    BEHAVIOR_ALL,
    BEHAVIOR_ANY,
    Condition,
    ConditionCheckParams,
    ConditionConfig,
    EntityStateConditionBase,
)
from homeassistant.helpers.target import TargetSelection
from homeassistant.helpers.typing import ConfigType, TemplateVarsType
import voluptuous as vol

from .const import ATTR_VISIT_ID, DOMAIN, KEY_PRESENT
from .household.period import period
from .running import async_running_hub
from .seen.recent import Cause, was_seen
from .seen.visit_filter import CAMERA_OPTION, PERSON_OPTION, async_check_devices, async_sought
from .visits.visit import Decision

CONF_KIND: Final = "kind"
CONF_WITHIN: Final = "within"

_TARGET: Final = {vol.Optional(CONF_TARGET): cv.TARGET_FIELDS}
_KINDS: Final = [str(decision) for decision in Decision]


class IsPresent(EntityStateConditionBase):
    """People are present, as their binary sensors say.

    The target is people, by these sensors; without one it is everybody. Of nobody at all it is never true.
    """

    _domain_specs = {Platform.BINARY_SENSOR: DomainSpec()}
    _states = {STATE_ON}
    _schema = vol.Schema(
        {
            **_TARGET,
            vol.Required(CONF_OPTIONS, default={}): {
                vol.Required(ATTR_BEHAVIOR, default=BEHAVIOR_ANY): vol.In([BEHAVIOR_ANY, BEHAVIOR_ALL]),
                vol.Optional(CONF_FOR): period,
            },
        }
    )

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Ask for these people."""
        config.target = config.target or {}
        super().__init__(hass, config)
        self._everybody = not TargetSelection(config.target).has_any_target

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        """Return the sensors among the entities; all there are when everybody is meant."""
        registry = er.async_get(self._hass)
        entries: Iterable[er.RegistryEntry | None] = (
            registry.entities.values() if self._everybody else map(registry.async_get, entities)
        )
        return {entry.entity_id for entry in entries if entry is not None and _says_presence(entry)}

    @property
    @override
    def needs_polling(self) -> bool:
        """Return whether the result can change without notice: people may come and go."""
        return self._everybody or super().needs_polling

    @override
    def _check_all_match_state(self, states: list[State]) -> bool:
        return bool(states) and super()._check_all_match_state(states)


@callback
def _says_presence(entry: er.RegistryEntry) -> bool:
    return (
        entry.platform == DOMAIN
        and entry.domain == Platform.BINARY_SENSOR
        and entry.unique_id.endswith(f"_{KEY_PRESENT}")
    )


class WasSeenWithin(Condition):
    """Somebody was seen at a camera a short time ago.

    The target is as in the triggers. The visit that set the automation off does not count, so that "not seen
    within the last hour" says that somebody came for the first time in an hour. It counts when its visitor is
    seen again afterwards, so that an automation can wait until they have gone.
    """

    _schema: ClassVar[vol.Schema] = vol.Schema(
        {
            **_TARGET,
            vol.Required(CONF_OPTIONS): {
                vol.Required(CONF_WITHIN): period,
                vol.Optional(CONF_KIND): vol.All(cv.ensure_list, [vol.In(_KINDS)]),
                **PERSON_OPTION,
                **CAMERA_OPTION,
            },
        }
    )

    @override
    @classmethod
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Validate what was chosen, which may be before there is an entry."""
        config = cast(ConfigType, cls._schema(config))
        async_check_devices(hass, config)
        return config

    def __init__(self, hass: HomeAssistant, config: ConditionConfig) -> None:
        """Ask for these visits."""
        super().__init__(hass, config)
        self._target = config.target
        self._options = config.options or {}

    @override
    def _async_check(self, **kwargs: Unpack[ConditionCheckParams]) -> bool:
        """Return whether such a visit was."""
        return async_was_seen(self._hass, self._target, self._options, kwargs.get("variables"))


@callback
def async_was_seen(
    hass: HomeAssistant, target: ConfigType | None, options: ConfigType, variables: TemplateVarsType
) -> bool:
    """Return whether somebody was seen; `options` are those of `WasSeenWithin`."""
    kinds = [Decision(kind) for kind in options.get(CONF_KIND) or _KINDS]
    if (hub := async_running_hub(hass)) is None:
        return False
    sought = async_sought(hass, kinds, target, options)
    return was_seen(hub.board, sought, options[CONF_WITHIN], _cause(variables))


def _cause(variables: TemplateVarsType) -> Cause | None:
    """Return the visit that set an automation off, if it was one."""
    trigger: Any = (variables or {}).get("trigger")
    if not isinstance(trigger, dict) or not isinstance(visit_id := trigger.get(ATTR_VISIT_ID), str):
        return None
    seen_at = trigger.get("last_seen_at")
    return Cause(visit_id, seen_at if isinstance(seen_at, datetime) else None)


CONDITIONS: Final[dict[str, type[Condition]]] = {
    "is_present": IsPresent,
    "was_seen_within": WasSeenWithin,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions."""
    return CONDITIONS
