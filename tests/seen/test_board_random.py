"""Whatever happens, in whatever order: nothing is shown of visits that may not be, and no surface shows more than the board.

What may be shown is worked out here once more, from what people agreed to and what happened, without the board.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
import json
import os
from typing import Any
from uuid import uuid4

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.image import ImageEntity
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.condition import ConditionConfig
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.restore_state import async_get as async_get_restored
from homeassistant.helpers.trigger import TriggerConfig
from homeassistant.util import dt as dt_util
from hypothesis import HealthCheck, given, settings, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.familiar_faces.condition import WasSeenWithin
from custom_components.familiar_faces.const import DOMAIN, OCCUPIED_FOR, PRESENT_FOR
from custom_components.familiar_faces.diagnostics import async_get_config_entry_diagnostics
from custom_components.familiar_faces.engine.protocol import Face, Quality
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.seen.lookup import Asker, Lookup
from custom_components.familiar_faces.trigger import FamiliarPersonSeen
from custom_components.familiar_faces.visits.visit import Decision, Sighting, Timing, UnclearReason, Verdict
from tests.common.automations import device_of
from tests.common.people_on_record import DAY, a_consent, put_on_record
from tests.common.vectors import axis
from tests.conftest import FrontDoor, a_door, an_entry, put_up, set_up, start_again

DOORS = ("Front", "Back")
PEOPLE = ("anna", "bob", "carla")
STRANGERS = ("x", "y")
EXAMPLES = int(os.environ.get("FAMILIAR_FACES_TEST_EXAMPLES", "25"))
"""How many sequences are tried; always the same ones, so that no change fails by chance."""


# What happens


@dataclass(frozen=True)
class Comes:
    """Somebody is seen at a door."""

    who: str
    door: int
    unclear: bool = False


@dataclass(frozen=True)
class Later:
    """Time goes by."""

    seconds: int


@dataclass(frozen=True)
class Agrees:
    """Somebody agrees to something else."""

    who: str
    keeping: Keeping
    pictures: bool
    doors: frozenset[int] | None
    days: int | None


@dataclass(frozen=True)
class Forgets:
    """Somebody is forgotten, or withdraws."""

    who: str


@dataclass(frozen=True)
class Corrects:
    """The owner says that a visit was somebody else's."""

    which: int
    really: str | None


@dataclass(frozen=True)
class Keeps:
    """The owner sets how long visits and their pictures are kept."""

    visit_days: int
    picture_days: int


@dataclass(frozen=True)
class Renames:
    """Somebody is called otherwise."""

    who: str


@dataclass(frozen=True)
class Purges:
    """What is past its time is erased."""


@dataclass(frozen=True)
class Restarts:
    """The integration starts again."""


type Step = Comes | Later | Agrees | Forgets | Corrects | Keeps | Renames | Purges | Restarts

WHO = st.sampled_from(PEOPLE)
COMES = st.builds(
    Comes,
    st.sampled_from([*PEOPLE, *PEOPLE, *STRANGERS]),
    st.integers(0, 1),
    st.sampled_from([False, False, True]),
)
STEPS = st.one_of(
    *[COMES] * 8,
    *[st.builds(Later, st.sampled_from([5, 20, 35, 290, 400, 3_600, 86_400, 3 * 86_400, 8 * 86_400]))] * 3,
    st.builds(
        Agrees,
        WHO,
        st.sampled_from(Keeping),
        st.booleans(),
        st.sampled_from([None, frozenset({0}), frozenset({1}), frozenset({0, 1})]),
        st.sampled_from([None, None, 1, 5]),
    ),
    st.builds(Forgets, WHO),
    *[st.builds(Corrects, st.integers(0, 30), st.sampled_from([None, *PEOPLE]))] * 2,
    st.builds(Keeps, st.sampled_from([0, 1, 4, 30]), st.sampled_from([0, 1, 7])),
    st.builds(Renames, WHO),
    st.just(Purges()),
    st.just(Restarts()),
)


def seen_as(who: str, *, unclear: bool) -> tuple[Sighting, Verdict]:
    """Return how a look shows somebody now."""
    vector = axis(100 + [*PEOPLE, *STRANGERS].index(who))
    quality = Quality(True, None, 80.0, 0.0, 120.0, 60)
    picture = b"\xff\xd8 a face"
    face = Face((0, 0, 60, 60), ((0.0, 0.0),) * 5, 0.9, quality, vector, None, picture)
    if unclear:
        verdict = Verdict(Decision.UNCLEAR, reason=UnclearReason.NOT_SURE)
    elif who in STRANGERS:
        verdict = Verdict(Decision.STRANGER)
    else:
        verdict = Verdict(Decision.FAMILIAR, who, who, 0.99, template_id="made up")
    return Sighting.begin(face, dt_util.utcnow()), verdict


# What may be shown of it


@dataclass
class Past:
    """A visit that somebody of ours was told of."""

    visit_id: str
    who: str
    """Whose it is."""
    camera_id: str
    started_at: datetime
    last_seen_at: datetime
    announced_at: datetime
    heard_at: datetime
    lasting: bool
    """Whether it was to be kept when it was announced."""
    pictured: bool
    run: int
    """In which run it happened: what is not kept does not outlive it."""


@dataclass
class Agreed:
    """What somebody agrees to."""

    name: str
    choices: Choices
    days: int | None = None


@dataclass
class World:
    """A home with two doors, and what may be said of who came."""

    hass: HomeAssistant
    clock: FrozenDateTimeFactory
    hub: Hub
    people: dict[str, Agreed] = field(default_factory=dict)
    past: dict[str, Past] = field(default_factory=dict)
    visit_days: int = 30
    picture_days: int = 7
    run: int = 0
    elapsed: int = 0
    fired: list[dict[str, Any]] = field(default_factory=list)
    devices: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    """Everything that anybody was ever called."""

    @property
    def cameras(self) -> list[str]:
        """Return the ids of the cameras."""
        return [each.subentry_id for each in self.hub.entry.get_subentries_of_type("camera")]

    def kept_for(self, who: str) -> timedelta:
        """Return how long visits of somebody are kept."""
        agreed = self.people[who]
        if agreed.choices.keeping is not Keeping.VISITS:
            return timedelta(0)
        return min(self.visit_days, self.visit_days if agreed.days is None else agreed.days) * DAY

    def pictures_for(self, who: str) -> timedelta:
        """Return how long pictures of somebody's visits are kept."""
        return (
            min(self.kept_for(who), self.picture_days * DAY)
            if self.people[who].choices.pictures
            else timedelta(0)
        )

    def shown(self, *, kept: bool = False) -> list[Past]:
        """Return the visits that may be mentioned, or what may be written down."""
        return [each for each in self.past.values() if self.may_show(each, kept=kept)]

    def may_show(self, past: Past, *, kept: bool = False) -> bool:
        """Return whether a visit may be shown now."""
        agreed = self.people.get(past.who)
        if (
            agreed is None
            or agreed.choices.keeping is Keeping.SILENT
            or not agreed.choices.at(past.camera_id)
        ):
            return False
        if past.lasting:
            return dt_util.utcnow() - past.started_at < self.kept_for(past.who)
        newer = [each for each in self.past.values() if each.announced_at > past.announced_at]
        replaced = any(each.camera_id == past.camera_id for each in newer) and any(
            each.who == past.who for each in newer
        )
        return not kept and past.run == self.run and not replaced

    # What happens

    async def does(self, step: Step) -> None:
        """Have something happen."""
        match step:
            case Comes():
                await self._comes(step)
            case Later(seconds):
                if self.elapsed + seconds < 200 * 86_400:
                    self.elapsed += seconds
                    self.clock.tick(seconds)
                    # Before any timer: who asks now is not to be told what has just become too old.
                    await check_asked(self)
                    async_fire_time_changed(self.hass)
                    self.hub.announcer.async_expire()
            case Agrees():
                await self._agrees(step)
            case Forgets(who):
                if self.people.pop(who, None) is not None:
                    self.past = {key: each for key, each in self.past.items() if each.who != who}
                    await self.hub.forgetting.async_forget(who)
                    assert self.hub.board._visits.of_person(who) == []
            case Corrects():
                await self._corrects(step)
            case Keeps(visit_days, picture_days):
                self.visit_days, self.picture_days = visit_days, picture_days
                self.hass.config_entries.async_update_entry(
                    self.hub.entry, options={"visit_days": visit_days, "picture_days": picture_days}
                )
            case Renames(who):
                if who in self.people:
                    name = self._name(who)
                    self.people[who].name = name
                    await self.hass.async_add_executor_job(self.hub.vault.update_person, who, name, None)
                    await self.hub.async_refresh_people()
            case Purges():
                await self.hub.purging.async_purge()
            case Restarts():
                self.run += 1
                entry = self.hub.entry
                assert isinstance(entry, MockConfigEntry)
                self.hub = await start_again(self.hass, entry)
        await self.hass.async_block_till_done(wait_background_tasks=True)
        # What was erased is gone for good, also when somebody agrees to more again.
        self.past = {key: each for key, each in self.past.items() if self.may_show(each)}

    def _name(self, who: str) -> str:
        name = f"{who.title()}{len(self.names)}q"
        self.names.add(name)
        return name

    async def _comes(self, step: Comes) -> None:
        camera_id, now = self.cameras[step.door], dt_util.utcnow()
        sighting, verdict = seen_as(step.who, unclear=step.unclear)
        outcome = self.hub.open_visits.settle(camera_id, sighting, verdict)
        visit, who = outcome.visit, outcome.visit.person_id
        resembled = frozenset() if verdict.person_id is None else frozenset({verdict.person_id})
        if who is not None and (agreed := self.people.get(who)) is not None:
            before = self.past.get(visit.visit_id)
            past = Past(
                visit.visit_id,
                who,
                camera_id,
                visit.started_at,
                visit.last_seen_at,
                now if before is None else before.announced_at,
                now,
                lasting=bool(self.kept_for(who)),
                pictured=(before is not None and before.pictured) or bool(self.pictures_for(who)),
                run=self.run,
            )
            if agreed.choices.keeping is not Keeping.SILENT and agreed.choices.at(camera_id):
                self.past[visit.visit_id] = past
        picture = None if sighting.best_face is None else sighting.best_face.portrait
        await self.hub.announcer.async_settle(outcome, Timing(1, 1, 1), picture, resembled)
        await self.hass.async_block_till_done()
        if (told := self.past.get(visit.visit_id)) is not None and self.may_show(told):
            # Not only is nothing shown that may not be: what may be is.
            assert self.hub.board.find(visit.visit_id) is not None
            last = self.hub.board.last_visit(told.who)
            assert not told.lasting or (last is not None and last.last_seen_at == now)

    async def _agrees(self, step: Agrees) -> None:
        if (agreed := self.people.get(step.who)) is None:
            return
        doors = None if step.doors is None else frozenset(self.cameras[each] for each in step.doors)
        choices = Choices(doors, step.keeping, step.pictures)
        before = self.hub.people[step.who].consent
        assert before is not None
        consent = replace(
            before,
            consent_id=uuid4().hex,
            choices=choices,
            visits_for=None if step.days is None else step.days * DAY,
        )
        await self.hass.async_add_executor_job(
            self.hub.vault.record_consent, step.who, consent, dt_util.utcnow()
        )
        agreed.choices, agreed.days = choices, step.days
        for each in self.past.values():
            if each.who == step.who:
                each.pictured &= bool(self.pictures_for(step.who))
        await self.hub.async_refresh_people()

    async def _corrects(self, step: Corrects) -> None:
        kept = sorted(self.shown(kept=True), key=lambda each: each.started_at)
        if not kept or (step.really is not None and step.really not in self.people):
            return
        past = kept[step.which % len(kept)]
        data: dict[str, Any] = {"visit_id": past.visit_id, "correct": False}
        if step.really is not None:
            data["person"] = step.really
        with suppress(HomeAssistantError):
            await self.hass.services.async_call(
                DOMAIN, "correct_visit", data, blocking=True, return_response=True
            )
            del self.past[past.visit_id]
            if step.really is not None:
                self.past[past.visit_id] = replace(
                    past,
                    who=step.really,
                    announced_at=past.started_at,
                    pictured=past.pictured and bool(self.pictures_for(step.really)),
                )


# Who is shown, and where


def states(world: World) -> Iterator[tuple[str, str | None, str]]:
    """Yield what each entity shows: its id, the camera or person that it belongs to, and its text."""
    registry = er.async_get(world.hass)
    for entry in er.async_entries_for_config_entry(registry, world.hub.entry.entry_id):
        if (state := world.hass.states.get(entry.entity_id)) is None:
            continue
        owner = next(
            (each for each in (*world.cameras, *PEOPLE) if entry.unique_id.startswith(f"{each}_")), None
        )
        attributes = {key: each for key, each in state.attributes.items() if key != "friendly_name"}
        yield entry.entity_id, owner, json.dumps([state.state, attributes], default=str)


def named_in(world: World, text: str) -> set[str]:
    """Return the ids of the people whose names are in a text, former ones too; "?" for one who is gone."""
    now = {agreed.name: who for who, agreed in world.people.items()}
    return {now.get(name, "?") for name in world.names if name in text}


async def check(world: World) -> None:
    """Look at every surface."""
    await check_asked(world)
    await check_states(world)


async def check_states(world: World) -> None:
    """Look at what is shown until something happens: the states of entities, and what is written down of them."""
    hass, hub = world.hass, world.hub
    live, kept = world.shown(), world.shown(kept=True)
    for entity_id, owner, text in states(world):
        for who in named_in(world, text):
            places = [past for past in live if past.who == who]
            assert owner in (None, who) or any(past.camera_id == owner for past in places), (entity_id, text)
            assert places, (entity_id, text)
            # Nor what the board does not.
            assert any(
                (found := hub.board.find(past.visit_id)) is not None and found.person_id == who
                for past in places
            ), (entity_id, text)
    check_moments(world, live, kept)
    await check_pictures(world, kept)
    # What Home Assistant would write down
    stored = json.dumps(
        [each.as_dict() for each in async_get_restored(hass).async_get_stored_states()], default=str
    )
    stored = "".join(part for part in stored.split('"friendly_name": "') for part in part.partition('"')[2:])
    assert named_in(world, stored) <= {past.who for past in kept}


async def check_asked(world: World) -> None:
    """Look at what is told to those who ask."""
    hass, hub = world.hass, world.hub
    live, kept = world.shown(), world.shown(kept=True)
    board = [each for each in hub.board.recent() if each.person_id is not None]
    for each in (*board, *hub.board.going_on()):
        if each.person_id is not None:
            assert each.visit_id in {past.visit_id for past in live if past.who == each.person_id}, each
            assert each.name == world.people[each.person_id].name

    # Actions
    answer = await hass.services.async_call(
        DOMAIN, "last_visits", {"limit": 1000}, blocking=True, return_response=True
    )
    assert answer is not None
    told: Any = answer["visits"]
    assert {(each["visit_id"], each["person_id"]) for each in told} <= {
        (past.visit_id, past.who) for past in kept
    }
    assert all(each["name"] == world.people[each["person_id"]].name for each in told)
    for each in told:
        found = await hass.async_add_executor_job(hub.board.find_kept, each["visit_id"])
        assert found is not None
        assert found.picture == each["picture"]
    here = await hass.services.async_call(DOMAIN, "who_is_here", {}, blocking=True, return_response=True)
    assert named_in(world, json.dumps(here)) <= {past.who for past in live}

    # The calendar and the logbook
    calendar: Any = await hass.services.async_call(
        "calendar",
        "get_events",
        {
            "entity_id": "calendar.familiar_faces_visits",
            "start_date_time": dt_util.utcnow() - 300 * DAY,
            "end_date_time": dt_util.utcnow() + DAY,
        },
        blocking=True,
        return_response=True,
    )
    assert named_in(world, json.dumps(calendar)) <= {past.who for past in kept}
    for past in list(world.past.values()):
        line = await hass.async_add_executor_job(hub.visit_log.find, past.visit_id)
        assert line is None or (past in kept and line.name == world.people[past.who].name)

    # Voice and language models ask here
    lookup = Lookup(hub, hub.board, Asker(hass))
    for who in world.people:
        came = await lookup.async_last_seen(who)
        assert came is None or (came.visit.visit_id, who) in {(past.visit_id, past.who) for past in kept}
    present = {each.person_id for each in lookup.present()}
    assert present <= {past.who for past in live if dt_util.utcnow() - past.last_seen_at < PRESENT_FOR}

    # Conditions
    for who in PEOPLE:
        device = world.devices.get(who)
        if device is None:
            continue
        for within in (timedelta(minutes=1), timedelta(hours=2), 3 * DAY):
            condition = WasSeenWithin(
                hass, ConditionConfig(options={"within": within, "person": [device]}, target=None)
            )
            if condition._async_check():
                assert any(
                    past.who == who
                    and dt_util.utcnow() - past.last_seen_at <= within
                    and (past in kept or dt_util.utcnow() - past.last_seen_at < PRESENT_FOR)
                    for past in live
                ), who

    # What anybody may be sent
    assert (
        named_in(world, json.dumps(await async_get_config_entry_diagnostics(hass, hub.entry), default=str))
        == set()
    )
    while world.fired:
        told = world.fired.pop()
        assert told["person_name"] == world.people[told["person_id"]].name


def state_of(world: World, platform: str, unique_id: str) -> str:
    """Return the state of an entity, `unknown` for one that is not there."""
    entity_id = er.async_get(world.hass).async_get_entity_id(platform, DOMAIN, unique_id)
    state = None if entity_id is None else world.hass.states.get(entity_id)
    return "unknown" if state is None else state.state


def check_moments(world: World, live: list[Past], kept: list[Past]) -> None:
    """Look at every moment that is shown, and at who is there now."""
    now = dt_util.utcnow()

    def moments(platform: str, unique_id: str, allowed: set[datetime]) -> None:
        shown = dt_util.parse_datetime(state_of(world, platform, unique_id))
        seconds = {each.replace(microsecond=0) for each in allowed}
        assert shown is None or shown.replace(microsecond=0) in seconds, (unique_id, shown, allowed)

    for who in PEOPLE:
        theirs = [past for past in kept if past.who == who]
        moments("sensor", f"{who}_last_seen_at", {past.last_seen_at for past in theirs})
        moments("event", f"{who}_seen", {past.announced_at for past in live if past.who == who})
        moments("image", f"{who}_last_picture", {past.started_at for past in theirs if pictured(world, past)})
        present = state_of(world, "binary_sensor", f"{who}_present") == "on"
        assert not present or any(
            past.who == who and now - past.last_seen_at < PRESENT_FOR for past in live
        ), who
    for camera_id in world.cameras:
        here = [past for past in kept if past.camera_id == camera_id]
        unique_id = f"{camera_id}_last_visitor_picture"
        moments("image", unique_id, {past.started_at for past in here if pictured(world, past)})
        occupied = state_of(world, "binary_sensor", f"{camera_id}_familiar_person") == "on"
        assert not occupied or any(
            past.camera_id == camera_id and now - past.heard_at < OCCUPIED_FOR for past in live
        ), camera_id


def pictured(world: World, past: Past) -> bool:
    """Return whether a picture of a visit may be shown now."""
    return past.pictured and dt_util.utcnow() - past.started_at < world.pictures_for(past.who)


async def check_pictures(world: World, kept: list[Past]) -> None:
    """Look at every picture."""
    allowed = {past.visit_id for past in kept if pictured(world, past)}
    for entity in list(world.hass.data["image"].entities):
        if entity.registry_entry.config_entry_id == world.hub.entry.entry_id and hasattr(entity, "visit"):
            assert isinstance(entity, ImageEntity)
            picture, visit = await entity.async_image(), getattr(entity, "visit", None)
            assert picture is None or (visit is not None and visit.visit_id in allowed)


@pytest.fixture
async def doors(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put two cameras up, each with a bell."""
    # Also the entities that are off until the owner switches them on.
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)
    await put_up(hass, [FrontDoor(name) for name in DOORS], [name.casefold() for name in DOORS])
    await hass.async_block_till_done()


# The examples are what bounds it; half a minute on a machine that has nothing else to do.
@pytest.mark.timeout(30 * EXAMPLES)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FAMILIAR_FACES_TEST_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(steps=st.lists(STEPS, min_size=25, max_size=40))
async def test_whatever_happens(
    hass: HomeAssistant,
    doors: None,
    config_folder: object,
    real_engine: None,
    freezer: FrozenDateTimeFactory,
    steps: list[Step],
) -> None:
    """Nothing is shown that may not be, and no surface shows what the board does not."""
    entry = an_entry(
        *(
            a_door(f"camera.{each.casefold()}", f"{each} door", f"input_button.{each.casefold()}")
            for each in DOORS
        ),
    )
    entry.add_to_hass(hass)
    hub = await set_up(hass, entry)
    world = World(hass, freezer, hub)
    now = dt_util.utcnow()
    for who in PEOPLE:
        name = world._name(who)
        await put_on_record(hass, hub, a_consent(now, now + 300 * DAY), who, name)
        world.people[who] = Agreed(name, Choices())
        world.devices[who] = device_of(hass, who)

    @callback
    def fired(
        extra_trigger_payload: dict[str, Any], description: str, context: Context | None = None
    ) -> asyncio.Task[None]:
        world.fired.append(dict(extra_trigger_payload))
        return hass.async_create_task(asyncio.sleep(0))

    trigger = FamiliarPersonSeen(hass, TriggerConfig(key="familiar_person_seen", options={}, target=None))
    detach = await trigger.async_attach_runner(fired)
    try:
        for step in steps:
            await world.does(step)
            await check(world)
    finally:
        detach()
        await hass.config_entries.async_remove(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
