"""How quickly the panel shows who came, with few visits and with many. Runs in Home Assistant's environment.

Both homes run at the same time and are asked in turns, so that a busy machine slows both.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
import json
from pathlib import Path
from statistics import median
import sys
import tempfile
import time
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse
from aiohttp.test_utils import TestServer
from homeassistant.auth.const import GROUP_ID_ADMIN
from homeassistant.setup import async_setup_component
from playwright.async_api import Browser, BrowserContext, ViewportSize, async_playwright

from benchmarks.figures import Figures, ratio
from benchmarks.house import House, open_house
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.visits.open_visits import Change, Outcome
from demo.browser import ARGUMENTS
from tests.common.in_chromium import CHROMIUM
from tests.common.large_home import person_id_of
from tests.common.made_up_visits import TIMING, a_visit
from tests.conftest import PreparedBefore

PEOPLE = 20
DOORS = 4
FEW, MANY = 1_000, 100_000
QUICK = 60, 120
ROUNDS = 30
PAINTS = 7
WARM_UP = 2
OPEN = {"type": "familiar_faces/visits/subscribe"}
OLDER = {"type": "familiar_faces/visits/list"}

# Goes to the panel inside the frontend that is loaded, and waits for the first visit in a frame that is painted.
PAINT = """
async () => {
  const rows = (root) => [...root.querySelectorAll("*")].some(
    (each) => each.localName === "familiar-faces-visit" || (each.shadowRoot && rows(each.shadowRoot)));
  const begun = performance.now();
  history.pushState(null, "", "/familiar-faces/visits");
  window.dispatchEvent(new CustomEvent("location-changed", { detail: { replace: false } }));
  while (!rows(document)) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return performance.now() - begun;
}
"""


class Socket:
    """A websocket of an administrator, as a browser has one."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        """Use one that is open and logged in."""
        self._socket = socket
        self._number = 0

    async def ask(self, message: Mapping[str, object]) -> int:
        """Send a command, and return its id."""
        self._number += 1
        await self._socket.send_json({"id": self._number, **message})
        return self._number

    async def hear(self, number: int, kind: str) -> tuple[dict[str, Any], int]:
        """Return the next message to a command, and its length in bytes."""
        while True:
            text = await self._socket.receive_str()
            message: dict[str, Any] = json.loads(text)
            if message["id"] == number and message["type"] == kind:
                return message, len(text.encode())
            if message.get("success") is False:
                raise SystemExit(f"the panel was refused: {message['error']}")


@dataclass(frozen=True, slots=True)
class Home:
    """A home that browsers reach."""

    house: House
    url: str
    token: str
    socket: Socket

    @property
    def hub(self) -> Hub:
        """Return what runs there now."""
        hub: Hub = self.house.hub.entry.runtime_data
        return hub

    async def opened(self) -> tuple[float, float]:
        """Open the list as the panel does; return the milliseconds until it is there, and its kilobytes."""
        begun = time.perf_counter()
        number = await self.socket.ask(OPEN)
        message, size = await self.socket.hear(number, "event")
        took = (time.perf_counter() - begun) * 1000
        if not message["event"]["visits"]:
            raise SystemExit("the panel shows no visit")
        await self._end(number)
        return took, size / 1000

    async def scrolled(self) -> float:
        """Return the milliseconds until the page after the first is there."""
        first, _ = await self.socket.hear(await self.socket.ask(OLDER), "result")
        begun = time.perf_counter()
        number = await self.socket.ask({**OLDER, "after": first["result"]["after"]})
        await self.socket.hear(number, "result")
        return (time.perf_counter() - begun) * 1000

    async def live(self) -> float:
        """Return the milliseconds from the announcement of a visit to the message of it."""
        number = await self.socket.ask(OPEN)
        await self.socket.hear(number, "event")
        visit = a_visit(self.hub, person_id_of(1))
        begun = time.perf_counter()
        announcing = asyncio.create_task(
            self.hub.announcer.async_settle(Outcome(visit, Change.OPENED), TIMING, None)
        )
        while True:
            message, _ = await self.socket.hear(number, "event")
            if any(each["visit_id"] == visit.visit_id for each in message["event"].get("visits", ())):
                break
        took = (time.perf_counter() - begun) * 1000
        await announcing
        await self._end(number)
        return took

    async def painted(self, browser: Browser) -> float:
        """Return the milliseconds from a click on the panel in the sidebar to the first visit on the screen."""
        context = await browser.new_context(viewport=ViewportSize(width=1280, height=900))
        try:
            return await self._paint(context)
        finally:
            await context.close()

    async def _paint(self, context: BrowserContext) -> float:
        tokens = {
            "access_token": self.token,
            "token_type": "Bearer",
            "expires_in": 1800,
            "hassUrl": self.url,
            "clientId": f"{self.url}/",
            "expires": 4102444800000,
            "refresh_token": "",
        }
        stored = json.dumps(json.dumps(tokens))
        await context.add_init_script(f'localStorage.setItem("hassTokens", {stored});')
        page = await context.new_page()
        await page.goto(f"{self.url}/profile/general")
        await page.locator("ha-panel-profile").wait_for(state="attached", timeout=60_000)
        await page.wait_for_load_state("networkidle")
        took: float = await page.evaluate(PAINT)
        return took

    async def _end(self, number: int) -> None:
        ended = await self.socket.ask({"type": "unsubscribe_events", "subscription": number})
        await self.socket.hear(ended, "result")


async def panel(place: PreparedBefore, *, quick: bool) -> Figures:
    """Return how long the panel's list takes with few visits and with many, and the ratio of both."""
    sizes = QUICK if quick else (FEW, MANY)
    rounds = 2 if quick else ROUNDS
    figures: Figures = {}
    async with AsyncExitStack() as stack:
        few, many = [await stack.enter_async_context(_home(each, place)) for each in sizes]
        took: dict[str, tuple[list[float], list[float]]] = {}
        sizes_kb: tuple[list[float], list[float]] = ([], [])
        for round_ in range(WARM_UP + rounds):
            # The one that is asked first may find the machine otherwise than the other: they take turns at that, too.
            for which in (0, 1) if round_ % 2 else (1, 0):
                home = (few, many)[which]
                opened, size = await home.opened()
                measured = {"open": opened, "older": await home.scrolled(), "live": await home.live()}
                if round_ >= WARM_UP:
                    sizes_kb[which].append(size)
                    for name, value in measured.items():
                        took.setdefault(name, ([], []))[which].append(value)
        if CHROMIUM is None:
            sys.stderr.write("bench: there is no Chromium here: what is painted is not measured\n")
        else:
            took["paint"] = await _painted(few, many, rounds=1 if quick else PAINTS)
        for name, (of_few, of_many) in took.items():
            figures[f"{name}_ms"] = {str(sizes[0]): median(of_few), str(sizes[1]): median(of_many)}
            figures[f"{name}_growth"] = ratio(of_many, of_few)
        figures["open_kb"] = {str(sizes[0]): median(sizes_kb[0]), str(sizes[1]): median(sizes_kb[1])}
    return {"panel": figures}


async def _painted(few: Home, many: Home, *, rounds: int) -> tuple[list[float], list[float]]:
    took: tuple[list[float], list[float]] = ([], [])
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        # The first one compiles what the others find compiled.
        await few.painted(browser)
        for round_ in range(rounds):
            for which in (0, 1) if round_ % 2 else (1, 0):
                took[which].append(await (few, many)[which].painted(browser))
        await browser.close()
    return took


@asynccontextmanager
async def _home(visits: int, place: PreparedBefore) -> AsyncIterator[Home]:
    """Open a home with so many visits, and log in."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ff-"))
        opened = open_house(Path(folder), place, DOORS, small=True, people=PEOPLE, visits=visits)
        house = await stack.enter_async_context(opened)
        hass, entry = house.hass, house.hub.entry
        for component in ("auth", "frontend", "config", "lovelace"):
            if not await async_setup_component(hass, component, {}):
                raise SystemExit(f"{component} did not set up")
        hass.data["onboarding"] = None
        # It shows its panel where a frontend is.
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
        server = TestServer(hass.http.app)
        await server.start_server()
        stack.push_async_callback(server.close)
        url = str(server.make_url("")).rstrip("/")
        user = await hass.auth.async_create_user("Owner", group_ids=[GROUP_ID_ADMIN])
        refresh = await hass.auth.async_create_refresh_token(user, f"{url}/")
        token = hass.auth.async_create_access_token(refresh)
        session = await stack.enter_async_context(ClientSession())
        socket = await stack.enter_async_context(session.ws_connect(f"{url}/api/websocket", max_msg_size=0))
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": token})
        if (await socket.receive_json())["type"] != "auth_ok":
            raise SystemExit("the bench could not log in")
        yield Home(house, url, token, Socket(socket))
