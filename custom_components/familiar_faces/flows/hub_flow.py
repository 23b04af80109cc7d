"""The flow of the hub: what this is, and where the engine runs."""

import asyncio
from collections.abc import Mapping
import logging
from typing import Any, override

from homeassistant.components.camera.const import DOMAIN as CAMERA_DOMAIN
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
    FlowType,
)
from homeassistant.const import CONF_TOKEN, CONF_URL, CONF_VERIFY_SSL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.selector import BooleanSelector, TextSelector, TextSelectorConfig, TextSelectorType
import voluptuous as vol
from yarl import URL

from ..const import BOOKKEEPING, CONF_FINGERPRINT, CONF_OTHER_URLS, CONF_WHERE, DOMAIN, SUBENTRY_CAMERA, Where
from ..host.engine_errors import EngineBusy, EngineError, EngineRefused, EnvironmentFailed, TokenMissing
from ..host.process import HOPELESS
from ..host.room import FETCHED, GB, MB
from ..household.engine_app import async_announcements
from ..household.engine_choice import addresses_of, async_client_for, async_get_environment, fingerprint_of
from ..household.engine_trouble import key_elsewhere
from ..wording.words import async_say
from .app_steps import AppSteps
from .engine_times import async_compare

_LOGGER = logging.getLogger(__name__)

TITLE = "Familiar Faces"
PORT = 8127
"""Where an engine listens, unless it was told otherwise."""
DOCS = "https://github.com/familiar-faces/familiar-faces/blob/main/docs/engine.md"
TOKEN = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off"))
ANOTHER_MACHINE_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL)),
        vol.Optional(CONF_OTHER_URLS): TextSelector(
            TextSelectorConfig(type=TextSelectorType.URL, multiple=True)
        ),
        vol.Optional(CONF_TOKEN): TOKEN,
        vol.Required(CONF_VERIFY_SSL, default=True): BooleanSelector(),
        vol.Optional(CONF_FINGERPRINT): TextSelector(),
    }
)


class HubFlow(AppSteps):
    """The steps that the flow of the config entry goes through."""

    VERSION = 1

    def __init__(self) -> None:
        """Start with nothing prepared."""
        self._preparing: asyncio.Task[None] | None = None
        self._prepared = False
        """Whether this flow has begun to prepare an environment."""
        self._failure: EnvironmentFailed | None = None
        self._chosen: dict[str, Any] = {}
        """What the entry will hold when the owner takes the engine that was measured."""

    @override
    @callback
    def async_remove(self) -> None:
        """Stop preparing, and leave nothing behind when the dialog is closed before there is an entry."""
        preparing, self._preparing = self._preparing, None
        if preparing is not None:
            preparing.cancel()
        if self._prepared:
            self.hass.async_create_background_task(
                _async_clear_away(self.hass, preparing), f"{DOMAIN} clear away"
            )

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say in plain words what this does and whose consent it needs."""
        if user_input is None:
            return self.async_show_form(step_id="user", data_schema=vol.Schema({}))
        return await self.async_step_where()

    async def async_step_where(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Look what this machine can do, recommend what works, and ask where the engine runs."""
        environment = async_get_environment(self.hass)
        apps = list((await async_announcements(self.hass)).values())
        self._announced = apps[0] if apps else None
        times = ""
        if said := await async_compare(self.hass, self._entry_to_change(), apps):
            times = "\n\n" + await async_say(self.hass, "engine_time", "compared", times=said)
        survey = await self.hass.async_add_executor_job(environment.survey)
        if survey.failed is None:
            options: list[str] = [Where.THIS_MACHINE, Where.ANOTHER_MACHINE]
            if apps:
                options = [Where.THIS_MACHINE, "app", Where.ANOTHER_MACHINE]
            return self.async_show_menu(
                step_id="where",
                menu_options=options,
                description_placeholders={
                    "fetched": _size(FETCHED),
                    "times": times,
                    "disk": _size(survey.disk),
                    "memory": _size(survey.memory),
                    "free_disk": _size(survey.free_disk),
                    "free_memory": _size(survey.free_memory),
                },
            )
        options = ["app", Where.ANOTHER_MACHINE] if apps else [Where.ANOTHER_MACHINE]
        if survey.failed.reason_key not in HOPELESS:
            options.append(Where.THIS_MACHINE)
        reason = await async_say(
            self.hass, "cannot_prepare", survey.failed.reason_key, what=survey.failed.what
        )
        return self.async_show_menu(
            step_id="elsewhere",
            menu_options=options,
            description_placeholders={
                "reason": reason,
                "times": times,
                "docs": DOCS,
                "disk": _size(survey.disk),
                "memory": _size(survey.memory),
                "free_disk": _size(survey.free_disk),
                "free_memory": _size(survey.free_memory),
            },
        )

    async def async_step_elsewhere(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Look again, where this machine could not run it."""
        return await self.async_step_where()

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask again where the engine runs."""
        return await self.async_step_where()

    async def async_step_this_machine(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Prepare the engine's environment on this machine, and show how far that is."""
        if self._preparing is None:
            environment = async_get_environment(self.hass)
            if self._failure is not None or self.source == SOURCE_RECONFIGURE:
                # Anyone who comes here again has seen it fail: nothing is taken for granted.
                environment.distrust()

            def progress(share: float, step: str) -> None:
                self.async_update_progress(share)

            self._prepared = True
            self._preparing = self.hass.async_create_task(
                environment.prepare(progress), "familiar_faces prepare"
            )
        if not self._preparing.done():
            return self.async_show_progress(
                step_id="this_machine", progress_action="prepare", progress_task=self._preparing
            )
        preparing, self._preparing = self._preparing, None
        try:
            await preparing
        except EnvironmentFailed as err:
            _LOGGER.warning("The engine could not be prepared on this machine: %s", err.detail)
            self._failure = err
            return self.async_show_progress_done(next_step_id="cannot_prepare")
        return self.async_show_progress_done(next_step_id="prepared")

    async def async_step_cannot_prepare(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say why the engine cannot run here, and what to choose instead."""
        assert self._failure is not None
        reason = await async_say(
            self.hass, "cannot_prepare", self._failure.reason_key, what=self._failure.what
        )
        return self.async_show_menu(
            step_id="cannot_prepare",
            menu_options=[Where.ANOTHER_MACHINE, Where.THIS_MACHINE],
            description_placeholders={"reason": reason, "docs": DOCS},
        )

    async def async_step_prepared(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Use the engine on this machine; where there are others, say first how long each takes."""
        self._chosen = {CONF_WHERE: Where.THIS_MACHINE}
        apps = (await async_announcements(self.hass)).values()
        entry = self._entry_to_change()
        if apps or (entry is not None and entry.data[CONF_WHERE] == Where.ANOTHER_MACHINE):
            return await self.async_step_measured()
        return self._finish(self._chosen)

    async def async_step_measured(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say how long the engine that was chosen takes for a picture, and the others, before it is used."""
        apps = list((await async_announcements(self.hass)).values())
        options: list[str] = ["use", "where"]
        typed = None
        if self._chosen[CONF_WHERE] == Where.ANOTHER_MACHINE:
            options = ["use", Where.ANOTHER_MACHINE, "where"]
            typed = self._chosen
        said = await async_compare(self.hass, self._entry_to_change(), apps, typed)
        return self.async_show_menu(
            step_id="measured",
            menu_options=options,
            description_placeholders={
                "times": await async_say(self.hass, "engine_time", "compared", times=said)
            },
        )

    async def async_step_use(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Use the engine that was chosen."""
        return self._finish(self._chosen)

    def _entry_to_change(self) -> ConfigEntry | None:
        return self._get_reconfigure_entry() if self.source == SOURCE_RECONFIGURE else None

    async def async_step_another_machine(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the engine's address, try it, and go on to its time."""
        errors: dict[str, str] = {}
        if user_input is not None:
            user_input = {**user_input, CONF_URL: _whole_address(user_input[CONF_URL])}
            _leave_out_empty(user_input)
            if CONF_OTHER_URLS in user_input:
                user_input[CONF_OTHER_URLS] = [_whole_address(each) for each in user_input[CONF_OTHER_URLS]]
            errors = await self._try_engine(user_input)
            if not errors:
                self._chosen = {CONF_WHERE: Where.ANOTHER_MACHINE, **user_input}
                return await self.async_step_measured()
        suggested: Mapping[str, Any] = user_input or {}
        if user_input is None:
            entry = self._entry_to_change()
            if self._chosen.get(CONF_WHERE) == Where.ANOTHER_MACHINE:
                # The owner wants to change what was just tried.
                suggested = self._chosen
            elif entry is not None:
                suggested = entry.data
        return self.async_show_form(
            step_id="another_machine",
            data_schema=self.add_suggested_values_to_schema(ANOTHER_MACHINE_SCHEMA, suggested),
            errors=errors,
            description_placeholders={"docs": DOCS},
        )

    @override
    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a token that the engine accepts."""
        entry = self._get_reauth_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            data = {**entry.data, **user_input}
            wrong = await self._try_engine(data)
            # This form asks for the token alone: what is wrong with the address is said above it.
            errors = {field if field == CONF_TOKEN else "base": error for field, error in wrong.items()}
            if not errors:
                return self._finish(data)
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=vol.Schema({vol.Required(CONF_TOKEN): TOKEN}),
            errors=errors,
            description_placeholders={"url": entry.data[CONF_URL]},
        )

    @override
    async def _try_engine(self, data: Mapping[str, Any]) -> dict[str, str]:
        """Return what is wrong with an engine's address and token, by field; empty when it answers."""
        try:
            fingerprint_of(data)
        except ValueError:
            return {CONF_FINGERPRINT: "invalid_fingerprint"}
        models: set[object] = set()
        for url in addresses_of(data):
            field = CONF_URL if url == data[CONF_URL] else CONF_OTHER_URLS
            if not _is_address(url):
                return {field: "invalid_url"}
            try:
                models.add((await async_client_for(self.hass, data, url).health()).model.get("name"))
            except EngineBusy:
                pass
            except EngineRefused as err:
                return {CONF_TOKEN: "token_missing" if isinstance(err, TokenMissing) else "invalid_auth"}
            except EngineError as err:
                return {field: key_elsewhere(err) or "cannot_connect"}
            if len(models) > 1:
                return {field: "another_model"}
        return {}

    @override
    def _finish(self, data: dict[str, Any]) -> ConfigFlowResult:
        """Make the entry, or change it."""
        if self.source == SOURCE_RECONFIGURE:
            return self._change(self._get_reconfigure_entry(), data)
        if self.source == SOURCE_REAUTH:
            return self._change(self._get_reauth_entry(), data)
        return self.async_create_entry(title=TITLE, data=data)

    @override
    async def async_on_create_entry(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Go on with the first camera at once: nobody is recognised without one."""
        entry = result["result"]
        if entry.state is ConfigEntryState.LOADED and self.hass.states.async_entity_ids_count(CAMERA_DOMAIN):
            flow = await self.hass.config_entries.subentries.async_init(
                (entry.entry_id, SUBENTRY_CAMERA), context={"source": SOURCE_USER}
            )
            result["next_flow"] = (FlowType.CONFIG_SUBENTRIES_FLOW, flow["flow_id"])
        return result

    def _change(self, entry: ConfigEntry, data: dict[str, Any]) -> ConfigFlowResult:
        """Write what was chosen into the entry, which starts again also when that is the same as before."""
        data = {key: entry.data[key] for key in BOOKKEEPING if key in entry.data} | data
        if data == entry.data or entry.state is not ConfigEntryState.LOADED:
            # Otherwise the running entry hears of the change, and starts again by itself.
            self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return self.async_update_and_abort(entry, data=data)


def _leave_out_empty(data: dict[str, Any]) -> None:
    """Leave out what was left empty in a form."""
    for key in (CONF_OTHER_URLS, CONF_FINGERPRINT):
        if not data.get(key):
            data.pop(key, None)


def _is_address(text: str) -> bool:
    try:
        url = URL(text)
    except ValueError:
        return False
    return url.scheme in ("http", "https") and bool(url.host) and not url.user and not url.query_string


def _whole_address(said: str) -> str:
    """Return an address as it is used: of `192.168.1.20` and `nas:8127` with what is left out."""
    said = said.strip()
    if "://" in said or not said or " " in said:
        return said
    try:
        url = URL(f"http://{said}")
        return str(url if url.explicit_port is not None else url.with_port(PORT))
    except ValueError:
        return said


def _size(count: int | None) -> str:
    """Return a number of bytes in megabytes or gigabytes, whole and never more than it is; ? when nobody knows."""
    if count is None:
        return "?"
    return f"{count // GB} GB" if count >= 10 * GB else f"{count // MB} MB"


async def _async_clear_away(hass: HomeAssistant, preparing: asyncio.Task[None] | None) -> None:
    """Remove what was prepared for nobody."""
    if preparing is not None:
        await asyncio.wait([preparing])
        if not preparing.cancelled() and (failure := preparing.exception()) is not None:
            _LOGGER.debug("Preparing the engine had failed when the dialog was closed: %s", failure)
    # Somebody who began again may be using it already.
    if hass.config_entries.async_entries(DOMAIN) or hass.config_entries.flow.async_progress_by_handler(
        DOMAIN
    ):
        return
    try:
        await async_get_environment(hass).remove()
    except OSError as err:
        _LOGGER.warning("What was prepared for the engine could not be removed: %s", err)
