"""Who can be told: phones with the companion app, other ways to notify, and Home Assistant itself."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from homeassistant.components.persistent_notification import async_create, async_dismiss
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceNotFound
from homeassistant.helpers import entity_registry as er

from .notification import Notification
from .payload import companion_clear, companion_data

MOBILE_APP = "mobile_app"
NOTIFY = "notify"
PERSON = "person"
SEND_MESSAGE = "send_message"
PERSISTENT = "persistent_notification"
_USER_ID = "user_id"


class Way(StrEnum):
    """How somebody is told. A recipient's key begins with it."""

    PHONE = "phone"
    """A phone with the companion app; what follows is the id of its config entry."""
    ENTITY = "entity"
    """A notify entity; what follows is the id of its registry entry, or its entity id."""
    ACTION = "action"
    """A notify action of an older integration; what follows is its name."""
    HERE = "here"
    """A persistent notification of this Home Assistant."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who can be told."""

    key: str
    title: str
    user_id: str | None = None
    """The user whose phone it is."""

    @property
    def way(self) -> Way:
        """Return how they are told."""
        return Way(self.key.partition(":")[0])

    @property
    def target(self) -> str:
        """Return what follows the way in the key."""
        return self.key.partition(":")[2]

    @property
    def grows(self) -> bool:
        """Return whether a notification can take the place of an earlier one."""
        return self.way in (Way.PHONE, Way.HERE)


@callback
def async_recipients(hass: HomeAssistant) -> list[Recipient]:
    """Return everybody who can be told, phones first."""
    phones = [
        _phone(entry) for entry in hass.config_entries.async_entries(MOBILE_APP) if _pushes(hass, entry)
    ]
    registry = er.async_get(hass)
    entities = []
    for state in hass.states.async_all(NOTIFY):
        entry = registry.async_get(state.entity_id)
        if entry is not None and entry.platform == MOBILE_APP:
            # The phone itself is offered, which can be told more.
            continue
        target = state.entity_id if entry is None else entry.id
        entities.append(Recipient(f"{Way.ENTITY}:{target}", state.name))
    taken = {_phone_action(hass, entry) for entry in hass.config_entries.async_entries(MOBILE_APP)}
    others = sorted(
        set(hass.services.async_services_for_domain(NOTIFY))
        - {SEND_MESSAGE, PERSISTENT, NOTIFY, MOBILE_APP, *taken}
    )
    actions = [Recipient(f"{Way.ACTION}:{name}", f"{NOTIFY}.{name}") for name in others]
    return [*phones, *entities, *actions, Recipient(f"{Way.HERE}:", "Home Assistant")]


@callback
def async_find(hass: HomeAssistant, key: str) -> Recipient | None:
    """Return the recipient with a key; None when they cannot be told any more."""
    return next((each for each in async_recipients(hass) if each.key == key), None)


@callback
def async_own_person(hass: HomeAssistant, recipient: Recipient) -> str | None:
    """Return the `person.*` whose phone it is."""
    if recipient.user_id is None:
        return None
    for state in hass.states.async_all(PERSON):
        if state.attributes.get(_USER_ID) == recipient.user_id:
            return state.entity_id
    return None


async def async_send(hass: HomeAssistant, recipient: Recipient, notification: Notification) -> None:
    """Deliver a notification; raise HomeAssistantError, or ServiceNotFound for a recipient who is gone."""
    match recipient.way:
        case Way.HERE:
            async_create(hass, notification.message, notification.title, notification.tag)
        case Way.ENTITY:
            await _async_notify(
                hass,
                SEND_MESSAGE,
                {"message": notification.message, "title": notification.title},
                entity_id=_entity_id(hass, recipient),
            )
        case Way.ACTION:
            await _async_notify(
                hass, recipient.target, {"message": notification.message, "title": notification.title}
            )
        case Way.PHONE:
            await _async_notify(
                hass,
                _action_of(hass, recipient),
                {
                    "message": notification.message,
                    "title": notification.title,
                    "data": companion_data(notification),
                },
            )


async def async_clear(hass: HomeAssistant, recipient: Recipient, tag: str) -> None:
    """Take a notification away again, where that can be done."""
    match recipient.way:
        case Way.HERE:
            async_dismiss(hass, tag)
        case Way.PHONE:
            await _async_notify(hass, _action_of(hass, recipient), companion_clear(tag))


async def _async_notify(
    hass: HomeAssistant, action: str, data: dict[str, Any], *, entity_id: str | None = None
) -> None:
    target = None if entity_id is None else {"entity_id": entity_id}
    await hass.services.async_call(NOTIFY, action, data, blocking=True, target=target)


def _phone(entry: ConfigEntry) -> Recipient:
    return Recipient(f"{Way.PHONE}:{entry.entry_id}", entry.title, entry.data.get(_USER_ID))


@callback
def _pushes(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    return entry.state is ConfigEntryState.LOADED and _phone_action(hass, entry) is not None


@callback
def _phone_action(hass: HomeAssistant, entry: ConfigEntry) -> str | None:
    """Return the name of the notify action of a phone; None when it takes no notifications."""
    from homeassistant.components.mobile_app.util import get_notify_service

    if entry.state is not ConfigEntryState.LOADED:
        return None
    try:
        return get_notify_service(hass, entry.data[CONF_WEBHOOK_ID])
    except KeyError:
        # Its notify platform is not set up yet.
        return None


@callback
def _action_of(hass: HomeAssistant, recipient: Recipient) -> str:
    entry = hass.config_entries.async_get_entry(recipient.target)
    action = None if entry is None else _phone_action(hass, entry)
    if action is None:
        raise ServiceNotFound(NOTIFY, recipient.title)
    return action


@callback
def _entity_id(hass: HomeAssistant, recipient: Recipient) -> str:
    entry = er.async_get(hass).entities.get_entry(recipient.target)
    return recipient.target if entry is None else entry.entity_id
