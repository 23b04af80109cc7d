"""The card "At the door" on a real dashboard, with its visual editor."""

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from playwright.async_api import Page, expect
import pytest

from custom_components.familiar_faces.hub import Hub

from ..common.in_chromium import needs_chromium
from ..common.made_up_visits import a_visit, come
from ..common.pictures import astronaut
from ..common.steps import ring, visits
from ..conftest import FrontDoor
from .conftest import Home, shoot, violations

pytestmark = [needs_chromium, pytest.mark.timeout(600)]

DASHBOARD = "document.querySelector('home-assistant').hass.callWS"


async def open_dashboard(shown: Home, *cards: dict[str, str], path: str = "0") -> Page:
    """Open a new dashboard with these cards, as somebody who may change it."""
    page = await shown.open("/profile")
    await page.locator("home-assistant-main").wait_for(state="attached")
    await page.wait_for_function("document.querySelector('home-assistant').hass?.user")
    dashboard = {"url_path": "at-the-door", "title": "Door", "mode": "storage", "require_admin": False}
    await page.evaluate(f"(new_) => {DASHBOARD}({{type: 'lovelace/dashboards/create', ...new_}})", dashboard)
    config = {"views": [{"title": "Home", "type": "masonry", "cards": cards}]}
    await page.evaluate(
        f"(config) => {DASHBOARD}({{type: 'lovelace/config/save', url_path: 'at-the-door', config}})", config
    )
    await page.goto(f"{shown.url}/at-the-door/{path}")
    return page


@pytest.mark.photos(1)
async def test_on_a_dashboard(
    hass: HomeAssistant, shown: Home, hub: Hub, eileen: str, front_door: FrontDoor
) -> None:
    """It says who is here, is muted with one click, and leads to all visits."""
    page = await open_dashboard(shown, {"type": "custom:familiar-faces-card"})
    card = page.locator("familiar-faces-card")
    await expect(card.get_by_text("No visit yet")).to_be_visible()
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    await expect(card.get_by_text("Eileen is here")).to_be_visible()
    assert await violations(card) == []
    await shoot(page, "card", card)
    await card.get_by_role("button", name="It was").click()
    await expect(page.get_by_role("dialog").get_by_text("Front door")).to_be_visible()
    await page.keyboard.press("Escape")
    await card.get_by_role("button", name="Right").click()
    await card.get_by_role("button", name="Undo").click()
    await card.get_by_role("button", name="Right").click()
    await expect(card.get_by_text("You confirmed the name")).to_be_visible()
    await card.get_by_role("button", name="Mute").click()
    await expect(card.get_by_role("button", name="End the mute")).to_be_visible()
    (camera_id,) = hub.watchers
    assert hub.alerts.mutes.until(camera_id, dt_util.utcnow()) is not None
    await card.get_by_role("link", name="All visits").click()
    await expect(page.get_by_role("article", name="Eileen, Front door")).to_be_visible()
    assert shown.errors == []


async def test_the_editor(hass: HomeAssistant, shown: Home, hub: Hub) -> None:
    """What is chosen in the editor is the card's configuration; what is wrong is refused."""
    page = await shown.open()
    await page.locator("familiar-faces-panel").wait_for()
    await page.evaluate(
        """() => {
          const editor = customElements.get("familiar-faces-card").getConfigElement();
          editor.hass = document.querySelector("home-assistant").hass;
          editor.setConfig({type: "custom:familiar-faces-card"});
          editor.addEventListener("config-changed", (event) => (window.chosen = event.detail.config));
          document.body.replaceChildren(editor);
        }"""
    )
    await page.get_by_label("Title").fill("Who is it?")
    await page.get_by_label("Front door").check()
    await page.get_by_label("Mute button").uncheck()
    (camera_id,) = hub.watchers
    assert await page.evaluate("window.chosen") == {
        "type": "custom:familiar-faces-card",
        "title": "Who is it?",
        "cameras": [camera_id],
        "mute": False,
    }
    assert await violations(page.locator("familiar-faces-card-editor")) == []
    refused = await page.evaluate(
        """() => [{title: 1}, {cameras: "all"}, {cameras: [1]}, {mute: "no"}].map((wrong) => {
          try { document.createElement("familiar-faces-card").setConfig(wrong); return "taken"; }
          catch (error) { return error.message; }
        })"""
    )
    assert [each.split(" ")[0] for each in refused] == ["title", "cameras", "cameras", "mute"]


async def test_added_with_the_editor(hass: HomeAssistant, shown: Home, hub: Hub, nadie: str) -> None:
    """It is found among the cards of a dashboard, set up in its editor while it is seen, and stays after a reload."""
    await come(hass, hub, a_visit(hub, nadie))
    page = await open_dashboard(shown, {"type": "markdown", "content": "Something else"}, path="0?edit=1")
    await page.get_by_text("Something else").wait_for()
    await page.get_by_role("button", name="Add card").click()
    await page.get_by_role("tab", name="By card").click()
    await page.get_by_role("textbox").last.fill("At the door")
    picked = page.locator("hui-card-picker familiar-faces-card")
    await expect(picked.get_by_text("Nadie")).to_be_visible()
    # What lies above the picture of the card takes the click.
    await picked.click(force=True)
    editor = page.locator("familiar-faces-card-editor")
    await editor.get_by_label("Title").fill("Who is it?")
    await expect(page.get_by_role("heading", name="Who is it?")).to_be_visible()
    assert await violations(editor) == []
    await shoot(page, "card-editor")
    await page.get_by_role("button", name="Save").click()
    await expect(editor).to_have_count(0)
    # Elsewhere: a dialog that closes goes back in the browser's history, which a reload must not meet.
    again = await page.context.new_page()
    await again.goto(page.url)
    card = again.locator("familiar-faces-card")
    await expect(card.get_by_role("heading", name="Who is it?")).to_be_visible()
    await expect(card.get_by_text("Nadie")).to_be_visible()
    assert shown.errors == []
