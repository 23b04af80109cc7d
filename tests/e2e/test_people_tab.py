"""The tab People in a real browser: who is here, their photos, invitations, and the end of it."""

from datetime import datetime
from pathlib import Path

from homeassistant.core import HomeAssistant
from playwright.async_api import Locator, Page, expect
import pytest

from custom_components.familiar_faces.hub import Hub

from ..common.in_chromium import needs_chromium
from ..common.people_on_record import DAY, a_consent, put_on_record
from ..common.pictures import astronaut, different_photos, jpeg, stranger
from ..common.steps import ring, visits
from ..conftest import FrontDoor
from .conftest import Home, shoot, violations

pytestmark = [needs_chromium, pytest.mark.timeout(600)]

MARKUP = "<img src=x onerror=\"window.hacked=1\"><b>'{name}'"


def photos(page: Page) -> Locator:
    """Return the reference photos."""
    return page.locator("familiar-faces-photos li")


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
    await expect(photos(owner).first).to_be_visible()

    own = await phone.evaluate("location.pathname")
    await phone.goto(f"{reached.url}{own.removesuffix('/photos')}/withdraw")
    await phone.locator("button.danger").click()
    await expect(owner.get_by_text("This person is no longer here.")).to_be_visible()
    await owner.get_by_role("button", name="All people").click()
    await expect(owner.get_by_text("Nobody can be recognised yet")).to_be_visible()
    assert reached.errors == []


async def test_invitations_are_closed(reached: Home, hub: Hub, nadie: str) -> None:
    """Each that is open is a tile, which says whom it is for and closes it; a personal link is asked about first."""
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


async def test_forgetting(hass: HomeAssistant, shown: Home, hub: Hub, eileen: str) -> None:
    """It is said what goes and where the name stands besides; the name is typed, and the receipt has none."""
    hass.states.async_set("input_text.note", "Eileen came")
    page = await shown.open(f"/familiar-faces/people/{eileen}")
    await page.get_by_role("button", name="Forget Eileen").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("input_text.note").check()
    assert await violations(dialog) == []
    await shoot(page, "person-forget")
    # A click alone does nothing, nor does another name.
    await dialog.get_by_role("button", name="Forget").click()
    await dialog.get_by_role("textbox").fill("Paul")
    await page.keyboard.press("Enter")
    assert eileen in hub.people
    await dialog.get_by_role("textbox").fill("eileen")
    await dialog.get_by_role("button", name="Forget").click()
    receipt = page.locator("familiar-faces-receipt")
    await expect(receipt.get_by_role("heading", name="Forgotten")).to_be_visible()
    await expect(receipt).to_contain_text("Every place was checked again, and nothing was found.")
    await expect(receipt.locator("dl")).to_contain_text("Photos")
    assert "Eileen" not in await receipt.inner_text()
    assert await violations(page.locator("familiar-faces-panel")) == []
    await shoot(page, "forget-receipt")
    assert eileen not in hub.people
    assert hass.states.get("input_text.note") is None or "Eileen" not in str(
        hass.states.get("input_text.note")
    )
    await page.get_by_role("button", name="All people").click()
    await expect(page.get_by_text("Nobody can be recognised yet")).to_be_visible()
    assert shown.errors == []


async def test_held_for_three_seconds(shown: Home, hub: Hub, nadie: str) -> None:
    """Without typing the button is held; letting go before changes nothing. By touch and mouse alike."""
    page = await shown.open(f"/familiar-faces/people/{nadie}", width=375, height=900)
    await page.get_by_role("button", name="Forget Nadie").click()
    button = page.get_by_role("dialog").get_by_role("button", name="Forget")
    await button.hover()
    await page.mouse.down()
    await page.wait_for_timeout(1000)
    await page.mouse.up()
    await page.wait_for_timeout(2500)
    assert nadie in hub.people
    await button.hover()
    await page.mouse.down()
    await expect(page.locator("familiar-faces-receipt")).to_be_visible()
    await page.mouse.up()
    assert nadie not in hub.people
    assert shown.errors == []


async def test_a_mute_and_an_export(shown: Home, hub: Hub, nadie: str) -> None:
    """A person is muted for a time and told again, and what is kept of them is fetched, each with one click."""
    page = await shown.open(f"/familiar-faces/people/{nadie}", language="de", dark=True)
    await page.get_by_role("button", name="1 Tag").click()
    await expect(page.get_by_text("Stumm bis")).to_be_visible()
    await page.get_by_role("button", name="Stummschaltung beenden").click()
    await expect(page.get_by_text("Alarme benachrichtigen über Nadie")).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Exportieren").click()
    assert (await download.value).suggested_filename.endswith(".zip")
    assert await violations(page.locator("familiar-faces-panel")) == []
    assert shown.errors == []


async def test_reload_and_restart(hass: HomeAssistant, shown: Home, hub: Hub, nadie: str) -> None:
    """The address holds whose page it is; a dialog that is open is harmless; and a restart goes by under it."""
    page = await shown.open(f"/familiar-faces/people/{nadie}")
    await page.get_by_role("button", name="Forget Nadie").click()
    await page.get_by_role("dialog").get_by_role("textbox").fill("Nad")
    await page.reload()
    await expect(page.get_by_role("heading", name="Nadie", exact=True)).to_be_visible()
    assert nadie in hub.people
    await page.evaluate(
        """() => {
          const { connection } = document.querySelector("home-assistant").hass;
          connection.suspendReconnectUntil(new Promise((back) => (window.back = back)));
          connection.suspend();
        }"""
    )
    await expect(page.get_by_text("Home Assistant cannot be reached.")).to_be_visible()
    assert await hass.config_entries.async_reload(hub.entry.entry_id)
    await hass.async_block_till_done()
    await page.evaluate("window.back()")
    await expect(page.get_by_text("Home Assistant cannot be reached.")).to_have_count(0)
    await expect(page.get_by_role("heading", name="Nadie", exact=True)).to_be_visible()
    again: Hub = hub.entry.runtime_data
    await again.forgetting.async_forget(nadie)
    await expect(page.get_by_text("This person is no longer here.")).to_be_visible()
    assert shown.errors == []


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


async def test_photos(
    hass: HomeAssistant, shown: Home, hub: Hub, eileen: str, front_door: FrontDoor, tmp_path: Path
) -> None:
    """Which one matched last is shown; one is set aside, used again and erased; another is added and one refused."""
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    count = len(hub.people[eileen].templates)
    page = await shown.open("/familiar-faces/people")
    tile = page.get_by_role("link", name="Eileen")
    await expect(tile).to_contain_text("Front door")
    await expect(tile).to_contain_text("Agreed until")
    assert await violations(page.locator("familiar-faces-panel")) == []
    await shoot(page, "people")
    await tile.click()
    await expect(photos(page)).to_have_count(count)
    await expect(photos(page).filter(has_text="Matched last")).to_have_count(1)
    picture = photos(page).first.locator("img")
    assert await picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
    await shoot(page, "person")
    assert await violations(page.locator("familiar-faces-panel")) == []

    first = photos(page).first
    await first.get_by_role("button", name="Set aside").click()
    await expect(first).to_contain_text("Not compared with")
    await first.get_by_role("button", name="Use again").click()
    await expect(first).not_to_contain_text("Not compared with")
    await first.get_by_role("button", name="Erase").click()
    await first.get_by_role("button", name="Keep").click()
    await first.get_by_role("button", name="Erase").click()
    await first.get_by_role("button", name="Erase for good").click()
    await expect(photos(page)).to_have_count(count - 1)

    files = [tmp_path / "another.jpg", tmp_path / "stranger.jpg", tmp_path / "nothing.jpg"]
    for file, content in zip(files, (different_photos()[-1], jpeg(stranger()), b"nothing"), strict=True):
        file.write_bytes(content)
    await page.locator("familiar-faces-photos input[type=file]").set_input_files(files)
    said = page.locator("familiar-faces-photos .note")
    await expect(said).to_have_count(3)
    await expect(said.nth(1)).to_contain_text("does not look like the other photos of Eileen")
    await expect(said.nth(2)).to_contain_text("no picture that can be read")
    await said.nth(1).get_by_role("button", name="Use it anyway").click()
    await expect(said.nth(1)).to_contain_text("Added, because you confirmed it")
    assert shown.errors == []
