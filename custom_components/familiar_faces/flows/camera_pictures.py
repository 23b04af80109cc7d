"""The steps of a camera's flow about its pictures: each way to get them is tried, and the owner may choose another."""

import asyncio
import logging
from typing import TYPE_CHECKING, Any, override

from homeassistant.components.image.const import DOMAIN as IMAGE_DOMAIN
from homeassistant.config_entries import SOURCE_RECONFIGURE, SubentryFlowResult
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    EntitySelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from ..capture.camera_settings import MAX_SECONDS, MAX_WAIT, MIN_SECONDS, camera_settings
from ..capture.trying import Tried, async_try, best_of, shown_of, wider_than
from ..const import (
    CONF_EVENT_PICTURE,
    CONF_JUDGE,
    CONF_ONE_PICTURE,
    CONF_SECONDS,
    CONF_SOURCE,
    CONF_STREAM,
    CONF_TRIGGERS,
    CONF_TURN,
    CONF_WAIT,
    DOMAIN,
    ENGINE_PATIENCE,
    PictureSource,
    StreamOpen,
)
from ..host.engine_errors import EngineError
from ..people.choices import NO_CAMERA
from ..people.names import cleaned
from ..wording.words import async_say
from .camera_triggers import TriggerSteps
from .framed_picture import framed

if TYPE_CHECKING:
    from ..alerts.pictures import PictureStore
    from ..hub import FamiliarFacesConfigEntry

_LOGGER = logging.getLogger(__name__)

AT_ONCE = 1.0
"""Seconds that are waited for before progress is shown: what is quick needs no step of its own."""

SOURCES = SelectSelector(
    SelectSelectorConfig(
        options=list(PictureSource), translation_key="picture_source", mode=SelectSelectorMode.LIST
    )
)
STREAM = SelectSelector(
    SelectSelectorConfig(
        options=list(StreamOpen), translation_key="stream_open", mode=SelectSelectorMode.LIST
    )
)
TURN = SelectSelector(
    SelectSelectorConfig(
        options=["0", "90", "180", "270"], translation_key="turn", mode=SelectSelectorMode.DROPDOWN
    )
)


class PictureSteps(TriggerSteps):
    """Shows what the camera's pictures are like, and asks how they are taken."""

    _chosen = False
    """Whether the owner chose where pictures come from."""
    _turned = 0
    """By how many degrees clockwise what was tried has to be turned, besides what is set."""
    _trying: asyncio.Task[str] | None = None
    _found = ""
    """What was found at the last try, in words."""
    _still = ""
    """The picture of the last try as Markdown, with a frame around each face; "" without one."""
    _pictures: PictureStore | None = None
    """Where it is held."""

    @override
    @callback
    def async_remove(self) -> None:
        """Show the still no longer: it was for this dialog alone."""
        super().async_remove()
        self._async_hide_still()

    @callback
    def _async_hide_still(self) -> None:
        self._still = ""
        if self._pictures is not None:
            self._pictures.async_take_back(self.flow_id)

    async def async_step_try(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Try each way to get pictures, and show that it takes a while where it does."""
        if self._trying is None:
            # Ends with the dialog: Home Assistant cancels what a step shows the progress of.
            self._trying = self._get_entry().async_create_background_task(
                self.hass, self._async_found(), f"{DOMAIN} camera's pictures"
            )
            await asyncio.wait([self._trying], timeout=AT_ONCE)
        if not self._trying.done():
            return self.async_show_progress(step_id="try", progress_action="try", progress_task=self._trying)
        return self.async_show_progress_done(next_step_id="still")

    async def async_step_still(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Show what was found, and say it in words."""
        if self._trying is not None:
            try:
                self._found = await self._trying
            except Exception:
                # Whatever a camera's integration raised, the camera can be saved.
                _LOGGER.exception("A camera could not be tried")
                self._found = await async_say(self.hass, "still", "camera_failed")
            self._trying = None
        options = ["save", "again"]
        if self._data[CONF_TRIGGERS]:
            options.append("triggers")
        options.append("pictures")
        return self.async_show_menu(
            step_id="still",
            menu_options=options,
            description_placeholders={
                "found": self._found,
                "picture": self._still,
                "starts": await self._async_say_starts(),
                "agreed": await self._async_who_agreed(),
            },
        )

    async def async_step_again(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Try again."""
        return await self.async_step_try()

    async def async_step_pictures(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask how pictures are taken."""
        errors: dict[str, str] = {}
        settings = camera_settings(self._data)
        if user_input is not None:
            event = user_input[CONF_SOURCE] == PictureSource.EVENT
            if event and not user_input.get(CONF_EVENT_PICTURE):
                errors[CONF_EVENT_PICTURE] = "no_event_picture"
            elif user_input[CONF_JUDGE] and not settings.judge and not await self._async_engine_judges():
                errors[CONF_JUDGE] = "engine_too_old_to_judge"
            else:
                self._chosen = True
                self._data.pop(CONF_EVENT_PICTURE, None)
                self._data |= user_input | {CONF_TURN: int(user_input[CONF_TURN])}
                return await self.async_step_try()
        schema = vol.Schema(
            {
                vol.Required(CONF_SOURCE): SOURCES,
                vol.Required(CONF_STREAM): STREAM,
                vol.Optional(CONF_EVENT_PICTURE): EntitySelector(EntitySelectorConfig(domain=IMAGE_DOMAIN)),
                vol.Required(CONF_ONE_PICTURE): BooleanSelector(),
                vol.Required(CONF_JUDGE, default=False): BooleanSelector(),
                vol.Required(CONF_TURN): TURN,
                vol.Required(CONF_WAIT): _seconds(0, MAX_WAIT, 0.5),
                vol.Required(CONF_SECONDS): _seconds(MIN_SECONDS, MAX_SECONDS, 1),
            }
        )
        values = user_input or {
            CONF_SOURCE: settings.source or PictureSource.STREAM,
            CONF_STREAM: settings.stream,
            CONF_EVENT_PICTURE: settings.event_picture,
            CONF_ONE_PICTURE: settings.one_picture,
            CONF_JUDGE: settings.judge,
            CONF_TURN: str((settings.turn + self._turned) % 360),
            CONF_WAIT: settings.wait,
            CONF_SECONDS: settings.seconds,
        }
        return self.async_show_form(
            step_id="pictures",
            data_schema=self.add_suggested_values_to_schema(schema, values),
            errors=errors,
        )

    async def _async_engine_judges(self) -> bool:
        """Return whether the engine can judge faces; one that does not answer is not held up for it."""
        entry: FamiliarFacesConfigEntry = self._get_entry()
        try:
            return (await entry.runtime_data.client.health()).judges
        except EngineError:
            return True

    async def _async_found(self) -> str:
        """Return what each way to get pictures shows, in words, and choose the best. No picture is kept."""
        entry: FamiliarFacesConfigEntry = self._get_entry()
        hub = entry.runtime_data
        self._async_hide_still()
        if not await hub.engine.wait_ready(ENGINE_PATIENCE):
            return await async_say(self.hass, "still", "engine_failed")
        tried = await async_try(self.hass, hub.cameras, lambda: hub.client, camera_settings(self._data))
        best = best_of(tried)
        self._turned = 0 if best is None else best.turned
        if best is not None and not self._chosen:
            self._data[CONF_SOURCE] = str(best.source)
            if best.source is PictureSource.EVENT and best.entity_id is not None:
                self._data[CONF_EVENT_PICTURE] = best.entity_id
        await self._async_show_still(shown_of(tried, best))
        own = [each for each in tried if not each.other]
        lines = [await self._async_say_tried(each) for each in own]
        said = lines
        if len(own) > 1:
            names = [await async_say(self.hass, "picture_source", each.source) for each in own]
            said = [f"- **{name}**: {line}" for name, line in zip(names, lines, strict=True)]
        if (wider := wider_than(tried, best)) is not None:
            state = self.hass.states.get(wider.entity_id or "")
            name = cleaned(state.name if state is not None else "") or (wider.entity_id or "")
            width = round(wider.width)
            said += ["", await async_say(self.hass, "still", "wider", camera=name, width=width)]
        if best is not None and len(own) > 1:
            used = await async_say(
                self.hass, "picture_source", camera_settings(self._data).source or best.source
            )
            said.append("")
            said.append(await async_say(self.hass, "still", "used", source=used))
        return "\n".join(said)

    async def _async_show_still(self, tried: Tried | None) -> None:
        """Show a picture in this dialog, from memory; that faces were shown is noted."""
        if tried is None or tried.picture is None or tried.faces is None:
            return
        drawn = await self.hass.async_add_executor_job(framed, tried.picture, tried.faces, tried.turn)
        if drawn is None:
            return
        entry: FamiliarFacesConfigEntry = self._get_entry()
        hub = entry.runtime_data
        self._pictures = hub.alerts.pictures
        if (path := hub.alerts.async_show(self.flow_id, drawn)) is None:
            return
        if tried.faces.faces:
            await hub.viewings.async_note(None)
        self._still = f"![]({path})\n\n"

    async def _async_say_starts(self) -> str:
        names = [self._name(each) for each in self._data[CONF_TRIGGERS]]
        if not names:
            return await async_say(self.hass, "still", "starts_always")
        return await async_say(self.hass, "still", "starts", triggers=", ".join(names))

    async def _async_say_tried(self, tried: Tried) -> str:
        said = await self._async_say_faces(tried)
        if tried.seconds is not None and tried.finding is None:
            said += " " + await async_say(self.hass, "still", "took", seconds=f"{tried.seconds:.1f}")
        if tried.turned:
            said += " " + await async_say(self.hass, "still", "turned", degrees=tried.turned)
        return said

    async def _async_say_faces(self, tried: Tried) -> str:
        if tried.faces is None:
            return await async_say(self.hass, "still", tried.finding or "camera_failed")
        said = ""
        if tried.finding is not None:
            said = " " + await async_say(self.hass, "still", tried.finding)
        faces = tried.faces.faces
        if not faces:
            return await async_say(self.hass, "still", "no_face") + said
        best = max(faces, key=lambda face: face.box[2])
        verdict = await async_say(self.hass, "quality", best.quality.reason or "good")
        key = "one_face" if len(faces) == 1 else "several_faces"
        return (
            await async_say(
                self.hass, "still", key, count=len(faces), width=round(best.box[2]), verdict=verdict
            )
            + said
        )

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


def _seconds(least: float, most: float, step: float) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(
            min=least, max=most, step=step, unit_of_measurement="s", mode=NumberSelectorMode.BOX
        )
    )
