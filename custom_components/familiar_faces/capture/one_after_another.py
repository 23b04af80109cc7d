"""Several sources of one camera: the next one where one gives nothing, or no face that can be used."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace

from .picture_source import Ask, NoPicture, Pictures, Seen, Source, Trouble, Wish

PATIENCE = 0.75
"""Share of the time that is left within which a source has to give a picture, as long as there is another one."""
WITHOUT_FACE = 6
"""After so many pictures without a usable face, the next source is tried."""


class OneAfterAnother:
    """Sources in the order in which they are tried, within the time of one look."""

    def __init__(self, sources: Sequence[Source], *, until_face: bool = False) -> None:
        """Try these; there is at least one.

        `until_face`: go on to the next one also when none of several pictures has a face that can be used.
        """
        self._sources = sources
        self._until_face = until_face

    def open(self, ask: Ask) -> AbstractAsyncContextManager[Pictures]:
        """Take pictures for a look from now on."""
        if len(self._sources) == 1:
            return self._sources[0].open(ask)
        return self._async_open(ask)

    @asynccontextmanager
    async def _async_open(self, ask: Ask) -> AsyncGenerator[Pictures]:
        async with AsyncExitStack() as stack:
            yield _InTurn(self._sources, ask, stack, until_face=self._until_face)


class _InTurn:
    def __init__(
        self, sources: Sequence[Source], ask: Ask, stack: AsyncExitStack, *, until_face: bool
    ) -> None:
        self._until_face = until_face
        self._left = list(sources)
        self._ask = ask
        self._stack = stack
        self._until = asyncio.get_running_loop().time() + ask.seconds
        self._pictures: Pictures | None = None
        self._waited = 0.0
        self._without = 0
        self._trouble: Trouble | None = Trouble.NO_PICTURE

    @property
    def waited(self) -> float:
        return self._waited + (self._pictures.waited if self._pictures is not None else 0.0)

    @property
    def newest(self) -> bytes | None:
        return None if self._pictures is None else self._pictures.newest

    @property
    def trouble(self) -> Trouble | None:
        return self._trouble

    async def ready(self) -> bool:
        while True:
            if self._pictures is None and not await self._async_next():
                return False
            assert self._pictures is not None
            try:
                if await self._pictures.ready():
                    self._trouble = None
                    return True
            except NoPicture as err:
                if self._trouble is Trouble.NO_PICTURE:
                    self._trouble = err.trouble
                if not await self._async_next():
                    if self._trouble is None:
                        return False
                    raise
            else:
                return False

    async def see(self, wish: Wish) -> Seen:
        assert self._pictures is not None, "`ready` was asked before"
        seen = await self._pictures.see(wish)
        self._without = 0 if any(each.quality.usable for each in seen.faces.faces) else self._without + 1
        if self._until_face and self._without >= WITHOUT_FACE:
            await self._async_next()
        return seen

    async def _async_next(self) -> bool:
        """Go on with the next source; return whether there is one, and time."""
        left = self._until - asyncio.get_running_loop().time()
        if not self._left or left <= 0:
            return False
        if self._pictures is not None:
            self._waited += self._pictures.waited
            await self._stack.aclose()
        self._without = 0
        source = self._left.pop(0)
        patience = left * PATIENCE if self._left else None
        ask = replace(self._ask, seconds=left, patience=patience)
        self._pictures = await self._stack.enter_async_context(source.open(ask))
        return True
