"""The review inbox: off by default, only what was switched on is kept, and only administrators see it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from freezegun import freeze_time
from homeassistant.components.http.auth import async_sign_path
from homeassistant.components.media_source import async_resolve_media
from homeassistant.components.media_source.error import Unresolvable
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from PIL import ImageFilter
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.familiar_faces.const import CONF_REVIEW_HOURS, DOMAIN
from custom_components.familiar_faces.diagnostics import async_get_config_entry_diagnostics
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.openness.review import PICTURE_PATH
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.vault.errors import VaultUnwritable
from custom_components.familiar_faces.vault.review_rows import ReviewItem
from custom_components.familiar_faces.visits.open_visits import GAP, Change, Outcome
from custom_components.familiar_faces.visits.visit import Decision, Timing, UnclearReason, Visit

from ..common.owner import MakeClient, Owner
from ..common.pictures import astronaut, enrolment_photos, frame, stranger
from ..common.steps import enrol, later, ring, visits
from ..conftest import FrontDoor

pytestmark = pytest.mark.usefixtures("entity_registry_enabled_by_default")

TIMING = Timing(ms=1.0, camera_fetch_ms=1.0, engine_ms=1.0)
FACE = b"\xff\xd8\xff\xe0" + b"the face of somebody" * 50


@pytest.fixture
async def person_id(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> str:
    """Return the id of somebody who agreed to everything; without anybody there are no visits."""
    return await enrol(hass, entry, enrolment_photos()[:2])


@pytest.fixture
async def inbox(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, person_id: str) -> Hub:
    """Return the running hub with the review inbox switched on for a day."""
    _switch(hass, entry, 24)
    await hass.async_block_till_done()
    return hub


def _switch(hass: HomeAssistant, entry: MockConfigEntry, hours: int) -> None:
    hass.config_entries.async_update_entry(entry, options={**entry.options, CONF_REVIEW_HOURS: hours})


def _visit(visit_id: str = "a visit", decision: Decision = Decision.STRANGER, **changes: object) -> Visit:
    now = dt_util.utcnow()
    reason = UnclearReason.NOT_SURE if decision is Decision.UNCLEAR else None
    visit = Visit(visit_id, "a camera", decision, now, now, 3, reason=reason)
    return replace(visit, **changes)  # type: ignore[arg-type]


async def _keep(hass: HomeAssistant, hub: Hub, visit_id: str = "a visit") -> None:
    item = ReviewItem(visit_id, next(iter(hub.watchers)), "stranger", dt_util.utcnow())
    await hass.async_add_executor_job(hub.vault.review.add, item, FACE)
    await hub.async_count()


async def _count(hass: HomeAssistant, hub: Hub) -> int:
    return (await hass.async_add_executor_job(hub.vault.stored)).review


async def _end_visits(hass: HomeAssistant, hub: Hub) -> None:
    """Let the visits that go on be over."""
    with later(until=dt_util.utcnow() + GAP + timedelta(seconds=2)):
        hub.announcer.async_expire()
        await hass.async_block_till_done(wait_background_tasks=True)


def _holding(folder: Path, picture: bytes) -> list[str]:
    """Return the files in which some of a picture lies."""
    pieces = [picture[at : at + 32] for at in range(64, len(picture) - 32, 32)]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(piece in path.read_bytes() for piece in pieces)]


# What is kept


async def test_a_stranger_leaves_nothing_by_default(
    hass: HomeAssistant,
    front_door: FrontDoor,
    hub: Hub,
    person_id: str,
    config_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing of a stranger is kept, on the disk or in memory, unless the owner wanted it."""
    portraits = _watch_portraits(hub, monkeypatch)
    front_door.frames = visits(stranger())
    await ring(hass, hub)
    assert hass.states.get("sensor.front_door_last_visitor").state == "stranger"
    assert portraits, "the engine gave no portrait, so there is nothing to look for"
    assert hub.review.waiting == 0
    await _end_visits(hass, hub)
    assert await _count(hass, hub) == 0
    assert [_holding(config_folder, each) for each in portraits] == [[]] * len(portraits)


def _watch_portraits(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return the list to which the pictures of visitors are added as they are seen."""
    portraits: list[bytes] = []
    settle = hub.announcer.async_settle

    async def watched(
        outcome: Outcome, timing: Timing, portrait: bytes | None, resembled: frozenset[str] = frozenset()
    ) -> None:
        if portrait is not None:
            portraits.append(portrait)
        await settle(outcome, timing, portrait, resembled)

    monkeypatch.setattr(hub.announcer, "async_settle", watched)
    return portraits


async def test_a_stranger_is_kept_at_the_end_of_the_visit(
    hass: HomeAssistant,
    front_door: FrontDoor,
    inbox: Hub,
    config_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Switched on, the picture of a stranger is kept once the visit is over: encrypted, and without a template."""
    portraits = _watch_portraits(inbox, monkeypatch)
    before = await hass.async_add_executor_job(inbox.vault.stored)
    front_door.frames = visits(stranger())
    await ring(hass, inbox)
    assert inbox.review.waiting == 1
    assert await _count(hass, inbox) == 0
    await _end_visits(hass, inbox)
    assert inbox.review.waiting == 0
    (item,) = await inbox.review.async_items()
    assert (item.decision, item.camera_id) == ("stranger", next(iter(inbox.watchers)))
    picture = await hass.async_add_executor_job(inbox.vault.review.picture, item.visit_id)
    assert picture == portraits[-1]
    after = await hass.async_add_executor_job(inbox.vault.stored)
    assert (after.templates, after.photos, after.visits) == (before.templates, before.photos, before.visits)
    assert hass.states.get("sensor.familiar_faces_stored_items").state == str(
        after.templates + after.photos + after.consents + 1
    )
    assert [_holding(config_folder, each) for each in portraits] == [[]] * len(portraits)
    diagnostics = await async_get_config_entry_diagnostics(hass, inbox.entry)
    assert diagnostics["stored"]["review"] == 1
    assert item.visit_id not in str(diagnostics)


async def test_recognised_within_the_visit(hass: HomeAssistant, inbox: Hub, person_id: str) -> None:
    """Anyone who is recognised before the visit is over leaves nothing in the inbox."""
    visit = _visit(decision=Decision.UNCLEAR)
    await inbox.announcer.async_settle(Outcome(visit, Change.OPENED), TIMING, FACE)
    assert inbox.review.waiting == 1
    familiar = replace(
        visit, decision=Decision.FAMILIAR, reason=None, person_id=person_id, name="Eileen", confidence=0.9
    )
    await inbox.announcer.async_settle(Outcome(familiar, Change.UPGRADED), TIMING, FACE)
    assert inbox.review.waiting == 0
    await inbox.announcer.async_settle(Outcome(visit, Change.CONTINUED), TIMING, FACE)
    assert inbox.review.waiting == 0


@pytest.mark.parametrize(
    "choices",
    [Choices(keeping=Keeping.SILENT), Choices(keeping=Keeping.NOTHING), Choices(pictures=False)],
    ids=["silent", "nothing", "no pictures"],
)
async def test_not_of_those_who_said_no(
    hass: HomeAssistant, inbox: Hub, person_id: str, choices: Choices
) -> None:
    """Somebody who may be one of those who wished no pictures is not kept, whatever came before or after."""
    person = inbox.people[person_id]
    agreed = replace(person.consents[-1], choices=choices)
    inbox.people[person_id] = replace(person, consents=(agreed,))
    visit = _visit(decision=Decision.UNCLEAR)
    await inbox.announcer.async_settle(Outcome(visit, Change.OPENED), TIMING, FACE)
    assert inbox.review.waiting == 1
    await inbox.announcer.async_settle(Outcome(visit, Change.CONTINUED), TIMING, FACE, frozenset({person_id}))
    assert inbox.review.waiting == 0
    await inbox.announcer.async_settle(Outcome(visit, Change.CONTINUED), TIMING, FACE)
    assert inbox.review.waiting == 0


async def test_of_those_who_said_yes(hass: HomeAssistant, inbox: Hub, person_id: str) -> None:
    """An unclear visit of somebody who agreed to pictures may be looked at."""
    visit = _visit(decision=Decision.UNCLEAR)
    await inbox.announcer.async_settle(Outcome(visit, Change.OPENED), TIMING, FACE, frozenset({person_id}))
    assert inbox.review.waiting == 1


async def test_a_poor_look_at_somebody_silent(
    hass: HomeAssistant, front_door: FrontDoor, inbox: Hub, person_id: str
) -> None:
    """A single frame is too little for a name, and still enough to tell who has no picture kept."""
    person = inbox.people[person_id]
    agreed = replace(person.consents[-1], choices=Choices(keeping=Keeping.SILENT))
    await hass.async_add_executor_job(
        inbox.vault.record_consent, person_id, replace(agreed, consent_id="another")
    )
    await inbox.async_refresh_people()
    front_door.frames = [frame(astronaut().filter(ImageFilter.GaussianBlur(3.5)))]
    await ring(hass, inbox)
    assert hass.states.get("sensor.front_door_last_visitor").state == "unclear"
    assert inbox.review.waiting == 0
    await _end_visits(hass, inbox)
    assert await _count(hass, inbox) == 0


async def test_off_while_a_backup_is_asked_about(hass: HomeAssistant, inbox: Hub, person_id: str) -> None:
    """Those who are held look like strangers, and may have wished that no picture is kept of them."""
    await hass.async_add_executor_job(inbox.vault.witness.hold_everybody, dt_util.utcnow())
    await inbox.async_refresh_people()
    await inbox.announcer.async_settle(Outcome(_visit(), Change.OPENED), TIMING, FACE)
    assert inbox.review.waiting == 0


async def test_switched_off_meanwhile(
    hass: HomeAssistant, front_door: FrontDoor, inbox: Hub, entry: MockConfigEntry
) -> None:
    """A visit that goes on when the owner switches the inbox off is not kept."""
    front_door.frames = visits(stranger())
    await ring(hass, inbox)
    assert inbox.review.waiting == 1
    _switch(hass, entry, 0)
    await hass.async_block_till_done()
    hub: Hub = entry.runtime_data
    await _end_visits(hass, hub)
    assert await _count(hass, hub) == 0


async def test_a_full_disk(
    hass: HomeAssistant, front_door: FrontDoor, inbox: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture that cannot be kept is dropped, and nothing else suffers."""

    def refuse(*args: object) -> None:
        raise VaultUnwritable("database or disk is full")

    monkeypatch.setattr(inbox.vault.review, "add", refuse)
    front_door.frames = visits(stranger())
    await ring(hass, inbox)
    await _end_visits(hass, inbox)
    assert inbox.review.waiting == 0
    assert hass.states.get("sensor.front_door_last_visitor").state == "stranger"


# For how long


async def test_erased_at_the_second(hass: HomeAssistant, inbox: Hub) -> None:
    """A picture is there until its hours are over, and not a second longer; and then no longer shown."""
    await _keep(hass, inbox)
    (item,) = await inbox.review.async_items()
    for seconds, left in ((-1, 1), (0, 0)):
        with freeze_time(item.at + timedelta(hours=24, seconds=seconds), tick=False, real_asyncio=True):
            assert len(await inbox.review.async_items()) == left
            await hass.async_add_executor_job(inbox.vault.purge, dt_util.utcnow(), inbox.retention)
            assert await _count(hass, inbox) == left


async def test_switched_off(hass: HomeAssistant, inbox: Hub, entry: MockConfigEntry) -> None:
    """Switched off, nothing is shown from then on, and the next purge erases it."""
    await _keep(hass, inbox)
    _switch(hass, entry, 0)
    await hass.async_block_till_done()
    hub: Hub = entry.runtime_data
    assert await hub.review.async_items() == []
    await hub.purging.async_purge()
    assert await _count(hass, hub) == 0


async def test_restart(hass: HomeAssistant, inbox: Hub, entry: MockConfigEntry) -> None:
    """What was kept is there after a restart; what waited in memory is not."""
    await _keep(hass, inbox)
    await inbox.announcer.async_settle(Outcome(_visit("another"), Change.OPENED), TIMING, FACE)
    assert await hass.config_entries.async_reload(entry.entry_id)
    hub: Hub = entry.runtime_data
    assert [each.visit_id for each in await hub.review.async_items()] == ["a visit"]
    assert hub.review.waiting == 0


# Who sees it


async def test_media_browser(hass: HomeAssistant, inbox: Hub, owner: Owner) -> None:
    """Media > Familiar Faces > Review inbox > a picture, fetched by a signed address."""
    await _keep(hass, inbox, "4f6c1d52")
    root = await owner.ask("media_source/browse_media", media_content_id=f"media-source://{DOMAIN}")
    (folder,) = root["result"]["children"]
    assert folder["title"] == "Review inbox"
    listed = await owner.ask("media_source/browse_media", media_content_id=folder["media_content_id"])
    (shown,) = listed["result"]["children"]
    assert "Front door" in shown["title"]
    response = await owner.client.get(shown["thumbnail"])
    assert await response.read() == FACE
    resolved = await owner.ask("media_source/resolve_media", media_content_id=shown["media_content_id"])
    anonymous = {"Authorization": ""}
    response = await owner.client.get(resolved["result"]["url"], headers=anonymous)
    assert response.status == 200
    assert await response.read() == FACE
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Type"] == "image/jpeg"
    entries = await hass.async_add_executor_job(inbox.vault.audit_entries)
    viewed = [each for each in entries if each.kind == "faces_viewed"]
    assert len(viewed) == 1, "once an hour for each user"
    assert viewed[0].person_id is None

    response = await owner.client.get(resolved["result"]["url"] + "x", headers=anonymous)
    assert response.status == 401
    response = await owner.client.get(PICTURE_PATH.format(visit_id="4f6c1d52"), headers=anonymous)
    assert response.status == 401
    wrong = await owner.client.get(PICTURE_PATH.format(visit_id="wrong"))
    assert (wrong.status, await wrong.read()) == (404, b"")
    answer = await owner.ask(
        "media_source/resolve_media", media_content_id=f"media-source://{DOMAIN}/review/wrong"
    )
    assert not answer["success"]


async def test_only_administrators(
    hass: HomeAssistant, inbox: Hub, sockets: None, aiohttp_client: MakeClient
) -> None:
    """No other user, and nobody without one, is shown a picture or told which there are."""
    await _keep(hass, inbox, "4f6c1d52")
    other = await Owner.log_in(hass, aiohttp_client, admin=False)
    path = PICTURE_PATH.format(visit_id="4f6c1d52")
    assert (await other.client.get(path)).status == 403
    root = await other.ask("media_source/browse_media", media_content_id=f"media-source://{DOMAIN}")
    assert root["result"]["children"] == [], "they see that there is nothing for them, and no error"
    folder = f"media-source://{DOMAIN}/review"
    seen = await other.ask("media_source/browse_media", media_content_id=folder)
    assert seen["result"]["children"] == []
    answer = await other.ask("media_source/resolve_media", media_content_id=f"{folder}/4f6c1d52")
    assert not answer["success"]
    assert "4f6c1d52" not in f"{seen}{answer}"
    # As an automation would have a media player show it.
    with pytest.raises(Unresolvable):
        await async_resolve_media(hass, f"media-source://{DOMAIN}/review/4f6c1d52", None)
    signed = async_sign_path(hass, path, timedelta(minutes=1), use_content_user=True)
    assert (await other.client.get(signed, headers={"Authorization": ""})).status == 403


# Discarding


async def test_discard(hass: HomeAssistant, inbox: Hub) -> None:
    """One is erased, or all are, and it is noted how many."""
    for visit_id in ("one", "two", "three"):
        await _keep(hass, inbox, visit_id)
    assert await _discard(hass, visit_id="two") == {"pictures": 1}
    assert {each.visit_id for each in await inbox.review.async_items()} == {"one", "three"}
    with pytest.raises(ServiceValidationError):
        await _discard(hass, visit_id="two")
    assert await _discard(hass, all=True) == {"pictures": 2}
    assert await inbox.review.async_items() == []
    entries = await hass.async_add_executor_job(inbox.vault.audit_entries)
    noted = [each.details["pictures"] for each in entries if each.kind == "review_discarded"]
    assert noted == [2, 1]


async def test_discard_is_for_administrators(hass: HomeAssistant, inbox: Hub) -> None:
    """Nobody else erases what the owner may want to see."""
    await _keep(hass, inbox)
    user = MockUser(is_owner=False).add_to_hass(hass)
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN, "discard_review", {"all": True}, blocking=True, context=_context(user)
        )
    assert await _count(hass, inbox) == 1


def _context(user: MockUser) -> Context:
    from homeassistant.core import Context

    return Context(user_id=user.id)


async def _discard(hass: HomeAssistant, **data: object) -> object:
    assert await async_setup_component(hass, "homeassistant", {})
    return await hass.services.async_call(DOMAIN, "discard_review", data, blocking=True, return_response=True)
