"""What can be chosen for an alert, and what becomes of it."""

from collections.abc import Collection, Iterable
import re
from typing import TYPE_CHECKING, Literal

from homeassistant.const import CONF_NAME

from ..household.subentries import camera_names

if TYPE_CHECKING:
    from ..hub import Hub

MAX_NAME = 80


def people_of(hub: Hub) -> dict[str, str]:
    """Return the names of the people of this home by their ids, in the order of the names."""
    shown = {
        person_id: str(subentry.data[CONF_NAME])
        for person_id, subentry in hub.roster.subentries().items()
        if person_id not in hub.roster.leaving
    }
    shown |= {person_id: person.name for person_id, person in hub.people.items()}
    return dict(sorted(shown.items(), key=lambda each: each[1].casefold()))


def name_problem(
    name: str, taken: Iterable[str], people: Iterable[str]
) -> Literal["needed", "taken", "a_person"] | None:
    """Return why an alert cannot be called so.

    A person's name in it would be in Home Assistant's files, and in the ids of entities, after they are
    forgotten.
    """
    if not 0 < len(name) <= MAX_NAME:
        return "needed"
    if name.casefold() in {each.casefold() for each in taken}:
        return "taken"
    words = f" {' '.join(_words(name))} "
    for person in people:
        said = " ".join(_words(person))
        # "Annas" and "Anna's" name Anna as well.
        if said and (f" {said} " in words or f" {said}s " in words):
            return "a_person"
    return None


def unheard(hub: Hub, person_ids: Iterable[str], camera_ids: Collection[str] | None) -> list[str]:
    """Return the names of the people among these without notifications at any of these cameras."""
    cameras = camera_names(hub.entry).keys() if camera_ids is None else camera_ids
    if not cameras:
        return []
    people = [hub.people[each] for each in person_ids if each in hub.people]
    return sorted(
        person.name
        for person in people
        if not (person.choices.announced and any(map(person.choices.at, cameras)))
    )


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
