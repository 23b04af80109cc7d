"""What waits for the owner, as it comes and goes; users are told none of it."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.household.issues import async_links_guessed
from custom_components.familiar_faces.hub import Hub

from ..common.people_on_record import change_choices
from .conftest import Browser, OpenBrowser


def keys(event: dict[str, Any]) -> list[str]:
    """Return the keys of what is to be done."""
    return [each["key"] for each in event["todo"]]


async def until(browser: Browser, wanted: list[str]) -> None:
    """Wait until exactly this is to be done."""
    event: dict[str, Any] = {"todo": []}
    for _ in range(10):
        event = await browser.event()
        if keys(event) == wanted:
            return
    assert keys(event) == wanted


async def test_what_nobody_is_recognised_without(hass: HomeAssistant, hub: Hub, browser: OpenBrowser) -> None:
    """First a person is missing, and when all are there nothing is."""
    assert keys(await (await browser()).subscribe(limit=0)) == ["no_person"]
    assert keys(await (await browser("user")).subscribe(limit=0)) == []


async def test_a_camera_that_nobody_agreed_to(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str
) -> None:
    """It is named, as soon as the last one agrees no longer."""
    watching = await browser()
    assert keys(await watching.subscribe(limit=0)) == []
    await change_choices(hass, hub, nadie, cameras=frozenset())
    await until(watching, ["camera_nobody_agreed"])


async def test_repairs(hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str) -> None:
    """A repair is there at once, and gone when it is put off; those of others are not ours."""
    watching, other = await browser(), await browser("read-only")
    await watching.subscribe(limit=0)
    await other.subscribe(limit=0)
    async_links_guessed(hass)
    await until(watching, ["links_guessed"])
    assert keys(await other.event()) == []
    ir.async_create_issue(
        hass, "camera", "x", is_fixable=False, severity=ir.IssueSeverity.ERROR, translation_key="x"
    )
    (ours,) = [issue_id for domain, issue_id in ir.async_get(hass).issues if domain == DOMAIN]
    ir.async_ignore_issue(hass, DOMAIN, ours, True)
    await until(watching, [])
