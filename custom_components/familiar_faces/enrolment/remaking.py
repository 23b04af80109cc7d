"""Makes templates again from the reference photos when the engine has another model than the one that made them.

One photo after the other, each written at once: what is ready stays ready when it is stopped half-way, and the rest
follows at the next start. The photos themselves are only read.
"""

import asyncio
from dataclasses import dataclass
import logging

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..const import PHOTO_SECONDS
from ..engine.protocol import Face, Faces
from ..host.engine_errors import EngineError, ImageRejected
from ..household.household import Household
from ..household.issues import async_check_remaking
from ..vault.errors import ConsentMissing, UnknownPerson, UnknownTemplate, VaultError

_LOGGER = logging.getLogger(__name__)

AGAIN = 5.0
AGAIN_MOST = 300.0
"""Seconds until it goes on after the engine or the vault failed, at first and at most."""
LEAST_FACE = 20
"""Pixels. A reference photo is cut to twice the width of its face, which may have been small."""


class _Elsewhere(Exception):
    """The engine has another model by now."""


@dataclass(slots=True)
class _Progress:
    total: int
    done: int = 0
    unusable: int = 0


class Remaking:
    """Follows the engine's model, in the background."""

    def __init__(self, household: Household) -> None:
        """Begin whenever the engine's model is known."""
        self._household = household
        self._task: asyncio.Task[None] | None = None
        self._stopped = False
        household.roster.on_model = self._async_begin

    async def async_stop(self) -> None:
        """Stop where it is."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    @callback
    def _async_begin(self) -> None:
        # One that is at work sees the change itself.
        if not self._stopped and (self._task is None or self._task.done()):
            household = self._household
            self._task = household.entry.async_create_background_task(
                household.hass, self._async_run(), "familiar_faces templates of another model"
            )

    async def _async_run(self) -> None:
        pause = AGAIN
        while True:
            try:
                await self._async_remake()
            except _Elsewhere:
                pause = AGAIN
            except (EngineError, VaultError) as err:
                _LOGGER.debug("The reference photos are not all ready, it goes on in %.0f s: %s", pause, err)
                await asyncio.sleep(pause)
                pause = min(2 * pause, AGAIN_MOST)
            else:
                return

    async def _async_remake(self) -> None:
        """Make all templates that are of another model; raise _Elsewhere, EngineError or VaultError."""
        household = self._household
        assert household.gallery is not None
        model, now = household.gallery.model, dt_util.utcnow()
        todo = {
            person.person_id: templates
            for person in household.people.values()
            if person.may_be_recognised(now)
            and (templates := [each.template_id for each in person.templates if each.model != model])
        }
        progress = _Progress(sum(map(len, todo.values())))
        if progress.total:
            _LOGGER.info("%d reference photos are made ready for the model %s", progress.total, model)
        for person_id, templates in todo.items():
            for template_id in templates:
                self._say(progress)
                progress.unusable += not await self._async_one(person_id, template_id, model)
                progress.done += 1
            # Each person is recognised once their photos are ready, and does not wait for the others.
            await household.async_refresh_people()
        if household.gallery.model != model:
            raise _Elsewhere
        self._say(progress)

    def _say(self, progress: _Progress) -> None:
        async_check_remaking(
            self._household.hass, done=progress.done, total=progress.total, unusable=progress.unusable
        )

    async def _async_one(self, person_id: str, template_id: str, model: str) -> bool:
        """Make one template; return whether the photo shows a face to this model, or is no longer there."""
        household = self._household
        try:
            photo = await household.hass.async_add_executor_job(household.vault.reference_photo, template_id)
            seen = await household.client.faces(
                photo, min_face=LEAST_FACE, mirrored=True, upload=True, timeout=PHOTO_SECONDS
            )
            if household.gallery is None or {seen.model, household.gallery.model} != {model}:
                raise _Elsewhere
            if (face := _in_the_middle(seen)) is None:
                return False
            await household.hass.async_add_executor_job(
                lambda: household.vault.remake_reference(
                    person_id, template_id, embedding=face.embedding, model=model, now=dt_util.utcnow()
                )
            )
        except ImageRejected:
            return False
        except UnknownPerson, UnknownTemplate, ConsentMissing:
            # Erased, or no longer agreed to, since it was read.
            return True
        return True


def _in_the_middle(seen: Faces) -> Face | None:
    """Return the face that a reference photo was cut around: others may reach into it."""
    width, height = seen.size

    def away(face: Face) -> float:
        left, top, wide, high = face.box
        return abs(left + wide / 2 - width / 2) / width + abs(top + high / 2 - height / 2) / height

    return min(seen.faces, key=away, default=None)
