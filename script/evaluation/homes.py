"""Homes of few people: some of a set are enrolled, drawn at random, and all others are strangers there."""

from collections.abc import Iterator
import random
from typing import Any

from custom_components.familiar_faces.people.calibration import Strictness
from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.people.middles import Middles
from custom_components.familiar_faces.people.person import Person

from .clips import Recording
from .errors import InputError
from .visits import CAMERA, Told, Visits, apart, replay, shares

HOMES = 24
"""How many homes are drawn."""
STRANGERS = 60
"""How many visits of people of the set who do not live there are replayed in each home, at most."""


def figures(seen: Visits, size: int) -> dict[str, Any]:
    """Return the shares of visits in homes of `size` people, all homes together, as `visits.figures` does.

    The homes are the same in every run, so that two versions can be compared home by home. A camera learns its middle
    from the people that it names there, one visit after the other; strangers come after all of them. Raises InputError when
    fewer people of the set have visits.
    """
    homes = list(_homes(seen, size))
    told = {each: _told(seen, homes, each) for each in Strictness}
    by_strictness = {each.value: shares(*both) for each, both in told.items()}
    own, strangers = told[Strictness.BALANCED]
    return {
        "home": size,
        "homes": len(homes),
        "visits": len(own),
        "strangers": len(strangers),
        **by_strictness[Strictness.BALANCED],
        "decisions": by_strictness,
        "enrolled": seen.enrolled,
    }


def _homes(seen: Visits, size: int) -> Iterator[tuple[Person, ...]]:
    shown = {label for recording in seen.visits for label in recording.clip.labels}
    there = [person for person in seen.people if person.person_id in shown]
    if len(there) < size:
        raise InputError(f"a home of {size} needs as many people with visits; there are {len(there)}")
    if size == 1:
        yield from ((person,) for person in there[:HOMES])
        return
    # The same ones in every run; no secret depends on it.
    drawn = random.Random(size)
    yield from (tuple(drawn.sample(there, size)) for _ in range(HOMES))


def _told(
    seen: Visits, homes: list[tuple[Person, ...]], strictness: Strictness
) -> tuple[list[Told], list[Told]]:
    """Return what the visits of those who live in each home came to, and those of all others."""
    own: list[Told] = []
    strangers: list[Told] = []
    for number, home in enumerate(homes):
        names = {person.person_id for person in home}
        middles = Middles()
        gallery = Gallery(home, seen.model, middles=middles).at(CAMERA)
        theirs = [each for each in seen.visits if not names.isdisjoint(each.clip.labels)]
        told, beside = apart(theirs, names, gallery, strictness, middles)
        own += told
        strangers += beside
        others: list[Recording] = [each for each in seen.visits if names.isdisjoint(each.clip.labels)]
        if len(others) > STRANGERS:
            others = random.Random(number).sample(others, STRANGERS)
        for recording in (*others, *seen.strangers):
            strangers += replay(recording, gallery, strictness)
    return own, strangers
