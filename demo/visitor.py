"""A visitor with a phone of their own: the pages that need no account, in a real browser."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
import re

from playwright.async_api import Browser, Error, FilePayload, Page, ViewportSize

from .browser import PATIENCE_SECONDS
from .client import DemoFailed

PHONE = ViewportSize(width=390, height=844)
RECEIPT_SECONDS = 60
_NUMBER = re.compile(r"^(.*?)\s+([\d.,]+)$")


class Visitor:
    """Somebody who was sent an invitation. Nothing of the page's text is relied on: it is in their language."""

    def __init__(self, page: Page, folder: Path | None, *, scripts: bool) -> None:
        """Hold the phone, which runs a page's scripts or not; pictures of its pages go into `folder`."""
        self.page = page
        self._scripts = scripts
        self.own = ""
        """The address of the visitor's own page, once there is one."""
        self._folder = folder

    async def read_invitation(self, url: str) -> str:
        """Open the invitation, and return the text that is agreed to."""
        await self._go(url)
        text = await self.page.locator("form .note").first.inner_text()
        await self._seen("visitor-1-invitation")
        return text

    async def agree(self, name: str) -> None:
        """Fill it in and say yes."""
        await self.page.locator("#name").fill(name)
        for camera in await self.page.locator("input[name=camera]").all():
            await camera.check()
        await self.page.locator("input[name=keeping][value=visits]").check()
        await self.page.locator("input[name=pictures]").check()
        await self.page.locator("#agreed").check()
        await self._seen("visitor-2-choices")
        await self.page.locator("form button:visible").last.click()
        await self.page.wait_for_url("**/photos*")
        self.own = self.page.url.partition("?")[0].removesuffix("/photos")

    async def take_selfie(self, photo: bytes) -> str:
        """Give a photo; return what is said of it."""
        # Handed over in memory: a copy in a file would have to be erased, also after a kill.
        file = FilePayload(name="selfie.jpg", mimeType="image/jpeg", buffer=photo)
        async with self.page.expect_navigation():
            await self.page.locator("#selfie").set_input_files(file)
            if not self._scripts:
                # With scripts it is sent as soon as it is chosen, and pressed here it would be the next page.
                await self.page.locator("form.upload button:visible").first.click(no_wait_after=True)
        verdict = await self.page.locator(".verdict").first.inner_text()
        if await self.page.locator(".verdict.error").count():
            raise DemoFailed(f"The selfie was refused: {verdict}")
        return verdict

    async def finish(self) -> None:
        """Say that these are all the photos."""
        await self._seen("visitor-3-photos")
        await self.page.locator("form[action*='/done'] button").click()
        await self.page.wait_for_url(re.compile(r"/me/[^/]+$|/me/[^/]+\?"))
        await self._seen("visitor-4-own-page")

    async def see_what_is_kept(self) -> tuple[int, int]:
        """Return how many photos and visits the visitor's own page shows."""
        await self._go(self.own)
        photos = await self.page.locator(".gallery img").count()
        visits = await self.page.locator(".visits li").count()
        await self._seen("visitor-5-after-a-visit")
        return photos, visits

    async def download(self) -> bytes:
        """Take everything along; the browser erases its file when the visitor is gone."""
        async with self.page.expect_download() as download:
            await self.page.locator("a[download]").click()
        path = await (await download.value).path()
        return await asyncio.to_thread(path.read_bytes)

    async def withdraw(self) -> dict[str, int]:
        """Say no, and return what the receipt counts."""
        await self._go(f"{self.own}/withdraw")
        await self._seen("visitor-6-withdraw")
        await self.page.locator("form button.danger").click()
        await self.page.locator("table").wait_for(timeout=RECEIPT_SECONDS * 1000)
        await self._seen("visitor-7-receipt")
        counts = {}
        for row in await self.page.locator("tr:has(td)").all():
            what, count = await row.locator("td").all_inner_texts()
            counts[what] = int(re.sub(r"\D", "", count))
        return counts

    async def is_let_in(self) -> bool:
        """Return whether the visitor's own link still opens anything."""
        response = await self.page.goto(self.own)
        return response is not None and response.ok

    async def _go(self, url: str) -> None:
        response = await self.page.goto(url)
        if response is None or not response.ok:
            raise DemoFailed(f"A page did not open ({response and response.status}): {await self._text()}")

    async def _text(self) -> str:
        return (await self.page.locator("body").inner_text())[:500]

    async def _seen(self, name: str) -> None:
        if self._folder is not None:
            await self.page.screenshot(path=self._folder / f"{name}.png", full_page=True)


@asynccontextmanager
async def visiting(
    browser: Browser,
    folder: Path | None = None,
    *,
    language: str = "en-GB",
    dark: bool = False,
    scripts: bool = True,
    sharp: bool = False,
) -> AsyncGenerator[Visitor]:
    """Yield a visitor with a phone in a language of theirs; `sharp`: its screen has four times the pixels."""
    context = await browser.new_context(
        viewport=PHONE,
        device_scale_factor=2 if sharp else 1,
        is_mobile=True,
        has_touch=True,
        locale=language,
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
    )
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    page = await context.new_page()
    try:
        yield Visitor(page, folder, scripts=scripts)
    except Error:
        if folder is not None:
            await page.screenshot(path=folder / "visitor-failed.png")
        raise
    finally:
        await context.close()
