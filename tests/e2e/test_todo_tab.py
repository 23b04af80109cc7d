"""The tab To do in a real browser: one step each, and what is put off is gone."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from playwright.async_api import expect
import pytest

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.household.issues import LINKS_GUESSED, async_links_guessed
from custom_components.familiar_faces.hub import Hub

from ..common.in_chromium import needs_chromium
from .conftest import Home, shoot, violations

pytestmark = [needs_chromium, pytest.mark.timeout(600)]


async def test_steps_and_repairs(hass: HomeAssistant, shown: Home, hub: Hub) -> None:
    """The tab counts them; a repair can be put off, and a step leads to where it is done."""
    assert await async_setup_component(hass, "repairs", {})
    page = await shown.open(width=375, height=800)
    await page.get_by_role("link", name="To do").click()
    await expect(page.get_by_role("heading", name="Nobody can be recognised yet")).to_be_visible()
    async_links_guessed(hass)
    await expect(page.get_by_role("heading", name="Many wrong links were tried")).to_be_visible()
    await expect(page.get_by_role("link", name="To do")).to_contain_text("2")
    assert await violations(page.locator("familiar-faces-panel")) == []
    await shoot(page, "todo")
    await page.get_by_role("button", name="Not now").click()
    await expect(page.get_by_role("heading", name="Many wrong links were tried")).to_have_count(0)
    ours = ir.async_get(hass).async_get_issue(DOMAIN, LINKS_GUESSED)
    assert ours is not None
    assert ours.dismissed_version is not None
    await page.get_by_role("button", name="Add a person").click()
    await page.wait_for_url("**/config/integrations/integration/familiar_faces")
    assert shown.errors == []


async def test_users_have_no_tabs(hass: HomeAssistant, shown: Home, hub: Hub, nadie: str) -> None:
    """Anyone who may do none of it is shown visits, also by that address."""
    page = await shown.open("/familiar-faces/todo", who="user")
    await expect(page.get_by_text("No visits yet")).to_be_visible()
    await expect(page.get_by_role("link", name="To do")).to_have_count(0)
