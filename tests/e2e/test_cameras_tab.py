"""The tab Cameras in a real browser: what a camera sees, how well, and what can be changed there."""

from datetime import datetime, timedelta

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from playwright.async_api import expect
import pytest

from custom_components.familiar_faces.host.engine import EngineStatus
from custom_components.familiar_faces.host.engine_errors import EngineError
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.visits.posters import LOOKS, Poster

from ..common.in_chromium import needs_chromium
from ..common.pictures import SIZE, astronaut
from ..common.steps import ring, visits
from ..conftest import FrontDoor
from .conftest import Home, shoot, violations

pytestmark = [needs_chromium, pytest.mark.timeout(600)]

MARKUP = "<img src=x onerror=\"window.hacked=1\"><b>'{camera}'"


async def some_weeks(hass: HomeAssistant, hub: Hub) -> None:
    """Have visits be counted, this week and the four before."""
    (camera_id,) = hub.watchers
    now = dt_util.utcnow()
    dark = "unclear:no_usable_face:too_dark"
    counted: dict[tuple[str, datetime], dict[str, int]] = {
        (camera_id, now): {"stranger": 3, dark: 9, "unclear:not_sure": 2, "confirmed": 1},
        (camera_id, now - timedelta(weeks=1)): {"named": 14, "confirmed": 5, "stranger": 6, "took:500": 14},
    }
    for weeks in (2, 3, 4):
        counted[camera_id, now - timedelta(weeks=weeks)] = {
            "named": 10 * weeks,
            "missed": 1,
            "corrected": 2,
            dark: 4,
        }
    await hass.async_add_executor_job(hub.vault.counts.add, counted)


async def test_how_well_it_works(hass: HomeAssistant, shown: Home, hub: Hub, eileen: str) -> None:
    """Before anybody came it says so; then it says what came of the visits, and what would help most."""
    page = await shown.open("/familiar-faces/cameras")
    weeks = page.locator("familiar-faces-camera-weeks")
    await expect(weeks).to_contain_text("No visit was counted here yet")
    assert await violations(weeks) == []
    await some_weeks(hass, hub)
    await page.reload()
    await expect(weeks).to_contain_text(
        "45 of the last 58 visits showed a usable face. Faces are too dark here"
    )
    await expect(weeks.get_by_role("heading", name="This week")).to_be_visible()
    await expect(weeks.get_by_role("listitem").filter(has_text="This week")).to_contain_text(
        "The face was too dark: 9"
    )
    await expect(weeks).to_contain_text("Half of the names within 500 ms")
    (camera_id,) = hub.watchers
    hass.config_entries.async_remove_subentry(hub.entry, camera_id)
    await hass.async_block_till_done()
    await expect(weeks).to_have_count(0)
    assert shown.errors == []


async def test_photos_are_taken_here(
    hass: HomeAssistant, shown: Home, hub: Hub, eileen: str, nadie: str, front_door: FrontDoor
) -> None:
    """Of two people who agreed it is asked whose; then the screen shows the camera, and says what to do."""
    front_door.frames = visits(astronaut())
    page = await shown.open("/familiar-faces/cameras")
    camera = page.get_by_role("article", name="Front door")
    await camera.get_by_role("button", name="Take photos here").click()
    whose = camera.get_by_role("group", name="Whose photos?")
    await expect(whose.get_by_role("button")).to_have_count(2)
    assert await violations(page.locator("familiar-faces-panel")) == []
    await whose.get_by_role("button", name="Eileen").click()
    dialog = page.get_by_role("dialog", name="Photos of Eileen · Front door")
    await expect(dialog.get_by_role("img", name="What the camera Front door sees")).to_be_visible()
    await expect(dialog.locator(".words")).not_to_be_empty()
    await dialog.get_by_role("button", name="Close").click()
    await expect(dialog).to_have_count(0)
    assert shown.errors == []


async def test_what_a_camera_sees(
    hass: HomeAssistant, shown: Home, hub: Hub, eileen: str, front_door: FrontDoor
) -> None:
    """One click shows the picture with the width of each face; what is wrong is said in its place."""
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    await some_weeks(hass, hub)
    for language, width, dark in (
        ("en", 1280, False),
        ("en", 375, True),
        ("de", 1280, True),
        ("nl", 320, False),
    ):
        page = await shown.open(
            "/familiar-faces/cameras", width=width, height=1600, dark=dark, language=language
        )
        camera = page.get_by_role("article", name="Front door")
        await expect(camera.locator(".fitness.good")).to_be_visible()
        weeks = page.locator("familiar-faces-camera-weeks")
        await expect(weeks.get_by_role("heading")).to_have_count(4)
        await weeks.get_by_role("button").click()
        await expect(weeks.get_by_role("heading")).to_have_count(6)
        await shoot(page, f"cameras-before-{width}-{'dark' if dark else 'light'}-{language}")
        await camera.locator("button.tonal").click()
        picture = camera.get_by_role("img", name="Front door")
        await expect(picture).to_be_visible()
        await expect(picture.locator("text")).to_have_count(1)
        main = page.locator("familiar-faces-panel main")
        assert await main.evaluate("(main) => main.scrollWidth - main.clientWidth") == 0
        await shoot(page, f"cameras-{width}-{'dark' if dark else 'light'}-{language}")
        if (language, width) == ("en", 1280):
            await shoot(page, "panel-cameras", camera)
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


async def test_a_poster_is_ignored(
    hass: HomeAssistant, shown: Home, hub: Hub, eileen: str, front_door: FrontDoor
) -> None:
    """What never moves is ignored with one click, marked in the picture, and recognised again with another."""
    front_door.frames = visits(astronaut(), number=1)
    (face,) = (await hub.client.faces(front_door.frames[0])).faces
    (watcher,) = hub.watchers.values()
    for _ in range(LOOKS):
        watcher.suspected.note([Poster.of(face, SIZE)], SIZE)
    page = await shown.open("/familiar-faces/cameras")
    camera = page.get_by_role("article", name="Front door")
    await expect(camera).to_contain_text("A face here never moves")
    assert await violations(page.locator("familiar-faces-panel")) == []
    await camera.get_by_role("button", name="Ignore it").click()
    await expect(camera).to_contain_text("Picture 1: ignored")
    await expect(camera).not_to_contain_text("A face here never moves")
    await camera.get_by_role("button", name="Look now").click()
    await expect(camera.locator("svg text")).to_have_text("Picture 1: ignored")
    await camera.get_by_role("button", name="Recognise it again").click()
    await expect(camera.get_by_role("button", name="Recognise it again")).to_have_count(0)
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
