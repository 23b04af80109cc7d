"""The tab To do in a real browser: one step each, and what is put off is gone."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from playwright.async_api import expect
import pytest

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.engine.protocol import Quality
from custom_components.familiar_faces.household.issues import LINKS_GUESSED, async_links_guessed
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.visits.visit import Decision

from ..common.in_chromium import needs_chromium
from ..common.made_up_visits import a_visit, come
from ..common.pictures import astronaut, enrolment_photos
from ..common.steps import enrol, ring, visits
from ..conftest import FrontDoor
from .conftest import Home, shoot, violations

pytestmark = [needs_chromium, pytest.mark.timeout(600)]


async def test_from_nothing_to_a_name(
    hass: HomeAssistant, shown: Home, hub: Hub, front_door: FrontDoor
) -> None:
    """The panel opens with what is still to be set up, until a first name was said."""
    page = await shown.open("/familiar-faces")
    setup = page.get_by_role("region", name="Set up in four steps")
    await expect(setup).to_contain_text("2 of 4 done")
    await expect(page.get_by_role("link", name="To do")).to_contain_text("2")
    assert await violations(page.locator("familiar-faces-panel")) == []
    await shoot(page, "todo-setup")
    await setup.get_by_role("button", name="Add a person").click()
    await page.wait_for_url("**/familiar-faces/people")
    await page.go_back()
    await enrol(hass, hub.entry, enrolment_photos(), name="Eileen")
    await expect(setup).to_contain_text("3 of 4 done")
    # Who else comes is said there, and is no name.
    await come(hass, hub, a_visit(hub, None, Decision.UNCLEAR))
    await expect(setup).to_contain_text("Front door · Last visit: Unclear")
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    await expect(page.get_by_text("Nothing waits for you")).to_be_visible()
    await expect(setup).to_have_count(0)
    other = await shown.open("/familiar-faces")
    await expect(other.get_by_role("article", name="Eileen, Front door")).to_be_visible()
    assert shown.errors == []


async def test_repairs_invitations_and_what_could_be_better(
    hass: HomeAssistant, shown: Home, hub: Hub, nadie: str
) -> None:
    """Each has its one step: a repair can be put off, an invitation closed, a camera looked at."""
    assert await async_setup_component(hass, "repairs", {})
    hass.config.internal_url = shown.url
    (watcher,) = hub.watchers.values()
    watcher.fitness.add_look([Quality(False, "too_small", 80.0, 0.0, 120.0, 28)])
    await come(hass, hub, a_visit(hub, nadie))
    await hub.invitations.async_invite(nadie)
    async_links_guessed(hass)
    page = await shown.open("/familiar-faces/todo", width=375, height=900, dark=True)
    await expect(page.get_by_role("heading", name="Many wrong links were tried")).to_be_visible()
    await expect(page.get_by_role("link", name="To do")).to_contain_text("1")
    better = page.get_by_role("region", name="Could be better")
    await expect(better).to_contain_text("Front door")
    assert await violations(page.locator("familiar-faces-panel")) == []
    await shoot(page, "todo")
    await page.get_by_role("button", name="Not now").click()
    await expect(page.get_by_role("heading", name="Many wrong links were tried")).to_have_count(0)
    ours = ir.async_get(hass).async_get_issue(DOMAIN, LINKS_GUESSED)
    assert ours is not None
    assert ours.dismissed_version is not None
    invitations = page.get_by_role("region", name="Invitations")
    await expect(invitations).to_contain_text("The invitation for Nadie is open")
    await invitations.get_by_role("button", name="Close the invitation").click()
    await expect(invitations).to_have_count(0)
    assert await hub.invitations.async_open() == []
    await better.get_by_role("button", name="Show the cameras").click()
    await expect(page.get_by_role("article", name="Front door")).to_be_visible()
    assert shown.errors == []


async def test_users_have_no_tabs(hass: HomeAssistant, shown: Home, hub: Hub, nadie: str) -> None:
    """Anyone who may do none of it is shown visits, also by that address."""
    page = await shown.open("/familiar-faces/todo", who="user")
    await expect(page.get_by_text("No visits yet")).to_be_visible()
    await expect(page.get_by_role("link", name="To do")).to_have_count(0)
