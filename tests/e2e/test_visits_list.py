"""The list of visits in a real browser: however long, in each language, and for everybody who reads it."""

from datetime import datetime, timedelta

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from playwright.async_api import expect
import pytest

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.visits.visit import Decision

from ..common.in_chromium import needs_chromium
from ..common.made_up_visits import a_visit, come
from ..common.pictures import astronaut
from ..common.steps import ring, visits
from ..conftest import FrontDoor
from .conftest import Home, rows, shoot, violations

pytestmark = [needs_chromium, pytest.mark.timeout(600)]


async def test_many_visits(hass: HomeAssistant, shown: Home, hub: Hub, nadie: str, start: datetime) -> None:
    """Older ones come when they are scrolled to; filters leave one day, person or kind; nothing jumps."""
    for each in range(60):
        await come(hass, hub, a_visit(hub, nadie, began=start - timedelta(hours=each)))
    await come(hass, hub, a_visit(hub, None, Decision.STRANGER, began=start))
    page = await shown.open(width=375, height=700, dark=True)
    await expect(rows(page).first).to_be_visible()
    panel = page.locator("familiar-faces-panel main")
    await panel.evaluate("(main) => main.scrollTo(0, main.scrollHeight)")
    await expect(rows(page)).to_have_count(61)
    await come(hass, hub, a_visit(hub, nadie))
    waiting = page.get_by_role("button", name="1 new visit")
    await expect(waiting).to_be_visible()
    await expect(rows(page)).to_have_count(61)
    await waiting.click()
    await expect(rows(page)).to_have_count(62)
    await page.get_by_label("Kind").select_option("stranger")
    await expect(rows(page)).to_have_count(1)
    await page.get_by_role("button", name="Day before").click()
    await expect(page.get_by_text("No visit fits the filters")).to_be_visible()
    wide = await panel.evaluate("(main) => main.scrollWidth - main.clientWidth")
    assert wide == 0
    assert shown.errors == []


async def test_it_can_be_read_by_everybody(
    hass: HomeAssistant, shown: Home, hub: Hub, eileen: str, front_door: FrontDoor
) -> None:
    """axe-core finds nothing, light and dark, wide and narrow, in each language; pictures are seen."""
    now = dt_util.utcnow()
    for hours, confidence in ((20, 0.9), (5, 0.96)):
        await come(hass, hub, a_visit(hub, eileen, began=now - timedelta(hours=hours), confidence=confidence))
    await come(hass, hub, a_visit(hub, None, Decision.UNCLEAR, began=now - timedelta(minutes=30)))
    await come(hass, hub, a_visit(hub, None, Decision.STRANGER, began=now - timedelta(minutes=20)))
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    for language, width, dark in (
        ("en", 1280, False),
        ("en", 375, True),
        ("de", 1280, True),
        ("nl", 320, False),
    ):
        page = await shown.open(width=width, dark=dark, language=language)
        await expect(rows(page)).to_have_count(5)
        picture = rows(page).first.locator("img")
        await expect(picture).to_be_visible()
        assert await picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
        box, words = await picture.bounding_box(), await rows(page).first.locator(".name").bounding_box()
        assert box is not None
        assert words is not None
        assert box["x"] + box["width"] <= words["x"], "the face is before the name"
        await shoot(page, f"visits-{width}-{'dark' if dark else 'light'}-{language}")
        await rows(page).first.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("dl")).to_be_visible()
        panel = page.locator("familiar-faces-panel")
        assert await violations(panel) == []
        assert await panel.locator("main").evaluate("(main) => main.scrollWidth - main.clientWidth") == 0
        await page.context.close()
    assert shown.errors == []
