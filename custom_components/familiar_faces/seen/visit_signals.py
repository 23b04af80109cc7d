"""The signals of visits, for what outlives the entry: automations are there before it and while it is reloaded."""

from collections.abc import Callable, Collection

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..const import DOMAIN
from ..household.signals import Listener


@callback
def async_follow_visits(
    hass: HomeAssistant,
    listeners: Collection[Listener],
    on_loaded: Callable[[], None] | None = None,
    on_stopped: Callable[[], None] | None = None,
) -> CALLBACK_TYPE:
    """Follow signals of the entry that there is or will be; return how to stop.

    `on_loaded` is called whenever the entry was loaded, not for one that is already, and `on_stopped` whenever it is
    loaded no longer.
    """
    connected: dict[str, list[CALLBACK_TYPE]] = {}

    @callback
    def connect(entry_id: str) -> None:
        if entry_id not in connected:
            connected[entry_id] = [listener(hass, entry_id) for listener in listeners]

    @callback
    def disconnect(entry_id: str) -> None:
        for unsubscribe in connected.pop(entry_id, ()):
            unsubscribe()

    @callback
    def changed(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain != DOMAIN:
            return
        if change is ConfigEntryChange.REMOVED:
            disconnect(entry.entry_id)
            return
        connect(entry.entry_id)
        if on_loaded is not None and entry.state is ConfigEntryState.LOADED:
            on_loaded()
        if on_stopped is not None and entry.state is ConfigEntryState.NOT_LOADED:
            on_stopped()

    unsubscribe = async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)
    for each in hass.config_entries.async_entries(DOMAIN):
        connect(each.entry_id)

    @callback
    def stop() -> None:
        unsubscribe()
        for entry_id in list(connected):
            disconnect(entry_id)

    return stop
