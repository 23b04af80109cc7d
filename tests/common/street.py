"""A street of four doors: made-up faces at cameras, who is told of them, and a clock that is turned by hand.

Looks and visits take the way they take from the watchers on; only the engine and its pictures are left out.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.alerts.episode import Episode
from custom_components.familiar_faces.alerts.recipients import Recipient
from custom_components.familiar_faces.alerts.telling import Telling
from custom_components.familiar_faces.engine.protocol import Embedding, Face, Quality
from custom_components.familiar_faces.household.signals import SIGNAL_LOOK
from custom_components.familiar_faces.household.subentries import camera_names
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.visits.news import LookNews, Stage
from custom_components.familiar_faces.visits.turns import Urgency
from custom_components.familiar_faces.visits.visit import (
    Decision,
    Sighting,
    Timing,
    UnclearReason,
    Verdict,
    Visit,
)

from ..conftest import FrontDoor, a_door, an_entry, hub_of, put_up
from .alerting import add_alert
from .people_on_record import DAY, a_consent, put_on_record
from .phone import Phone
from .vectors import axis

DOORS = ("Front", "Back", "Garage", "Gate")
NAMES = ("Anna", "Bob", "Carla", "Dirk", "Silas")
QUIET, PLAIN = "Silas", "Carla"
"""Who wishes silence, and who said no to pictures."""
STRANGERS = ("x", "y", "z")


@dataclass
class Said:
    """A state of a notification, as it was sent."""

    at: datetime
    recipient: str
    tag: str
    telling: Telling
    silent: bool


@dataclass
class Street:
    """Who comes, at which camera, and what is told of it."""

    hass: HomeAssistant
    hub: Hub
    clock: FrozenDateTimeFactory
    said: list[Said] = field(default_factory=list)
    joined: dict[str, str] = field(default_factory=dict)
    """Tags of notifications that became part of another one, and the tag of that."""

    @property
    def entry(self) -> ConfigEntry[Hub]:
        """Return the entry of the four doors."""
        return self.hub.entry

    def alert(self, *phones: Phone, **changes: Any) -> str:
        """Add an alert that tells phones of everybody at once, and return its id."""
        return add_alert(self.hass, self.entry, *phones, **changes)

    async def update(self, person_id: str, name: str, linked_entity: str | None = None) -> None:
        """Have somebody be called otherwise, or be linked to one of Home Assistant's own people."""
        await self.hass.async_add_executor_job(self.hub.vault.update_person, person_id, name, linked_entity)
        await self.hub.async_refresh_people()

    def tag(self, tag: str) -> str:
        """Return the notification that one is a part of now."""
        while tag in self.joined:
            tag = self.joined[tag]
        return tag

    def camera(self, name: str) -> str:
        """Return the id of a camera."""
        return next(key for key, title in camera_names(self.hub.entry).items() if title == f"{name} door")

    def news(self, door: str, stage: Stage, **more: Any) -> None:
        """Have a watcher say how far its look is."""
        urgency = more.pop("urgency", Urgency.RING)
        entry_id = self.hub.entry.entry_id
        async_dispatcher_send(
            self.hass, SIGNAL_LOOK.format(entry_id), LookNews(self.camera(door), stage, urgency, **more)
        )

    def rings(self, door: str) -> None:
        """Have somebody ring, and the camera give its first frame."""
        self.news(door, Stage.STARTED)
        self.news(door, Stage.FETCHED, frame=b"\xff\xd8 everybody there")

    async def sees(self, door: str, *people: str, unclear: bool = False) -> list[Visit]:
        """Have a frame show people who are decided by it; with a capital they are familiar."""
        visits = []
        for who in people:
            sighting, verdict = self.seen(who, unclear=unclear)
            outcome = self.hub.open_visits.settle(self.camera(door), sighting, verdict)
            resembled = verdict.resembled | ({verdict.person_id} if verdict.person_id is not None else set())
            await self.hub.announcer.async_settle(outcome, Timing(1, 1, 1), _portrait(who), resembled)
            visits.append(outcome.visit)
        self.news(door, Stage.COMPARED, frames=2, faces=len(people))
        await self.settle()
        return visits

    async def ends(self, door: str) -> None:
        """Have a look be over."""
        self.hub.announcer.async_expire()
        self.news(door, Stage.ENDED)
        await self.settle()

    async def comes(self, door: str, *people: str, unclear: bool = False) -> list[Visit]:
        """Have people ring, be seen, and the look be over."""
        self.rings(door)
        await self.settle()
        visits = await self.sees(door, *people, unclear=unclear)
        await self.ends(door)
        return visits

    async def later(self, seconds: float) -> None:
        """Let time go by, and what waits for it happen."""
        self.clock.tick(timedelta(seconds=seconds))
        self.hub.announcer.async_expire()
        await self.settle()

    async def settle(self) -> None:
        """Wait until everything is told."""
        await self.hass.async_block_till_done()
        await self.hub.alerts.async_flush()

    def seen(self, who: str, *, unclear: bool = False) -> tuple[Sighting, Verdict]:
        """Return how a look shows somebody now."""
        return Sighting.begin(_face(who), dt_util.utcnow()), self._verdict(who, unclear=unclear)

    def _verdict(self, who: str, *, unclear: bool) -> Verdict:
        if unclear:
            resembled = frozenset({who.casefold()}) if who in NAMES else frozenset[str]()
            return Verdict(Decision.UNCLEAR, reason=UnclearReason.NOT_SURE, resembled=resembled)
        if who not in NAMES:
            return Verdict(Decision.STRANGER)
        return Verdict(Decision.FAMILIAR, who.casefold(), who, 0.99, template_id="made up")


def _axis(who: str) -> Embedding:
    return axis(100 + [*NAMES, *STRANGERS].index(who))


def _portrait(who: str) -> bytes:
    return f"\xff\xd8 {who}".encode("latin-1")


def _face(who: str) -> Face:
    quality = Quality(True, None, 80.0, 0.0, 120.0, 60)
    return Face((0, 0, 60, 60), ((0.0, 0.0),) * 5, 0.9, quality, _axis(who), None, _portrait(who))


def _note(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a street know what is told in it, as it was decided and not as a phone shows it."""
    teller = street.hub.alerts._teller
    send, join = teller._async_send, teller.async_join

    async def sent(recipient: Recipient, episode: Episode, telling: Telling) -> None:
        silent = (episode.tag, recipient.key) not in teller._unheard
        street.said.append(Said(dt_util.utcnow(), recipient.key, episode.tag, telling, silent))
        await send(recipient, episode, telling)

    def joined(episode: Episode, into: Episode) -> None:
        street.joined[episode.tag] = into.tag
        join(episode, into)

    monkeypatch.setattr(teller, "_async_send", sent)
    monkeypatch.setattr(teller, "async_join", joined)


@asynccontextmanager
async def opened(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Street]:
    """Yield a street with a bell at each door, in which five people have agreed to be recognised."""
    await put_up(hass, [FrontDoor(name) for name in DOORS], [name.casefold() for name in DOORS])
    await hass.async_block_till_done()
    entry = an_entry(
        *(
            a_door(f"camera.{name.casefold()}", f"{name} door", f"input_button.{name.casefold()}")
            for name in DOORS
        )
    )
    entry.add_to_hass(hass)
    async with hub_of(hass, entry) as hub:
        now = dt_util.utcnow().replace(microsecond=0)
        with freeze_time(now, tick=False, real_asyncio=True) as clock:
            for name in NAMES:
                choices = Choices(
                    keeping=Keeping.SILENT if name == QUIET else Keeping.VISITS,
                    pictures=name not in (PLAIN, QUIET),
                )
                consent = a_consent(now, now + 300 * DAY, choices=choices)
                await put_on_record(hass, hub, consent, name.casefold(), name)
            assert isinstance(clock, FrozenDateTimeFactory)
            street = Street(hass, hub, clock)
            _note(street, monkeypatch)
            yield street
