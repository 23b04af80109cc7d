"""The flow of a camera: which, when it is looked at, and whether it shows faces well."""

from typing import TYPE_CHECKING, Any

from homeassistant.components.camera import async_get_image
from homeassistant.components.camera.const import DOMAIN as CAMERA_DOMAIN
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.exceptions import HomeAssistantError
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

from ..capture.triggers import TRIGGER_DOMAINS, async_may_ring, async_own_entities, async_suggest_triggers
from ..const import (
    CONF_CAMERA,
    CONF_MODE,
    CONF_PUBLIC_SPACE,
    CONF_TRIGGERS,
    ENGINE_PATIENCE,
    SUBENTRY_CAMERA,
    Mode,
)
from ..host.engine_errors import EngineError, ImageRejected
from ..people.choices import NO_CAMERA
from ..wording.words import async_say

if TYPE_CHECKING:
    from ..hub import FamiliarFacesConfigEntry

MODE = SelectSelector(
    SelectSelectorConfig(options=list(Mode), translation_key="mode", mode=SelectSelectorMode.LIST)
)


class CameraFlow(ConfigSubentryFlow):
    """The steps of adding or changing a camera."""

    def __init__(self) -> None:
        """Start with nothing chosen."""
        self._data: dict[str, Any] = {}

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask which camera, when to look, and what it sees."""
        return await self._async_step_camera("user", user_input)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask the same again."""
        if not self._data:
            self._data = dict(self._get_reconfigure_subentry().data)
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
            elif self.hass.states.get(user_input[CONF_CAMERA]) is None:
                errors[CONF_CAMERA] = "no_such_camera"
            else:
                if mode != self._data.get(CONF_MODE):
                    # What starts a look on motion is not what starts one on a ring.
                    self._data.pop(CONF_TRIGGERS, None)
                self._data |= user_input
                if mode == Mode.ALWAYS:
                    self._data[CONF_TRIGGERS] = []
                    return await self.async_step_still()
                return await self.async_step_triggers()
        taken = [
            each.data[CONF_CAMERA]
            for each in entry.subentries.values()
            if each.subentry_type == SUBENTRY_CAMERA and each.data[CONF_CAMERA] != self._data.get(CONF_CAMERA)
        ]
        schema = vol.Schema(
            {
                vol.Required(CONF_CAMERA): EntitySelector(
                    EntitySelectorConfig(domain=CAMERA_DOMAIN, exclude_entities=taken)
                ),
                vol.Required(CONF_MODE, default=Mode.ON_RING): MODE,
                vol.Required(CONF_PUBLIC_SPACE, default=False): BooleanSelector(),
            }
        )
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, user_input or self._data),
            errors=errors,
        )

    async def async_step_triggers(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask which entities start a look; suggest those of the camera's device and area."""
        errors: dict[str, str] = {}
        chosen: list[str] = self._data.get(CONF_TRIGGERS, [])
        own = async_own_entities(self.hass)
        on_ring = self._data[CONF_MODE] == Mode.ON_RING
        if user_input is not None:
            chosen = user_input.get(CONF_TRIGGERS, [])
            if not chosen:
                errors[CONF_TRIGGERS] = "no_trigger"
            elif not set(chosen).isdisjoint(own):
                errors[CONF_TRIGGERS] = "own_trigger"
            elif on_ring and not all(async_may_ring(self.hass, each) for each in chosen):
                errors[CONF_TRIGGERS] = "not_a_ring"
            else:
                self._data[CONF_TRIGGERS] = chosen
                return await self.async_step_still()
        if not chosen:
            doorbells, motion = async_suggest_triggers(self.hass, self._data[CONF_CAMERA])
            chosen = doorbells if on_ring else [*motion, *doorbells]
        triggers = EntitySelector(
            EntitySelectorConfig(domain=TRIGGER_DOMAINS, multiple=True, exclude_entities=own)
        )
        return self.async_show_form(
            step_id="triggers",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema({vol.Optional(CONF_TRIGGERS): triggers}),
                {CONF_TRIGGERS: [each for each in chosen if each not in own]},
            ),
            errors=errors,
        )

    async def async_step_still(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Take a still and say in words what was found in it."""
        return self.async_show_menu(
            step_id="still",
            menu_options=["save", "again"],
            description_placeholders={
                "found": await self._async_look_at_still(),
                "agreed": await self._async_who_agreed(),
            },
        )

    async def async_step_again(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Take another still."""
        return await self.async_step_still()

    async def async_step_save(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Keep the camera."""
        entity_id = self._data[CONF_CAMERA]
        state = self.hass.states.get(entity_id)
        title = state.name if state is not None else entity_id
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

    async def _async_who_agreed(self) -> str:
        """Return who gets no name at this camera, because they did not agree to it."""
        entry: FamiliarFacesConfigEntry = self._get_entry()
        camera_id = (
            self._get_reconfigure_subentry().subentry_id if self.source == SOURCE_RECONFIGURE else NO_CAMERA
        )
        people = entry.runtime_data.people.values()
        without = sorted(person.name for person in people if not person.choices.at(camera_id))
        if not people:
            return await async_say(self.hass, "still_agreed", "nobody_yet")
        if not without:
            return await async_say(self.hass, "still_agreed", "everybody")
        key = "nobody" if len(without) == len(people) else "some"
        return await async_say(self.hass, "still_agreed", key, names=", ".join(without))

    async def _async_look_at_still(self) -> str:
        """Return what a still of the camera shows, in words. The still is not kept."""
        entry: FamiliarFacesConfigEntry = self._get_entry()
        try:
            image = await async_get_image(self.hass, self._data[CONF_CAMERA])
            await entry.runtime_data.engine.wait_ready(ENGINE_PATIENCE)
            faces = (await entry.runtime_data.client.faces(image.content)).faces
        except ImageRejected:
            return await async_say(self.hass, "still", "not_an_image")
        except EngineError:
            return await async_say(self.hass, "still", "engine_failed")
        except HomeAssistantError:
            return await async_say(self.hass, "still", "camera_failed")
        if not faces:
            return await async_say(self.hass, "still", "no_face")
        best = max(faces, key=lambda face: face.box[2])
        verdict = await async_say(self.hass, "quality", best.quality.reason or "good")
        key = "one_face" if len(faces) == 1 else "several_faces"
        return await async_say(
            self.hass, "still", key, count=len(faces), width=round(best.box[2]), verdict=verdict
        )
