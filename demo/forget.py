"""The story of a visitor who agrees, is recognised, and says no; then every byte is searched for them."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from io import BytesIO
import json
from pathlib import Path
from zipfile import ZipFile

from . import browser
from .client import Client, DemoFailed
from .home import DOMAIN
from .house import FAMILIAR, GLANCE_SECONDS, House, Say
from .scene import photos
from .search import Found, Needles, search
from .visitor import visiting

NAME = "Quintessa"
"""Found nowhere by accident."""

type Pause = Callable[[str], Awaitable[None]]


@dataclass(slots=True)
class Story:
    """What happened."""

    needles: Needles = field(default_factory=Needles)
    named: str | None = None
    confidence: float | None = None
    shown: tuple[int, int] = (0, 0)
    """Photos and visits on the visitor's own page."""
    exported: list[str] = field(default_factory=list)
    name_before: int = 0
    """Files that held the name before the withdrawal: the search finds what is there."""
    receipt: dict[str, int] = field(default_factory=dict)
    link_open: bool = True
    afterwards: str | None = None
    """What the same visitor is after the withdrawal; None when nobody is left to be recognised."""

    @property
    def right(self) -> bool:
        """Return whether all of it went as it should, up to the withdrawal and just after."""
        return (
            self.named == NAME
            and self.shown[0] > 0
            and self.shown[1] == 1
            and self.name_before > 0
            and not self.link_open
            and sum(self.receipt.values()) > 0
            and self.afterwards != "familiar"
        )


async def play(
    house: House, client: Client, folder: Path, say: Say, *, pause: Pause | None, pictures: Path | None
) -> Story:
    """Play the story in a running Home Assistant with a camera and nobody enrolled."""
    story, name = Story(), Needles()
    for needles in (story.needles, name):
        needles.add_name(NAME)
    invitation = await client.call(DOMAIN, "invite", {}, answer=True)
    say(f"The owner makes an invitation; it is open until {invitation['expires_at']}.")
    async with browser.opened() as chromium, visiting(chromium, pictures) as visitor:
        text = await visitor.read_invitation(invitation["url"])
        say(
            f"The visitor opens it on their phone and reads {len(text.split())} words. They choose, and say yes."
        )
        await visitor.agree(NAME)
        for number, photo in enumerate(photos(), start=1):
            said = await visitor.take_selfie(photo)
            story.needles.add_data("selfie", photo)
            say(f"Selfie {number}: {said}")
        await visitor.finish()
        say(f"{NAME} is enrolled, and has a link of their own.")

        await house.listen()
        ring = await house.ring(FAMILIAR)
        if ring is not None:
            story.named, story.confidence = ring.person, ring.confidence
        say(f"They ring. -> {story.named or 'Somebody'} is at the front door.")
        story.shown = await visitor.see_what_is_kept()
        say(f"Their own page shows {story.shown[0]} photos and {story.shown[1]} visit.")
        story.exported = look_into(await visitor.download(), story.needles)
        say(f"They take everything along: {len(story.exported)} files in a zip.")
        before = await asyncio.to_thread(search, folder, name)
        story.name_before = len(before.places.get("name", ()))
        say(
            f"Before: the name is in {story.name_before} of {before.files} files under the configuration folder."
        )

        if pause is not None:
            await pause(
                f"Home Assistant: {client.url}. Look around; then press Enter, and the visitor says no."
            )
        story.receipt = await visitor.withdraw()
        counts = ", ".join(f"{count} {what}" for what, count in story.receipt.items() if count)
        say(f"The visitor says no. The receipt: {counts}.")
        story.link_open = await visitor.is_let_in()
        ring = await house.ring(FAMILIAR, GLANCE_SECONDS)
        story.afterwards = None if ring is None else ring.decision
        if ring is None:
            say(
                "They ring again. -> Nothing: nobody who agreed is left, so the camera is not even looked at."
            )
        else:
            say(f"They ring again. -> {ring.decision.capitalize()}.")
    return story


def look_for(folder: Path, story: Story, say: Say) -> Found:
    """Search what a stopped Home Assistant has left."""
    say(f"Home Assistant is stopped. {story.needles.count} pieces of {NAME} are searched for in every byte.")
    found = search(folder, story.needles)
    for what, places in found.places.items():
        say(f"FOUND: {what} in {', '.join(places)}")
    if not found.places:
        say(f"Nothing was found in {found.files} files, {found.bytes / 1e6:.0f} MB.")
    return found


def summary(story: Story, found: Found) -> dict[str, object]:
    """Return the counts for programs."""
    return {
        "named": story.named,
        "confidence": story.confidence,
        "shown": {"photos": story.shown[0], "visits": story.shown[1]},
        "exported_files": len(story.exported),
        "receipt": story.receipt,
        "link_open": story.link_open,
        "afterwards": story.afterwards,
        "search": {
            "pieces": story.needles.count,
            "files": found.files,
            "bytes": found.bytes,
            "files_with_the_name_before": story.name_before,
            "found": {what: len(places) for what, places in found.places.items()},
        },
    }


def look_into(archive: bytes, needles: Needles) -> list[str]:
    """Take from an export what is to be searched for: photos, pictures and templates."""
    with ZipFile(BytesIO(archive)) as zipped:
        if (broken := zipped.testzip()) is not None:
            raise DemoFailed(f"The export is damaged: {broken}.")
        names = zipped.namelist()
        pictures = [name for name in names if name.endswith(".jpg")]
        for name in pictures:
            needles.add_data("face crop", zipped.read(name))
        templates = _embeddings(json.loads(zipped.read("data.json")))
    if not pictures or not templates:
        raise DemoFailed(f"The export holds {len(pictures)} pictures and {len(templates)} templates.")
    for template in templates:
        needles.add_data("template", template)
    return names


def _embeddings(data: object) -> list[bytes]:
    """Return every embedding in an export, wherever it stands."""
    if isinstance(data, dict):
        found = [base64.b64decode(value) for key, value in data.items() if key == "embedding"]
        return found + [each for value in data.values() for each in _embeddings(value)]
    if isinstance(data, list):
        return [each for value in data for each in _embeddings(value)]
    return []
