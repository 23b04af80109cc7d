"""What waits for the owner, as it comes and goes; users are told none of it."""

from datetime import datetime
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.engine.protocol import Quality
from custom_components.familiar_faces.host.engine import EngineStatus
from custom_components.familiar_faces.host.engine_errors import EngineError
from custom_components.familiar_faces.household.issues import async_check_pictures, async_links_guessed
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Keeping
from custom_components.familiar_faces.visits.fitness import Fitness
from custom_components.familiar_faces.visits.visit import Decision

from ..common.made_up_visits import a_visit, come
from ..common.people_on_record import DAY, a_consent, change_choices, put_on_record
from ..common.steps import later
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


async def test_the_set_up_until_a_first_name(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, start: datetime
) -> None:
    """Each step is done when it is; visits without a name end nothing; and it is never asked for again."""
    watching = await browser()
    first = await watching.subscribe(limit=0)
    assert first["setup"] == {"engine": True, "camera": True, "person": False, "name": False}
    assert (await (await browser("user")).subscribe(limit=0))["setup"] is None
    await come(hass, hub, a_visit(hub, None, Decision.STRANGER))
    assert (await watching.event())["setup"] == first["setup"]
    hub.engine._set_status(EngineStatus.UNAVAILABLE, EngineError("made up"))
    assert not (await watching.until(lambda event: event["engine"] == "down"))["setup"]["engine"]
    await put_on_record(hass, hub, a_consent(start - DAY, start + 100 * DAY), "nemo", "Nemo")
    await change_choices(hass, hub, "nemo", keeping=Keeping.NOTHING)
    await come(hass, hub, a_visit(hub, "nemo"))
    await watching.until(lambda event: event["setup"] is None)
    # Nothing is kept of that visit, and still it is known.
    assert await hass.config_entries.async_reload(hub.entry.entry_id)
    await hass.async_block_till_done()
    assert (await (await browser()).subscribe(limit=0))["setup"] is None


async def test_where_a_repair_leads(hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str) -> None:
    """To the page of the person or to the camera that it is about."""
    (camera_id,) = hub.watchers
    async_check_pictures(hass, camera_id, "Front door", Fitness.OLD_PICTURE, failures=10)
    with later(until=hub.people[nadie].consents[-1].valid_until - DAY):
        await hub.async_refresh_people()
        said = await (await browser()).subscribe(limit=0)
    about = {each["key"]: each.get("person_id") or each.get("camera_id") for each in said["todo"]}
    assert about == {"consent_expiring": nadie, "camera_old_picture": camera_id}


async def test_what_could_be_better(hub: Hub, browser: OpenBrowser, nadie: str) -> None:
    """A camera that shows faces badly is named with what it does, and one that does well is not."""
    (watcher,) = hub.watchers.values()
    watcher.fitness.add_look([Quality(True, None, 80.0, 0.0, 120.0, 90)])
    watching = await browser()
    assert (await watching.subscribe(limit=0))["todo"] == []
    watcher.fitness.add_look([Quality(False, "too_dark", 80.0, 0.0, 20.0, 90)] * 2)
    (said,) = (await (await browser()).subscribe(limit=0))["todo"]
    assert (said["kind"], said["key"], said["values"]) == (
        "better",
        "too_dark",
        {"camera": "Front door", "width": "90"},
    )
