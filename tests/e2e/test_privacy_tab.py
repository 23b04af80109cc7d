"""The tab Privacy in a real browser: what is kept, where it goes, and whether that is true."""

from datetime import timedelta
import json
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from playwright.async_api import expect
import pytest

from custom_components.familiar_faces.const import CONF_CONTACT, CONF_NOTICE, CONF_RESPONSIBLE
from custom_components.familiar_faces.host.engine import EngineStatus
from custom_components.familiar_faces.host.engine_errors import EngineError
from custom_components.familiar_faces.hub import Hub

from ..common.in_chromium import needs_chromium
from ..common.made_up_visits import a_visit, come
from .conftest import Home, shoot, violations

pytestmark = [needs_chromium, pytest.mark.timeout(600)]


async def test_what_is_kept(hass: HomeAssistant, shown: Home, hub: Hub, eileen: str) -> None:
    """The figures are there, in each language and width; the log can be verified, what has expired erased."""
    hass.config_entries.async_update_entry(
        hub.entry, options={CONF_NOTICE: True, CONF_RESPONSIBLE: "Me", CONF_CONTACT: "me@example.com"}
    )
    await hass.async_block_till_done()
    now = dt_util.utcnow()
    for days in (1, 12):
        await come(hass, hub, a_visit(hub, eileen, began=now - timedelta(days=days)))
    for language, width, dark in (
        ("en", 1280, False),
        ("en", 375, True),
        ("de", 1280, True),
        ("nl", 320, False),
    ):
        page = await shown.open(
            "/familiar-faces/privacy", width=width, height=1600, dark=dark, language=language
        )
        await expect(page.locator(".tiles dd").nth(2)).to_have_text("2")
        await expect(page.locator(".log li").first).to_be_visible()
        if language == "en":
            await expect(page.locator(".log").first).to_contain_text("Public notice")
        main = page.locator("familiar-faces-panel main")
        assert await main.evaluate("(main) => main.scrollWidth - main.clientWidth") == 0
        await shoot(page, f"privacy-{width}-{'dark' if dark else 'light'}-{language}")
        if (language, width) == ("en", 1280):
            await shoot(page, "panel-privacy", page.locator("familiar-faces-privacy"))
        assert await violations(page.locator("familiar-faces-panel")) == []
        await page.context.close()
    page = await shown.open("/familiar-faces/privacy")
    await page.get_by_role("button", name="Verify now").click()
    await expect(page.get_by_text("Verified at")).to_be_visible()
    await page.get_by_role("button", name="Erase what has expired").click()
    await expect(page.get_by_text("Nothing had expired.")).to_be_visible()
    await page.get_by_role("button", name="Show more").click()
    await expect(page.locator(".log li").nth(6)).to_be_visible()
    async with page.expect_popup() as opened:
        await page.get_by_role("link", name="Record of processing").click()
    record = await opened.value
    await expect(record.get_by_role("heading").first).to_contain_text("Record")
    hub.engine._set_status(EngineStatus.UNAVAILABLE, EngineError("made up"))
    await expect(page.get_by_text("Not running")).to_be_visible()
    assert await violations(page.locator("familiar-faces-panel")) == []
    assert shown.errors == []


async def test_links_and_the_log(hass: HomeAssistant, shown: Home, hub: Hub, nadie: str) -> None:
    """An invitation is closed where it is listed, and the log is fetched with one click, which it notes."""
    hass.config.internal_url = shown.url
    await hub.invitations.async_invite(nadie)
    page = await shown.open("/familiar-faces/privacy", width=375, height=900, dark=True)
    invitation = page.get_by_role("listitem").filter(has_text="Open until")
    await expect(invitation).to_contain_text("Nadie")
    await expect(page.get_by_text("Running for")).to_be_visible()
    await expect(page.get_by_text("Memory")).to_be_visible()
    assert await violations(page.locator("familiar-faces-panel")) == []
    await shoot(page, "privacy-links")
    await invitation.get_by_role("button", name="Close the invitation").click()
    await expect(invitation).to_have_count(0)
    assert await hub.invitations.async_open() == []
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download").click()
    assert (await download.value).suggested_filename.startswith("familiar-faces-audit-")
    said = json.loads(Path(await (await download.value).path()).read_text(encoding="utf-8"))
    assert said["entries"][0]["kind"] == "audit_fetched"
    await expect(page.get_by_role("listitem").filter(has_text="Audit log downloaded")).to_be_visible()
    assert shown.errors == []


async def test_who_was_erased(hass: HomeAssistant, shown: Home, hub: Hub, nadie: str) -> None:
    """Nothing is kept at first; a receipt is listed, and an entry that was changed is named."""
    page = await shown.open("/familiar-faces/privacy")
    await expect(page.get_by_text("Nobody was erased yet")).to_be_visible()
    await hub.forgetting.async_forget(nadie)
    await hass.async_block_till_done(wait_background_tasks=True)
    await expect(page.get_by_text("Looked for again: nothing is left")).to_be_visible()

    def tamper() -> None:
        with hub.vault._database.write() as connection:
            connection.execute("DELETE FROM audit WHERE number = 2")

    await hass.async_add_executor_job(tamper)
    await page.get_by_role("button", name="Verify now").click()
    await expect(page.get_by_text("Entry 2 was changed")).to_be_visible()
    assert await violations(page.locator("familiar-faces-panel")) == []
    assert shown.errors == []
