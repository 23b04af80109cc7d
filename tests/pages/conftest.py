"""A running home, and a visitor with a browser who is not logged in."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

from aiohttp.test_utils import TestClient
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import pytest_socket

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.pages.guard import Guard

from ..conftest import FrontDoor
from .visitors import Phone

SHOWN = {"notice": True, "responsible": "Eileen Collins", "contact": "eileen@example.org", "language": "en"}
"""The options of somebody who shows the papers."""

type SetOptions = Callable[..., None]


@pytest.fixture
async def running(
    hass: HomeAssistant,
    front_door: FrontDoor,
    hass_client_no_auth: ClientSessionGenerator,
    real_engine: None,
    entry: MockConfigEntry,
) -> AsyncGenerator[MockConfigEntry]:
    """Yield the running entry; the pages do not wait for its engine.

    The browser's fixture forbids Unix sockets, so it comes before the engine's.
    """
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    yield entry
    if hass.config_entries.async_get_entry(entry.entry_id) and entry.state.recoverable:
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture
def set_options(hass: HomeAssistant, running: MockConfigEntry) -> SetOptions:
    """Return how to change options of the running entry."""

    def change(**options: object) -> None:
        hass.config_entries.async_update_entry(running, options={**running.options, **options})

    return change


@pytest.fixture
async def visitor(
    running: MockConfigEntry, hass_client_no_auth: ClientSessionGenerator
) -> TestClient[Any, Any]:
    """Return the browser of somebody without an account."""
    return await hass_client_no_auth()


@pytest.fixture
async def phone(hub: Hub, hass_client_no_auth: ClientSessionGenerator) -> Phone:
    """Return the phone of somebody without an account, in a home whose engine is ready."""
    # The engine is spoken to on a Unix socket, which the client's fixtures forbid again.
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
    return Phone(await hass_client_no_auth(), hub)


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer wrong links at once; that they wait is the guard's test."""

    async def sleep(_seconds: float) -> None:
        return

    monkeypatch.setattr(Guard, "_sleep", staticmethod(sleep))
