"""A test: one notification to every recipient of an alert, and in words whether it went out."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
import logging
from typing import override

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceNotFound
from homeassistant.helpers import entity_registry as er

from ..const import DOMAIN
from ..wording.words import async_say
from .notification import Notification
from .outbox import SEND_SECONDS
from .recipients import NOTIFY, Recipient, Way, async_find, async_recipients, async_send

TAG = f"{DOMAIN}_test"
"""A test takes the place of the one before, and of nothing else."""
_OF_PHONES = "homeassistant.components.mobile_app.notify"
"""Where the companion integration logs that a push server refused; it raises nothing then."""


@dataclass(frozen=True, slots=True)
class Tried:
    """How a test went with one recipient."""

    sent: bool
    words: str
    """What is said of it, with the recipient's name."""


async def async_title(hass: HomeAssistant, key: str) -> str:
    """Return what a recipient is called, also one who is gone, as far as anything is known of them."""
    if (found := async_find(hass, key)) is not None:
        return await async_say(hass, "alert_recipient", "here") if found.way is Way.HERE else found.title
    gone = Recipient(key, "")
    title: str | None = None
    match gone.way:
        case Way.PHONE:
            entry = hass.config_entries.async_get_entry(gone.target)
            title = None if entry is None else entry.title
        case Way.ENTITY:
            registered = er.async_get(hass).async_get(gone.target)
            title = gone.target if "." in gone.target else None
            title = title if registered is None else registered.entity_id
        case Way.ACTION:
            title = f"{NOTIFY}.{gone.target}"
    if title is None:
        return await async_say(hass, "alert_recipient", "gone_phone" if gone.way is Way.PHONE else "gone")
    return await async_say(hass, "alert_recipient", "named_and_gone", who=title)


async def async_try(
    hass: HomeAssistant, title: str, recipients: Iterable[str], *, critical: bool
) -> list[Tried]:
    """Send a test to these recipients, given by their keys, as an alert would tell them."""
    known = {each.key: each for each in async_recipients(hass)}
    notification = Notification(
        tag=TAG, title=title, message=await async_say(hass, "alert_test", "message"), critical=critical
    )
    tried = []
    # One after the other: what is logged meanwhile is about this one.
    for key in recipients:
        who = await async_title(hass, key)
        if (recipient := known.get(key)) is None:
            tried.append(Tried(False, await async_say(hass, "alert_test", "gone", who=who)))
            continue
        tried.append(await _async_try_one(hass, recipient, who, notification))
    return tried


async def _async_try_one(
    hass: HomeAssistant, recipient: Recipient, who: str, notification: Notification
) -> Tried:
    overheard = _Overheard(recipient.registered_as)
    logger = logging.getLogger(_OF_PHONES)
    logger.addHandler(overheard)
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await async_send(hass, recipient, notification)
    except TimeoutError:
        return Tried(False, await async_say(hass, "alert_test", "slow", who=who))
    except ServiceNotFound:
        return Tried(False, await async_say(hass, "alert_test", "gone", who=who))
    except HomeAssistantError as err:
        return Tried(False, await async_say(hass, "alert_test", "failed", who=who, reason=str(err)))
    except Exception as err:
        # Whatever an integration for notifications does: the others are still to be told.
        logging.getLogger(__name__).exception("A test could not be sent")
        reason = str(err) or type(err).__name__
        return Tried(False, await async_say(hass, "alert_test", "failed", who=who, reason=reason))
    finally:
        logger.removeHandler(overheard)
    if overheard.said is not None:
        return Tried(False, await async_say(hass, "alert_test", "failed", who=who, reason=overheard.said))
    key = "shown" if recipient.way is Way.HERE else "sent"
    return Tried(True, await async_say(hass, "alert_test", key, who=who))


class _Overheard(logging.Handler):
    """Keeps the last that the companion integration complains of about one phone."""

    def __init__(self, title: str) -> None:
        """Listen to what is said of the phone with this title."""
        super().__init__(logging.WARNING)
        self._title = title
        self.said: str | None = None

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Keep what is said of it."""
        if self._title in (message := record.getMessage()):
            self.said = message
