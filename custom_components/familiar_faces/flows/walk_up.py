"""The walk-up steps of a person's flow: look at a camera, and be told what to do until enough faces are taken."""

import asyncio
from dataclasses import dataclass, field
import logging
from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SubentryFlowResult
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import voluptuous as vol

from ..const import CONF_CAMERA, DOMAIN
from ..enrolment.walking_up import WALK_UP_SECONDS, WANTED, Ended, Instruction, WalkUp, cameras_for
from ..vault.errors import VaultError
from ..wording.words import async_say
from .photo_steps import PhotoSteps

_LOGGER = logging.getLogger(__name__)

READABLE = 1.2
"""Seconds for which each hint is shown at least."""
HEARD = 0.5
"""Seconds that a step takes at least: the frontend listens for the end of one only once it shows it."""


@dataclass(slots=True, eq=False)
class _Walk:
    """A walk-up, and what the dialog shows of it."""

    up: WalkUp
    shown: Instruction = field(default_factory=Instruction)
    """What is shown while the camera is looked at."""
    round: asyncio.Task[None] | None = None


class WalkUpSteps(PhotoSteps):
    """Takes photos with one of the cameras, and says all the while what would help."""

    _walk: _Walk | None = None

    async def async_step_walk_up(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask which camera to look at. It is not looked at before, and never without a consent."""
        try:
            cameras = cameras_for(self._hub, self._hub.cameras, await self._async_stored())
        except VaultError:
            # The menu reads it again, and says so.
            return await self.async_step_photos()
        if not cameras:
            self._verdict = await async_say(self.hass, "photo_verdict", "no_camera")
            return await self.async_step_photos()
        if user_input is not None and user_input[CONF_CAMERA] in cameras:
            self._walk = _Walk(
                WalkUp(
                    self._hub,
                    self._hub.cameras,
                    self._person_id,
                    user_input[CONF_CAMERA],
                    turn=f"walk-up {self.flow_id}",
                    enrolled=self.source == SOURCE_RECONFIGURE,
                )
            )
            return await self.async_step_look()
        options = [SelectOptionDict(value=key, label=title) for key, title in cameras.items()]
        choice = SelectSelector(SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST))
        return self.async_show_form(
            step_id="walk_up",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema({vol.Required(CONF_CAMERA): choice}), {CONF_CAMERA: next(iter(cameras))}
            ),
            description_placeholders={"name": self._name, "seconds": str(WALK_UP_SECONDS)},
        )

    async def async_step_look(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Say what to do now, until there is something else to say or the walk-up has ended."""
        walk = self._walk
        assert walk is not None, "a camera was chosen"
        if walk.round is not None and walk.round.done():
            self._end_of_round(walk)
            walk.round = None
        if walk.up.ended is not None:
            self._walk = None
            self._verdict = await async_say(
                self.hass,
                "walk_up",
                walk.up.ended,
                name=self._name,
                taken=len(walk.up.guide.taken),
                wanted=WANTED,
            )
            return self.async_show_progress_done(next_step_id="photos")
        if walk.round is None:
            walk.shown = walk.up.advised
            # Ends with the dialog: Home Assistant cancels what a step shows the progress of.
            walk.round = self._hub.entry.async_create_background_task(
                self.hass, self._async_round(walk), f"{DOMAIN} walk-up"
            )
        return self.async_show_progress(
            step_id="look",
            progress_action=walk.shown.hint,
            description_placeholders={
                "name": self._name,
                "other": walk.shown.other,
                "settled": str(walk.shown.settled),
                "wanted": str(WANTED),
            },
            progress_task=walk.round,
        )

    @staticmethod
    def _end_of_round(walk: _Walk) -> None:
        """Take note of how a round ended that did not end by itself."""
        assert walk.round is not None
        if walk.round.cancelled():
            walk.up.ended = Ended.STOPPED
        elif (err := walk.round.exception()) is not None:
            # Whatever it was, the dialog must not stand still.
            _LOGGER.error("A walk-up failed", exc_info=err)
            walk.up.ended = Ended.STOPPED

    async def _async_round(self, walk: _Walk) -> None:
        """Look at frames until there is something else to say, or the walk-up has ended."""
        loop = self.hass.loop
        began = loop.time()

        def goes_on() -> bool:
            if walk.up.guide.settled:
                self.async_update_progress(walk.up.guide.settled / WANTED)
            return walk.up.advised == walk.shown or loop.time() < began + READABLE

        await walk.up.async_follow(goes_on)
        await asyncio.sleep(began + HEARD - loop.time())
