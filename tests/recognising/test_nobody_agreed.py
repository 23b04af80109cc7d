"""A camera to which nobody agreed says so, and one dialog asks everybody."""

from dataclasses import replace

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.consent.invitations import mail
from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.household.issues import CAMERA_NOBODY_AGREED, NO_PEOPLE
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices, Keeping

from ..common.owner import Owner
from ..common.people_on_record import DAY, a_consent, put_on_record

pytestmark = pytest.mark.photos(1)


async def agree(
    hass: HomeAssistant, hub: Hub, person_id: str, consent_id: str, cameras: set[str] | None
) -> None:
    """Have somebody agree to these cameras alone."""
    consent = hub.people[person_id].consents[0]
    choices = Choices(None if cameras is None else frozenset(cameras), Keeping.VISITS, True)
    await hass.async_add_executor_job(
        hub.vault.record_consent, person_id, replace(consent, consent_id=consent_id, choices=choices)
    )
    await hub.async_refresh_people()
    await hass.async_block_till_done()


async def test_one_step_asks_everybody(hass: HomeAssistant, hub: Hub, eileen: str, owner: Owner) -> None:
    """It is said as long as it is so; the dialog makes an invitation for each person, for an administrator."""
    (camera_id,) = hub.watchers
    issue_id = f"{CAMERA_NOBODY_AGREED}_{camera_id}"
    registry = ir.async_get(hass)
    assert registry.async_get_issue(DOMAIN, issue_id) is None
    await agree(hass, hub, eileen, "narrow", {"another camera"})
    issue = registry.async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders == {"camera": "Front door"}
    assert hass.states.get("sensor.front_door_camera_fitness").state == "nobody_agreed"

    await hass.config.async_update(external_url="https://home.example.org")
    shown = await owner.repair(issue_id)
    assert (shown["step_id"], shown["description_placeholders"]) == (
        "confirm",
        {"camera": "Front door", "people": "Eileen"},
    )
    assert not hub.invitations.shown, "nothing is made before the owner says so"
    shown = await owner.answer(shown, {})
    url, links = hub.invitations.shown[eileen].url, shown["description_placeholders"]["links"]
    assert url in links
    assert f"[Send by e-mail]({mail(url)})" in links
    await owner.answer(shown, {})

    await agree(hass, hub, eileen, "narrow again", {"another camera"})
    assert registry.async_get_issue(DOMAIN, issue_id) is not None, "asking is not yet an agreement"
    await agree(hass, hub, eileen, "wide", None)
    assert registry.async_get_issue(DOMAIN, issue_id) is None


async def test_not_of_whoever_withdrew(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """A camera is not blamed for consents that are over everywhere."""
    (camera_id,) = hub.watchers
    await hass.async_add_executor_job(hub.vault.withdraw_consent, eileen, dt_util.utcnow())
    await hub.async_refresh_people()
    assert ir.async_get(hass).async_get_issue(DOMAIN, f"{CAMERA_NOBODY_AGREED}_{camera_id}") is None


def said(hass: HomeAssistant) -> bool:
    """Return whether it is said that there are no people."""
    return ir.async_get(hass).async_get_issue(DOMAIN, NO_PEOPLE) is not None


async def test_a_home_without_people(hass: HomeAssistant, hub: Hub, owner: Owner) -> None:
    """It says that nobody can be recognised, and one dialog invites somebody."""
    assert hass.states.get("sensor.front_door_camera_fitness").state == "nobody_agreed"
    assert hass.states.get("sensor.familiar_faces_people").state == "0"
    await hass.config.async_update(external_url="https://home.example.org")
    assert said(hass)
    shown = await owner.repair(NO_PEOPLE)
    assert shown["step_id"] == "invite"
    open_now = await hass.async_add_executor_job(hub.vault.links.invitations, dt_util.utcnow())
    assert [each.person_id for each in open_now] == [None]
    assert shown["description_placeholders"]["url"].startswith("https://home.example.org/")
    assert (await owner.answer(shown, {}))["type"] == "create_entry"
    await hub.async_refresh_people()
    assert said(hass), "an invitation is not yet a person"
    now = dt_util.utcnow()
    await put_on_record(hass, hub, a_consent(now - DAY, now + 300 * DAY))
    assert not said(hass)


async def test_a_home_without_cameras(hass: HomeAssistant, hub: Hub) -> None:
    """Before there is a camera, people are not asked for."""
    for subentry_id in list(hub.watchers):
        hass.config_entries.async_remove_subentry(hub.entry, subentry_id)
    await hass.async_block_till_done()
    assert not said(hass)
