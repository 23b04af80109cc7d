"""Enrols people from photos as the flow does: judged, mirrored, one template a photo."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.people.person import Consent, ConsentMethod, Person, Template
from custom_components.familiar_faces.people.photos import PhotoReason, judge_photo

from .engine import Engines, Picture, Seen, Sight, read
from .errors import InputError

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""When everything happens: nothing depends on the day it is run."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The people of a gallery, and which of their photos were refused."""

    people: tuple[Person, ...]
    gallery: Gallery
    refused: Counter[PhotoReason] = field(default_factory=Counter)
    """Why photos were not taken."""
    insisted: Counter[PhotoReason] = field(default_factory=Counter)
    """Why photos were asked about, that were taken as the label says who it is."""

    def to_json(self) -> dict[str, Any]:
        """Return how many there are."""
        return {
            "people": len(self.people),
            "photos": self.gallery.templates,
            "refused": dict(self.refused),
            "insisted": dict(self.insisted),
        }


def enrol(engines: Engines, photos: Mapping[str, Sequence[Picture]]) -> Enrolled:
    """Return the people enrolled; raise InputError for somebody without an acceptable photo.

    Each photo is judged as the flow judges it (`judge_photo`), with what its owner would do: crop it to the
    labelled face where others stand near, and insist where the flow asks whether it really is this person,
    for the label says so.
    """
    seen = engines.see([each for some in photos.values() for each in some], Sight(mirrored=True), "photos")
    of: dict[str, list[Seen]] = {name: [] for name in photos}
    for each in seen:
        of[str(each.label)].append(each)
    refused: Counter[PhotoReason] = Counter()
    insisted: Counter[PhotoReason] = Counter()
    people: list[Person] = []
    for name, some in of.items():
        gallery = Gallery(people, model_of(seen))
        templates: list[Template] = []
        reasons: Counter[PhotoReason] = Counter()
        for each in some:
            digest = sha256(read(each.picture.path)).hexdigest()
            faces = [] if each.face is None else [each.face]
            verdict = judge_photo(faces, digest, templates, gallery, NOW)
            if verdict.accepted or verdict.may_insist:
                insisted.update([] if verdict.accepted else [verdict.reason])
                templates.append(template(each, digest))
            else:
                reasons[verdict.reason] += 1
        if not templates:
            why = ", ".join(f"{reason} {count}" for reason, count in reasons.items())
            raise InputError(f"no photo of {name} can be enrolled with: {why}")
        refused += reasons
        people.append(make_person(name, templates))
    return Enrolled(tuple(people), Gallery(people, model_of(seen)), refused, insisted)


def template(seen: Seen, digest: str, *, camera_id: str | None = None) -> Template:
    """Return the template of a photo's labelled face; `camera_id`: the camera whose picture it is."""
    if seen.face is None or seen.faces is None:
        raise ValueError("there is no face to make a template of")
    return Template(
        seen.picture.name, seen.face.embedding, seen.faces.model, digest, NOW, camera_id=camera_id
    )


def make_person(name: str, templates: Sequence[Template]) -> Person:
    """Return a consenting person; who they are in these sets is their name."""
    consent = Consent(
        consent_id=name,
        given_by=name,
        on_behalf_of_child=False,
        method=ConsentMethod.IN_PERSON,
        given_at=NOW - timedelta(days=1),
        valid_until=NOW + timedelta(days=365),
        text_version="en/1",
        recorded_at=NOW - timedelta(days=1),
    )
    return Person(name, name, (consent,), tuple(templates))


def model_of(seen: Sequence[Seen]) -> str:
    """Return the embedding space of what was seen."""
    return next((each.faces.model for each in seen if each.faces is not None), "")
