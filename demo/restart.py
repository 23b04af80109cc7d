"""Home Assistant is started again, the whole of its process, while somebody looks at the panel."""

from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Error, Page, expect

from . import browser, home
from .client import Client, DemoFailed
from .house import CAMERA, FAMILIAR, NAME, STRANGERS, House
from .stage import Stage, say

BACK_DOOR = "Back door"
PATIENCE = 120_000
"""Milliseconds until the panel shows what it should: Home Assistant takes its time to start."""
OFFLINE = "Home Assistant cannot be reached."


@dataclass(slots=True)
class Story:
    """What the panel showed."""

    shown: dict[str, list[str]] = field(default_factory=dict)
    """The visits of the list after each step."""
    loaded: int = 0
    """How often the window was loaded."""
    errors: list[str] = field(default_factory=list)
    """What went wrong in the panel's program."""


async def play(stage: Stage, folder: Path, port: int, pictures: Path | None = None) -> Story:
    """Restart Home Assistant in order, with an answer that waits, and then by pulling the plug."""
    story, house = Story(), stage.house
    for visitor, door in ((FAMILIAR, CAMERA), (FAMILIAR, BACK_DOOR), (STRANGERS[0], CAMERA)):
        if await house.ring(visitor, at=door) is None:
            raise DemoFailed(f"{visitor} was not seen at the {door.lower()}.")
    async with browser.opened() as chromium, browser.logged_in(chromium, stage.url) as frontend:
        page = frontend.page
        page.on("pageerror", lambda error: _note_error(story, error))
        page.on("load", lambda _: setattr(story, "loaded", story.loaded + 1))
        await frontend.show("/familiar-faces")
        story.loaded = 0
        await _note(story, page, "before", 3)

        back = page.get_by_role("article", name=f"{NAME}, {BACK_DOOR}")
        await back.get_by_role("button", name="Nobody I know").click()
        await expect(back.get_by_text("You chose: nobody I know")).to_be_visible(timeout=PATIENCE)
        say(
            f"The answer waits: nobody I know at the {BACK_DOOR.lower()}. Home Assistant is stopped in order."
        )
        await stage.running.stop()
        await expect(page.get_by_text(OFFLINE)).to_be_visible(timeout=PATIENCE)
        if pictures is not None:
            await page.screenshot(path=pictures / "panel-offline.png")
        async with home.launched(folder, port, serves=home.KNOWN) as running:
            again = await _moved_in(stage, house)
            # The stranger was in memory alone, and the answer was carried out.
            await _note(story, page, "restarted", 1)
            await again.ring(FAMILIAR, at=BACK_DOOR)
            await _note(story, page, "came", 2)
            newest = page.locator("familiar-faces-visit article").first
            await newest.get_by_role("button", name="Right").click()
            await expect(newest.get_by_text("Confirmed by you")).to_be_visible(timeout=PATIENCE)
            say("The plug is pulled.")
            await running.kill()
        await expect(page.get_by_text(OFFLINE)).to_be_visible(timeout=PATIENCE)
        async with home.launched(folder, port, serves=home.KNOWN):
            again = await _moved_in(stage, house)
            await _note(story, page, "killed", 2)
            await again.ring(FAMILIAR, at=CAMERA)
            await _note(story, page, "came again", 3)
    return story


def _note_error(story: Story, error: Error) -> None:
    """Note an error of our program; the frontend has its own when a connection is lost."""
    if "familiar-faces" in (error.stack or ""):
        story.errors.append(error.stack or "")


async def _moved_in(stage: Stage, house: House) -> House:
    """Return the house as the Home Assistant that was started again knows it, once its engine runs."""
    client = Client(stage.session, stage.url)
    await client.log_in(home.USER, home.PASSWORD)
    again = House(client, await client.websocket(), say)
    again.move_in(house)
    await again.wait_until_running()
    await again.wait_for_engine()
    await again.listen()
    return again


async def _note(story: Story, page: Page, step: str, count: int) -> None:
    """Note which visits are listed, once there are so many and the panel says that they are of now."""
    rows = page.locator("familiar-faces-visit article")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=PATIENCE)
    await expect(rows).to_have_count(count, timeout=PATIENCE)
    names = [await each.get_attribute("aria-label") or "" for each in await rows.all()]
    # Without the time.
    story.shown[step] = [", ".join(name.split(", ")[:2]) for name in names]
    say(f"The panel lists: {'; '.join(story.shown[step])}.")
