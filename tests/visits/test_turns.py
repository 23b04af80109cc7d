"""Whose turn it is: rings first, every camera in turn, one place each, and no turn is lost."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from custom_components.familiar_faces.visits.turns import Turns, Urgency

ALWAYS, MOTION, RING = Urgency.ALWAYS, Urgency.MOTION, Urgency.RING


class Engine:
    """Works for one look after the other, each until it is told to stop; notes whose turn it was."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.served: list[str] = []
        self.at_once = self.most = 0
        self._over: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.replaced: list[asyncio.Task[None]] = []

    async def begin(self, camera: str, urgency: Urgency = MOTION, *, begun: bool = False) -> None:
        """Have a camera ask for its turn."""
        self._over[camera] = asyncio.Event()
        if camera in self.tasks:
            self.replaced.append(self.tasks[camera])
        self.tasks[camera] = asyncio.create_task(self._look(camera, urgency, begun, self._over[camera]))
        await settle()

    async def end(self, camera: str) -> None:
        """Have a camera's turn end."""
        self._over[camera].set()
        await settle()

    async def _look(self, camera: str, urgency: Urgency, begun: bool, over: asyncio.Event) -> None:
        async with self.turns.turn(camera, urgency, begun=begun):
            self.served.append(camera)
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            try:
                await over.wait()
            finally:
                self.at_once -= 1


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
async def engine() -> AsyncGenerator[Engine]:
    """Return an engine for two looks at once."""
    engine = Engine(Turns(2))
    yield engine
    for task in engine.tasks.values():
        task.cancel()
    await asyncio.wait([*engine.tasks.values(), *engine.replaced])


async def test_rings_before_motion_before_looking_all_the_time(engine: Engine) -> None:
    """Those who stand at the door are served first."""
    for camera in ("a", "b"):
        await engine.begin(camera, ALWAYS)
    for camera, urgency in {"c": ALWAYS, "d": MOTION, "e": RING, "f": MOTION, "g": RING}.items():
        await engine.begin(camera, urgency)
    for camera in "abegd":
        await engine.end(camera)
    assert engine.served == [*"abegdfc"]
    assert engine.most == 2


async def test_the_camera_served_longest_ago_comes_first(engine: Engine) -> None:
    """Nobody is served twice before everybody was served once, however quickly they ask again."""
    for camera in "abcd":
        await engine.begin(camera)
    for _ in range(3):
        for camera in "abcd":
            await engine.end(camera)
            await engine.begin(camera)
    assert engine.served == [*"abcd" * 3, *"ab"]


async def test_what_is_begun_is_brought_to_an_end(engine: Engine) -> None:
    """Somebody who was seen already has a name after a frame more: they do not wait until all others have one frame."""
    for camera in "abcd":
        await engine.begin(camera)
    await engine.end("a")
    await engine.begin("a", begun=True)
    await engine.begin("e", RING)
    for camera in "bce":
        await engine.end(camera)
    assert engine.served == [*"abcead"]


async def test_a_motion_that_becomes_a_ring_moves_up(engine: Engine) -> None:
    """Somebody who rings need not wait behind other cameras' motion; nothing makes a ring less urgent."""
    for camera in "abcd":
        await engine.begin(camera)
    engine.turns.hurry("d", RING)
    engine.turns.hurry("d", ALWAYS)
    engine.turns.hurry("not waiting", RING)
    await engine.end("a")
    assert engine.served == [*"abd"]


async def test_a_camera_waits_once(engine: Engine) -> None:
    """So the queue is no longer than there are cameras."""
    for camera in "abcd":
        await engine.begin(camera)
    assert engine.turns.waiting == 2
    with pytest.raises(ValueError, match="one turn at a time"):
        async with engine.turns.turn("d", RING):
            pass
    assert engine.turns.waiting == 2


async def test_no_turn_is_lost_when_a_look_is_given_up(engine: Engine) -> None:
    """Given up while it waits, while it is served, or in the moment in which its turn comes."""
    for camera in "abcdef":
        await engine.begin(camera)
    engine.tasks["c"].cancel()
    await settle()
    engine.tasks["a"].cancel()
    await settle()
    assert engine.served == [*"abd"]
    # The turn is passed on to e, who is given up before it can run.
    engine._over["b"].set()
    while engine.turns.waiting == 2:
        await asyncio.sleep(0)
    engine.tasks["e"].cancel()
    await settle()
    assert engine.tasks["e"].cancelled()
    assert engine.served == [*"abdf"]
    # A turn ends when the next has just been given up, but does not know it yet.
    await engine.begin("g")
    engine._over["d"].set()
    engine.tasks["g"].cancel()
    await settle()
    await engine.end("f")
    for camera in "hi":
        await engine.begin(camera)
    assert (engine.served[-2:], engine.at_once, engine.turns.waiting) == ([*"hi"], 2, 0)
    await engine.begin("j")
    assert engine.turns.waiting == 1


async def test_an_error_ends_a_turn(engine: Engine) -> None:
    """An engine that fails takes no place along."""
    for _ in range(3):
        with pytest.raises(OSError, match="gone"):
            async with engine.turns.turn("a", RING):
                raise OSError("gone")
    for camera in "abc":
        await engine.begin(camera)
    assert engine.served == [*"ab"]


async def test_a_camera_that_is_gone_is_forgotten(engine: Engine) -> None:
    """A camera that comes back is as new."""
    for camera in "abcd":
        await engine.begin(camera)
    for camera in "abc":
        await engine.end(camera)
    engine.turns.forget("c")
    await engine.begin("e")
    for camera in "ac":
        await engine.begin(camera)
    await engine.end("d")
    assert engine.served[4:] == [*"ec"]


async def test_more_may_go_once_the_engine_wants_more() -> None:
    turns = Turns(1)
    going: list[str] = []
    over = asyncio.Event()

    async def look(camera: str) -> None:
        async with turns.turn(camera, Urgency.MOTION):
            going.append(camera)
            await over.wait()

    tasks = [asyncio.create_task(look(camera)) for camera in "abcde"]
    await asyncio.sleep(0)
    assert going == ["a"]
    turns.allow(3)
    await asyncio.sleep(0)
    assert going == ["a", "b", "c"]
    # An engine of several went: those that go on may end, and nobody else begins before they did.
    turns.allow(1)
    over.set()
    await asyncio.gather(*tasks)
    assert sorted(going) == list("abcde")
    over.clear()
    again = [asyncio.create_task(look(camera)) for camera in "xy"]
    await asyncio.sleep(0)
    assert going[5:] == ["x"]
    over.set()
    await asyncio.gather(*again)
