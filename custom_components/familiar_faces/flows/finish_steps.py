"""The last steps of a person's flow: whether the photos are all of one person, and of nobody's look-alike."""

from typing import Any, override

from homeassistant.config_entries import SOURCE_RECONFIGURE, SubentryFlowResult
from homeassistant.core import callback
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..host.engine_errors import EngineIncompatible
from ..household.subentries import person_subentry
from ..people.likeness import look_alikes, outliers
from ..people.person import Person, Template
from ..people.templates import ENOUGH_PHOTOS, compared, count_distinct, leaves_one
from ..vault.errors import UnknownPerson, VaultError
from ..wording.words import async_say
from .person_steps import log_failure
from .photo_steps import CONF_PHOTOS, PhotoSteps, chosen_of, photos_schema


class FinishSteps(PhotoSteps):
    """Makes a person recognisable, once nothing is left to ask about the photos."""

    def __init__(self) -> None:
        """Start with nothing found."""
        super().__init__()
        self._asked: set[str] = set()
        """The templates that were last asked about."""
        self._alike = ""
        """Who looks like the person."""

    @override
    @callback
    def async_remove(self) -> None:
        """Show a person with a good photo; erase what was kept of one without."""
        super().async_remove()
        self._insist = []
        if self._enrolling or self._enrolled:
            self._hub.entry.async_create_task(self.hass, self._async_end(), "familiar_faces end of enrolment")

    async def _async_end(self) -> None:
        """Show a person whose dialog was closed, when there is enough to recognise them by."""
        entry = self._hub.entry
        try:
            # The camera may have taken a photo a moment ago.
            await self._async_save()
            if not self._enrolled:
                await self._hub.roster.async_abandon(self._person_id)
                return
            person = await self._async_stored()
        except VaultError as err:
            # Gone meanwhile, or the next start shows them.
            log_failure(err)
            return
        here = self.hass.config_entries.async_get_entry(entry.entry_id) is not None
        if here and self._person_id not in self._hub.roster.subentries():
            self.hass.config_entries.async_add_subentry(entry, person_subentry(person))

    async def async_step_finish(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Make the person recognisable, but ask first about photos that seem to show somebody else."""
        try:
            person = await self._async_stored()
            if not person.templates:
                return await self.async_step_photos()
            if await self._async_outliers(person):
                return await self.async_step_outliers()
            alike = await self._async_look_alikes(person)
            await self._async_save()
            if alike:
                self._alike = ", ".join(alike)
                return await self.async_step_look_alike()
            return await self._async_done(person)
        except (VaultError, EngineIncompatible) as err:
            return await self._async_not_finished(err)

    async def async_step_outliers(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask about photos that seem to show somebody else, and erase those that do."""
        errors: dict[str, str] = {}
        try:
            person = await self._async_stored()
            templates = person.templates
            if user_input is not None:
                chosen = chosen_of(templates, user_input)
                if leaves_one(templates, chosen):
                    return await self._async_answered(chosen)
                errors[CONF_PHOTOS] = "keep_one"
            odd = await self._async_outliers(person)
        except (VaultError, EngineIncompatible) as err:
            return await self._async_not_finished(err)
        self._asked = {each.template_id for each in odd}
        # When there is no telling which are right, none are proposed.
        unsure = len(odd) == len(compared(templates))
        suggested = {CONF_PHOTOS: [] if unsure else [each.template_id for each in odd]}
        numbers = [
            str(number) for number, each in enumerate(templates, start=1) if each.template_id in self._asked
        ]
        finding = "all" if unsure else "one" if len(numbers) == 1 else "some"
        return self.async_show_form(
            step_id="outliers",
            data_schema=self.add_suggested_values_to_schema(
                photos_schema(await self._async_labels(templates)), user_input or suggested
            ),
            errors=errors,
            description_placeholders={
                "name": self._name,
                "finding": await async_say(
                    self.hass, "outliers", finding, name=self._name, photos=", ".join(numbers)
                ),
                "pictures": await self._async_pictures(templates),
            },
        )

    async def _async_answered(self, chosen: list[str]) -> SubentryFlowResult:
        """Erase the photos that show somebody else, and go on; raises VaultError."""
        await self._async_erase_photos(chosen)
        self._kept |= self._asked - set(chosen)
        if chosen and count_distinct(await self._async_stored()) < ENOUGH_PHOTOS:
            self._verdict = await async_say(self.hass, "photo_verdict", "removed")
            return await self.async_step_photos()
        return await self.async_step_finish()

    async def async_step_look_alike(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Warn that somebody else looks the same to the camera; there is nothing to decide."""
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                return await self._async_done(await self._async_stored())
            except UnknownPerson:
                return self.async_abort(reason="nothing_stored")
            except VaultError as err:
                log_failure(err)
                errors["base"] = "vault_failed"
        return self.async_show_form(
            step_id="look_alike",
            data_schema=vol.Schema({}),
            errors=errors,
            description_placeholders={"name": self._name, "others": self._alike},
            last_step=True,
        )

    async def _async_done(self, person: Person) -> SubentryFlowResult:
        """Have the person be used and shown; raises VaultError."""
        if self.source == SOURCE_RECONFIGURE:
            return await self._async_changed()
        self._enrolled = False
        subentry = person_subentry(person)
        return self.async_create_entry(title=subentry.title, data=subentry.data, unique_id=subentry.unique_id)

    async def _async_not_finished(self, err: VaultError | EngineIncompatible) -> SubentryFlowResult:
        """Say in the menu why the person could not be finished; the next try goes on from there."""
        log_failure(err)
        key = "vault_failed" if isinstance(err, VaultError) else "engine_strange"
        self._verdict = await async_say(self.hass, "photo_verdict", key)
        return await self.async_step_photos()

    async def _async_outliers(self, person: Person) -> list[Template]:
        """Return the photos that seem to show somebody else and were not said to be the person's."""
        templates = compared(person.templates)
        embeddings = [each.embedding for each in templates]
        model = person.templates[-1].model
        found = [
            templates[index] for index in await self.hass.async_add_executor_job(outliers, embeddings, model)
        ]
        unknown = [each for each in found if each.template_id not in self._kept]
        # Where any may be the right one, it is a question about all of them.
        return found if unknown and len(found) == len(templates) else unknown

    async def _async_look_alikes(self, person: Person) -> list[str]:
        """Return the names of the people who look like this one; raises EngineIncompatible."""
        templates = compared(person.templates)
        if not templates:
            return []
        gallery = await self._hub.roster.async_gallery(templates[-1].model)
        embeddings, now = [each.embedding for each in templates], dt_util.utcnow()
        try:
            found = await self.hass.async_add_executor_job(
                lambda: look_alikes(embeddings, gallery, now, person_id=self._person_id)
            )
        except ValueError as err:
            raise EngineIncompatible(f"The photos cannot be compared: {err}") from err
        return [each.name for each in found]
