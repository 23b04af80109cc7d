"""The list of visits and the answers to them: who may ask what, and what is said to those who ask for too much."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.familiar_faces.hub import Hub
from custom_components.familiar_faces.people.choices import Choices, Keeping
from custom_components.familiar_faces.recognising import late_answers
from custom_components.familiar_faces.visits.open_visits import Change, Outcome
from custom_components.familiar_faces.visits.visit import Decision

from ..common.made_up_visits import TIMING, a_visit, come
from ..common.people_on_record import DAY, a_consent, change_choices, put_on_record
from .conftest import OpenBrowser

LIST = "familiar_faces/visits/list"
DETAILS = "familiar_faces/visits/details"
ANSWER = "familiar_faces/visits/answer"
UNDO = "familiar_faces/visits/undo"
MINUTE = timedelta(minutes=1)
VISITOR = "event.front_door_visitor"
SEEN = "event.nadie_seen"

type Visits = list[dict[str, Any]]


@pytest.fixture
async def came(hass: HomeAssistant, hub: Hub, nadie: str, start: datetime) -> list[str]:
    """Have Nadie come five times, one minute after the other, then a stranger; return the ids, newest first."""
    visits = [a_visit(hub, nadie, began=start - each * MINUTE) for each in range(5, 0, -1)]
    visits.append(a_visit(hub, None, Decision.STRANGER, began=start))
    for each in visits:
        await come(hass, hub, each)
    return [each.visit_id for each in reversed(visits)]


def ids(page: dict[str, Any]) -> list[str]:
    """Return the ids of the visits of a page."""
    return [each["visit_id"] for each in page["visits"]]


@pytest.mark.parametrize("who", ["administrator", "user", "read-only"])
async def test_everybody_sees_who_came(browser: OpenBrowser, came: list[str], who: str) -> None:
    """The groups of Home Assistant itself read every state, so they see the same."""
    page = await (await browser(who)).said(LIST)
    assert ids(page) == came
    assert page["after"] is None
    stranger, visit, *_ = page["visits"]
    assert (stranger["kind"], stranger["name"], stranger["picture"]) == ("stranger", None, "nameless")
    assert (visit["kind"], visit["name"], visit["camera"], visit["sure"]) == (
        "familiar",
        "Nadie",
        "Front door",
        "very",
    )


async def test_the_details_of_a_visit(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str, start: datetime
) -> None:
    """How many pictures agreed, which photo was most similar, and until when it is kept; the photo not to others."""
    (template,) = hub.people[nadie].templates
    visit = replace(a_visit(hub, nadie, began=start), template_id=template.template_id)
    await come(hass, hub, visit)
    asked = {"visit_id": visit.visit_id}
    asking = await browser()
    said = await asking.said(DETAILS, **asked)
    assert (said["frames"], said["picture_until"]) == (3, None)
    assert dt_util.parse_datetime(said["visit_until"]) == start + 30 * DAY
    assert said["matched"] == template.template_id
    assert (await (await browser("user", own=nadie)).said(DETAILS, **asked))[
        "matched"
    ] == template.template_id
    for other in (await browser("user"), await browser("read-only")):
        assert (await other.said(DETAILS, **asked)) == said | {"matched": None}
    blind = await browser(sees=(VISITOR,))
    stranger = a_visit(hub, None, Decision.STRANGER)
    await come(hass, hub, stranger)
    assert await blind.refused(DETAILS, **asked) == "unknown_visit"
    for nothing in (stranger.visit_id, "none"):
        assert await asking.refused(DETAILS, visit_id=nothing) == "unknown_visit"
    for malformed in ("", "x" * 65, None, 5):
        assert await asking.refused(DETAILS, visit_id=malformed) == "invalid_format"
    await change_choices(hass, hub, nadie, keeping=Keeping.NOTHING)
    assert await asking.refused(DETAILS, **asked) == "unknown_visit"


async def test_page_by_page(browser: OpenBrowser, came: list[str]) -> None:
    """Each visit is on one page, also where visits with and without a name alternate."""
    asking, found = await browser(), list[str]()
    after: dict[str, Any] = {}
    while True:
        page = await asking.said(LIST, limit=2, **after)
        assert len(page["visits"]) <= 2
        found += ids(page)
        if page["after"] is None:
            break
        after = {"after": page["after"]}
    assert found == came


async def test_visits_of_one_moment(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str, start: datetime
) -> None:
    """Many that began at the same moment are on one page each as well."""
    visits = [a_visit(hub, nadie, began=start) for _ in range(7)]
    for each in visits:
        await come(hass, hub, each)
    asking, found = await browser(), list[str]()
    after: dict[str, Any] = {}
    for _ in range(4):
        page = await asking.said(LIST, limit=2, **after)
        found += ids(page)
        after = {"after": page["after"]}
    assert sorted(found) == sorted(each.visit_id for each in visits)
    assert page["after"] is None


async def test_filters(browser: OpenBrowser, came: list[str], nadie: str, hub: Hub, start: datetime) -> None:
    """By person, camera, kind and time, also together."""
    asking, (camera_id,) = await browser(), hub.watchers
    assert ids(await asking.said(LIST, people=[nadie])) == came[1:]
    assert ids(await asking.said(LIST, cameras=[camera_id])) == came
    assert ids(await asking.said(LIST, cameras=["elsewhere"])) == []
    assert ids(await asking.said(LIST, kinds=["stranger", "unclear"])) == came[:1]
    since, before = (start - 3 * MINUTE).isoformat(), (start - MINUTE).isoformat()
    assert ids(await asking.said(LIST, since=since, before=before)) == came[2:4]
    assert ids(await asking.said(LIST, people=[nadie], kinds=["stranger"])) == []


async def test_who_may_read_less(browser: OpenBrowser, came: list[str], hub: Hub) -> None:
    """Who may read only one of the two entities is told of the camera, or of the person, alone."""
    (camera_id,) = hub.watchers
    of_the_camera = await (await browser(sees=(VISITOR,))).said(LIST)
    assert [(each["kind"], each["camera"]) for each in of_the_camera["visits"]] == [
        ("stranger", "Front door")
    ]
    asking = await browser(sees=(SEEN,))
    of_the_person = await asking.said(LIST)
    assert ids(of_the_person) == came[1:]
    assert {(each["name"], each["camera"], each["camera_id"]) for each in of_the_person["visits"]} == {
        ("Nadie", None, None)
    }
    # Nor by asking for that camera.
    assert ids(await asking.said(LIST, cameras=[camera_id])) == []
    assert ids(await (await browser(sees=("light.hall",))).said(LIST)) == []


@pytest.mark.parametrize("keeping", [Keeping.SILENT, Keeping.NOTHING])
async def test_who_wants_nothing_kept_is_sent_to_nobody(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, came: list[str], nadie: str, keeping: Keeping
) -> None:
    """Nothing of them goes to any browser, not even while they are there."""
    await change_choices(hass, hub, nadie, keeping=keeping)
    if keeping is Keeping.NOTHING:
        await come(hass, hub, a_visit(hub, nadie))
    asking = await browser()
    page = await asking.said(LIST)
    assert "Nadie" not in str(page["visits"])
    assert ids(page) == came[:1]
    assert "visit-" not in str(await asking.subscribe(limit=0))
    assert "Nadie" not in str((await asking.said(LIST))["visits"])


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": "many"},
        {"people": "nadie"},
        {"people": [""]},
        {"people": ["x" * 65]},
        {"people": ["x"] * 501},
        {"cameras": [{"id": 1}]},
        {"kinds": ["enemy"]},
        {"kinds": ["familiar"] * 4},
        {"since": "yesterday"},
        {"since": "9999-12-31T23:59:59-12:00"},
        {"after": {}},
        {"after": {"at": "2026-01-01T00:00:00+00:00"}},
        {"after": {"at": "2026-01-01T00:00:00+00:00", "visit_id": "x" * 65}},
        {"after": "' OR 1=1 --"},
        {"else": True},
    ],
    ids=str,
)
async def test_malformed_and_huge(browser: OpenBrowser, came: list[str], asked: dict[str, Any]) -> None:
    """Each is refused, and the next one that is in order is answered."""
    asking = await browser()
    assert await asking.refused(LIST, **asked) == "invalid_format"
    assert ids(await asking.said(LIST)) == came


# Answers


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have answers wait for no longer than a test does."""
    monkeypatch.setattr(late_answers, "TAKEN_BACK_FOR", timedelta(seconds=0.3))


@pytest.mark.parametrize("who", ["user", "read-only"])
@pytest.mark.parametrize("kind", [ANSWER, UNDO])
async def test_users_do_not_answer(
    browser: OpenBrowser, came: list[str], hub: Hub, who: str, kind: str
) -> None:
    """Users who are nobody here are refused, and nothing waits."""
    asked: dict[str, Any] = {"visit_id": came[1]} | ({"correct": True} if kind == ANSWER else {})
    assert await (await browser(who)).refused(kind, **asked) == "unauthorized"
    assert hub.late_answers.waiting(came[1]) is None


async def test_people_answer_for_themselves(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, came: list[str], nadie: str, at_once: None
) -> None:
    """Of their own visits they say that it was right, or that it was not them, and may take that back."""
    asking = await browser("user", own=nadie)
    said = {each["visit_id"]: each for each in (await asking.said(LIST))["visits"]}
    assert (said[came[1]]["answers"], said[came[0]]["answers"]) == ("own", None)
    await asking.said(ANSWER, visit_id=came[1], correct=True)
    said = {each["visit_id"]: each for each in (await asking.said(LIST))["visits"]}
    assert said[came[1]]["answer"]["correct"]
    await asking.said(UNDO, visit_id=came[1])
    await asking.said(ANSWER, visit_id=came[1], correct=False)
    await _until_carried_out(hass, hub, came[1])
    assert came[1] not in ids(await asking.said(LIST))


async def test_people_answer_for_nobody_else(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, came: list[str], nadie: str, start: datetime
) -> None:
    """Neither of others' visits, nor of a stranger's, nor who it was instead; who only looks says nothing."""
    await put_on_record(hass, hub, a_consent(start - DAY, start + 100 * DAY), "nemo", "Nemo")
    other, own = await browser("user", own="nemo"), await browser("user", own=nadie)
    for asking, asked in (
        (other, {"visit_id": came[1], "correct": True}),
        (other, {"visit_id": came[0], "correct": False}),
        (other, {"visit_id": "none", "correct": True}),
        (own, {"visit_id": came[0], "correct": False}),
        (own, {"visit_id": came[1], "correct": False, "person_id": "nemo"}),
        (own, {"visit_id": came[1], "correct": True, "learn": True}),
        (await browser("read-only", own=nadie), {"visit_id": came[1], "correct": True}),
    ):
        assert await asking.refused(ANSWER, **asked) == "unauthorized", asked
    await (await browser()).said(ANSWER, visit_id=came[1], correct=False)
    assert await other.refused(UNDO, visit_id=came[1]) == "unauthorized"
    assert {each["answer"] and each["visit_id"] for each in (await other.said(LIST))["visits"]} == {None}


async def test_who_it_may_have_been(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str, start: datetime
) -> None:
    """An unclear visit asks administrators of one or two people: who agreed to that camera, and is not silent."""
    for person_id, choices in (
        ("nemo", Choices(cameras=frozenset({"elsewhere"}))),
        ("nessie", Choices(keeping=Keeping.SILENT)),
    ):
        consent = a_consent(start - DAY, start + 100 * DAY, choices=choices)
        await put_on_record(hass, hub, consent, person_id, person_id.title())
    asking, user = await browser(), await browser("user", own=nadie)
    for resembled, suggested in (
        ({nadie}, ["Nadie"]),
        ({nadie, "nemo"}, ["Nadie"]),
        ({"nessie"}, []),
        ({nadie, "nemo", "nessie"}, []),
        (set[str](), []),
    ):
        unclear = a_visit(hub, None, Decision.UNCLEAR, began=start)
        outcome = Outcome(unclear, Change.OPENED)
        await hub.announcer.async_settle(outcome, TIMING, None, frozenset(resembled))
        await hass.async_block_till_done()
        said = {each["visit_id"]: each for each in (await asking.said(LIST))["visits"]}
        assert [each["name"] for each in said[unclear.visit_id]["suggested"]] == suggested
        assert "Nessie" not in str(said)
        said = {each["visit_id"]: each for each in (await user.said(LIST))["visits"]}
        assert said[unclear.visit_id]["suggested"] == []


async def test_right(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, came: list[str], at_once: None
) -> None:
    """It waits, and then it is on record that it was right."""
    asking = await browser()
    await asking.said(ANSWER, visit_id=came[1], correct=True)
    said = {each["visit_id"]: each for each in (await asking.said(LIST))["visits"]}
    assert said[came[1]]["answer"]["correct"]
    assert not (await hass.async_add_executor_job(hub.vault.visit, came[1])).confirmed
    await _until_carried_out(hass, hub, came[1])
    assert (await hass.async_add_executor_job(hub.vault.visit, came[1])).confirmed
    said = {each["visit_id"]: each for each in (await asking.said(LIST))["visits"]}
    assert (said[came[1]]["answer"], said[came[1]]["sure"]) == (None, "said")


async def test_undo(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, came: list[str], at_once: None
) -> None:
    """What is taken back is not carried out; afterwards there is nothing to take back."""
    asking = await browser()
    await asking.said(ANSWER, visit_id=came[1], correct=False)
    await asking.said(UNDO, visit_id=came[1])
    assert await asking.refused(UNDO, visit_id=came[1]) == "too_late_to_undo"
    await _pass(hass, 0.5)
    assert ids(await asking.said(LIST)) == came


async def test_it_was_somebody_else(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, came: list[str], start: datetime, at_once: None
) -> None:
    """The visit is theirs from then on; the newest answer counts."""
    await put_on_record(hass, hub, a_consent(start - DAY, start + 100 * DAY), "nemo", "Nemo")
    asking = await browser()
    await asking.said(ANSWER, visit_id=came[1], correct=True)
    await asking.said(ANSWER, visit_id=came[1], correct=False, person_id="nemo")
    await _until_carried_out(hass, hub, came[1])
    said = {each["visit_id"]: each for each in (await asking.said(LIST))["visits"]}
    assert (said[came[1]]["name"], said[came[1]]["sure"]) == ("Nemo", "said")


async def test_a_missed_name(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, nadie: str, start: datetime, at_once: None
) -> None:
    """Somebody unclear is given a name while the visit is held; others are not told that it is."""
    unclear = a_visit(hub, None, Decision.UNCLEAR, began=start)
    await come(hass, hub, unclear)
    asking = await browser()
    (visit,) = (await asking.said(LIST))["visits"]
    assert visit["held"] is not None
    (other,) = (await (await browser("user")).said(LIST))["visits"]
    assert (other["held"], other["kind"]) == (None, "unclear")
    assert await asking.refused(ANSWER, visit_id=unclear.visit_id, correct=True) == "visit_of_nobody"
    await asking.said(ANSWER, visit_id=unclear.visit_id, correct=False, person_id=nadie)
    await _until_carried_out(hass, hub, unclear.visit_id)
    (visit,) = (await asking.said(LIST))["visits"]
    assert (visit["name"], visit["sure"], visit["held"]) == ("Nadie", "said", None)


async def test_what_waits_is_carried_out_when_it_stops(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, came: list[str]
) -> None:
    """Nobody has to keep the panel, or the integration, open for eight seconds."""
    await (await browser()).said(ANSWER, visit_id=came[1], correct=False)
    assert await hass.config_entries.async_reload(hub.entry.entry_id)
    again: Hub = hub.entry.runtime_data
    assert came[1] not in {each.visit_id for each in await hass.async_add_executor_job(again.vault.visits)}


async def test_answers_that_cannot_be_carried_out(
    hass: HomeAssistant, hub: Hub, browser: OpenBrowser, came: list[str], nadie: str, start: datetime
) -> None:
    """They are refused at once, in words."""
    nowhere = Choices(cameras=frozenset())
    await put_on_record(hass, hub, a_consent(start - DAY, start + 100 * DAY, choices=nowhere), "nemo", "Nemo")
    asking = await browser()
    assert await asking.refused(ANSWER, visit_id="none", correct=True) == "unknown_visit"
    assert await asking.refused(ANSWER, visit_id=came[0], correct=True) == "unknown_visit"
    wrong = {"visit_id": came[1], "correct": False}
    assert await asking.refused(ANSWER, **wrong, person_id=nadie) == "correction_contradicts"
    assert await asking.refused(ANSWER, **wrong, person_id="nobody") == "unknown_person"
    assert await asking.refused(ANSWER, **wrong, person_id="nemo") == "no_consent"
    assert await asking.refused(ANSWER, visit_id=came[1], correct="perhaps") == "invalid_format"
    assert await asking.refused(ANSWER, visit_id="x" * 65, correct=True) == "invalid_format"
    assert hub.late_answers.waiting(came[1]) is None


async def test_not_without_end(
    browser: OpenBrowser, came: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only so many answers wait at once."""
    monkeypatch.setattr(late_answers, "MOST", 2)
    asking = await browser()
    for visit_id in came[1:3]:
        await asking.said(ANSWER, visit_id=visit_id, correct=True)
    assert await asking.refused(ANSWER, visit_id=came[3], correct=True) == "too_many_answers"
    # Another answer to one of them takes its place.
    await asking.said(ANSWER, visit_id=came[1], correct=False)


async def test_while_it_does_not_run(hass: HomeAssistant, hub: Hub, browser: OpenBrowser) -> None:
    """Everything is refused with a sentence."""
    asking = await browser()
    assert await hass.config_entries.async_unload(hub.entry.entry_id)
    for kind, asked in (
        (LIST, {}),
        ("familiar_faces/visits/subscribe", {}),
        (DETAILS, {"visit_id": "x"}),
        (ANSWER, {"visit_id": "x", "correct": True}),
        (UNDO, {"visit_id": "x"}),
    ):
        assert await asking.refused(kind, **asked) == "not_loaded"


async def _pass(hass: HomeAssistant, seconds: float) -> None:
    import asyncio

    await asyncio.sleep(seconds)
    await hass.async_block_till_done()


async def _until_carried_out(hass: HomeAssistant, hub: Hub, visit_id: str) -> None:
    for _ in range(50):
        if hub.late_answers.waiting(visit_id) is None:
            break
        await _pass(hass, 0.1)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert dt_util.utcnow()
