"""Notifies each recipient once: keeps what they were sent, and sends what is new."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import logging

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceNotFound
from homeassistant.util import dt as dt_util

from ..const import CONF_CAMERA
from ..household.household import Household
from ..household.keeping import keeps_pictures, keeps_visits, may_be_told
from ..household.signals import SIGNAL_TOLD
from ..household.subentries import camera_names
from ..people.choices import ANYWHERE
from ..wording.words import async_say
from .answers import Answer, Answers
from .episode import Episode
from .notification import Button, Notification
from .outbox import Outbox
from .pictures import PictureStore
from .recipients import Recipient, async_clear, async_find, async_send
from .rule import MAX_EVERY, Rule
from .sentences import async_message
from .telling import Kind, Part, Telling

_LOGGER = logging.getLogger(__name__)

LONGEST_QUIET = timedelta(minutes=MAX_EVERY)
MOST_REMEMBERED = 5_000
"""How many tellings are remembered, to take them back and to know what an alert keeps quiet about."""


@dataclass(slots=True)
class _Sent:
    """What a recipient was told of an episode."""

    telling: Telling | None
    """Without its picture, which is not to outlive its link; None where all of it was told in an episode that
    became part of this one."""
    words: tuple[object, ...]
    """What of the telling makes it read differently, see `Telling.words`."""
    known: set[str]
    """The individuals and visits that they were told of; `Kind.SOMEONE` before that was known."""
    critical: bool = False
    """Whether they were told so that nobody sleeps through it."""

    @property
    def said_who(self) -> bool:
        """Return whether it was said of everybody who they are, as far as that is known."""
        return self.telling is not None and all(part.kind is not Kind.SOMEONE for part in self.parts)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Return the people it is about."""
        return () if self.telling is None else self.telling.parts


class Teller:
    """What every recipient was told. Lives on the event loop; what is sent is sent in the background."""

    def __init__(self, household: Household, answers: Answers) -> None:
        """Have told nobody anything; what can be answered to it is offered by `answers`."""
        self.pictures = PictureStore(self.may_show)
        self.answers = answers
        self._household = household
        self._hass: HomeAssistant = household.hass
        self._sent: dict[tuple[str, str], _Sent] = {}
        """What was told, by the tag and the recipient's key."""
        self._unheard: set[tuple[str, str]] = set()
        """What is news and did not reach its recipient yet, by the same: what takes its place sounds instead."""
        self._told: dict[tuple[str, str, str], tuple[datetime, str]] = {}
        """When an alert told a recipient of a topic last, and in which episode."""
        self._outboxes: dict[str, Outbox] = {}
        self.told_at: dict[str, datetime] = {}
        """When an alert told somebody last, by its id."""
        self._told_of: dict[str, set[str] | None] = {}
        """The individuals that it was about; None where it may have been of anybody."""

    async def async_stop(self) -> None:
        """Give up what is not sent yet."""
        for outbox in self._outboxes.values():
            await outbox.async_stop()

    async def async_flush(self) -> None:
        """Wait until everything that was to be sent has been."""
        for outbox in list(self._outboxes.values()):
            await outbox.async_flush()

    def quiet(self, rule: Rule, recipient: Recipient, topic: str, episode: Episode, now: datetime) -> bool:
        """Return whether an alert told a recipient of a topic too short a time ago, in another episode."""
        told = self._told.get((rule.alert_id, recipient.key, topic))
        return told is not None and told[1] != episode.episode_id and now - told[0] < rule.every

    @callback
    def async_forget(self, person_id: str) -> None:
        """Withdraw what is about a person, also from longer ago than the episodes are remembered."""
        self.answers.async_forget(person_id)
        for (tag, key), sent in list(self._sent.items()):
            if any(part.individual == person_id for part in sent.parts):
                self.async_clear(tag, key)
        self._told = {key: told for key, told in self._told.items() if key[2] != person_id}
        gone = [each for each, told_of in self._told_of.items() if told_of is None or person_id in told_of]
        for alert_id in gone:
            del self._told_of[alert_id], self.told_at[alert_id]
            self._household.async_send(SIGNAL_TOLD)

    @callback
    def async_told_before(self, alert_id: str, at: datetime) -> None:
        """Know when an alert told somebody before a restart."""
        if alert_id not in self.told_at:
            self.told_at[alert_id], self._told_of[alert_id] = at, None

    @callback
    def async_expire(self, now: datetime) -> None:
        """Know no longer when somebody was told of than an alert can keep quiet for that."""
        self._told = {key: told for key, told in self._told.items() if now - told[0] <= LONGEST_QUIET}

    @callback
    def async_tell(
        self, recipient: Recipient, episode: Episode, telling: Telling | None, now: datetime
    ) -> None:
        """Send what is new, and take away what does not hold."""
        where = (episode.tag, recipient.key)
        sent = self._sent.get(where)
        if sent is not None and episode.someone not in episode.looking and sent.said_who:
            sent.known.discard(Kind.SOMEONE)
        if telling is None:
            if sent is not None and sent.telling is not None and recipient.grows:
                self.async_clear(*where)
            return
        known = set() if sent is None else sent.known
        new = [part for part in telling.parts if part.known_as.isdisjoint(known)]
        # That somebody turns out to be somebody else, or is at another camera now, is no other news.
        turned_out = Kind.SOMEONE in known and all(part.kind is not Kind.SOMEONE for part in telling.parts)
        if sent is not None and sent.said_who:
            # Anyone else who is known by the same look was there when it was said that someone is.
            turned_out = turned_out and all(part.camera_id == episode.someone for part in new)
        news = bool(new) and not (recipient.grows and turned_out)
        was_critical = sent is not None and sent.critical
        if recipient.grows and telling.critical and not was_critical:
            # Whatever was heard before came from an alert that lets people sleep.
            news = True
        if sent is not None and not news and sent.telling is not None and sent.words == telling.words:
            return
        early = telling.parts[0].kind is Kind.SOMEONE
        if not recipient.grows and (not news or (early and episode.looking)):
            # What cannot be taken back or replaced is told once, when it is known.
            return
        told = set().union(*(part.known_as for part in telling.parts))
        before = known if episode.someone in episode.looking else known - {Kind.SOMEONE}
        self._sent[where] = _Sent(
            replace(telling, picture=None), telling.words, told | before, telling.critical or was_critical
        )
        self._note_told(recipient, episode, telling, now)
        if sent is None or news:
            self._unheard.add(where)
        self._outbox(recipient.key).async_put(
            episode.tag, lambda: self._async_send(recipient, episode, telling)
        )

    @callback
    def _note_told(self, recipient: Recipient, episode: Episode, telling: Telling, now: datetime) -> None:
        for alert_id in telling.alerts:
            for part in telling.parts:
                for topic in (part.topic, part.camera_id):
                    self._told.pop((alert_id, recipient.key, topic), None)
                    self._told[alert_id, recipient.key, topic] = (now, episode.episode_id)
        while len(self._told) > MOST_REMEMBERED:
            del self._told[next(iter(self._told))]
        while len(self._sent) > MOST_REMEMBERED:
            oldest = next(iter(self._sent))
            del self._sent[oldest]
            self._unheard.discard(oldest)

    async def _async_send(self, recipient: Recipient, episode: Episode, telling: Telling) -> None:
        where = (episode.tag, recipient.key)
        news = where in self._unheard
        self._unheard.discard(where)
        cameras = camera_names(self._household.entry)
        camera_id = telling.parts[-1].camera_id
        picture = None
        if telling.picture is not None and recipient.user_id is not None:
            picture = self.pictures.async_offer(
                self._hass,
                episode.episode_id,
                telling.picture,
                frozenset(part.individual for part in telling.parts if part.kind is Kind.FAMILIAR),
            )
        notification = Notification(
            tag=episode.tag,
            title=cameras.get(camera_id, ""),
            message=await async_message(self._hass, telling.parts, cameras),
            picture=picture,
            critical=telling.critical,
            silent=not news,
            buttons=await self._async_buttons(recipient, episode, telling),
            opens=self._opens(camera_id),
        )
        arrived = False
        try:
            if not self._still_told(telling):
                # It waited, and somebody's consent ended meanwhile.
                self.pictures.async_take_back(episode.episode_id)
                return
            await async_send(self._hass, recipient, notification)
            arrived = True
        except ServiceNotFound:
            _LOGGER.warning("%s can no longer be notified", recipient.title)
            return
        finally:
            if news and not arrived and where in self._sent:
                self._unheard.add(where)
        self._async_show_told(telling)

    def may_show(self, person_id: str) -> bool:
        """Return whether there may still be pictures of a person who some camera recognises."""
        return may_be_told(self._household, person_id, ANYWHERE) and keeps_pictures(
            self._household, person_id
        )

    def _still_told(self, telling: Telling) -> bool:
        """Return whether everybody it names may still be named."""
        return all(
            may_be_told(self._household, part.individual, part.camera_id)
            for part in telling.parts
            if part.kind is Kind.FAMILIAR
        )

    @callback
    def _async_show_told(self, telling: Telling) -> None:
        """Show that the alerts notified; not who it was about, and not for people with nothing kept."""
        familiar = {part.individual for part in telling.parts if part.kind is Kind.FAMILIAR}
        # Anyone who is someone yet may turn out to be one of them a moment later, or stay silent.
        undecided = all(part.kind is Kind.SOMEONE for part in telling.parts)
        if undecided or not all(keeps_visits(self._household, each) for each in familiar):
            return
        for alert_id in telling.alerts:
            self.told_at[alert_id] = dt_util.utcnow()
            self._told_of[alert_id] = familiar
        self._household.async_send(SIGNAL_TOLD)

    async def _async_buttons(
        self, recipient: Recipient, episode: Episode, telling: Telling
    ) -> tuple[Button, ...]:
        """Return the answers that fit: about the last person it is about."""
        part = telling.parts[-1]
        answers: list[Answer] = []
        if telling.answers and part.kind is Kind.FAMILIAR and keeps_visits(self._household, part.individual):
            answers += [Answer.RIGHT, Answer.NOT_THEM]
        elif telling.answers and part.kind is not Kind.FAMILIAR and await self._async_may_enrol(recipient):
            if self._household.missed.get(part.visit_id or "", dt_util.utcnow()) is not None:
                answers.append(Answer.IT_WAS)
            answers.append(Answer.WHO)
        answers.append(Answer.MUTE)
        titles = {each: await self._async_title(each, telling) for each in answers}
        return self.answers.async_offer(
            recipient,
            episode.tag,
            titles,
            visit_id=part.visit_id,
            person_id=part.individual if part.kind is Kind.FAMILIAR else None,
            camera_id=part.camera_id,
        )

    async def _async_title(self, answer: Answer, telling: Telling) -> str:
        """Return what the button of an answer says; with the name where several are told of."""
        part = telling.parts[-1]
        if len(telling.parts) > 1 and part.kind is Kind.FAMILIAR:
            return await async_say(self._hass, "alert_answer_of", str(answer), who=part.name or "")
        return await async_say(self._hass, "alert_answer", str(answer))

    async def _async_may_enrol(self, recipient: Recipient) -> bool:
        user = await self._hass.auth.async_get_user(recipient.user_id or "")
        return user is not None and user.is_admin

    @callback
    def async_clear(self, tag: str, key: str) -> None:
        """Take a notification away from a recipient."""
        self._sent.pop((tag, key), None)
        self._unheard.discard((tag, key))
        self.answers.async_withdraw(tag, key)
        recipient = async_find(self._hass, key)
        if recipient is not None and recipient.grows:
            self._outbox(key).async_put(tag, lambda: self._async_clear(recipient, tag))

    async def _async_clear(self, recipient: Recipient, tag: str) -> None:
        # What was on its way meanwhile has offered answers again.
        self.answers.async_withdraw(tag, recipient.key)
        await async_clear(self._hass, recipient, tag)

    def _opens(self, camera_id: str) -> str | None:
        """Return the path of a dialog that shows a camera, which the apps open with a tap."""
        camera = self._household.entry.subentries.get(camera_id)
        return None if camera is None else f"/?more-info-entity-id={camera.data[CONF_CAMERA]}"

    @callback
    def async_join(self, episode: Episode, into: Episode) -> None:
        """Take an episode away that became part of another one; what was told of it is no news there."""
        self.pictures.async_take_back(episode.episode_id)
        for tag, key in [each for each in self._sent if each[0] == episode.tag]:
            heard, critical = self._sent[tag, key].known, self._sent[tag, key].critical
            unheard = (tag, key) in self._unheard
            self.async_clear(tag, key)
            joined = self._sent.setdefault((into.tag, key), _Sent(None, (), set()))
            if unheard and (joined.telling is None or not heard - {Kind.SOMEONE} <= joined.known):
                self._unheard.add((into.tag, key))
            joined.known |= heard
            joined.critical |= critical
        for topic, (at, episode_id) in self._told.items():
            if episode_id == episode.episode_id:
                self._told[topic] = (at, into.episode_id)

    def _outbox(self, key: str) -> Outbox:
        return self._outboxes.setdefault(key, Outbox(self._hass, self._household.entry, key))
