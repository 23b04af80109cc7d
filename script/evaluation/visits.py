"""Visits: clips replayed through the shipped look, tracker, decision and open visits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
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
from custom_components.familiar_faces.visits.visit import Decision, Sighting, UnclearReason, Verdict

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
    """Of people enrolled."""
    strangers: list[Recording]
    """Of people who are not."""
    left_out: int = 0
    """People with too few photos for a visit."""


def observe(
    engines: Engines, folder: Path, sight: Sight, *, gallery: Path | None, every: float, photos: int
) -> Visits:
    """Return a set's visits as the engine sees them; see `cli.VISITS`. Raises InputError."""
    every = max(every, FRAME_EVERY)
    # All that a look may see: how long it takes its time while nobody is there is known only when it is replayed.
    pace = Pace(every, int(LOOK_SECONDS / every) + 1, LOOK_SECONDS)
    if (folder / "gallery").is_dir() and (folder / "probe").is_dir():
        gallery, shown = gallery or folder / "gallery", folder / "probe"
        if all(pictures(each) for each in subfolders(shown)):
            return _of_photos(
                engines, enrol(engines, read_gallery(gallery)), shown, sight, pace, photos=photos
            )
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
    known = [clip for name, some in clips.items() if name in names for clip in some]
    outside += [clip for name, some in clips.items() if name not in names for clip in some]
    if not known:
        raise InputError(f"{shown} has no visits of the people enrolled")
    return Visits(
        enrolled.people,
        enrolled.gallery.model,
        enrolled.to_json(),
        record(engines, known, sight, pace, "visits"),
        record(engines, outside, sight, pace, "strangers"),
    )


def figures(seen: Visits, *, learning: bool = True) -> dict[str, Any]:
    """Return the shares of visits told rightly and so on, at the default strictness and by strictness.

    Strangers' visits are all visits of people enrolled, replayed without that person in the gallery, and
    those of people who are not enrolled. `learning`: whether the camera learns its middle from the visits that it
    names, one after the other; strangers come after all of them.
    """
    by_strictness = {each.value: _told(seen, each, learning=learning) for each in Strictness}
    return {
        "visits": len(seen.visits),
        "strangers": len(seen.strangers) + (len(seen.visits) if len(seen.people) > 1 else 0),
        **by_strictness[Strictness.BALANCED],
        "left_out": seen.left_out,
        "decisions": by_strictness,
        "enrolled": seen.enrolled,
    }


def _told(seen: Visits, strictness: Strictness, *, learning: bool) -> dict[str, float | None]:
    middles = Middles()
    gallery = Gallery(seen.people, seen.model, middles=middles).at(CAMERA)
    own = [replay(recording, gallery, strictness, middles if learning else None) for recording in seen.visits]
    strangers = [
        replay(recording, gallery if without is None else without, strictness)
        for recording, without in (
            *((recording, None) for recording in seen.strangers),
            *((recording, _without(seen, recording.clip.label, middles)) for recording in seen.visits),
        )
        # Where nobody is enrolled, nobody can be named wrongly.
        if without is None or len(without)
    ]
    return shares(own, strangers)


def replay(
    recording: Recording, gallery: Gallery, strictness: Strictness, middles: Middles | None = None
) -> Told:
    """Return what a visit comes to when a camera sees this clip after a trigger; `middles` learn from it.

    It is `right` when its person was announced and nobody else, `wrong` when anybody else was; without a
    name, it is what was decided of the individual seen in most frames.
    """
    look, visits = Look(NOW, strictness=strictness), OpenVisits()
    names: dict[str, int] = {}

    def settle(decided: Sequence[tuple[Sighting, Verdict]]) -> None:
        for sighting, verdict in decided:
            outcome = visits.settle(CAMERA, sighting, verdict)
            if outcome.change is not Change.CONTINUED and outcome.visit.person_id is not None:
                names.setdefault(outcome.visit.person_id, look.frames)

    at, next_at = NOW, 0.0
    for seconds, near, far in recording.frames:
        if seconds < next_at:
            continue
        at = NOW + timedelta(seconds=seconds)
        settle(look.add(near if look.min_face >= NEAR else far, at, gallery, at))
        if look.enough or look.frames >= LOOK_FRAMES:
            break
        if look.patient:
            next_at = seconds + EMPTY_EVERY
    finished = look.finish(gallery, at)
    settle(finished)
    if middles is not None:
        _learn(middles, gallery, finished)
    if names:
        right = set(names) == {recording.clip.label}
        return Told("right" if right else "wrong", min(names.values()))
    longest = max(visits.visits, key=lambda visit: visit.frames, default=None)
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


def _without(seen: Visits, name: str | None, middles: Middles) -> Gallery:
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
    engines: Engines, enrolled: Enrolled, folder: Path, sight: Sight, pace: Pace, *, photos: int
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
