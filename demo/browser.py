"""The demo in a browser: Familiar Faces set up by hand in Home Assistant's own frontend."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
import os
from pathlib import Path
import re
import shutil

from playwright.async_api import Browser, Error, Locator, Page, ViewportSize, async_playwright

from .client import DemoFailed
from .home import DOMAIN, PASSWORD, USER

TITLE = "Familiar Faces"
CHOOSE_CAMERA = "Choose a camera and when it is checked for faces."
ENGINE_SECONDS = 300
CAMERA_SECONDS = 90
PATIENCE_SECONDS = 20
SETTLED = 700
"""Milliseconds after which the frontend's animations are over."""
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

type Shoot = Callable[[str], Awaitable[None]]
type ShootPage = Callable[[Page, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Look:
    """On what the pages are looked at."""

    name: str
    width: int
    height: int
    dark: bool


DESKTOP = Look("desktop-light", 1280, 900, False)
LOOKS = (
    DESKTOP,
    Look("desktop-dark", 1280, 900, True),
    Look("phone-light", 390, 844, False),
    Look("phone-dark", 390, 844, True),
)


def chromium() -> str | None:
    """Return the Chromium of this machine."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@asynccontextmanager
async def opened() -> AsyncGenerator[Browser]:
    """Yield a browser; raise DemoFailed when there is none or when a page is not as it should be."""
    if (path := chromium()) is None:
        raise DemoFailed("There is no Chromium on this machine: install it, or name it in CHROMIUM.")
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
            try:
                yield browser
            finally:
                await browser.close()
    except Error as err:
        raise DemoFailed(f"In the browser something was not found: {err.message[:1500]}") from err


class Frontend:
    """A page of the frontend that somebody is logged in to."""

    def __init__(self, page: Page, url: str, shoot: Shoot) -> None:
        """Use an open page; `shoot` is called with the name of each step that can be seen."""
        self.page = page
        self._url = url
        self._shoot = shoot

    async def show(self, path: str) -> None:
        """Go to a page and wait until it stands still."""
        await self.page.goto(self._url + path)
        await self.page.locator("home-assistant-main").wait_for(state="attached")
        await self.page.wait_for_load_state("networkidle")
        await self.page.wait_for_timeout(SETTLED)

    async def see(self, text: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until a text can be seen."""
        await self.page.get_by_text(text).first.wait_for(timeout=seconds * 1000)

    async def begin_integration(self) -> None:
        """Open Settings > Devices & services > Add integration > Familiar Faces."""
        await self.show("/config/integrations/dashboard")
        await self._press("Add integration")
        brands = self.page.locator("dialog-add-integration")
        await brands.locator("ha-input-search input").fill(TITLE)
        await brands.locator("ha-integration-list-item").filter(has_text=TITLE).first.click()
        await self.see("Who is at the door?")
        await self.seen("add-1-what-it-is")

    async def choose_engine(self) -> None:
        """Go on to where the engine runs."""
        await self._press("Next")
        await self.see("Where should faces be recognised?")
        await self.seen("add-2-where")

    async def add_integration(self) -> None:
        """Add the integration, with its engine on this machine."""
        await self.begin_integration()
        await self.choose_engine()
        await self._option("On this machine").click()
        await self.seen("add-3-preparing")
        # Home Assistant goes on with the first camera.
        camera = self.page.get_by_text(CHOOSE_CAMERA)
        failed = self.page.get_by_text("The engine cannot run here yet")
        await camera.or_(failed).first.wait_for(timeout=ENGINE_SECONDS * 1000)
        if await failed.count():
            raise DemoFailed(f"The engine cannot run here yet: {await self._dialog().inner_text()}")

    async def begin(self, what: str) -> None:
        """Open the page of the integration and press a button to add something."""
        await self.show(f"/config/integrations/integration/{DOMAIN}")
        await self._press(what)

    async def add_camera(self, camera: str) -> str:
        """Add a camera that is looked at when somebody rings; return what was found in its still.

        In the dialog that is open after the integration was added.
        """
        await self.see(CHOOSE_CAMERA)
        # The only camera is chosen already, and the bell of its area found.
        await self.see(camera)
        await self.seen("camera-1-which")
        await self._press("Next")
        # Each way to get its pictures is tried first.
        await self.see("What the camera shows", CAMERA_SECONDS)
        await self.seen("camera-3-still")
        found = await self.page.get_by_text("face, ").or_(self.page.get_by_text("No face")).first.inner_text()
        await self._option("Save the camera").click()
        await self._finish()
        return found

    async def add_person(self, name: str, photos: list[Path]) -> list[str]:
        """Add a person with their consent and photos; return what was said of each photo."""
        await self.begin("Add person")
        await self._option("Here and now").click()
        await self.page.get_by_role("textbox", name="Name").fill(name)
        await self.seen("person-1-who")
        await self._press("Next")
        await self.see(f"Read this to {name}")
        await self.seen("person-2-consent")
        await self._press("Next")
        await self.see("after reading the text")
        await self._dialog().locator("ha-selector-select ha-checkbox").first.click()
        await self._dialog().get_by_role("radio", name="Recognise and keep visits").click(force=True)
        await self._toggle()
        await self.seen("person-3-they-agreed")
        await self._press("Save")
        said = []
        for number, photo in enumerate(photos, start=1):
            await self._option("Add a photo").click()
            await self.page.locator("input[type=file]").first.set_input_files(photo)
            await self.see(photo.name)
            await self.seen(f"person-4-photo-{number}")
            await self._press("Save")
            verdict = self.page.get_by_text("This photo is good")
            await verdict.first.wait_for()
            said.append(await verdict.first.inner_text())
            await self.seen(f"person-5-verdict-{number}")
        await self._option("Done").click()
        await self._finish()
        return said

    async def add_alert(self, name: str, who: list[str], recipients: list[str]) -> str:
        """Add an alert, and send a test of it; return what was said of the test."""
        await self._begin_alert(name, who)
        for each in recipients:
            await self._dialog().get_by_role("button", name="Add").first.click()
            await self.page.locator("ha-picker-combo-box ha-combo-box-item").filter(has_text=each).click()
            await self.page.wait_for_timeout(SETTLED)
        await self.seen("alert-3-who-is-told")
        await self._press("Next")
        await self._option("Send a test").click()
        await self.see(f"{recipients[-1]}: ")
        await self.seen("alert-4-tested")
        said = await self._dialog().locator("step-flow-menu li").all_inner_texts()
        await self._option("Save the alert").click()
        await self._finish()
        return " ".join(said)

    async def look_at_alert(self) -> None:
        """Look at the first pages of the dialog for alerts."""
        await self._begin_alert("Strangers at night", ["Strangers"])
        await self.seen("alert-3-who-is-told")
        await self.close()

    async def _begin_alert(self, name: str, who: list[str]) -> None:
        """Add an alert as far as the page that asks who is told."""
        await self.begin("Add alert")
        await self.page.get_by_role("textbox", name="Name of the alert").fill(name)
        for each in who:
            await self._dialog().get_by_text(each, exact=True).click()
        await self.seen("alert-1-about")
        await self._press("Next")
        await self.see("The alert notifies only at these times.")
        await self.seen("alert-2-when")
        await self._press("Next")
        await self.see("People get no notifications about themselves")

    async def look_at_news(self) -> None:
        """Look at what was told, and at what the logbook says."""
        await self.show("/logbook")
        await self.seen("logbook")
        await self.show("/config/automation/dashboard")
        await self.seen("automations")

    async def choose_strictness(self, strictness: str) -> None:
        """Choose how sure to be before a name is said."""
        await self.begin("Configure")
        await self._option("Strictness").click()
        await self.see("How strict?")
        await self.seen("options-1-strictness")
        await self._dialog().get_by_role("radio", name=re.compile(f"^{strictness}:")).click(force=True)
        await self._press("Save")
        await self._finish()

    async def show_integration(self, shot: str) -> None:
        """Open the integration's page."""
        await self.show(f"/config/integrations/integration/{DOMAIN}")
        await self.seen(shot)

    async def show_device(self, name: str, shot: str | None) -> str:
        """Open the page of a device from the integration's page; return what can be read on it."""
        await self.show(f"/config/integrations/integration/{DOMAIN}")
        # The second line of a device's row names others.
        rows = self.page.locator("ha-config-entry-device-row ha-list-item-button")
        await rows.filter(has_text=re.compile(rf"^\s*{re.escape(name)}")).first.click()
        await self.page.wait_for_url("**/config/devices/device/**")
        await self.page.wait_for_load_state("networkidle")
        if shot is not None:
            await self.seen(shot)
        return await self.page.locator("ha-config-device-page").aria_snapshot()

    async def look_around(self) -> None:
        """Look at each page of the integration, and at the first pages of its dialogs."""
        await self.show_integration("integration")
        await self.show_device(TITLE, "device-hub")
        await self.show_device("Front door", "device-camera")
        await self.show_device("Eileen", "device-person")
        await self.choose_strictness("Balanced")
        await self.begin("Add camera")
        await self.see(CHOOSE_CAMERA)
        await self.seen("camera-1-which")
        await self.close()
        await self.begin("Add person")
        await self._option("Here and now").click()
        await self.page.get_by_role("textbox", name="Name").fill("Eileen's sister")
        await self.seen("person-1-who")
        await self._press("Next")
        await self.see("Read this to Eileen's sister")
        await self.seen("person-2-consent")
        await self.close()

    async def close(self) -> None:
        """Give up the flow whose dialog is open."""
        await self.page.get_by_role("button", name="Close").last.click()
        await self.page.wait_for_timeout(SETTLED)

    def _dialog(self) -> Locator:
        return self.page.locator("dialog-data-entry-flow")

    def _option(self, text: str) -> Locator:
        """Return a line of a flow's menu."""
        # The second one from frontend 20261125 on.
        offered = self._dialog().locator("step-flow-menu").locator("ha-list-item, ha-list-item-button")
        return offered.filter(has_text=text).first

    async def _press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name).last.click()

    async def _toggle(self) -> None:
        """Switch on the last switch of the form."""
        await self._dialog().locator("ha-selector-boolean").last.locator("input").click(force=True)

    async def _finish(self) -> None:
        """Leave the last page of a flow."""
        await self._dialog().locator("step-flow-create-entry").wait_for()
        await self._dialog().get_by_role("button", name=re.compile("Finish|finish")).last.click()
        await self._dialog().locator("step-flow-create-entry").wait_for(state="detached")

    async def seen(self, name: str) -> None:
        """Take a picture of a step, if pictures are taken."""
        await self.page.wait_for_timeout(SETTLED)
        await self._shoot(name)


@asynccontextmanager
async def logged_in(
    browser: Browser,
    url: str,
    look: Look = DESKTOP,
    folder: Path | None = None,
    *,
    user: str = USER,
    shoot: ShootPage | None = None,
) -> AsyncGenerator[Frontend]:
    """Yield the frontend after logging in; pictures of its steps go into `folder`, or are taken by `shoot`."""
    size = ViewportSize(width=look.width, height=look.height)
    context = await browser.new_context(viewport=size, color_scheme="dark" if look.dark else "light")
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    page = await context.new_page()

    async def shoot_step(name: str) -> None:
        if shoot is not None:
            await shoot(page, name)
        elif folder is not None:
            await page.screenshot(path=folder / f"{name}.{look.name}.png")

    try:
        await page.goto(url)
        await page.locator("#username").fill(user)
        await page.locator("#password").fill(PASSWORD)
        await page.get_by_role("button", name="Log in").click()
        await page.locator("home-assistant-main").wait_for(state="attached")
        yield Frontend(page, url, shoot_step)
    except Error:
        await shoot_step("failed")
        raise
    finally:
        await context.close()
