"""Alerts while much happens at once: made-up faces at several cameras, and real phones that are told."""

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.familiar_faces.alerts.telling import Kind
from custom_components.familiar_faces.recognising.announcing import Settled
from custom_components.familiar_faces.visits.news import Stage
from custom_components.familiar_faces.visits.turns import Urgency

from ..common.alerting import link, shown, sounds
from ..common.people_on_record import SECOND, change_choices
from ..common.phone import NewPhone, Phone
from ..common.street import DOORS, NAMES, PLAIN, QUIET, STRANGERS, Said, Street


async def test_one_person_rings_at_two_doors(
    hass: HomeAssistant, street: Street, new_phone: NewPhone
) -> None:
    """The second ring is heard, and then it is one notification again: nothing comes back when patience ends."""
    phone = await new_phone("Pixel")
    street.alert(phone)
    await street.comes("Front", "Anna")
    await street.later(10)
    await street.comes("Back", "Anna")
    assert shown(phone) == ["Anna is at the back door."]
    async_fire_time_changed(hass, fire_all=True)
    await street.later(3)
    assert shown(phone) == ["Anna is at the back door."]
    assert sounds(phone) == ["Someone is at the front door.", "Someone is at the back door."]


async def test_who_was_told_of_is_no_news_when_two_become_one(street: Street, new_phone: NewPhone) -> None:
    """Bob was told of at the back door; that Anna comes there from the front door does not tell of him again."""
    phone = await new_phone("Pixel")
    street.alert(phone, early=False, every=10)
    await street.comes("Front", "Anna")
    await street.later(5)
    await street.comes("Back", "Bob")
    await street.later(5)
    await street.comes("Back", "Anna")
    assert shown(phone) == ["Anna and Bob are at the back door."]
    assert sounds(phone) == ["Anna is at the front door.", "Bob is at the back door."]


async def test_an_alert_about_one_door_is_not_taken_back_at_another(
    street: Street, new_phone: NewPhone
) -> None:
    """Anyone who walks on to where the alert is not about was at the front door anyway."""
    phone = await new_phone("Pixel")
    street.alert(phone, early=False, cameras=[street.camera("Front")])
    await street.comes("Front", "Anna")
    await street.later(10)
    await street.comes("Back", "Anna")
    assert phone.messages == ["Anna is at the front door."]


async def test_told_of_at_one_door_after_another(street: Street, new_phone: NewPhone) -> None:
    """An alert about the back door rings once for somebody who was at the front door before."""
    phone = await new_phone("Pixel")
    street.alert(phone, cameras=[street.camera("Back")])
    await street.comes("Front", "Anna")
    await street.later(10)
    await street.comes("Back", "Anna")
    assert sounds(phone) == ["Someone is at the back door."]
    assert shown(phone) == ["Anna is at the back door."]


async def test_a_stranger_who_turns_out_to_be_familiar(street: Street, new_phone: NewPhone) -> None:
    """It is the same visit, so it makes no second sound; who is told of familiar people alone hears of it now."""
    both, familiar = await new_phone("Pixel"), await new_phone("Apple")
    street.alert(both, early=False)
    street.alert(familiar, early=False, who=["familiar"])
    await street.sees("Front", "Anna", unclear=True)
    await street.later(0.5)
    await street.sees("Front", "Anna")
    await street.ends("Front")
    assert sounds(both) == ["An unidentified visitor is at the front door."]
    assert shown(both) == ["Anna is at the front door."]
    assert sounds(familiar) == ["Anna is at the front door."]


async def test_somebody_else_rings_soon_after(street: Street, new_phone: NewPhone) -> None:
    """A courier twenty seconds after Anna is news; and so is a ring at which nobody can be seen."""
    phone = await new_phone("Pixel")
    street.alert(phone)
    await street.comes("Front", "Anna")
    await street.later(20)
    await street.comes("Front", "x")
    assert sounds(phone)[1:] == ["Anna and a stranger are at the front door."]
    await street.later(20)
    street.rings("Front")
    await street.later(1)
    await street.ends("Front")
    assert sounds(phone)[2:] == ["Anna, a stranger and someone are at the front door."]
    assert len(shown(phone)) == 1


async def test_ringing_twice_is_not_somebody_else(street: Street, new_phone: NewPhone) -> None:
    """Anyone who rings again is known by the end of the look, and nothing new is said."""
    phone = await new_phone("Pixel")
    street.alert(phone)
    await street.comes("Front", "Anna")
    await street.later(10)
    await street.comes("Front", "Anna")
    assert phone.messages == ["Someone is at the front door.", "Anna is at the front door."]


async def test_a_sound_is_not_lost_with_what_took_its_place(street: Street, new_phone: NewPhone) -> None:
    """A name that is known before anything was sent is heard: nobody has heard that someone is there."""
    phone = await new_phone("Pixel")
    street.alert(phone)
    street.rings("Front")
    await street.sees("Front", "Anna")
    assert phone.messages == sounds(phone) == ["Anna is at the front door."]
    await street.ends("Front")
    await street.later(60)
    # The same for somebody more who came, and was not told of yet when it was said otherwise.
    await street.comes("Front", "Anna")
    front = street.camera("Front")
    bob = street.hub.open_visits.settle(front, *street.seen("Bob"))
    street.hub.alerts.async_settle(Settled(bob, announced=True))
    renamed = replace(bob, visit=bob.visit.renamed("dirk", "Dirk", 0.9))
    street.hub.alerts.async_settle(Settled(renamed, announced=True))
    await street.settle()
    assert phone.messages[-1] == sounds(phone)[-1] == "Anna and Dirk are at the front door."


async def test_a_camera_that_is_watched_all_the_time(street: Street, new_phone: NewPhone) -> None:
    """Anyone who stays is told of once, however many looks show them; who comes back later, once more."""
    phone = await new_phone("Pixel")
    street.alert(phone)

    async def look(*people: str) -> None:
        street.news("Front", Stage.STARTED, urgency=Urgency.ALWAYS)
        street.news("Front", Stage.FETCHED, urgency=Urgency.ALWAYS, frame=b"")
        await street.sees("Front", *people)
        await street.ends("Front")
        await street.later(5)

    for people in [()] * 3 + [("Anna",)] * 20 + [()] * 7 + [("Anna",)] * 3:
        await look(*people)
    assert phone.messages == ["Anna is at the front door."] * 2
    assert sounds(phone) == phone.messages
    assert len(phone.shown()) == 2


async def test_a_picture_goes_with_the_yes_to_pictures(
    hass: HomeAssistant, street: Street, new_phone: NewPhone
) -> None:
    """Anyone who says no to pictures afterwards is no longer shown, and the name stays."""
    phone = await new_phone("Pixel")
    street.alert(phone, early=False)
    await street.comes("Front", "Anna")
    assert "image" in phone.pushed[-1]["data"]
    assert len(street.hub.alerts.pictures) == 1
    await change_choices(hass, street.hub, "anna", pictures=False)
    await street.settle()
    assert len(street.hub.alerts.pictures) == 0
    await street.later(5)
    await street.comes("Front", "Anna", "Bob")
    assert "Anna" not in str([each.telling.picture for each in street.said[1:]])
    assert shown(phone) == ["Anna and Bob are at the front door."]


async def test_recipients_are_told_one_turn_each(street: Street, new_phone: NewPhone) -> None:
    """Nothing is sent in the turn in which it is decided: twenty phones would hold the loop twenty times as long."""
    phones = [await new_phone("Pixel"), await new_phone("Apple")]
    street.alert(*phones)
    street.rings("Front")
    assert street.said == []
    await street.settle()
    assert [each.recipient for each in street.said] == [phone.key for phone in phones]


async def test_a_recipient_with_a_guest(hass: HomeAssistant, street: Street, new_phone: NewPhone) -> None:
    """Told of the guest alone, and of no one before; at two doors too."""
    own = await new_phone("Pixel")
    link(hass, own, "person.anna")
    await street.update("anna", "Anna", "person.anna")
    street.alert(own)
    await street.comes("Front", "Anna", "Bob")
    await street.later(10)
    await street.comes("Back", "Anna")
    await street.later(10)
    await street.comes("Back", "Bob")
    assert own.messages == ["Bob is at the front door.", "Bob is at the back door."]


async def test_alerts_that_are_switched_off_in_mid_look(
    hass: HomeAssistant, street: Street, new_phone: NewPhone
) -> None:
    """What is told an hour later is another notification."""
    phone = await new_phone("Pixel")
    alert_id = street.alert(phone)
    street.rings("Front")
    await street.settle()
    hass.config_entries.async_remove_subentry(street.entry, alert_id)
    await street.ends("Front")
    await street.later(3600)
    street.alert(phone)
    await street.comes("Front", "Anna")
    assert len({each["data"]["tag"] for each in phone.pushed}) == 2
    assert sounds(phone) == ["Someone is at the front door."] * 2


async def test_nobody_is_told_of_a_correction_who_was_not_told_the_name(
    hass: HomeAssistant, street: Street, new_phone: NewPhone
) -> None:
    """Anyone who has muted Anna is told of somebody, not that it was not her."""
    told, muted = await new_phone("Pixel"), await new_phone("Apple")
    street.alert(told, muted, early=False)
    now = dt_util.utcnow()
    street.hub.alerts.mutes.async_mute("anna", muted.key, now + timedelta(hours=1), now)
    await street.comes("Front", "Anna")
    await told.press(told.action("Not them"))
    await hass.async_block_till_done(wait_background_tasks=True)
    await street.settle()
    assert told.messages[1:] == ["It was not Anna at the front door."]
    assert muted.messages == ["An unidentified visitor is at the front door."]


RULES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("early", {}),
    ("late", {"early": False, "picture": "everybody"}),
    ("seldom", {"early": False, "every": 5}),
    ("familiar", {"who": ["familiar"]}),
    ("front", {"early": False, "cameras": ["Front"]}),
    ("own", {"early": True, "picture": "everybody"}),
)
"""By the phones that they tell."""


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens(hass: HomeAssistant, street: Street, new_phone: NewPhone, seed: int) -> None:
    """What may never be told is never told, and nothing twice, no matter who comes where."""
    random = Random(seed)
    phones: dict[str, Phone] = {}
    for name, changes in RULES:
        phones[name] = await new_phone(name)
        where = (
            {"cameras": [street.camera(each) for each in changes["cameras"]]} if "cameras" in changes else {}
        )
        street.alert(phones[name], **(changes | where))
    link(hass, phones["own"], "person.anna")
    await street.update("anna", "Anna", "person.anna")
    looking: set[str] = set()
    for _ in range(60):
        door = random.choice(DOORS)
        people = random.sample((*NAMES, *STRANGERS), random.choice((0, 1, 1, 1, 2)))
        unclear = QUIET not in people and random.random() < 0.2
        if random.random() < 0.7:
            street.rings(door)
        else:
            street.news(door, Stage.STARTED, urgency=Urgency.MOTION)
        looking.add(door)
        if random.random() < 0.8:
            await street.settle()
        before = len(street.said)
        await street.sees(door, *people, unclear=unclear)
        if people == [QUIET]:
            new = street.said[before:]
            assert {part.kind for each in new for part in each.telling.parts} <= {Kind.SOMEONE}
        for each in list(looking):
            if random.random() < 0.7:
                looking.discard(each)
                await street.ends(each)
        await street.later(random.choice((0.1, 1, 3, 10, 31, 70)))
        check_now(street)
    check_history(street, phones)


def check_now(street: Street) -> None:
    """No visit, and nobody who is there, is in two notifications of one recipient."""
    tags: dict[tuple[str, str], str] = {}
    for (tag, key), sent in street.hub.alerts._teller._sent.items():
        for part in sent.parts:
            if part.visit_id is not None:
                assert tags.setdefault((key, part.visit_id), tag) == tag
    going = {visit.visit_id: visit for visit in street.hub.open_visits.visits}
    shown_in: dict[tuple[str, str], set[str]] = defaultdict(set)
    for (key, visit_id), tag in tags.items():
        if visit_id in going and (person_id := going[visit_id].person_id) is not None:
            shown_in[key, person_id].add(tag)
    assert all(len(each) == 1 for each in shown_in.values())


def check_history(street: Street, phones: dict[str, Phone]) -> None:
    """Check what was told in all that time, recipient by recipient."""
    assert not any("Silas" in message for phone in phones.values() for message in phone.messages)
    assert not any("Anna" in message for message in phones["own"].messages)
    assert all(
        "Anna" not in str(each.telling.parts) for each in street.said if each.recipient == phones["own"].key
    )
    for name, changes in RULES:
        said = [each for each in street.said if each.recipient == phones[name].key]
        assert said
        check_pictures(said, everybody=changes.get("picture") == "everybody")
        heard: set[str] = set()
        first = {each.tag: each for each in reversed(said)}
        assert not any(each.silent for tag, each in first.items() if tag not in street.joined.values())
        for each in said:
            known_as = [part.known_as - {part.individual} for part in each.telling.parts]
            if not each.silent:
                # A sound tells of somebody who was not told of yet.
                assert any(not known or known.isdisjoint(heard) for known in known_as)
            heard |= set().union(*known_as)
    front = street.camera("Front")
    assert {
        part.camera_id
        for each in street.said
        if each.recipient == phones["front"].key
        for part in each.telling.parts
    } == {front}
    kinds = {
        part.kind
        for each in street.said
        if each.recipient == phones["familiar"].key
        for part in each.telling.parts
    }
    assert kinds <= {Kind.SOMEONE, Kind.FAMILIAR}
    assert all("omeone" not in message or "not recogn" in message for message in phones["late"].messages)
    check_cooldown(street, [each for each in street.said if each.recipient == phones["seldom"].key])


def check_pictures(said: list[Said], *, everybody: bool) -> None:
    """Nobody is shown who did not agree, nor before it is known who it is while somebody did not."""
    for each in said:
        if (picture := each.telling.picture) is not None:
            # Silas and Carla may always be there, so a whole frame is never shown.
            who = picture.decode("latin-1").removeprefix("\xff\xd8 ")
            assert who in (*NAMES, *STRANGERS)
            assert who not in (PLAIN, QUIET)
            assert everybody or who in {part.name for part in each.telling.parts}


def check_cooldown(street: Street, said: list[Said]) -> None:
    """Two notifications about the same are five minutes apart; one that goes on may be said again."""
    topics: dict[str, list[Said]] = defaultdict(list)
    for each in said:
        for part in each.telling.parts:
            topics[part.topic].append(each)
    for told in topics.values():
        for one, other in pairwise(told):
            assert street.tag(one.tag) == street.tag(other.tag) or other.at - one.at >= 300 * SECOND
