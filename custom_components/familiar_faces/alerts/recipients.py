"""Who can be notified: phones with the companion app, notify services, and Home Assistant itself."""

from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from homeassistant.components.persistent_notification import async_create, async_dismiss
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE
from homeassistant.core import Context, HomeAssistant, ServiceCall, callback
from homeassistant.exceptions import HomeAssistantError, ServiceNotFound
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..internals.companion_app import MOBILE_APP, actions_of_phones, async_push, async_takes_notifications
from ..people.names import cleaned
from .notification import Notification
from .payload import companion, companion_clear, markdown

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
    apple: bool = False
    """Whether it is the companion app of iOS or macOS."""
    registered_as: str = ""
    """The name by which the companion integration speaks of a phone, also when its user calls it otherwise."""

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
        _phone(hass, entry)
        for entry in hass.config_entries.async_entries(MOBILE_APP)
        if async_takes_notifications(hass, entry)
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
    others = sorted(
        set(hass.services.async_services_for_domain(NOTIFY))
        - {SEND_MESSAGE, PERSISTENT, NOTIFY, *actions_of_phones(hass)}
    )
    actions = [Recipient(f"{Way.ACTION}:{name}", f"{NOTIFY}.{name}") for name in others]
    return [*_told_apart(hass, phones), *entities, *actions, Recipient(f"{Way.HERE}:", "Home Assistant")]


@callback
def async_find(hass: HomeAssistant, key: str) -> Recipient | None:
    """Return the recipient with a key; None when they can no longer be notified."""
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
    plain = {"message": notification.message, "title": notification.title}
    match recipient.way:
        case Way.HERE:
            title, message = markdown(notification.title), markdown(notification.message)
            async_create(hass, message, title, notification.tag)
        case Way.ENTITY:
            await _async_notify(hass, SEND_MESSAGE, plain | {ATTR_ENTITY_ID: [_entity_id(hass, recipient)]})
        case Way.ACTION:
            await _async_notify(hass, recipient.target, plain)
        case Way.PHONE:
            await _async_push(hass, recipient, companion(notification, apple=recipient.apple))


async def async_clear(hass: HomeAssistant, recipient: Recipient, tag: str) -> None:
    """Take a notification away again, where that can be done."""
    match recipient.way:
        case Way.HERE:
            async_dismiss(hass, tag)
        case Way.PHONE:
            await _async_push(hass, recipient, companion_clear(tag))


async def _async_notify(hass: HomeAssistant, action: str, data: dict[str, Any]) -> None:
    """Perform a notify action.

    Not with `hass.services.async_call`: that tells the whole of Home Assistant of the data, and the recorder
    would write down names, links and answers, also of people with nothing kept.
    """
    service = hass.services.async_services_for_domain(NOTIFY).get(action)
    if service is None:
        raise ServiceNotFound(NOTIFY, action)
    if service.schema is not None:
        data = service.schema(data)
    task = hass.async_run_hass_job(service.job, ServiceCall(hass, NOTIFY, action, data, Context()))
    if task is not None:
        await task


def _phone(hass: HomeAssistant, entry: ConfigEntry) -> Recipient:
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    title = next((each.name_by_user for each in devices if each.name_by_user), entry.title)
    apple = entry.data.get("manufacturer") == "Apple"
    # The owner of the phone says what it is called, and the owner reads it in a dialog.
    return Recipient(
        f"{Way.PHONE}:{entry.entry_id}",
        cleaned(title) or entry.entry_id,
        entry.data.get(_USER_ID),
        apple,
        entry.title,
    )


@callback
def _told_apart(hass: HomeAssistant, phones: list[Recipient]) -> list[Recipient]:
    """Return phones of one name with whose they are."""
    names = Counter(phone.title for phone in phones)
    apart = []
    for phone in phones:
        own = hass.states.get(async_own_person(hass, phone) or "")
        alike = names[phone.title] > 1 and own is not None
        apart.append(replace(phone, title=f"{phone.title} ({own.name})") if alike and own else phone)
    return apart


async def _async_push(hass: HomeAssistant, recipient: Recipient, said: dict[str, Any]) -> None:
    """Send to one phone; raise ServiceNotFound for one that no longer takes notifications."""
    entry = hass.config_entries.async_get_entry(recipient.target)
    if entry is None or not async_takes_notifications(hass, entry):
        raise ServiceNotFound(NOTIFY, recipient.title)
    await async_push(hass, entry, said)


@callback
def _entity_id(hass: HomeAssistant, recipient: Recipient) -> str:
    """Return the entity to notify by. An entity that is away would be passed over without a word."""
    entry = er.async_get(hass).entities.get_entry(recipient.target)
    entity_id = recipient.target if entry is None else entry.entity_id
    if (state := hass.states.get(entity_id)) is None:
        raise ServiceNotFound(NOTIFY, entity_id)
    if state.state == STATE_UNAVAILABLE:
        raise HomeAssistantError(f"{entity_id} is unavailable")
    return entity_id
