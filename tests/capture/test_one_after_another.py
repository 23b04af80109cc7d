"""Several sources of one camera: the next one where one gives nothing, or no face that can be used."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.capture.one_after_another import WITHOUT_FACE, OneAfterAnother
from custom_components.familiar_faces.capture.picture_source import Ask, NoPicture, Seen, Trouble, Wish
from custom_components.familiar_faces.engine.protocol import Faces


@dataclass
class Source:
    """A source that shows nobody, so many times, or fails."""

    pictures: int
    trouble: Trouble | None = None
    waited: float = 1.0
    newest: bytes | None = None
    opened: list[Ask] = field(default_factory=list)
    closed: int = 0

    @asynccontextmanager
    async def open(self, ask: Ask) -> AsyncGenerator[Source]:
        """Begin."""
        self.opened.append(ask)
        yield self
        self.closed += 1

    async def ready(self) -> bool:
        """Return whether there is one more."""
        if self.trouble is not None:
            raise NoPicture(self.trouble, "camera.a")
        return self.pictures > 0

    async def see(self, wish: Wish) -> Seen:
        """See nobody."""
        self.pictures -= 1
        return Seen(Faces("sface", (640, 480), (), {}), dt_util.utcnow())


def ask() -> Ask:
    """Return what a look asks."""
    return Ask(dt_util.utcnow(), 8.0, lambda: None)  # type: ignore[arg-type, return-value]


async def count(*sources: Source, until_face: bool = False) -> int:
    """Look at everything; return how many pictures there were."""
    number = 0
    async with OneAfterAnother(sources, until_face=until_face).open(ask()) as pictures:
        while await pictures.ready():
            await pictures.see(Wish())
            number += 1
    assert [each.closed for each in sources] == [len(each.opened) for each in sources]
    return number


async def test_the_second_where_the_first_fails() -> None:
    """The look goes on with the second within its time."""
    first, second = Source(0, Trouble.NO_PICTURE), Source(3)
    assert await count(first, second) == 3
    assert second.opened[0].seconds <= first.opened[0].seconds


async def test_a_source_that_works_is_kept() -> None:
    """The second is not even opened, however long nobody comes."""
    first, second = Source(50), Source(3)
    assert await count(first, second) == 50
    assert second.opened == []


async def test_stills_without_a_face() -> None:
    """After several without a usable face, what shows more is tried."""
    first, second = Source(50), Source(3)
    assert await count(first, second, until_face=True) == WITHOUT_FACE + 3


async def test_all_fail() -> None:
    """The first reason is told."""
    with pytest.raises(NoPicture) as raised:
        await count(Source(0, Trouble.NO_PICTURE), Source(0, Trouble.OLD_PICTURE))
    assert raised.value.trouble is Trouble.OLD_PICTURE
