"""An engine is asked to judge faces only where the owner chose it, and where its last answer said that it can."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.capture.picture_source import Ask, Pictures, Seen, Trouble, Wish
from custom_components.familiar_faces.engine.protocol import Faces
from custom_components.familiar_faces.host.engine_errors import ImageRejected
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.recognising.look_taking import Clock, LookTaking
from custom_components.familiar_faces.visits.look import Look
from custom_components.familiar_faces.visits.turns import Urgency


class Engines:
    """Pictures that are looked at by one engine after the other; those before the option refuse to be asked."""

    waited = 0.0
    newest: bytes | None = b"a picture"
    trouble: Trouble | None = None

    def __init__(self, *judging: bool) -> None:
        self._judging = list(judging)
        self.asked: list[bool] = []

    def open(self, ask: Ask) -> AbstractAsyncContextManager[Pictures]:
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncGenerator[Pictures]:
        yield self

    async def ready(self) -> bool:
        return bool(self._judging)

    async def see(self, wish: Wish) -> Seen:
        judges = self._judging.pop(0)
        self.asked.append(wish.judge)
        if wish.judge and not judges:
            raise ImageRejected("not_an_image", "judge is not a parameter")
        return Seen(Faces("sface", (640, 480), (), {}, judges=judges), dt_util.utcnow())


@pytest.mark.parametrize(
    ("judge", "engines", "asked"),
    [
        (True, (True, True, True), [False, True, True]),
        (True, (False, False, False), [False, False, False]),
        # One that is older takes over: one picture is lost to it, and no more.
        (True, (True, False, False, True, True), [False, True, False, False, True]),
        (False, (True, True, True), [False, False, False]),
    ],
)
async def test_who_is_asked(hub: Hub, judge: bool, engines: tuple[bool, ...], asked: list[bool]) -> None:
    source = Engines(*engines)
    taking = LookTaking(hub, "door", source)
    look = Look(dt_util.utcnow(), judge=judge)

    async def on_seen(seen: Seen) -> None:
        look.frames += 1

    await taking.async_take(
        look,
        Clock(),
        5.0,
        urgency=lambda: Urgency.RING,
        on_picture=lambda picture: None,
        on_seen=on_seen,
        leave=lambda: False,
    )
    assert source.asked == asked
