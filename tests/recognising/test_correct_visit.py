"""What the owner says of a visit, with the real engine: a wrong name is not said again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
import numpy as np
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
import voluptuous as vol

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.vault.errors import VaultUnwritable
from custom_components.familiar_faces.vault.retention import Retention

from ..common.pictures import astronaut, photos_of, stranger, variant
from ..common.steps import VISITOR, add_photo_of_somebody_else, enrol, later, ring, templates_of, visits
from ..conftest import FrontDoor
from ..vault.makers import bytes_of

pytestmark = [pytest.mark.photos(1), pytest.mark.usefixtures("entity_registry_enabled_by_default")]

type Correct = Callable[..., Any]


async def enrol_ben(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> tuple[str, str]:
    """Enrol him with one photo, no matter who he looks like; return his id and the photo's template's."""
    ben = await enrol(hass, entry, photos_of(stranger(1))[:1], name="Ben")
    (first,) = await templates_of(hass, hub, ben)
    photo = await add_photo_of_somebody_else(hass, hub, ben, photos_of(stranger(0))[1])
    await hass.async_add_executor_job(hub.vault.remove_reference, ben, first.template_id)
    await hub.async_refresh_people()
    return ben, photo


@pytest.fixture
def correct(hass: HomeAssistant) -> Correct:
    """Return how to call the action."""

    async def call(visit_id: str, right: bool, **data: Any) -> dict[str, Any]:
        answer = await hass.services.async_call(
            DOMAIN,
            "correct_visit",
            {"visit_id": visit_id, "correct": right} | data,
            blocking=True,
            return_response=True,
        )
        await hass.async_block_till_done()
        assert answer is not None
        return dict(answer)

    return call


@pytest.fixture
async def wrong_photo(hass: HomeAssistant, hub: Hub, eileen: str) -> str:
    """Have a photo of somebody else among the astronaut's, and return its template's id."""
    return await add_photo_of_somebody_else(hass, hub, eileen, photos_of(stranger(0))[0])


@pytest.fixture
async def wrong_visit(hass: HomeAssistant, hub: Hub, front_door: FrontDoor, wrong_photo: str) -> str:
    """Have that somebody else be named as the astronaut at the door, and return the visit's id."""
    front_door.frames = visits(stranger(0))
    await ring(hass, hub)
    attributes = hass.states.get(VISITOR).attributes
    assert (attributes["event_type"], attributes["person_name"]) == ("familiar", "Eileen")
    return str(attributes["visit_id"])


def state(hass: HomeAssistant, entity_id: str) -> str:
    """Return an entity's state."""
    found = hass.states.get(entity_id)
    assert found is not None
    return str(found.state)


async def refused(correct: Correct, *said: Any, **data: Any) -> str | None:
    """Call the action in a way that has to be refused, and return the key of the reason."""
    with pytest.raises(HomeAssistantError) as caught:
        await correct(*said, **data)
    assert caught.value.translation_domain == DOMAIN
    return caught.value.translation_key


async def test_a_wrong_name_is_not_said_again(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    correct: Correct,
    eileen: str,
    wrong_photo: str,
    wrong_visit: str,
) -> None:
    """The photo that caused it is set aside; the one who it was is no longer named, the person still is."""
    answer = await correct(wrong_visit, False)
    assert answer == {
        "confirmed": False,
        "template_id": wrong_photo,
        "set_aside": True,
        "guarded": True,
        "person_id": None,
        "name": None,
        "learned": False,
    }
    right, wrong = await templates_of(hass, hub, eileen)
    assert (right.usable, right.guard) == (True, None)
    assert not wrong.usable
    assert wrong.guard is not None
    assert 0.45 < wrong.guard <= 0.95

    # At once, while the visit would still go on, and as another visit.
    await ring(hass, hub)
    assert hass.states.get(VISITOR).attributes["event_type"] != "familiar"
    with later(minutes=2):
        await ring(hass, hub)
        assert hass.states.get(VISITOR).attributes["event_type"] != "familiar"
    with later(minutes=4):
        front_door.frames = visits(astronaut())
        await ring(hass, hub)
        assert hass.states.get(VISITOR).attributes["person_name"] == "Eileen"


async def test_the_guard_holds_without_setting_aside(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, correct: Correct, entry: MockConfigEntry
) -> None:
    """The only photo stays, as there has to be one; but what was named wrongly by it is not named again."""
    ben, photo = await enrol_ben(hass, hub, entry)
    front_door.frames = visits(variant(stranger(0), blur=2.5), number=16)
    await ring(hass, hub)
    visit = hass.states.get(VISITOR).attributes
    assert visit["event_type"] == "familiar"
    answer = await correct(visit["visit_id"], False)
    assert (answer["template_id"], answer["set_aside"]) == (photo, False)
    (kept,) = await templates_of(hass, hub, ben)
    assert kept.usable
    assert answer["guarded"]
    assert kept.guard is not None
    await ring(hass, hub)
    assert hass.states.get(VISITOR).attributes["event_type"] == "unclear"


async def test_nothing_of_the_stranger_is_left(
    hass: HomeAssistant,
    hub: Hub,
    correct: Correct,
    eileen: str,
    wrong_visit: str,
    config_folder: Path,
) -> None:
    """The visit, its picture and its id are gone from the vault and from every entity."""
    before = await templates_of(hass, hub, eileen)
    folder = config_folder / ".storage" / DOMAIN
    assert wrong_visit.encode() in await hass.async_add_executor_job(bytes_of, folder)
    await correct(wrong_visit, False)
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.visits, stored.pictures, stored.templates, stored.photos) == (0, 0, 2, 2)
    after = await templates_of(hass, hub, eileen)
    assert all(np.array_equal(old.embedding, new.embedding) for old, new in zip(before, after, strict=True))
    assert wrong_visit.encode() not in await hass.async_add_executor_job(bytes_of, folder)
    (logged, *_) = await hass.async_add_executor_job(hub.vault.audit_entries)
    assert (logged.kind, logged.person_id) == ("visit_corrected", eileen)
    assert logged.details.keys() == {"template_id", "set_aside", "guard", "moved"}
    assert hub.open_visits.visits == ()

    assert not {"person_id", "person_name", "confidence"} & hass.states.get(VISITOR).attributes.keys()
    assert not {"person_id", "person_name"} & hass.states.get("event.eileen_seen").attributes.keys()
    assert state(hass, "sensor.front_door_last_visitor") == "unknown"
    assert state(hass, "sensor.eileen_last_seen_where") == "unknown"
    assert state(hass, "sensor.eileen_last_seen_when") == "unknown"
    assert state(hass, "binary_sensor.eileen_present") == "off"
    assert state(hass, "binary_sensor.front_door_familiar_person") == "off"
    assert state(hass, "image.front_door_last_familiar_visitor") == "unknown"
    assert state(hass, "image.eileen_last_picture") == "unknown"


async def test_the_visit_before_is_shown_again(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, correct: Correct, eileen: str, wrong_photo: str
) -> None:
    """A person was last seen when they really were."""
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    first = hass.states.get("sensor.eileen_last_seen_when").state
    with later(minutes=2):
        front_door.frames = visits(stranger(0))
        await ring(hass, hub)
        assert hass.states.get(VISITOR).attributes["person_name"] == "Eileen"
        assert state(hass, "sensor.eileen_last_seen_when") > first
        await correct(hass.states.get(VISITOR).attributes["visit_id"], False)
        assert state(hass, "binary_sensor.eileen_present") == "on"
    (visit,) = await hass.async_add_executor_job(hub.vault.visits)
    assert dt_util.parse_datetime(state(hass, "sensor.eileen_last_seen_when")) == (
        visit.until.replace(microsecond=0)
    )
    assert state(hass, "sensor.eileen_last_seen_where") == "Front door"
    assert state(hass, "image.front_door_last_familiar_visitor") == visit.started_at.isoformat()


async def test_it_was_somebody_else_here(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    correct: Correct,
    eileen: str,
    wrong_visit: str,
) -> None:
    """The visit becomes the right person's, and their face is learned when that is asked for."""
    ben, _ = await enrol_ben(hass, hub, entry)
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, ben), entry.entry_id)
    assert device is not None
    picture = await hass.async_add_executor_job(hub.vault.visit_picture, wrong_visit)
    answer = await correct(wrong_visit, False, person=device.id, learn=True)
    assert answer["message"] == "This photo is good."
    assert (answer["person_id"], answer["name"], answer["confirmed"]) == (ben, "Ben", True)
    assert (answer["set_aside"], answer["learned"], answer["reason"]) == (True, True, "good")
    (visit,) = await hass.async_add_executor_job(hub.vault.visits)
    assert (visit.visit_id, visit.person_id, visit.confirmed) == (wrong_visit, ben, True)
    assert await hass.async_add_executor_job(hub.vault.visit_picture, wrong_visit) == picture
    assert len(await templates_of(hass, hub, ben)) == 2
    assert len(hub.people[ben].templates) == 2

    assert hass.states.get(VISITOR).attributes["person_name"] == "Ben"
    assert "person_name" not in hass.states.get("event.eileen_seen").attributes
    assert state(hass, "sensor.front_door_last_visitor") == "Ben"
    assert state(hass, "sensor.ben_last_seen_where") == "Front door"
    assert state(hass, "binary_sensor.ben_present") == "on"
    assert state(hass, "binary_sensor.eileen_present") == "off"
    assert state(hass, "binary_sensor.front_door_familiar_person") == "on"
    assert state(hass, "image.ben_last_picture") == visit.started_at.isoformat()
    assert state(hass, "image.eileen_last_picture") == "unknown"
    # Of a person who is here now, all of the above is wrong again when they are told apart once more.
    answer = await correct(wrong_visit, False)
    assert (answer["template_id"], answer["set_aside"], answer["guarded"]) == (None, False, False)
    assert await hass.async_add_executor_job(hub.vault.visits) == []
    assert state(hass, "sensor.front_door_last_visitor") == "unknown"


async def test_yes_that_is_them(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, correct: Correct, eileen: str
) -> None:
    """A yes notes that and no more; the face is learned when asked, and once."""
    front_door.frames = visits(variant(astronaut(), angle=12))
    await ring(hass, hub)
    visit_id = hass.states.get(VISITOR).attributes["visit_id"]
    before = hub.people[eileen].templates
    for _ in range(2):
        answer = await correct(visit_id, True)
        assert (answer["confirmed"], answer["learned"], answer["name"]) == (True, False, "Eileen")
    (visit,) = await hass.async_add_executor_job(hub.vault.visits)
    assert visit.confirmed
    assert visit.template_id == before[0].template_id
    assert len(await templates_of(hass, hub, eileen)) == 1
    kinds = [each.kind for each in await hass.async_add_executor_job(hub.vault.audit_entries)]
    assert kinds.count("visit_confirmed") == 1

    answer = await correct(visit_id, True, learn=True)
    assert (answer["learned"], answer["reason"]) == (True, "good")
    assert len(hub.people[eileen].templates) == 2
    answer = await correct(visit_id, True, learn=True)
    assert (answer["learned"], answer["reason"]) == (False, "same_photo")
    assert len(hub.people[eileen].templates) == 2
    assert hass.states.get(VISITOR).attributes["person_name"] == "Eileen"


async def test_a_poor_face_is_not_learned(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, correct: Correct, eileen: str
) -> None:
    """A face that is too small to enrol with is refused with the reason, and the gallery stays as it is."""
    front_door.frames = visits(astronaut(), scale=0.6)
    await ring(hass, hub)
    visit_id = hass.states.get(VISITOR).attributes["visit_id"]
    answer = await correct(visit_id, True, learn=True)
    assert (answer["confirmed"], answer["learned"], answer["reason"]) == (True, False, "too_small")
    assert "too small" in answer["message"]
    assert len(await templates_of(hass, hub, eileen)) == 1


async def test_what_cannot_be_corrected(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, correct: Correct, eileen: str
) -> None:
    """A visit that is not kept is refused with a sentence that says so, and so is one without a name."""
    assert await refused(correct, "nothing", False) == "unknown_visit"
    front_door.frames = visits(stranger(1))
    await ring(hass, hub)
    visit_id = hass.states.get(VISITOR).attributes["visit_id"]
    assert await refused(correct, visit_id, False) == "visit_not_held"
    assert await refused(correct, visit_id, True, learn=True) == "visit_not_held"
    with later(minutes=2):
        hub.announcer.async_expire()
        assert await refused(correct, visit_id, False) == "visit_not_held"
    with later(minutes=3):
        front_door.frames = visits(astronaut())
        await ring(hass, hub)
        visit_id = hass.states.get(VISITOR).attributes["visit_id"]
        await correct(visit_id, False)
        assert await refused(correct, visit_id, False) == "unknown_visit"
        assert await refused(correct, visit_id, True) == "unknown_visit"


async def test_asked_wrongly(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, correct: Correct, eileen: str, wrong_visit: str
) -> None:
    """Every field that is missing, empty or contradicts another is refused, and nothing changes."""
    ben = await enrol(hass, entry, photos_of(stranger(1)), name="Ben")
    for data in (
        {"visit_id": wrong_visit},
        {"correct": False},
        {"visit_id": "  ", "correct": False},
        {"visit_id": wrong_visit, "correct": "perhaps"},
        {"visit_id": wrong_visit, "correct": False, "learn": "perhaps"},
        {"visit_id": wrong_visit, "correct": False, "person": ""},
        {"visit_id": [wrong_visit], "correct": False},
        {"visit_id": wrong_visit, "correct": False, "other": 1},
    ):
        with pytest.raises(vol.Invalid):
            await hass.services.async_call(DOMAIN, "correct_visit", data, blocking=True)
    assert await refused(correct, wrong_visit, False, person="Nobody") == "unknown_person"
    assert await refused(correct, wrong_visit, False, person="eileen ") == "correction_contradicts"
    assert await refused(correct, wrong_visit, True, person="Ben") == "correction_contradicts"
    assert await refused(correct, wrong_visit, False, learn=True) == "learn_needs_person"
    await hass.async_add_executor_job(hub.vault.withdraw_consent, ben, dt_util.utcnow())
    await hub.async_refresh_people()
    assert await refused(correct, wrong_visit, False, person="Ben") == "no_consent"
    await hub.engine.stop()
    assert await refused(correct, wrong_visit, True, learn=True) == "engine_failed"
    kept = Retention(after_withdrawal=timedelta(0), pictures=timedelta(0))
    await hass.async_add_executor_job(hub.vault.purge, dt_util.utcnow(), kept)
    assert await refused(correct, wrong_visit, True, learn=True) == "no_picture"
    await hass.async_add_executor_job(hub.vault.withdraw_consent, eileen, dt_util.utcnow())
    await hub.async_refresh_people()
    assert await refused(correct, wrong_visit, True, learn=True) == "no_consent"

    (visit,) = await hass.async_add_executor_job(hub.vault.visits)
    assert (visit.visit_id, visit.confirmed) == (wrong_visit, False)
    assert all(each.usable and each.guard is None for each in await templates_of(hass, hub, eileen))


async def test_a_disk_that_refuses(
    hass: HomeAssistant, hub: Hub, correct: Correct, wrong_visit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A correction that cannot be written is refused, and the visit is still there to be corrected."""

    def refuse(*args: object) -> None:
        raise VaultUnwritable("SQLITE_FULL")

    with monkeypatch.context() as full:
        full.setattr(hub.vault._corrector, "correct", refuse)
        assert await refused(correct, wrong_visit, False) == "correction_failed"
    assert state(hass, "sensor.front_door_last_visitor") == "Eileen"
    assert (await correct(wrong_visit, False))["set_aside"]


async def test_only_administrators_correct(
    hass: HomeAssistant, hub: Hub, wrong_visit: str, hass_read_only_user: MockUser
) -> None:
    """A user who may not change who the cameras recognise may not do it so either."""
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            "correct_visit",
            {"visit_id": wrong_visit, "correct": False},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
    assert len(await hass.async_add_executor_job(hub.vault.visits)) == 1


async def test_without_a_hub(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """While nothing runs, that is said."""
    await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(
            DOMAIN, "correct_visit", {"visit_id": "a", "correct": True}, blocking=True
        )
    assert caught.value.translation_key == "not_loaded"


@pytest.mark.parametrize(
    ("choices", "learn"),
    [
        (Choices(keeping=Keeping.NOTHING), False),
        (Choices(keeping=Keeping.SILENT), False),
        (Choices(cameras=frozenset({"another"})), False),
        (Choices(cameras=frozenset({"another"})), True),
        # A picture that a camera took must not come to stay as a reference photo.
        (Choices(pictures=False), True),
    ],
    ids=["nothing", "silent", "another camera", "another camera, learned", "no pictures, learned"],
)
async def test_nobody_is_given_a_visit_that_they_did_not_agree_to(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    correct: Correct,
    wrong_visit: str,
    choices: Choices,
    learn: bool,
) -> None:
    """The owner's word replaces no consent: it is refused, and nothing is changed."""
    ben = await enrol(hass, entry, photos_of(stranger(1))[:1], name="Ben")
    consent = replace(hub.people[ben].consents[-1], consent_id="narrower", choices=choices)
    await hass.async_add_executor_job(hub.vault.record_consent, ben, consent)
    await hub.async_refresh_people()
    assert await refused(correct, wrong_visit, False, person="Ben", learn=learn) == "no_consent"
    (visit,) = await hass.async_add_executor_job(hub.vault.visits)
    assert (visit.visit_id, visit.confirmed) == (wrong_visit, False)
    assert len(await templates_of(hass, hub, ben)) == 1
