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
from custom_components.familiar_faces.people.gallery import Comparison, Gallery
from custom_components.familiar_faces.people.person import Person
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


@dataclass(frozen=True, slots=True)
class Data:
    """What the engine saw: of each picture a frame in every condition."""

    people: tuple[Person, ...]
    model: str
    probes: list[Frames]
    strangers: list[Frames]
    names: list[str]
    """Who the strangers are."""


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


def calibrate(data: Data) -> tuple[Calibration, np.ndarray[tuple[int], np.dtype[np.float32]], dict[str, Any]]:
    """Return the calibration and the middle fitted to everything, and the figures of the check."""
    fitted, middle = _fit(data)
    parts = [
        (_fit(_parts(data, part, inside=False)), _parts(data, part, inside=True)) for part in range(PARTS)
    ]
    told: list[Counter[str]] = []
    for strictness in Strictness:
        total: Counter[str] = Counter()
        for (others_fit, others_middle), part in parts:
            total.update(_counted(part, others_middle, others_fit, strictness))
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
            "reliability": _reliability(data),
            "counted": {name.value: dict(counted) for name, counted in zip(Strictness, told, strict=True)},
        },
    )


def _fit(data: Data) -> tuple[Calibration, np.ndarray[tuple[int], np.dtype[np.float32]]]:
    middle = fit.centre(
        [
            (name, face.embedding)
            for name, frames in zip(data.names, data.strangers, strict=True)
            if (face := frames[CONDITIONS[0]].face) is not None
        ]
    )
    gallery = Gallery(data.people, data.model, middle)
    own, others = [], []
    for frames in data.probes:
        for comparison in _compared(gallery, frames):
            for candidate in comparison:
                (own if candidate[0] == frames[CONDITIONS[0]].label else others).append(candidate[1])
    strange = [
        candidate[1] for frames in data.strangers for each in _compared(gallery, frames) for candidate in each
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


def _compared(gallery: Gallery, frames: Frames) -> Iterator[list[tuple[str, float]]]:
    """Yield, for each condition in which the face is usable, everybody and how much they are resembled."""
    for seen in frames.values():
        if seen.face is not None and seen.face.quality.usable:
            yield gallery.similarities(seen.face.embedding, NOW)


def _reliability(data: Data) -> list[dict[str, float | int | None]]:
    """Return what was expected and observed of the best candidate, by bins of probability.

    As the formula has it, a visitor is a stranger as often as not: both weigh the same. In each part a probe
    is compared with its own household and a stranger with one.
    """
    expected, right, weight = [], [], []
    for part in range(PARTS):
        fitted, middle = _fit(_parts(data, part, inside=False))
        held = _parts(data, part, inside=True)
        homes = _households(held, middle)
        own = [
            (each, homes[[person.person_id for person in held.people].index(str(_label(each))) // HOUSEHOLD])
            for each in held.probes
        ]
        strange = [(each, homes[index % len(homes)]) for index, each in enumerate(held.strangers)]
        for some in (own, strange):
            judged = [
                (fitted.probability(comparison), best.person_id == _label(frames))
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


def _counted(
    data: Data,
    middle: np.ndarray[tuple[int], np.dtype[np.float32]],
    fitted: Calibration,
    strictness: Strictness,
) -> dict[str, int]:
    """Return how many hard visits got which answer."""
    homes = _households(data, middle)
    ids = [person.person_id for person in data.people]

    def name(frames: Frames, gallery: Gallery) -> str | None:
        faces = [face for condition in HARD if (face := frames[condition].face) is not None]
        if not faces:
            return None
        sighting = Sighting.begin(faces[0], NOW)
        for number, face in enumerate(faces[1:], 1):
            sighting.add(face, NOW + timedelta(seconds=number))
        verdict = decide(sighting, gallery, NOW, True, strictness=strictness, calibration=fitted)
        return verdict.person_id if verdict is not None and verdict.decision is Decision.FAMILIAR else None

    own = [name(each, homes[ids.index(str(_label(each))) // HOUSEHOLD]) for each in data.probes]
    # One visit of each: pictures of one person are not independent of each other.
    once = dict(zip(reversed(data.names), reversed(data.strangers), strict=True)).values()
    strange = [name(each, homes[index % len(homes)]) for index, each in enumerate(once)]
    labels = [_label(each) for each in data.probes]
    return {
        "own": len(own),
        "own_named": sum(told == label for told, label in zip(own, labels, strict=True)),
        "own_wrong": sum(told not in (None, label) for told, label in zip(own, labels, strict=True)),
        "strangers": len(strange),
        "strangers_named": sum(told is not None for told in strange),
    }


def _households(data: Data, middle: np.ndarray[tuple[int], np.dtype[np.float32]]) -> list[Gallery]:
    """Return galleries of a household each, of everybody in order."""
    return [
        Gallery(data.people[at : at + HOUSEHOLD], data.model, middle)
        for at in range(0, len(data.people), HOUSEHOLD)
    ]


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
    middle: np.ndarray[tuple[int], np.dtype[np.float32]],
    figures: dict[str, Any],
    spaces: Iterable[str],
) -> None:
    """Write what was fitted into `folder`, the integration's `people`, as modules of data alone."""
    code = b64encode(middle.astype("<f2").tobytes()).decode()
    lines = "\n".join(f'    "{code[at : at + 96]}"' for at in range(0, len(code), 96))
    values = "\n".join(f"{name.upper()} = {value}" for name, value in figures["fitted"].items())
    names = ", ".join(f'"{name}"' for name in spaces)
    fitted_text = f'''"""What `script/eval calibrate` fitted: data alone. Write it anew with that command, never by hand."""

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
