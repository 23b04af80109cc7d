"""The page of somebody in a real browser: their photos, a mute, an export, and the end of it."""

from datetime import datetime, timedelta
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from playwright.async_api import Locator, Page, expect
import pytest

from custom_components.familiar_faces.enrolment import walking_up
from custom_components.familiar_faces.hub import Hub

from ..common.in_chromium import needs_chromium
from ..common.made_up_visits import a_visit, come
from ..common.pictures import astronaut, different_photos, frame, jpeg, porch, stranger, turned
from ..common.steps import ring, visits
from ..conftest import FrontDoor
from .conftest import Home, rows, shoot, violations

pytestmark = [needs_chromium, pytest.mark.timeout(600)]


def photos(page: Page) -> Locator:
    """Return the reference photos."""
    return page.locator("familiar-faces-photos li")


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
    await expect(page.get_by_text("Meldungen benachrichtigen über Nadie")).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Exportieren").click()
    assert (await download.value).suggested_filename.endswith(".zip")
    assert await violations(page.locator("familiar-faces-panel")) == []
    assert shown.errors == []


async def test_the_last_visits(
    hass: HomeAssistant,
    shown: Home,
    hub: Hub,
    eileen: str,
    nadie: str,
    front_door: FrontDoor,
    start: datetime,
) -> None:
    """They stand on the page, with their picture as it was agreed; all of them are one click away, and come back."""
    for each in range(5):
        await come(hass, hub, a_visit(hub, eileen, began=start - timedelta(hours=each + 1)))
    await come(hass, hub, a_visit(hub, nadie, began=start))
    front_door.frames = visits(astronaut())
    page = await shown.open(f"/familiar-faces/people/{eileen}", width=375, height=900)
    section = page.get_by_role("region", name="Last visits")
    await expect(section.get_by_role("listitem")).to_have_count(5)
    await ring(hass, hub)
    # Pictures are fetched when they come near the screen.
    await section.scroll_into_view_if_needed()
    await expect(section.get_by_role("listitem").first.locator("img")).to_be_visible()
    assert await violations(page.locator("familiar-faces-panel")) == []
    await shoot(page, "person-visits")
    await section.get_by_role("button", name="All visits of Eileen").click()
    await expect(rows(page)).to_have_count(6)
    await expect(page.get_by_role("combobox", name="Person")).to_have_value(eileen)
    await page.reload()
    await expect(rows(page)).to_have_count(6)
    await page.get_by_role("button", name="Clear filters").click()
    await expect(rows(page)).to_have_count(7)
    assert not page.url.endswith(eileen)
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


async def test_with_a_camera(
    hass: HomeAssistant,
    shown: Home,
    hub: Hub,
    nadie: str,
    front_door: FrontDoor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One click, and the screen says what to do: in the picture, with an arrow, until three photos are taken."""
    monkeypatch.setattr(walking_up, "FRAME_EVERY", 0.1)
    poses = [
        [frame(each, seed=seed, scale=1.4) for seed in range(8)]
        for each in (astronaut(), turned(0.09), turned(-0.09))
    ]
    (made_up,) = hub.people[nadie].templates
    now = dt_util.utcnow()
    await hass.async_add_executor_job(
        lambda: hub.vault.use_reference(nadie, made_up.template_id, usable=False, now=now)
    )
    await hub.async_refresh_people()
    front_door.frames = [jpeg(porch(number)) for number in range(8)]
    page = await shown.open(f"/familiar-faces/people/{nadie}")
    await page.get_by_role("button", name="Use a camera").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_text("Stand in front of the camera, Nadie")).to_be_visible()
    front_door.frames = poses[0]
    await expect(dialog.get_by_text("Turn your head a little to your left.")).to_be_visible()
    await expect(dialog.locator(".arrow.turn_left")).to_be_visible()
    assert await violations(dialog) == []
    await shoot(page, "person-walk-up")
    front_door.frames = poses[1]
    await expect(dialog.get_by_text("Turn your head a little to your right.")).to_be_visible()
    await expect(dialog.locator("li.taken")).to_have_count(2)
    front_door.frames = poses[2]
    await expect(dialog.get_by_text("New photos from the camera: 3.")).to_be_visible()
    assert await violations(dialog) == []
    await dialog.get_by_role("button", name="Done").click()
    await expect(photos(page)).to_have_count(4)
    # Closing it leaves the camera alone.
    await page.get_by_role("button", name="Use a camera").click()
    await expect(dialog.get_by_text("Look straight at the camera.")).to_be_visible()
    await page.keyboard.press("Escape")
    await hass.async_block_till_done(wait_background_tasks=True)
    fetched = front_door.fetched
    await page.wait_for_timeout(500)
    assert front_door.fetched == fetched
    assert shown.errors == []
