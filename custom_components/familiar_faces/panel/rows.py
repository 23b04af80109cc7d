"""What is said of visits, cameras and people to a browser."""

from datetime import datetime
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..host.engine import EngineStatus
from ..household.issues import CAMERA_NO_PICTURE, CAMERA_OLD_PICTURE
from ..people.person import Person
from ..people.templates import compared
from ..seen.listing import Cursor, Listed, Page
from ..seen.lookup import Here
from ..seen.shown import Shown
from ..visits.missed_visits import Missed
from .permitted import Asked
from .todo import async_setup, async_todo

VERY_SURE = 0.99
SURE = 0.95
"""From which probability on a name is said in these words. Numbers are for the details alone."""
MOST_SUGGESTED = 2
"""Up to so many people who are resembled, one is asked about."""

type Said = dict[str, Any]


@callback
def async_page(asked: Asked, page: Page) -> Said:
    """Return a page of visits."""
    return {
        "visits": [async_visit(asked, each) for each in page.visits],
        "after": None if page.after is None else cursor(page.after),
    }


@callback
def async_visit(asked: Asked, visit: Listed) -> Said:
    """Return a visit. What waits to be carried out of it is for administrators, who said it."""
    missed = asked.hub.missed.get(visit.visit_id, dt_util.utcnow()) if asked.administrator else None
    return {
        "visit_id": visit.visit_id,
        "kind": str(visit.decision),
        "at": visit.started_at.isoformat(),
        "until": visit.last_seen_at.isoformat(),
        "camera_id": None if visit.place is None else visit.place.camera_id,
        "camera": None if visit.place is None else visit.place.name,
        "person_id": visit.person_id,
        "name": visit.name,
        "sure": sure(visit.confidence, confirmed=visit.confirmed),
        "confidence": None if visit.confidence is None else round(visit.confidence, 3),
        "picture": "held" if missed is not None and missed.picture is not None else str(visit.picture),
        # Until when somebody without a name can be given one.
        "held": None if missed is None else missed.until.isoformat(),
        "reason": None if visit.reason is None else str(visit.reason),
        "quality": visit.quality,
        "suggested": [] if missed is None else _suggested(asked, missed),
        **_answers(asked, visit.visit_id, visit.person_id),
    }


def _answers(asked: Asked, visit_id: str, person_id: str | None) -> Said:
    """Return what the user may say of a visit, and what waits of it to be carried out."""
    own = not asked.administrator and person_id is not None and asked.lookup.acts_as(person_id)
    return {
        # People may say that they came, or that it was not them; who else it was is for administrators.
        "answers": "any" if asked.administrator else "own" if own else None,
        "answer": async_waiting(asked, visit_id) if asked.administrator or own else None,
    }


def _suggested(asked: Asked, missed: Missed) -> list[Said]:
    """Return who a visitor without a name may have been: only people who agreed to that camera and are not silent."""
    now, people = dt_util.utcnow(), asked.lookup.people()
    found = [people[each] for each in sorted(missed.resembled & people.keys())]
    if len(missed.resembled) > MOST_SUGGESTED:
        # Of so many nobody is likely.
        return []
    return [
        {"person_id": each.person_id, "name": each.name, "face": async_face(each)}
        for each in found
        if each.may_be_recognised(now, missed.visit.camera_id)
    ]


@callback
def async_face(person: Person) -> str | None:
    """Return the reference photo that stands for somebody; None for who wants no pictures of themselves shown."""
    if not person.choices.keeps_pictures or not person.templates:
        return None
    return (compared(person.templates) or list(person.templates))[0].template_id


def sure(confidence: float | None, *, confirmed: bool) -> str | None:
    """Return the word for how sure a name is; None without one."""
    if confidence is None:
        return None
    if confirmed:
        return "said"
    return "very" if confidence >= VERY_SURE else "sure" if confidence >= SURE else "fairly"


@callback
def async_now(hass: HomeAssistant, asked: Asked) -> Said:
    """Return what happens at the cameras, and whether anybody is recognised."""
    engine = asked.hub.engine
    return {
        "now": dt_util.utcnow().isoformat(),
        "administrator": asked.administrator,
        "engine": "ready" if engine.status is EngineStatus.READY else "down",
        "engine_error": engine.last_error if asked.administrator else None,
        "cameras": [_camera(hass, asked, here) for here in asked.lookup.here()],
        "mutes": _mutes(asked),
        "muted": _muted(asked),
        "own": None if (own := asked.lookup.own()) is None else own.person_id,
        "inbox": _inbox(asked),
        "todo": async_todo(hass, asked),
        "setup": async_setup(asked),
    }


@callback
def async_people(asked: Asked) -> list[Said]:
    """Return the people for the filter of visits; to administrators also where each may be recognised."""
    return [_person(asked, each) for each in asked.lookup.people().values()]


def _camera(hass: HomeAssistant, asked: Asked, here: Here) -> Said:
    camera_id, hub = here.place.camera_id, asked.hub
    issues = ir.async_get(hass)
    trouble = None
    if not hub.recognition(camera_id):
        trouble = "off"
    elif not hub.roster.anybody(camera_id):
        trouble = "nobody_agreed"
    elif issues.async_get_issue(DOMAIN, f"{CAMERA_OLD_PICTURE}_{camera_id}"):
        trouble = "old_picture"
    elif issues.async_get_issue(DOMAIN, f"{CAMERA_NO_PICTURE}_{camera_id}"):
        trouble = "no_picture"
    return {
        "camera_id": camera_id,
        "name": here.place.name,
        "trouble": trouble,
        # For people with nothing kept, nothing is sent either: a browser keeps what it shows.
        "here": [
            _glimpse(each) | _answers(asked, each.visit_id, each.person_id)
            for each in here.people
            if each.kept
        ],
        "strangers": here.strangers,
        "unclear": here.unclear,
        "last": _last(asked, camera_id),
    }


def _last(asked: Asked, camera_id: str) -> Said | None:
    last = asked.hub.board.last_visitor(camera_id)
    if last is None or (last.person_id is not None and last.person_id not in asked.lookup.people()):
        return None
    return _glimpse(last) | _answers(asked, last.visit_id, last.person_id)


@callback
def async_last(asked: Asked, person_id: str) -> Said | None:
    """Return the visit in which somebody was last seen, as far as it may be shown, and where that was."""
    if person_id not in asked.lookup.people() or (last := asked.hub.board.last_visit(person_id)) is None:
        return None
    place = asked.lookup.places().get(last.camera_id)
    return _glimpse(last) | {"camera": None if place is None else place.name}


def _glimpse(visit: Shown) -> Said:
    return {
        "visit_id": visit.visit_id,
        "kind": str(visit.decision),
        "at": visit.started_at.isoformat(),
        "until": visit.last_seen_at.isoformat(),
        "person_id": visit.person_id,
        "name": visit.name,
        "sure": sure(visit.confidence, confirmed=visit.confirmed),
        "picture": str(visit.picture),
    }


def _person(asked: Asked, person: Person) -> Said:
    said: Said = {"person_id": person.person_id, "name": person.name}
    if asked.administrator:
        now = dt_util.utcnow()
        said["cameras"] = [
            camera_id for camera_id in asked.lookup.places() if person.may_be_recognised(now, camera_id)
        ]
    return said


def _inbox(asked: Asked) -> int | None:
    """Return how many pictures are in the review inbox; None while it is off, and for users."""
    if not asked.administrator or not asked.hub.review.on:
        return None
    return 0 if asked.hub.stored is None else asked.hub.stored.review


@callback
def may_mute_own(asked: Asked) -> bool:
    """Return whether the user may mute their own phones: anyone who may do more than look."""
    own = asked.lookup.own()
    return asked.lookup.acts() or (own is not None and asked.lookup.acts_as(own.person_id))


def _mutes(asked: Asked) -> str | None:
    """Return where the user may mute people and cameras: everywhere, on their own phones, or not at all."""
    if asked.administrator:
        return "everybody"
    own = bool(asked.hub.alerts.own_phones.async_of(asked.user_id)) and may_mute_own(asked)
    return "own" if own else None


def _muted(asked: Asked) -> dict[str, str]:
    """Return until when people and cameras are muted, by their ids, where the user may mute them."""
    now, alerts = dt_util.utcnow(), asked.hub.alerts
    what = (*asked.lookup.places(), *asked.lookup.people())
    if asked.administrator:
        found = {each: alerts.mutes.until(each, now) for each in what}
        ends = {each: until for each, until in found.items() if until is not None}
    else:
        ends = alerts.own_phones.async_until_each(asked.user_id, what, now)
    return {each: until.isoformat() for each, until in ends.items()}


@callback
def async_waiting(asked: Asked, visit_id: str) -> Said | None:
    """Return the answer to a visit that can still be taken back; None without one."""
    if (waiting := asked.hub.late_answers.waiting(visit_id)) is None:
        return None
    return {
        "correct": waiting.answer.correct,
        "person_id": waiting.answer.really_id,
        "due": waiting.due.isoformat(),
    }


def cursor(after: Cursor) -> Said:
    """Return where a page ended, as `cursor_of` reads it."""
    return {"at": after.started_at.isoformat(), "visit_id": after.visit_id}


def cursor_of(said: Said) -> Cursor:
    """Return where a page ended."""
    at: datetime = said["at"]
    return Cursor(dt_util.as_utc(at), said["visit_id"])
