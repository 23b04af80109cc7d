"""The config flow; its steps live in `flows`."""

from typing import override

from homeassistant.config_entries import ConfigEntry, ConfigSubentryFlow, OptionsFlow
from homeassistant.core import callback

from .const import DOMAIN, SUBENTRY_ALERT, SUBENTRY_CAMERA, SUBENTRY_PERSON
from .flows.alert_flow import AlertFlow
from .flows.camera_flow import CameraFlow
from .flows.hub_flow import HubFlow
from .flows.options_flow import HubOptions
from .flows.person_flow import PersonFlow


class FamiliarFacesConfigFlow(HubFlow, domain=DOMAIN):
    """Sets up the hub; cameras, people and alerts are its subentries."""

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the flow of the options."""
        return HubOptions()

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return the flows of the subentries."""
        return {SUBENTRY_CAMERA: CameraFlow, SUBENTRY_PERSON: PersonFlow, SUBENTRY_ALERT: AlertFlow}
