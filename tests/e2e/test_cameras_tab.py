"""The tab Cameras in a real browser: what a camera sees, how well, and what can be changed there."""

from homeassistant.core import HomeAssistant
from playwright.async_api import expect
import pytest

from custom_components.familiar_faces.host.engine import EngineStatus
from custom_components.familiar_faces.host.engine_errors import EngineError
from custom_components.familiar_faces.hub import Hub

from ..common.in_chromium import needs_chromium
from ..common.pictures import astronaut
from ..common.steps import ring, visits
from ..conftest import FrontDoor
from .conftest import Home, shoot, violations

pytestmark = [needs_chromium, pytest.mark.timeout(600)]

MARKUP = "<img src=x onerror=\"window.hacked=1\"><b>'{camera}'"


async def test_what_a_camera_sees(
    hass: HomeAssistant, shown: Home, hub: Hub, eileen: str, front_door: FrontDoor
) -> None:
    """One click shows the picture with the width of each face; what is wrong is said in its place."""
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    for language, width, dark in (
        ("en", 1280, False),
        ("en", 375, True),
        ("de", 1280, True),
        ("nl", 320, False),
    ):
        page = await shown.open("/familiar-faces/cameras", width=width, dark=dark, language=language)
        camera = page.get_by_role("article", name="Front door")
        await expect(camera.locator(".fitness.good")).to_be_visible()
        await shoot(page, f"cameras-before-{width}-{'dark' if dark else 'light'}-{language}")
        await camera.locator("button.tonal").click()
        picture = camera.get_by_role("img", name="Front door")
        await expect(picture).to_be_visible()
        await expect(picture.locator("text")).to_have_count(1)
        main = page.locator("familiar-faces-panel main")
        assert await main.evaluate("(main) => main.scrollWidth - main.clientWidth") == 0
        await shoot(page, f"cameras-{width}-{'dark' if dark else 'light'}-{language}")
        assert await violations(page.locator("familiar-faces-panel")) == []
        await page.context.close()
    page = await shown.open("/familiar-faces/cameras")
    camera = page.get_by_role("article", name="Front door")
    front_door.frames = []
    await camera.get_by_role("button", name="Look now").click()
    await expect(camera.get_by_role("alert")).to_contain_text("gave no picture")
    assert await violations(page.locator("familiar-faces-panel")) == []
    hub.engine._set_status(EngineStatus.UNAVAILABLE, EngineError("made up"))
    await expect(camera.get_by_role("button", name="Look now")).to_be_disabled()
    assert shown.errors == []


async def test_changes(hass: HomeAssistant, shown: Home, hub: Hub, front_door: FrontDoor) -> None:
    """A choice is kept at once, one that is refused is put back, and names are no markup."""
    (camera_id,) = hub.watchers
    subentry = hub.entry.subentries[camera_id]
    hass.states.async_set("event.button", "unknown", {"device_class": "doorbell", "event_types": ["a"]})
    data = {**subentry.data, "mode": "on_motion", "triggers": ["input_button.doorbell", "event.button"]}
    hass.config_entries.async_update_subentry(hub.entry, subentry, data=data, title=MARKUP)
    await hass.async_block_till_done()
    page = await shown.open("/familiar-faces/cameras")
    await expect(page.get_by_role("heading", name=MARKUP)).to_be_visible()
    await page.get_by_label("Rotation").select_option("90")
    await expect(page.get_by_label("Rotation")).to_have_value("90")
    await expect(page.get_by_label("Rotation")).to_be_enabled()
    assert hub.entry.subentries[camera_id].data["turn"] == 90
    meaning = page.get_by_label("Meaning of doorbell")
    await meaning.select_option("motion")
    await expect(meaning).to_be_enabled()
    assert hub.entry.subentries[camera_id].data["roles"]["input_button.doorbell"] == "motion"
    wrong = page.get_by_label("Meaning of button")
    await wrong.select_option("motion")
    await expect(wrong).to_be_enabled()
    await wrong.select_option("bell")
    await expect(page.get_by_text("It is not known which events")).to_be_visible()
    await expect(wrong).to_have_value("motion")
    assert await page.evaluate("window.hacked") is None
    assert await violations(page.locator("familiar-faces-panel")) == []
    assert shown.errors == []


async def test_none(hass: HomeAssistant, shown: Home, hub: Hub) -> None:
    """Without a camera it says what to do; users have no such tab."""
    (camera_id,) = hub.watchers
    hass.config_entries.async_remove_subentry(hub.entry, camera_id)
    await hass.async_block_till_done()
    page = await shown.open("/familiar-faces/cameras")
    await expect(page.get_by_text("No camera is set up").last).to_be_visible()
    assert await violations(page.locator("familiar-faces-panel")) == []
    assert await hass.config_entries.async_unload(hub.entry.entry_id)
    other = await shown.open("/familiar-faces/cameras", who="user")
    await expect(other.get_by_role("link", name="Cameras")).to_have_count(0)
