"""Steps for the engine's app (add-on), which Home Assistant's Supervisor announces."""

from abc import abstractmethod
import asyncio
from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import SOURCE_USER, ConfigFlow, ConfigFlowResult
from homeassistant.helpers.hassio import is_hassio
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
import voluptuous as vol

from ..const import CONF_APP
from ..household.engine_app import app_of, async_announced, read_announcement
from ..wording.words import async_say
from .engine_times import async_time

APP = "app"
"""The unique id of an entry that began with the app. Never the id of the announcement: Home Assistant removes an
entry of that id when the app is uninstalled, and everybody who was enrolled would be erased with it."""

ASK_AGAIN = (2.0, 5.0, 10.0)
"""Seconds after which the Supervisor is asked again for the token of an app that was installed again."""


class AppSteps(ConfigFlow):
    """The steps that begin with an announcement of the app."""

    _announced: dict[str, Any] | None = None
    """What the entry will hold."""
    _app_name = ""

    @abstractmethod
    async def _try_engine(self, data: Mapping[str, Any]) -> dict[str, str]:
        """Return what is wrong with an engine's address and token, by field; empty when it answers."""

    @abstractmethod
    def _finish(self, data: dict[str, Any]) -> ConfigFlowResult:
        """Make the entry, or change it."""

    @override
    async def async_step_hassio(self, discovery_info: HassioServiceInfo) -> ConfigFlowResult:
        """Offer the app."""
        self._announced = read_announcement(discovery_info.config, discovery_info.slug)
        if self._announced is None:
            # An app of another version, which this one cannot speak to.
            return self.async_abort(reason="not_our_app")
        await self.async_set_unique_id(APP)
        self._abort_if_unique_id_configured()
        self.context["title_placeholders"] = {"name": discovery_info.name}
        self._app_name = discovery_info.name
        return await self.async_step_hassio_confirm()

    async def async_step_app(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Use the app that the page with the choice has found, with no further click unless something is wrong."""
        self._app_name = await async_say(self.hass, "engine_time", "app")
        if self.source == SOURCE_USER:
            # The offer of the same app, which is in progress as well, ends with the entry.
            await self.async_set_unique_id(APP, raise_on_progress=False)
        return await self.async_step_hassio_confirm({})

    async def async_step_hassio_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Use the app's engine, with one click."""
        assert self._announced is not None
        errors: dict[str, str] = {}
        if user_input is not None:
            wrong = await self._try_engine(self._announced)
            # There is no field to change: what is wrong is said above.
            if not wrong:
                return self._finish(self._announced)
            errors["base"] = next(iter(wrong.values()))
        return self.async_show_form(
            step_id="hassio_confirm",
            data_schema=vol.Schema({}),
            errors=errors,
            description_placeholders={
                "app": self._app_name,
                "time": await async_time(self.hass, self._announced, self._app_name),
            },
        )

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Take over the app's new token by itself, or ask for the token of another engine."""
        for pause in ASK_AGAIN:
            announced = await async_announced(self.hass, app_of(entry_data))
            if announced is not None and not await self._try_engine(announced):
                return self._finish(announced)
            if CONF_APP not in entry_data or not is_hassio(self.hass):
                return await self.async_step_reauth_confirm()
            # The engine answers a moment before the app announces itself.
            await asyncio.sleep(pause)
        return await self.async_step_reauth_app()

    @abstractmethod
    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a token that the engine accepts."""

    async def async_step_reauth_app(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask the Supervisor again for the app's token, which nobody can know."""
        errors: dict[str, str] = {}
        if user_input is not None:
            announced = await async_announced(self.hass, app_of(self._get_reauth_entry().data))
            if announced is None:
                errors["base"] = "not_announced"
            elif wrong := await self._try_engine(announced):
                errors["base"] = next(iter(wrong.values()))
            else:
                return self._finish(announced)
        return self.async_show_form(step_id="reauth_app", data_schema=vol.Schema({}), errors=errors)
