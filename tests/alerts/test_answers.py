"""Answers from a notification: each works once, for the user whose phone it was sent to, and nothing else does."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.auth.const import GROUP_ID_ADMIN, GROUP_ID_USER
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers.json import json_dumps
from homeassistant.util import dt as dt_util
from PIL import ImageFilter
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.familiar_faces.alerts import teller
from custom_components.familiar_faces.alerts.answers import EVENT_ANSWERED, MOST, PREFIX, Answer
from custom_components.familiar_faces.alerts.recipients import async_find
from custom_components.familiar_faces.const import CONF_MUTED, CONF_UNANNOUNCED
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.pages import guard
from custom_components.familiar_faces.recognising.correct import async_correct
from custom_components.familiar_faces.wording.words import async_say

from ..common.alerting import a_user, add_alert, audited, everything, press, ring_and_tell, titles
from ..common.phone import CLEAR, NewPhone, Phone
from ..common.pictures import astronaut, enrolment_photos, frame, photos_of, stranger
from ..common.steps import VISITOR, enrol, later, ring, visits
from ..conftest import FrontDoor, start_again

ENROL = "/config/integrations/integration/familiar_faces"


@pytest.fixture
async def phone(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, new_phone: NewPhone) -> Phone:
    """Return a phone of a user who is no administrator, and that an alert tells of everybody."""
    phone = await new_phone("Pixel", await a_user(hass, "Anna", GROUP_ID_USER))
    add_alert(hass, entry, phone)
    return phone


@pytest.fixture
async def eileen(hass: HomeAssistant, hub: Hub, front_door: FrontDoor, phone: Phone, eileen: str) -> str:
    """Have the phone told that Eileen is there, and return her id."""
    front_door.frames = visits(astronaut())
    await ring_and_tell(hass, hub)
    return eileen


@pytest.fixture
async def owned(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> str:
    """Enrol Eileen, before anybody is told of her, and return her id."""
    return await enrol(hass, entry, enrolment_photos()[:1])


async def test_right(hass: HomeAssistant, hub: Hub, phone: Phone, eileen: str) -> None:
    """It is noted that it was her, and who said so; a second press does nothing."""
    await press(hass, phone, "Right")
    kinds = [each.kind for each in await hass.async_add_executor_job(hub.vault.audit_entries)]
    assert kinds[:2] == ["notification_answered", "visit_confirmed"]
    (answered,) = await audited(hass, hub)
    assert answered.person_id == eileen
    assert answered.details == {"answer": "right", "user": phone.user_id}
    before = await everything(hass, hub)
    await press(hass, phone, "Right")
    assert await everything(hass, hub) == before


async def test_not_them(hass: HomeAssistant, hub: Hub, phone: Phone, eileen: str) -> None:
    """The visit is taken from her, anyone who was told is told so, and the other answers end with it."""
    right = phone.action("Right")
    await press(hass, phone, "Not them")
    await hub.alerts.async_flush()
    assert not await hass.async_add_executor_job(hub.vault.visits)
    (answered,) = await audited(hass, hub)
    assert answered.details == {"answer": "not_them", "user": phone.user_id}
    assert "was not Eileen" in phone.messages[-1]
    before = await everything(hass, hub)
    await phone.press(right)
    assert await everything(hass, hub) == before


async def test_mute(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, phone: Phone, eileen: str
) -> None:
    """For an hour this recipient hears nothing of her, and of others as before; it outlives a restart."""
    await press(hass, phone, "Mute 1 h")
    (answered,) = await audited(hass, hub)
    assert (answered.person_id, answered.details["answer"]) == (eileen, "mute")
    told = len(phone.pushed)
    hub = await start_again(hass, entry)
    (camera_id,), now = hub.watchers, dt_util.utcnow()
    assert hub.alerts.mutes.muted(phone.key, camera_id, eileen, now)
    assert not hub.alerts.mutes.muted("phone:other", camera_id, eileen, now)
    assert not hub.alerts.mutes.muted(phone.key, camera_id, None, now)
    with later(minutes=10):
        await ring_and_tell(hass, hub)
        assert not any("Eileen" in each for each in phone.messages[told:])
    with later(minutes=61):
        await ring_and_tell(hass, hub)
        assert "Eileen is at the front door." in phone.messages[told:]


async def test_a_power_cut_after_muting(hass: HomeAssistant, hub: Hub, phone: Phone, eileen: str) -> None:
    """It is written before it is noted as done: Home Assistant itself would do so a second later."""
    with patch.object(hass.config_entries._store, "async_save") as save:
        await press(hass, phone, "Mute 1 h")
    assert await audited(hass, hub)
    (saved,) = save.await_args.args
    assert f"{eileen} {phone.key}" in json_dumps(saved)


async def test_mute_a_camera(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, phone: Phone
) -> None:
    """Of somebody without a name the camera is muted; also where answers about people are not asked for."""
    (alert,) = [each for each in entry.subentries.values() if each.subentry_type == "alert"]
    hass.config_entries.async_update_subentry(entry, alert, data={**alert.data, "answers": False})
    await enrol(hass, entry, enrolment_photos())
    front_door.frames = visits(stranger(0))
    await ring_and_tell(hass, hub)
    assert titles(phone) == ["Mute 1 h"]
    await press(hass, phone, "Mute 1 h")
    (camera_id,) = hub.watchers
    assert hub.alerts.mutes.muted(phone.key, camera_id, None, dt_util.utcnow())
    (answered,) = await audited(hass, hub)
    assert (answered.person_id, answered.details["answer"]) == (None, "mute")


@pytest.mark.photos(1)
async def test_it_was(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    new_phone: NewPhone,
    owned: str,
) -> None:
    """An administrator writes who came, once: anyone who agreed is named, of all others it is said what to do."""
    admin = await new_phone("Admin", await a_user(hass, "Olga", GROUP_ID_ADMIN))
    member = await new_phone("Member", await a_user(hass, "Mia", GROUP_ID_USER))
    add_alert(hass, entry, admin)
    add_alert(hass, entry, member)
    front_door.frames = [frame(astronaut().filter(ImageFilter.GaussianBlur(3.5)))]
    await ring_and_tell(hass, hub)
    assert titles(admin) == ["It was …", "Who is it?", "Mute 1 h"]
    assert titles(member) == ["Mute 1 h"]
    (button,) = [each for each in admin.pushed[-1]["data"]["actions"] if each["title"] == "It was …"]
    assert button["behavior"] == "textInput"

    state = hass.states.get(VISITOR)
    assert state is not None
    visit_id = state.attributes["visit_id"]
    await admin.press(button["action"], reply_text="Nobody <b>")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert admin.messages[-1].startswith("Nobody called Nobody b has been added.")
    assert not await hass.async_add_executor_job(hub.vault.visits)
    await admin.press(button["action"], reply_text="Eileen")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not await hass.async_add_executor_job(hub.vault.visits), "each answer works once"

    with later(minutes=2):
        await ring_and_tell(hass, hub)
        await admin.press(admin.action("It was …"), reply_text=" eileen ")
        await hass.async_block_till_done(wait_background_tasks=True)
        await hub.alerts.async_flush()
        (visit,) = await hass.async_add_executor_job(hub.vault.visits)
        assert (visit.person_id, visit.confirmed, visit.visit_id != visit_id) == (owned, True, True)
        assert admin.messages[-1] == "Eileen is at the front door."
        (answered,) = await audited(hass, hub)
        assert (answered.person_id, answered.details["answer"]) == (owned, "it_was")


# Who may answer


async def _deactivate(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    user = await hass.auth.async_get_user(phone.user_id)
    assert user is not None
    await hass.auth.async_update_user(user, is_active=False)


async def _remove_alert(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    (alert,) = [key for key, each in hub.entry.subentries.items() if each.subentry_type == "alert"]
    hass.config_entries.async_remove_subentry(hub.entry, alert)


async def _delegate_no_more(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    (alert,) = [each for each in hub.entry.subentries.values() if each.subentry_type == "alert"]
    hass.config_entries.async_update_subentry(hub.entry, alert, data={**alert.data, "answers": False})


async def _tell_somebody_else(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    (alert,) = [each for each in hub.entry.subentries.values() if each.subentry_type == "alert"]
    hass.config_entries.async_update_subentry(hub.entry, alert, data={**alert.data, "recipients": ["here:"]})


async def _switch_off(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    (alert,) = [key for key, each in hub.entry.subentries.items() if each.subentry_type == "alert"]
    hub.books.async_write(CONF_UNANNOUNCED, {alert})


async def _correct(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    state = hass.states.get(VISITOR)
    assert state is not None
    await async_correct(hub, state.attributes["visit_id"], correct=False, really=None, learn=False)
    await hub.alerts.async_flush()


async def _forget(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    (person_id,) = hub.people
    await hub.forgetting.async_forget(person_id)
    await hub.alerts.async_flush()


async def _reload(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    assert await hass.config_entries.async_reload(hub.entry.entry_id)


async def _register_for_another(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    other = MockUser(name="Bert").add_to_hass(hass)
    phone_entry = hass.config_entries.async_get_entry(phone.key.removeprefix("phone:"))
    assert phone_entry is not None
    hass.config_entries.async_update_entry(phone_entry, data={**phone_entry.data, "user_id": other.id})


CHANGES = [
    _deactivate,
    _remove_alert,
    _delegate_no_more,
    _tell_somebody_else,
    _switch_off,
    _correct,
    _forget,
    _reload,
    _register_for_another,
]


@pytest.mark.parametrize("change", CHANGES)
async def test_not_any_more(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    phone: Phone,
    eileen: str,
    change: Callable[[HomeAssistant, Hub, Phone], Awaitable[None]],
) -> None:
    """What was offered is not taken once its reason is gone."""
    right, not_them = phone.action("Right"), phone.action("Not them")
    await change(hass, hub, phone)
    await hass.async_block_till_done(wait_background_tasks=True)
    before = await everything(hass, entry.runtime_data)
    await phone.press(not_them)
    # As by another phone of the same user.
    hass.bus.async_fire(EVENT_ANSWERED, {"action": right}, context=Context(user_id=phone.user_id))
    after = await everything(hass, entry.runtime_data)
    assert {**after, "open": []} == {**before, "open": []}


async def test_a_day(hass: HomeAssistant, hub: Hub, phone: Phone, eileen: str) -> None:
    """An answer is taken for a day."""
    action, other = phone.action("Right"), phone.action("Not them")
    with later(minutes=24 * 60 + 1):
        await phone.press(other)
        await hass.async_block_till_done()
        assert await audited(hass, hub) == []
    with later(minutes=24 * 60 - 1):
        await phone.press(action)
        await hass.async_block_till_done()
        assert len(await audited(hass, hub)) == 1


async def test_of_the_newest_alone(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, phone: Phone, eileen: str
) -> None:
    """What took a notification's place has answers of its own."""
    early = {each["action"] for each in phone.pushed[0]["data"]["actions"]}
    assert len(phone.pushed) == 2
    before = await everything(hass, hub)
    for action in early:
        await phone.press(action)
    assert await everything(hass, hub) == before
    await press(hass, phone, "Right")
    assert len(await audited(hass, hub)) == 1


@pytest.mark.parametrize("who", ["another phone", "nobody", "an administrator", "somebody made up"])
async def test_by_somebody_else(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    new_phone: NewPhone,
    hass_admin_user: MockUser,
    phone: Phone,
    eileen: str,
    who: str,
) -> None:
    """Only the phone's own user answers: no other phone, no automation, no administrator's call."""
    other = await new_phone("Other")
    before = await everything(hass, hub)
    contexts = {
        "nobody": Context(),
        "an administrator": Context(user_id=hass_admin_user.id),
        "somebody made up": Context(user_id=""),
    }
    for title in ("Right", "Not them", "Mute 1 h"):
        action = phone.action(title)
        if who == "another phone":
            assert await other.press(action, user_id=phone.user_id, context={"user_id": phone.user_id}) == 200
        else:
            hass.bus.async_fire(EVENT_ANSWERED, {"action": action}, context=contexts[who])
    assert await everything(hass, hub) == before
    await press(hass, phone, "Right")
    assert len(await audited(hass, hub)) == 1


# Who is it?


@pytest.fixture
async def admin(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, new_phone: NewPhone
) -> Phone:
    """Return the phone of an administrator who was told of a stranger."""
    phone = await new_phone("Owner", await a_user(hass, "Owner", GROUP_ID_ADMIN))
    add_alert(hass, entry, phone)
    await enrol(hass, entry, enrolment_photos())
    front_door.frames = visits(stranger(0))
    await ring_and_tell(hass, hub)
    return phone


def link(phone: Phone) -> str:
    """Return where "Who is it?" of the newest notification leads."""
    (uri,) = [each["uri"] for each in phone.pushed[-1]["data"]["actions"] if each["title"] == "Who is it?"]
    return str(uri)


async def test_who(
    hass: HomeAssistant, hub: Hub, admin: Phone, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """It leads to where people are enrolled, once, and shows nothing itself; no other way in counts as the one."""
    client, uri = await hass_client_no_auth(), link(admin)
    for method in ("HEAD", "POST", "PUT", "PATCH", "DELETE"):
        assert (await client.request(method, uri)).status == HTTPStatus.NOT_FOUND, method
    answer = await client.get(uri, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (HTTPStatus.FOUND, ENROL)
    assert await answer.read() == b""
    assert answer.headers["Cache-Control"] == "no-store"
    (answered,) = await audited(hass, hub)
    assert (answered.person_id, answered.details) == (None, {"answer": "who", "user": admin.user_id})
    assert (await client.get(uri, allow_redirects=False)).status == HTTPStatus.NOT_FOUND
    assert len(await audited(hass, hub)) == 1


async def test_who_in_the_app(
    hass: HomeAssistant, hub: Hub, admin: Phone, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """The companion apps log in themselves, and say so on the way; nothing else is carried along."""
    client = await hass_client_no_auth()
    answer = await client.get(
        f"{link(admin)}?external_auth=1&next=https://example.com", allow_redirects=False
    )
    assert answer.headers["Location"] == f"{ENROL}?external_auth=1"


@pytest.mark.parametrize("groups", [[GROUP_ID_USER], []])
async def test_who_of_somebody_who_may_not(
    hass: HomeAssistant,
    hub: Hub,
    admin: Phone,
    hass_client_no_auth: ClientSessionGenerator,
    groups: list[str],
) -> None:
    """A former administrator is led nowhere."""
    user = await hass.auth.async_get_user(admin.user_id)
    assert user is not None
    await hass.auth.async_update_user(user, group_ids=groups)
    client = await hass_client_no_auth()
    assert (await client.get(link(admin), allow_redirects=False)).status == HTTPStatus.NOT_FOUND
    assert await audited(hass, hub) == []


async def test_who_is_not_asked_of_users(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, phone: Phone
) -> None:
    """Who cannot enrol anybody is not offered to."""
    await enrol(hass, entry, enrolment_photos())
    front_door.frames = visits(stranger(0))
    await ring_and_tell(hass, hub)
    assert titles(phone) == ["Mute 1 h"]


async def test_links_are_not_guessed(
    hass: HomeAssistant,
    hub: Hub,
    phone: Phone,
    eileen: str,
    hass_client_no_auth: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wrong one, also an answer of another kind or a link of another, is counted and changes nothing."""
    client = await hass_client_no_auth()
    waited: list[float] = []

    async def note(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(guard.async_get_guard(hass), "_sleep", note)
    own = await hass.async_add_executor_job(hub.vault.links.new_link, eileen, dt_util.utcnow())
    answers = [phone.action(title) for title in ("Right", "Not them", "Mute 1 h")]
    before = await everything(hass, hub)
    for token in (own, "x", "A" * 43, *(each.removeprefix(PREFIX) for each in answers), *answers):
        answer = await client.get(f"/familiar_faces/who/{token}", allow_redirects=False)
        assert answer.status == HTTPStatus.NOT_FOUND
    assert len(waited) == 9 - guard.FREE
    assert await everything(hass, hub) == before


async def test_a_link_is_no_answer(hass: HomeAssistant, hub: Hub, admin: Phone) -> None:
    """What is for a link cannot be pressed, and is not used up by it."""
    before = await everything(hass, hub)
    await admin.press(PREFIX + link(admin).rsplit("/", maxsplit=1)[1])
    await admin.press("URI")
    assert await everything(hass, hub) == before


# At the same moment


async def test_pressed_twice_at_once(hass: HomeAssistant, hub: Hub, phone: Phone, eileen: str) -> None:
    """Of two presses one counts."""
    action = phone.action("Mute 1 h")
    await asyncio.gather(*(phone.press(action) for _ in range(8)))
    await hass.async_block_till_done()
    assert len(await audited(hass, hub)) == 1


@pytest.mark.parametrize("title", ["Right", "Not them", "Mute 1 h"])
@pytest.mark.parametrize("turns", [0, 3, 30])
async def test_pressed_while_she_is_forgotten(
    hass: HomeAssistant,
    hub: Hub,
    config_folder: Path,
    phone: Phone,
    eileen: str,
    title: str,
    turns: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """She is gone afterwards, and nothing notes her."""
    action = phone.action(title)
    context = Context(user_id=phone.user_id)
    forgetting = asyncio.ensure_future(hub.forgetting.async_forget(eileen))
    for _ in range(turns):
        await asyncio.sleep(0)
    hass.bus.async_fire(EVENT_ANSWERED, {"action": action}, context=context)
    assert await forgetting is not None
    await hass.async_block_till_done(wait_background_tasks=True)
    await hub.alerts.async_flush()
    assert hub.people == {}
    assert not any(eileen in line for line in hub.books.read(CONF_MUTED))
    assert [each.person_id for each in hub.alerts.answers if each.person_id] == []
    assert "Traceback" not in caplog.text


async def test_forgotten_while_it_is_sent(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    front_door: FrontDoor,
    phone: Phone,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is on its way when she is forgotten does not name her, and goes behind it, and so do its answers."""
    eileen = await enrol(hass, entry, enrolment_photos())
    front_door.frames = visits(astronaut())
    forgotten, naming = asyncio.Event(), asyncio.Event()

    async def say(hass: HomeAssistant, group: str, key: str, **values: Any) -> str:
        if key == "not_them":
            naming.set()
            await forgotten.wait()
        return await async_say(hass, group, key, **values)

    monkeypatch.setattr(teller, "async_say", say)
    await ring(hass, hub)
    async with asyncio.timeout(60):
        await naming.wait()
        await hub.forgetting.async_forget(eileen)
    forgotten.set()
    await hub.alerts.async_flush()
    assert not [each for each in phone.messages if "Eileen" in each]
    assert phone.messages[-1] == CLEAR
    assert phone.shown() == {}
    assert list(hub.alerts.answers) == []


async def test_muted_when_she_is_gone(hass: HomeAssistant, hub: Hub, phone: Phone, eileen: str) -> None:
    """She was forgotten between the press and what it does: nothing notes her."""
    (asked,) = [each for each in hub.alerts.answers if each.answer is Answer.MUTE]
    await hub.forgetting.async_forget(eileen)
    before = await everything(hass, hub)
    await hub.alerts.answers._async_do(asked)
    assert await everything(hass, hub) == before


async def test_corrected_long_after(hass: HomeAssistant, hub: Hub, phone: Phone, eileen: str) -> None:
    """Also where nobody remembers what else happened then, what was said of the visit is no longer asked."""
    assert len([each for each in hub.alerts.answers if each.visit_id]) == 3
    hub.alerts._episodes._all.clear()
    await _correct(hass, hub, phone)
    assert list(hub.alerts.answers) == []


async def test_of_a_visit_that_became_anothers(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, phone: Phone, eileen: str
) -> None:
    """Her visit was moved to somebody else in the vault just now: "Right" does not say that it was him."""
    ben = await enrol(hass, entry, photos_of(stranger(1))[:1], name="Ben")
    state = hass.states.get(VISITOR)
    assert state is not None
    visit_id, now = state.attributes["visit_id"], dt_util.utcnow()
    await hass.async_add_executor_job(hub.vault.correct_visit, visit_id, now, ben)
    before = await everything(hass, hub)
    await press(hass, phone, "Right")
    after = await everything(hass, hub)
    assert {**after, "open": []} == {**before, "open": []}


async def test_bounded(hass: HomeAssistant, hub: Hub, phone: Phone, eileen: str) -> None:
    """What was offered longest ago ends first, so that a busy door does not fill the memory."""
    recipient, first = async_find(hass, phone.key), phone.action("Mute 1 h")
    assert recipient is not None
    (camera_id,) = hub.watchers
    for number in range(MOST):
        hub.alerts.answers.async_offer(
            recipient, str(number), {Answer.MUTE: "x"}, visit_id=None, person_id=None, camera_id=camera_id
        )
    assert len(list(hub.alerts.answers)) == MOST
    await phone.press(first)
    await hass.async_block_till_done()
    assert await audited(hass, hub) == []
