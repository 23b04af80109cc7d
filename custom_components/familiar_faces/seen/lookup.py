"""Which visits a user may look up: the core of the actions, the sentences and the tools that ask."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.components.event import DOMAIN as EVENT_DOMAIN
from homeassistant.components.homeassistant.exposed_entities import async_should_expose
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import UnknownUser
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.intent import async_get_entity_aliases
from homeassistant.util import dt as dt_util

from ..const import CONF_CAMERA, DOMAIN, KEY_SEEN, KEY_VISITOR, SUBENTRY_CAMERA
from ..host.engine import EngineStatus
from ..household.household import Household
from ..people.person import Person
from ..visits.tally import Count
from ..visits.visit import Decision
from .board import Board
from .shown import Shown

ATTR_USER_ID = "user_id"
"""Where an entity `person.*` says whose account is theirs."""
ASSISTANT = "conversation"
"""Whose exposed entities count where an assistant has no settings of its own."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: a user of Home Assistant or an automation, by themselves or through a voice assistant.

    Each thing is told by an entity: what happens at a camera by its event `visitor`, and somebody's coming
    by their event `seen`. Anyone who may not read that entity, or asks an assistant that it is not exposed to,
    is told nothing of it. An automation reads everything, as it reads every state.
    """

    hass: HomeAssistant
    user: User | None = None
    assistant: str | None = None

    @callback
    def may_read(self, entity_id: str | None) -> bool:
        """Return whether they may read an entity; None for one that no longer exists."""
        if entity_id is None:
            return self.assistant is None and (
                self.user is None or self.user.permissions.access_all_entities(POLICY_READ)
            )
        if self.user is not None and not self.user.permissions.check_entity(entity_id, POLICY_READ):
            return False
        return self.assistant is None or async_should_expose(self.hass, self.assistant, entity_id)

    @callback
    def may_control(self, entity_id: str | None) -> bool:
        """Return whether they may do something with an entity; never for one that no longer exists."""
        return self.may_read(entity_id) and (
            self.user is None
            or (entity_id is not None and self.user.permissions.check_entity(entity_id, POLICY_CONTROL))
        )

    @callback
    def is_user_of(self, person_entity: str | None) -> bool:
        """Return whether they are the user of an entity `person.*`, as the owner has set it."""
        state = None if person_entity is None else self.hass.states.get(person_entity)
        return (
            self.user is not None
            and self.assistant is None
            and state is not None
            and state.attributes.get(ATTR_USER_ID) == self.user.id
        )


async def async_asker(hass: HomeAssistant, context: Context | None, assistant: str | None = None) -> Asker:
    """Return who asks; raise UnknownUser for a user who is gone."""
    if context is None or context.user_id is None:
        return Asker(hass, assistant=assistant)
    if (user := await hass.auth.async_get_user(context.user_id)) is None:
        raise UnknownUser(context=context)
    return Asker(hass, user, assistant)


@dataclass(frozen=True, slots=True)
class Place:
    """A camera that may be told of."""

    camera_id: str
    name: str
    entity_id: str
    """The camera entity that is looked at."""
    event: str | None
    """The entity that shows visits here."""
    called: frozenset[str] = frozenset()
    """What it may be called when it is spoken of, casefolded: also by the aliases of that entity."""


@dataclass(frozen=True, slots=True)
class Came:
    """A kept visit that may be told of."""

    visit: Shown
    place: Place | None
    """Where; None when that may not be told, or the camera is gone."""


@dataclass(frozen=True, slots=True)
class Here:
    """Who is at a camera now."""

    place: Place
    people: tuple[Shown, ...] = ()
    """The visits of those who may be named."""
    others: int = 0
    """How many familiar people there are besides, whose names are not for the user who asks."""
    strangers: int = 0
    unclear: int = 0

    @property
    def anybody(self) -> bool:
        """Return whether there is somebody."""
        return bool(self.people or self.others or self.strangers or self.unclear)

    def has(self, person_id: str) -> bool:
        """Return whether somebody is there by their name."""
        return any(visit.person_id == person_id for visit in self.people)


@dataclass(frozen=True, slots=True)
class Unnamed:
    """Which visitors without a name came today."""

    strangers: Count = field(default_factory=Count)
    unclear: Count = field(default_factory=Count)
    known_since: datetime | None = None
    """Since when that is known; None when it is known for all of today."""


class Lookup:
    """What may be told to somebody who asks.

    Nothing about people who agreed to less; about strangers, only where and when they came.
    """

    def __init__(self, household: Household, board: Board, asker: Asker) -> None:
        """Look up for somebody."""
        self._household = household
        self._board = board
        self._asker = asker
        self._entities = er.async_get(household.hass)

    @callback
    def places(self) -> dict[str, Place]:
        """Return the cameras that may be told of, by the ids of their subentries."""
        found = {}
        for each in self._household.entry.subentries.values():
            if each.subentry_type != SUBENTRY_CAMERA:
                continue
            event = self._entity_id(EVENT_DOMAIN, each.subentry_id, KEY_VISITOR)
            if self._asker.may_read(event):
                entity_id = str(each.data[CONF_CAMERA])
                called = {each.title, *self._aliases(event), *self._aliases(entity_id)}
                found[each.subentry_id] = Place(
                    each.subentry_id,
                    each.title,
                    entity_id,
                    event,
                    frozenset(name.strip().casefold() for name in called),
                )
        return found

    @callback
    def called(self, name: str) -> dict[str, Place]:
        """Return the cameras that may be told of and are called so, by the ids of their subentries."""
        wanted = name.strip().casefold()
        return {key: place for key, place in self.places().items() if wanted in place.called}

    @callback
    def known(self) -> dict[str, Person]:
        """Return the people the user may know, by their ids; some of them may not be announced."""
        return {
            person_id: person
            for person_id, person in self._household.people.items()
            if self._asker.may_read(self._entity_id(EVENT_DOMAIN, person_id, KEY_SEEN))
        }

    @callback
    def own(self) -> Person | None:
        """Return the person that the user who asks is, by the account of their linked `person.*`; None for others.

        Anyone who is linked to two people is none of them: nothing is shown to somebody who it may not be about.
        """
        found = [
            person
            for person in self._household.people.values()
            if self._asker.is_user_of(person.linked_entity)
        ]
        return found[0] if len(found) == 1 else None

    @callback
    def acts_as(self, person_id: str | None) -> bool:
        """Return whether the user who asks is this person, and may do more than look."""
        own = self.own()
        return (
            own is not None
            and own.person_id == person_id
            and self._asker.may_control(self._entity_id(EVENT_DOMAIN, own.person_id, KEY_SEEN))
        )

    @callback
    def acts(self) -> bool:
        """Return whether the user who asks may do more than look, with what happens at one of the cameras at least."""
        return any(self._asker.may_control(place.event) for place in self.places().values())

    @callback
    def people(self) -> dict[str, Person]:
        """Return the people who may be told of, by their ids: not those who stay silent."""
        return {key: person for key, person in self.known().items() if self._board.may_name(person)}

    @callback
    def named(self, name: str) -> list[Person]:
        """Return the people who may be told of and are called so, also by the aliases of their event `seen`."""
        wanted = name.strip().casefold()
        found = []
        for person in self.people().values():
            aliases = self._aliases(self._entity_id(EVENT_DOMAIN, person.person_id, KEY_SEEN))
            if wanted in {each.strip().casefold() for each in (person.name, *aliases)}:
                found.append(person)
        return found

    @callback
    def is_looked(self, camera_ids: Iterable[str]) -> bool:
        """Return whether anybody is looked for at any of these cameras."""
        ready = self._household.engine.status is EngineStatus.READY
        return ready and any(self._household.can_recognise(camera_id) for camera_id in camera_ids)

    @callback
    def here(self, camera_ids: Collection[str] | None = None) -> list[Here]:
        """Return who is at the cameras now, as far as their visits go on."""
        going_on = self._board.going_on()
        return [
            self._here(place, [each for each in going_on if each.camera_id == place.camera_id])
            for place in self.places().values()
            if camera_ids is None or place.camera_id in camera_ids
        ]

    def _here(self, place: Place, visits: list[Shown]) -> Here:
        may_be_told = self.people()
        people = [each for each in visits if each.person_id in may_be_told]
        return Here(
            place,
            tuple(people),
            others=sum(each.person_id is not None for each in visits) - len(people),
            strangers=sum(each.decision is Decision.STRANGER for each in visits),
            unclear=sum(each.decision is Decision.UNCLEAR for each in visits),
        )

    @callback
    def present(self) -> list[Person]:
        """Return who was seen a moment ago at any camera."""
        now = dt_util.utcnow()
        return [
            person
            for person_id, person in self.people().items()
            if (until := self._board.present_until(person_id)) is not None and until > now
        ]

    async def async_visits(
        self,
        *,
        person_ids: Collection[str] | None = None,
        camera_ids: Collection[str] | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        limit: int,
    ) -> list[Came]:
        """Return at most `limit` kept visits of familiar people, newest first; raise VaultError.

        Only of these people and at these cameras, where some are given, that began at `since` or later and
        earlier than `before`.
        """
        wanted = [each for each in self.people() if person_ids is None or each in person_ids]
        visits = await self._board.async_visits(wanted, camera_ids, since=since, before=before, limit=limit)
        # Only now: what the user may read may have changed while the vault was read.
        still = self.people()
        return [self._came(visit) for visit in visits if visit.person_id in still]

    async def async_last_seen(self, person_id: str) -> Came | None:
        """Return the kept visit in which somebody who may be told of was last seen; raise VaultError."""
        await self._board.async_ready()
        visit = self._board.last_visit(person_id) if person_id in self.people() else None
        return None if visit is None else self._came(visit)

    def _came(self, visit: Shown) -> Came:
        return Came(visit, self.places().get(visit.camera_id))

    @callback
    def unnamed_today(self, camera_ids: Collection[str]) -> Unnamed:
        """Return which visitors without a name came to some cameras today.

        Nothing is kept of them. What came before Home Assistant was started is known only of the last visit
        of each camera, which its event shows.
        """
        tally, today = self._household.tally, dt_util.as_utc(dt_util.start_of_local_day())
        strangers = tally.count(Decision.STRANGER, camera_ids, today)
        unclear = tally.count(Decision.UNCLEAR, camera_ids, today)
        if tally.since <= today:
            return Unnamed(strangers, unclear)
        before = [
            (at, place.camera_id)
            for place in self.places().values()
            if place.camera_id in camera_ids
            and (at := self.last_unnamed(place, Decision.STRANGER)) is not None
            and today <= at < tally.since
        ]
        if before:
            last = max(before) if strangers.last_at is None else (strangers.last_at, strangers.camera_id)
            strangers = Count(strangers.number + len(before), *last)
        return Unnamed(strangers, unclear, known_since=tally.since)

    @callback
    def last_unnamed(self, place: Place, *decisions: Decision) -> datetime | None:
        """Return when the last visitor of a camera came, if they were so decided."""
        last = self._board.last_at(place.camera_id)
        return None if last is None or last.decision not in decisions else last.announced_at

    def _aliases(self, entity_id: str | None) -> list[str]:
        """Return what an entity is called, and its aliases."""
        if entity_id is None or (state := self._household.hass.states.get(entity_id)) is None:
            return []
        return async_get_entity_aliases(
            self._household.hass, self._entities.async_get(entity_id), state=state
        )

    def _entity_id(self, domain: str, owner: str, key: str) -> str | None:
        """Return the entity of a camera or person, by its id and what it is for; None when it was removed."""
        return self._entities.async_get_entity_id(domain, DOMAIN, f"{owner}_{key}")
