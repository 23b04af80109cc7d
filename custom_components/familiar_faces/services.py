"""The actions of the integration."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.service import async_register_admin_service

from .actions import consent, enrol, faces, inbox, kept, mute, who_came
from .const import DOMAIN

ACTIONS = (
    *who_came.ACTIONS,
    *faces.ACTIONS,
    *enrol.ACTIONS,
    *consent.ACTIONS,
    *kept.ACTIONS,
    *inbox.ACTIONS,
    *mute.ACTIONS,
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    for action in ACTIONS:
        if action.everybody:
            hass.services.async_register(
                DOMAIN, action.name, action.handler, schema=action.schema, supports_response=action.answers
            )
        else:
            async_register_admin_service(
                hass,
                DOMAIN,
                action.name,
                action.handler,
                schema=action.schema,
                supports_response=action.answers,
            )
