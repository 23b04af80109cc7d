"""Calibration: what a similarity means, fitted to a labelled set in many conditions, and checked on others.

The check is by cross-validation: people and strangers are dealt into parts, each part is judged by what was
fitted to the others.
"""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from custom_components.familiar_faces.people.calibration import SFACE, Calibration, Strictness
from custom_components.familiar_faces.people.gallery import Candidate, Comparison, Gallery
from custom_components.familiar_faces.people.person import Embedding, Person
from custom_components.familiar_faces.visits.decision import decide
from custom_components.familiar_faces.visits.visit import Decision, Sighting

from . import fit
from .conditions import Condition
from .engine import Engines, Picture, Seen, Sight, read
from .enrolment import NOW, enrol
from .errors import InputError
from .folders import People, pictures, subfolders

WIDTH = 45
"""Width of the faces in the conditions that are not about width, pixels."""
CONDITIONS = (
    Condition(),
    Condition(face_width=WIDTH),
    Condition(face_width=30),
    Condition(face_width=24),
    Condition(face_width=WIDTH, dark=True),
    Condition(face_width=WIDTH, grey=True),
    Condition(face_width=WIDTH, blur=1.5),
    Condition(face_width=WIDTH, jpeg=70),
)
HARD = (CONDITIONS[3], CONDITIONS[4], CONDITIONS[6])
"""What a hard visit consists of: a frame of 24 px, a dark one and a blurred one."""
ENOUGH_STRANGERS = 500
"""How many strangers a calibration has to be fitted to before it may take the shipped one's place."""
HOUSEHOLD = 5
"""How many people are enrolled where what is said is counted."""
PARTS = 5
BINS = (0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0)

type Frames = dict[Condition, Seen]
type Compared = list[tuple[Frames, Gallery]]
"""Pictures, and who each is compared with."""


@dataclass(frozen=True, slots=True)
class Data:
    """What the engine saw: of each picture a frame in every condition."""

    people: tuple[Person, ...]
    model: str
    probes: list[Frames]
    strangers: list[Frames]
    names: list[str]
    """Who the strangers are."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the data, and what was fitted to the others."""

    data: Data
    fitted: Calibration
    homes: list[Gallery]
    """A household each, of everybody in order, around the middle that was fitted."""

    def own(self) -> Compared:
        """Return the probes, each with its own household."""
        ids = [person.person_id for person in self.data.people]
        return [
            (frames, self.homes[ids.index(str(_label(frames))) // HOUSEHOLD]) for frames in self.data.probes
        ]

    def strange(self, strangers: Iterable[Frames]) -> Compared:
        """Return some strangers, each with one household in turn."""
        return [(frames, self.homes[index % len(self.homes)]) for index, frames in enumerate(strangers)]


def observe(engines: Engines, people: People, more: Path | None, min_face: int | None) -> Data:
    """Return a set as the engine sees it in every condition; `more` holds further strangers in `<person>/`.

    A picture that is in both counts once. Raises InputError for a set that is too small to be dealt into parts.
    """
    if len(people.gallery) < 2 * PARTS:
        raise InputError(f"a calibration needs at least {2 * PARTS} people to enrol")
    outside = [(picture, picture.path.stem.rsplit("_", 1)[0]) for picture in people.unknown]
    if more is not None:
        outside += [
            (Picture(path, None), person.name)
            for person in subfolders(more)
            if person.name not in people.gallery
            for path in pictures(person)
        ]
    digests = {sha256(read(picture.path)).digest(): (picture, name) for picture, name in reversed(outside)}
    outside = list(reversed(digests.values()))
    if len({name for _, name in outside}) < 2 * PARTS:
        raise InputError(f"a calibration needs at least {2 * PARTS} strangers")
    enrolled = enrol(engines, people.gallery)
    shown = [*people.probes, *(picture for picture, _ in outside)]
    frames: list[Frames] = [{} for _ in shown]
    for condition in CONDITIONS:
        seen = engines.see(shown, Sight(condition, min_face), f"{condition}")
        for of, each in zip(frames, seen, strict=True):
            of[condition] = each
    count = len(people.probes)
    return Data(
        enrolled.people, enrolled.gallery.model, frames[:count], frames[count:], [name for _, name in outside]
    )


def calibrate(data: Data) -> tuple[Calibration, Embedding, dict[str, Any]]:
    """Return the calibration and the middle fitted to everything, and the figures of the check."""
    fitted, middle = _fit(data)
    parts = [_held_out(data, number) for number in range(PARTS)]
    told: list[Counter[str]] = []
    for strictness in Strictness:
        total: Counter[str] = Counter()
        for part in parts:
            total.update(_counted(part, strictness))
        told.append(total)
    return (
        fitted,
        middle,
        {
            "people": len(data.people),
            "probes": len(data.probes),
            "strangers": len(data.strangers),
            "fitted": {
                name: round(getattr(fitted, name), 4)
                for name in ("stranger_mean", "stranger_sd", "offset", "slope")
            },
            "reliability": _reliability(parts),
            "counted": {name.value: dict(counted) for name, counted in zip(Strictness, told, strict=True)},
        },
    )


def _fit(data: Data) -> tuple[Calibration, Embedding]:
    middle = fit.centre(
        [
            (name, face.embedding)
            for name, frames in zip(data.names, data.strangers, strict=True)
            if (face := frames[CONDITIONS[0]].face) is not None
        ]
    )
    gallery = Gallery(data.people, data.model, middle)
    own: list[float] = []
    others: list[float] = []
    for frames in data.probes:
        for comparison in _compared(gallery, frames):
            for candidate in comparison:
                is_own = candidate.person_id == frames[CONDITIONS[0]].label
                (own if is_own else others).append(candidate.own)
    strange = [
        candidate.own
        for frames in data.strangers
        for each in _compared(gallery, frames)
        for candidate in each
    ]
    mean, sd = fit.strangers(np.array(strange))
    offset, slope = fit.likelihood(np.array(own), np.array([*others, *strange]))
    fitted = replace(
        SFACE,
        stranger_mean=mean,
        stranger_sd=sd,
        offset=offset,
        slope=slope,
    )
    return fitted, middle


def _compared(gallery: Gallery, frames: Frames) -> Iterator[list[Candidate]]:
    """Yield, for each condition in which the face is usable, everybody as a candidate."""
    for seen in frames.values():
        if seen.face is not None and seen.face.quality.usable:
            yield gallery.everybody(seen.face.embedding, NOW)


def _held_out(data: Data, number: int) -> Part:
    """Return a part, judged by what is fitted to the others."""
    fitted, middle = _fit(_parts(data, number, inside=False))
    held = _parts(data, number, inside=True)
    homes = [
        Gallery(held.people[at : at + HOUSEHOLD], held.model, middle)
        for at in range(0, len(held.people), HOUSEHOLD)
    ]
    return Part(held, fitted, homes)


def _reliability(parts: Iterable[Part]) -> list[dict[str, float | int | None]]:
    """Return what was expected and observed of the best candidate, by bins of probability.

    As the formula has it, a visitor is a stranger as often as not: both weigh the same. In each part a probe
    is compared with its own household and a stranger with one.
    """
    expected, right, weight = [], [], []
    for part in parts:
        for some in (part.own(), part.strange(part.data.strangers)):
            judged = [
                (part.fitted.probability(comparison), best.person_id == _label(frames))
                for frames, gallery in some
                for comparison in _single(gallery, frames)
                if (best := comparison.best) is not None
            ]
            expected += [probability for probability, _ in judged]
            right += [hit for _, hit in judged]
            weight += [1.0 / max(len(judged), 1)] * len(judged)
    rows: list[dict[str, float | int | None]] = []
    told, hits, weights = np.array(expected), np.array(right), np.array(weight)
    for low, high in pairwise(BINS):
        inside = (told >= low) & ((told < high) | (high == BINS[-1]))
        total = float(weights[inside].sum())
        rows.append(
            {
                "from": low,
                "to": high,
                "frames": int(inside.sum()),
                "expected": round(float(told[inside] @ weights[inside]) / total, 4) if total else None,
                "observed": round(float(hits[inside] @ weights[inside]) / total, 4) if total else None,
            }
        )
    return rows


def _single(gallery: Gallery, frames: Frames) -> Iterator[Comparison]:
    for seen in frames.values():
        if seen.face is not None and seen.face.quality.usable:
            yield gallery.compare(seen.face.embedding[None], [1.0], NOW)


def _counted(part: Part, strictness: Strictness) -> dict[str, int]:
    """Return how many hard visits got which answer."""

    def name(frames: Frames, gallery: Gallery) -> str | None:
        faces = [face for condition in HARD if (face := frames[condition].face) is not None]
        if not faces:
            return None
        sighting = Sighting.begin(faces[0], NOW)
        for number, face in enumerate(faces[1:], 1):
            sighting.add(face, NOW + timedelta(seconds=number))
        verdict = decide(sighting, gallery, NOW, True, strictness=strictness, calibration=part.fitted)
        return verdict.person_id if verdict is not None and verdict.decision is Decision.FAMILIAR else None

    # One visit of each: pictures of one person are not independent of each other.
    once = dict(zip(reversed(part.data.names), reversed(part.data.strangers), strict=True)).values()
    own = [(name(frames, gallery), _label(frames)) for frames, gallery in part.own()]
    strange = [name(frames, gallery) for frames, gallery in part.strange(once)]
    return {
        "own": len(own),
        "own_named": sum(told == label for told, label in own),
        "own_wrong": sum(told not in (None, label) for told, label in own),
        "strangers": len(strange),
        "strangers_named": sum(told is not None for told in strange),
    }


def _parts(data: Data, part: int, *, inside: bool) -> Data:
    """Return the data of one part, or of all others. A person is in one part with all pictures."""
    folk = {person.person_id: index % PARTS for index, person in enumerate(data.people)}
    strange = {name: index % PARTS for index, name in enumerate(dict.fromkeys(data.names))}

    def keep(number: int) -> bool:
        return (number == part) is inside

    outside = [
        (frames, name) for frames, name in zip(data.strangers, data.names, strict=True) if keep(strange[name])
    ]
    return Data(
        tuple(person for person in data.people if keep(folk[person.person_id])),
        data.model,
        [frames for frames in data.probes if keep(folk[str(_label(frames))])],
        [frames for frames, _ in outside],
        [name for _, name in outside],
    )


def _label(frames: Frames) -> str | None:
    return next(iter(frames.values())).label


def write(
    folder: Path,
    fitted: Calibration,
    middle: Embedding,
    figures: dict[str, Any],
    spaces: Iterable[str],
) -> None:
    """Write what was fitted into `folder`, the integration's `people`, as modules of data alone."""
    code = b64encode(middle.astype("<f2").tobytes()).decode()
    lines = "\n".join(f'    "{code[at : at + 96]}"' for at in range(0, len(code), 96))
    values = "\n".join(f"{name.upper()} = {value}" for name, value in figures["fitted"].items())
    names = ", ".join(f'"{name}"' for name in spaces)
    fitted_text = f'''"""What `script/eval calibrate` fitted: data alone. Write it again with that command, never by hand."""

from base64 import b64decode

CENTRE_SPACES = frozenset({{{names}}})
"""The embedding spaces that it holds for: the same network, and nearly the same values."""
CENTRE = b64decode(
{lines}
)
"""The middle of the space, 128 half-precision numbers; see `centre`."""
# What follows is explained in `calibration.Calibration`.
{values}
'''
    counted = figures["counted"]
    first = next(iter(counted.values()))
    rows = "\n".join(
        f"        Strictness.{name.upper()}: Counted("
        f"strangers_named={row['strangers_named']}, own_named={row['own_named']}),"
        for name, row in counted.items()
    )
    measured_text = f'''"""What `script/eval calibrate` counted at each strictness: data alone."""

from .calibration import Strictness
from .promise import Counted, Measurement

MEASURED = Measurement(
    people={HOUSEHOLD},
    strangers={first["strangers"]},
    own={first["own"]},
    counted={{
{rows}
    }},
)
"""Households of up to five with three photos each. A visit is one other photo of somebody in three frames: 24 px wide,
dark and blurred. Each stranger is compared with one household, and nobody with a fit to themselves."""
'''
    for name, text in (("fitted.py", fitted_text), ("measured.py", measured_text)):
        # Whole or not at all.
        part = folder / f"{name}.part"
        part.write_text(text, "utf-8")
        part.replace(folder / name)


def spaces(model: str) -> Sequence[str]:
    """Return the embedding spaces for which a fit to `model` holds: both variants of the weights."""
    return sorted({model.replace("_float32_", "_int8bq_"), model.replace("_int8bq_", "_float32_")})
