"""The tab Visits in a real browser: who came, whether it was right, and who may say so."""

from datetime import datetime, timedelta
from http import HTTPStatus

import aiohttp
from homeassistant.auth.models import User
from homeassistant.components.mobile_app.const import DOMAIN as MOBILE_APP
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from playwright.async_api import expect
import pytest

from custom_components.familiar_faces.host.engine import EngineStatus
from custom_components.familiar_faces.host.engine_errors import EngineError
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices
from custom_components.familiar_faces.recognising import late_answers
from custom_components.familiar_faces.visits.open_visits import Change, Outcome
from custom_components.familiar_faces.visits.visit import Decision

from ..common.in_chromium import needs_chromium
from ..common.made_up_visits import TIMING, a_visit, come
from ..common.people_on_record import DAY, a_consent, put_on_record
from ..common.pictures import astronaut, jpeg
from .conftest import Home, rows, shoot, violations

pytestmark = [needs_chromium, pytest.mark.timeout(600)]

MARKUP = "<img src=x onerror=\"window.hacked=1\"><b>'{name}'"


@pytest.fixture
async def companion(hass: HomeAssistant, frontend: None) -> None:
    """Have the companion integration be there before anybody connects, as in a home with phones."""
    for component in ("notify", MOBILE_APP):
        assert await async_setup_component(hass, component, {})


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have answers be carried out after two seconds."""
    monkeypatch.setattr(late_answers, "TAKEN_BACK_FOR", timedelta(seconds=2))


async def test_right_undo_and_somebody_else(
    hass: HomeAssistant, shown: Home, hub: Hub, nadie: str, start: datetime, soon: None
) -> None:
    """One click says that it was right, two that it was somebody else, and each can be undone."""
    elsewhere = a_consent(start - DAY, start + 100 * DAY, choices=Choices(cameras=frozenset()))
    await put_on_record(hass, hub, elsewhere, "nemo", "Nemo")
    await put_on_record(hass, hub, a_consent(start - DAY, start + 100 * DAY), "nessie", "Nessie")
    first, second = (a_visit(hub, nadie, began=start - timedelta(minutes=each)) for each in (2, 1))
    for each in (first, second):
        await come(hass, hub, each)
    page = await shown.open()
    await expect(rows(page)).to_have_count(2)
    newest, oldest = rows(page).nth(0), rows(page).nth(1)

    await newest.get_by_role("button", name="Right").click()
    await newest.get_by_role("button", name="Undo").click()
    await newest.get_by_role("button", name="Right").click()
    await expect(newest.get_by_text("Confirmed by you")).to_be_visible()
    assert (await hass.async_add_executor_job(hub.vault.visit, second.visit_id)).confirmed

    # By the keyboard: it was somebody else.
    await oldest.focus()
    await page.keyboard.press("w")
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("radio", name="Nemo")).to_be_disabled()
    assert await violations(dialog) == []
    await dialog.get_by_role("radio", name="Nessie").check()
    await dialog.get_by_role("button", name="It was Nessie").click()
    await expect(oldest.get_by_text("You chose: Nessie")).to_be_visible()
    await expect(page.get_by_role("article", name="Nessie, Front door")).to_be_visible()
    assert (await hass.async_add_executor_job(hub.vault.visit, first.visit_id)).person_id == "nessie"
    assert shown.errors == []


async def test_is_this_somebody(
    hass: HomeAssistant, shown: Home, hub: Hub, eileen: str, nadie: str, start: datetime, soon: None
) -> None:
    """An unclear visit asks about the person it resembles, with both faces, and one click answers."""
    portrait = jpeg(astronaut())
    ids: list[str] = []
    for resembled, picture in ((frozenset({eileen}), portrait), (frozenset({eileen, nadie}), None)):
        unclear = a_visit(hub, None, Decision.UNCLEAR, began=start - timedelta(minutes=len(ids)))
        await hub.announcer.async_settle(Outcome(unclear, Change.OPENED), TIMING, picture, resembled)
        ids.append(unclear.visit_id)
    await hass.async_block_till_done()
    page = await shown.open()
    await expect(rows(page)).to_have_count(2)
    one, either = rows(page).nth(0), rows(page).nth(1)
    await expect(one.get_by_role("group", name="Is this Eileen?").locator("img")).to_have_count(2)
    await expect(either.get_by_role("button", name="Yes, Nadie")).to_be_visible()
    assert await violations(page.locator("familiar-faces-panel")) == []
    await shoot(page, "visits-is-this")
    await one.get_by_role("button", name="Yes, Eileen").click()
    await expect(page.get_by_role("article", name="Eileen, Front door")).to_be_visible()
    assert (await hass.async_add_executor_job(hub.vault.visit, ids[0])).person_id == eileen
    # Nothing of it is for users.
    other = await shown.open(who="user")
    await expect(rows(other)).to_have_count(2)
    await expect(other.get_by_role("group", name="Is this")).to_have_count(0)
    await either.get_by_role("button", name="No", exact=True).click()
    await expect(either.get_by_text("You chose: nobody I know")).to_be_visible()
    assert shown.errors == []


async def test_live_and_after_a_lost_connection(
    hass: HomeAssistant, shown: Home, hub: Hub, nadie: str, start: datetime
) -> None:
    """What comes is there at once, and what came while nobody was connected is there once."""
    page = await shown.open()
    await expect(page.get_by_text("No visits yet")).to_be_visible()
    await come(hass, hub, a_visit(hub, None, Decision.STRANGER, began=start))
    await expect(rows(page)).to_have_count(1)
    await page.evaluate("document.querySelector('home-assistant').hass.connection.reconnect(true)")
    await come(hass, hub, a_visit(hub, nadie))
    await expect(page.get_by_role("article", name="Nadie, Front door")).to_have_count(1)
    await expect(rows(page)).to_have_count(2)
    await come(hass, hub, a_visit(hub, None, Decision.UNCLEAR))
    await expect(rows(page)).to_have_count(3)
    hub.engine._set_status(EngineStatus.UNAVAILABLE, EngineError("made up"))
    await expect(page.get_by_text("Nobody is recognised")).to_be_visible()
    assert await violations(page.locator("familiar-faces-panel")) == []
    assert shown.errors == []


async def test_who_may_only_look(hass: HomeAssistant, shown: Home, hub: Hub, nadie: str) -> None:
    """Users see who came, and no answers that would be refused."""
    await come(hass, hub, a_visit(hub, nadie))
    for who in ("user", "read-only"):
        page = await shown.open(who=who)
        await expect(page.get_by_role("article", name="Nadie, Front door")).to_be_visible()
        await expect(page.get_by_role("button", name="Right")).to_have_count(0)
        await expect(page.get_by_role("button", name="Mute")).to_have_count(0)
        await page.context.close()


async def test_a_user_mutes_the_own_phone(
    hass: HomeAssistant, companion: None, shown: Home, hub: Hub, nadie: str
) -> None:
    """One click on the bell of a row, for a user who is none of the people: nobody else's phone is muted."""
    await come(hass, hub, a_visit(hub, nadie))
    page = await shown.open(who="user")
    await expect(rows(page)).to_have_count(1)
    user = next(each for each in await hass.auth.async_get_users() if each.name == "Somebody")
    await register_phone(hass, shown.url, user)
    (phone,) = hub.alerts.own_phones.async_of(user.id)
    await page.reload()
    await rows(page).get_by_role("button", name="Mute Nadie on your phone for 1 hour").click()
    await expect(rows(page).get_by_role("button", name="End the mute of Nadie")).to_be_visible()
    (camera_id,) = hub.watchers
    assert hub.alerts.mutes.muted(phone.key, camera_id, nadie, dt_util.utcnow())
    assert not hub.alerts.mutes.muted("another phone", camera_id, nadie, dt_util.utcnow())
    assert shown.errors == []


async def register_phone(hass: HomeAssistant, url: str, user: User) -> None:
    """Register a phone of a user that can be notified, as the app does."""
    refresh = await hass.auth.async_create_refresh_token(user, "https://phone.example")
    token = hass.auth.async_create_access_token(refresh)
    phone = {
        "app_id": "io.home.test",
        "app_name": "Test",
        "app_version": "1.0",
        "device_id": "own",
        "device_name": "Own",
        "manufacturer": "Maker",
        "model": "Model",
        "os_name": "Android",
        "os_version": "1",
        "supports_encryption": False,
        "app_data": {"push_token": "own", "push_url": "https://push.example"},
    }
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
        session.post(f"{url}/api/mobile_app/registrations", json=phone) as response,
    ):
        assert response.status == HTTPStatus.CREATED
    await hass.async_block_till_done()


async def test_names_are_no_markup(hass: HomeAssistant, shown: Home, hub: Hub, start: datetime) -> None:
    """A name and a camera that look like markup are read as they are written."""
    await put_on_record(hass, hub, a_consent(start - DAY, start + 100 * DAY), "nemo", MARKUP)
    for subentry in list(hub.entry.subentries.values()):
        if subentry.subentry_type == "camera":
            hass.config_entries.async_update_subentry(hub.entry, subentry, title=MARKUP)
    await hass.async_block_till_done()
    await come(hass, hub, a_visit(hub, "nemo"))
    page = await shown.open()
    await expect(rows(page)).to_have_count(1)
    assert MARKUP in await rows(page).inner_text()
    await rows(page).focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("dd").first).to_have_text(MARKUP)
    assert await page.evaluate("window.hacked") is None
    assert await page.locator("familiar-faces-panel img[src=x]").count() == 0
