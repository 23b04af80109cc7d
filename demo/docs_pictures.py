"""The pictures in the docs, of a home that the first hour has just made: pages whole, dialogs by themselves."""

from pathlib import Path

from playwright.async_api import Browser, FloatRect, Page

from . import browser
from .house import CAMERA, NAME

PAGES = {"docs-integration": "integration", "docs-camera": "front-door", "docs-person": "person"}
"""Steps in the browser that show a page, and what their pictures are called."""
DIALOGS = {"alert-1-about": "alert-about", "alert-3-who-is-told": "alert-who-is-told"}
"""Those that show a dialog."""
ACTIVITY = {"logbook": "logbook"}
LINES_HEIGHT = 700
"""Pixels of the list of Activity from its beginning."""


async def take(chromium: Browser, url: str, folder: Path) -> None:
    """Take them in English, on a desktop."""

    async def shoot(page: Page, step: str) -> None:
        if step in PAGES:
            await page.screenshot(path=folder / f"{PAGES[step]}.png")
        elif step in DIALOGS:
            await page.get_by_role("dialog").last.screenshot(path=folder / f"{DIALOGS[step]}.png")
        elif step in ACTIVITY:
            box = await page.locator("ha-logbook").first.bounding_box()
            assert box is not None, "what can be seen has a place"
            clip = FloatRect(x=box["x"], y=box["y"], width=box["width"], height=LINES_HEIGHT)
            await page.screenshot(path=folder / f"{ACTIVITY[step]}.png", clip=clip)

    async with browser.logged_in(chromium, url, shoot=shoot) as frontend:
        await frontend.show_integration("docs-integration")
        await frontend.show_device(CAMERA, "docs-camera")
        await frontend.show_device(NAME, "docs-person")
        await frontend.look_at_alert()
        await frontend.look_at_news()
