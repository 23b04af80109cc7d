"""The pictures in the docs as files: few colours, and several beside each other where a page shows them so."""

from collections.abc import Awaitable, Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.async_api import Error, FloatRect, Locator, Page

from .browser import SETTLED
from .client import DemoFailed
from .stage import say

NAMES = frozenset(
    {
        "alert-about",
        "alert-who-is-told",
        "automation-editor",
        "blueprints",
        "conditions",
        "device-triggers",
        "front-door",
        "integration",
        "logbook",
        "notice-phone",
        "notification",
        "panel",
        "panel-cameras",
        "panel-card",
        "panel-editor",
        "panel-me",
        "panel-people",
        "panel-person",
        "panel-phone",
        "panel-privacy",
        "panel-receipt",
        "panel-todo",
        "panel-walk-up",
        "person",
        "triggers",
        "visitor-consent-phone",
        "visitor-own-page-phone",
    }
)
"""Every picture in the docs."""
_GAP = 12
_GROUND = (250, 250, 250)
"""The colour of the frontend behind its cards."""
_COLOURS = (256, 128)
"""How many colours a picture has: fewer where it is too large otherwise, before it is made smaller."""
_MOST_BYTES = 150_000
"""Bytes of a picture: the docs are read on the road, too."""


class Album:
    """Takes the pictures into a folder."""

    def __init__(self, folder: Path) -> None:
        """Have none yet."""
        self.folder = folder
        self._parts: dict[str, list[Image.Image]] = {}
        self._taken: set[str] = set()

    async def page(self, name: str, page: Page, clip: FloatRect | None = None) -> None:
        """Take what can be seen of a page, or a part of it."""
        await page.wait_for_timeout(SETTLED)
        self._save(name, _image(await page.screenshot(clip=clip)))

    async def element(self, name: str, element: Locator, most: float | None = None) -> None:
        """Take an element alone; `most`: pixels of its height from its top on."""
        await element.page.wait_for_timeout(SETTLED)
        image = _image(await element.screenshot())
        self._save(
            name, image if most is None else image.crop((0, 0, image.width, min(image.height, int(most))))
        )

    async def part(self, name: str, element: Locator) -> None:
        """Take an element as one of several that one picture shows."""
        await element.page.wait_for_timeout(SETTLED)
        self._parts.setdefault(name, []).append(_image(await element.screenshot()))

    def put_together(self, name: str, columns: int, most: int, scale: float = 1.0) -> None:
        """Make one picture of all its parts, in rows; `most`: pixels of a part's height from its top on."""
        parts = [each.crop((0, 0, each.width, min(each.height, most))) for each in self._parts[name]]
        image = _beside(parts, columns)
        if scale != 1.0:
            size = (round(image.width * scale), round(image.height * scale))
            image = image.resize(size, Image.Resampling.LANCZOS)
        self._save(name, image)

    async def tried(self, work: Awaitable[None]) -> None:
        """Go on when something is not as it should be in the browser: one walk then says all that is missing."""
        try:
            await work
        except (Error, DemoFailed) as err:
            say(f"A picture was not taken: {str(err)[:600]}")

    def check(self) -> None:
        """Raise DemoFailed unless every picture in the docs was taken, and no other."""
        if odd := self._taken ^ NAMES:
            raise DemoFailed(f"These pictures were not taken, or are in no page: {', '.join(sorted(odd))}.")

    def _save(self, name: str, image: Image.Image) -> None:
        path = self.folder / f"{name}.png"
        while not any(_write(image, path, colours) for colours in _COLOURS):
            size = (round(image.width * 0.85), round(image.height * 0.85))
            image = image.resize(size, Image.Resampling.LANCZOS)
        self._taken.add(name)


def _write(image: Image.Image, path: Path, colours: int) -> bool:
    """Write a picture with so many colours, and return whether it is small enough."""
    few = image.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    return path.stat().st_size < _MOST_BYTES


def _image(png: bytes) -> Image.Image:
    with Image.open(BytesIO(png)) as image:
        return image.convert("RGB")


def _beside(parts: Sequence[Image.Image], columns: int) -> Image.Image:
    """Return them in rows, each at the top of its place."""
    rows = [parts[at : at + columns] for at in range(0, len(parts), columns)]
    width = max(sum(each.width + _GAP for each in row) for row in rows) - _GAP
    heights = [max(each.height for each in row) for row in rows]
    image = Image.new("RGB", (width, sum(heights) + _GAP * (len(rows) - 1)), _GROUND)
    top = 0
    for row, height in zip(rows, heights, strict=True):
        left = 0
        for each in row:
            image.paste(each, (left, top))
            left += each.width + _GAP
        top += height + _GAP
    return image
