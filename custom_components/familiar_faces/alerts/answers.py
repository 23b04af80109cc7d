"""The answers that can be given from a notification: each works once, for the user of the phone it was sent to."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
import logging
from secrets import token_urlsafe

from homeassistant.core import Event, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from ..const import WHO_PATH
from ..household.household import Household
from ..people.names import MAX_NAME, cleaned
from ..recognising.correct import async_correct
from ..vault.errors import UnknownVisit, VaultError
from ..wording.words import async_say
from .mutes import Mutes
from .notification import Button, Notification
from .recipients import Recipient, async_find, async_send
from .rules import Rules

_LOGGER = logging.getLogger(__name__)

EVENT_ANSWERED = "mobile_app_notification_action"
"""What the companion apps fire; whose phone it was is in the event's context."""
PREFIX = "FAMILIAR_FACES_"
VALID = timedelta(hours=24)
MOST = 500
MUTE_FOR = timedelta(hours=1)


class Answer(StrEnum):
    """What can be answered."""

    RIGHT = "right"
    NOT_THEM = "not_them"
    MUTE = "mute"
    WHO = "who"
    IT_WAS = "it_was"


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer that somebody can give."""

    answer: Answer
    tag: str
    recipient: str
    """The key of the recipient."""
    user_id: str
    until: datetime
    visit_id: str | None = None
    person_id: str | None = None
    camera_id: str | None = None


class Answers:
    """The answers that were offered and not given yet.

    In memory only, so a restart withdraws them: what they would spare is one look at the page of the visits, and
    what was kept for it would tell on the disk who came when.
    """

    def __init__(self, household: Household, mutes: Mutes, rules: Rules) -> None:
        """Have offered none."""
        self._household = household
        self._mutes = mutes
        self._rules = rules
        self._open: dict[str, Asked] = {}

    def __iter__(self) -> Iterator[Asked]:
        """Return what can be answered."""
        return iter(self._open.values())

    @callback
    def async_offer(
        self,
        recipient: Recipient,
        tag: str,
        titles: dict[Answer, str],
        *,
        visit_id: str | None,
        person_id: str | None,
        camera_id: str,
    ) -> tuple[Button, ...]:
        """Return buttons for these answers, in the order of `titles`; those offered with the tag before end."""
        self.async_withdraw(tag, recipient.key)
        if recipient.user_id is None:
            return ()
        now = dt_util.utcnow()
        self._open = {token: asked for token, asked in self._open.items() if asked.until > now}
        buttons = []
        for answer, title in titles.items():
            token = token_urlsafe(32)
            self._open[token] = Asked(
                answer=answer,
                tag=tag,
                recipient=recipient.key,
                user_id=recipient.user_id,
                until=now + VALID,
                visit_id=visit_id,
                person_id=person_id,
                camera_id=camera_id,
            )
            if answer is Answer.WHO:
                buttons.append(Button(title, uri=WHO_PATH.format(token=token)))
            else:
                buttons.append(
                    Button(
                        title,
                        action=f"{PREFIX}{token}",
                        destructive=answer is Answer.NOT_THEM,
                        asks=answer is Answer.IT_WAS,
                    )
                )
        while len(self._open) > MOST:
            del self._open[next(iter(self._open))]
        return tuple(buttons)

    @callback
    def async_withdraw(self, tag: str, recipient: str | None = None) -> None:
        """Stop taking answers to a notification, from one recipient or from all."""
        self._open = {
            token: asked
            for token, asked in self._open.items()
            if asked.tag != tag or recipient not in (None, asked.recipient)
        }

    @callback
    def async_corrected(self, visit_id: str) -> None:
        """Stop taking answers about a visit."""
        self._open = {token: asked for token, asked in self._open.items() if asked.visit_id != visit_id}

    @callback
    def async_forget(self, person_id: str) -> None:
        """Stop taking answers about a person."""
        self._open = {token: asked for token, asked in self._open.items() if asked.person_id != person_id}

    @callback
    def _take(self, token: str, *, link: bool, user_id: str | None) -> Asked | None:
        """Return what is answered, once; None when nobody was asked that, or somebody else was.

        `link`: whether it was opened as a link. Nobody can tell who opens one; it was sent to one phone, and
        leads to a page that asks who they are.
        """
        asked = self._open.get(token)
        if asked is None or asked.until <= dt_util.utcnow() or (asked.answer is Answer.WHO) is not link:
            return None
        if not link and asked.user_id != user_id:
            return None
        del self._open[token]
        return asked

    async def async_answered(self, event: Event) -> None:
        """Do what was answered from a phone."""
        action = event.data.get("action")
        if not isinstance(action, str) or not action.startswith(PREFIX):
            return
        asked = self._take(action.removeprefix(PREFIX), link=False, user_id=event.context.user_id)
        if asked is None:
            _LOGGER.debug("An answer was not offered, was given before, or not by this user")
            return
        if not await self._async_may_still(asked):
            return
        try:
            if asked.answer is Answer.IT_WAS:
                said = event.data.get("reply_text")
                await self._household.async_whole(
                    self._async_name(asked, said if isinstance(said, str) else "")
                )
            else:
                await self._household.async_whole(self._async_do(asked))
        except (HomeAssistantError, VaultError) as err:
            _LOGGER.warning("An answer could not be carried out: %s", err)

    async def async_opened(self, token: str) -> bool:
        """Return whether a link leads on, which it does once."""
        asked = self._take(token, link=True, user_id=None)
        if asked is None or not await self._async_may_still(asked):
            return False
        try:
            await self._household.async_whole(self._async_note(asked))
        except VaultError as err:
            _LOGGER.error("That somebody asked who it is could not be written: %s", err)
        return True

    async def _async_may_still(self, asked: Asked) -> bool:
        """Return whether the phone is still of that user, who may still answer."""
        user = await self._household.hass.auth.async_get_user(asked.user_id)
        # Whose visit it was, and who is added, is for administrators to say, as in the dialogs.
        admins = asked.answer in (Answer.WHO, Answer.IT_WAS)
        if user is None or not user.is_active or (admins and not user.is_admin):
            return False
        return self._may_answer(asked)

    def _may_answer(self, asked: Asked) -> bool:
        """Return whether a recipient may still answer that: an alert of theirs asks for it, on a phone of that user."""
        recipient = async_find(self._household.hass, asked.recipient)
        return (
            recipient is not None
            and recipient.user_id == asked.user_id
            and any(
                (rule.answers or asked.answer is Answer.MUTE) and asked.recipient in rule.recipients
                for rule in self._rules.switched_on()
            )
        )

    async def _async_do(self, asked: Asked) -> None:
        now = dt_util.utcnow()
        match asked.answer:
            case Answer.RIGHT | Answer.NOT_THEM if asked.visit_id is not None:
                visit = await self._household.hass.async_add_executor_job(
                    self._household.vault.visit, asked.visit_id
                )
                if visit.person_id != asked.person_id:
                    # It was corrected in this very moment.
                    raise UnknownVisit
                await async_correct(
                    self._household,
                    asked.visit_id,
                    correct=asked.answer is Answer.RIGHT,
                    really=None,
                    learn=False,
                )
            case Answer.MUTE:
                what = asked.person_id or asked.camera_id
                if what is None or what not in {*self._household.people, *self._household.entry.subentries}:
                    # They were forgotten, or the camera was removed, in this very moment.
                    return
                self._mutes.async_mute(what, asked.recipient, now + MUTE_FOR, now)
                await self._household.books.async_save()
        await self._async_note(asked)

    async def _async_name(self, asked: Asked, said: str) -> None:
        """Give a visit the name that somebody wrote, and answer what came of it where it could not be."""
        household, now, name = self._household, dt_util.utcnow(), cleaned(said)[:MAX_NAME]
        found = [each for each in household.people.values() if each.name.casefold() == name.casefold()]
        agreed = [each for each in found if each.may_be_recognised(now, asked.camera_id or "")]
        problem = None if agreed else "no_consent" if found else "unknown"
        if problem is None and asked.visit_id is not None:
            try:
                await async_correct(household, asked.visit_id, correct=False, really=agreed[0], learn=False)
            except ServiceValidationError:
                # It was held too long ago, or has a name meanwhile.
                problem = "too_late"
        if problem is None:
            await self._async_note(replace(asked, person_id=agreed[0].person_id))
            return
        recipient = async_find(household.hass, asked.recipient)
        if recipient is not None:
            message = await async_say(household.hass, "alert_reply", problem, name=name or "?")
            await async_send(
                household.hass, recipient, Notification(f"{asked.tag}_reply", "Familiar Faces", message)
            )

    async def _async_note(self, asked: Asked) -> None:
        """Write into the audit log what was answered, and by which user."""
        await self._household.hass.async_add_executor_job(
            self._household.vault.audit,
            "notification_answered",
            asked.person_id if asked.person_id in self._household.people else None,
            {"answer": str(asked.answer), "user": asked.user_id},
            dt_util.utcnow(),
        )
