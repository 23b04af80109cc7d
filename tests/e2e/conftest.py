"""Home Assistant's real frontend with the panel, in Chromium: what people see, and what their clicks do."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
import json
import os
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer
from homeassistant.auth.const import GROUP_ID_ADMIN, GROUP_ID_READ_ONLY, GROUP_ID_USER
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from playwright.async_api import Browser, Error, Locator, Page, ViewportSize, async_playwright, expect
import pytest
import pytest_socket

from custom_components.familiar_faces.hub import Hub
from demo.browser import ARGUMENTS

from ..common.gate import Gate
from ..common.in_chromium import CHROMIUM
from ..common.people_on_record import link_to_user
from ..common.source import ROOT

GROUPS = {"administrator": GROUP_ID_ADMIN, "user": GROUP_ID_USER, "read-only": GROUP_ID_READ_ONLY}
PATIENCE = 60_000
"""Milliseconds: these tests run beside others."""
expect.set_options(timeout=PATIENCE)
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
SHOTS = os.environ.get("FAMILIAR_FACES_SHOTS")
"""A folder for pictures of what the tests see, such as those of docs/panel.md."""


@pytest.fixture
async def frontend(hass: HomeAssistant, front_door: object) -> None:
    """Set up Home Assistant's frontend, before the integration as in a home."""
    for component in ("auth", "frontend", "config", "lovelace", "logger"):
        assert await async_setup_component(hass, component, {})
    hass.data["onboarding"] = None


@pytest.fixture
async def shown(hass: HomeAssistant, frontend: None, hub: Hub, sockets: None) -> AsyncGenerator[Home]:
    """Return the running home, as browsers reach it."""
    pytest_socket.enable_socket()
    async with AsyncExitStack() as stack:
        server = TestServer(hass.http.app)
        await server.start_server()
        stack.push_async_callback(server.close)
        assert server.port is not None
        gate = Gate("127.0.0.1", server.port)
        await gate.open()
        stack.push_async_callback(gate.shut)
        playwright = await stack.enter_async_context(async_playwright())
        if CHROMIUM is None:
            pytest.fail("there is no Chromium: run script/setup browser")
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        stack.push_async_callback(browser.close)
        yield Home(hass, hub, gate, browser)


class Home:
    """A home that browsers reach."""

    def __init__(self, hass: HomeAssistant, hub: Hub, gate: Gate, browser: Browser) -> None:
        """Be reached through a gate."""
        self.hass = hass
        self.hub = hub
        self.gate = gate
        self.url = f"http://127.0.0.1:{gate.port}"
        self.browser = browser
        self.errors: list[str] = []
        """What went wrong in the panel's program."""

    async def open(
        self,
        path: str = "/familiar-faces/visits",
        *,
        who: str = "administrator",
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        language: str = "en",
        own: str | None = None,
        time_zone: str | None = None,
    ) -> Page:
        """Open a page of the frontend as somebody who is logged in; `own`: which of the people they are.

        `time_zone`: where they are, when they are not at home.
        """
        hass = self.hass
        if all(user.system_generated for user in await hass.auth.async_get_users()):
            # The first user may do everything, whatever their groups.
            await hass.auth.async_create_user("The very first")
        user = await hass.auth.async_create_user("Somebody", group_ids=[GROUPS[who]])
        if own is not None:
            await link_to_user(hass, self.hub, own, user.id)
        refresh = await hass.auth.async_create_refresh_token(user, f"{self.url}/")
        tokens = {
            "access_token": hass.auth.async_create_access_token(refresh),
            "token_type": "Bearer",
            "expires_in": 1800,
            "hassUrl": self.url,
            "clientId": f"{self.url}/",
            "expires": 4102444800000,
            "refresh_token": refresh.token,
        }
        context = await self.browser.new_context(
            viewport=ViewportSize(width=width, height=height),
            color_scheme="dark" if dark else "light",
            locale=language,
            timezone_id=time_zone or hass.config.time_zone,
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE)
        stored = {"hassTokens": json.dumps(tokens), "selectedLanguage": json.dumps(language)}
        await context.add_init_script(
            f"for (const [key, value] of Object.entries({json.dumps(stored)})) localStorage.setItem(key, value);"
        )
        page = await context.new_page()
        page.on("pageerror", self._note)
        await page.goto(self.url + path)
        return page

    async def visit(self, url: str, **values: Any) -> Page:
        """Open a page as a visitor on a phone, who has no account."""
        context = await self.browser.new_context(
            viewport=ViewportSize(width=375, height=700), locale="en", **values
        )
        context.set_default_timeout(PATIENCE)
        page = await context.new_page()
        await page.goto(url)
        return page

    def _note(self, error: Error) -> None:
        """Note an error of our program; the frontend has its own."""
        if "familiar-faces" in (error.stack or ""):
            self.errors.append(error.stack or "")


def rows(page: Page) -> Locator:
    """Return the visits of the list."""
    return page.locator("familiar-faces-visit article")


async def shoot(page: Page, name: str, element: Locator | None = None) -> None:
    """Take a picture of a page, or of an element alone, if pictures are taken."""
    if SHOTS:
        await page.wait_for_timeout(500)
        await (element or page).screenshot(path=Path(SHOTS) / f"{name}.png")


async def violations(element: Locator) -> list[str]:
    """Return what axe-core finds wrong with an element and all that is in it."""
    await element.page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = await element.evaluate("(element) => axe.run(element)")
    return [
        f"{each['id']}: {node['html']} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
