"""The panel and its card, as they are shown in the docs."""

from contextlib import suppress

from playwright.async_api import Error, FloatRect, Locator, ViewportSize

from .album import Album
from .browser import DESKTOP, SETTLED, Frontend
from .client import DemoFailed
from .house import CAMERA, NAME

PANEL = "/familiar-faces"
DASHBOARD = "at-the-door"
TALL = 2000
"""Pixels of a window that a whole tab fits into."""
MARGIN = 24
"""Pixels that are shown below the last card."""


async def visits(frontend: Frontend, album: Album) -> None:
    """Take the list of visits."""
    await frontend.show(PANEL)
    await _panel(frontend).get_by_text(f"{NAME} is here").first.wait_for()
    await album.page("panel", frontend.page)


async def on_a_phone(frontend: Frontend, album: Album) -> None:
    """Take the list of visits as a phone shows it."""
    await frontend.show(PANEL)
    await _panel(frontend).get_by_text(NAME).first.wait_for()
    await album.page("panel-phone", frontend.page)


async def card(frontend: Frontend, album: Album) -> None:
    """Take the card on a dashboard, and its editor."""
    await frontend.show("/profile")
    await frontend.page.evaluate(
        """async ([path, config]) => {
            const { hass } = document.querySelector("home-assistant");
            await hass.callWS({ type: "lovelace/dashboards/create", url_path: path, title: "Door", mode: "storage" });
            await hass.callWS({ type: "lovelace/config/save", url_path: path, config });
        }""",
        [
            DASHBOARD,
            {
                "views": [
                    {
                        "title": "Home",
                        "type": "masonry",
                        "cards": [{"type": "custom:familiar-faces-card"}],
                    }
                ]
            },
        ],
    )
    await frontend.show(f"/{DASHBOARD}/0")
    shown = frontend.page.locator("familiar-faces-card")
    await shown.get_by_text(NAME).first.wait_for()
    await album.element("panel-card", shown)
    await frontend.show(f"/{DASHBOARD}/0?edit=1")
    page = frontend.page
    await page.locator("hui-card-options ha-button").first.click()
    editor = page.locator("familiar-faces-card-editor")
    await editor.wait_for()
    await album.element("panel-editor", page.get_by_role("dialog").last)
    await page.get_by_role("button", name="Cancel").last.click()
    await editor.wait_for(state="detached")


async def people(frontend: Frontend, album: Album) -> None:
    """Take the people, and the page of one."""
    await frontend.show(f"{PANEL}/people")
    await _panel(frontend).get_by_role("link", name=NAME).wait_for()
    await _down_to(frontend, album, "panel-people", _panel(frontend).locator(".tile"))
    await _open_person(frontend)
    await _down_to(frontend, album, "panel-person", _panel(frontend).locator(".card"))


async def walk_up(frontend: Frontend, album: Album) -> None:
    """Take how photos are taken with a camera, before which the person stands."""
    await _open_person(frontend)
    await _panel(frontend).get_by_role("button", name="Use a camera").click()
    dialog = frontend.page.get_by_role("dialog").last
    await dialog.locator("svg.mirrored").wait_for()
    with suppress(Error):
        # With an arrow beside it, if the camera sees them well enough.
        await dialog.locator(".arrow").wait_for(timeout=60_000)
    await album.element("panel-walk-up", dialog)
    await frontend.page.keyboard.press("Escape")


async def cameras(frontend: Frontend, album: Album) -> None:
    """Take the camera, with what it shows now."""
    await frontend.show(f"{PANEL}/cameras")
    camera = _panel(frontend).get_by_role("article", name=CAMERA)
    await camera.locator("button.tonal").click()
    await camera.get_by_role("img", name=CAMERA).wait_for()
    await album.element("panel-cameras", camera)


async def privacy(frontend: Frontend, album: Album) -> None:
    """Take the tab about what is stored."""
    await frontend.show(f"{PANEL}/privacy")
    await _panel(frontend).locator(".log li").first.wait_for()
    await _down_to(frontend, album, "panel-privacy", _panel(frontend).locator(".card"))


async def me(frontend: Frontend, album: Album) -> None:
    """Take what somebody sees of themselves."""
    await frontend.show(PANEL)
    await frontend.page.get_by_role("link", name="Me", exact=True).click()
    await _panel(frontend).get_by_role("heading", name="What you agreed to").wait_for()
    await _down_to(frontend, album, "panel-me", _panel(frontend).locator(".card"))


async def forget(frontend: Frontend, album: Album) -> None:
    """Forget the person, and take the receipt."""
    await _open_person(frontend)
    await _panel(frontend).get_by_role("button", name=f"Forget {NAME}").click()
    dialog = frontend.page.get_by_role("dialog")
    await dialog.get_by_role("textbox").fill(NAME)
    await dialog.get_by_role("button", name="Forget").click()
    receipt = frontend.page.locator("familiar-faces-receipt")
    await receipt.get_by_role("heading", name="Forgotten").wait_for(timeout=60_000)
    if NAME in await receipt.inner_text():
        raise DemoFailed("The receipt holds the name.")
    await _down_to(frontend, album, "panel-receipt", receipt.locator(".card"))


async def todo(frontend: Frontend, album: Album) -> None:
    """Take what an owner who has added a camera sees: what is still to be set up."""
    await frontend.show(f"{PANEL}/todo")
    await _panel(frontend).get_by_text("2 of 4 done").wait_for()
    await _down_to(frontend, album, "panel-todo", _panel(frontend).locator(".card"))


def _panel(frontend: Frontend) -> Locator:
    return frontend.page.locator("familiar-faces-panel")


async def _open_person(frontend: Frontend) -> None:
    await frontend.show(f"{PANEL}/people")
    await _panel(frontend).get_by_role("link", name=NAME).click()
    await _panel(frontend).get_by_role("heading", name=NAME, exact=True).wait_for()


async def _down_to(frontend: Frontend, album: Album, name: str, cards: Locator) -> None:
    """Take the panel alone, from its top down to the lowest of these cards."""
    page = frontend.page
    await page.set_viewport_size(ViewportSize(width=DESKTOP.width, height=TALL))
    try:
        await page.wait_for_timeout(SETTLED)
        panel = await _panel(frontend).bounding_box()
        boxes = [box for each in await cards.all() if (box := await each.bounding_box()) is not None]
        if panel is None or not boxes:
            raise DemoFailed(f"There is nothing to be seen for {name}.")
        bottom = max(each["y"] + each["height"] for each in boxes) + MARGIN
        clip = FloatRect(x=panel["x"], y=panel["y"], width=panel["width"], height=bottom - panel["y"])
        await album.page(name, page, clip)
    finally:
        await page.set_viewport_size(ViewportSize(width=DESKTOP.width, height=DESKTOP.height))
