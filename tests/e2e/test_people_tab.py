"""The tab People in a real browser: who is here, their photos, invitations, and the end of it."""

from datetime import datetime
from pathlib import Path

from homeassistant.core import HomeAssistant
from playwright.async_api import expect
import pytest

from custom_components.familiar_faces.hub import Hub

from ..common.in_chromium import needs_chromium
from ..common.people_on_record import DAY, a_consent, put_on_record
from ..common.pictures import astronaut, different_photos
from ..common.steps import ring, visits
from ..conftest import FrontDoor
from .conftest import Home, shoot, violations

pytestmark = [needs_chromium, pytest.mark.timeout(600)]

MARKUP = "<img src=x onerror=\"window.hacked=1\"><b>'{name}'"


@pytest.fixture
def reached(hass: HomeAssistant, shown: Home) -> Home:
    """Have links lead to this home, as the owner has set its address."""
    hass.config.internal_url = hass.config.external_url = shown.url
    return shown


async def test_a_guest(
    hass: HomeAssistant, reached: Home, hub: Hub, front_door: FrontDoor, tmp_path: Path
) -> None:
    """Somebody is invited, agrees and is done on their own phone, is shown, and says no: then nothing is left."""
    owner = await reached.open("/familiar-faces/people")
    await expect(owner.get_by_text("Nobody can be recognised yet")).to_be_visible()
    await owner.get_by_role("button", name="Invite somebody").click()
    dialog = owner.get_by_role("dialog")
    await expect(dialog.get_by_role("img", name="Code to scan")).to_be_visible()
    assert await violations(dialog) == []
    await shoot(owner, "people-invite")
    url = await dialog.get_by_label("Address").input_value()
    await dialog.get_by_role("button", name="Copy").click()
    await expect(dialog.get_by_text("Not answered yet")).to_be_visible()

    phone = await reached.visit(url)
    await phone.locator("#name").fill("Eileen")
    await phone.locator("[name=everywhere]").check()
    await phone.locator("[name=keeping][value=visits]").check()
    await phone.locator("[name=pictures]").check()
    await phone.locator("[name=agreed]").check()
    await phone.locator("main form button").click()
    await expect(dialog.get_by_text("Answered, or closed")).to_be_visible()
    await dialog.get_by_role("button", name="Done").click()
    files = [tmp_path / f"{number}.jpg" for number in range(3)]
    for file, photo in zip(files, different_photos(), strict=False):
        file.write_bytes(photo)
    await phone.locator("#chosen").set_input_files([file for file in files if file.exists()])
    await phone.get_by_role("button", name="Send", exact=False).last.click()
    await phone.locator("form[action*='/done'] button").click()

    tile = owner.get_by_role("link", name="Eileen")
    await expect(tile).to_contain_text("Agreed until")
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    await expect(tile).to_contain_text("Here now")
    await tile.click()
    await expect(owner.locator("familiar-faces-photos li").first).to_be_visible()

    own = await phone.evaluate("location.pathname")
    await phone.goto(f"{reached.url}{own.removesuffix('/photos')}/withdraw")
    await phone.locator("button.danger").click()
    await expect(owner.get_by_text("This person is no longer here.")).to_be_visible()
    await owner.get_by_role("button", name="All people").click()
    await expect(owner.get_by_text("Nobody can be recognised yet")).to_be_visible()
    assert reached.errors == []


async def test_invitations_are_closed(reached: Home, hub: Hub, nadie: str) -> None:
    """Each that is open is a tile, which says who it is for and closes it; a personal link is asked about first."""
    page = await reached.open("/familiar-faces/people", width=375, height=800, dark=True)
    await page.get_by_role("button", name="Invite somebody").click()
    await page.get_by_role("button", name="Close the invitation").click()
    await page.get_by_role("button", name="Invite somebody").click()
    await page.get_by_role("dialog").get_by_role("img").wait_for()
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("Invited, not answered")).to_have_count(1)
    await expect(page.get_by_text("Somebody new")).to_be_visible()
    panel = page.locator("familiar-faces-panel")
    assert await violations(panel) == []
    assert await panel.locator("main").evaluate("(main) => main.scrollWidth - main.clientWidth") == 0
    await shoot(page, "people-phone-dark")
    await page.get_by_role("button", name="Close the invitation").click()
    await expect(page.get_by_text("Invited, not answered")).to_have_count(0)
    await page.get_by_role("link", name="Nadie").click()
    await page.get_by_role("button", name="Personal link").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("stops working")
    await dialog.get_by_role("button", name="Make a new link").click()
    assert "/familiar_faces/me/" in await dialog.get_by_label("Address").input_value()
    assert await violations(dialog) == []
    assert reached.errors == []


async def test_others_have_no_people(hass: HomeAssistant, shown: Home, hub: Hub, nadie: str) -> None:
    """Users have neither the tab nor a page, also by its address."""
    for who in ("user", "read-only"):
        page = await shown.open(f"/familiar-faces/people/{nadie}", who=who)
        await expect(page.get_by_text("No visits yet")).to_be_visible()
        await expect(page.get_by_role("link", name="People")).to_have_count(0)
        await expect(page.locator("familiar-faces-person")).to_have_count(0)
        await page.context.close()


async def test_names_are_no_markup(hass: HomeAssistant, shown: Home, hub: Hub, start: datetime) -> None:
    """A name that looks like markup is read as it is written, on the tile, the page and when it is forgotten."""
    await put_on_record(hass, hub, a_consent(start - DAY, start + 100 * DAY), "nemo", MARKUP)
    page = await shown.open("/familiar-faces/people")
    tile = page.locator("familiar-faces-people a.tile")
    assert MARKUP in await tile.inner_text()
    await tile.click()
    await expect(page.get_by_role("heading", name=MARKUP, exact=True)).to_be_visible()
    await page.get_by_role("button", name="Forget").click()
    await expect(page.get_by_role("dialog").get_by_role("heading")).to_contain_text(MARKUP)
    assert await page.evaluate("window.hacked") is None
    assert await page.locator("familiar-faces-panel img[src=x]").count() == 0
    assert shown.errors == []
