"""Steps for the engine's app (add-on), which Home Assistant's Supervisor announces."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry, ConfigFlow, ConfigFlowResult
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
import voluptuous as vol

from ..household.engine_app import read_announcement, same_app

APP = "app"
"""The unique id of an entry that began with the app. Never the id of the announcement: Home Assistant removes an
entry of that id when the app is uninstalled, and everybody who was enrolled would be erased with it."""


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

    @abstractmethod
    def _change(self, entry: ConfigEntry, data: dict[str, Any]) -> ConfigFlowResult:
        """Write what was chosen into the entry."""

    @override
    async def async_step_hassio(self, discovery_info: HassioServiceInfo) -> ConfigFlowResult:
        """Offer the app, or take over its new address and token."""
        self._announced = read_announcement(discovery_info.config, discovery_info.slug)
        if self._announced is None:
            # An app of another version, which this one cannot speak to.
            return self.async_abort(reason="not_our_app")
        for entry in self._async_current_entries(include_ignore=False):
            if not same_app(entry.data, self._announced):
                return self.async_abort(reason="single_instance_allowed")
            if self._announced.items() <= entry.data.items():
                return self.async_abort(reason="already_configured")
            # The app was installed anew. Nobody can know its token, so nobody is asked for it.
            for flow in list(entry.async_get_active_flows(self.hass, {SOURCE_REAUTH})):
                self.hass.config_entries.flow.async_abort(flow["flow_id"])
            self._change(entry, self._announced)
            return self.async_abort(reason="app_changed")
        await self.async_set_unique_id(APP)
        self._abort_if_unique_id_configured()
        self.context["title_placeholders"] = {"name": discovery_info.name}
        self._app_name = discovery_info.name
        return await self.async_step_hassio_confirm()

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
            description_placeholders={"app": self._app_name},
        )
