"""What alerts take: from the ring, and from the frame that decides, to the phone. Runs in Home Assistant's environment.

The phone is a real one as far as Home Assistant sees it: the companion integration, and a push server of our own.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles
import time
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from aiohttp import web
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from benchmarks.holds import Holds
from benchmarks.house import House, Told
from custom_components.familiar_faces.alerts.alerts import Alerts
from custom_components.familiar_faces.alerts.episode import Episodes
from custom_components.familiar_faces.capture.picture_source import Seen, Wish
from custom_components.familiar_faces.capture.stills import Stills

WARM_UP = 3
RINGS = 40
MANY_RINGS = 20
MANY = 20
PHONES = 5
EVERYBODY = ["familiar", "stranger", "unclear"]

type Figures = dict[str, float | Figures]


@dataclass(slots=True)
class _Ring:
    """Moments of a ring, by the clock of this process."""

    begun: float
    asked: list[float] = field(default_factory=list)
    """When frames came from the camera that were handed to the engine, oldest first."""
    decided: float = 0.0
    """When listeners got the event with the name."""
    pushed: list[tuple[float, str]] = field(default_factory=list)
    """When which message reached a phone."""

    @property
    def first_ms(self) -> float:
        """Return how long the first notification took, in milliseconds."""
        first = next(at for at, message in self.pushed if message.startswith("Someone"))
        return (first - self.begun) * 1000

    @property
    def name_ms(self) -> float:
        """Return how long the name's took after the camera gave the frame that decided it."""
        named = next(at for at, message in self.pushed if message.startswith("Eileen"))
        return (named - max(at for at in self.asked if at < self.decided)) * 1000


async def alerts(house: House, *, quick: bool) -> Figures:
    """Ring at one door, one phone told at once and then of the name; and once more with twenty alerts."""
    async with _receiver() as (url, heard):
        phones = await _phones(house.hass, url, PHONES)
        first = _add_alert(house, phones[0])
        rings, names = [], []
        for round_ in range(WARM_UP + (2 if quick else RINGS)):
            ring, name_ms = await _ring(house, heard)
            if round_ >= WARM_UP:
                rings.append(ring)
                names.append(name_ms)
        one = await _cost(house, 2 if quick else MANY_RINGS)
        for number in range(1, MANY):
            _add_alert(house, phones[number % PHONES], who=EVERYBODY[: 1 + number % 3], early=number % 2 == 0)
        twenty = await _cost(house, 2 if quick else MANY_RINGS)
        house.hass.config_entries.async_remove_subentry(house.hub.entry, first)
    figures: Figures = {}
    for name, values in (
        ("ring_to_first", [each.first_ms for each in rings]),
        ("frame_to_name", [each.name_ms for each in rings]),
        ("ring_to_name", names),
    ):
        figures[f"{name}_ms"] = median(values)
        figures[f"{name}_ms_p95"] = quantiles(values, n=20, method="inclusive")[-1]
    return {"alerts": figures | {"one_alert": one, "twenty_alerts": twenty}}


async def _ring(house: House, heard: list[tuple[float, str]]) -> tuple[_Ring, float]:
    """Ring, and return the moments, and how long the event with the name took beyond the camera."""
    heard.clear()
    ring = _Ring(time.time())
    ask = Stills.see

    async def see(stills: Stills, wish: Wish) -> Seen:
        seen = await ask(stills, wish)
        ring.asked.append(seen.at.timestamp())
        return seen

    with patch.object(Stills, "see", see):
        told = await _ring_anew(house)
    ring.pushed = list(heard)
    if not told or not any(message.startswith("Eileen") for _, message in heard):
        raise SystemExit("the visitor was not recognised, or nobody was told")
    ring.decided = ring.begun + told[0].ms / 1000
    return ring, told[0].ms - told[0].camera_fetch_ms


async def _ring_anew(house: House) -> list[Told]:
    """Ring as if nobody had been there for a while: what came before is over for alerts too."""
    house.hub.alerts._episodes = Episodes()
    told = await house.ring()
    await house.hub.alerts.async_flush()
    return told


async def _cost(house: House, rounds: int) -> Figures:
    """Return what alerts take of the event loop, a look: their own turns, and all that this process computes."""
    spent, holds = 0.0, Holds()

    def timed(run: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any) -> Any:
            nonlocal spent
            begun = time.perf_counter()
            try:
                return run(*args)
            finally:
                spent += time.perf_counter() - begun

        return wrapper

    await _ring_anew(house)
    update = Alerts._async_update
    begun = time.process_time()
    # What is asked again and again is the same for looks and visits.
    with patch.object(Alerts, "_async_update", timed(update)), holds.watched():
        for _ in range(rounds):
            await _ring_anew(house)
    return {
        "loop_ms": spent * 1000 / rounds,
        "loop_hold_ms_max": holds.ours.ms,
        "loop_hold_cpu_ms_max": holds.ours.cpu_ms,
        "cpu_ms": (time.process_time() - begun) * 1000 / rounds,
    }


@asynccontextmanager
async def _receiver() -> AsyncIterator[tuple[str, list[tuple[float, str]]]]:
    """Stand where the makers' push servers stand; yield the address, and when which message came."""
    heard: list[tuple[float, str]] = []

    async def take(request: web.Request) -> web.Response:
        heard.append((time.time(), (await request.json())["message"]))
        return web.json_response({}, status=201)

    app = web.Application()
    app.router.add_post("/push", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}/push", heard
    finally:
        await runner.cleanup()


async def _phones(hass: HomeAssistant, url: str, count: int) -> list[str]:
    """Register phones; return their keys as recipients of alerts."""
    for component in ("notify", "mobile_app"):
        if not await async_setup_component(hass, component, {}):
            raise SystemExit(f"{component} did not set up")
    keys = []
    for number in range(count):
        user = MockUser(name=f"User {number}").add_to_hass(hass)
        entry = MockConfigEntry(
            domain="mobile_app",
            title=f"Phone {number}",
            data={
                "app_id": "bench",
                "app_name": "Bench",
                "app_version": "1",
                "device_id": f"phone-{number}",
                "device_name": f"Phone {number}",
                "manufacturer": "Maker",
                "model": "Model",
                "os_name": "Android",
                "os_version": "16",
                "supports_encryption": False,
                "app_data": {"push_token": f"phone-{number}", "push_url": url},
                "webhook_id": f"webhook-{number}",
                "user_id": user.id,
            },
        )
        entry.add_to_hass(hass)
        if not await hass.config_entries.async_setup(entry.entry_id):
            raise SystemExit("a phone did not set up")
        keys.append(f"phone:{entry.entry_id}")
    await hass.async_block_till_done()
    return keys


def _add_alert(house: House, phone: str, **changes: Any) -> str:
    """Have a phone told of everybody, at once and with pictures; return the alert's id."""
    data = {"who": EVERYBODY, "recipients": [phone], "early": True, "picture": "familiar"} | changes
    subentry = ConfigSubentry(
        data=MappingProxyType(data),
        subentry_type="alert",
        title=f"Alert {len(house.hub.entry.subentries)}",
        unique_id=None,
    )
    house.hass.config_entries.async_add_subentry(house.hub.entry, subentry)
    return subentry.subentry_id
