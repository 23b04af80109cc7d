"""The flow of a person: the name, the consent, and only then the photos."""

from datetime import date, datetime, time, timedelta
from hashlib import sha256
import logging
from typing import TYPE_CHECKING, Any, override
from uuid import uuid4

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.components.person.const import DOMAIN as PERSON_DOMAIN
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_NAME
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    BooleanSelector,
    DateSelector,
    EntitySelector,
    EntitySelectorConfig,
    FileSelector,
    FileSelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
from homeassistant.util import dt as dt_util
import voluptuous as vol

from ..const import CONF_CHILD, CONF_LINKED_ENTITY, CONF_PERSON_ID, CONSENT_TEXT_VERSION, ENGINE_PATIENCE
from ..engine.protocol import MAX_BYTES
from ..host.errors import EngineError, EngineIncompatible, ImageRejected
from ..people.person import Consent, ConsentMethod, Person, Template
from ..people.photos import PhotoReason, PhotoVerdict, judge_photo
from ..subentries import person_subentry
from ..vault.errors import UnknownPerson, VaultError
from .words import async_say, shown_language

if TYPE_CHECKING:
    from ..hub import Hub

_LOGGER = logging.getLogger(__name__)

CONF_AGREED = "agreed"
CONF_GIVEN_BY = "given_by"
CONF_GIVEN_ON = "given_on"
CONF_METHOD = "method"
CONF_PHOTO = "photo"
CONF_PHOTOS = "photos"
CONF_VALID_UNTIL = "valid_until"

DEFAULT_DAYS = 365
DEFAULT_DAYS_CHILD = 183
MAX_DAYS = 3 * 365 + 1
"""Three years, of which one is a leap year."""
ENOUGH_PHOTOS = 3
RESERVED_NAMES = {"familiar", "stranger", "unclear", "unavailable", "unknown"}
"""What the last visitor is called who has no name."""

PERSON_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_CHILD, default=False): BooleanSelector(),
        vol.Optional(CONF_LINKED_ENTITY): EntitySelector(EntitySelectorConfig(domain=PERSON_DOMAIN)),
    }
)
CONSENT_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_GIVEN_BY): TextSelector(),
        vol.Required(CONF_METHOD, default=ConsentMethod.IN_PERSON): SelectSelector(
            SelectSelectorConfig(
                options=list(ConsentMethod), translation_key="method", mode=SelectSelectorMode.LIST
            )
        ),
        vol.Required(CONF_GIVEN_ON): DateSelector(),
        vol.Required(CONF_VALID_UNTIL): DateSelector(),
        vol.Required(CONF_AGREED, default=False): BooleanSelector(),
    }
)
PHOTO = FileSelector(FileSelectorConfig(accept="image/jpeg,image/png,image/webp,.jpg,.jpeg,.png,.webp"))


class PersonFlow(ConfigSubentryFlow):
    """The steps of adding or changing a person."""

    def __init__(self) -> None:
        """Start with nobody."""
        self._person_id = uuid4().hex
        self._name = ""
        self._child = False
        self._linked_entity: str | None = None
        self._enrolling = False
        self._verdict = ""
        self._count = 0
        """How many photos there were when the vault was last read."""
        self._running: Hub | None = None
        self._insist: bytes | None = None
        """A photo that was refused for whom it resembles, and may be insisted on."""

    @property
    def _hub(self) -> Hub:
        # Kept: should the entry be unloaded meanwhile, the closed vault gives an error that is shown.
        if self._running is None:
            self._running = self._get_entry().runtime_data
        return self._running

    @override
    @callback
    def async_remove(self) -> None:
        """Erase what was kept of somebody whose enrolment was given up."""
        self._insist = None
        if self._enrolling:
            hub = self._hub
            hub.entry.async_create_task(
                self.hass, hub.roster.async_abandon(self._person_id), "familiar_faces abandon enrolment"
            )

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask who it is."""
        if self._get_entry().state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        if (errors := self._take_person(user_input)) is None:
            return await self.async_step_consent()
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(PERSON_SCHEMA, user_input),
            errors=errors,
        )

    def _take_person(self, user_input: dict[str, Any] | None) -> dict[str, str] | None:
        """Take what was said of a person; return None when it is fine, else the errors."""
        if user_input is None:
            return {}
        name = " ".join(user_input[CONF_NAME].split())
        if not name or len(name) > 80:
            return {CONF_NAME: "name_needed"}
        if name.casefold() in RESERVED_NAMES:
            return {CONF_NAME: "name_reserved"}
        for person in self._hub.people.values():
            if person.person_id != self._person_id and person.name.casefold() == name.casefold():
                return {CONF_NAME: "name_taken"}
        self._name = name
        self._child = user_input.get(CONF_CHILD, self._child)
        self._linked_entity = user_input.get(CONF_LINKED_ENTITY)
        return None

    async def async_step_consent(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the consent, and put it on record before any photo."""
        today = dt_util.now().date()
        errors: dict[str, str] = {}
        if user_input is not None and not (errors := self._consent_errors(user_input, today)):
            consent = self._consent(user_input)
            try:
                if self._enrolling or self.source == SOURCE_RECONFIGURE:
                    await self.hass.async_add_executor_job(
                        self._hub.vault.record_consent, self._person_id, consent
                    )
                else:
                    await self.hass.async_add_executor_job(
                        self._hub.vault.begin_enrolment,
                        self._person_id,
                        self._name,
                        self._linked_entity,
                        consent,
                    )
                    self._enrolling = True
                if self.source == SOURCE_RECONFIGURE:
                    return await self._async_changed()
            except UnknownPerson:
                return self.async_abort(reason="nothing_stored")
            except VaultError as err:
                _log(err)
                errors["base"] = "vault_failed"
            else:
                return await self.async_step_photo()
        lasts = DEFAULT_DAYS_CHILD if self._child else DEFAULT_DAYS
        suggested = {
            CONF_GIVEN_BY: "" if self._child else self._name,
            CONF_GIVEN_ON: today.isoformat(),
            CONF_VALID_UNTIL: (today + timedelta(days=lasts)).isoformat(),
        } | (user_input or {})
        return self.async_show_form(
            step_id="consent",
            data_schema=self.add_suggested_values_to_schema(CONSENT_SCHEMA, suggested),
            errors=errors,
            description_placeholders={
                "name": self._name,
                "text": await async_say(
                    self.hass, "consent_text", "child" if self._child else "adult", name=self._name
                ),
            },
        )

    def _consent_errors(self, user_input: dict[str, Any], today: date) -> dict[str, str]:
        given_on = date.fromisoformat(user_input[CONF_GIVEN_ON])
        valid_until = date.fromisoformat(user_input[CONF_VALID_UNTIL])
        given_by = user_input[CONF_GIVEN_BY].strip()
        if not given_by:
            return {CONF_GIVEN_BY: "giver_needed"}
        if self._child and given_by.casefold() == self._name.casefold():
            return {CONF_GIVEN_BY: "child_needs_guardian"}
        if given_on > today:
            return {CONF_GIVEN_ON: "given_in_future"}
        if valid_until <= today:
            return {CONF_VALID_UNTIL: "already_over"}
        if (valid_until - given_on).days > MAX_DAYS:
            return {CONF_VALID_UNTIL: "too_long"}
        if not user_input[CONF_AGREED]:
            return {CONF_AGREED: "not_agreed"}
        return {}

    def _consent(self, user_input: dict[str, Any]) -> Consent:
        now = dt_util.utcnow()
        midnight = {
            key: datetime.combine(
                date.fromisoformat(user_input[key]), time.min, tzinfo=dt_util.get_default_time_zone()
            )
            for key in (CONF_GIVEN_ON, CONF_VALID_UNTIL)
        }
        return Consent(
            consent_id=uuid4().hex,
            given_by=user_input[CONF_GIVEN_BY].strip(),
            on_behalf_of_child=self._child,
            method=ConsentMethod(user_input[CONF_METHOD]),
            given_at=dt_util.as_utc(midnight[CONF_GIVEN_ON]),
            # The last day counts whole.
            valid_until=dt_util.as_utc(midnight[CONF_VALID_UNTIL] + timedelta(days=1)),
            text_version=f"{shown_language(self.hass)}/{CONSENT_TEXT_VERSION}",
            recorded_at=now,
        )

    async def async_step_photo(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for a photo, and say at once whether it will do."""
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                photo = await self.hass.async_add_executor_job(self._read_upload, user_input[CONF_PHOTO])
            except OSError, ValueError:
                errors[CONF_PHOTO] = "upload_lost"
            except ImageRejected:
                errors[CONF_PHOTO] = "photo_too_large"
            else:
                try:
                    await self._async_take_photo(photo, insist=False)
                except ImageRejected as err:
                    errors[CONF_PHOTO] = "photo_too_large" if err.reason == "too_large" else "not_an_image"
                except EngineIncompatible as err:
                    _log(err)
                    errors["base"] = "engine_strange"
                except EngineError:
                    errors["base"] = "engine_unavailable"
                except UnknownPerson:
                    return self.async_abort(reason="nothing_stored")
                except VaultError as err:
                    _log(err)
                    errors["base"] = "vault_failed"
                else:
                    return await self.async_step_photos()
        return self.async_show_form(
            step_id="photo",
            data_schema=vol.Schema({vol.Required(CONF_PHOTO): PHOTO}),
            errors=errors,
            description_placeholders={"name": self._name},
        )

    async def async_step_photos(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Say what became of the photo, and ask whether there is another."""
        try:
            self._count = len((await self._async_stored()).templates)
        except UnknownPerson:
            return self.async_abort(reason="nothing_stored")
        except VaultError as err:
            _log(err)
            self._verdict = await async_say(self.hass, "photo_verdict", "vault_failed")
        options = ["photo"]
        if self._insist is not None:
            options.append("insist")
        if self._count:
            # With enough photos, being finished is what most will want.
            options.insert(0 if self._count >= ENOUGH_PHOTOS else len(options), "finish")
        return self.async_show_menu(
            step_id="photos",
            menu_options=options,
            description_placeholders={
                "name": self._name,
                "verdict": self._verdict,
                "count": str(self._count),
                "enough": str(ENOUGH_PHOTOS),
            },
        )

    async def async_step_insist(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Take the photo that was refused: twins exist, and so do beards."""
        if self._insist is not None:
            try:
                await self._async_take_photo(self._insist, insist=True)
            except EngineIncompatible as err:
                _log(err)
                self._verdict = await async_say(self.hass, "photo_verdict", "engine_strange")
            except EngineError:
                self._verdict = await async_say(self.hass, "photo_verdict", "engine_unavailable")
            except VaultError as err:
                _log(err)
                self._verdict = await async_say(self.hass, "photo_verdict", "vault_failed")
        return await self.async_step_photos()

    async def async_step_finish(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Make the person recognisable."""
        try:
            person = await self._async_stored()
            if not person.templates:
                return await self.async_step_photos()
            if self.source == SOURCE_RECONFIGURE:
                return await self._async_changed()
            # Nothing that may fail comes behind this: whoever is enrolled is shown.
            await self.hass.async_add_executor_job(self._hub.vault.finish_enrolment, self._person_id)
        except VaultError as err:
            _log(err)
            self._verdict = await async_say(self.hass, "photo_verdict", "vault_failed")
            return await self.async_step_photos()
        self._enrolling = False
        subentry = person_subentry(person)
        return self.async_create_entry(title=subentry.title, data=subentry.data, unique_id=subentry.unique_id)

    def _read_upload(self, file_id: str) -> bytes:
        """Return an uploaded file; it is deleted. Blocks; raises ValueError, OSError or ImageRejected."""
        with process_uploaded_file(self.hass, file_id) as path:
            if path.stat().st_size > MAX_BYTES:
                raise ImageRejected("too_large", "The photo is too large")
            return path.read_bytes()

    async def _async_stored(self) -> Person:
        return await self.hass.async_add_executor_job(self._hub.vault.person, self._person_id)

    async def _async_take_photo(self, photo: bytes, *, insist: bool) -> None:
        """Judge a photo, and when it will do make it a template. The vault asks for the consent again.

        Raises EngineError, EngineIncompatible also for faces that cannot be compared, and VaultError.
        """
        hub = self._hub
        await hub.engine.wait_ready(ENGINE_PATIENCE)
        seen = await hub.client.faces(photo, portraits=True, mirrored=True)
        person = await self._async_stored()
        digest = sha256(photo).hexdigest()
        gallery = await hub.roster.async_gallery(seen.model)
        own: tuple[Template, ...] = tuple(each for each in person.templates if each.model == seen.model)
        now = dt_util.utcnow()
        try:
            verdict = await self.hass.async_add_executor_job(
                lambda: judge_photo(seen.faces, digest, own, gallery, now, person_id=self._person_id)
            )
            self._insist = None
            if verdict.accepted or (insist and verdict.may_insist):
                assert verdict.subject is not None
                face = seen.faces[verdict.subject]
                await self.hass.async_add_executor_job(
                    lambda: hub.vault.add_reference(
                        self._person_id,
                        photo=face.portrait or b"",
                        embedding=face.embedding,
                        model=seen.model,
                        photo_digest=digest,
                        now=now,
                    )
                )
            elif verdict.may_insist:
                self._insist = photo
        except ValueError as err:
            raise EngineIncompatible(f"The engine's answer cannot be used: {err}") from err
        self._verdict = await self._async_words(verdict, accepted=self._insist is None and insist)
        if self.source == SOURCE_RECONFIGURE:
            # At once: the dialog may be closed as it is.
            await hub.async_refresh_people()

    async def _async_words(self, verdict: PhotoVerdict, *, accepted: bool) -> str:
        """Return a verdict as a sentence, with its warnings behind it."""
        reason = PhotoReason.GOOD if accepted else verdict.reason
        sentences = [
            await async_say(self.hass, "photo_verdict", each, name=self._name, other=verdict.other_name or "")
            for each in (reason, *(f"warning_{warning}" for warning in verdict.warnings))
        ]
        return " ".join(sentences)

    # Changing a person

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what to change."""
        if self._get_entry().state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        self._person_id = self._get_reconfigure_subentry().data[CONF_PERSON_ID]
        if (person := self._hub.people.get(self._person_id)) is None:
            return self.async_abort(reason="nothing_stored")
        self._name = person.name
        self._linked_entity = person.linked_entity
        self._child = person.consent is not None and person.consent.on_behalf_of_child
        options = ["details", "consent", "photo", "remove_photos"]
        if not person.may_be_recognised(dt_util.utcnow()):
            options.remove("photo")
        return self.async_show_menu(
            step_id="reconfigure", menu_options=options, description_placeholders={"name": self._name}
        )

    async def async_step_details(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Change the name and the link."""
        if (errors := self._take_person(user_input)) is None:
            try:
                await self.hass.async_add_executor_job(
                    self._hub.vault.update_person, self._person_id, self._name, self._linked_entity
                )
                return await self._async_changed()
            except UnknownPerson:
                return self.async_abort(reason="nothing_stored")
            except VaultError as err:
                _log(err)
                errors = {"base": "vault_failed"}
        schema = vol.Schema({key: value for key, value in PERSON_SCHEMA.schema.items() if key != CONF_CHILD})
        suggested = {CONF_NAME: self._name}
        if self._linked_entity is not None:
            suggested[CONF_LINKED_ENTITY] = self._linked_entity
        return self.async_show_form(
            step_id="details",
            data_schema=self.add_suggested_values_to_schema(schema, user_input or suggested),
            errors=errors,
        )

    async def async_step_remove_photos(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Remove some of the reference photos, but never all: then there is nothing to recognise."""
        errors: dict[str, str] = {}
        templates: tuple[Template, ...] = ()
        try:
            templates = (await self._async_stored()).templates
            if user_input is not None:
                # Some may be gone since they were shown.
                chosen = [
                    each.template_id for each in templates if each.template_id in user_input[CONF_PHOTOS]
                ]
                if len(chosen) < len(templates):
                    return await self._async_remove_photos(chosen)
                errors[CONF_PHOTOS] = "keep_one"
        except UnknownPerson:
            return self.async_abort(reason="nothing_stored")
        except VaultError as err:
            _log(err)
            errors["base"] = "vault_failed"
        choices = SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(
                        value=each.template_id,
                        label=f"{number}. {dt_util.as_local(each.added_at):%Y-%m-%d %H:%M}",
                    )
                    for number, each in enumerate(templates, start=1)
                ],
                multiple=True,
                mode=SelectSelectorMode.LIST,
            )
        )
        return self.async_show_form(
            step_id="remove_photos",
            data_schema=vol.Schema({vol.Required(CONF_PHOTOS, default=[]): choices}),
            errors=errors,
            description_placeholders={"name": self._name},
        )

    async def _async_remove_photos(self, template_ids: list[str]) -> SubentryFlowResult:
        try:
            for template_id in template_ids:
                await self.hass.async_add_executor_job(
                    self._hub.vault.remove_reference, self._person_id, template_id
                )
        except VaultError:
            # Of several, the first may be gone already, and is not to be compared with any more.
            await self._hub.async_refresh_people()
            raise
        return await self._async_changed()

    async def _async_changed(self) -> SubentryFlowResult:
        """Have what was changed be used and shown; raises VaultError."""
        subentry = person_subentry(await self._async_stored())
        await self._hub.async_refresh_people()
        return self.async_update_and_abort(
            self._get_entry(), self._get_reconfigure_subentry(), title=subentry.title, data=subentry.data
        )


def _log(err: EngineError | VaultError) -> None:
    """Write down why a step could not be taken; no such message holds a name."""
    _LOGGER.error("A person could not be added or changed: %s", err)
