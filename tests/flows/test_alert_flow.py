"""Adding and changing an alert in its dialog, with real phones and real people."""

import asyncio
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.helpers.translation import async_get_cached_translations
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.familiar_faces.alerts import trial
from custom_components.familiar_faces.alerts.notification import Notification
from custom_components.familiar_faces.alerts.payload import companion
from custom_components.familiar_faces.alerts.rule import Home, Rule, Who
from custom_components.familiar_faces.const import DOMAIN
from custom_components.familiar_faces.flows.alert_choices import name_problem
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Keeping

from ..common.alerting import ring_and_tell
from ..common.notified import notified
from ..common.phone import CLEAR, NewPhone
from ..common.pictures import astronaut, enrolment_photos, stranger
from ..common.steps import Result, add_photo, choose, configure, consent, enrol, later, start_person, visits
from ..conftest import FrontDoor, a_door

ABOUT = {"name": "Everybody", "who": ["familiar", "stranger", "unclear"]}
WHEN = {"weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "home": "any"}
WHOM = {"picture": "familiar", "early": True, "every": 0, "critical": False, "answers": True}
GONE = "alert_recipient_gone"
NOBODY = "alert_about_nobody"


async def start(hass: HomeAssistant, entry: MockConfigEntry) -> Result:
    """Open the dialog that adds an alert."""
    return await hass.config_entries.subentries.async_init(
        (entry.entry_id, "alert"), context={"source": SOURCE_USER}
    )


async def to_whom(hass: HomeAssistant, entry: MockConfigEntry, **about: Any) -> Result:
    """Answer the steps up to the one that asks who is told."""
    result = await start(hass, entry)
    result = await configure(hass, result, ABOUT | about)
    return await configure(hass, result, WHEN)


async def save(hass: HomeAssistant, result: Result) -> str:
    """Save, and return the id of the alert."""
    result = await choose(hass, result, "save")
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    await hass.async_block_till_done()
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    (alert_id,) = [each.subentry_id for each in entry.subentries.values() if each.title == result["title"]]
    return alert_id


async def add(hass: HomeAssistant, entry: MockConfigEntry, recipients: list[str], **about: Any) -> str:
    """Add an alert in its dialog, and return its id."""
    result = await to_whom(hass, entry, **about)
    result = await configure(hass, result, WHOM | {"recipients": recipients})
    return await save(hass, result)


def options(result: Result, field: str) -> dict[str, str]:
    """Return what can be chosen in a field."""
    selector = next(selector for key, selector in result["data_schema"].schema.items() if key == field)
    return {each["value"]: each["label"] for each in selector.config["options"]}


def shown(result: Result) -> dict[str, Any]:
    """Return what the fields of a form hold when it opens."""
    values = {}
    for key in result["data_schema"].schema:
        if key.description is not None and "suggested_value" in key.description:
            values[str(key)] = key.description["suggested_value"]
        elif callable(key.default):
            values[str(key)] = key.default()
    return values


def issues(hass: HomeAssistant) -> set[str]:
    """Return the keys of the repair issues of alerts."""
    return {
        str(issue.translation_key)
        for (domain, _), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN and issue.translation_key in (GONE, NOBODY)
    }


async def test_an_alert_is_added_and_tells(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, front_door: FrontDoor, new_phone: NewPhone
) -> None:
    """What is answered in the dialog, without YAML, tells a phone of the next visitor."""
    phone = await new_phone("Pixel")
    await enrol(hass, entry, enrolment_photos())
    result = await start(hass, entry)
    assert "does not prove who somebody is" in text(hass, "user")
    result = await configure(hass, result, ABOUT)
    assert result["step_id"] == "when"
    result = await configure(hass, result, WHEN)
    assert result["step_id"] == "whom"
    assert "push servers of Apple or Google and of Nabu Casa" in text(hass, "whom")
    assert options(result, "recipients")[phone.key] == "Pixel"
    assert options(result, "recipients")["here:"] == "Home Assistant's own notifications"
    result = await configure(hass, result, WHOM | {"recipients": [phone.key]})
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "ready")
    alert_id = await save(hass, result)
    (rule,) = hub.alerts.rules
    assert rule == Rule(
        alert_id=alert_id,
        title="Everybody",
        who=frozenset(Who),
        people=frozenset(),
        recipients=(phone.key,),
        early=True,
    )
    front_door.frames = visits(astronaut())
    await ring_and_tell(hass, hub)
    assert phone.messages == ["Someone is at the front door.", "Eileen is at the front door."]


def text(hass: HomeAssistant, step: str) -> str:
    """Return what a step says."""
    words = async_get_cached_translations(hass, "en", "config_subentries", DOMAIN)
    return words[f"component.{DOMAIN}.config_subentries.alert.step.{step}.description"]


async def test_for_somebody_at_night(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, new_phone: NewPhone
) -> None:
    """Chosen people, cameras, hours, days and who is at home are what the alert goes by."""
    phone = await new_phone("Pixel")
    eileen = await enrol(hass, entry, enrolment_photos())
    (camera_id,) = hub.watchers
    hass.states.async_set("person.eileen", "home")
    result = await start(hass, entry)
    assert options(result, "people") == {eileen: "Eileen"}
    assert options(result, "cameras") == {camera_id: "Front door"}
    result = await configure(
        hass, result, {"name": " Late  ", "who": [], "people": [eileen], "cameras": [camera_id]}
    )
    night = {"after": "22:00:00", "before": "06:00:00", "weekdays": ["sat", "fri"], "home": "nobody"}
    result = await configure(hass, result, night)
    assert shown(result)["early"] is False
    whom = {"picture": "none", "early": False, "every": 15, "critical": True, "answers": False}
    result = await configure(hass, result, whom | {"recipients": [phone.key, "here:"]})
    await save(hass, result)
    (rule,) = hub.alerts.rules
    assert (rule.title, rule.people, rule.cameras) == ("Late", frozenset({eileen}), frozenset({camera_id}))
    assert (str(rule.after), str(rule.before), rule.weekdays) == (
        "22:00:00",
        "06:00:00",
        frozenset({"fri", "sat"}),
    )
    assert (rule.home, rule.pictures, rule.early) == (Home.NOBODY, "none", False)
    assert (rule.every.total_seconds(), rule.critical, rule.answers) == (900, True, False)
    assert rule.recipients == (phone.key, "here:")


async def test_at_once_is_for_alerts_about_everybody(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """Somebody who is told of strangers alone is not told at once, unless that is chosen."""
    assert shown(await to_whom(hass, entry))["early"] is True
    assert shown(await to_whom(hass, entry, who=["stranger"]))["early"] is False


async def test_what_makes_no_sense_is_said(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """Each gap and contradiction is said at its field, and what was chosen besides is kept."""
    await enrol(hass, entry, enrolment_photos())
    result = await start(hass, entry)
    result = await configure(hass, result, {"name": "  ", "who": []})
    assert result["errors"] == {"name": "name_needed", "who": "nobody_chosen"}
    result = await configure(hass, result, {"name": "When eileen comes", "who": ["stranger"]})
    assert result["errors"] == {"name": "name_of_person"}
    assert shown(result)["who"] == ["stranger"]
    result = await configure(hass, result, {"name": "Night", "who": ["stranger"]})
    bad = {"after": "22:00:00", "before": "22:00:00", "weekdays": [], "home": "nobody"}
    result = await configure(hass, result, bad)
    assert result["errors"] == {
        "before": "same_time",
        "weekdays": "weekday_needed",
        "home": "home_unknown",
    }
    assert shown(result)["home"] == "nobody"
    result = await configure(hass, result, WHEN)
    result = await configure(hass, result, WHOM | {"every": 30})
    assert result["errors"] == {"recipients": "recipient_needed"}
    assert shown(result)["every"] == 30
    result = await configure(hass, result, WHOM | {"recipients": ["here:"]})
    await save(hass, result)
    result = await configure(hass, await start(hass, entry), {"name": "night", "who": ["stranger"]})
    assert result["errors"] == {"name": "name_taken"}


def test_names_of_people_stay_out() -> None:
    """A name is found as a word, also in the genitive; a word that only begins alike is none."""
    people = ["Anna", "Jan de Vries"]
    assert name_problem("Anna's visits", [], people) == "a_person"
    assert name_problem("Annas Besuch", [], people) == "a_person"
    assert name_problem("jan de vries", [], people) == "a_person"
    assert name_problem("Annapurna", [], people) is None
    assert name_problem("January", [], people) is None
    assert name_problem("x" * 81, [], people) == "needed"


async def test_gone_meanwhile(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, new_phone: NewPhone
) -> None:
    """Anyone who is forgotten, and whatever is removed, while the dialog is open is not saved."""
    eileen = await enrol(hass, entry, enrolment_photos())
    (camera_id,) = hub.watchers
    phone = await new_phone("Pixel")
    form = await start(hass, entry)
    chosen = {"name": "Late", "people": [eileen], "cameras": [camera_id]}
    result = await configure(hass, form, chosen)
    result = await configure(hass, result, WHEN)
    result = await configure(hass, result, WHOM | {"recipients": [phone.key]})
    open_form = await start(hass, entry)
    await hub.forgetting.async_forget(eileen)
    hass.config_entries.async_remove_subentry(entry, camera_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    result = await choose(hass, result, "save")
    gone = {"people": "person_gone", "cameras": "camera_gone"}
    assert (result["step_id"], result["errors"]) == ("user", gone)
    result = await configure(hass, open_form, chosen)
    assert result["errors"] == gone
    assert "people" not in shown(result)
    result = await configure(hass, result, {"name": "Late", "who": ["stranger"]})
    assert result["step_id"] == "when"


async def test_while_nothing_runs(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """Without the hub nobody knows who and what there is."""
    await hass.config_entries.async_unload(entry.entry_id)
    result = await start(hass, entry)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")


# The test


async def test_a_test_is_sent(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, new_phone: NewPhone
) -> None:
    """Everybody who was chosen gets one, as the alert would tell them, and it can be saved afterwards."""
    pixel, apple = await new_phone("Pixel"), await new_phone("Apple")
    result = await to_whom(hass, entry)
    result = await configure(
        hass, result, WHOM | {"recipients": [pixel.key, apple.key, "here:"], "critical": True}
    )
    result = await choose(hass, result, "test")
    told = Notification(
        tag="familiar_faces_test",
        title="Everybody",
        message="Test: this is how you will be notified. Nobody is at a camera.",
        critical=True,
    )
    for phone in (pixel, apple):
        (pushed,) = phone.pushed
        assert pushed == pushed | companion(told, apple=False)
        assert "actions" not in pushed["data"]
    assert result["description_placeholders"]["notes"].splitlines()[:3] == [
        "- Pixel: sent. It should arrive within seconds.",
        "- Apple: sent. It should arrive within seconds.",
        "- Home Assistant's own notifications: the test is shown.",
    ]
    await save(hass, result)
    (rule,) = hub.alerts.rules
    assert rule.recipients == (pixel.key, apple.key, "here:")
    assert hub.alerts._teller.told_at == {}


async def test_why_a_test_did_not_arrive(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, new_phone: NewPhone
) -> None:
    """A push server that refuses, a way that fails and one that is gone are told apart; the others get theirs."""
    pixel, apple = await new_phone("Pixel"), await new_phone("Apple")

    async def fail(_call: object) -> None:
        raise OSError("The modem hangs")

    hass.services.async_register("notify", "sms", fail)
    hass.services.async_register("notify", "fax", fail)
    result = await to_whom(hass, entry)
    chosen = ["action:fax", "action:sms", pixel.key, apple.key]
    result = await configure(hass, result, WHOM | {"recipients": chosen})
    hass.services.async_remove("notify", "fax")
    pixel.server.refused.add("Pixel")
    result = await choose(hass, result, "test")
    said = result["description_placeholders"]["notes"].splitlines()
    assert (
        said[0]
        == "- notify.fax (cannot be notified now): **not sent**: this notification target no longer exists."
    )
    assert said[1] == "- notify.sms: **not sent**. Home Assistant says: The modem hangs"
    assert said[2].startswith("- Pixel: **not sent**. Home Assistant says: ")
    assert said[3] == "- Apple: sent. It should arrive within seconds."
    assert (len(pixel.pushed), len(apple.pushed)) == (0, 1)
    # Once it is mended, another test says so, and nothing that was chosen is lost.
    pixel.server.refused.clear()
    result = await choose(hass, result, "test")
    assert "- Pixel: sent." in result["description_placeholders"]["notes"]
    await save(hass, result)
    (rule,) = hub.alerts.rules
    assert rule.recipients == tuple(chosen)


async def test_a_way_that_does_not_answer(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for ever, and what an integration says itself is passed on."""
    monkeypatch.setattr(trial, "SEND_SECONDS", 0.05)

    async def hang(_call: object) -> None:
        await asyncio.Event().wait()

    async def refuse(_call: object) -> None:
        raise HomeAssistantError("No credit left")

    hass.services.async_register("notify", "fax", hang)
    hass.services.async_register("notify", "sms", refuse)
    result = await to_whom(hass, entry)
    result = await configure(hass, result, WHOM | {"recipients": ["action:fax", "action:sms", "here:"]})
    result = await choose(hass, result, "test")
    assert result["description_placeholders"]["notes"].splitlines()[:3] == [
        "- notify.fax: **not sent**: there was no answer for 10 seconds.",
        "- notify.sms: **not sent**. Home Assistant says: No credit left",
        "- Home Assistant's own notifications: the test is shown.",
    ]
    shown = notified(hass)
    assert shown["familiar_faces_test"]["message"].startswith("Test: this is how you will be notified")


async def test_what_will_not_be_told_is_said(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """Of somebody who agreed only to silence no alert says anything, and the dialog says so."""
    result = await start_person(hass, entry)
    result = await configure(hass, result, consent(keeping=Keeping.SILENT, pictures=False))
    for photo in enrolment_photos():
        result = await add_photo(hass, result, photo)
    await choose(hass, result, "finish")
    await hass.async_block_till_done(wait_background_tasks=True)
    (eileen,) = hub.people
    result = await to_whom(hass, entry, who=["stranger"], people=[eileen])
    result = await configure(hass, result, WHOM | {"recipients": ["here:"]})
    assert result["description_placeholders"]["notes"].startswith(
        "There are no notifications about Eileen here"
    )


async def test_that_nobody_is_looked_for_is_said(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry
) -> None:
    """Before anybody can be recognised, an alert about strangers tells nobody either, and the dialog says so."""

    async def notes() -> str:
        result = await to_whom(hass, entry, who=["stranger"])
        result = await configure(hass, result, WHOM | {"recipients": ["here:"]})
        return str(result["description_placeholders"]["notes"])

    assert (await notes()).startswith("There are no notifications for now")
    await enrol(hass, entry, enrolment_photos())
    assert await notes() == ""


# Changing it


async def test_an_alert_is_changed(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, new_phone: NewPhone
) -> None:
    """The dialog shows what is set; what is changed counts for the same alert, whose device is renamed."""
    phone = await new_phone("Pixel")
    eileen = await enrol(hass, entry, enrolment_photos())
    alert_id = await add(hass, entry, [phone.key], who=["stranger"], people=[eileen])
    before = entry.subentries[alert_id].data
    result = await entry.start_subentry_reconfigure_flow(hass, alert_id)
    assert shown(result) == {"name": "Everybody", "who": ["stranger"], "people": [eileen], "cameras": []}
    result = await configure(hass, result, {"name": "Strangers", "who": ["stranger"]})
    assert shown(result) == WHEN
    result = await configure(hass, result, WHEN)
    assert shown(result) == WHOM | {"recipients": [phone.key]}
    result = await configure(hass, result, WHOM | {"recipients": [phone.key, "here:"]})
    result = await choose(hass, result, "save")
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.subentries[alert_id].title == "Strangers"
    assert entry.subentries[alert_id].data == {**before, "people": [], "recipients": [phone.key, "here:"]}
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, alert_id), entry.entry_id)
    assert device is not None
    assert device.name == "Strangers"


async def test_a_recipient_who_is_gone(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, new_phone: NewPhone
) -> None:
    """They are shown as gone and can stay; a repair issue says so until they are back or taken out."""
    pixel, apple = await new_phone("Pixel"), await new_phone("Apple")
    alert_id = await add(hass, entry, [pixel.key, apple.key])
    assert issues(hass) == set()
    phone_entry = hass.config_entries.async_get_entry(pixel.key.partition(":")[2])
    assert phone_entry is not None
    await hass.config_entries.async_unload(phone_entry.entry_id)
    await wait(hass)
    assert issues(hass) == {GONE}
    await hass.config_entries.async_setup(phone_entry.entry_id)
    await wait(hass)
    assert issues(hass) == set()
    await hass.config_entries.async_remove(phone_entry.entry_id)
    await wait(hass)
    assert issues(hass) == {GONE}

    result = await entry.start_subentry_reconfigure_flow(hass, alert_id)
    result = await configure(hass, result, ABOUT)
    result = await configure(hass, result, WHEN)
    assert options(result, "recipients")[pixel.key] == "Phone that no longer exists"
    assert shown(result)["recipients"] == [pixel.key, apple.key]
    result = await configure(hass, result, WHOM | {"recipients": [pixel.key]})
    assert result["errors"] == {"recipients": "recipient_gone"}
    result = await configure(hass, result, WHOM | {"recipients": [apple.key]})
    await choose(hass, result, "save")
    await hass.async_block_till_done()
    assert issues(hass) == set()


async def wait(hass: HomeAssistant) -> None:
    """Let time pass until the ways to tell somebody are looked at again."""
    await hass.async_block_till_done()
    async_fire_time_changed(hass, fire_all=True)
    await hass.async_block_till_done()


async def test_checked_at_a_start(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """Somebody who went while Home Assistant did not run is said to be gone once it runs."""
    await add(hass, entry, ["here:"])
    await hass.config_entries.async_unload(entry.entry_id)
    (alert,) = [each for each in entry.subentries.values() if each.subentry_type == "alert"]
    hass.config_entries.async_update_subentry(entry, alert, data={**alert.data, "recipients": ["action:sms"]})
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert issues(hass) == {GONE}


async def test_a_camera_that_is_removed(
    hass: HomeAssistant, hub: Hub, entry: MockConfigEntry, new_phone: NewPhone, front_door: FrontDoor
) -> None:
    """An alert about a camera that is removed tells of nothing: not all at once of every other camera."""
    phone = await new_phone("Pixel")
    # Anyone who is not looked for is not told of: somebody has to be enrolled.
    await enrol(hass, entry, enrolment_photos())
    door = a_door(title="Garage", bell="input_button.other")
    garage = ConfigSubentry(
        data=MappingProxyType(door["data"]), subentry_type="camera", title="Garage", unique_id="garage"
    )
    hass.config_entries.async_add_subentry(entry, garage)
    await hass.async_block_till_done()
    alert_id = await add(hass, entry, [phone.key], cameras=[garage.subentry_id])
    hass.config_entries.async_remove_subentry(entry, garage.subentry_id)
    await hass.async_block_till_done()
    assert entry.subentries[alert_id].data["cameras"] == []
    assert issues(hass) == {NOBODY}
    front_door.frames = visits(stranger(0))
    await ring_and_tell(hass, hub)
    assert phone.pushed == []
    # In the form empty means every camera: that has to be seen.
    result = await entry.start_subentry_reconfigure_flow(hass, alert_id)
    assert result["errors"] == {"cameras": "no_camera_left"}
    result = await configure(hass, result, ABOUT)
    result = await configure(hass, result, WHEN)
    result = await configure(hass, result, WHOM | {"recipients": [phone.key]})
    await choose(hass, result, "save")
    await hass.async_block_till_done()
    assert issues(hass) == set()
    with later(minutes=30):
        await ring_and_tell(hass, hub)
    assert phone.messages == ["Someone is at the front door.", "A stranger is at the front door."]
    assert CLEAR not in phone.messages


async def test_removed(hass: HomeAssistant, hub: Hub, entry: MockConfigEntry) -> None:
    """A removed alert takes its issues, its device and what is noted of it along."""
    alert_id = await add(hass, entry, ["here:"])
    await hass.services.async_call(
        "switch", "turn_off", {"entity_id": "switch.everybody_alert"}, blocking=True
    )
    assert hub.alerts.rules == []
    assert entry.data["unannounced"] == [alert_id]
    hass.config_entries.async_remove_subentry(entry, alert_id)
    await hass.async_block_till_done()
    assert "unannounced" not in entry.data
    assert hass.states.get("switch.everybody_alert") is None
    assert not dr.async_get(hass).async_get_device_by_identifier((DOMAIN, alert_id), entry.entry_id)
