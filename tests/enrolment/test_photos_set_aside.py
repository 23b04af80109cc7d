"""Photos that were set aside, in the person's dialog: they are shown, brought back, and never all that is left."""

import re
from typing import Any, NamedTuple

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.person import Template
from custom_components.familiar_faces.people.templates import leaves_one

from ..common.pictures import astronaut, different_photos, enrolment_photos, photos_of, stranger
from ..common.steps import (
    VISITOR,
    Result,
    add_photo,
    add_photo_of_somebody_else,
    choose,
    configure,
    disk_full,
    enrol,
    later,
    reconfigure_person,
    ring,
    templates_of,
    visits,
)
from ..common.vectors import axis, make_person
from ..conftest import FrontDoor


class Photos(NamedTuple):
    """A person with a photo in use and one that was set aside."""

    person_id: str
    right: str
    wrong: str


@pytest.fixture
async def eileen(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor) -> Photos:
    """Have a visit be named wrongly because of a photo of somebody else, and say so."""
    person_id = await enrol(hass, entry, enrolment_photos()[:1])
    wrong = await add_photo_of_somebody_else(hass, hub, person_id, photos_of(stranger(0))[0])
    front_door.frames = visits(stranger(0))
    await ring(hass, hub)
    visit_id = hass.states.get(VISITOR).attributes["visit_id"]
    await hass.services.async_call(
        DOMAIN, "correct_visit", {"visit_id": visit_id, "correct": False}, blocking=True, return_response=True
    )
    first, second = await templates_of(hass, hub, person_id)
    assert (first.usable, second.usable, second.template_id) == (True, False, wrong)
    return Photos(person_id, first.template_id, wrong)


async def _step(hass: HomeAssistant, entry: MockConfigEntry, step: str) -> Result:
    return await choose(hass, await reconfigure_person(hass, entry), step)


def _shown(result: Result) -> dict[str, str]:
    """Return the photos that a step asks about, and what they are called."""
    (field,) = result["data_schema"].schema.values()
    return {option["value"]: option["label"] for option in field.config["options"]}


async def _set_aside(hass: HomeAssistant, hub: Hub, photos: Photos) -> None:
    """Set the right photo aside as well; the wrong one has to be in use."""
    await hass.async_add_executor_job(
        lambda: hub.vault.use_reference(photos.person_id, photos.right, usable=False, now=dt_util.utcnow())
    )
    await hub.async_refresh_people()


# Shown


async def test_photos_that_are_set_aside_are_marked(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: Photos
) -> None:
    """The menu counts those in use, and the list says which are not, and why."""
    result = await reconfigure_person(hass, entry)
    assert result["menu_options"] == [
        "details",
        "consent",
        "renew",
        "own_link",
        "photo",
        "walk_up",
        "remove_photos",
        "use_photos",
        "forget",
    ]
    assert result["description_placeholders"] == {"name": "Eileen", "in_use": "1", "photos": "2"}
    shown = _shown(await choose(hass, result, "remove_photos"))
    first, second = [dt_util.as_local(each.added_at) for each in hub.people[eileen.person_id].templates]
    assert shown == {
        eileen.right: f"1. {first.day} {first:%B %Y}, {first:%H:%M}",
        eileen.wrong: f"2. {second.day} {second:%B %Y}, {second:%H:%M} (set aside: it caused a wrong name)",
    }
    hass.config.language = "nl"
    shown = _shown(await _step(hass, entry, "remove_photos"))
    assert "opzijgelegd" in shown[eileen.wrong]


async def test_photos_are_shown_with_their_numbers(
    hass: HomeAssistant,
    hub: Hub,
    entry: MockConfigEntry,
    eileen: Photos,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """Beside the numbers to choose from are the pictures, as long as the dialog is open."""
    browser = await hass_client_no_auth()
    result = await _step(hass, entry, "remove_photos")
    said = result["description_placeholders"]["pictures"]
    shown = dict(re.findall(r"\*\*(\d)\.\*\* !\[\]\((\S+)\)", said))
    assert list(shown) == ["1", "2"]
    for number, template_id in (("1", eileen.right), ("2", eileen.wrong)):
        kept = await hass.async_add_executor_job(hub.vault.reference_photo, template_id)
        assert await (await browser.get(shown[number])).read() == kept
    (viewed,) = [
        each
        for each in await hub.audit_trail.async_entries([eileen.person_id])
        if each.kind == "faces_viewed"
    ]
    assert viewed.person_id == eileen.person_id
    hass.config_entries.subentries.async_abort(result["flow_id"])
    assert (await browser.get(shown["1"])).status == 404
    # Of those that were set aside, with the same number.
    said = (await _step(hass, entry, "use_photos"))["description_placeholders"]["pictures"]
    assert re.findall(r"\*\*(\d)\.", said) == ["2"]


async def test_without_photos_set_aside_nothing_is_offered(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """As long as all photos are in use, there is nothing to bring back."""
    await enrol(hass, entry, enrolment_photos()[:2])
    result = await reconfigure_person(hass, entry)
    assert "use_photos" not in result["menu_options"]
    assert result["description_placeholders"] == {"name": "Eileen", "in_use": "2", "photos": "2"}


# Never all that is left


async def test_a_photo_in_use_has_to_stay(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: Photos
) -> None:
    """Nobody is recognised by photos that are set aside; those may all be removed."""
    result = await _step(hass, entry, "remove_photos")
    for chosen in ([eileen.right], [eileen.right, eileen.wrong]):
        result = await configure(hass, result, {"photos": chosen})
        assert result["errors"] == {"photos": "keep_one"}
    assert len(await templates_of(hass, hub, eileen.person_id)) == 2
    result = await configure(hass, result, {"photos": [eileen.wrong]})
    assert result["reason"] == "reconfigure_successful"
    (left,) = hub.people[eileen.person_id].templates
    assert left.template_id == eileen.right
    assert "use_photos" not in (await reconfigure_person(hass, entry))["menu_options"]


async def test_outliers_are_not_erased_down_to_what_is_set_aside(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: Photos
) -> None:
    """Of two photos in use that disagree one has to stay, whatever is set aside beside them."""
    result = await add_photo(hass, await reconfigure_person(hass, entry), photos_of(stranger(1))[0])
    result = await choose(hass, result, "insist")
    assert result["description_placeholders"]["count"] == "2"
    result = await choose(hass, result, "finish")
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "outliers")
    assert "unclear which are right: 1, 3." in result["description_placeholders"]["finding"]
    assert ["set aside" in label for label in _shown(result).values()] == [False, True, False]
    _, _, added = _shown(result)
    result = await configure(hass, result, {"photos": [eileen.right, added]})
    assert (result["step_id"], result["errors"]) == ("outliers", {"photos": "keep_one"})
    assert len(await templates_of(hass, hub, eileen.person_id)) == 3
    result = await configure(hass, result, {"photos": [added]})
    assert "are erased" in result["description_placeholders"]["verdict"]
    assert result["description_placeholders"]["count"] == "1"


OLD = make_person("old", axis(0), model="older").templates
NEW = make_person("new", axis(1), axis(2), axis(3), usable=(True, False, True)).templates
ASIDE = make_person("aside", axis(4), usable=(False,)).templates


@pytest.mark.parametrize(
    ("templates", "chosen", "left"),
    [
        ((*OLD, *NEW), [], True),
        ((*OLD, *NEW), ["old-0", "new-0", "new-1"], True),
        ((*OLD, *NEW), ["new-0", "new-2"], False),
        ((*OLD, *ASIDE), [], True),
        ((*OLD, *ASIDE), ["aside-0"], True),
        ((*OLD, *ASIDE), ["old-0", "aside-0"], False),
    ],
    ids=["none", "one left", "older and set aside", "none in use", "one not in use", "all"],
)
def test_what_may_be_removed(templates: tuple[Template, ...], chosen: list[str], left: bool) -> None:
    """One that is compared with has to stay; when none is, any one."""
    assert leaves_one(templates, chosen) is left


# Used again


async def test_a_photo_is_used_again(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, entry: MockConfigEntry, eileen: Photos
) -> None:
    """It is compared with at once, and what looked like it still needs more likeness."""
    guard = hub.people[eileen.person_id].templates[1].guard
    assert guard is not None
    result = await _step(hass, entry, "use_photos")
    assert list(_shown(result)) == [eileen.wrong]
    assert _shown(result)[eileen.wrong].startswith("2. ")
    result = await configure(hass, result, {"photos": [eileen.wrong]})
    assert result["reason"] == "reconfigure_successful"
    for templates in (
        hub.people[eileen.person_id].templates,
        await templates_of(hass, hub, eileen.person_id),
    ):
        assert [(each.usable, each.guard) for each in templates] == [(True, None), (True, guard)]
    (logged, *_) = await hass.async_add_executor_job(hub.vault.audit_entries)
    assert (logged.kind, logged.details) == ("reference_used_again", {"template_id": eileen.wrong})
    result = await reconfigure_person(hass, entry)
    assert "use_photos" not in result["menu_options"]
    assert result["description_placeholders"]["in_use"] == "2"

    with later(minutes=2):
        await ring(hass, hub)
        assert hass.states.get(VISITOR).attributes["event_type"] == "unclear"
    with later(minutes=4):
        front_door.frames = visits(astronaut())
        await ring(hass, hub)
        assert hass.states.get(VISITOR).attributes["person_name"] == "Eileen"


async def test_nothing_is_chosen(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: Photos
) -> None:
    """Then nothing changes."""
    result = await _step(hass, entry, "use_photos")
    result = await configure(hass, result, {"photos": []})
    assert result["reason"] == "reconfigure_successful"
    assert [each.usable for each in hub.people[eileen.person_id].templates] == [True, False]


async def test_disk_fails_while_photos_are_used_again(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two photos the first counts at once; the second is brought back at the next try."""
    await _set_aside(hass, hub, eileen)
    result = await reconfigure_person(hass, entry)
    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, "person", disk_full)
        result = await choose(hass, result, "use_photos")
        assert (result["errors"], _shown(result)) == ({"base": "vault_failed"}, {})

    result = await _step(hass, entry, "use_photos")
    assert list(_shown(result)) == [eileen.right, eileen.wrong]
    use = hub.vault.use_reference

    def fail_at_the_second(person_id: str, template_id: str, **how: Any) -> None:
        if template_id == eileen.wrong:
            disk_full()
        use(person_id, template_id, **how)

    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, "use_reference", fail_at_the_second)
        result = await configure(hass, result, {"photos": [eileen.right, eileen.wrong]})
    assert (result["step_id"], result["errors"]) == ("use_photos", {"base": "vault_failed"})
    assert [each.usable for each in hub.people[eileen.person_id].templates] == [True, False]
    result = await configure(hass, result, {"photos": [eileen.wrong]})
    assert result["reason"] == "reconfigure_successful"
    assert [each.usable for each in hub.people[eileen.person_id].templates] == [True, True]


async def test_no_photo_is_used_without_consent(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: Photos
) -> None:
    """A consent that ends while the dialog is open is said to be missing; later the menu offers no photos."""
    using = await _step(hass, entry, "use_photos")
    adding = await _step(hass, entry, "photo")
    await hass.async_add_executor_job(hub.vault.withdraw_consent, eileen.person_id, dt_util.utcnow())
    await hub.async_refresh_people()
    using = await configure(hass, using, {"photos": [eileen.wrong]})
    assert (using["step_id"], using["errors"]) == ("use_photos", {"base": "consent_missing"})
    adding = await add_photo(hass, adding, different_photos()[1])
    assert (adding["step_id"], adding["errors"]) == ("photo", {"base": "consent_missing"})
    assert [each.usable for each in await templates_of(hass, hub, eileen.person_id)] == [True, False]
    assert (await reconfigure_person(hass, entry))["menu_options"] == [
        "details",
        "consent",
        "renew",
        "own_link",
        "remove_photos",
        "forget",
    ]


async def test_person_is_gone_meanwhile(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: Photos
) -> None:
    """Of somebody who was erased while the dialog was open nothing is used again."""
    result = await _step(hass, entry, "use_photos")
    await hass.async_add_executor_job(hub.vault.forget, eileen.person_id, dt_util.utcnow())
    result = await configure(hass, result, {"photos": [eileen.wrong]})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "nothing_stored")


# New photos beside them


async def test_new_photos_are_judged_by_those_in_use(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, eileen: Photos
) -> None:
    """The same photo is found, and how to use it again; its likeness is not taken for the person's."""
    same, another = photos_of(stranger(0))
    result = await add_photo(hass, await reconfigure_person(hass, entry), same)
    verdict = result["description_placeholders"]["verdict"]
    assert "already added" in verdict
    assert "It is set aside" in verdict
    assert "change Eileen and choose “Use set-aside photos again”" in verdict
    result = await add_photo(hass, result, another)
    assert "does not look like the other photos of Eileen" in result["description_placeholders"]["verdict"]
    assert "insist" in result["menu_options"]
    result = await add_photo(hass, result, enrolment_photos()[0])
    assert "set aside" not in result["description_placeholders"]["verdict"]
    assert len(await templates_of(hass, hub, eileen.person_id)) == 2
