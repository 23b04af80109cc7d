"""The steps of a camera's flow about what starts a look: which entities, what each means, and which of its events."""

from typing import Any

from homeassistant.config_entries import ConfigSubentryFlow, SubentryFlowResult
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from ..capture.suggesting import async_suggest_triggers
from ..capture.triggers import (
    TRIGGER_DOMAINS,
    async_event_types,
    async_likely_types,
    async_may_ring,
    async_own_entities,
    async_role,
)
from ..const import CONF_CAMERA, CONF_EVENT_TYPES, CONF_MODE, CONF_ROLES, CONF_TRIGGERS, Mode, Role

CONF_BELLS = "bells"
"""In the form: which of the triggers are bells. It is kept as their roles."""


class TriggerSteps(ConfigSubentryFlow):
    """Asks what starts a look."""

    def __init__(self) -> None:
        """Start with nothing chosen."""
        self._data: dict[str, Any] = {}

    async def async_step_try(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Go on once it is known what starts a look."""
        raise NotImplementedError

    async def async_step_triggers(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask which entities start a look; suggest those of the camera's device and area."""
        errors: dict[str, str] = {}
        own = async_own_entities(self.hass)
        on_ring = self._data[CONF_MODE] == Mode.ON_RING
        chosen: list[str] = self._data.get(CONF_TRIGGERS, [])
        bells: list[str] = [each for each in chosen if self._role(each) is Role.BELL]
        if user_input is not None:
            bells = user_input.get(CONF_BELLS, [])
            chosen = list(dict.fromkeys([*user_input.get(CONF_TRIGGERS, []), *bells]))
            if not chosen:
                errors[CONF_TRIGGERS] = "no_trigger"
            elif not set(chosen).isdisjoint(own):
                errors[CONF_TRIGGERS] = "own_trigger"
            elif on_ring and not all(async_may_ring(self.hass, each) for each in chosen):
                errors[CONF_TRIGGERS] = "not_a_ring"
            else:
                self._data[CONF_TRIGGERS] = chosen
                if not on_ring and CONF_BELLS in user_input:
                    self._data[CONF_ROLES] = {
                        each: str(Role.BELL if each in bells else Role.MOTION) for each in chosen
                    }
                return await self.async_step_events()
        elif not chosen:
            doorbells, motion = async_suggest_triggers(self.hass, self._data[CONF_CAMERA])
            chosen = doorbells if on_ring else [*motion, *doorbells]
            bells = doorbells
        selector = EntitySelector(
            EntitySelectorConfig(domain=TRIGGER_DOMAINS, multiple=True, exclude_entities=own)
        )
        fields: dict[Any, Any] = {vol.Optional(CONF_TRIGGERS): selector}
        if not on_ring:
            fields[vol.Optional(CONF_BELLS)] = selector
        return self.async_show_form(
            step_id="triggers",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(fields),
                {
                    CONF_TRIGGERS: [each for each in chosen if each not in own],
                    CONF_BELLS: [each for each in bells if each not in own],
                },
            ),
            errors=errors,
        )

    async def async_step_events(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask which events start a look, where a bell has none that is called a ring."""
        asked = [each for each in self._data[CONF_TRIGGERS] if self._is_asked(each)]
        types: dict[str, list[str]] = dict(self._data.get(CONF_EVENT_TYPES, {}))
        types = {each: types[each] for each in asked if types.get(each)}
        if not asked:
            self._data.pop(CONF_EVENT_TYPES, None)
            return await self.async_step_try()
        errors: dict[str, str] = {}
        if user_input is not None:
            pairs = [each.partition("|") for each in user_input.get(CONF_EVENT_TYPES, [])]
            types = {each: [kind for entity_id, _, kind in pairs if entity_id == each] for each in asked}
            if all(types.values()):
                self._data[CONF_EVENT_TYPES] = types
                return await self.async_step_try()
            errors[CONF_EVENT_TYPES] = "never_fires"
        suggested = {each: types.get(each) or async_likely_types(self.hass, each) for each in asked}
        offered = {each: async_event_types(self.hass, each) for each in asked}
        options = [
            SelectOptionDict(value=f"{each}|{kind}", label=f"{self._name(each)}: {kind}")
            for each in asked
            for kind in offered[each]
        ]
        selector = SelectSelector(
            SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST)
        )
        return self.async_show_form(
            step_id="events",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema({vol.Optional(CONF_EVENT_TYPES): selector}),
                {
                    CONF_EVENT_TYPES: [
                        f"{each}|{kind}"
                        for each in asked
                        for kind in suggested[each]
                        if kind in offered[each]
                    ]
                },
            ),
            errors=errors,
        )

    def _role(self, entity_id: str) -> Role:
        chosen = self._data.get(CONF_ROLES, {}).get(entity_id)
        return Role(chosen) if chosen else async_role(self.hass, entity_id, Mode(self._data[CONF_MODE]))

    def _is_asked(self, entity_id: str) -> bool:
        """Return whether it has to be said which events of an entity count."""
        types = async_event_types(self.hass, entity_id)
        return bool(types) and "ring" not in types and self._role(entity_id) is Role.BELL

    def _name(self, entity_id: str) -> str:
        state = self.hass.states.get(entity_id)
        return entity_id if state is None else state.name
