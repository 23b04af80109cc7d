"""Before a person is finished: are the photos different, of one person, and of nobody's look-alike?"""

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.familiar_faces.host.engine_errors import EngineIncompatible
from custom_components.familiar_faces.hub import Hub

from ..common.pictures import different_photos, jittered_photos, jpeg, photos_of, stranger
from ..common.steps import (
    Result,
    add_photo,
    choose,
    configure,
    consent,
    disk_full,
    enrol,
    start_person,
    suggestion,
)


def _his() -> bytes:
    """Return a photo of somebody else."""
    return jpeg(stranger(0).resize((540, 540)))


async def _start(hass: HomeAssistant, entry: MockConfigEntry, name: str = "Eileen") -> Result:
    """Return the step that asks for the first photo."""
    return await configure(hass, await start_person(hass, entry, name=name), consent(given_by=name))


async def _take(hass: HomeAssistant, result: Result, *photos: bytes) -> Result:
    """Give photos, insisting on those that are refused."""
    for photo in photos:
        result = await add_photo(hass, result, photo)
        if "insist" in result["menu_options"]:
            result = await choose(hass, result, "insist")
    return result


async def _reconfigure(hass: HomeAssistant, entry: MockConfigEntry, person_id: str, step: str) -> Result:
    (subentry,) = [each for each in entry.subentries.values() if each.data.get("person_id") == person_id]
    result = await entry.start_subentry_reconfigure_flow(hass, subentry.subentry_id)
    return await choose(hass, result, step)


def _photos(result: Result) -> list[str]:
    """Return the ids of the photos that a step asks about, in the order in which they were added."""
    (field,) = result["data_schema"].schema.values()
    return [option["value"] for option in field.config["options"]]


# Different photos


async def test_ten_nearly_identical_photos_are_not_enough(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """They count as one."""
    result = await _start(hass, entry)
    for photo in jittered_photos(10):
        result = await add_photo(hass, result, photo)
        assert result["description_placeholders"]["count"] == "1"
        assert result["menu_options"] == ["photo", "walk_up", "finish"]
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert stored.templates == 10
    assert "nearly the same" in result["description_placeholders"]["verdict"]


async def test_three_different_photos_are_enough(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """The third reaches what the menu asks for; the options of the menu stay where they were."""
    result = await _take(hass, await _start(hass, entry), *different_photos()[:2])
    assert result["menu_options"] == ["photo", "walk_up", "finish"]
    result = await _take(hass, result, different_photos()[2])
    said = result["description_placeholders"]
    assert (said["count"], said["enough"]) == ("3", "3")
    assert result["menu_options"] == ["photo", "walk_up", "finish"]
    result = await add_photo(hass, result, _his())
    assert result["menu_options"] == ["photo", "walk_up", "finish", "insist"]


# Somebody else's photos


async def test_first_photo_was_of_somebody_else(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """It is found although it came first, proposed to be removed, and erased."""
    result = await _take(hass, await _start(hass, entry), _his(), *different_photos())
    result = await choose(hass, result, "finish")
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "outliers")
    finding = result["description_placeholders"]["finding"]
    assert finding == "Photo number 1 does not seem to show the same person as the others."
    first, *right = _photos(result)
    assert suggestion(result) == [first]
    result = await configure(hass, result, {"photos": [first]})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    (person,) = hub.people.values()
    assert [each.template_id for each in person.templates] == right


async def test_several_photos_of_somebody_else(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """All of them are named in one sentence, and proposed to be removed."""
    his = photos_of(stranger(0))[1]
    result = await _take(hass, await _start(hass, entry), _his(), *different_photos(), his)
    result = await choose(hass, result, "finish")
    finding = result["description_placeholders"]["finding"]
    assert finding == "Photos number 1, 5 do not seem to show the same person as the others."
    first, *_, last = _photos(result)
    assert suggestion(result) == [first, last]


async def test_too_few_photos_are_left(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """Anyone who removes a photo and has too few left is asked for another, and may finish anyway."""
    result = await _take(hass, await _start(hass, entry), _his(), *different_photos()[:2])
    result = await choose(hass, result, "finish")
    result = await configure(hass, result, {"photos": suggestion(result)})
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "photos")
    assert "are erased" in result["description_placeholders"]["verdict"]
    assert result["description_placeholders"]["count"] == "2"
    result = await choose(hass, result, "finish")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_two_photos_that_disagree(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """Neither can be said to be the right one: both are asked about, none is proposed, not all may go."""
    result = await _take(hass, await _start(hass, entry), _his(), different_photos()[0])
    result = await choose(hass, result, "finish")
    assert "it is unclear which are right: 1, 2." in result["description_placeholders"]["finding"]
    assert suggestion(result) == []
    both = _photos(result)
    result = await configure(hass, result, {"photos": both})
    assert (result["step_id"], result["errors"]) == ("outliers", {"photos": "keep_one"})
    result = await configure(hass, result, {"photos": both[:1]})
    result = await choose(hass, result, "finish")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    (person,) = hub.people.values()
    assert [each.template_id for each in person.templates] == both[1:]


async def test_photo_that_is_kept_is_not_asked_about_again(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beards exist: who keeps it is not asked again in this dialog, also when the engine was strange meanwhile."""
    result = await _take(hass, await _start(hass, entry), _his(), *different_photos())
    result = await choose(hass, result, "finish")

    async def strange(*_: object) -> None:
        raise EngineIncompatible("of another kind")

    with monkeypatch.context() as patched:
        patched.setattr(hub.roster, "async_gallery", strange)
        result = await configure(hass, result, {"photos": []})
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "photos")
    assert "invalid answer" in result["description_placeholders"]["verdict"]
    result = await choose(hass, result, "finish")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    (person,) = hub.people.values()
    assert len(person.templates) == 4


async def test_photo_of_somebody_else_is_found_later(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """One that was insisted on is asked about in the next dialog that adds photos, and is gone at once."""
    person_id = await enrol(hass, entry, different_photos()[:2])
    result = await _reconfigure(hass, entry, person_id, "photo")
    result = await _take(hass, result, _his())
    result = await choose(hass, result, "finish")
    assert result["reason"] == "reconfigure_successful"

    result = await _reconfigure(hass, entry, person_id, "photo")
    result = await _take(hass, result, different_photos()[2])
    result = await choose(hass, result, "finish")
    assert result["step_id"] == "outliers"
    wrong = _photos(result)[2]
    assert suggestion(result) == [wrong]
    result = await configure(hass, result, {"photos": [wrong]})
    assert result["reason"] == "reconfigure_successful"
    assert wrong not in [each.template_id for each in hub.people[person_id].templates]
    assert len(hub.people[person_id].templates) == 3


async def test_closing_the_question_about_photos(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """Somebody new is saved with what was taken on the owner's word; one who is here already keeps everything."""
    result = await _take(hass, await _start(hass, entry), _his(), different_photos()[0])
    result = await choose(hass, result, "finish")
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    stored = await hass.async_add_executor_job(hub.vault.stored)
    assert (stored.people, stored.templates) == (1, 2)

    (person_id,) = hub.people
    result = await _reconfigure(hass, entry, person_id, "photo")
    result = await _take(hass, result, different_photos()[1])
    result = await choose(hass, result, "finish")
    assert result["step_id"] == "outliers"
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(hub.people[person_id].templates) == 3


async def test_full_disk_while_removing_a_wrong_photo(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The menu says so, and the next try asks again."""
    result = await _take(hass, await _start(hass, entry), _his(), *different_photos())
    result = await choose(hass, result, "finish")
    wrong = suggestion(result)
    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, "remove_reference", disk_full)
        result = await configure(hass, result, {"photos": wrong})
    assert "could not be saved" in result["description_placeholders"]["verdict"]
    result = await choose(hass, result, "finish")
    assert (result["step_id"], suggestion(result)) == ("outliers", wrong)


@pytest.mark.parametrize("step", ["outliers", "look_alike"])
async def test_person_is_gone_meanwhile(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, step: str
) -> None:
    """Anyone who is erased while the question is open is not finished, and the dialog says so."""
    if step == "look_alike":
        await enrol(hass, entry, different_photos()[:1])
    taken = different_photos()[1:] if step == "look_alike" else [_his(), *different_photos()]
    result = await _take(hass, await _start(hass, entry, name="Judy"), *taken)
    result = await choose(hass, result, "finish")
    assert result["step_id"] == step
    everyone = await hass.async_add_executor_job(lambda: hub.vault.people(include_enrolling=True))
    (judy,) = [person.person_id for person in everyone if person.name == "Judy"]
    await hass.async_add_executor_job(hub.vault.forget, judy, dt_util.utcnow())
    result = await configure(hass, result, {"photos": []} if step == "outliers" else {})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "nothing_stored")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert "Judy" not in [each.title for each in entry.subentries.values()]


# Look-alikes


async def _twin(hass: HomeAssistant, entry: MockConfigEntry) -> Result:
    """Enrol somebody, and return the last step of enrolling a twin."""
    await enrol(hass, entry, different_photos()[:1], name="Eileen")
    result = await _take(hass, await _start(hass, entry, name="Judy"), *different_photos()[1:])
    result = await choose(hass, result, "finish")
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "look_alike")
    assert result["description_placeholders"] == {"name": "Judy", "others": "Eileen"}
    return result


def _titles(entry: MockConfigEntry) -> list[str]:
    return sorted(each.title for each in entry.get_subentries_of_type("person"))


async def test_twins_are_warned_of(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The warning names the other; nothing has to be decided, and going on enrols the twin."""
    result = await _twin(hass, entry)
    with monkeypatch.context() as patched:
        patched.setattr(hub.vault, "person", disk_full)
        result = await configure(hass, result, {})
    assert (result["step_id"], result["errors"]) == ("look_alike", {"base": "vault_failed"})
    result = await configure(hass, result, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    assert _titles(entry) == ["Eileen", "Judy"]
    assert sorted(person.name for person in hub.people.values()) == ["Eileen", "Judy"]


async def test_closing_the_warning_loses_nothing(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """All is done when the warning is shown: the twin is enrolled, however the dialog ends."""
    result = await _twin(hass, entry)
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert _titles(entry) == ["Eileen", "Judy"]
    assert hass.states.get("sensor.judy_consent").state == "active"


async def test_reload_behind_the_warning(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """A restart shows the twin; the dialog, which is left over, does not show them twice."""
    result = await _twin(hass, entry)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert _titles(entry) == ["Eileen", "Judy"]
    hass.config_entries.subentries.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert _titles(entry) == ["Eileen", "Judy"]


async def test_twins_are_warned_of_when_photos_are_added(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """It is said again with new photos; not for somebody who may no longer be recognised."""
    await configure(hass, await _twin(hass, entry), {})
    await hass.async_block_till_done(wait_background_tasks=True)
    people = {person.name: person.person_id for person in hub.people.values()}
    result = await _reconfigure(hass, entry, people["Eileen"], "photo")
    result = await _take(hass, result, jittered_photos(1)[0])
    result = await choose(hass, result, "finish")
    assert result["description_placeholders"] == {"name": "Eileen", "others": "Judy"}
    result = await configure(hass, result, {})
    assert result["reason"] == "reconfigure_successful"

    await hass.async_add_executor_job(hub.vault.withdraw_consent, people["Judy"], dt_util.utcnow())
    await hub.async_refresh_people()
    result = await _reconfigure(hass, entry, people["Eileen"], "photo")
    result = await _take(hass, result, different_photos()[1])
    result = await choose(hass, result, "finish")
    assert result["reason"] == "reconfigure_successful"


async def test_different_people_are_not_warned_of(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """Two who are told apart are finished without a word."""
    await enrol(hass, entry, different_photos(), name="Eileen")
    await enrol(hass, entry, [_his()], name="Chandler")
    assert _titles(entry) == ["Chandler", "Eileen"]
