"""Visits: clips replayed through the shipped look, tracker, decision and open visits."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

from custom_components.familiar_faces.people.calibration import Strictness
from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.people.middles import Middles
from custom_components.familiar_faces.people.person import Person
from custom_components.familiar_faces.visits.look import (
    EMPTY_EVERY,
    FRAME_EVERY,
    LOOK_FRAMES,
    LOOK_SECONDS,
    NEAR,
    Look,
)
from custom_components.familiar_faces.visits.open_visits import Change, OpenVisits
from custom_components.familiar_faces.visits.visit import Decision, Sighting, UnclearReason, Verdict, Visit

from .clips import (
    STRANGERS,
    Clip,
    Pace,
    Recording,
    from_photos,
    read_clips,
    read_strangers,
    record,
    references,
    side_by_side,
)
from .engine import Engines, Picture, Sight
from .enrolment import NOW, Enrolled, enrol, make_person, template
from .errors import InputError
from .folders import pictures, read_gallery, subfolders
from .rates import rounded

REFERENCES = 3
"""How many frames of a clip stand for the photos that somebody is enrolled with."""
REFERENCE_FRAMES = Pace(every=FRAME_EVERY, most=100, seconds=30.0)
"""Where they are looked for."""
CAMERA = "camera"


@dataclass(frozen=True, slots=True)
class Told:
    """What a visit came to."""

    outcome: str
    """`right`, `wrong`, `unclear`, `stranger` or `unusable`."""
    frames: int | None
    """How many frames were looked at until the first name; None when none was said."""


@dataclass(frozen=True, slots=True)
class Visits:
    """Recorded visits, and the people enrolled."""

    people: tuple[Person, ...]
    model: str
    enrolled: dict[str, Any]
    visits: list[Recording]
    """Those with anybody who is enrolled."""
    strangers: list[Recording]
    """Those with others only."""
    left_out: int = 0
    """People with too few photos for a visit."""


def observe(
    engines: Engines,
    folder: Path,
    sight: Sight,
    *,
    gallery: Path | None,
    every: float,
    photos: int,
    together: bool = False,
) -> Visits:
    """Return a set's visits as the engine sees them; see `cli.VISITS`. Raises InputError."""
    every = max(every, FRAME_EVERY)
    # All that a look may see: how long it takes its time while nobody is there is known only when it is replayed.
    pace = Pace(every, int(LOOK_SECONDS / every) + 1, LOOK_SECONDS)
    if (folder / "gallery").is_dir() and (folder / "probe").is_dir():
        gallery, shown = gallery or folder / "gallery", folder / "probe"
        if all(pictures(each) for each in subfolders(shown)):
            enrolled = enrol(engines, read_gallery(gallery))
            return _of_photos(engines, enrolled, shown, sight, pace, photos=photos, together=together)
    else:
        shown = folder
    clips = read_clips(shown)
    outside = [*clips.pop(STRANGERS, []), *(read_strangers(folder / STRANGERS) if shown != folder else [])]
    if gallery is not None:
        enrolled = enrol(engines, read_gallery(gallery))
    else:
        enrolled = _from_first_clips(engines, clips, sight)
        clips = {name: some[1:] for name, some in clips.items()}
    names = {person.person_id for person in enrolled.people}
    if not any(some for name, some in clips.items() if name in names):
        raise InputError(f"{shown} has no visits of the people enrolled")
    return _recorded(engines, enrolled, [*chain(*clips.values()), *outside], sight, pace, together=together)


def _recorded(
    engines: Engines,
    enrolled: Enrolled,
    clips: Sequence[Clip],
    sight: Sight,
    pace: Pace,
    *,
    together: bool,
    left_out: int = 0,
) -> Visits:
    """Return clips of people enrolled and of others as they are seen; two in each picture when `together`."""
    names = {person.person_id for person in enrolled.people}
    clips = [each if each.label in names else replace(each, label=None) for each in clips]
    if together:
        clips = side_by_side(clips)
    made = record(engines, clips, sight, pace, "visits")
    return Visits(
        enrolled.people,
        enrolled.gallery.model,
        enrolled.to_json(),
        [each for each in made if any(each.clip.labels)],
        [each for each in made if not any(each.clip.labels)],
        left_out,
    )


def figures(seen: Visits, *, learning: bool = True) -> dict[str, Any]:
    """Return the shares of visits told rightly and so on, at the default strictness and by strictness.

    Each individual in a picture has a visit of their own. Strangers' visits are all visits of people enrolled,
    replayed without that person in the gallery, and those of people who are not enrolled. `learning`: whether the
    camera learns its middle from the visits that it names, one after the other; strangers come after all of them.
    """
    told = {each: _told(seen, each, learning=learning) for each in Strictness}
    by_strictness = {each.value: shares(*both) for each, both in told.items()}
    own, strangers = told[Strictness.BALANCED]
    return {
        "visits": len(own),
        "strangers": len(strangers),
        **by_strictness[Strictness.BALANCED],
        "left_out": seen.left_out,
        "decisions": by_strictness,
        "enrolled": seen.enrolled,
    }


def _told(seen: Visits, strictness: Strictness, *, learning: bool) -> tuple[list[Told], list[Told]]:
    """Return what the visits of people enrolled came to, and those of strangers."""
    middles = Middles()
    gallery = Gallery(seen.people, seen.model, middles=middles).at(CAMERA)
    names = {person.person_id for person in seen.people}
    own, strangers = apart(seen.visits, names, gallery, strictness, middles if learning else None)
    for recording in seen.strangers:
        strangers += replay(recording, gallery, strictness)
    for recording in seen.visits:
        for column, label in enumerate(recording.clip.labels):
            # Where nobody is enrolled, nobody can be named wrongly.
            if label is not None and len(without := _without(seen, label, middles)):
                strangers.append(replay(recording, without, strictness)[column])
    return own, strangers


def apart(
    recordings: Iterable[Recording],
    names: Collection[str],
    gallery: Gallery,
    strictness: Strictness,
    middles: Middles | None,
) -> tuple[list[Told], list[Told]]:
    """Return what the visits of those with a name came to, and those of all who were there with them."""
    own: list[Told] = []
    others: list[Told] = []
    for recording in recordings:
        told = replay(recording, gallery, strictness, middles)
        for label, each in zip(recording.clip.labels, told, strict=True):
            (own if label in names else others).append(each)
    return own, others


def replay(
    recording: Recording, gallery: Gallery, strictness: Strictness, middles: Middles | None = None
) -> list[Told]:
    """Return what comes of each individual when a camera sees this clip after a trigger; `middles` learn from it.

    Whose visit it is is told by where in the picture the face is. It is `right` when its person was announced there and
    nobody else, `wrong` when anybody else was; without a name, it is what was decided of the individual seen there in
    most frames.
    """
    look, visits = Look(NOW, strictness=strictness), OpenVisits()
    clip, size = recording.clip, (1, 1)
    names: list[dict[str, int]] = [{} for _ in clip.labels]
    places: dict[str, int] = {}

    def settle(decided: Sequence[tuple[Sighting, Verdict]]) -> None:
        for sighting, verdict in decided:
            outcome = visits.settle(CAMERA, sighting, verdict)
            column = clip.column(sighting.last_face, size)
            places.setdefault(outcome.visit.visit_id, column)
            if outcome.change is not Change.CONTINUED and outcome.visit.person_id is not None:
                names[column].setdefault(outcome.visit.person_id, look.frames)

    at, next_at = NOW, 0.0
    for seconds, near, far in recording.frames:
        if seconds < next_at:
            continue
        at = NOW + timedelta(seconds=seconds)
        faces = near if look.min_face >= NEAR else far
        size = faces.size
        settle(look.add(faces, at, gallery, at))
        if look.enough or look.frames >= LOOK_FRAMES:
            break
        if look.patient:
            next_at = seconds + EMPTY_EVERY
    finished = look.finish(gallery, at)
    settle(finished)
    if middles is not None:
        _learn(middles, gallery, finished)
    return [
        _outcome(label, names[column], [each for each in visits.visits if places[each.visit_id] == column])
        for column, label in enumerate(clip.labels)
    ]


def _outcome(label: str | None, names: Mapping[str, int], visits: Sequence[Visit]) -> Told:
    """Return what one individual's visit came to, from the names that were announced and all visits there."""
    if names:
        return Told("right" if set(names) == {label} else "wrong", min(names.values()))
    longest = max(visits, key=lambda visit: visit.frames, default=None)
    if longest is None or longest.reason is UnclearReason.NO_USABLE_FACE:
        return Told("unusable", None)
    return Told("stranger" if longest.decision is Decision.STRANGER else "unclear", None)


def _learn(middles: Middles, gallery: Gallery, finished: Sequence[tuple[Sighting, Verdict]]) -> None:
    """Learn as `recognising.camera_middle` does, where everybody agreed to all of it."""
    for sighting, verdict in finished:
        if verdict.sure and verdict.person_id is not None:
            faces = gallery.shifts(verdict.person_id, sighting.embeddings, sighting.weights, sighting.lengths)
            middles.learn(gallery.model, CAMERA, verdict.person_id, faces)


def shares(visits: Sequence[Told], strangers: Sequence[Told]) -> dict[str, float | None]:
    """Return what share of visits came to what, and of strangers' visits got a name."""
    told = [each.outcome for each in visits]
    needed = [each.frames for each in visits if each.outcome == "right" and each.frames is not None]
    named = sum(each.frames is not None for each in strangers)
    kinds = ("right", "wrong", "unclear", "unusable", "stranger")
    return {
        **{kind: rounded(told.count(kind) / len(told)) for kind in kinds},
        "strangers_named": rounded(named / len(strangers)) if strangers else None,
        "frames_median": float(median(needed)) if needed else None,
    }


def _without(seen: Visits, name: str, middles: Middles) -> Gallery:
    others = [person for person in seen.people if person.person_id != name]
    return Gallery(others, seen.model, middles=middles).at(CAMERA)


def _from_first_clips(engines: Engines, clips: dict[str, list[Clip]], sight: Sight) -> Enrolled:
    """Enrol each person from the best frames of their first clip.

    They are not judged as photos: a door camera's frames are narrower than a photo to enrol with has to be.
    """
    first = [some[0] for some in clips.values()]
    looked = record(
        engines, first, Sight(min_face=sight.min_face, mirrored=True), REFERENCE_FRAMES, "references"
    )
    people, model = [], ""
    for recording in looked:
        found = references(recording, REFERENCES)
        if not found:
            raise InputError(f"{recording.clip.path} shows no face to enrol {recording.clip.label} with")
        people.append(
            make_person(
                str(recording.clip.label),
                [template(each, str(each.picture.path), camera_id=CAMERA) for each in found],
            )
        )
        model = people[-1].templates[0].model
    return Enrolled(tuple(people), Gallery(people, model))


def _of_photos(
    engines: Engines,
    enrolled: Enrolled,
    folder: Path,
    sight: Sight,
    pace: Pace,
    *,
    photos: int,
    together: bool,
) -> Visits:
    """Return visits of a person's photos, as if each were a frame; at least `photos` in a visit."""
    names = {person.person_id for person in enrolled.people}
    groups: list[tuple[Path, list[Picture]]] = []
    left_out = 0
    for person in subfolders(folder):
        found = [Picture(path, person.name) for path in pictures(person)]
        count = len(found) // photos
        left_out += not count
        groups += [
            (person, found[len(found) * at // count : len(found) * (at + 1) // count]) for at in range(count)
        ]
    if not groups:
        raise InputError(f"nobody in {folder} has {photos} photos for a visit")
    if together:
        clips = [Clip(path, path.name, tuple(each.path for each in some)) for path, some in groups]
        return _recorded(engines, enrolled, clips, sight, pace, together=together, left_out=left_out)
    seen = iter(engines.see([each for _, some in groups for each in some], sight, "visits"))
    made = [from_photos(path, [next(seen) for _ in some], pace.every) for path, some in groups]
    return Visits(
        enrolled.people,
        enrolled.gallery.model,
        enrolled.to_json(),
        [each for each in made if each.clip.label in names],
        [each for each in made if each.clip.label not in names],
        left_out,
    )
