"""The panel "Familiar Faces" and the card: their program, and the websocket commands that they ask."""

from homeassistant.components import websocket_api
from homeassistant.core import HomeAssistant, callback

from . import (
    camera_commands,
    me_commands,
    people_commands,
    privacy_commands,
    unnamed_commands,
    visit_commands,
    walk_up_commands,
)
from .program import ProgramView

COMMANDS = (
    *visit_commands.COMMANDS,
    *people_commands.COMMANDS,
    *walk_up_commands.COMMANDS,
    *unnamed_commands.COMMANDS,
    *camera_commands.COMMANDS,
    *privacy_commands.COMMANDS,
    *me_commands.COMMANDS,
)


@callback
def async_setup_panel(hass: HomeAssistant) -> None:
    """Register the commands and the view. They look for the running entry when they are asked."""
    for command in COMMANDS:
        websocket_api.async_register_command(hass, command)
    hass.http.register_view(ProgramView())
