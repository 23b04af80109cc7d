"""The flow of a camera: which, when it is looked at, and whether it shows faces well."""

from typing import Any

from homeassistant.components.camera.const import DOMAIN as CAMERA_DOMAIN
from homeassistant.components.image.const import DOMAIN as IMAGE_DOMAIN
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntryState, SubentryFlowResult
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    EntitySelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from ..capture.camera_settings import is_image
from ..capture.suggesting import async_suggest_triggers
from ..capture.triggers import async_own_entities
from ..const import (
    CONF_CAMERA,
    CONF_EVENT_PICTURE,
    CONF_EVENT_TYPES,
    CONF_MODE,
    CONF_POSTERS,
    CONF_PUBLIC_SPACE,
    CONF_ROLES,
    CONF_SOURCE,
    CONF_TRIGGERS,
    CONF_TURN,
    SUBENTRY_CAMERA,
    Mode,
)
from ..people.names import cleaned
from .camera_pictures import PictureSteps

MODE = SelectSelector(
    SelectSelectorConfig(options=list(Mode), translation_key="mode", mode=SelectSelectorMode.LIST)
)


class CameraFlow(PictureSteps):
    """The steps of adding or changing a camera."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask which camera, when to look, and what it sees."""
        return await self._async_step_camera("user", user_input)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask the same again."""
        if not self._data:
            self._data = dict(self._get_reconfigure_subentry().data)
            self._chosen = CONF_SOURCE in self._data
        return await self._async_step_camera("reconfigure", user_input)

    async def _async_step_camera(self, step_id: str, user_input: dict[str, Any] | None) -> SubentryFlowResult:
        entry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        errors: dict[str, str] = {}
        if user_input is not None:
            mode = user_input[CONF_MODE]
            if user_input[CONF_PUBLIC_SPACE] and mode == Mode.ALWAYS:
                errors[CONF_MODE] = "always_in_public"
            elif mode == Mode.ALWAYS and is_image(user_input[CONF_CAMERA]):
                errors[CONF_MODE] = "always_without_camera"
            elif self.hass.states.get(user_input[CONF_CAMERA]) is None:
                errors[CONF_CAMERA] = "no_such_camera"
            else:
                if mode != self._data.get(CONF_MODE):
                    # What starts a look on motion is not what starts one on a ring.
                    for key in (CONF_TRIGGERS, CONF_ROLES, CONF_EVENT_TYPES):
                        self._data.pop(key, None)
                if user_input[CONF_CAMERA] != self._data.get(CONF_CAMERA):
                    # Another camera has other pictures.
                    for key in (CONF_SOURCE, CONF_EVENT_PICTURE, CONF_TURN, CONF_POSTERS):
                        self._data.pop(key, None)
                    self._chosen = False
                self._data |= user_input
                if mode == Mode.ALWAYS:
                    self._data[CONF_TRIGGERS] = []
                    return await self.async_step_try()
                if mode == Mode.ON_RING and self.source != SOURCE_RECONFIGURE:
                    # What belongs with the camera is not asked; the last page shows it.
                    doorbells, _motion = async_suggest_triggers(self.hass, self._data[CONF_CAMERA])
                    if doorbells and CONF_TRIGGERS not in self._data:
                        self._data[CONF_TRIGGERS] = doorbells
                        return await self.async_step_events()
                return await self.async_step_triggers()
        taken = [
            each.data[CONF_CAMERA]
            for each in entry.subentries.values()
            if each.subentry_type == SUBENTRY_CAMERA and each.data[CONF_CAMERA] != self._data.get(CONF_CAMERA)
        ]
        excluded = [*taken, *async_own_entities(self.hass)]
        left = set(self.hass.states.async_entity_ids(CAMERA_DOMAIN)) - set(excluded)
        suggested = {CONF_CAMERA: left.pop()} if len(left) == 1 else {}
        schema = vol.Schema(
            {
                vol.Required(CONF_CAMERA): EntitySelector(
                    EntitySelectorConfig(domain=[CAMERA_DOMAIN, IMAGE_DOMAIN], exclude_entities=excluded)
                ),
                vol.Required(CONF_MODE, default=Mode.ON_RING): MODE,
                vol.Required(CONF_PUBLIC_SPACE, default=False): BooleanSelector(),
            }
        )
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, user_input or self._data or suggested),
            errors=errors,
        )

    async def async_step_save(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Keep the camera."""
        entity_id = self._data[CONF_CAMERA]
        state = self.hass.states.get(entity_id)
        # Some cameras on the network say themselves what they are called.
        title = (cleaned(state.name) if state is not None else "") or entity_id
        registry_entry = er.async_get(self.hass).async_get(entity_id)
        unique_id = registry_entry.id if registry_entry is not None else entity_id
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_and_abort(
                self._get_entry(),
                self._get_reconfigure_subentry(),
                data=self._data,
                title=title,
                unique_id=unique_id,
            )
        for subentry in self._get_entry().subentries.values():
            if subentry.unique_id == unique_id:
                return self.async_abort(reason="already_configured")
        return self.async_create_entry(title=title, data=self._data, unique_id=unique_id)
