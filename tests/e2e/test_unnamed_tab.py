"""The tab Unnamed in a real browser: the review inbox, which is there only while it is on."""

from datetime import datetime, timedelta

from homeassistant.core import HomeAssistant
from playwright.async_api import expect
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.recognising import late_answers
from custom_components.familiar_faces.vault.review_rows import ReviewItem

from ..common.in_chromium import needs_chromium
from ..common.pictures import jpeg, stranger
from ..conftest import add_entry
from .conftest import Home, shoot, violations

pytestmark = [needs_chromium, pytest.mark.timeout(600)]


@pytest.fixture
def entry(hass: HomeAssistant, config_folder: object) -> MockConfigEntry:
    """Return an entry whose owner switched the review inbox on."""
    return add_entry(hass, review_hours=48)


@pytest.fixture
async def kept(hass: HomeAssistant, hub: Hub, start: datetime) -> None:
    """Have three pictures be in the inbox."""
    (camera_id,) = hub.watchers
    for number, (kind, hours) in enumerate((("stranger", 2), ("unclear", 5), ("stranger", 47.5))):
        item = ReviewItem(f"visit{number}", camera_id, kind, start - timedelta(hours=hours))
        await hass.async_add_executor_job(hub.vault.review.add, item, jpeg(stranger(number % 2)))
    await hub.async_count()
    hub.async_changed()


async def test_the_inbox(
    hass: HomeAssistant, shown: Home, hub: Hub, kept: None, nadie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is seen with the hours that are left; one is named, one erased, then all, and every look is noted."""
    monkeypatch.setattr(late_answers, "TAKEN_BACK_FOR", timedelta(seconds=2))
    page = await shown.open()
    tab = page.get_by_role("link", name="Unnamed")
    await expect(tab).to_contain_text("3")
    await tab.click()
    rows = page.locator("familiar-faces-unnamed li")
    await expect(rows).to_have_count(3)
    await expect(rows.nth(0)).to_contain_text("45 h left")
    await expect(rows.nth(2)).to_contain_text("less than 1 h")
    picture = rows.nth(0).locator("img")
    assert await picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
    log = await hass.async_add_executor_job(hub.vault.audit_entries)
    assert any(each.kind == "faces_viewed" and each.person_id is None for each in log)
    assert await violations(page.locator("familiar-faces-panel")) == []

    await rows.nth(1).get_by_role("button", name="This was").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("radio", name="Nadie").check()
    await dialog.get_by_role("button", name="It was Nadie").click()
    await expect(rows.nth(1)).to_contain_text("You chose: Nadie")
    await rows.nth(1).get_by_role("button", name="Undo").click()
    await rows.nth(1).get_by_role("button", name="This was").click()
    await dialog.get_by_role("radio", name="Nadie").check()
    await dialog.get_by_role("button", name="It was Nadie").click()
    await expect(rows).to_have_count(2)
    assert (await hass.async_add_executor_job(hub.vault.visit, "visit1")).person_id == nadie

    await rows.nth(0).get_by_role("button", name="Erase now").click()
    await expect(rows).to_have_count(2)
    await rows.nth(0).get_by_role("button", name="Erase for good").click()
    await expect(rows).to_have_count(1)
    await expect(tab).to_contain_text("1")
    await page.get_by_role("button", name="Erase all now").click()
    await page.get_by_role("button", name="Erase for good").click()
    await expect(page.get_by_text("Nobody came without a name")).to_be_visible()
    assert shown.errors == []


async def test_on_a_phone_and_switched_off(hass: HomeAssistant, shown: Home, hub: Hub, kept: None) -> None:
    """It fits a phone, and the tab goes when the owner switches the inbox off."""
    page = await shown.open("/familiar-faces/unnamed", width=375, height=800, dark=True)
    await expect(page.locator("familiar-faces-unnamed li")).to_have_count(3)
    panel = page.locator("familiar-faces-panel")
    assert await violations(panel) == []
    assert await panel.locator("main").evaluate("(main) => main.scrollWidth - main.clientWidth") == 0
    await shoot(page, "unnamed-phone-dark")
    hass.config_entries.async_update_entry(hub.entry, options={"review_hours": 0})
    await hass.async_block_till_done()
    await expect(page.get_by_role("link", name="Unnamed")).to_have_count(0)
    await expect(page.locator("familiar-faces-unnamed")).to_have_count(0)
    assert shown.errors == []


async def test_nobody_else_has_it(shown: Home, hub: Hub, kept: None, nadie: str) -> None:
    """Users have no such tab, people neither."""
    for own in (None, nadie):
        page = await shown.open("/familiar-faces/unnamed", who="user", own=own)
        await expect(page.get_by_text("No visits yet")).to_be_visible()
        await expect(page.get_by_role("link", name="Unnamed")).to_have_count(0)
        await page.context.close()
