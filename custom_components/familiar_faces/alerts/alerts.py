"""The alerts of an entry: from looks and visits to one notification a recipient that grows.

What a recipient is to know is asked again whenever something happens, and compared with what they were told:
what is new is sent, what only reads differently takes its place silently, what does not hold is taken away.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import logging

from homeassistant.core import CALLBACK_TYPE, HassJob, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..household.household import Household
from ..household.issues import async_check_alert
from ..household.keeping import keeps_pictures, shortest_kept
from ..household.signals import SIGNAL_CHANGED, SIGNAL_CORRECTED, SIGNAL_FORGOTTEN, SIGNAL_LOOK, Of
from ..people.person import Person
from ..recognising.announcing import Settled
from ..vault.records import Corrected
from ..visits.news import LookNews, Stage
from ..visits.turns import Urgency
from .answers import EVENT_ANSWERED, Answers
from .episode import Episode, Episodes
from .mutes import Mutes
from .notification import LINK_MINUTES
from .own_phones import OwnPhones
from .reach import Reach
from .recipients import Recipient, async_own_person, async_recipients
from .rule import Pictures, Rule
from .rules import Rules, async_prune_entry
from .teller import Teller
from .telling import PATIENCE, SELF_FRAMES, Reader, tell

_LOGGER = logging.getLogger(__name__)

ZONE_HOME = "zone.home"
EXPIRE_EVERY = 60.0
"""Seconds between two looks for pictures that are past their time, while there are any."""


@dataclass(slots=True)
class _Look:
    """A look that is being taken."""

    frame: bytes | None = field(default=None, repr=False)
    """Its first frame (JPEG), where a picture may be shown before anybody is decided."""
    frames: int = 0
    somebody: bool = False
    """Whether somebody rang, or a face was seen."""
    rang: bool = False
    seen: bool = False
    """Whether it showed anybody who may be announced."""


class Alerts:
    """Notifies the recipients that the owner chose. Lives on the event loop; sends in the background."""

    def __init__(self, household: Household) -> None:
        """Tell nobody of anything yet."""
        self._household = household
        self._hass = household.hass
        self.mutes = Mutes(household.books)
        self.own_phones = OwnPhones(household, self.mutes)
        self._rules = Rules(household.entry, household.books)
        self.answers = Answers(household, self.mutes, self._rules)
        self._teller = Teller(household, self.answers)
        self.pictures = self._teller.pictures
        self.reach = Reach(household.hass, self._rules)
        self._episodes = Episodes()
        self._looks: dict[str, _Look] = {}
        """The looks that are being taken, by their cameras."""
        self._timers: dict[str, CALLBACK_TYPE] = {}
        self._expiry: CALLBACK_TYPE | None = None
        self._pictured: set[str] = set()
        """The ids of those who agree to pictures."""
        self._unsubscribe: list[CALLBACK_TYPE] = []

    # The rules

    @property
    def all_rules(self) -> list[Rule]:
        """Return all alerts, those included that are switched off or muted; without what cannot be read."""
        return self._rules.read()

    @property
    def rules(self) -> list[Rule]:
        """Return the alerts that tell somebody now: switched on, and not muted."""
        now = dt_util.utcnow()
        return [each for each in self._rules.switched_on() if self.mutes.until(each.alert_id, now) is None]

    @property
    def unreadable(self) -> Mapping[str, str]:
        """Return the titles of alerts that could not be read, by their ids."""
        return self._rules.unreadable

    def last_told(self, alert_id: str) -> datetime | None:
        """Return when an alert told somebody last, for as long as the visit may be kept of anybody it can have been."""
        told_at, kept = self._teller.told_at.get(alert_id), shortest_kept(self._household)
        over = told_at is None or (kept is not None and dt_util.utcnow() - told_at >= kept)
        return None if over else told_at

    @callback
    def async_told_before(self, alert_id: str, at: datetime) -> None:
        """Know when an alert notified before a restart; who it was about is no longer known."""
        self._teller.async_told_before(alert_id, at)

    @callback
    def async_start(self) -> None:
        """Listen to what happens."""
        # A crash may have come between forgetting somebody and taking them out of the alerts.
        self.async_prune()
        self.reach.async_start()
        self._unsubscribe += [
            self._household.async_connect(SIGNAL_LOOK, self._async_look),
            self._household.async_connect(SIGNAL_FORGOTTEN, self._async_forgotten),
            self._household.async_connect(SIGNAL_CORRECTED, self._async_corrected),
            self._household.async_connect(SIGNAL_CHANGED, self._async_hub_changed, of=Of.WHOLE),
            self._household.async_connect(SIGNAL_CHANGED, self._async_expire, of=Of.VISITS),
            self._hass.bus.async_listen(EVENT_ANSWERED, self.answers.async_answered),
        ]

    async def async_stop(self) -> None:
        """Stop notifying."""
        self.reach.async_stop()
        while self._unsubscribe:
            self._unsubscribe.pop()()
        for cancel in self._timers.values():
            cancel()
        self._timers.clear()
        if self._expiry is not None:
            self._expiry()
        await self._teller.async_stop()

    async def async_flush(self) -> None:
        """Wait until everything that was to be sent has been."""
        await self._teller.async_flush()

    @callback
    def async_show(self, of: str, picture: bytes) -> str | None:
        """Hold a picture (JPEG) as those of notifications are, and return the signed path to it.

        `of`: what it belongs to, such as a dialog, by which it is taken back.
        """
        path = self.pictures.async_offer(self._hass, of, picture)
        self._async_expire_later()
        return path

    # What happens

    @callback
    def _async_look(self, news: LookNews) -> None:
        """Take note of a look: that somebody rang, how far it is, and that it is over."""
        now, camera_id = dt_util.utcnow(), news.camera_id
        if not self.rules:
            self._looks.pop(camera_id, None)
            self._episodes.over(camera_id)
            return
        look = self._looks.setdefault(camera_id, _Look())
        ask = True
        somebody = False
        match news.stage:
            case Stage.STARTED:
                somebody = news.urgency is Urgency.RING
                look.rang |= somebody
            case Stage.FETCHED:
                if self._may_show_before(camera_id):
                    look.frame = news.frame
            case Stage.COMPARED:
                look.frames = news.frames
                somebody = news.faces > 0
                ask = (somebody and not look.somebody) or look.frames == SELF_FRAMES
            case Stage.ENDED:
                del self._looks[camera_id]
        look.somebody |= somebody
        episode = self._episodes.at(camera_id, now) if somebody else self._episodes.current(camera_id, now)
        if episode is None:
            return
        if somebody:
            episode.someone = episode.someone or camera_id
        episode.rang |= look.rang
        episode.frames = max(episode.frames, look.frames)
        if not episode.seen:
            episode.frame = episode.frame or look.frame
        if news.stage is Stage.ENDED:
            episode.looking.discard(camera_id)
            if look.rang and not look.seen and episode.seen:
                episode.unseen = camera_id
            if not (look.seen or episode.rang or episode.seen or episode.looking):
                # A face was seen that may not be announced: no bell says either that somebody is there.
                episode.someone = None
        else:
            episode.looking.add(camera_id)
        if ask:
            self._async_update(episode)

    @callback
    def async_settle(self, settled: Settled) -> None:
        """Take note of a visit, as far as it may be told of."""
        if not (settled.announced and (rules := self.rules)):
            return
        visit, portrait, resembled = settled.outcome.visit, settled.portrait, settled.resembled
        shown = resembled if visit.person_id is None else {visit.person_id}
        pictured = all(keeps_pictures(self._household, each) for each in shown)
        if not (pictured and any(rule.shows(visit) and rule.about(visit) for rule in rules)):
            portrait = None
        if (look := self._looks.get(visit.camera_id)) is not None:
            look.seen = True
        companions = self._household.open_visits.companions(visit.visit_id)
        episode, merged = self._episodes.settle(visit, portrait, companions, dt_util.utcnow())
        for other in merged:
            self._teller.async_join(other, episode)
        if not pictured:
            # Before this was known, a picture may have been sent.
            episode.seen[visit.visit_id].portrait = None
            self.pictures.async_take_back(episode.episode_id)
        self._async_update(episode)

    @callback
    def _async_forgotten(self, person_id: str) -> None:
        """Withdraw what is about a person, who may agree to less than before or be gone."""
        for episode in self._episodes.forget(person_id):
            self.pictures.async_take_back(episode.episode_id)
            self._async_update(episode)
        self._teller.async_forget(person_id)
        if person_id not in self._household.people:
            self.async_prune()

    async def _async_corrected(self, corrected: Corrected) -> None:
        """Tell those who were told the wrong name."""
        moved = None
        person = None if corrected.moved is None else self._household.people.get(corrected.moved.person_id)
        visit_id = corrected.visit_id
        self.answers.async_corrected(visit_id)
        if (episode := self._episodes.of_visit(visit_id)) is None:
            return
        before = episode.seen[visit_id].visit
        if person is not None and corrected.moved is not None and person.choices.announced:
            moved = before.renamed(person.person_id, person.name, corrected.moved.confidence)
        episode.correct(visit_id, moved)
        self.answers.async_withdraw(episode.tag)
        self.pictures.async_take_back(episode.episode_id)
        self._async_update(episode)

    @callback
    def _async_expire(self) -> None:
        """Hold nothing that is over."""
        now = dt_util.utcnow()
        self.pictures.async_expire(now)
        self._teller.async_expire(now)
        self._episodes.drop_pictures(now - timedelta(minutes=LINK_MINUTES))

    @callback
    def _async_hub_changed(self) -> None:
        """Follow that a person has another name, or no longer agrees to pictures."""
        now = dt_util.utcnow()
        self._episodes.rename({each.person_id: each.name for each in self._household.people.values()})
        pictured = {each for each in self._household.people if self._teller.may_show(each)}
        if not self._pictured <= pictured:
            # A person no longer agrees to pictures, or is gone; they may be in any of these.
            self._episodes.drop_pictures(now + timedelta(minutes=LINK_MINUTES))
            self.pictures.async_take_back()
        self._pictured = pictured

    @callback
    def async_prune(self) -> None:
        """Remove notes about people, cameras and alerts that are gone."""
        roster, entry = self._household.roster, self._household.entry
        # Also of those who cannot be read for now.
        people = {*roster.people, *roster.held, *(set(roster.subentries()) - roster.leaving)}
        async_prune_entry(self._hass, entry, self._household.books, people)

    @callback
    def async_follow(self) -> None:
        """Follow that subentries were added, changed or removed."""
        self.async_prune()
        self.reach.async_check()

    # What follows

    @callback
    def _async_update(self, episode: Episode) -> None:
        """Have every recipient know what they are to know now."""
        now = dt_util.utcnow()
        by_recipient: dict[str, list[Rule]] = defaultdict(list)
        for rule in self.rules:
            if rule.alert_id not in episode.counting and any(map(rule.at, episode.cameras)):
                episode.counting[rule.alert_id] = rule.counts(dt_util.as_local(now), self._somebody_home())
            for key in rule.recipients:
                by_recipient[key].append(rule)
        recipients = {each.key: each for each in async_recipients(self._hass)} if by_recipient else {}
        for key, rules in by_recipient.items():
            if (recipient := recipients.get(key)) is None:
                for rule in rules:
                    async_check_alert(self._hass, rule.alert_id, rule.title, gone=True)
                continue
            reader = self._reader(recipient, episode, now)
            telling = tell(rules, episode, reader, now)
            self._teller.async_tell(recipient, episode, telling, now)
        self._async_ask_again(episode, now)
        self._async_expire_later()

    @callback
    def _async_expire_later(self) -> None:
        """Hold pictures no longer than they can be fetched, whatever does or does not happen meanwhile."""
        if self._expiry is not None or not (self.pictures or self._episodes.pictured):
            return

        @callback
        def expire(_now: datetime) -> None:
            self._expiry = None
            self._async_expire()
            self._async_hub_changed()
            self._async_expire_later()

        self._expiry = async_call_later(self._hass, EXPIRE_EVERY, HassJob(expire, cancel_on_shutdown=True))

    def _reader(self, recipient: Recipient, episode: Episode, now: datetime) -> Reader:
        linked = async_own_person(self._hass, recipient)
        own = [
            each
            for each in self._household.people.values()
            if linked is not None and each.linked_entity == linked
        ]

        def may_come(camera_id: str) -> bool:
            # Without a bell nothing but their face would say that somebody is there who wishes silence.
            waited_for = own if episode.rang else [*own, *self._silent()]
            return any(
                each.may_be_recognised(now, camera_id) and (each.choices.announced or not episode.rang)
                for each in waited_for
            )

        return Reader(
            own=frozenset(each.person_id for each in own),
            may_come=may_come,
            mutes=lambda camera_id, person_id: self.mutes.muted(recipient.key, camera_id, person_id, now),
            quiet=lambda rule, topic, episode: self._teller.quiet(rule, recipient, topic, episode, now),
        )

    def _silent(self) -> list[Person]:
        """Return those who wish that nothing is said of them."""
        return [each for each in self._household.people.values() if not each.choices.announced]

    def _somebody_home(self) -> bool:
        state = self._hass.states.get(ZONE_HOME)
        return state is not None and state.state.isdecimal() and int(state.state) > 0

    def _may_show_before(self, camera_id: str) -> bool:
        """Return whether a picture may be shown before it is known who is in it: everybody agreed to pictures."""
        if not any(
            rule.early and rule.pictures is Pictures.EVERYBODY and rule.at(camera_id) for rule in self.rules
        ):
            return False
        now = dt_util.utcnow()
        here = [each for each in self._household.people.values() if each.may_be_recognised(now, camera_id)]
        return all(keeps_pictures(self._household, each.person_id) for each in here)

    @callback
    def _async_ask_again(self, episode: Episode, now: datetime) -> None:
        """Ask once more when the patience with a first notification ends."""
        if episode.episode_id in self._timers or episode.seen or episode.someone is None:
            return
        left = (episode.began_at + PATIENCE - now).total_seconds()
        if left <= 0:
            return

        @callback
        def ask(_now: datetime) -> None:
            self._timers.pop(episode.episode_id, None)
            if not episode.seen:
                self._async_update(episode)

        self._timers[episode.episode_id] = async_call_later(
            self._hass, left, HassJob(ask, cancel_on_shutdown=True)
        )
