"""What an event entity remembers of its last event. Home Assistant has no public way to take an event back."""

from homeassistant.components.event import EventEntity
from homeassistant.core import HomeAssistant, callback

_REMEMBERED = ("triggered", "type", "attributes")


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant still remembers it as is expected here."""
    return all(hasattr(EventEntity, _private(each)) for each in _REMEMBERED)


@callback
def async_take_back(entity: EventEntity) -> None:
    """Clear the event of an entity, where this can be done. It writes its state itself."""
    if not check(entity.hass):
        return
    for each in _REMEMBERED:
        setattr(entity, _private(each), None)


def _private(what: str) -> str:
    return f"_EventEntity__last_event_{what}"
