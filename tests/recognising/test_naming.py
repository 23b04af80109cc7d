"""A missed name can be put right, with the real engine: for ten minutes, from memory, and by consent alone."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
from PIL import ImageFilter
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.alerts.notification import LINK_MINUTES
from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.vault.errors import VaultUnwritable
from custom_components.familiar_faces.visits.missed_visits import HELD_FOR
from custom_components.familiar_faces.visits.open_visits import Change, Outcome
from custom_components.familiar_faces.visits.visit import Decision, Timing, UnclearReason, Visit

from ..common import calling
from ..common.pictures import astronaut, frame, jpeg, photos_of, stranger, variant
from ..common.steps import VISITOR, enrol, later, ring, templates_of, visits
from ..conftest import CAMERA, FrontDoor
from ..vault.makers import bytes_of

pytestmark = [pytest.mark.photos(1), pytest.mark.usefixtures("entity_registry_enabled_by_default")]

type Correct = Callable[..., Any]


@pytest.fixture
def correct(hass: HomeAssistant) -> Correct:
    """Return how to call the action."""

    async def call(visit_id: str, /, **data: Any) -> dict[str, Any]:
        answer = await hass.services.async_call(
            DOMAIN,
            "correct_visit",
            {"visit_id": visit_id, "correct": False} | data,
            blocking=True,
            return_response=True,
        )
        await hass.async_block_till_done()
        return dict(answer or {})

    return call


@pytest.fixture
async def unclear(hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str) -> str:
    """Have Eileen come so that it is unclear who came; return the visit's id."""
    front_door.frames = [frame(astronaut().filter(ImageFilter.GaussianBlur(3.5)))]
    await ring(hass, hub)
    return came(hass, "unclear")


def came(hass: HomeAssistant, kind: str) -> str:
    """Return the id of the last visit, which is of this kind."""
    attributes = hass.states.get(VISITOR).attributes
    assert attributes["event_type"] == kind
    return str(attributes["visit_id"])


async def refused(action: Correct, visit_id: str, /, **data: Any) -> str | None:
    """Return why it is refused."""
    with pytest.raises(ServiceValidationError) as caught:
        await action(visit_id, **data)
    return caught.value.translation_key


async def test_this_was_eileen(
    hass: HomeAssistant, hub: Hub, unclear: str, eileen: str, correct: Correct, config_folder: Path
) -> None:
    """The visit is hers from then on, everywhere; nothing of it was on a disk before."""
    folder = config_folder / ".storage" / DOMAIN
    assert unclear.encode() not in await hass.async_add_executor_job(bytes_of, folder)
    heard = []
    hass.bus.async_listen("state_changed", lambda event: heard.append(event.data["entity_id"]))
    answer = await correct(unclear, person="Eileen")
    assert (answer["confirmed"], answer["person_id"], answer["learned"]) == (True, eileen, False)
    (visit,) = await hass.async_add_executor_job(hub.vault.visits)
    assert (visit.visit_id, visit.person_id, visit.confirmed) == (unclear, eileen, True)
    assert hass.states.get(VISITOR).attributes["person_name"] == "Eileen"
    assert hass.states.get(VISITOR).attributes["event_type"] == "unclear", "what happened is not told again"
    assert hass.states.get("sensor.front_door_last_visitor").state == "Eileen"
    assert hass.states.get("sensor.eileen_last_seen_where").state == "Front door"
    assert "event.eileen_seen" not in heard, "no automation takes it for an arrival"
    assert hub.missed.get(unclear, dt_util.utcnow()) is None
    (logged, *_) = await hass.async_add_executor_job(hub.vault.audit_entries)
    assert (logged.kind, logged.person_id) == ("visit_named", eileen)
    # And a wrong name given so can be taken away again.
    await correct(unclear)
    assert await hass.async_add_executor_job(hub.vault.visits) == []


async def test_the_last_visit_of_a_camera_needs_no_id(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, eileen: str
) -> None:
    """A visit without a picture is chosen by its camera: the last one, with a name or without."""
    assert await calling.refused(hass, "correct_visit", camera=CAMERA, correct=True) == "no_last_visit"
    assert (
        await calling.refused(hass, "correct_visit", camera="camera.other", correct=True) == "unknown_camera"
    )
    front_door.frames = [frame(astronaut().filter(ImageFilter.GaussianBlur(3.5)))]
    await ring(hass, hub)
    visit_id = came(hass, "unclear")
    answer = await calling.act(hass, "correct_visit", camera=CAMERA, correct=False, person="Eileen")
    assert (answer["confirmed"], answer["person_id"]) == (True, eileen)
    (visit,) = await hass.async_add_executor_job(hub.vault.visits)
    assert (visit.visit_id, visit.person_id) == (visit_id, eileen)


async def test_picture_and_photo(hass: HomeAssistant, hub: Hub, eileen: str, correct: Correct) -> None:
    """With consent the picture is kept with the visit, and becomes a photo when it is good enough."""
    photo = jpeg(variant(astronaut(), angle=12))
    seen = await hub.client.faces(photo, portraits=True)
    portrait, now = seen.faces[0].portrait, dt_util.utcnow()
    (camera_id,) = hub.watchers
    visit = Visit("missed", camera_id, Decision.UNCLEAR, now, now, 1, reason=UnclearReason.FEW_FRAMES)
    await hub.announcer.async_settle(Outcome(visit, Change.OPENED), Timing(1, 1, 1), portrait)
    answer = await correct("missed", person="Eileen", learn=True)
    assert (answer["confirmed"], answer["learned"], answer["reason"]) == (True, True, "good")
    assert await hass.async_add_executor_job(hub.vault.visit_picture, "missed") == portrait
    assert len(await templates_of(hass, hub, eileen)) == 2


async def test_ten_minutes(hass: HomeAssistant, hub: Hub, unclear: str, correct: Correct) -> None:
    """Not longer; then it is said that nothing is held."""
    with later(minutes=10):
        assert await refused(correct, unclear, person="Eileen") == "visit_not_held"
        assert hub.missed.all(dt_util.utcnow()) == []
    assert await hass.async_add_executor_job(hub.vault.visits) == []


async def test_strangers_only_where_that_was_chosen(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    eileen: str,
    entry: MockConfigEntry,
    correct: Correct,
) -> None:
    """Off at first: nothing of a stranger is held. Switched off again, nothing of them stays."""
    ben = await enrol(hass, entry, photos_of(stranger(1))[:1], name="Ben")
    front_door.frames = visits(stranger(0))
    await ring(hass, hub)
    first = came(hass, "stranger")
    assert len(hub.missed) == 0
    assert await refused(correct, first, person="Ben") == "visit_not_held"

    async def choose(on: bool) -> None:
        hass.config_entries.async_update_entry(entry, options={"hold_strangers": on})
        await hass.async_block_till_done()

    await choose(True)
    with later(minutes=2):
        await ring(hass, hub)
        second = came(hass, "stranger")
        assert len(hub.missed) == 1
        await choose(False)
        assert len(hub.missed) == 0
        await choose(True)
    with later(minutes=4):
        await ring(hass, hub)
        third = came(hass, "stranger")
        assert second != third
        answer = await correct(third, person="Ben")
        assert (answer["confirmed"], answer["name"]) == (True, "Ben")
        assert hass.states.get("sensor.front_door_last_visitor").state == "Ben"
    (visit,) = await hass.async_add_executor_job(hub.vault.visits)
    assert (visit.person_id, visit.visit_id) == (ben, third)
    assert await hass.async_add_executor_job(hub.vault.visit_picture, third) is not None


async def test_only_with_consent(
    hass: HomeAssistant, hub: Hub, unclear: str, correct: Correct, eileen: str
) -> None:
    """Nobody is named who did not agree, and the visit can still be given its right name."""
    assert await refused(correct, unclear, correct=True) == "visit_of_nobody"
    assert await refused(correct, unclear, person="Nobody") == "unknown_person"
    assert await refused(correct, unclear, learn=True) == "learn_needs_person"
    await hass.async_add_executor_job(hub.vault.withdraw_consent, eileen, dt_util.utcnow())
    await hub.async_refresh_people()
    assert await refused(correct, unclear, person="Eileen") == "no_consent"
    assert await hass.async_add_executor_job(hub.vault.visits) == []


async def test_nobody_i_know(hass: HomeAssistant, hub: Hub, unclear: str, correct: Correct) -> None:
    """Then nothing of the visitor is held any longer."""
    assert hub.missed.get(unclear, dt_util.utcnow()) is not None
    answer = await correct(unclear)
    assert (answer["confirmed"], answer["name"]) == (False, None)
    assert len(hub.missed) == 0
    assert await refused(correct, unclear, person="Eileen") == "visit_not_held"


async def test_who_is_forgotten_is_held_no_longer(
    hass: HomeAssistant, hub: Hub, unclear: str, eileen: str
) -> None:
    """The visitor may be the person who was forgotten, so their face goes as well."""
    assert len(hub.missed) == 1
    await hub.forgetting.async_forget(eileen)
    await hass.async_block_till_done()
    assert len(hub.missed) == 0


async def test_a_disk_that_cannot_be_written(
    hass: HomeAssistant, hub: Hub, unclear: str, correct: Correct, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, and the visit can be named as soon as that works again."""

    def fail(*_: object) -> None:
        raise VaultUnwritable("The disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, "name_visit", fail)
        with pytest.raises(Exception, match="disk is full") as caught:
            await correct(unclear, person="Eileen")
    assert getattr(caught.value, "translation_key", None) == "correction_failed"
    assert hass.states.get("sensor.front_door_last_visitor").state == "unclear"
    assert (await correct(unclear, person="Eileen"))["confirmed"]


async def test_from_the_review_inbox(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    eileen: str,
    entry: MockConfigEntry,
    correct: Correct,
) -> None:
    """Where pictures are kept longer, a name can be given longer; then the picture is no longer in the inbox."""
    hass.config_entries.async_update_entry(entry, options={"review_hours": 24})
    await hass.async_block_till_done()
    front_door.frames = [frame(astronaut().filter(ImageFilter.GaussianBlur(3.5)))]
    await ring(hass, hub)
    visit_id = came(hass, "unclear")
    with later(minutes=30):
        hub.announcer.async_expire()
        await hass.async_block_till_done(wait_background_tasks=True)
        assert [each.visit_id for each in await hub.review.async_items()] == [visit_id]
        answer = await correct(visit_id, person="Eileen")
        assert answer["confirmed"]
        assert await hub.review.async_items() == []
    assert await hass.async_add_executor_job(hub.vault.visit_picture, visit_id) is not None


def test_the_time_is_the_notifications() -> None:
    """What a phone shows can be answered for as long as it shows it."""
    assert timedelta(minutes=LINK_MINUTES) == HELD_FOR
