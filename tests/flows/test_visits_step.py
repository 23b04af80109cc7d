"""A visit is put right from a list in the options, one without a name too while it is held."""

from http import HTTPStatus
import re
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.const import CONF_REVIEW_HOURS
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.vault.review_rows import ReviewItem
from custom_components.familiar_faces.visits.open_visits import Change, Outcome
from custom_components.familiar_faces.visits.visit import Decision, Timing, UnclearReason, Visit
from custom_components.familiar_faces.wording.dates import say_moment

from ..common.pictures import astronaut, frame, jpeg, photos_of, stranger, variant
from ..common.steps import Result, enrol, ring, templates_of, visits
from ..conftest import FrontDoor

if TYPE_CHECKING:
    from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

pytestmark = pytest.mark.photos(1)


async def step(hass: HomeAssistant, result: Result, **answer: Any) -> Result:
    """Answer a step of the options."""
    return await hass.config_entries.options.async_configure(result["flow_id"], answer)


async def the_list(hass: HomeAssistant, entry: MockConfigEntry) -> Result:
    """Press Configure, and ask for the visits."""
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    return await step(hass, menu, next_step_id="visits")


def offered(result: Result, field: str) -> dict[str, str]:
    """Return what can be chosen, by its label."""
    (selector,) = [value for key, value in result["data_schema"].schema.items() if key == field]
    return {each["label"]: each["value"] for each in selector.config["options"]}


async def test_nothing_to_correct(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """Without a visit the dialog says so."""
    result = await the_list(hass, entry)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "no_visits")


async def test_a_wrong_name_and_a_missed_one(
    hass: HomeAssistant,
    hub: Hub,
    front_door: FrontDoor,
    entry: MockConfigEntry,
    eileen: str,
    sockets: None,
    hass_client: ClientSessionGenerator,
) -> None:
    """Both are in the list; the picture is shown; what is said counts, and what cannot be is refused."""
    ben = await enrol(hass, entry, photos_of(stranger(1))[:1], name="Ben")
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    (camera_id,) = hub.watchers
    now = dt_util.utcnow()
    seen = await hub.client.faces(jpeg(variant(stranger(1), angle=8)), portraits=True)
    missed = Visit("missed", camera_id, Decision.UNCLEAR, now, now, 1, reason=UnclearReason.FEW_FRAMES)
    await hub.announcer.async_settle(Outcome(missed, Change.OPENED), Timing(1, 1, 1), seen.faces[0].portrait)

    result = await the_list(hass, entry)
    labels = offered(result, "visit")
    newest, older = labels
    assert labels[newest] == "missed"
    assert newest.endswith(" · Somebody · Front door")
    assert older.endswith(" · Eileen · Front door")

    result = await step(hass, result, visit="missed")
    assert offered(result, "who_it_was") == {
        "Ben": ben,
        "Eileen": eileen,
        "Somebody new: invite them": "invite",
        "Nobody I know: discard the picture": "nobody",
    }
    (path,) = re.findall(r"!\[\]\((.*?)\)", result["description_placeholders"]["picture"])
    answer = await (await hass_client()).get(path)
    assert (answer.status, await answer.read()) == (HTTPStatus.OK, seen.faces[0].portrait)
    refused = await step(hass, result, who_it_was="nobody", learn=True)
    assert refused["errors"] == {"base": "learn_needs_person"}
    result = await step(hass, result, who_it_was=ben, learn=True)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "visit_corrected")
    visit = await hass.async_add_executor_job(hub.vault.visit, "missed")
    assert (visit.person_id, visit.confirmed) == (ben, True)
    assert len(await templates_of(hass, hub, ben)) == 2

    result = await the_list(hass, entry)
    labels = offered(result, "visit")
    (label,) = [each for each in labels if "Eileen" in each]
    result = await step(hass, result, visit=labels[label])
    assert offered(result, "who_it_was") == {
        "It was Eileen": "right",
        "Ben": ben,
        "Somebody who has not been added": "nobody",
    }
    result = await step(hass, result, who_it_was="nobody")
    assert result["reason"] == "visit_corrected"
    assert [each.person_id for each in await hass.async_add_executor_job(hub.vault.visits)] == [ben]


async def test_whoever_agreed_to_less_meanwhile(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry, eileen: str
) -> None:
    """Somebody who withdraws while the dialog is open is not named."""
    (camera_id,) = hub.watchers
    now = dt_util.utcnow()
    missed = Visit("missed", camera_id, Decision.UNCLEAR, now, now, 1, reason=UnclearReason.FEW_FRAMES)
    await hub.announcer.async_settle(Outcome(missed, Change.OPENED), Timing(1, 1, 1), None)
    result = await step(hass, await the_list(hass, entry), visit="missed")
    assert result["description_placeholders"]["picture"] == ""
    await hass.async_add_executor_job(hub.vault.withdraw_consent, eileen, now)
    await hub.async_refresh_people()
    result = await step(hass, result, who_it_was="nobody")
    assert result["reason"] == "visit_corrected"
    assert await hass.async_add_executor_job(hub.vault.visits) == []


async def test_open_invitations(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: str) -> None:
    """They are listed, with the link where it is known, and closed one by one."""
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    result = await step(hass, menu, next_step_id="invitations")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "no_invitations")
    await hass.config.async_update(external_url="https://home.example.org")
    for person_id in (None, None, eileen):
        await hub.invitations.async_invite(person_id)
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    result = await step(hass, menu, next_step_id="invitations")
    labels = list(offered(result, "close"))
    said = result["description_placeholders"]["invitations"]
    assert hub.invitations.shown[eileen].url in said
    assert said.count("Somebody new, until ") == 2
    until = say_moment(hass, hub.invitations.shown[eileen].expires_at)
    assert said.count(f"Renewal of Eileen, until {until}") == 1
    (renewal,) = [value for label, value in offered(result, "close").items() if "Eileen" in label]
    result = await step(hass, result, close=[renewal], remind=[renewal])
    assert result["reason"] == "invitations_closed"
    left = await hass.async_add_executor_job(hub.vault.links.invitations, dt_util.utcnow())
    assert [each.person_id for each in left] == [None, None]
    assert eileen not in hub.invitations.shown
    assert len(labels) >= 2


async def test_remind(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: str) -> None:
    """A reminder is a new link, in the place of the one before, and nothing is lost when there can be none."""
    await hass.config.async_update(external_url="https://home.example.org")
    made = [await hub.invitations.async_invite(each) for each in (None, eileen)]
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    result = await step(hass, menu, next_step_id="invitations")
    everybody = list(offered(result, "remind").values())
    await hass.config.async_update(external_url=None, internal_url=None)
    hass.config.api = None
    refused = await step(hass, result, remind=everybody, close=[])
    assert refused["errors"] == {"base": "no_url"}
    left = await hass.async_add_executor_job(hub.vault.links.invitations, dt_util.utcnow())
    assert {each.invitation_id for each in left} == {each.invitation_id for each in made}

    await hass.config.async_update(external_url="https://home.example.org")
    result = await step(hass, refused, remind=everybody, close=[])
    links = re.findall(r"`(https://home.example.org/.*?)`", result["description_placeholders"]["links"])
    assert len(set(links)) == 2
    assert not {each.url for each in made} & set(links)
    left = await hass.async_add_executor_job(hub.vault.links.invitations, dt_util.utcnow())
    assert len(left) == 2
    assert not {each.invitation_id for each in left} & {each.invitation_id for each in made}
    assert (await step(hass, result))["reason"] == "reminded"


async def test_the_review_inbox(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    sockets: None,
    hass_client: ClientSessionGenerator,
) -> None:
    """Its pictures are shown, and somebody new can be invited, or the picture discarded."""
    hass.config_entries.async_update_entry(entry, options={**entry.options, CONF_REVIEW_HOURS: 48})
    await hass.config.async_update(external_url="https://home.example")
    (camera_id,) = hub.watchers
    item, picture = (
        ReviewItem("seen", camera_id, str(Decision.STRANGER), dt_util.utcnow()),
        frame(stranger(1)),
    )
    await hass.async_add_executor_job(hub.vault.review.add, item, picture)
    result = await the_list(hass, entry)
    (label,) = offered(result, "visit")
    assert label.endswith(" · A stranger · Front door")
    result = await step(hass, result, visit="seen")
    (path,) = re.findall(r"!\[\]\((.*?)\)", result["description_placeholders"]["picture"])
    assert await (await (await hass_client()).get(path)).read() == picture
    invited = await step(hass, result, who_it_was="invite")
    assert "https://home.example/" in invited["description_placeholders"]["url"]
    assert (await step(hass, invited))["reason"] == "invited"
    assert len(await hub.review.async_items()) == 1, "it can still be said who it was"

    result = await step(hass, await the_list(hass, entry), visit="seen")
    result = await step(hass, result, who_it_was="nobody")
    assert result["reason"] == "visit_corrected"
    assert await hub.review.async_items() == []
