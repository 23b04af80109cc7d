"""The photo steps of a person's flow: adding photos, each judged at once, and removing some."""

from collections.abc import Callable, Collection, Iterable
from typing import Any, override

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.config_entries import SOURCE_RECONFIGURE, SubentryFlowResult
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.selector import (
    FileSelector,
    FileSelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..const import DOMAIN, SUBENTRY_PERSON
from ..engine.photo_formats import ACCEPT
from ..engine.protocol import MAX_BYTES, Faces
from ..enrolment.reference_photos import Judged, async_see_photo, async_take_photo
from ..host.engine_errors import EngineError, EngineIncompatible, ImageRejected
from ..people.person import Template
from ..people.photos import PhotoVerdict
from ..people.templates import ENOUGH_PHOTOS, count_distinct, leaves_one
from ..vault.errors import ConsentMissing, UnknownPerson, VaultError
from ..wording.dates import say_moment
from ..wording.words import async_say, readers_language
from .person_steps import PersonSteps, log_failure
from .photo_uploads import PhotoUploads

CONF_PHOTO = "photo"
CONF_PHOTOS = "photos"
CONF_PHOTO_2 = "photo_2"
CONF_PHOTO_3 = "photo_3"
UPLOADS = (CONF_PHOTO, CONF_PHOTO_2, CONF_PHOTO_3)
"""The fields of one step for photos: the frontend's field takes one file."""

PHOTO = FileSelector(FileSelectorConfig(accept=ACCEPT))


class PhotoSteps(PersonSteps):
    """Asks for photos, and says at once what becomes of them."""

    def __init__(self) -> None:
        """Start without photos."""
        super().__init__()
        self._uploads: PhotoUploads | None = None
        self._verdict = ""
        self._photos = 0
        """How many photos there were when the vault was last read."""
        self._count = 0
        """How many different ones of them are compared with."""
        self._at_camera = False
        """Whether a camera may take some."""
        self._insist: list[bytes] = []
        """Photos that were refused because they resemble another person, and may be insisted on."""
        self._kept: set[str] = set()
        """Templates that are the person's by the owner's word, although they look like somebody else's."""

    @override
    @callback
    def async_remove(self) -> None:
        """Delete what was uploaded and never sent, however the dialog ended."""
        super().async_remove()
        if self._uploads is not None:
            self._uploads.async_end()
        if self._running is not None:
            # Photos were shown here alone.
            self._running.alerts.pictures.async_take_back(self.flow_id)

    async def _async_first_photo(self) -> SubentryFlowResult:
        """Ask how the first photo is to be taken, when there is a choice."""
        self._verdict = await async_say(self.hass, "photo_verdict", "none_yet", name=self._name)
        try:
            if not self._cameras(await self._async_stored()):
                return await self.async_step_photo()
        except VaultError:
            # The menu reads it again, and says so.
            pass
        return await self.async_step_photos()

    async def async_step_photo(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for photos, and say at once of each whether it will do."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._insist = []
            try:
                judged, errors = await self._async_take_uploads(user_input)
            except UnknownPerson:
                return self.async_abort(reason="nothing_stored")
            if judged:
                # An upload is read once, so what went wrong is said beside what became of the others.
                said = [*judged, *[await self._async_error(error) for error in errors.values()]]
                self._verdict = said[0] if len(said) == 1 else "\n".join(f"- {each}" for each in said)
                return await self.async_step_photos()
            if not errors:
                errors[CONF_PHOTO] = "photo_needed"
        if self._uploads is None:
            self._uploads = PhotoUploads(self.hass)
        self._uploads.async_asked()
        return self.async_show_form(
            step_id="photo",
            data_schema=vol.Schema(
                {
                    vol.Optional(CONF_PHOTO): PHOTO,
                    vol.Optional(CONF_PHOTO_2): PHOTO,
                    vol.Optional(CONF_PHOTO_3): PHOTO,
                }
            ),
            errors=errors,
            description_placeholders={"name": self._name},
        )

    async def _async_take_uploads(self, uploads: dict[str, str]) -> tuple[list[str], dict[str, str]]:
        """Take uploaded photos, one after the other; return what is said of each, and errors by field.

        Raises UnknownPerson when the person's data is gone.
        """
        said, errors = [], {}
        for key in UPLOADS:
            if key not in uploads:
                continue
            try:
                photo = await self.hass.async_add_executor_job(self._read_upload, uploads[key])
                said.append(await self._async_take_photo(photo, insist=False))
            except OSError, ValueError:
                errors[key] = "upload_lost"
            except ImageRejected as err:
                errors[key] = (
                    "photo_too_large"
                    if err.reason == "too_large"
                    else "photo_cut_off"
                    if err.reason == "cut_off"
                    else "not_an_image"
                )
            except UnknownPerson:
                raise
            except ConsentMissing:
                errors["base"] = "consent_missing"
                break
            except (EngineError, VaultError) as err:
                log_failure(err)
                errors["base"] = (
                    "vault_failed"
                    if isinstance(err, VaultError)
                    else "engine_strange"
                    if isinstance(err, EngineIncompatible)
                    else "engine_unavailable"
                )
                break
        return said, errors

    async def _async_error(self, error: str) -> str:
        """Return the sentence of an error."""
        words = await async_get_translations(
            self.hass, readers_language(self.hass), "config_subentries", [DOMAIN]
        )
        return words.get(f"component.{DOMAIN}.config_subentries.{SUBENTRY_PERSON}.error.{error}", error)

    async def async_step_photos(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Say what became of the photo, and ask whether there is another."""
        try:
            person = await self._async_stored()
            self._photos, self._count = len(person.templates), count_distinct(person)
            self._at_camera = bool(self._cameras(person))
            await self._async_save()
        except UnknownPerson:
            return self.async_abort(reason="nothing_stored")
        except VaultError as err:
            log_failure(err)
            self._verdict = await async_say(self.hass, "photo_verdict", "vault_failed")
        options = ["photo"]
        # Always in this order: what is pressed time and again stays in its place.
        if self._at_camera:
            options.append("walk_up")
        if self._photos:
            options.append("finish")
        if self._insist:
            options.append("insist")
        return self.async_show_menu(
            step_id="photos",
            menu_options=options,
            description_placeholders={
                "name": self._name,
                "verdict": self._verdict,
                "progress": await self._async_progress(),
                "count": str(self._count),
                "enough": str(ENOUGH_PHOTOS),
            },
        )

    async def _async_save(self) -> None:
        """Enrol a person with their first good photo: closing the dialog then loses nothing.

        Raises VaultError.
        """
        if self._enrolling and (await self._async_stored()).templates:
            await self.hass.async_add_executor_job(self._hub.vault.finish_enrolment, self._person_id)
            # Nothing is lost from here on: an enrolled person is shown, and recognised at once.
            self._enrolling, self._enrolled = False, True
            await self._hub.async_refresh_people()

    async def _async_progress(self) -> str:
        """Return how many photos there are, whether that is enough, and that nothing is lost from here on."""
        key = "none" if not self._count else "enough" if self._count >= ENOUGH_PHOTOS else "some"
        said = await async_say(
            self.hass, "photo_progress", key, count=self._count, more=ENOUGH_PHOTOS - self._count
        )
        if self._enrolled:
            said += "\n\n" + await async_say(self.hass, "photo_progress", "saved", name=self._name)
        return said

    async def async_step_insist(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Take the photo that was refused: twins exist, and so do beards."""
        if self._insist:
            try:
                self._verdict = await self._async_take_photo(self._insist.pop(0), insist=True)
            except (EngineError, VaultError) as err:
                log_failure(err)
                key = (
                    "vault_failed"
                    if isinstance(err, VaultError)
                    else "engine_strange"
                    if isinstance(err, EngineIncompatible)
                    else "engine_unavailable"
                )
                self._verdict = await async_say(self.hass, "photo_verdict", key)
        return await self.async_step_photos()

    def _read_upload(self, file_id: str) -> bytes:
        """Return an uploaded file; it is deleted. Blocks; raises ValueError, OSError or ImageRejected."""
        with process_uploaded_file(self.hass, file_id) as path:
            if path.stat().st_size > MAX_BYTES:
                raise ImageRejected("too_large", "The photo is too large")
            return path.read_bytes()

    async def _async_take_photo(self, photo: bytes, *, insist: bool) -> str:
        """Judge a photo, and when it will do make it a template; return what is said of it, with its face.

        The vault asks for the consent again. Raises EngineError, EngineIncompatible also for faces that cannot be
        compared, and VaultError.
        """
        hub = self._hub
        seen = await async_see_photo(hub, photo)
        judged = await hub.async_whole(self._async_take_seen(photo, seen, insist=insist))
        verdict, taken = judged.verdict, judged.template_id
        if taken is None and verdict.may_insist:
            self._insist.append(photo)
        if taken is not None and not verdict.accepted:
            self._kept.add(taken)
        said = await self._async_words(verdict, insisted=insist and verdict.may_insist)
        face = None if verdict.subject is None else seen.faces[verdict.subject].portrait
        shown = None if face is None else hub.alerts.async_show(self.flow_id, face)
        return said if shown is None else f"{said} ![]({shown})"

    async def _async_take_seen(self, photo: bytes, seen: Faces, *, insist: bool) -> Judged:
        """Judge a photo by what is seen in it, and have it count at once: the dialog may be closed as it is."""
        try:
            return await async_take_photo(self._hub, self._person_id, photo, seen, insist=insist)
        finally:
            if self.source == SOURCE_RECONFIGURE:
                await self._hub.async_refresh_people()

    async def _async_words(self, verdict: PhotoVerdict, *, insisted: bool) -> str:
        """Return a verdict as a sentence, with its warnings behind it."""
        reason = "insisted" if insisted else str(verdict.reason)
        sentences = [
            await async_say(self.hass, "photo_verdict", each, name=self._name, other=verdict.other_name or "")
            for each in (reason, *(f"warning_{warning}" for warning in verdict.warnings))
        ]
        return " ".join(sentences)

    async def async_step_remove_photos(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Remove some of the reference photos, but never all in use: then there is nothing to recognise."""
        errors: dict[str, str] = {}
        templates: tuple[Template, ...] = ()
        try:
            templates = (await self._async_stored()).templates
            if user_input is not None:
                chosen = chosen_of(templates, user_input)
                if leaves_one(templates, chosen):
                    await self._async_erase_photos(chosen)
                    return await self._async_changed()
                errors[CONF_PHOTOS] = "keep_one"
        except UnknownPerson:
            return self.async_abort(reason="nothing_stored")
        except VaultError as err:
            log_failure(err)
            errors["base"] = "vault_failed"
        return self.async_show_form(
            step_id="remove_photos",
            data_schema=photos_schema(await self._async_labels(templates)),
            errors=errors,
            description_placeholders={"name": self._name, "pictures": await self._async_pictures(templates)},
        )

    async def async_step_use_photos(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Compare again with photos that were set aside; the vault asks for the consent again."""
        errors: dict[str, str] = {}
        labels: dict[str, str] = {}
        templates: tuple[Template, ...] = ()
        try:
            templates = (await self._async_stored()).templates
            set_aside = [each for each in templates if not each.usable]
            every = photo_labels(self.hass, templates)
            labels = {each.template_id: every[each.template_id] for each in set_aside}
            if user_input is not None:
                await self._async_use_photos(chosen_of(set_aside, user_input))
                return await self._async_changed()
        except UnknownPerson:
            return self.async_abort(reason="nothing_stored")
        except ConsentMissing:
            errors["base"] = "consent_missing"
        except VaultError as err:
            log_failure(err)
            errors["base"] = "vault_failed"
        return self.async_show_form(
            step_id="use_photos",
            data_schema=self.add_suggested_values_to_schema(photos_schema(labels), user_input),
            errors=errors,
            description_placeholders={
                "name": self._name,
                "pictures": await self._async_pictures(templates, labels),
            },
        )

    async def _async_erase_photos(self, template_ids: Iterable[str]) -> None:
        """Erase some of the reference photos; raises VaultError."""
        vault = self._hub.vault
        await self._async_each(
            template_ids, lambda template_id: vault.remove_reference(self._person_id, template_id)
        )

    async def _async_use_photos(self, template_ids: Iterable[str]) -> None:
        """Compare with some of the reference photos again; raises VaultError."""
        vault, now = self._hub.vault, dt_util.utcnow()
        await self._async_each(
            template_ids,
            lambda template_id: vault.use_reference(self._person_id, template_id, usable=True, now=now),
        )

    async def _async_each(self, template_ids: Iterable[str], change: Callable[[str], None]) -> None:
        """Change some of the reference photos, one after the other; raises VaultError."""
        await self._hub.async_whole(self._async_change(tuple(template_ids), change))

    async def _async_change(self, template_ids: Iterable[str], change: Callable[[str], None]) -> None:
        try:
            for template_id in template_ids:
                await self.hass.async_add_executor_job(change, template_id)
        finally:
            if self.source == SOURCE_RECONFIGURE:
                # Of several, the first may be changed although the next failed: that counts at once.
                await self._hub.async_refresh_people()

    async def _async_pictures(
        self, templates: Iterable[Template], wanted: Collection[str] | None = None
    ) -> str:
        """Return a person's photos as Markdown, each with the number that its label has; "" when none can be read.

        `wanted`: the ids of those to show, without it all.
        """
        hub, shown = self._hub, list[str]()
        for number, each in enumerate(templates, start=1):
            if wanted is not None and each.template_id not in wanted:
                continue
            try:
                photo = await self.hass.async_add_executor_job(hub.vault.reference_photo, each.template_id)
            except VaultError as err:
                log_failure(err)
                continue
            if (path := hub.alerts.async_show(self.flow_id, photo)) is not None:
                shown.append(f"**{number}.** ![]({path})")
        if shown:
            await hub.viewings.async_note(self._person_id)
        return " ".join(shown)

    async def _async_labels(self, templates: Iterable[Template]) -> dict[str, str]:
        """Return what a person's photos are called, and which of them are set aside."""
        labels = photo_labels(self.hass, templates)
        for each in templates:
            if not each.usable:
                labels[each.template_id] = await async_say(
                    self.hass, "photo_label", "set_aside", photo=labels[each.template_id]
                )
        return labels


def photo_labels(hass: HomeAssistant, templates: Iterable[Template]) -> dict[str, str]:
    """Return what a person's photos are called, numbered in the order in which they were added."""
    return {
        each.template_id: f"{number}. {say_moment(hass, each.added_at)}"
        for number, each in enumerate(templates, start=1)
    }


def photos_schema(labels: dict[str, str]) -> vol.Schema:
    """Return a form to choose from photos, given by id and name."""
    options = [SelectOptionDict(value=value, label=label) for value, label in labels.items()]
    choices = SelectSelector(
        SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST)
    )
    # None by default: what is not said to be somebody else's is never erased.
    return vol.Schema({vol.Required(CONF_PHOTOS, default=[]): choices})


def chosen_of(templates: Iterable[Template], user_input: dict[str, Any]) -> list[str]:
    """Return the photos that were chosen; some may be gone since they were shown."""
    return [each.template_id for each in templates if each.template_id in user_input[CONF_PHOTOS]]
