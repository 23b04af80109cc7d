"""How well it recognises people, on a small part of LFW where that is at hand."""

from pathlib import Path

import numpy as np

from tests.common.engine_process import EngineProcess

PAIRS = 60
"""Of each kind; the whole set of 500 takes minutes."""


def _pairs(labelled: Path) -> tuple[list[tuple[Path, Path]], list[tuple[Path, Path]]]:
    """Return pairs of photos of the same and of different people, evenly taken from the whole list."""

    def photo(name: str, number: str) -> Path:
        return labelled / "verify" / "images" / name / f"{name}_{int(number):04d}.jpg"

    same, different = [], []
    for line in (labelled / "verify" / "pairs.txt").read_text("utf-8").splitlines()[1:]:
        match line.split("\t"):
            case [name, one, other]:
                same.append((photo(name, one), photo(name, other)))
            case [name, one, other_name, other]:
                different.append((photo(name, one), photo(other_name, other)))
    return same[:: len(same) // PAIRS][:PAIRS], different[:: len(different) // PAIRS][:PAIRS]


def _central(engine: EngineProcess, path: Path) -> np.ndarray:
    """Return the embedding of the face nearest the middle, which is the labelled one."""
    faces = engine.faces(path.read_bytes())
    middle = np.array(faces.size) / 2
    face = min(
        faces.faces,
        key=lambda face: np.hypot(*(np.array(face.box[:2]) + np.array(face.box[2:]) / 2 - middle)),
    )
    return face.embedding


def test_people_are_told_apart(engine: EngineProcess, labelled: Path) -> None:
    same, different = (
        np.array([float(_central(engine, one) @ _central(engine, other)) for one, other in pairs])
        for pairs in _pairs(labelled)
    )
    assert len(same) == len(different) == PAIRS
    threshold = 0.35
    assert (same > threshold).mean() >= 0.95
    assert (different > threshold).mean() <= 0.02
    assert np.median(same) - np.median(different) > 0.5
