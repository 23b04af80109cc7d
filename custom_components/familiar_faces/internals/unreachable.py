"""What is said when something of Home Assistant's is reached for that it no longer has."""

from collections.abc import Callable

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN


class Unreachable(HomeAssistantError):
    """This Home Assistant keeps something in another way than is known here, so it was not touched."""


def reach(hass: HomeAssistant, module: str, check: Callable[[HomeAssistant], bool]) -> None:
    """Raise Unreachable when the check of a module of this room fails; `module` is its `__name__`."""
    if not check(hass):
        raise Unreachable(
            translation_domain=DOMAIN,
            translation_key="home_assistant_unknown",
            translation_placeholders={"what": module.rpartition(".")[2]},
        )
