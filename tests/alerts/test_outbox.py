"""The way to one recipient: in order, the newest of each tag, and nobody waits for somebody else."""

import asyncio
from collections.abc import Awaitable, Callable

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.alerts import outbox as room
from custom_components.familiar_faces.alerts.outbox import MOST_WAITING, Outbox


class Recipient:
    """Takes one delivery after the other, when it is let."""

    def __init__(self) -> None:
        """Have got nothing."""
        self.got: list[str] = []
        self.gate = asyncio.Event()

    def deliver(self, what: str) -> Callable[[], Awaitable[None]]:
        """Return a delivery that waits at the gate."""

        async def deliver() -> None:
            await self.gate.wait()
            self.got.append(what)

        return deliver


@pytest.fixture
def outbox(hass: HomeAssistant, entry: MockConfigEntry) -> Outbox:
    """Return an outbox."""
    return Outbox(hass, entry, "phone:1")


async def test_order(outbox: Outbox) -> None:
    """What is put first is delivered first."""
    recipient = Recipient()
    recipient.gate.set()
    for tag in "abc":
        outbox.async_put(tag, recipient.deliver(tag))
    await outbox.async_flush()
    assert recipient.got == ["a", "b", "c"]


async def test_newest_wins(outbox: Outbox) -> None:
    """What waits is replaced by what its tag says now; what is on its way comes before it."""
    recipient = Recipient()
    outbox.async_put("a", recipient.deliver("a1"))
    await asyncio.sleep(0)
    for what in ("a2", "a3"):
        outbox.async_put("a", recipient.deliver(what))
    outbox.async_put("b", recipient.deliver("b1"))
    recipient.gate.set()
    await outbox.async_flush()
    assert recipient.got == ["a1", "a3", "b1"]


async def test_bounded(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    """Of what a recipient does not fetch the oldest is given up."""
    recipient = Recipient()
    outbox.async_put("first", recipient.deliver("first"))
    await asyncio.sleep(0)
    for number in range(MOST_WAITING + 2):
        outbox.async_put(str(number), recipient.deliver(str(number)))
    recipient.gate.set()
    await outbox.async_flush()
    assert recipient.got == ["first", *map(str, range(2, MOST_WAITING + 2))]
    assert caplog.text.count("too many wait for phone:1") == 2


async def test_failures(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    """One that fails, however it does, keeps the next from nothing; what is expected is no traceback."""
    recipient = Recipient()
    recipient.gate.set()

    def failing(error: Exception) -> Callable[[], Awaitable[None]]:
        async def deliver() -> None:
            raise error

        return deliver

    outbox.async_put("a", failing(HomeAssistantError("not connected")))
    await outbox.async_flush()
    assert "A notification to phone:1 failed: not connected" in caplog.text
    assert "Traceback" not in caplog.text
    outbox.async_put("b", failing(RuntimeError("broken")))
    outbox.async_put("c", recipient.deliver("c"))
    await outbox.async_flush()
    assert "RuntimeError: broken" in caplog.text
    assert recipient.got == ["c"]


async def test_hanging(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    outbox: Outbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One that hangs is given up after a while, and holds up nobody else meanwhile."""
    monkeypatch.setattr(room, "SEND_SECONDS", 0.2)
    hanging, quick = Recipient(), Recipient()
    quick.gate.set()
    other = Outbox(hass, entry, "phone:2")
    outbox.async_put("a", hanging.deliver("a"))
    outbox.async_put("b", quick.deliver("b"))
    other.async_put("c", quick.deliver("c"))
    await other.async_flush()
    assert quick.got == ["c"]
    await outbox.async_flush()
    assert quick.got == ["c", "b"]
    assert hanging.got == []
    assert "phone:1 does not answer" in caplog.text


async def test_stop(outbox: Outbox) -> None:
    """Stopped, it gives up what is on its way and what waits, and takes nothing more."""
    recipient = Recipient()
    outbox.async_put("a", recipient.deliver("a"))
    await asyncio.sleep(0)
    outbox.async_put("b", recipient.deliver("b"))
    await asyncio.wait_for(outbox.async_stop(), 1)
    recipient.gate.set()
    outbox.async_put("c", recipient.deliver("c"))
    await outbox.async_flush()
    assert recipient.got == []
