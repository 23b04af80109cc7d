"""Every set that is in a folder, found by its name, in every condition: the tables of docs/accuracy*.md."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from custom_components.familiar_faces.people.calibration import Strictness
from custom_components.familiar_faces.people.measured import MEASURED
from custom_components.familiar_faces.people.promise import promises
from custom_components.familiar_faces.visits.look import FRAME_EVERY

from . import calibrate, enrolment, folders, identify, verify, visits
from .conditions import NAMED, Condition
from .engine import Engines, Sight
from .errors import InputError

PHOTOS_OF_MANY = "identify"
"""The set that is measured in all conditions: the others are as hard as they are."""
SETS = (PHOTOS_OF_MANY, "cfp-frontal", "cfp-profile", "yaleb-s2", "yaleb-s3", "yaleb-s4", "yaleb-s5")
"""Sets of single pictures, in the layout of `identify`."""
ONE_CAMERA = ("yaleb-s2", "yaleb-s3", "yaleb-s4", "yaleb-s5")
"""Those of them whose pictures show little but a face."""
CLIPS = "clips"
PAIRS = "verify"
TABLES = ("pictures", "visits", "together", "pairs", "confidence", "promises")
PHOTOS = 5
FEWER = {"cfp-frontal": 4, "cfp-profile": 4}
"""How many photos of each person these sets have."""
SINGLE: Mapping[str, Condition] = {
    "as is": Condition(),
    "45 px": Condition(face_width=45),
    "45 px, grey": Condition(face_width=45, grey=True),
    "45 px, JPEG 70": Condition(face_width=45, jpeg=70),
    "45 px, dark": Condition(face_width=45, dark=True),
    "45 px, blur 1.5": Condition(face_width=45, blur=1.5),
    "30 px": Condition(face_width=30),
    "24 px": Condition(face_width=24),
    "18 px": Condition(face_width=18),
}
AT_A_CAMERA: Mapping[str, Condition] = {
    "as is": Condition(),
    "60 px in 640x480": Condition(face_width=60, framed=True),
}
OF_CLIPS: Mapping[str, Condition] = {
    "as is": Condition(),
    "30 px": Condition(face_width=30),
    "24 px": Condition(face_width=24),
    "dark": Condition(dark=True),
    "grey": Condition(grey=True),
}
OF_TWO: Mapping[str, Condition] = {
    "as is": Condition(),
    "45 px": Condition(face_width=45),
    "45 px, dark": Condition(face_width=45, dark=True),
}
"""What pictures of two people are measured in."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines of the tables are wanted."""

    folder: Path
    min_face: int | None = None
    tables: Collection[str] = TABLES
    sets: Collection[str] = (*SETS, CLIPS, PAIRS)

    def there(self, table: str, names: Collection[str], inside: str = "gallery") -> list[str]:
        """Return which of these sets are there, where this table is wanted and they are."""
        if table not in self.tables:
            return []
        return [name for name in names if name in self.sets and (self.folder / name / inside).is_dir()]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table."""

    table: str
    folder: str
    condition: str
    values: dict[str, Any]


def measure(asked: Asked, home: Path, say: Callable[[Row], None]) -> dict[str, Any]:
    """Measure the sets in a folder, and say each line as it is known. Raises InputError when there is none."""
    rows: list[Row] = []
    with Engines(home) as engines:
        for row in _rows(engines, asked):
            rows.append(row)
            say(row)
    if not rows:
        raise InputError(f"{asked.folder} has none of the sets {', '.join(asked.sets)} for these tables")
    return {
        table: [
            {"set": row.folder, "condition": row.condition, **row.values}
            for row in rows
            if row.table == table
        ]
        for table in dict.fromkeys(row.table for row in rows)
    }


def _rows(engines: Engines, asked: Asked) -> Iterator[Row]:
    for name in asked.there("pictures", SETS):
        people = folders.read_people(asked.folder / name)
        enrolled = enrolment.enrol(engines, people.gallery)
        some = (
            SINGLE
            if name == PHOTOS_OF_MANY
            else AT_A_CAMERA
            if name in ONE_CAMERA
            else {"as is": Condition()}
        )
        for said, condition in some.items():
            observed = identify.observe(engines, people, Sight(condition, asked.min_face))
            yield Row("pictures", name, said, _of_pictures(identify.figures(observed, enrolled.gallery)))
    for name in asked.there("visits", SETS):
        for said, condition in {"as is": Condition(), **(NAMED if name == PHOTOS_OF_MANY else {})}.items():
            yield _of_visits(engines, asked, name, said, condition)
    for name in asked.there("visits", [CLIPS], "."):
        for said, condition in OF_CLIPS.items():
            yield _of_visits(engines, asked, name, said, condition)
    for name in asked.there("together", [PHOTOS_OF_MANY, CLIPS], "."):
        for said, condition in OF_TWO.items():
            yield _of_visits(engines, asked, name, said, condition, together=True)
    for name in asked.there("pairs", [PAIRS], "images"):
        folder = asked.folder / name
        pairs = folders.read_pairs(folder / "pairs.txt", folder / "images")
        scored = verify.observe(engines, pairs, Sight(min_face=asked.min_face))
        yield Row("pairs", name, "as is", verify.figures(scored.pairs, scored.scores, scored.not_detected))
    for name in asked.there("confidence", [PHOTOS_OF_MANY]):
        yield from _of_confidence(engines, asked, name)
    for name in asked.there("promises", [PHOTOS_OF_MANY]):
        # As it was counted when the calibration was written: what is counted now is not of the shipped one.
        for each in promises(MEASURED):
            named = f"{each.named} of {each.measured_strangers}"
            own = f"{each.own_named} of {each.measured_own}"
            told = {"strangers named": named, "at most 1 in": each.limit_one_in, "own people named": own}
            yield Row("promises", name, each.strictness, told)


def _of_confidence(engines: Engines, asked: Asked, name: str) -> Iterator[Row]:
    more = asked.folder / PAIRS / "images"
    people = folders.read_people(asked.folder / name)
    data = calibrate.observe(engines, people, more if more.is_dir() else None, asked.min_face)
    for row in calibrate.calibrate(data)[2]["reliability"]:
        values = {key: value for key, value in row.items() if key not in ("from", "to")}
        yield Row("confidence", name, f"{row['from']:g} to {row['to']:g}", values)


def _of_pictures(figures: Mapping[str, Any]) -> dict[str, Any]:
    decisions = figures["decisions"]
    said = decisions[Strictness.BALANCED]
    return {
        "rank 1": figures["rank1"],
        "TPIR at 1 %": figures["tpir_fpir_1pct"],
        "at 0.1 %": figures["tpir_fpir_0_1pct"],
        "not found": figures["not_detected"],
        **{kind: said[kind] for kind in ("right", "wrong", "unclear", "unusable", "stranger")},
        "strangers named": said["strangers_named"],
        "relaxed": decisions[Strictness.RELAXED]["strangers_named"],
    }


def _of_visits(
    engines: Engines, asked: Asked, name: str, said: str, condition: Condition, *, together: bool = False
) -> Row:
    seen = visits.observe(
        engines,
        asked.folder / name,
        Sight(condition, asked.min_face),
        gallery=None,
        every=FRAME_EVERY,
        photos=FEWER.get(name, PHOTOS),
        together=together,
    )
    figures = visits.figures(seen)
    decisions = figures["decisions"]
    balanced = decisions[Strictness.BALANCED]
    return Row(
        "together" if together else "visits",
        name,
        said,
        {
            "visits": figures["visits"],
            "strangers": figures["strangers"],
            **{kind: balanced[kind] for kind in ("right", "wrong", "unclear", "unusable", "stranger")},
            "strangers named": balanced["strangers_named"],
            "relaxed": decisions[Strictness.RELAXED]["strangers_named"],
            "frames": balanced["frames_median"],
        },
    )
