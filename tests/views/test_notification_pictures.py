"""The pictures of notifications: by a signed link, for ten minutes, and not a moment longer than agreed to."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.familiar_faces.alerts import pictures as room
from custom_components.familiar_faces.alerts.pictures import PICTURE_PATH, PictureStore
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Keeping
from custom_components.familiar_faces.recognising.announcing import Settled
from custom_components.familiar_faces.recognising.correct import async_correct
from custom_components.familiar_faces.visits.open_visits import Change, Outcome
from custom_components.familiar_faces.visits.visit import Decision, Visit

from ..common.alerting import add_alert, ring_and_tell
from ..common.people_on_record import change_choices
from ..common.phone import NewPhone, Phone
from ..common.pictures import astronaut, enrolment_photos, jpeg, stranger
from ..common.steps import VISITOR, enrol, later, visits
from ..conftest import FrontDoor


@pytest.fixture
async def phone(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, new_phone: NewPhone
) -> Phone:
    """Return a phone that was told of Eileen, with a picture."""
    phone = await new_phone("Pixel")
    add_alert(hass, entry, phone)
    await enrol(hass, entry, enrolment_photos())
    front_door.frames = visits(astronaut())
    await ring_and_tell(hass, hub)
    return phone


def linked(phone: Phone) -> str:
    """Return the link of the newest notification."""
    return str(phone.pushed[-1]["data"]["image"])


async def test_the_link(hass_client_no_auth: ClientSessionGenerator, phone: Phone) -> None:
    """The signature is enough, and is for this picture alone; nothing keeps a copy of what it shows."""
    nobody, link = await hass_client_no_auth(), linked(phone)
    answer = await nobody.get(link)
    assert (answer.status, answer.content_type) == (HTTPStatus.OK, "image/jpeg")
    assert (await answer.read()).startswith(b"\xff\xd8")
    assert (answer.headers["Cache-Control"], answer.headers["Vary"]) == ("no-store", "*")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    path, signature = link.split("?")
    other = PICTURE_PATH.format(picture_id="A" * 22)
    for wrong in (path, f"{path}?authSig=x", f"{link[:-2]}xx", f"{link}&x=1", f"{other}?{signature}"):
        answer = await nobody.get(wrong)
        assert answer.status == HTTPStatus.UNAUTHORIZED, wrong
        assert await answer.read() != b""
        assert answer.content_type != "image/jpeg"
    for method in ("HEAD", "POST", "PUT", "PATCH", "DELETE"):
        assert (await nobody.request(method, link)).status == HTTPStatus.METHOD_NOT_ALLOWED, method


async def test_an_id_that_never_was(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, phone: Phone
) -> None:
    """Signed or logged in, who does not know the id sees nothing."""
    nobody, path = await hass_client_no_auth(), PICTURE_PATH.format(picture_id="A" * 22)
    signed = async_sign_path(hass, path, room._LIFE, use_content_user=True)
    for answer in (await nobody.get(signed), await phone.client.get(path)):
        assert answer.status == HTTPStatus.NOT_FOUND
        assert await answer.read() == b""


async def test_ten_minutes(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, hub: Hub, phone: Phone
) -> None:
    """Past its time the signature does not count; nor does the app get it, which is logged in besides."""
    nobody, link = await hass_client_no_auth(), linked(phone)
    with later(minutes=9):
        assert (await nobody.get(link)).status == HTTPStatus.OK
    with later(minutes=10.1):
        assert (await nobody.get(link)).status == HTTPStatus.UNAUTHORIZED
        hub.async_changed()
        await hass.async_block_till_done()
        assert len(hub.alerts.pictures) == 0


async def _forget(hass: HomeAssistant, hub: Hub) -> None:
    (person_id,) = hub.people
    await hub.forgetting.async_forget(person_id)


async def _correct(hass: HomeAssistant, hub: Hub) -> None:
    state = hass.states.get(VISITOR)
    assert state is not None
    await async_correct(hub, state.attributes["visit_id"], correct=False, really=None, learn=False)


async def _want_no_pictures(hass: HomeAssistant, hub: Hub) -> None:
    (person_id,) = hub.people
    await change_choices(hass, hub, person_id, pictures=False)


async def _keep_nothing(hass: HomeAssistant, hub: Hub) -> None:
    (person_id,) = hub.people
    await change_choices(hass, hub, person_id, keeping=Keeping.NOTHING)


async def _unload(hass: HomeAssistant, hub: Hub) -> None:
    assert await hass.config_entries.async_unload(hub.entry.entry_id)


async def _reload(hass: HomeAssistant, hub: Hub) -> None:
    assert await hass.config_entries.async_reload(hub.entry.entry_id)


@pytest.mark.parametrize("change", [_forget, _correct, _want_no_pictures, _keep_nothing, _unload, _reload])
async def test_gone(
    hass: HomeAssistant,
    hub: Hub,
    hass_client_no_auth: ClientSessionGenerator,
    phone: Phone,
    change: Callable[[HomeAssistant, Hub], Awaitable[None]],
) -> None:
    """The link shows nothing from then on, at once, to anybody."""
    nobody, link = await hass_client_no_auth(), linked(phone)
    assert (await nobody.get(link)).status == HTTPStatus.OK
    await change(hass, hub)
    await hass.async_block_till_done()
    for client in (nobody, phone.client):
        answer = await client.get(link)
        assert (answer.status, await answer.read()) == (HTTPStatus.NOT_FOUND, b"")


@pytest.mark.parametrize(("picture", "shown"), [("none", False), ("familiar", False), ("everybody", True)])
async def test_a_stranger(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    new_phone: NewPhone,
    picture: str,
    shown: bool,
) -> None:
    """A stranger's picture is sent only if the owner chose that everybody's is."""
    phone = await new_phone("Pixel")
    add_alert(hass, entry, phone, picture=picture)
    await enrol(hass, entry, enrolment_photos())
    front_door.frames = visits(stranger(0))
    await ring_and_tell(hass, hub)
    assert phone.messages[-1] == "A stranger is at the front door."
    assert ("image" in phone.pushed[-1]["data"]) is shown
    assert bool(len(hub.alerts.pictures)) is shown


@pytest.mark.parametrize("turns_out", ["familiar", "resembling"])
async def test_a_stranger_who_said_no_to_pictures(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    new_phone: NewPhone,
    hass_client_no_auth: ClientSessionGenerator,
    turns_out: str,
) -> None:
    """Somebody who said no to pictures may first be taken for a stranger: then the link dies at once."""
    phone = await new_phone("Pixel")
    add_alert(hass, entry, phone, picture="everybody")
    eileen = await enrol(hass, entry, enrolment_photos())
    await change_choices(hass, hub, eileen, pictures=False)
    (camera_id,), now = hub.watchers, dt_util.utcnow()
    visit = Visit("a_visit", camera_id, Decision.STRANGER, now, now, frames=3)
    portrait = jpeg(astronaut())
    hub.alerts.async_settle(Settled(Outcome(visit, Change.OPENED), announced=True, portrait=portrait))
    await hub.alerts.async_flush()
    nobody, link = await hass_client_no_auth(), linked(phone)
    assert (await nobody.get(link)).status == HTTPStatus.OK
    if turns_out == "familiar":
        known = visit.renamed(eileen, "Eileen", 0.99)
        hub.alerts.async_settle(Settled(Outcome(known, Change.UPGRADED), announced=True))
    else:
        unclear = replace(visit, last_seen_at=dt_util.utcnow())
        outcome = Outcome(unclear, Change.CONTINUED)
        hub.alerts.async_settle(
            Settled(outcome, announced=True, portrait=portrait, resembled=frozenset({eileen}))
        )
    assert (await nobody.get(link)).status == HTTPStatus.NOT_FOUND
    await hub.alerts.async_flush()
    assert "image" not in phone.pushed[-1]["data"]
    assert len(hub.alerts.pictures) == 0


async def test_no_more_than_fits(hass: HomeAssistant, sockets: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory is bounded in number and in bytes; the oldest go first, and one too large is not sent."""
    hass.data["http.auth"] = "a refresh token"
    monkeypatch.setattr(room, "MOST", 3)
    monkeypatch.setattr(room, "MOST_BYTES", 100)
    monkeypatch.setattr(room, "LARGEST", 60)
    store = PictureStore(lambda _: True)
    links = [store.async_offer(hass, str(number), bytes(10)) for number in range(5)]
    assert (len(store), store.size) == (3, 30)
    ids = [str(each).split("?", maxsplit=1)[0].rsplit("/", maxsplit=1)[1] for each in links]
    now = dt_util.utcnow()
    assert [store.async_get(each, now) is not None for each in ids] == [False, False, True, True, True]
    store.async_offer(hass, "large", bytes(60))
    store.async_offer(hass, "as large", bytes(60))
    assert store.size == 60
    assert store.async_offer(hass, "too large", bytes(61)) is None
    assert store.size == 60


async def test_one_link_a_picture(hass: HomeAssistant, sockets: None, freezer: FrozenDateTimeFactory) -> None:
    """Recipients who are told the same share a picture, which stays as long as its last link."""
    hass.data["http.auth"] = "a refresh token"
    store, picture = PictureStore(lambda _: True), bytes(10)
    first = str(store.async_offer(hass, "episode", picture))
    freezer.tick(300)
    second = str(store.async_offer(hass, "episode", picture))
    assert first.split("?", maxsplit=1)[0] == second.split("?", maxsplit=1)[0]
    assert first != second
    assert len(store) == 1
    picture_id = first.split("?", maxsplit=1)[0].rsplit("/", maxsplit=1)[1]
    freezer.tick(301)
    assert store.async_get(picture_id, dt_util.utcnow()) == picture
    freezer.tick(300)
    assert store.async_get(picture_id, dt_util.utcnow()) is None
