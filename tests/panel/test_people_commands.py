"""The tab People and somebody's page: who may see and do what, and what is said to those who ask for too much."""

from datetime import datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.panel import topic
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.vault.errors import VaultDamaged, VaultUnwritable

from ..common.calling import act
from ..common.made_up_visits import a_visit, come
from ..common.people_on_record import DAY, a_consent, change_choices, put_on_record
from ..common.vectors import axis
from .conftest import OpenBrowser

PEOPLE = "familiar_faces/people/subscribe"
PERSON = "familiar_faces/person/subscribe"
PHOTO = "familiar_faces/person/photo"
INVITE = "familiar_faces/person/invite"
UNINVITE = "familiar_faces/person/uninvite"
LINK = "familiar_faces/person/link"
EXPORT = "familiar_faces/person/export"
MENTIONS = "familiar_faces/person/mentions"
FORGET = "familiar_faces/person/forget"
FOR_ADMINISTRATORS: tuple[tuple[str, dict[str, Any]], ...] = (
    (PEOPLE, {}),
    (INVITE, {}),
    (UNINVITE, {"invitation_id": "x"}),
    (LINK, {"person_id": "nadie"}),
    (MENTIONS, {"person_id": "nadie"}),
    (FORGET, {"person_id": "nadie"}),
)
OF_A_PERSON: tuple[tuple[str, dict[str, Any]], ...] = (
    (PERSON, {}),
    (PHOTO, {"template_id": "x", "change": "remove"}),
    (EXPORT, {}),
)


async def add_photos(hass: HomeAssistant, hub: Hub, person_id: str, *axes: int) -> list[str]:
    """Give somebody more made-up photos, and return the ids of all their templates."""
    assert hub.gallery is not None
    model = hub.gallery.model

    def write() -> None:
        for each in axes:
            hub.vault.add_reference(
                person_id,
                photo=b"a photo",
                embedding=axis(each),
                model=model,
                photo_digest=f"photo {each} of {person_id}",
                now=dt_util.utcnow(),
            )

    await hass.async_add_executor_job(write)
    await hub.async_refresh_people()
    return [each.template_id for each in hub.people[person_id].templates]


# Who may what


@pytest.mark.parametrize("who", ["user", "read-only", "linked"])
@pytest.mark.parametrize(("kind", "values"), FOR_ADMINISTRATORS)
async def test_for_administrators_alone(
    browser: OpenBrowser, hub: Hub, nadie: str, who: str, kind: str, values: dict[str, Any]
) -> None:
    """Nobody else may, also not somebody who is one of the people."""
    asking = await browser("user", own=nadie) if who == "linked" else await browser(who)
    assert await asking.refused(kind, **values) == "unauthorized"
    assert nadie in hub.people


async def test_the_last_visits(
    hass: HomeAssistant, browser: OpenBrowser, hub: Hub, nadie: str, start: datetime
) -> None:
    """The newest come first, with a word when there are more; they follow what happens, and nobody else's are there."""
    await put_on_record(hass, hub, a_consent(start - DAY, start + 100 * DAY), "nemo", "Nemo")
    ours = [a_visit(hub, nadie, began=start - timedelta(minutes=each)) for each in range(1, 6)]
    for each in (*ours, a_visit(hub, "nemo", began=start)):
        await come(hass, hub, each)
    said = await (await browser("user", own=nadie)).subscribe(PERSON)
    assert [each["visit_id"] for each in said["visits"]] == [each.visit_id for each in ours]
    assert (said["more_visits"], said["visits"][0]["answers"]) == (False, "own")
    asking = await browser()
    await asking.subscribe(PERSON, person_id=nadie)
    await come(hass, hub, newest := a_visit(hub, nadie, began=start))
    said = await asking.until(lambda each: each["visits"][0]["visit_id"] == newest.visit_id)
    assert ([each["person_id"] for each in said["visits"]], said["more_visits"]) == ([nadie] * 5, True)
    # Without a login to read these states there is none of it, nor of somebody who chose silence.
    blind = await browser(sees=("light.hall",), own=nadie)
    assert (await blind.subscribe(PERSON))["visits"] == []
    await change_choices(hass, hub, nadie, keeping=Keeping.SILENT)
    said = await asking.until(lambda each: each["silent"])
    assert said["visits"] == []


@pytest.mark.parametrize("who", ["user", "read-only"])
@pytest.mark.parametrize(("kind", "values"), OF_A_PERSON)
async def test_nothing_of_others(
    hass: HomeAssistant,
    browser: OpenBrowser,
    hub: Hub,
    nadie: str,
    start: datetime,
    who: str,
    kind: str,
    values: dict[str, Any],
) -> None:
    """Who is nobody here, and who is somebody else, is refused alike: for somebody who is here and somebody who is not."""
    await put_on_record(hass, hub, a_consent(start - DAY, start + 100 * DAY), "nemo", "Nemo")
    for asking in (await browser(who), await browser(who, own="nemo")):
        for person_id in (nadie, "nobody"):
            assert await asking.refused(kind, person_id=person_id, **values) == "unauthorized"


async def test_an_administrator_sees_everybody(
    hass: HomeAssistant, browser: OpenBrowser, hub: Hub, nadie: str, start: datetime
) -> None:
    """A tile has the face, the last visit and the consent; of silent people it says that they are."""
    now = dt_util.utcnow()
    await put_on_record(
        hass,
        hub,
        a_consent(start - DAY, now + 5 * DAY, child=True, choices=Choices(keeping=Keeping.SILENT)),
        "nemo",
        "Nemo",
    )
    await come(hass, hub, a_visit(hub, nadie))
    said = await (await browser()).subscribe(PEOPLE)
    first, second = said["people"]
    assert (first["name"], first["state"], first["here"], first["child"]) == ("Nadie", "active", True, False)
    assert first["last"]["camera"] == "Front door"
    assert first["face"] == hub.people[nadie].templates[0].template_id
    assert (second["name"], second["state"], second["silent"], second["child"]) == (
        "Nemo",
        "expiring",
        True,
        True,
    )
    assert (second["last"], second["here"], second["face"]) == (None, False, None)
    assert said["invitations"] == []


async def test_a_page(hass: HomeAssistant, browser: OpenBrowser, hub: Hub, nadie: str) -> None:
    """It says in plain words what somebody agreed to, what is kept, and what each photo is worth."""
    first, second = await add_photos(hass, hub, nadie, 0)
    await come(hass, hub, a_visit(hub, nadie))
    said = await (await browser()).subscribe(PERSON, person_id=nadie)
    assert (said["mine"], said["may"], said["different"], said["enough"]) == (False, True, 1, 3)
    worth = {each["template_id"]: each["worth"] for each in said["templates"]}
    assert worth == {first: "good", second: "little"}
    consent = said["consent"]
    assert (consent["everywhere"], consent["cameras"], consent["not_cameras"]) == (True, ["Front door"], [])
    assert (consent["keeping"], consent["pictures"], consent["visits_days"], consent["pictures_days"]) == (
        "visits",
        True,
        30,
        7,
    )
    assert consent["text"] == "The text."
    assert (said["kept"]["photos"], said["kept"]["visits"], said["kept"]["pictures"]) == (2, 1, 0)
    assert [each["name"] for each in said["cameras"]] == ["Front door"]


async def test_look_alikes(
    hass: HomeAssistant, browser: OpenBrowser, hub: Hub, nadie: str, start: datetime
) -> None:
    """That the cameras may not tell two people apart is said of both, but not of somebody silent, nor to the person."""
    for person_id, choices in (("nemo", Choices()), ("nessie", Choices(keeping=Keeping.SILENT))):
        consent = a_consent(start - DAY, start + 100 * DAY, choices=choices)
        await put_on_record(hass, hub, consent, person_id, person_id.title())
        ids = await add_photos(hass, hub, person_id, 0)
        await hass.async_add_executor_job(hub.vault.remove_reference, person_id, ids[0])
    await hub.async_refresh_people()
    said = await (await browser()).subscribe(PERSON, person_id=nadie)
    assert [each["name"] for each in said["alike"]] == ["Nemo"]
    mine = await (await browser("user", own=nadie)).subscribe(PERSON)
    assert mine["alike"] == []
    assert "Nemo" not in str(mine)


async def test_ones_own_page(browser: OpenBrowser, hub: Hub, nadie: str) -> None:
    """A linked user sees what is kept of them; with an account that reads only they see it, and may do nothing."""
    for who, may in (("user", True), ("read-only", False)):
        asking = await browser(who, own=nadie)
        assert (await asking.subscribe(limit=0))["own"] == nadie
        said = await asking.subscribe(PERSON)
        assert (said["person_id"], said["mine"], said["may"], said["muted"]) == (nadie, True, may, None)
        assert said["linked"] == "Linked"


async def test_linked_to_two_people(
    hass: HomeAssistant, browser: OpenBrowser, hub: Hub, nadie: str, start: datetime
) -> None:
    """Then nobody knows who it is, and nothing is shown."""
    await put_on_record(hass, hub, a_consent(start - DAY, start + 100 * DAY), "nemo", "Nemo")
    asking = await browser("user", own=nadie)
    await hass.async_add_executor_job(hub.vault.update_person, "nemo", "Nemo", "person.nadie")
    await hub.async_refresh_people()
    assert await asking.refused(PERSON) == "unauthorized"
    assert (await asking.subscribe(limit=0))["own"] is None


# Live


async def test_it_follows(hass: HomeAssistant, browser: OpenBrowser, hub: Hub, nadie: str) -> None:
    """Other choices, a mute and a reload are sent as they come, and a forgotten person's page is gone."""
    watching, tiles = await browser(), await browser()
    await watching.subscribe(PERSON, person_id=nadie)
    await tiles.subscribe(PEOPLE)
    await change_choices(hass, hub, nadie, keeping=Keeping.NOTHING)
    await watching.until(lambda event: event["consent"]["keeping"] == "nothing")
    await act(hass, "mute", person=nadie)
    await watching.until(lambda event: event["muted"] is not None)
    assert await hass.config_entries.async_reload(hub.entry.entry_id)
    await hass.async_block_till_done()
    await watching.until(lambda event: event["type"] == "all")
    again: Hub = hub.entry.runtime_data
    await again.forgetting.async_forget(nadie)
    await watching.until(lambda event: event["type"] == "gone")
    await tiles.until(lambda event: event["type"] == "all" and event["people"] == [])


async def test_whose_link_ends_sees_no_more(
    hass: HomeAssistant, browser: OpenBrowser, hub: Hub, nadie: str
) -> None:
    """An open page of somebody who is no longer linked says nothing from then on."""
    watching = await browser("user", own=nadie)
    await watching.subscribe(PERSON)
    await hass.async_add_executor_job(hub.vault.update_person, nadie, "Nadie", None)
    await hub.async_refresh_people()
    await watching.until(lambda event: event["type"] == "gone")


async def test_a_vault_that_fails(
    browser: OpenBrowser, hub: Hub, nadie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, and tried again by itself."""
    monkeypatch.setattr(topic, "AGAIN", 0.2)

    def fails(*_args: object) -> None:
        raise VaultDamaged("made up")

    watching = await browser()
    with monkeypatch.context() as failing:
        failing.setattr(hub.vault, "count_of", fails)
        assert (await watching.subscribe(PERSON, person_id=nadie))["type"] == "failed"
    await watching.until(lambda event: event["type"] == "all")


async def test_not_without_end(hass: HomeAssistant, browser: OpenBrowser, hub: Hub) -> None:
    """A connection has so many subscriptions, and gives each back."""
    watching = await browser()
    for _ in range(topic.MOST_TOPICS):
        await watching.subscribe(PEOPLE)
    assert await watching.refused(PEOPLE) == "too_many_subscriptions"
    await watching._socket.close()
    for _ in range(20):
        await hass.async_block_till_done()
        if not hub.late_answers._listeners:
            break
    assert hub.late_answers._listeners == []


# Photos


async def test_photos(hass: HomeAssistant, browser: OpenBrowser, hub: Hub, nadie: str) -> None:
    """One is set aside, used again and erased, and the last one in use stays."""
    first, second = await add_photos(hass, hub, nadie, 1)
    asking = await browser()

    def worth() -> dict[str, bool]:
        return {each.template_id: each.usable for each in hub.people[nadie].templates}

    await asking.said(PHOTO, person_id=nadie, template_id=first, change="aside")
    assert worth() == {first: False, second: True}
    for change in ("aside", "remove"):
        refused = await asking.refused(PHOTO, person_id=nadie, template_id=second, change=change)
        assert refused == "keep_one_photo"
    await asking.said(PHOTO, person_id=nadie, template_id=first, change="use")
    assert worth() == {first: True, second: True}
    await asking.said(PHOTO, person_id=nadie, template_id=second, change="remove")
    assert worth() == {first: True}
    assert await asking.refused(PHOTO, person_id=nadie, template_id=second, change="use") == "photo_gone"


async def test_a_photo_of_somebody_else(
    hass: HomeAssistant, browser: OpenBrowser, hub: Hub, nadie: str, start: datetime
) -> None:
    """Another person's photo is not reached by naming it, neither by administrators nor by people."""
    await put_on_record(hass, hub, a_consent(start - DAY, start + 100 * DAY), "nemo", "Nemo")
    (theirs,) = [each.template_id for each in hub.people["nemo"].templates]
    await add_photos(hass, hub, "nemo", 3)
    for asking in (await browser(), await browser("user", own=nadie)):
        refused = await asking.refused(PHOTO, person_id=nadie, template_id=theirs, change="remove")
        assert refused == "photo_gone"
    assert theirs in {each.template_id for each in hub.people["nemo"].templates}


async def test_people_erase_their_own_alone(
    hass: HomeAssistant, browser: OpenBrowser, hub: Hub, nadie: str
) -> None:
    """What is compared with is the owner's to say; who may only look erases nothing."""
    first, second = await add_photos(hass, hub, nadie, 1)
    reader = await browser("read-only", own=nadie)
    assert await reader.refused(PHOTO, person_id=nadie, template_id=first, change="remove") == "unauthorized"
    own = await browser("user", own=nadie)
    for change in ("aside", "use"):
        assert await own.refused(PHOTO, person_id=nadie, template_id=first, change=change) == "unauthorized"
    await own.said(PHOTO, person_id=nadie, template_id=first, change="remove")
    assert [each.template_id for each in hub.people[nadie].templates] == [second]


# Invitations, links and exports


async def test_invitations(hass: HomeAssistant, browser: OpenBrowser, hub: Hub, nadie: str) -> None:
    """One is made with its code, listed without its link, and closed; one at a time for each person."""
    hass.config.internal_url = "http://home.example:8123"
    asking, watching = await browser(), await browser()
    await watching.subscribe(PEOPLE)
    new = await asking.said(INVITE)
    assert new["url"].startswith("http")
    assert new["qr"].startswith("data:image/svg+xml")
    listed = await watching.until(lambda event: event["invitations"])
    assert [each["person_id"] for each in listed["invitations"]] == [None]
    assert new["url"].rsplit("/", 1)[1] not in str(listed)
    await asking.said(INVITE, person_id=nadie)
    renewal = await asking.said(INVITE, person_id=nadie)
    await watching.until(lambda event: len(event["invitations"]) == 2)
    assert await asking.said(UNINVITE, invitation_id=renewal["invitation_id"]) == {"closed": 1}
    assert await asking.said(UNINVITE, invitation_id="none") == {"closed": 0}
    left = await watching.until(lambda event: len(event["invitations"]) == 1)
    assert left["invitations"][0]["invitation_id"] == new["invitation_id"]
    link = await asking.said(LINK, person_id=nadie)
    assert "/familiar_faces/me/" in link["url"]


async def test_an_export(browser: OpenBrowser, nadie: str) -> None:
    """Administrators have it made, and people of themselves; who may only look has not."""
    for asking in (await browser(), await browser("user", own=nadie)):
        offered = await asking.said(EXPORT, person_id=nadie, language="de")
        assert "ticket=" in offered["url"]
        assert offered["size"] > 0
    assert await (await browser("read-only", own=nadie)).refused(EXPORT, person_id=nadie) == "unauthorized"


# Forgetting


async def test_forgetting(hass: HomeAssistant, browser: OpenBrowser, hub: Hub, nadie: str) -> None:
    """It says where else the name stands, erases, and answers with the receipt, which has no name."""
    hass.states.async_set("input_text.note", "Nadie came")
    asking = await browser()
    found = (await asking.said(MENTIONS, person_id=nadie))["mentions"]
    assert [(each["kind"], each["where"], each["erasable"]) for each in found] == [
        ("entity", "input_text.note", True)
    ]
    refused = await asking.refused(FORGET, person_id=nadie, also=["file:secrets.yaml"])
    assert refused == "unknown_place"
    assert nadie in hub.people
    receipt = await asking.said(FORGET, person_id=nadie, also=[found[0]["place"]])
    assert receipt["verified"]
    assert receipt["erased"]["templates"] == 1
    assert "Nadie" not in str(receipt)
    assert nadie not in hub.people
    assert await asking.refused(FORGET, person_id=nadie) == "unknown_person"


async def test_a_disk_that_is_full(
    browser: OpenBrowser, hub: Hub, nadie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No receipt is made up."""

    def fails(*_args: object) -> None:
        raise VaultUnwritable("made up")

    asking = await browser()
    with monkeypatch.context() as failing:
        failing.setattr(hub.vault, "forget", fails)
        assert await asking.refused(FORGET, person_id=nadie) == "forget_failed"
    assert nadie not in hub.people


# What is malformed


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (PEOPLE, {"else": 1}),
        (PERSON, {"person_id": ""}),
        (PERSON, {"person_id": "x" * 65}),
        (PERSON, {"person_id": ["nadie"]}),
        (PHOTO, {"person_id": "nadie", "template_id": "x", "change": "sell"}),
        (PHOTO, {"person_id": "nadie", "template_id": "x" * 65, "change": "use"}),
        (PHOTO, {"person_id": "nadie", "change": "use"}),
        (INVITE, {"person_id": {"id": "nadie"}}),
        (UNINVITE, {}),
        (UNINVITE, {"invitation_id": "x" * 65}),
        (LINK, {}),
        (EXPORT, {"person_id": "nadie", "language": "xx"}),
        (MENTIONS, {"person_id": "x" * 1000}),
        (FORGET, {}),
        (FORGET, {"person_id": "nadie", "also": "all"}),
        (FORGET, {"person_id": "nadie", "also": ["x"] * 201}),
        (FORGET, {"person_id": "nadie", "also": ["x" * 513]}),
    ],
    ids=str,
)
async def test_malformed_and_huge(
    browser: OpenBrowser, hub: Hub, nadie: str, kind: str, values: dict[str, Any]
) -> None:
    """Each is refused, and changes nothing."""
    before = hub.people[nadie]
    assert await (await browser()).refused(kind, **values) == "invalid_format"
    assert hub.people[nadie] == before


async def test_nobody_of_that_id(browser: OpenBrowser, nadie: str) -> None:
    """An id that is nobody's is answered in words."""
    asking = await browser()
    for kind, values in (
        (PERSON, {}),
        (PHOTO, {"template_id": "x", "change": "use"}),
        (INVITE, {}),
        (LINK, {}),
        (EXPORT, {}),
        (MENTIONS, {}),
        (FORGET, {}),
    ):
        assert await asking.refused(kind, person_id="nobody", **values) == "unknown_person", kind


async def test_while_it_does_not_run(hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str) -> None:
    """Everything is refused with a sentence."""
    asking = await browser()
    assert await hass.config_entries.async_unload(hub.entry.entry_id)
    for kind, values in (
        *FOR_ADMINISTRATORS,
        *((kind, {"person_id": nadie} | more) for kind, more in OF_A_PERSON),
    ):
        assert await asking.refused(kind, **values) == "not_loaded", kind
