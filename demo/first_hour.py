"""The first hour of an owner: from "Add integration" to a named visitor and a notification, by clicks alone.

Every click is counted in the browser itself. What is pressed is found by the keys of the translations, so the same
walk is done in every language.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import json
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Error, Locator, Page, ViewportSize

from . import browser, docs_pictures
from .album import Album
from .browser import CAMERA_SECONDS, ENGINE_SECONDS, PATIENCE_SECONDS, SETTLED, TITLE
from .client import DemoFailed, Websocket
from .home import DOMAIN, PASSWORD, SOURCE, USER
from .house import CAMERA, FAMILIAR, NAME
from .phones import ANDROID, PHONE, Receiver
from .scene import photos
from .stage import Stage

LANGUAGES = ("en", "de", "nl")
WIDTHS = (1280, 375)
DOCS = ("en", 1280)
"""How the walk is made after which the pictures in the docs are taken."""
HEIGHT = {1280: 900, 375: 812}
MOST_TO_NAME = 20
MOST_TO_PHONE = 26
"""How many clicks it may take until the first visitor is named, and until a phone is notified of one."""
COUNT_CLICKS = """
addEventListener("pointerdown", (event) => { if (event.isTrusted) window.countClick(); }, {capture: true});
"""


@dataclass(slots=True)
class Clicks:
    """How many clicks it took so far."""

    count: int = 0
    steps: dict[str, int] = field(default_factory=dict)
    """How many it were when a step was done."""

    def note(self, step: str) -> None:
        """Note that a step is done."""
        self.steps[step] = self.count


class Words:
    """The texts of one language, by their keys: ours from our files, Home Assistant's from its frontend."""

    def __init__(self, language: str) -> None:
        """Read our texts."""
        self.language = language
        self._ours: dict[str, Any] = json.loads((SOURCE / "translations" / f"{language}.json").read_text())

    def __call__(self, *keys: str) -> str:
        """Return one of our texts."""
        found: Any = self._ours
        for key in keys:
            found = found[key]
        return str(found)


class Owner:
    """Somebody at Home Assistant's frontend who has never seen this before."""

    def __init__(self, page: Page, url: str, words: Words, clicks: Clicks, pictures: Path | None) -> None:
        """Use an open page that somebody is logged in to."""
        self._page = page
        self._url = url
        self._words = words
        self._clicks = clicks
        self._pictures = pictures
        self._number = 0

    # The steps

    async def add_integration(self) -> None:
        """Add Familiar Faces, with its engine on this machine."""
        await self._show("/config/integrations/dashboard")
        await self._press("ui.panel.config.integrations.add_integration")
        brands = self._page.locator("dialog-add-integration")
        await brands.locator("ha-input-search input").fill(TITLE)
        await brands.locator("ha-integration-list-item").filter(has_text=TITLE).first.click()
        await self._reach("config", "step", "user", "title")
        await self._submit()
        await self._reach("config", "step", "where", "title")
        await self._option("config", "step", "where", "menu_options", "this_machine")
        done = self._dialog.locator("step-flow-create-entry")
        camera = self._page.get_by_text(
            self._words("config_subentries", "camera", "step", "user", "title"), exact=True
        )
        failed = self._page.get_by_text(self._words("config", "step", "cannot_prepare", "title"))
        await done.or_(camera).or_(failed).first.wait_for(timeout=ENGINE_SECONDS * 1000)
        if await failed.count():
            raise DemoFailed(f"The engine cannot run here: {await self._dialog.inner_text()}")
        self._clicks.note("integration")
        await self._seen("engine-ready")

    async def add_camera(self, camera: str) -> None:
        """Add the front door's camera, in the dialog that opens by itself."""
        await self._reach("config_subentries", "camera", "step", "user", "title")
        await self._choose_entity(camera)
        await self._seen("camera")
        await self._submit()
        await self._reach("config_subentries", "camera", "step", "still", "title", seconds=CAMERA_SECONDS)
        await self._seen("still")
        await self._option("config_subentries", "camera", "step", "still", "menu_options", "save")
        await self._finish()
        self._clicks.note("camera")

    async def add_person(self, name: str, files: list[Path], phone: str, *, pictured: bool = False) -> None:
        """Add a person who agrees here and now, with photos, and have a phone notified of everybody.

        `pictured`: they agree to pictures of their visits, too.
        """
        step = ("config_subentries", "person", "step")
        await self._open_integration()
        await self._press_text(self._words("config_subentries", "person", "initiate_flow", "user"))
        await self._option(*step, "user", "menu_options", "here")
        await self._dialog.get_by_role("textbox", name=self._words(*step, "here", "data", "name")).fill(name)
        await self._seen("who")
        await self._submit()
        await self._dialog.locator("ha-selector-language").wait_for()
        await self._seen("consent")
        await self._submit()
        await self._dialog.locator("ha-selector-select ha-checkbox").first.wait_for()
        await self._seen("agree")
        await self._dialog.locator("ha-selector-select ha-checkbox").first.click()
        visits = self._words("selector", "keeping", "options", "visits")
        await self._dialog.get_by_role("radio", name=visits).click(force=True)
        switches = self._dialog.locator("ha-selector-boolean")
        for switch in (switches.first, switches.last) if pictured else (switches.last,):
            await switch.locator("input").click(force=True)
        await self._submit()
        for photo in files:
            await self._option(*step, "photos", "menu_options", "photo")
            await self._choose_file(photo)
            await self._submit()
            await self._dialog.locator("step-flow-menu").wait_for()
            await self._seen("photo")
            # With the first good photo they are saved, and recognised from then on.
            self._clicks.steps.setdefault("name", self._clicks.count)
        await self._option(*step, "photos", "menu_options", "finish")
        await self._reach(*step, "phones", "title")
        await self._dialog.locator("ha-selector-select").get_by_text(phone).click()
        await self._seen("phone")
        await self._submit()
        await self._dialog.locator("step-flow-create-entry").wait_for()
        self._clicks.note("phone")
        await self._finish()

    # What is pressed

    @property
    def _dialog(self) -> Locator:
        return self._page.locator("dialog-data-entry-flow")

    async def _show(self, path: str) -> None:
        await self._page.goto(self._url + path)
        await self._page.locator("home-assistant-main").wait_for(state="attached")
        await self._page.wait_for_load_state("networkidle")
        await self._page.wait_for_timeout(SETTLED)

    async def _open_integration(self) -> None:
        """Be at the integration's page, where Home Assistant leaves a user who closes its dialogs."""
        if f"/integration/{DOMAIN}" not in self._page.url:
            await self._show(f"/config/integrations/integration/{DOMAIN}")

    async def _said_by_frontend(self, key: str) -> str:
        """Return one of the frontend's own texts."""
        said: str = await self._page.evaluate(
            "key => document.querySelector('home-assistant').hass.localize(key)", key
        )
        return said

    async def _press(self, key: str) -> None:
        await self._press_text(await self._said_by_frontend(key))

    async def _press_text(self, text: str) -> None:
        await self._page.get_by_role("button", name=text, exact=True).last.click()

    async def _reach(self, *keys: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait for the title of a step."""
        await self._page.get_by_text(self._words(*keys), exact=True).first.wait_for(timeout=seconds * 1000)
        await self._page.wait_for_timeout(SETTLED)

    async def _submit(self) -> None:
        """Press the button that goes on, whatever it is called."""
        await self._dialog.locator("step-flow-form").wait_for()
        await self._dialog.locator("ha-dialog-footer ha-button, .buttons ha-button").last.click()
        await self._page.wait_for_timeout(SETTLED)

    async def _option(self, *keys: str) -> None:
        offered = self._dialog.locator("step-flow-menu").locator("ha-list-item, ha-list-item-button")
        await offered.filter(has_text=self._words(*keys)).first.click()

    async def _choose_entity(self, name: str) -> None:
        """Choose an entity, unless it is chosen already."""
        picker = self._dialog.locator("ha-generic-picker").last
        if await picker.get_by_text(name, exact=True).count():
            return
        await picker.locator("ha-picker-field, ha-button").first.click()
        found = self._dialog.locator("ha-picker-combo-box ha-combo-box-item").filter(has_text=name)
        await found.first.click()
        await self._page.wait_for_timeout(SETTLED)

    async def _choose_file(self, path: Path) -> None:
        """Choose a file, as a click on the field and one in the system's own window."""
        await self._dialog.locator("input[type=file]").first.set_input_files(path)
        self._clicks.count += 2
        await self._page.get_by_text(path.name).first.wait_for()

    async def _finish(self) -> None:
        """Leave the last page of a flow."""
        last = self._dialog.locator("step-flow-create-entry")
        await last.wait_for()
        await self._seen("done")
        await self._dialog.locator("ha-dialog-footer ha-button, .buttons ha-button").last.click()
        await last.wait_for(state="detached")

    async def _seen(self, name: str) -> None:
        if self._pictures is None:
            return
        self._number += 1
        await self._page.wait_for_timeout(SETTLED)
        size = self._page.viewport_size or {"width": 0}
        file = f"{self._number:02}-{name}.{self._words.language}.{size['width']}.png"
        await self._page.screenshot(path=self._pictures / file)


@asynccontextmanager
async def an_owner(
    chromium: Browser, url: str, *, language: str, width: int, clicks: Clicks, pictures: Path | None
) -> AsyncGenerator[Owner]:
    """Yield an owner who is logged in; pictures of the steps go into a folder."""
    context = await chromium.new_context(
        viewport=ViewportSize(width=width, height=HEIGHT[width]), locale=language
    )
    context.set_default_timeout(PATIENCE_SECONDS * 1000)

    def count() -> None:
        clicks.count += 1

    await context.expose_function("countClick", count)
    await context.add_init_script(COUNT_CLICKS)
    page = await context.new_page()
    try:
        await page.goto(url)
        await page.locator("#username").fill(USER)
        await page.locator("#password").fill(PASSWORD)
        await page.locator("#password").press("Enter")
        await page.locator("home-assistant-main").wait_for(state="attached")
        # Logging in is not counted.
        clicks.count = 0
        yield Owner(page, url, Words(language), clicks, pictures)
    except Error:
        if pictures is not None:
            await page.screenshot(path=pictures / f"failed.{language}.{width}.png")
        raise
    finally:
        await context.close()


async def play(
    stage: Stage,
    receiver: Receiver,
    language: str,
    width: int,
    pictures: Path | None,
    *,
    docs: Path | None = None,
) -> Clicks:
    """Do the whole walk in a new home; return how many clicks it took. Raises DemoFailed.

    The pictures in the docs are taken, if there is a folder for them: most of them afterwards.
    """
    clicks = Clicks()
    album = None if docs is None else Album(docs)
    house, camera, folder = stage.house, stage.camera, stage.folder
    await speak(stage.socket, language)
    await receiver.add_phone(PHONE, ANDROID, stage.client)
    paths = []
    # One photo is enough to begin with.
    for number, photo in enumerate(photos()[:1], start=1):
        paths.append(folder / f"{NAME.lower()}-{number}.jpg")
        await asyncio.to_thread(paths[-1].write_bytes, photo)
    async with (
        browser.opened() as chromium,
        an_owner(
            chromium, stage.url, language=language, width=width, clicks=clicks, pictures=pictures
        ) as owner,
    ):
        await owner.add_integration()
        await house.wait_for_engine()
        await camera.show(FAMILIAR, ready=1)
        await owner.add_camera(CAMERA)
        await camera.show(None)
        if album is not None:
            await docs_pictures.take_before_anybody(chromium, stage, album)
        await owner.add_person(NAME, paths, PHONE, pictured=docs is not None)
    await house.listen()
    receiver.step = NAME
    ring = await house.ring(FAMILIAR)
    if ring is None or ring.person != NAME:
        raise DemoFailed(f"{NAME} was not named: {ring}.")
    heard = await receiver.hear(NAME, 2, PATIENCE_SECONDS, 0)
    if not any(NAME in each.message for each in heard):
        raise DemoFailed(f"{PHONE} was not notified of {NAME}.")
    if album is not None:
        async with browser.opened() as chromium:
            await docs_pictures.take(chromium, stage, album)
    return clicks


async def speak(socket: Websocket, language: str) -> None:
    """Have Home Assistant speak a language to the user."""
    value = {
        "language": language,
        "number_format": "language",
        "time_format": "language",
        "date_format": "language",
        "first_weekday": "language",
        "time_zone": "local",
    }
    await socket.command("frontend/set_user_data", key="language", value=value)


def too_many(clicks: Clicks) -> list[str]:
    """Return what took more clicks than it may."""
    goals = {"name": MOST_TO_NAME, "phone": MOST_TO_PHONE}
    return [
        f"{step}: {clicks.steps[step]} clicks, at most {most}"
        for step, most in goals.items()
        if clicks.steps.get(step, most + 1) > most
    ]
