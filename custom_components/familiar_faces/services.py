"""The actions of the integration."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.service import async_register_admin_service

from .actions import alerts, consent, enrolment, faces, kept, lookup, review
from .const import DOMAIN

ACTIONS = (
    *lookup.ACTIONS,
    *faces.ACTIONS,
    *enrolment.ACTIONS,
    *consent.ACTIONS,
    *kept.ACTIONS,
    *review.ACTIONS,
    *alerts.ACTIONS,
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
