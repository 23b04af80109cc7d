"""Each tab while something is not as it should be: nothing there yet, loading, unreadable, offline, no engine."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
import threading
from typing import Any, NoReturn

from homeassistant.core import HomeAssistant
from playwright.async_api import Page, expect
import pytest

from custom_components.familiar_faces.host.engine import EngineStatus
from custom_components.familiar_faces.host.engine_errors import EngineError
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.vault.errors import VaultDamaged

from ..common.in_chromium import needs_chromium
from ..common.made_up_visits import a_visit, come
from .conftest import Home, shoot, violations

pytestmark = [needs_chromium, pytest.mark.timeout(600)]

TABS = ("visits", "todo", "people", "cameras", "privacy")
LOOKS: tuple[dict[str, Any], ...] = (
    {"width": 1280, "dark": True},
    {"width": 375, "dark": False},
    {"width": 375, "dark": False, "language": "de"},
)
OFFLINE = {"en": "Home Assistant cannot be reached.", "de": "Home Assistant ist nicht erreichbar."}


async def go(page: Page, tab: str, person_id: str | None = None) -> None:
    """Go to a tab, or from it to the page of a person, without loading the window again."""
    await page.locator(f"familiar-faces-panel nav a[href='/familiar-faces/{tab}']").click()
    if person_id is not None:
        await page.locator(f"a[href$='{person_id}']").click()


def places(person_id: str) -> list[tuple[str, str | None]]:
    """Return each tab, and the page of a person."""
    return [*((tab, None) for tab in TABS), ("people", person_id)]


async def judge(page: Page, name: str, look: dict[str, Any]) -> None:
    """Have axe-core find nothing, and nothing be wider than the window."""
    panel = page.locator("familiar-faces-panel")
    await shoot(
        page, f"{name}-{look['width']}-{'dark' if look['dark'] else 'light'}-{look.get('language', 'en')}"
    )
    assert await violations(panel) == [], name
    assert await panel.locator("main").evaluate("(main) => main.scrollWidth - main.clientWidth") == 0, name


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_nothing_there_yet(shown: Home, hub: Hub, look: dict[str, Any]) -> None:
    """Each tab says what to do; of the visits that none came."""
    page = await shown.open(**look)
    for tab in TABS:
        await go(page, tab)
        await expect(page.locator(".skeleton, .loading")).to_have_count(0)
        await judge(page, f"empty-{tab}", look)
    assert shown.errors == []


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_no_engine(
    hass: HomeAssistant, shown: Home, hub: Hub, eileen: str, start: datetime, look: dict[str, Any]
) -> None:
    """Each tab says so, and what needs the engine cannot be pressed and says why."""
    for hours in (1, 30):
        await come(hass, hub, a_visit(hub, eileen, began=start - timedelta(hours=hours)))
    page = await shown.open(**look)
    hub.engine._set_status(EngineStatus.UNAVAILABLE, EngineError("The engine ended with code 1"))
    for tab, person_id in places(eileen):
        await go(page, tab, person_id)
        await expect(page.get_by_role("alert").first).to_contain_text("The engine ended with code 1")
        await expect(page.locator(".skeleton, .loading")).to_have_count(0)
        await judge(page, f"engine-{tab}{'-person' if person_id else ''}", look)
    assert shown.errors == []


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_offline(
    hass: HomeAssistant, shown: Home, hub: Hub, eileen: str, start: datetime, look: dict[str, Any]
) -> None:
    """What was there stays, dimmed, with one sentence; afterwards each goes on by itself."""
    await come(hass, hub, a_visit(hub, eileen, began=start))
    page = await shown.open(**look)
    sentence = page.get_by_text(OFFLINE[look.get("language", "en")])
    for tab, person_id in places(eileen):
        await go(page, tab, person_id)
        await expect(page.locator(".skeleton, .loading")).to_have_count(0)
        await shown.gate.shut()
        await expect(sentence).to_be_visible()
        await judge(page, f"offline-{tab}{'-person' if person_id else ''}", look)
        await shown.gate.open()
        await expect(sentence).to_have_count(0)
    assert shown.errors == []


def damaged(*_args: object) -> NoReturn:
    """Stand for reading a vault that cannot be read."""
    raise VaultDamaged("a page of the file")


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_what_cannot_be_read(
    shown: Home, hub: Hub, eileen: str, look: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each tab that needs it says so, and that it is tried again."""
    page = await shown.open(**look)
    await expect(page.locator("familiar-faces-panel nav")).to_be_visible()
    read = hub.vault._database.read
    monkeypatch.setattr(hub.vault._database, "read", damaged)
    await page.reload()
    # Nothing is known yet of who looks, so there is one tab; afterwards all are there.
    await expect(page.get_by_role("alert").first).to_be_visible()
    await judge(page, "failed-visits", look)
    monkeypatch.setattr(hub.vault._database, "read", read)
    await expect(page.locator("familiar-faces-panel nav")).to_be_visible()
    monkeypatch.setattr(hub.vault._database, "read", damaged)
    for tab, person_id in (("people", None), ("cameras", None), ("privacy", None)):
        await go(page, tab, person_id)
        await expect(page.get_by_role("alert").first).to_be_visible()
        await judge(page, f"failed-{tab}", look)
    assert shown.errors == []


@asynccontextmanager
async def slow(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[None]:
    """Have the vault be read by nobody until the end of it."""
    read, over = hub.vault._database.read, threading.Event()

    @contextmanager
    def waiting() -> Generator[Any]:
        over.wait()
        with read() as connection:
            yield connection

    monkeypatch.setattr(hub.vault._database, "read", waiting)
    try:
        yield
    finally:
        over.set()
        monkeypatch.setattr(hub.vault._database, "read", read)


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_loading(
    shown: Home, hub: Hub, eileen: str, look: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room that it takes is there, and says that it loads; then comes what was asked for."""
    page = await shown.open(**look)
    await expect(page.locator("familiar-faces-panel nav")).to_be_visible()
    await go(page, "todo")
    async with slow(hub, monkeypatch):
        for tab in ("people", "privacy"):
            await go(page, tab)
            await expect(page.locator(".skeleton, .loading").first).to_be_visible()
            await judge(page, f"loading-{tab}", look)
    await expect(page.locator(".skeleton, .loading")).to_have_count(0)
    assert shown.errors == []
