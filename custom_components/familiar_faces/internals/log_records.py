"""What Settings > Logs shows: the last warnings and errors, in memory. There is no public way to read it but the websocket."""

from homeassistant.core import HomeAssistant, callback

from .wanted import Wanted, texts_in

_LOG = "system_log"


def check(hass: HomeAssistant) -> bool:
    """Return whether this Home Assistant still keeps it as is expected here; yes where it keeps none."""
    return _LOG not in hass.data or callable(
        getattr(getattr(hass.data[_LOG], "records", None), "to_list", None)
    )


@callback
def async_mentioned(hass: HomeAssistant, wanted: Wanted) -> bool:
    """Return whether a record mentions people."""
    if _LOG not in hass.data:
        return False
    return any(map(wanted.mentioned_in, texts_in(hass.data[_LOG].records.to_list())))
