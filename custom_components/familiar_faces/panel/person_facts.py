"""What is said of people: a tile for each of them, and the page of one."""

from datetime import timedelta
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.util import dt as dt_util

from ..const import DOMAIN
from ..enrolment.photo_shelf import async_alike, async_matched, async_worths
from ..enrolment.walking_up import cameras_for
from ..household.subentries import camera_names
from ..openness.kept_of import KeptOf, async_kept_of
from ..people.person import Consent, ConsentState, Person
from ..people.photo_worth import Worth
from ..people.templates import ENOUGH_PHOTOS, count_distinct
from ..seen.listing import Wanted
from ..visits.visit import Decision
from .permitted import Asked
from .rows import Said, async_face, async_last, async_visit

LAST_VISITS: Final = 5
"""Visits on somebody's page. The tab Visits has all of them."""
_DAY = timedelta(days=1)


@callback
def async_tile(asked: Asked, person: Person) -> Said:
    """Return what stands on somebody's tile."""
    now, consent = dt_util.utcnow(), person.consent
    until = asked.hub.board.present_until(person.person_id) if person.choices.announced else None
    return {
        "person_id": person.person_id,
        "name": person.name,
        "child": consent is not None and consent.on_behalf_of_child,
        "silent": not person.choices.announced,
        "state": str(ConsentState.EXPIRED if consent is None else consent.state(now)),
        "until": None if consent is None else consent.valid_until.isoformat(),
        "face": async_face(person),
        "here": until is not None and until > now,
        "last": async_last(asked, person.person_id),
        "photos": len(person.templates),
    }


def whose(asked: Asked, person_id: str | None) -> Person:
    """Return the person that is meant, by default the user who asks.

    Raise Unauthorized for who is neither an administrator nor that person, ServiceValidationError for who is not here.
    """
    own = asked.lookup.own()
    if not asked.administrator and (own is None or person_id not in (None, own.person_id)):
        raise Unauthorized
    if person_id is None and own is not None:
        return own
    if (person := asked.hub.people.get(person_id or "")) is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="unknown_person",
            translation_placeholders={"person": person_id or ""},
        )
    return person


async def async_page(hass: HomeAssistant, asked: Asked, person_id: str | None) -> Said:
    """Return somebody's page; raise as `whose` does, and VaultError.

    To the person nothing is said of others, such as who looks like them.
    """
    person = whose(asked, person_id)
    hub, mine = asked.hub, not asked.administrator or person_id is None
    worth = await async_worths(hub, person)
    alike = [] if mine else await async_alike(hub, person)
    kept = await async_kept_of(hub, person)
    last = hub.board.last_visit(person.person_id) if person.choices.announced else None
    matched = None if last is None else await async_matched(hub, last.visit_id)
    wanted = Wanted(person_ids=frozenset({person.person_id}), kinds=frozenset({Decision.FAMILIAR}))
    came = await asked.listing.async_page(wanted, limit=LAST_VISITS)
    # Only now: they may have been forgotten, or the user may see less, while the vault was read.
    person = whose(asked, person.person_id)
    return {
        **async_tile(asked, person),
        **({"name": person.own_name} if mine else {}),
        "mine": mine,
        "may": asked.administrator or asked.lookup.acts_as(person.person_id),
        "linked": _linked(hass, person),
        "consent": None if person.consent is None else _consent(asked, person.consent, kept),
        "templates": [_photo(person, each.template_id, worth, matched) for each in person.templates],
        "different": count_distinct(person) if person.templates else 0,
        "enough": ENOUGH_PHOTOS,
        "alike": [{"person_id": each.person_id, "name": each.name} for each in alike],
        "kept": {
            "photos": kept.photos,
            "visits": kept.visits,
            "pictures": kept.pictures,
            "oldest": None if kept.oldest is None else kept.oldest.isoformat(),
        },
        "visits": [
            async_visit(asked, each) for each in came.visits if person.person_id in asked.lookup.people()
        ],
        "more_visits": came.after is not None,
        "cameras": _cameras(asked, person),
        "muted": _muted(asked, person),
        "phone": _phone(asked) if mine else None,
    }


def _consent(asked: Asked, consent: Consent, kept: KeptOf) -> Said:
    choices, names = consent.choices, camera_names(asked.hub.entry)
    agreed = [key for key in names if choices.cameras is None or key in choices.cameras]
    return {
        "given_by": consent.given_by,
        "given_at": consent.given_at.isoformat(),
        "method": str(consent.method),
        "until": consent.valid_until.isoformat(),
        "text": consent.text,
        "everywhere": choices.cameras is None,
        "cameras": [names[key] for key in agreed],
        "not_cameras": [name for key, name in names.items() if key not in agreed],
        "keeping": str(choices.keeping),
        "pictures": choices.keeps_pictures,
        "uploads": choices.uploads,
        "visits_days": _days(kept.visits_for),
        "pictures_days": _days(kept.pictures_for),
    }


def _days(length: timedelta) -> int:
    return -(-length // _DAY)


def _photo(person: Person, template_id: str, worth: dict[str, Worth], matched: str | None) -> Said:
    template = next(each for each in person.templates if each.template_id == template_id)
    return {
        "template_id": template_id,
        "added_at": template.added_at.isoformat(),
        # Added since it was read: it is judged with the next change.
        "worth": str(worth.get(template_id, Worth.GOOD)),
        "matched": template_id == matched,
    }


def _linked(hass: HomeAssistant, person: Person) -> str | None:
    """Return the name of the `person.*` that somebody is."""
    state = None if person.linked_entity is None else hass.states.get(person.linked_entity)
    return None if state is None else state.name


def _cameras(asked: Asked, person: Person) -> list[Said]:
    """Return the cameras that may take photos of somebody, for who may have one do so."""
    if not asked.administrator:
        return []
    cameras = cameras_for(asked.hub, asked.hub.cameras, person)
    return [{"camera_id": camera_id, "name": name} for camera_id, name in cameras.items()]


def _phone(asked: Asked) -> Said | None:
    """Return until when the user's own phones are muted; None for who has none."""
    own = asked.hub.alerts.own_phones
    if not own.async_of(asked.user_id):
        return None
    until = own.async_until(asked.user_id, dt_util.utcnow())
    return {"muted": None if until is None else until.isoformat()}


def _muted(asked: Asked, person: Person) -> str | None:
    if not asked.administrator:
        return None
    until = asked.hub.alerts.mutes.until(person.person_id, dt_util.utcnow())
    return None if until is None else until.isoformat()
