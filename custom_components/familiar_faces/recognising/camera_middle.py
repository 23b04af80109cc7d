"""Learns the middle of a camera from the faces of people who were named there; see `people.middles`."""

from collections.abc import Iterable

from ..household.household import Household
from ..household.keeping import keeps_visits, may_be_told
from ..people.gallery import Gallery
from ..visits.visit import Decision, Sighting, Verdict


def learn(
    household: Household, camera_id: str, gallery: Gallery, verdicts: Iterable[tuple[Sighting, Verdict]]
) -> None:
    """Take note of what a camera did to the faces of those who were named in a look, once it is over.

    `gallery`: that of the camera, which named them. Only of people who have their visits remembered, and whose name
    is said; and however relaxed the owner is, only where a balanced household would have said it.
    """
    for sighting, verdict in verdicts:
        person_id = verdict.person_id
        if verdict.decision is not Decision.FAMILIAR or person_id is None or not verdict.sure:
            continue
        if not (keeps_visits(household, person_id) and may_be_told(household, person_id, camera_id)):
            continue
        faces = gallery.shifts(person_id, sighting.embeddings, sighting.weights, sighting.lengths)
        household.roster.middles.learn(gallery.model, camera_id, person_id, faces)
