"""An invitation as the visitor meets it: what is asked, nothing lost of what was typed, used once."""

import asyncio
from datetime import timedelta
import re
from typing import Any

from freezegun import freeze_time
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.const import DOMAIN, PAPERS
from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.people.person import ConsentMethod
from custom_components.familiar_faces.vault import kept_data
from custom_components.familiar_faces.vault.errors import VaultUnwritable
from custom_components.familiar_faces.vault.records import EnrolmentState

from ..common.notified import notified
from ..common.people_on_record import settle
from ..common.pictures import astronaut, enrolment_photos, photos_of, stranger
from ..common.steps import enrol, ring, visits
from ..conftest import FrontDoor
from .visitors import CHOSEN, Phone

LANGUAGES = ("en", "nl", "de")
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}{name}![](//evil.example/a)"
PLAIN = "scriptalert(1)/script\"'&7*7name!(//evil. example/a)"


async def begun(hub: Hub) -> list[str]:
    """Return the names of those who agreed and are not done."""
    people = await hub.hass.async_add_executor_job(lambda: hub.vault.people(include_enrolling=True))
    return [person.name for person in people if person.person_id not in hub.people]


async def test_from_the_invitation_to_being_recognised(
    hass: HomeAssistant, hub: Hub, phone: Phone, front_door: FrontDoor
) -> None:
    """Somebody new agrees, sends photos, is done, and the next ring names them."""
    path = await phone.invite()
    page = await phone.open(path)
    assert page.status == 200
    for said in ("My age, gender, mood and origin are not guessed", "Front door", "close this page"):
        assert said in page.text
    photos = await phone.agree(path)
    assert photos.status == 200
    assert re.fullmatch(r"/familiar_faces/me/[\w-]{43}/photos\?lang=en", photos.path)
    assert not hub.people

    own = photos.path.partition("/photos")[0]
    (person_id,) = {await phone.person_of(own)}
    assert person_id is not None
    sent = await phone.upload(f"{own}/photos", enrolment_photos())
    assert sent.text.count("This photo is good.") == 3
    assert (await hass.async_add_executor_job(hub.vault.state, person_id)) is EnrolmentState.ENROLLING
    done = await phone.send(f"{own}/done", {})
    assert done.path == f"{own}?lang=en"
    assert "Your consent is valid" in done.text
    await hass.async_block_till_done(wait_background_tasks=True)

    (told,) = notified(hass).values()
    assert told["title"] == "Eileen"
    assert told["message"].startswith("Eileen gave consent on their own phone and added photos.")
    await phone.send(f"{own}/done", {})
    assert len(notified(hass)) == 1, "once"
    person = hub.people[person_id]
    assert person.name == "Eileen"
    assert person.consent is not None
    assert person.consent.method is ConsentMethod.OWN_DEVICE
    assert person.consent.given_by == "Eileen"
    assert person.consent.choices == Choices(None, Keeping.VISITS, True)
    assert person.consent.text_version.startswith("en/")
    assert "The cameras of this home may recognise my face" in person.consent.text
    assert hass.states.get("event.eileen_seen") is not None
    front_door.frames = visits(astronaut())
    await ring(hass, hub)
    assert hass.states.get("event.front_door_visitor").attributes["person_name"] == "Eileen"
    kinds = [each.kind for each in await hass.async_add_executor_job(hub.vault.audit_entries, person_id)]
    assert kinds[::-1] == [
        "invitation_used",
        "consent_recorded",
        *["reference_added"] * 3,
        "enrolled",
        "own_page_viewed",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_language(hub: Hub, phone: Phone, language: str) -> None:
    """The page speaks the visitor's language, and the text that is kept is the one that was read."""
    path = await phone.invite()
    page = await phone.open(path, **{"Accept-Language": f"{language}-CH,{language};q=0.9"})
    assert f'<html lang="{language}">' in page.html
    photos = await phone.send(
        f"{path}?lang={language}", {**CHOSEN, "read": page.value("read"), "everywhere": "yes"}
    )
    assert f'<html lang="{language}">' in photos.html
    (person,) = await hub.hass.async_add_executor_job(lambda: hub.vault.people(include_enrolling=True))
    assert person.consent is not None
    assert person.consent.text_version.startswith(f"{language}/")
    for paragraph in person.consent.text.split("\n\n"):
        assert paragraph in page.text


async def test_nothing_is_chosen_beforehand(phone: Phone) -> None:
    """An empty form says no to everything, and every yes is asked for by a field of its own."""
    page = await phone.open(await phone.invite())
    assert " checked" not in page.html
    assert not re.search(r'<input type="(?!hidden)[^>]*value="[^"]+"[^>]*checked', page.html)


async def test_who_asks(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    """The page says who is responsible, when that is set."""
    path = await phone.invite()
    assert "You are asked whether" in (await phone.open(path)).text
    hass.config_entries.async_update_entry(
        hub.entry, options={"responsible": "Ada Byron", "contact": "ada@example.org"}
    )
    page = await phone.open(path)
    assert "Ada Byron asks whether" in page.text
    assert "ada@example.org" in page.text


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"name": ""}, "name", "Write a name"),
    ({"name": " \u202e\u200b "}, "name", "Write a name"),
    ({"name": "N" * 81}, "name", "Write a name"),
    ({"name": "Stranger"}, "name", "stands for something else"),
    ({"everywhere": None}, "cameras", "Choose at least one camera"),
    ({"everywhere": None, "camera": ["nowhere", "' OR 1=1"]}, "cameras", "Choose at least one camera"),
    ({"keeping": None}, "keeping", "Choose what may happen"),
    ({"keeping": "everything"}, "keeping", "Choose what may happen"),
    ({"until": "tomorrow"}, "until", "This is not a day"),
    ({"until": "2999-01-01"}, "until", "longer than this home allows"),
    ({"until": "2020-01-01"}, "until", "Choose a day after today"),
    ({"agreed": None}, "agreed", "Nothing happens without your consent"),
    ({"read": "0" * 64}, "agreed", "The text has changed"),
    ({"child": "yes"}, "guardian", "write your own name"),
    ({"child": "yes", "guardian": "ZOË"}, "guardian", "not the child's"),
]


async def test_what_is_wrong_is_said_and_nothing_is_lost(hub: Hub, phone: Phone) -> None:
    """An error stands with its field, what was typed stays, and nothing is kept."""
    path = await phone.invite()
    for changes, field, said in WRONG:
        page = await phone.agree(path, **{"name": "Zoë", "keeping": "nothing", **changes})
        assert page.status == 200, changes
        assert said in page.text, changes
        assert f'id="{field}-error"' in page.html, changes
        assert f'href="#{field}"' in page.html, changes
        assert re.search(rf'aria-describedby="[^"]*{field}-error', page.html), changes
        assert f'id="{field}"' in page.html, changes
        assert page.value("name") == changes.get("name", "Zoë").strip("\u202e\u200b ")
        if "keeping" not in changes:
            assert page.checked("keeping", "nothing")
        assert page.checked("pictures")
        assert not page.checked("agreed"), "a yes to what was wrong"
    assert await begun(hub) == []
    assert (await phone.open(path)).status == 200


async def test_for_a_child(hub: Hub, phone: Phone) -> None:
    """A parent reads the text for a child before the yes counts, and the shorter time counts."""
    path = await phone.invite()
    child = {"name": "Kim", "child": "yes", "guardian": "Robin"}
    page = await phone.agree(path, **child)
    assert "The text for a child is different" in page.text
    assert "may recognise the face of Kim" in page.text
    assert page.value("guardian") == "Robin"
    assert await begun(hub) == []

    photos = await phone.send(path, {**CHOSEN, **child, "read": page.value("read")})
    assert "/photos" in photos.path
    (person,) = await hub.hass.async_add_executor_job(lambda: hub.vault.people(include_enrolling=True))
    assert person.consent is not None
    assert (person.name, person.consent.given_by) == ("Kim", "Robin")
    assert person.consent.on_behalf_of_child
    assert "may recognise the face of Kim" in person.consent.text
    lasts = person.consent.valid_until - dt_util.utcnow()
    assert timedelta(days=181) < lasts < timedelta(days=185)


async def test_choices(hub: Hub, phone: Phone) -> None:
    """What was not chosen is not agreed to; a camera that there is not is left out."""
    (camera_id,) = hub.watchers
    until = (dt_util.now() + timedelta(days=40)).date()
    await phone.agree(
        await phone.invite(),
        everywhere=None,
        camera=[camera_id, "another"],
        keeping="silent",
        pictures="yes",
        until=until.isoformat(),
    )
    (person,) = await hub.hass.async_add_executor_job(lambda: hub.vault.people(include_enrolling=True))
    assert person.choices == Choices(frozenset({camera_id}), Keeping.SILENT, False)
    assert person.consent is not None
    assert dt_util.as_local(person.consent.valid_until).date() == until + timedelta(days=1)


async def test_used_once(hub: Hub, phone: Phone) -> None:
    """A used invitation opens nothing, no matter who sends the same again."""
    path = await phone.invite()
    read = (await phone.open(path)).value("read")
    assert (await phone.send(path, {**CHOSEN, "read": read})).status == 200
    again = await phone.send(path, {**CHOSEN, "name": "Mallory", "read": read})
    assert again.status == 404
    assert (await phone.open(path)).status == 404
    assert await begun(hub) == ["Eileen"]


async def test_two_at_once(hub: Hub, phone: Phone) -> None:
    """Of two who say yes in the same moment, one is taken."""
    path = await phone.invite()
    read = (await phone.open(path)).value("read")
    answers = await asyncio.gather(
        *(phone.send(path, {**CHOSEN, "name": name, "read": read}) for name in ("Ann", "Bob", "Cy"))
    )
    assert sorted(each.status for each in answers) == [200, 404, 404]
    (name,) = await begun(hub)
    assert name in ("Ann", "Bob", "Cy")


async def test_expires_at_the_second(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    """An invitation opens a second before its end, and at its end it does not, nor does its form."""
    path = await phone.invite()
    read = (await phone.open(path)).value("read")
    (invitation,) = await hass.async_add_executor_job(hub.vault.links.invitations, dt_util.utcnow())
    with freeze_time(invitation.expires_at - timedelta(seconds=1)):
        assert (await phone.open(path)).status == 200
    with freeze_time(invitation.expires_at):
        assert (await phone.open(path)).status == 404
        assert (await phone.send(path, {**CHOSEN, "read": read})).status == 404
    assert await begun(hub) == []


async def test_somebody_who_is_here(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    """An invitation to renew starts with what was chosen, keeps the name, and ends on the own page."""
    own = await phone.enrol(enrolment_photos(), keeping="nothing", pictures=None)
    person_id = await phone.person_of(own)
    assert person_id is not None
    path = await phone.invite(person_id)
    page = await phone.open(path)
    assert page.checked("keeping", "nothing")
    assert page.checked("everywhere")
    assert not page.checked("pictures")
    assert 'name="name"' not in page.html

    answer = await phone.agree(path, name="Mallory", pictures="yes")
    assert answer.status == 200
    assert "Your consent is valid" in answer.text
    assert answer.path.partition("?")[0] != own
    person = hub.people[person_id]
    assert person.name == "Eileen"
    assert [each.choices.pictures for each in person.consents] == [False, True]
    # The link from before opens nothing from then on: there is one at a time.
    assert (await phone.open(own)).status == 404
    (told,) = notified(hass).values()
    assert told["message"].startswith("Eileen renewed their consent")
    await hub.forgetting.async_forget(person_id)
    await settle(hass, hub)
    assert notified(hass) == {}


async def test_names(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    """A name that is taken gets a number, also in the ids, and one with markup is only shown."""
    await phone.enrol(enrolment_photos())
    second = await phone.enrol(photos_of(stranger(0)), name="eileen")
    assert sorted(person.name for person in hub.people.values()) == ["Eileen", "eileen 2"]
    person_id = await phone.person_of(second)
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), hub.entry.entry_id)
    (device,) = (each for each in devices if each.identifiers == {(DOMAIN, person_id)})
    assert device.name == "eileen 2"
    assert er.async_get(hass).async_get("event.eileen_2_seen") is not None

    page = await phone.agree(await phone.invite(), name=HOSTILE, keeping=None)
    assert page.value("name") == PLAIN
    assert "<script>alert" not in page.html
    await phone.enrol(photos_of(stranger(1)), name=HOSTILE)
    # In Home Assistant's dialogs a name is a part of Markdown, which could have the owner's browser fetch something.
    assert PLAIN in {person.name for person in hub.people.values()}


async def test_nobody_is_told_who_is_here(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    """Whose name was taken sees their own, without the number that the owner sees behind it."""
    await phone.enrol(enrolment_photos())
    second = await phone.enrol(photos_of(stranger(0)), name="eileen")
    person_id = await phone.person_of(second)
    assert person_id is not None
    assert hub.people[person_id].name == "eileen 2"
    for path in ("", "/choices", "/photos", "/withdraw"):
        page = await phone.open(f"{second}{path}")
        assert page.status == 200
        assert "eileen 2" not in page.text
    assert "eileen" in (await phone.open(second)).text
    assert "eileen 2" not in (await phone.open(await phone.invite(person_id))).text

    async def exported() -> str:
        kept = await hass.async_add_executor_job(kept_data.read, hub.vault, person_id, dt_util.utcnow())
        return str(kept_data.describe(kept, {}, {}, {})["person"])

    assert "eileen 2" not in await exported()
    # Also after the owner told the two apart in another way; and what the owner calls somebody is shown.
    await hass.async_add_executor_job(hub.vault.update_person, person_id, "Eileen C", None)
    await hub.async_refresh_people()
    assert hub.people[person_id].former_names == ("eileen 2",)
    said = await exported()
    assert "eileen 2" not in said
    assert "Eileen C" in said


async def test_what_the_owner_wrote_is_only_shown(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    """Markup in a name or a contact of the owner's dialogs is text on every page."""
    hass.config_entries.async_update_entry(
        hub.entry,
        options={"responsible": HOSTILE, "contact": "javascript:alert(1)//<script>alert(1)</script>"},
    )
    await hass.async_block_till_done()
    person_id = await enrol(hass, hub.entry, photos_of(stranger(1)), name=HOSTILE)
    own = await phone.own_path(person_id)
    for path in (own, f"{own}/choices", f"{own}/photos", f"{own}/withdraw", await phone.invite(person_id)):
        page = await phone.open(path)
        assert page.status == 200
        assert "<script>alert" not in page.html
        assert 'href="javascript' not in page.html
    # Not the owner's own dialog either takes markup for a name.
    assert PLAIN in (await phone.open(own)).text
    assert hub.people[person_id].name == PLAIN


async def test_an_invitation_of_somebody_who_is_forgotten(hub: Hub, phone: Phone) -> None:
    """It ends with them."""
    own = await phone.enrol(enrolment_photos())
    person_id = await phone.person_of(own)
    assert person_id is not None
    path = await phone.invite(person_id)
    await hub.forgetting.async_forget(person_id)
    assert (await phone.open(path)).status == 404


async def test_the_disk_refuses(hub: Hub, phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written is said, and the invitation stays open."""
    path = await phone.invite()

    def full(*_args: object, **_values: object) -> None:
        raise VaultUnwritable

    with monkeypatch.context() as patched:
        patched.setattr(hub.vault.links, "accept", full)
        answer = await phone.agree(path)
    assert answer.status == 503
    assert "Everything saved before is still there" in answer.text
    assert (await phone.agree(path)).status == 200


async def test_what_a_proxy_says_changes_no_link(hass: HomeAssistant, hub: Hub, phone: Phone) -> None:
    """A host that a visitor makes up, as a proxy or not, is in no page, and lets no form in from elsewhere."""
    hass.config_entries.async_update_entry(hub.entry, options={"notice": True, "responsible": "The owner"})
    await hass.async_block_till_done()
    own = await phone.enrol(enrolment_photos())
    made_up = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Server": "evil.example",
        "Forwarded": "host=evil.example;proto=https",
        "X-Real-IP": "203.0.113.5",
    }
    for path in (own, f"{own}/choices", await phone.invite(), *PAPERS.values()):
        for headers in (made_up, made_up | {"Host": "evil.example"}):
            page = await phone.open(path, **headers)
            assert page.status == 200
            assert "evil.example" not in page.html + str(page.headers)
    refused = await phone.send(f"{own}/withdraw", {}, Origin="https://evil.example", **made_up)
    assert refused.status == 403
    # Nobody but a proxy that the owner trusts says who it asks for.
    assert (await phone.open(own, **{"X-Forwarded-For": "203.0.113.5"})).status == 400
