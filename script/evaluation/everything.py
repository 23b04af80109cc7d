"""Every set that is in a folder, found by its name, in every condition: the tables of docs/accuracy.md."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from custom_components.familiar_faces.people.calibration import Strictness
from custom_components.familiar_faces.visits.look import FRAME_EVERY

from . import enrolment, folders, identify, visits
from .conditions import NAMED, Condition
from .engine import Engines, Sight
from .errors import InputError

SETS = ("identify", "cfp-frontal", "cfp-profile", "yaleb-s2", "yaleb-s3", "yaleb-s4", "yaleb-s5")
"""Sets of single pictures, in the layout of `identify`."""
CLIPS = "clips"
PHOTOS = 5
DARK = Condition(face_width=45, dark=True)
SINGLE: Mapping[str, Condition] = {
    "as is": Condition(),
    "45 px": Condition(face_width=45),
    "45 px, dark": DARK,
    "45 px, blur 1.5": Condition(face_width=45, blur=1.5),
    "30 px": Condition(face_width=30),
    "24 px": Condition(face_width=24),
}
OF_CLIPS: Mapping[str, Condition] = {
    "as is": Condition(),
    "30 px": Condition(face_width=30),
    "24 px": Condition(face_width=24),
    "dark": Condition(dark=True),
    "grey": Condition(grey=True),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table."""

    table: str
    folder: str
    condition: str
    values: dict[str, Any]


def measure(folder: Path, min_face: int | None, home: Path, say: Callable[[Row], None]) -> dict[str, Any]:
    """Measure all sets in a folder, and say each line as it is known. Raises InputError when there is none."""
    rows: list[Row] = []
    with Engines(home) as engines:
        for row in _rows(engines, folder, min_face):
            rows.append(row)
            say(row)
    if not rows:
        raise InputError(f"{folder} has none of the sets {', '.join((*SETS, CLIPS))}")
    return {
        table: [
            {"set": row.folder, "condition": row.condition, **row.values}
            for row in rows
            if row.table == table
        ]
        for table in dict.fromkeys(row.table for row in rows)
    }


def _rows(engines: Engines, folder: Path, min_face: int | None) -> Iterator[Row]:
    there = [name for name in SETS if (folder / name / "gallery").is_dir()]
    for name in there:
        people = folders.read_people(folder / name)
        enrolled = enrolment.enrol(engines, people.gallery)
        # Those that were taken by one camera are as hard as they are.
        for said, condition in SINGLE.items() if name == SETS[0] else [("as is", Condition())]:
            observed = identify.observe(engines, people, Sight(condition, min_face))
            yield Row("pictures", name, said, _of_pictures(identify.figures(observed, enrolled.gallery)))
    for name in there:
        for said, condition in {"as is": Condition(), **(NAMED if name == SETS[0] else {})}.items():
            yield _of_visits(engines, folder / name, said, Sight(condition, min_face))
    if (folder / CLIPS).is_dir():
        for said, condition in OF_CLIPS.items():
            yield _of_visits(engines, folder / CLIPS, said, Sight(condition, min_face))


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


def _of_visits(engines: Engines, folder: Path, said: str, sight: Sight) -> Row:
    seen = visits.observe(engines, folder, sight, gallery=None, every=FRAME_EVERY, photos=PHOTOS)
    figures = visits.figures(seen)
    decisions = figures["decisions"]
    balanced = decisions[Strictness.BALANCED]
    return Row(
        "visits",
        folder.name,
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
