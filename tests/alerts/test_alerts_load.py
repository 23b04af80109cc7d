"""Twenty people, twenty alerts and eight cameras that ring together: each phone is told what it is to be, once."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
import re
from typing import Any
from uuid import uuid4

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.familiar_faces.alerts.payload import ALARM
from custom_components.familiar_faces.household.signals import SIGNAL_VISIT
from custom_components.familiar_faces.household.subentries import camera_names
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.visits.visit import Decision, Visit

from ..common.alerting import add_alert, link
from ..common.people_on_record import DAY, a_consent
from ..common.phone import CLEAR, NewPhone, Phone
from ..common.pictures import astronaut, frame, photos_of, stranger
from ..common.steps import visits
from ..common.vectors import axis
from ..conftest import DOORBELL, FrontDoor, a_door, add_entry, put_up

DOORS = 8
PEOPLE = 20
OWN = "Dora"
"""Who has a phone of her own, and is not told of herself."""
SILENT = "Silas"
NO_PICTURES = "Bob"
SOMEONE = "someone"
SENTENCE = re.compile(r"(?P<who>.+?) (?:is|are) at the (?P<where>door \d)\.(?: |$)")

type Who = str
"""A name, or of somebody who is nobody here `?` and a number."""
type Told = frozenset[tuple[str, int]]
"""What a notification tells: who is at which door."""


@dataclass
class Cast:
    """Who there is, and who stands at which door."""

    doors: tuple[tuple[Who, ...], ...]
    faces: dict[Who, Image.Image]
    photos: dict[Who, list[bytes]]
    """To enrol them with."""


def from_packages() -> Cast:
    """Return four people of the packages' sample photos."""
    faces = {"Anna": astronaut(), NO_PICTURES: stranger(2), OWN: stranger(1), "?1": stranger(0)}
    doors = (("Anna",), ("Anna",), (NO_PICTURES,), (OWN,), ("?1",), (), (NO_PICTURES, "?1"), (OWN, "Anna"))
    return Cast(doors, faces, {name: photos_of(face) for name, face in faces.items() if name[0] != "?"})


def from_labelled(folder: Path) -> Cast:
    """Return people of the labelled photos, each seen on a photo that they are not enrolled with."""
    known = sorted((folder / "identify" / "gallery").iterdir())
    names = ("Anna", NO_PICTURES, "Carla", OWN, "Emil", SILENT)
    faces, photos = {}, {}
    for name, person in zip(names, known[3:], strict=False):
        photos[name] = [each.read_bytes() for each in sorted(person.iterdir())]
        faces[name] = _face(min((folder / "identify" / "probe" / person.name).iterdir()))
    unknown = sorted((folder / "identify" / "unknown").glob("**/*.jpg"))
    faces |= {f"?{number}": _face(unknown[number]) for number in (1, 2, 3)}
    doors: tuple[tuple[Who, ...], ...] = (
        ("Anna",), ("Anna",), (NO_PICTURES, "Carla"), (OWN,), ("?1",), ("?2",), ("Emil", "?3"), (SILENT,)
    )  # fmt: skip
    return Cast(doors, faces, photos)


def _face(path: Path) -> Image.Image:
    with Image.open(path) as image:
        # The labelled face is the one nearest the middle.
        return image.convert("RGB").crop((50, 40, 200, 210))


@dataclass
class Alert:
    """An alert, and whether it counts now."""

    phones: tuple[int, ...]
    changes: dict[str, Any]
    counts: bool = True

    @property
    def early(self) -> bool:
        """Return whether it tells of somebody before it is known who."""
        return bool(self.changes.get("early", False))

    def about(self, kind: str, name: str | None, door: int) -> bool:
        """Return whether it tells of somebody at a door."""
        if door not in self.changes.get("doors", range(DOORS)):
            return False
        return kind in self.changes.get("who", ()) or name in self.changes.get("people", ())

    def shows(self, kind: str, name: str | None) -> bool:
        """Return whether it shows them."""
        wanted = self.changes.get("picture", "familiar")
        return wanted == "everybody" or (wanted == "familiar" and kind == "familiar")


EVERYBODY = ["familiar", "stranger", "unclear"]
ALERTS = (
    Alert((0,), {"who": EVERYBODY, "early": True}),
    Alert((1,), {"who": EVERYBODY}),
    Alert((2,), {"who": ["familiar"], "early": True, "picture": "none"}),
    Alert((3,), {"who": ["stranger"], "picture": "everybody"}),
    Alert((4,), {"people": ["Anna"]}),
    Alert((4, 5), {"people": [OWN, NO_PICTURES], "doors": [2, 3]}),
    Alert((5,), {"who": ["unclear", "stranger"], "doors": [4, 5, 6]}),
    Alert((6,), {"who": EVERYBODY, "early": True, "picture": "everybody"}),
    Alert((7,), {"who": EVERYBODY, "doors": [0, 7], "early": True}),
    # The last two phones are told by alerts that do not count now, besides others.
    Alert((0, 1, 2, 3, 4, 5, 7), {"who": EVERYBODY, "home": "nobody"}, counts=False),
    Alert((3,), {"who": EVERYBODY, "weekdays": "another"}, counts=False),
    Alert((5,), {"who": ["familiar"], "after": "another", "early": True}, counts=False),
    Alert((2,), {"people": ["Anna"], "home": "somebody", "picture": "none"}),
    Alert((3,), {"people": ["Emil", "Carla"], "picture": "familiar"}),
    Alert((1, 3), {"people": ["Anna"], "doors": [1], "critical": True}),
    Alert((4,), {"who": ["stranger"], "doors": [5], "every": 10}),
    Alert((0,), {"who": ["familiar"], "every": 60, "picture": "none"}),
    Alert((6, 7), {"people": ["Anna", OWN], "answers": False}),
    Alert((5, 7), {"people": ["Person 7", "Person 8"], "early": False}),
    Alert((1,), {"who": ["stranger"], "picture": "none", "doors": [0, 1, 2]}),
)
assert len(ALERTS) == 20
PHONES = 8
OWN_PHONE = 6


@pytest.fixture(params=["packages", "labelled"])
def cast(request: pytest.FixtureRequest) -> Cast:
    """Return who there is."""
    if request.param == "packages":
        return from_packages()
    return from_labelled(request.getfixturevalue("labelled"))


@pytest.fixture
async def front_door(hass: HomeAssistant, cast: Cast) -> list[FrontDoor]:
    """Return eight cameras, before which people stand, and one bell for all of them."""
    cameras = []
    for number, people in enumerate(cast.doors):
        camera = FrontDoor(f"Door {number}")
        pictures = [cast.faces[who] for who in people]
        camera.frames = visits(*pictures) if people else [frame(seed=seed) for seed in range(40)]
        cameras.append(camera)
    await put_up(hass, cameras)
    await hass.async_block_till_done()
    return cameras


@pytest.fixture
def entry(hass: HomeAssistant, config_folder: Path) -> MockConfigEntry:
    """Return an entry in which every camera looks when the one doorbell rings, not set up."""
    return add_entry(hass, *(a_door(f"camera.door_{number}", f"Door {number}") for number in range(DOORS)))


async def enrol_all(hass: HomeAssistant, hub: Hub, cast: Cast) -> None:
    """Put twenty people on record: those of the cast by their photos, the others made up."""
    now = dt_util.utcnow()
    taken = {
        name: [(photo, await hub.client.faces(photo, portraits=True, mirrored=True)) for photo in photos]
        for name, photos in cast.photos.items()
    }
    model = next(iter(taken.values()))[0][1].model
    others = [f"Person {number}" for number in range(PEOPLE - len(taken))]

    def write() -> None:
        for number, name in enumerate([*taken, *others]):
            person_id = name.casefold()
            choices = Choices(
                keeping=Keeping.SILENT if name == SILENT else Keeping.VISITS, pictures=name != NO_PICTURES
            )
            linked = f"person.{person_id}" if name == OWN else None
            hub.vault.begin_enrolment(
                person_id, name, linked, a_consent(now, now + 300 * DAY, choices=choices), now
            )
            embeddings = [(photo, _middle(seen)) for photo, seen in taken.get(name, ())]
            for photo, embedding in embeddings or [(uuid4().bytes, axis(number))]:
                digest = sha256(photo).hexdigest()
                hub.vault.add_reference(
                    person_id, photo=b"photo", embedding=embedding, model=model, photo_digest=digest, now=now
                )
            hub.vault.finish_enrolment(person_id, now)

    await hass.async_add_executor_job(write)
    await hub.async_refresh_people()
    assert len(hub.people) == PEOPLE


def _middle(seen: Any) -> Any:
    width, height = seen.size
    return min(
        seen.faces,
        key=lambda face: (
            abs(face.box[0] + face.box[2] / 2 - width / 2) + abs(face.box[1] + face.box[3] / 2 - height / 2)
        ),
    ).embedding


@dataclass
class Announced:
    """The visits as the event entities were told of them, which know nothing of alerts."""

    visits: dict[str, Visit] = field(default_factory=dict)

    @callback
    def note(self, visit: Visit, _timing: object) -> None:
        """Note a visit, or how it was decided now."""
        self.visits[visit.visit_id] = visit


async def ring_everywhere(hass: HomeAssistant, hub: Hub) -> None:
    """Press the one bell, and wait until all is over and told."""
    await hass.services.async_call("input_button", "press", {"entity_id": DOORBELL}, blocking=True)
    await hass.async_block_till_done()
    looks = [each._looking for each in hub.watchers.values() if each._looking is not None]
    assert len(looks) == DOORS
    _, pending = await asyncio.wait(looks, timeout=90)
    assert not pending
    await hass.async_block_till_done(wait_background_tasks=True)
    await hub.alerts.async_flush()


async def test_everybody_is_told_the_right_thing_once(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    cast: Cast,
    new_phone: NewPhone,
) -> None:
    """Compared with what follows from the alerts' words and from who was announced where."""
    hass.states.async_set("zone.home", "1")
    await enrol_all(hass, hub, cast)
    phones = [
        await new_phone(f"Phone {number}", MockUser(name=f"U{number}").add_to_hass(hass))
        for number in range(PHONES)
    ]
    link(hass, phones[OWN_PHONE], f"person.{OWN.casefold()}")
    doors = {camera_id: int(title.split()[-1]) for camera_id, title in camera_names(hub.entry).items()}
    for alert in ALERTS:
        add_alert(hass, entry, *(phones[number] for number in alert.phones), **written(alert, doors))
    announced = Announced()
    stop = async_dispatcher_connect(hass, SIGNAL_VISIT.format(entry.entry_id), announced.note)
    await ring_everywhere(hass, hub)
    stop()
    check_announced(announced.visits.values(), doors, cast)
    for number, phone in enumerate(phones):
        ought = expected(number, announced.visits.values(), doors, cast)
        was = Counter(parsed(each["message"]) for each in phone.shown().values())
        assert was == Counter(ought.keys()), f"phone {number}: {phone.messages}"
        for each in phone.shown().values():
            assert ("image" in each["data"]) is ought[parsed(each["message"])], each
        check_sounds(phone)
    assert not any(SILENT in message for phone in phones for message in phone.messages)
    assert not any(OWN in message for message in phones[OWN_PHONE].messages)


def written(alert: Alert, doors: dict[str, int]) -> dict[str, Any]:
    """Return an alert as its subentry holds it."""
    changes: dict[str, Any] = {"who": [], "early": False} | alert.changes
    wanted = changes.pop("doors", None)
    if wanted is not None:
        changes["cameras"] = [camera_id for camera_id, number in doors.items() if number in wanted]
    changes["people"] = [name.casefold() for name in changes.get("people", ())]
    local = dt_util.now()
    if "weekdays" in changes:
        # Far from today, also when a day ends in the middle of this test.
        changes["weekdays"] = [("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(local.weekday() + 3) % 7]]
    if "after" in changes:
        changes["after"] = (local + timedelta(hours=6)).strftime("%H:%M:00")
        changes["before"] = (local + timedelta(hours=8)).strftime("%H:%M:00")
    return changes


def check_announced(visits: Iterable[Visit], doors: dict[str, int], cast: Cast) -> None:
    """Everybody was recognised who is known and may be announced, and nobody else was."""
    seen: dict[int, Counter[str]] = defaultdict(Counter)
    for visit in visits:
        seen[doors[visit.camera_id]][visit.name or "?"] += 1
    for number, people in enumerate(cast.doors):
        right = Counter(who if who[0] != "?" else "?" for who in people if who != SILENT)
        assert seen[number] == right, f"door {number}"


def expected(number: int, visits: Iterable[Visit], doors: dict[str, int], cast: Cast) -> dict[Told, bool]:
    """Return what a phone is to show, and whether with a picture."""
    alerts = [each for each in ALERTS if number in each.phones and each.counts]
    by_who: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits:
        by_who[visit.name or unknown_at(doors[visit.camera_id], cast)].append(visit)
    told: dict[int, set[tuple[str, int]]] = defaultdict(set)
    pictures: dict[int, bool] = defaultdict(bool)
    groups = joined(by_who.values(), doors)
    for who, theirs in by_who.items():
        if number == OWN_PHONE and who == OWN:
            continue
        for visit in sorted(theirs, key=lambda each: each.started_at, reverse=True):
            door, kind = doors[visit.camera_id], str(visit.decision)
            asking = [each for each in alerts if each.about(kind, visit.name, door)]
            if asking:
                group = groups[door]
                told[group].add((visit.name or said(visit), door))
                pictures[group] |= who != NO_PICTURES and any(each.shows(kind, visit.name) for each in asking)
                break
    for door, people in enumerate(cast.doors):
        if not set(people) - {SILENT} and any(
            each.early and door in each.changes.get("doors", range(DOORS)) for each in alerts
        ):
            # Somebody rang, and that is all that may be said.
            told[door].add((SOMEONE, door))
    return {frozenset(each): pictures[group] for group, each in told.items()}


def unknown_at(door: int, cast: Cast) -> str:
    """Return who without a name is at a door; there is never more than one."""
    (who,) = [each for each in cast.doors[door] if each[0] == "?"]
    return who


def said(visit: Visit) -> str:
    """Return what is said of somebody without a name."""
    return "a stranger" if visit.decision is Decision.STRANGER else "an unidentified visitor"


def joined(individuals: Iterable[list[Visit]], doors: dict[str, int]) -> dict[int, int]:
    """Return the doors by the lowest of those that are told of together: somebody is at all of them."""
    groups = {door: door for door in range(DOORS)}
    for theirs in individuals:
        here = {groups[doors[visit.camera_id]] for visit in theirs}
        groups = {door: min(here) if group in here else group for door, group in groups.items()}
    return groups


def parsed(message: str) -> Told:
    """Return what a message tells."""
    told = set()
    for sentence in SENTENCE.finditer(message):
        for who in re.split(", | and ", sentence["who"]):
            name = (
                who
                if who[:1].isupper() and who.split()[0] not in ("A", "Someone")
                else who[:1].lower() + who[1:]
            )
            told.add((name, int(sentence["where"].split()[-1])))
    assert "".join(each[0] for each in SENTENCE.finditer(message)) == message
    return frozenset(told)


def check_sounds(phone: Phone) -> None:
    """A notification sounds when it comes, and again only for somebody more who came, or once it is critical."""
    for tag in {each["data"]["tag"] for each in phone.pushed}:
        known: set[str] = set()
        rang = False
        for each in phone.pushed:
            if each["data"]["tag"] != tag or each["message"] == CLEAR:
                continue
            people = {who for who, _ in parsed(each["message"])}
            if not each["data"]["alert_once"]:
                critical = each["data"]["channel"] == ALARM
                assert not people <= known or (critical and not rang)
                rang |= critical
            known |= people
