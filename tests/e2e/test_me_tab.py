"""The tab Me in a real browser: what a linked user sees and chooses about their own data."""

from datetime import datetime, timedelta

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from playwright.async_api import expect
import pytest

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Keeping
from custom_components.familiar_faces.recognising import late_answers

from ..common.in_chromium import needs_chromium
from ..common.made_up_visits import a_visit, come
from ..common.people_on_record import DAY, SECOND, a_consent, put_on_record
from .conftest import Home, shoot, violations

pytestmark = [needs_chromium, pytest.mark.timeout(600)]


async def test_choosing_and_saying_no(shown: Home, hub: Hub, eileen: str) -> None:
    """They read what they agreed to, choose otherwise, fetch what is kept, and say no: the receipt has no name."""
    page = await shown.open(who="user", own=eileen)
    await page.get_by_role("link", name="Me", exact=True).click()
    await expect(page.get_by_role("heading", name="What you agreed to")).to_be_visible()
    await expect(page.get_by_role("heading", name="Your photos")).to_be_visible()
    await expect(page.get_by_role("button", name="Set aside")).to_have_count(0)
    assert await violations(page.locator("familiar-faces-panel")) == []
    await shoot(page, "me")
    await page.get_by_role("button", name="Change my choices").click()
    await expect(page.get_by_role("button", name="Save")).to_be_disabled()
    await page.get_by_role("radio", name="Announce me, and keep nothing").check()
    await page.get_by_role("checkbox", name="I have read this").check()
    assert await violations(page.locator("familiar-faces-panel")) == []
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Announced, and no visit is kept")).to_be_visible()
    assert hub.people[eileen].choices.keeping is Keeping.NOTHING
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download").click()
    assert (await download.value).suggested_filename.endswith(".zip")
    await page.get_by_role("button", name="Say no and erase everything").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("textbox").fill("Eileen")
    await dialog.get_by_role("button", name="Say no and erase everything").click()
    await expect(page.get_by_text("Every place was checked again, and nothing was found.")).to_be_visible()
    assert eileen not in hub.people
    assert shown.errors == []


async def test_days_of_a_consent_are_those_of_the_home(hass: HomeAssistant, shown: Home, hub: Hub) -> None:
    """Somebody who is further west reads the day that was written at home, where it begins earlier."""
    today = dt_util.start_of_local_day()
    await put_on_record(hass, hub, a_consent(today, today + 300 * DAY))
    page = await shown.open("/familiar-faces/me", who="user", own="nadie", time_zone="Pacific/Honolulu")
    assert hass.config.time_zone == "US/Pacific"
    last = today + 300 * DAY - SECOND
    await expect(page.get_by_text(f"on paper, on {today:%B} {today.day}, {today.year}")).to_be_visible()
    await expect(page.get_by_text(f"Until {last:%B} {last.day}, {last.year}")).to_be_visible()


async def test_own_answers(
    hass: HomeAssistant, shown: Home, hub: Hub, nadie: str, start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of their own visits they say that it was right, or not them, and nothing of others; on a phone as well."""
    monkeypatch.setattr(late_answers, "TAKEN_BACK_FOR", timedelta(seconds=2))
    for minutes in (1, 2):
        await come(hass, hub, a_visit(hub, nadie, began=start - timedelta(minutes=minutes)))
    page = await shown.open(who="user", own=nadie, width=375, height=800, dark=True)
    rows = page.locator("familiar-faces-visit article")
    await expect(rows).to_have_count(2)
    await expect(page.get_by_role("button", name="It was")).to_have_count(0)
    await expect(page.get_by_role("button", name="Mute")).to_have_count(0)
    assert await violations(page.locator("familiar-faces-panel")) == []
    await rows.nth(0).get_by_role("button", name="Right").click()
    await expect(rows.nth(0).get_by_text("Confirmed")).to_be_visible()
    await rows.nth(1).get_by_role("button", name="Not me").click()
    await rows.nth(1).get_by_role("button", name="Undo").click()
    await rows.nth(1).get_by_role("button", name="Not me").click()
    await expect(rows).to_have_count(1)
    assert shown.errors == []


async def test_who_may_only_look(hass: HomeAssistant, shown: Home, hub: Hub, nadie: str) -> None:
    """An account that only reads sees all of it and is offered nothing that would be refused."""
    await come(hass, hub, a_visit(hub, nadie))
    page = await shown.open("/familiar-faces/me", who="read-only", own=nadie)
    await expect(page.get_by_text("Your account can only look.")).to_be_visible()
    for name in ("Change my choices", "Download", "Say no", "Choose photos", "Erase"):
        await expect(page.get_by_role("button", name=name)).to_have_count(0)
    await page.get_by_role("link", name="Visits").click()
    await expect(page.get_by_role("button", name="Right")).to_have_count(0)
    assert shown.errors == []
