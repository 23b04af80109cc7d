"""What people ask an assistant, with the real engine and Home Assistant's own assistant."""

from datetime import UTC, datetime, timedelta

from homeassistant.components import conversation
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import entity_registry as er, intent
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.familiar_faces.const import EVERYWHERE
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Keeping
from custom_components.familiar_faces.seen.spoken import Spoken
from custom_components.familiar_faces.vault.errors import VaultDamaged

from ..common.exposing import SEEN, VISITOR, a_user, expose
from ..common.people_on_record import DAY, a_consent, at, change_choices, now, put_on_record, put_visit
from ..common.pictures import astronaut, enrolment_photos, stranger, variant
from ..common.steps import enrol, later, ring, visits
from ..conftest import FrontDoor, start_again


async def ask(hass: HomeAssistant, text: str, user: MockUser | None = None, language: str = "en") -> str:
    """Ask Home Assistant's own assistant, and return what it says."""
    await hass.async_block_till_done()
    answer = await conversation.async_converse(
        hass,
        text,
        None,
        Context(user_id=None if user is None else user.id),
        language=language,
        agent_id=conversation.HOME_ASSISTANT_AGENT,
    )
    assert answer.response.response_type is not intent.IntentResponseType.ERROR
    return str(answer.response.speech["plain"]["speech"])


async def handled(hass: HomeAssistant, kind: str, language: str = "en", **slots: str) -> str:
    """Return the answer to an intent that another assistant, or a sentence of the owner's own, asks for."""
    said = {key: {"value": value} for key, value in slots.items()}
    answer = await intent.async_handle(
        hass, "test", f"FamiliarFaces{kind}", said, language=language, assistant="conversation"
    )
    return str(answer.speech["plain"]["speech"])


@pytest.fixture
async def assist(hass: HomeAssistant) -> None:
    """Set up the assistant."""
    for domain in ("homeassistant", "intent", "conversation"):
        assert await async_setup_component(hass, domain, {})


@pytest.fixture
def eileen(hass: HomeAssistant, assist: None, eileen: str) -> str:
    """Expose Eileen and the front door, and return her id."""
    expose(hass, VISITOR, SEEN)
    return eileen


def clock(moment: datetime) -> str:
    """Return a time of day as it is said."""
    return f"{dt_util.as_local(moment):%-H:%M}"


async def kept(hass: HomeAssistant, hub: Hub) -> datetime:
    """Return when the visit that is kept ended."""
    (visit,) = await hass.async_add_executor_job(hub.vault.visits)
    return visit.until


# Who is there


async def test_who_is_at_the_door(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """The names of those who are there are said, in the language of the question."""
    assert await ask(hass, "Who is at the door?") == "Eileen is at the front door."
    assert await ask(hass, "Who is at the front door") == "Eileen is at the front door."
    assert await ask(hass, "Wie is er aan de deur?", language="nl") == "Eileen is bij de camera Front door."
    assert await ask(hass, "Wer ist an der Tür?", language="de") == "Eileen ist an der Kamera Front door."


async def test_several_at_the_door(hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str) -> None:
    """Strangers are counted beside those who have a name."""
    front_door.frames = visits(astronaut(), stranger(0))
    await ring(hass, hub)
    assert await ask(hass, "Who is there?") == "Eileen and a stranger are at the front door."
    assert await ask(hass, "Wer ist da?", language="de") == (
        "Eileen und eine fremde Person sind an der Kamera Front door."
    )


async def test_a_stranger_at_the_door(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str
) -> None:
    """A stranger is said to be one, and afterwards to have been there."""
    front_door.frames = visits(stranger(0))
    await ring(hass, hub)
    assert await ask(hass, "Is anybody at the door?") == "A stranger is at the front door."
    state = hass.states.get(VISITOR)
    assert state is not None
    came = clock(datetime.fromisoformat(state.state))
    with later(minutes=5):
        assert await ask(hass, "Who is at the door?") == (
            f"Nobody is there now. A stranger was at the front door today at {came}."
        )
    with later(minutes=90):
        assert await ask(hass, "Who is at the door?") == "Nobody is there now."


async def test_nobody_at_the_door(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """When nobody is there, the one who was there within the hour is said; later nobody is."""
    until = await kept(hass, hub)
    came = clock(until)
    # It may be shortly before midnight.
    day = (
        "today"
        if dt_util.as_local(until).date() == dt_util.as_local(until + timedelta(minutes=10)).date()
        else "yesterday"
    )
    with later(minutes=10):
        assert await ask(hass, "Who rang?") == (
            f"Nobody is there now. Eileen was at the front door {day} at {came}."
        )
    with later(minutes=90):
        assert await ask(hass, "Who is at the door?") == "Nobody is there now."


async def test_another_camera(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """A camera that is not there is not taken for another one; an alias of the event is a name for it."""
    unknown = "I know no camera garage that you may ask about."
    assert await handled(hass, "WhoIsThere", camera="garage") == unknown
    er.async_get(hass).async_update_entity(VISITOR, aliases=["Garage"])
    assert await ask(hass, "Who is at the garage?") == "Eileen is at the front door."


async def test_nobody_is_looked_for(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """That nobody is recognised is said, and not that nobody is there."""
    await hub.settings.async_switch_recognition(False, EVERYWHERE)
    for question in ("Who is at the door?", "Did a stranger come today?"):
        assert await ask(hass, question) == "I do not know, because recognition is not running right now."


# When somebody was last seen


async def test_when_last_seen(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """Somebody is said to be there while they are, and afterwards when and where they were."""
    assert await ask(hass, "When was Eileen last seen?") == "Eileen is at the front door."
    came = clock(await kept(hass, hub))
    with later(minutes=1):
        assert await ask(hass, "When was eileen last seen?") == (
            f"Eileen was last seen today at {came} at the front door."
        )
        assert await ask(hass, "Wanneer is Eileen voor het laatst gezien?", language="nl") == (
            f"Eileen is vandaag om {came} uur voor het laatst gezien bij de camera Front door."
        )
        assert await ask(hass, "Wann wurde Eileen zuletzt gesehen?", language="de") == (
            f"Eileen wurde zuletzt heute um {came} Uhr an der Kamera Front door gesehen."
        )


async def test_a_visit_of_yesterday(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """At a camera that is gone, only the time is said."""
    moment = now() - DAY
    await put_visit(hass, hub, moment, eileen)
    assert await ask(hass, "When was Eileen last here?") == (
        f"Eileen was last seen yesterday at {clock(moment)}."
    )


async def test_somebody_who_never_came(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """Of somebody whose visit is not kept it is not known when they came."""
    assert await ask(hass, "When was Eileen last seen?") == "I do not know when Eileen was last seen."


async def test_no_longer_than_it_is_kept(hass: HomeAssistant, hub: Hub, eileen: str) -> None:
    """A visit that is past its time is not spoken of, also before the purge has come."""
    hub.clock.async_stop()
    moment = now() - DAY
    await put_visit(hass, hub, moment, eileen)
    with at(moment + hub.retention.visits - timedelta(seconds=1)):
        assert (await ask(hass, "When was Eileen last here?")).startswith("Eileen was last seen on ")
    with at(moment + hub.retention.visits):
        assert await ask(hass, "When was Eileen last here?") == "I do not know when Eileen was last seen."


async def test_two_of_a_name(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """Of two people with one name neither is guessed."""
    moment = now()
    await put_on_record(hass, hub, a_consent(moment - DAY, moment + 100 * DAY), "other", "eileen")
    expose(hass, "event.eileen_seen_2")
    assert await ask(hass, "When was Eileen last seen?") == "I know more than one Eileen."


async def test_an_alias(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """Somebody may be asked about by an alias of their event."""
    er.async_get(hass).async_update_entity(SEEN, aliases=["Mum"])
    assert await ask(hass, "When was mum last seen?") == "Eileen is at the front door."


# Strangers


async def test_a_stranger_came(hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str) -> None:
    """A stranger who came is still told of after somebody else came."""
    front_door.frames = visits(stranger(0))
    await ring(hass, hub)
    state = hass.states.get(VISITOR)
    assert state is not None
    came = clock(datetime.fromisoformat(state.state))
    front_door.frames, front_door.fetched = visits(astronaut()), 0
    await ring(hass, hub)
    assert hass.states.get(VISITOR).attributes["event_type"] == "familiar"
    assert await ask(hass, "Did a stranger come today?") == (
        f"Yes, a stranger was at the front door today at {came}."
    )
    assert await ask(hass, "Is er vandaag een onbekende geweest?", language="nl") == (
        f"Ja, er was vandaag om {came} uur een onbekende bij de camera Front door."
    )
    front_door.frames, front_door.fetched = visits(stranger(1)), 0
    await ring(hass, hub)
    assert (await ask(hass, "Were there any strangers today?")).startswith(
        "Yes, 2 times. The last stranger was"
    )


async def test_no_stranger_came(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """No is said only when it is known of all of today."""
    since = clock(hub.tally.since)
    assert await ask(hass, "Did a stranger come today?") == (
        f"No stranger has come since {since}. I do not know about the time before that."
    )
    midnight = dt_util.as_utc(dt_util.start_of_local_day() + DAY)
    with later(until=midnight):
        async_fire_time_changed(hass, midnight + timedelta(seconds=1))
        await hass.async_block_till_done()
        assert await ask(hass, "Did a stranger come today?") == "No stranger came today."
        assert await ask(hass, "War heute ein Fremder da?", language="de") == (
            "Heute ist niemand Fremdes gekommen."
        )


async def test_a_stranger_of_yesterday(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str
) -> None:
    """A stranger who came yesterday did not come today."""
    front_door.frames = visits(stranger(0))
    await ring(hass, hub)
    midnight = dt_util.as_utc(dt_util.start_of_local_day() + DAY)
    with later(until=midnight):
        async_fire_time_changed(hass, midnight + timedelta(seconds=1))
        await hass.async_block_till_done()
        assert await ask(hass, "Did a stranger come today?") == "No stranger came today."


async def test_a_stranger_before_a_restart(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str, entry: MockConfigEntry
) -> None:
    """After a restart the last visitor is still known, by the event that was stored."""
    front_door.frames = visits(stranger(0))
    await ring(hass, hub)
    state = hass.states.get(VISITOR)
    assert state is not None
    came = clock(datetime.fromisoformat(state.state))
    again = await start_again(hass, entry)
    assert again is not hub
    assert await ask(hass, "Did a stranger come today?") == (
        f"Yes, a stranger was at the front door today at {came}."
    )
    with later(until=dt_util.as_utc(dt_util.start_of_local_day() + DAY + timedelta(hours=9))):
        await start_again(hass, entry)
        state = hass.states.get(VISITOR)
        assert state is not None
        assert state.attributes["event_type"] == "stranger"
        assert (await ask(hass, "Did a stranger come today?")).startswith("No stranger has come since 9:0")


async def test_who_could_not_be_made_out(
    hass: HomeAssistant, hub: Hub, front_door: FrontDoor, eileen: str
) -> None:
    """Visitors who could not be made out are no strangers, and are not hidden either."""
    front_door.frames = visits(variant(stranger(0), blur=9))
    await ring(hass, hub)
    state = hass.states.get(VISITOR)
    assert state is not None
    assert state.attributes["event_type"] == "unclear"
    answer = await ask(hass, "Did a stranger come today?")
    assert answer.startswith("No stranger has come since ")
    assert answer.endswith(" One visitor was not identified.")
    assert await ask(hass, "Who is at the door?") == "An unidentified visitor is at the front door."


# Who may be told


async def test_what_is_not_exposed(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """Nothing is said of what is not exposed; somebody is not named because of the camera alone."""
    expose(hass, SEEN, exposed=False)
    assert await ask(hass, "Who is at the door?") == "A familiar person is at the front door."
    unknown = "I know nobody called Eileen that you may ask about."
    assert await ask(hass, "When was Eileen last seen?") == unknown
    assert await ask(hass, "When was Nobody last seen?") == unknown.replace("Eileen", "Nobody")
    expose(hass, SEEN)
    expose(hass, VISITOR, exposed=False)
    no_camera = "You may not ask about any camera."
    assert await ask(hass, "Who is at the door?") == no_camera
    assert await ask(hass, "Did a stranger come today?") == no_camera
    unknown = "I know no camera front door that you may ask about."
    assert await handled(hass, "WhoIsThere", camera="front door") == unknown
    assert "Front door" not in await ask(hass, "When was Eileen last seen?")


async def test_nothing_is_exposed_by_itself(
    hass: HomeAssistant, assist: None, hub: Hub, entry: MockConfigEntry
) -> None:
    """The owner has to say that an assistant may speak of somebody."""
    await enrol(hass, entry, enrolment_photos())
    assert await handled(hass, "WhoIsThere") == "You may not ask about any camera."
    unknown = await handled(hass, "LastSeen", person="Eileen")
    assert unknown.startswith("I know nobody called Eileen")


async def test_who_asks(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """A user is not told by the assistant what they may not read."""
    camera, person, both = a_user(hass, VISITOR), a_user(hass, SEEN), a_user(hass, VISITOR, SEEN)
    question = "Who is at the door?"
    assert await ask(hass, question, both) == "Eileen is at the front door."
    assert await ask(hass, question, camera) == "A familiar person is at the front door."
    assert await ask(hass, question, person) == "You may not ask about any camera."
    question = "When was Eileen last seen?"
    assert await ask(hass, question, both) == "Eileen is at the front door."
    assert (await ask(hass, question, camera)).startswith("I know nobody called Eileen")
    assert "Front door" not in await ask(hass, question, person)


async def test_an_assistant_that_exposes_nothing_itself(
    hass: HomeAssistant,
    hub: Hub,
    visited: str,
    hass_client: ClientSessionGenerator,
    sockets: None,
) -> None:
    """Who asks without an assistant, such as a skill of Alexa's, hears what is exposed to Home Assistant's own."""
    client = await hass_client()

    async def handle() -> str:
        answer = await client.post("/api/intent/handle", json={"name": "FamiliarFacesWhoIsThere"})
        assert answer.status == 200
        return str((await answer.json())["speech"]["plain"]["speech"])

    assert await handle() == "Eileen is at the front door."
    expose(hass, SEEN, VISITOR, exposed=False)
    assert await handle() == "You may not ask about any camera."


async def test_who_was_forgotten(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """Of somebody who was forgotten nothing is said, as if they had never been."""
    await hub.forgetting.async_forget(visited)
    assert "Eileen" not in await ask(hass, "Who is at the door?")
    assert (await ask(hass, "When was Eileen last seen?")).startswith("I know nobody called Eileen")


async def agree_to(hass: HomeAssistant, hub: Hub, person_id: str, keeping: Keeping) -> None:
    """Have somebody agree to less than before, and ring."""
    await change_choices(hass, hub, person_id, keeping=keeping)
    await ring(hass, hub)
    assert any(visit.person_id == person_id for visit in hub.open_visits.visits)


async def test_who_stays_silent(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """Of somebody who stays silent nothing is said, as if they did not exist."""
    await agree_to(hass, hub, visited, Keeping.SILENT)
    assert await ask(hass, "Who is at the door?") == "Nobody is there now."
    assert (await ask(hass, "When was Eileen last seen?")).startswith("I know nobody called Eileen")
    assert (await ask(hass, "Did a stranger come today?")).startswith("No stranger has come since")


async def test_who_keeps_nothing(hass: HomeAssistant, hub: Hub, visited: str) -> None:
    """Of somebody who has nothing kept, it is said that they are there, and not that they were."""
    await agree_to(hass, hub, visited, Keeping.NOTHING)
    assert await ask(hass, "Who is at the door?") == "Eileen is at the front door."
    with later(minutes=2):
        assert await ask(hass, "Who is at the door?") == "Nobody is there now."
        assert await ask(hass, "When was Eileen last seen?") == "I do not know when Eileen was last seen."


async def test_while_nothing_runs(
    hass: HomeAssistant, hub: Hub, visited: str, entry: MockConfigEntry
) -> None:
    """It is said when nothing runs."""
    await hass.config_entries.async_unload(entry.entry_id)
    assert await handled(hass, "WhoIsThere") == "Familiar Faces is not running."
    assert await handled(hass, "WhoIsThere", "de") == "Familiar Faces läuft nicht."


async def test_a_vault_that_fails(
    hass: HomeAssistant, hub: Hub, visited: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read is not taken for what was not."""

    def fail(*_asked: object, **_more: object) -> None:
        raise VaultDamaged

    monkeypatch.setattr(hub.vault, "visits", fail)
    await hub.board.async_read()
    with later(minutes=1):
        assert await ask(hass, "When was Eileen last seen?") == (
            "The stored visits cannot be read right now."
        )


# How it is said


@pytest.mark.parametrize(
    ("moment", "english", "dutch", "german"),
    [
        ("2026-11-18 08:04", "today at 8:04", "vandaag om 8:04 uur", "heute um 8:04 Uhr"),
        ("2026-11-17 23:59", "yesterday at 23:59", "gisteren om 23:59 uur", "gestern um 23:59 Uhr"),
        ("2026-11-16 00:00", "on Monday at 0:00", "op maandag om 0:00 uur", "am Montag um 0:00 Uhr"),
        (
            "2026-11-12 12:30",
            "on Thursday at 12:30",
            "op donderdag om 12:30 uur",
            "am Donnerstag um 12:30 Uhr",
        ),
        (
            "2026-11-11 12:30",
            "on 11 November at 12:30",
            "op 11 november om 12:30 uur",
            "am 11. November um 12:30 Uhr",
        ),
        ("2026-03-01 09:10", "on 1 March at 9:10", "op 1 maart om 9:10 uur", "am 1. März um 9:10 Uhr"),
    ],
)
async def test_when(
    hass: HomeAssistant,
    custom_integrations: None,
    moment: str,
    english: str,
    dutch: str,
    german: str,
) -> None:
    """A moment is said by the day of this home, however long ago it was."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    local = datetime.fromisoformat(moment).replace(tzinfo=dt_util.get_default_time_zone())
    with at(datetime(2026, 11, 18, 22, 30, tzinfo=UTC)):
        said = [await Spoken(hass, each).async_when(local.astimezone(UTC)) for each in ("en-GB", "nl", "de")]
    assert said == [english, dutch, german]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de-CH", "Gerade ist niemand da."),
        ("nl-BE", "Er is nu niemand."),
        ("en-GB", "Nobody is there now."),
        ("fr", "Nobody is there now."),
    ],
)
async def test_other_languages(hass: HomeAssistant, hub: Hub, eileen: str, language: str, said: str) -> None:
    """A language of a country is spoken as the language, and English where there are no sentences."""
    assert await handled(hass, "WhoIsThere", language) == said
