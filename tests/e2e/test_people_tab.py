"""The tab People in a real browser: who is here, their photos, invitations, and the end of it."""

from pathlib import Path

from homeassistant.core import HomeAssistant
from playwright.async_api import Locator, Page, expect
import pytest

from custom_components.familiar_faces.hub import Hub

from ..common.in_chromium import needs_chromium
from ..common.pictures import astronaut, different_photos, jpeg, stranger
from ..common.steps import ring, visits
from ..conftest import FrontDoor
from .conftest import Home, shoot, violations

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
