"""Alerts in odd orders and combinations: made-up faces at several cameras, and real phones that are told."""

from datetime import timedelta

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from ..common.alerting import link, shown, sounds, titles
from ..common.phone import CLEAR, NewPhone
from ..common.street import Street


async def test_two_who_came_together(street: Street, new_phone: NewPhone) -> None:
    """Of two at the door whose names come one after the other it rings once; of who comes later, once more."""
    phone = await new_phone("Pixel")
    street.alert(phone)
    street.rings("Front")
    await street.settle()
    await street.sees("Front", "Anna")
    await street.later(0.5)
    await street.sees("Front", "x")
    await street.ends("Front")
    assert shown(phone) == ["Anna and a stranger are at the front door."]
    assert sounds(phone) == ["Someone is at the front door."]
    await street.later(20)
    await street.comes("Front", "Bob")
    assert sounds(phone)[1:] == ["Anna, a stranger and Bob are at the front door."]


async def test_a_critical_alert_is_heard_after_another_one(street: Street, new_phone: NewPhone) -> None:
    """One who hears of everybody at once, and of strangers critically, is woken by a stranger."""
    phone = await new_phone("Pixel")
    street.alert(phone)
    street.alert(phone, who=["stranger"], early=False, critical=True)
    await street.comes("Front", "x")
    assert sounds(phone) == ["Someone is at the front door.", "A stranger is at the front door."]
    assert [each["data"].get("channel") for each in phone.pushed] == ["Familiar Faces", "alarm_stream"]
    assert len(shown(phone)) == 1
    await street.later(60)
    await street.comes("Front", "Anna")
    assert sounds(phone)[2:] == ["Someone is at the front door."]


async def test_answers_about_one_of_several(street: Street, new_phone: NewPhone) -> None:
    """Where two are named, the answers say who they are about."""
    phone = await new_phone("Pixel")
    street.alert(phone, early=False)
    await street.comes("Front", "Anna")
    assert titles(phone) == ["Right", "Not them", "Mute 1 h"]
    await street.later(10)
    await street.comes("Front", "Bob")
    assert shown(phone) == ["Anna and Bob are at the front door."]
    assert titles(phone) == ["Right: Bob", "Not Bob", "Mute Bob 1 h"]


async def test_two_people_with_one_link(hass: HomeAssistant, street: Street, new_phone: NewPhone) -> None:
    """Anyone who was enrolled twice is told of neither."""
    own = await new_phone("Pixel")
    link(hass, own, "person.anna")
    for person_id, name in (("anna", "Anna"), ("bob", "Bob")):
        await street.update(person_id, name, "person.anna")
    street.alert(own, early=False)
    await street.comes("Front", "Anna")
    await street.later(60)
    await street.comes("Front", "Bob")
    assert own.messages == []


async def test_an_alert_about_nobody(street: Street, new_phone: NewPhone) -> None:
    """An alert with everybody in it forgotten no longer rings."""
    phone = await new_phone("Pixel")
    street.alert(phone, who=[], people=["anna"])
    await street.hub.forgetting.async_forget("anna")
    await street.comes("Front", "x")
    assert phone.messages == []


async def test_linked_while_somebody_is_there(
    hass: HomeAssistant, street: Street, new_phone: NewPhone
) -> None:
    """Anyone who turns out to be the visitor, because they are linked only now, is no longer told of it."""
    phone = await new_phone("Pixel")
    link(hass, phone, "person.anna")
    street.alert(phone)
    await street.comes("Front", "Anna")
    assert shown(phone) == ["Anna is at the front door."]
    await street.update("anna", "Anna", "person.anna")
    await street.later(5)
    await street.comes("Front", "Anna")
    assert phone.messages[-1] == CLEAR
    assert shown(phone) == []


async def test_two_doors_ring_before_anybody_is_known(street: Street, new_phone: NewPhone) -> None:
    """Two notifications become one as soon as both show one person."""
    phone = await new_phone("Pixel")
    street.alert(phone)
    street.rings("Front")
    await street.later(1)
    street.rings("Back")
    await street.settle()
    assert sorted(shown(phone)) == ["Someone is at the back door.", "Someone is at the front door."]
    await street.sees("Front", "Anna")
    await street.later(0.5)
    await street.sees("Back", "Anna")
    for door in ("Front", "Back"):
        await street.ends(door)
    assert shown(phone) == ["Anna is at the back door."]
    assert len(sounds(phone)) == 2


async def test_a_renamed_person(street: Street, new_phone: NewPhone) -> None:
    """What is said after somebody has another name says that name."""
    phone = await new_phone("Pixel")
    street.alert(phone, early=False)
    await street.comes("Front", "Anna")
    await street.update("anna", "Hanna")
    await street.later(10)
    await street.comes("Front", "Bob")
    assert shown(phone) == ["Hanna and Bob are at the front door."]


async def test_two_phones_of_one_user(hass: HomeAssistant, street: Street, new_phone: NewPhone) -> None:
    """Neither tells its user of the user, and a mute is of one phone."""
    first = await new_phone("Pixel")
    user = await hass.auth.async_get_user(first.user_id)
    second = await new_phone("Tablet", user)
    link(hass, first, "person.anna")
    await street.update("anna", "Anna", "person.anna")
    street.alert(first, second, early=False)
    await street.comes("Front", "Anna")
    assert first.messages == second.messages == []
    await street.later(60)
    await street.comes("Front", "Bob")
    now = dt_util.utcnow()
    street.hub.alerts.mutes.async_mute("bob", first.key, now + timedelta(hours=1), now)
    await street.later(60)
    await street.comes("Front", "Bob")
    assert (len(first.messages), len(second.messages)) == (1, 2)


async def test_whoever_comes_home_is_at_home_a_moment_later(
    hass: HomeAssistant, street: Street, new_phone: NewPhone
) -> None:
    """An alert for when nobody is at home tells also of the one who is at home from then on, and then no longer."""
    phone = await new_phone("Pixel")
    hass.states.async_set("zone.home", "0")
    street.alert(phone, home="nobody")
    street.rings("Front")
    await street.settle()
    hass.states.async_set("zone.home", "1")
    await street.sees("Front", "Anna")
    await street.ends("Front")
    assert shown(phone) == ["Anna is at the front door."]
    await street.later(60)
    await street.comes("Front", "x")
    assert shown(phone) == ["Anna is at the front door."]


async def test_an_alert_that_is_changed_while_somebody_is_there(
    hass: HomeAssistant, street: Street, new_phone: NewPhone
) -> None:
    """People it is no longer about are taken back, and who is told from now on is told."""
    first, second = await new_phone("Pixel"), await new_phone("Tablet")
    alert_id = street.alert(first)
    street.rings("Front")
    await street.settle()
    subentry = street.entry.subentries[alert_id]
    changed = {**subentry.data, "who": ["stranger"], "recipients": [first.key, second.key]}
    hass.config_entries.async_update_subentry(street.entry, subentry, data=changed)
    await hass.async_block_till_done()
    await street.sees("Front", "Anna")
    assert first.messages == ["Someone is at the front door.", CLEAR]
    assert second.messages == []
    await street.sees("Front", "x")
    await street.ends("Front")
    assert shown(first) == shown(second) == ["A stranger is at the front door."]


async def test_reloaded_while_somebody_is_there(
    hass: HomeAssistant, street: Street, new_phone: NewPhone
) -> None:
    """What was told stays, its answers do nothing from then on, and what comes is told again."""
    phone = await new_phone("Pixel")
    street.alert(phone)
    await street.comes("Front", "Anna")
    answer = phone.action("Not them")
    assert await hass.config_entries.async_reload(street.entry.entry_id)
    await hass.async_block_till_done()
    street.hub = street.entry.runtime_data
    assert await phone.press(answer) == 200
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(street.hub.vault.visits()) == 1
    await street.comes("Front", "Bob")
    assert shown(phone) == ["Anna is at the front door.", "Bob is at the front door."]


async def test_recognition_is_switched_off_while_somebody_is_there(
    hass: HomeAssistant, street: Street, new_phone: NewPhone
) -> None:
    """A ring stays a ring; nobody is named afterwards."""
    phone = await new_phone("Pixel")
    street.alert(phone)
    street.rings("Front")
    await street.settle()
    (switch,) = [
        state.entity_id
        for state in hass.states.async_all("switch")
        if state.entity_id.startswith("switch.front_door_") and "recognition" in state.entity_id
    ]
    await hass.services.async_call("switch", "turn_off", {"entity_id": switch}, blocking=True)
    await street.ends("Front")
    await hass.services.async_call(
        "input_button", "press", {"entity_id": "input_button.front"}, blocking=True
    )
    await street.settle()
    assert phone.messages == ["Someone is at the front door."]
