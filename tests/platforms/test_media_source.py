"""The media browser: pictures of visits by person, camera and day, and what actions make of them."""

from datetime import timedelta
from typing import Any

from homeassistant.auth.permissions import PolicyPermissions
from homeassistant.components.http.auth import async_sign_path
from homeassistant.components.media_source import async_browse_media, async_resolve_media
from homeassistant.components.media_source.error import Unresolvable
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.familiar_faces.const import CONF_REVIEW_HOURS, DOMAIN
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices
from custom_components.familiar_faces.vault.records import VisitRecord
from custom_components.familiar_faces.vault.review_rows import ReviewItem
from custom_components.familiar_faces.visits.visit import Decision

from ..common.calling import act, refused
from ..common.owner import MakeClient, Owner
from ..common.people_on_record import DAY, a_consent, put_on_record
from ..common.pictures import astronaut, frame, jpeg, stranger
from ..common.steps import templates_of

ROOT = f"media-source://{DOMAIN}"
PICTURE = b"\xff\xd8 a picture"


@pytest.fixture
async def owner(hass: HomeAssistant, hub: Hub, sockets: None, aiohttp_client: MakeClient) -> Owner:
    """Return an administrator."""
    return await Owner.log_in(hass, aiohttp_client)


async def keep(
    hass: HomeAssistant,
    hub: Hub,
    visit_id: str,
    person_id: str,
    days: int = 0,
    picture: bytes | None = PICTURE,
) -> None:
    """Have a visit be kept, with a picture."""
    at = dt_util.utcnow() - days * DAY
    record = VisitRecord(visit_id, person_id, next(iter(hub.watchers)), at, confidence=0.9, frames=3)
    await hass.async_add_executor_job(hub.vault.add_visit, record, picture, at)


@pytest.fixture
async def people(hass: HomeAssistant, hub: Hub) -> None:
    """Have three people on record; one of them agreed to no pictures."""
    now = dt_util.utcnow()
    for person_id, name, choices in (
        ("nadie", "Nadie", Choices(uploads=True)),
        ("otto", "Otto", Choices()),
        ("unseen", "Unseen", Choices(pictures=False)),
    ):
        consent = a_consent(now - 30 * DAY, now + 300 * DAY, choices=choices)
        await put_on_record(hass, hub, consent, person_id, name)


async def browse(owner: Owner, of: str = "") -> dict[str, str]:
    """Return the titles in a folder, and their ids."""
    answer = await owner.ask("media_source/browse_media", media_content_id=f"{ROOT}{of}")
    assert answer["success"], answer
    return {each["title"]: each["media_content_id"] for each in answer["result"]["children"]}


async def test_by_person_camera_and_day(hass: HomeAssistant, hub: Hub, people: None, owner: Owner) -> None:
    """Each picture is found three ways, newest first, and fetched by a signed address."""
    await keep(hass, hub, "v1", "nadie", 2)
    await keep(hass, hub, "v2", "otto", 1)
    await keep(hass, hub, "v3", "nadie")
    await keep(hass, hub, "bare", "nadie", picture=None)
    assert list(await browse(owner)) == ["By person", "By camera", "By day", "Review inbox"]
    assert await browse(owner, "/person") == {
        "Nadie": f"{ROOT}/person/nadie",
        "Otto": f"{ROOT}/person/otto",
    }
    answer = await owner.ask("media_source/browse_media", media_content_id=f"{ROOT}/person")
    # A folder shows the newest picture in it.
    assert [each["thumbnail"] for each in answer["result"]["children"]] == [
        f"/api/{DOMAIN}/visit/{newest}" for newest in ("v3", "v2")
    ]
    assert list((await browse(owner, "/person/nadie")).values()) == [f"{ROOT}/visit/v3", f"{ROOT}/visit/v1"]
    ((camera, folder),) = (await browse(owner, "/camera")).items()
    assert camera == "Front door"
    shown = await browse(owner, folder.removeprefix(ROOT))
    assert [each.removeprefix(f"{ROOT}/visit/") for each in shown.values()] == ["v3", "v2", "v1"]
    assert all(", Front door, " in title for title in shown)
    days = await browse(owner, "/day")
    assert len(days) == 3
    assert list(days.values()) == sorted(days.values(), reverse=True)
    newest = await browse(owner, next(iter(days.values())).removeprefix(ROOT))
    assert list(newest.values()) == [f"{ROOT}/visit/v3"]
    resolved = await owner.ask("media_source/resolve_media", media_content_id=f"{ROOT}/visit/v3")
    response = await owner.client.get(resolved["result"]["url"], headers={"Authorization": ""})
    assert (response.status, await response.read()) == (200, PICTURE)
    assert response.headers["Cache-Control"] == "no-store"


async def test_as_far_as_was_agreed(hass: HomeAssistant, hub: Hub, people: None, owner: Owner) -> None:
    """No picture is offered of those who agreed to none, nor once it is past its time, nor of who is forgotten."""
    await keep(hass, hub, "none", "unseen")
    await keep(hass, hub, "old", "nadie", 8)
    assert await browse(owner, "/person") == {}
    assert list(await browse(owner)) == ["Review inbox"]
    await keep(hass, hub, "new", "otto")
    assert list(await browse(owner, "/person")) == ["Otto"]
    await hub.forgetting.async_forget("otto")
    assert await browse(owner, "/person") == {}
    for visit_id in ("none", "old", "new", "no such", "x" * 1000, "../v1"):
        answer = await owner.ask("media_source/resolve_media", media_content_id=f"{ROOT}/visit/{visit_id}")
        assert not answer["success"]


async def test_a_member_of_the_household(
    hass: HomeAssistant, hub: Hub, people: None, owner: Owner, aiohttp_client: MakeClient
) -> None:
    """They see whose visits they may read, and an empty folder in place of an error."""
    member = await Owner.log_in(hass, aiohttp_client, admin=False)
    assert await browse(member) == {}
    await keep(hass, hub, "v1", "nadie")
    await keep(hass, hub, "v2", "otto")
    assert list(await browse(member)) == ["By person", "By camera", "By day"]
    assert list(await browse(member, "/person")) == ["Nadie", "Otto"]
    # Where only administrators have pictures, they find none.
    assert await browse(member, "/review") == {}
    resolved = await member.ask("media_source/resolve_media", media_content_id=f"{ROOT}/visit/v1")
    assert (await member.client.get(resolved["result"]["url"])).status == 200
    # As in a home with permissions: of Otto they may read nothing.
    event = er.async_get(hass).async_get_entity_id("event", DOMAIN, "otto_seen")
    assert event is not None
    allowed = {each: {"read": True} for each in er.async_get(hass).entities if each != event}
    for user in await hass.auth.async_get_users():
        if user.name == "Somebody" and not user.is_admin:
            user.permissions = PolicyPermissions({"entities": {"entity_ids": allowed}}, user.perm_lookup)
    assert list(await browse(member, "/person")) == ["Nadie"]
    assert list((await browse(member, "/camera")).values()) != []
    assert not (await member.ask("media_source/resolve_media", media_content_id=f"{ROOT}/visit/v2"))[
        "success"
    ]


async def test_nobody_asks(hass: HomeAssistant, hub: Hub, people: None, owner: Owner) -> None:
    """An automation, or a media player by itself, is shown nothing."""
    await keep(hass, hub, "v1", "nadie")
    assert (await async_browse_media(hass, ROOT)).children == []
    with pytest.raises(Unresolvable):
        await async_resolve_media(hass, f"{ROOT}/visit/v1", None)


async def test_without_the_integration(
    hass: HomeAssistant, hub: Hub, people: None, owner: Owner, entry: MockConfigEntry
) -> None:
    """While it does not run, there is nothing, and no error."""
    await keep(hass, hub, "v1", "nadie")
    await hass.config_entries.async_unload(entry.entry_id)
    assert list(await browse(owner)) == ["Review inbox"]
    assert await browse(owner, "/person") == {}
    assert await browse(owner, "/review") == {}
    assert not (await owner.ask("media_source/resolve_media", media_content_id=f"{ROOT}/visit/v1"))["success"]


def media(of: str) -> dict[str, Any]:
    """Return a picture of ours, as an action is given it."""
    return {"media_content_id": f"{ROOT}/{of}", "media_content_type": "image/jpeg"}


async def test_actions_take_them(hass: HomeAssistant, hub: Hub, people: None, entry: MockConfigEntry) -> None:
    """A photo of somebody can be taken from a visit or the inbox, and then it is known who is in another one."""
    await keep(hass, hub, "v1", "nadie", picture=frame(astronaut()))
    answer = await act(hass, "enrol", person="Nadie", image=media("visit/v1"), insist=True)
    assert answer["person_id"] == "nadie"
    assert answer["template_id"] in {each.template_id for each in await templates_of(hass, hub, "nadie")}
    hass.config_entries.async_update_entry(entry, options={**entry.options, CONF_REVIEW_HOURS: 48})
    (camera_id,), now = hub.watchers, dt_util.utcnow()
    for visit_id, who in (("seen", astronaut()), ("unknown", stranger(0))):
        item = ReviewItem(visit_id, camera_id, str(Decision.UNCLEAR), now)
        await hass.async_add_executor_job(hub.vault.review.add, item, jpeg(who))
    named = await act(hass, "identify", image=media("review/seen"))
    assert [each["name"] for each in named["faces"]] == ["Nadie"]
    assert (await act(hass, "identify", image=media("visit/v1")))["faces"][0]["name"] == "Nadie"
    nobody = await act(hass, "identify", image=media("review/unknown"))
    assert [each["name"] for each in nobody["faces"]] == [None]
    for wrong in ("visit/none", "review/none", "review/v1", "person/nadie", "", "visit/" + "x" * 5000):
        with pytest.raises(ServiceValidationError) as caught:
            await act(hass, "identify", image=media(wrong))
        assert caught.value.translation_key == "review_unknown"


async def test_a_visit_by_its_picture(
    hass: HomeAssistant, hub: Hub, people: None, entry: MockConfigEntry
) -> None:
    """Who needs the id of a visit chooses its picture."""
    await keep(hass, hub, "v1", "nadie")
    for wrong in ("person/nadie", "visit/", "review"):
        said = await refused(hass, "correct_visit", picture=media(wrong), correct=True)
        assert said == "picture_of_no_visit"
    with pytest.raises(vol.Invalid):
        await act(hass, "correct_visit", picture=media("visit/v1"), visit_id="v1", correct=True)
    await act(hass, "correct_visit", picture=media("visit/v1"), correct=False)
    assert await hass.async_add_executor_job(hub.vault.visits) == []
    hass.config_entries.async_update_entry(entry, options={**entry.options, CONF_REVIEW_HOURS: 48})
    (camera_id,), now = hub.watchers, dt_util.utcnow()
    for visit_id in ("one", "other"):
        item = ReviewItem(visit_id, camera_id, str(Decision.UNCLEAR), now)
        await hass.async_add_executor_job(hub.vault.review.add, item, PICTURE)
    assert await act(hass, "discard_review", picture=media("review/one")) == {"pictures": 1}
    assert [each.visit_id for each in await hub.review.async_items()] == ["other"]
    assert await refused(hass, "discard_review", picture=media("review/one")) == "not_in_review"


async def test_no_other_way_in(hass: HomeAssistant, hub: Hub, people: None, owner: Owner) -> None:
    """An address that was signed for somebody else, or changed, opens no picture."""
    await keep(hass, hub, "v1", "nadie")
    await keep(hass, hub, "v2", "otto")
    signed = async_sign_path(hass, f"/api/{DOMAIN}/visit/v1", timedelta(minutes=1), use_content_user=True)
    assert (await owner.client.get(signed.replace("v1", "v2"), headers={"Authorization": ""})).status == 401
