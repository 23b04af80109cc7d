"""Identification, measured on a small set and on a part of the labelled photos."""

from pathlib import Path

import numpy as np
from PIL import Image
import pytest

from tests.common import pictures
from tests.evaluation.conftest import ada, figures, run, save

KEYS = {"probes", "unknown", "rank1", "tpir_fpir_1pct", "tpir_fpir_0_1pct", "not_detected", "decisions"}
DECISIONS = {"right", "wrong", "unclear", "unusable", "strangers_named"}


def test_every_probe_and_unknown_counts(people: Path) -> None:
    found = figures("identify", people)
    assert found.keys() >= KEYS
    assert (found["probes"], found["unknown"]) == (6, 3)
    # All but the wall, which is missed.
    assert (
        found["rank1"]
        == found["tpir_fpir_1pct"]
        == found["tpir_fpir_0_1pct"]
        == pytest.approx(5 / 6, abs=1e-4)
    )
    assert found["not_detected"] == pytest.approx(1 / 6, abs=1e-4)
    assert found["unknown_not_detected"] == pytest.approx(1 / 3, abs=1e-4)
    assert found["enrolled"] == {"people": 2, "photos": 6, "refused": {"too_small": 1}, "insisted": {}}
    assert found["decisions"].keys() == {"relaxed", "balanced", "strict"}
    for shares in found["decisions"].values():
        assert shares.keys() >= DECISIONS
        assert (shares["wrong"], shares["strangers_named"]) == (0, 0)
        assert shares["unusable"] == pytest.approx(1 / 6, abs=1e-4)
        told = sum(shares[kind] for kind in ("right", "wrong", "unclear", "unusable", "stranger"))
        assert told == pytest.approx(1, abs=1e-3)
    assert found["decisions"]["relaxed"]["right"] == pytest.approx(5 / 6, abs=1e-4)


def test_the_peer_stands_beside_in_a_table(people: Path) -> None:
    done = run("identify", people, "--face-width", 60, "--grey", "--jpeg", 70, "--peer", "represent")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    rows = {
        cells[1].strip(): [cell.strip() for cell in cells[2:-1]]
        for line in done.stdout.splitlines()
        if len(cells := line.split("|")) > 3
    }
    assert rows[""] == ["ours", "represent"]
    assert rows["probes"] == ["6", "6"]
    ours, represent = map(float, rows["rank1"])
    assert ours == pytest.approx(5 / 6, abs=1e-4)
    assert represent <= ours
    assert rows["condition"][0] == "60 px, grey, JPEG 70"
    assert len(rows["balanced"]) == 6


def test_faces_that_are_too_small_to_be_asked_for_are_missed(people: Path) -> None:
    found = figures("identify", people, "--face-width", 30, "--min-face", 50)
    assert found["not_detected"] == found["unknown_not_detected"] == 1
    assert found["rank1"] == found["tpir_fpir_1pct"] == 0
    assert found["decisions"]["relaxed"]["unusable"] == 1


def test_a_face_in_the_shadow_is_put_into_a_frame_and_found_there(gallery: Path, tmp_path: Path) -> None:
    """What something is done to has to be found first, as generously as a look searches, or it counts as missed."""
    levels = np.asarray(ada(), float)
    down = np.arange(levels.shape[0])[:, None, None] / levels.shape[0]
    lit = levels * (0.02 + 0.05 * np.exp(-(((down - 0.4) / 0.09) ** 2)))
    (tmp_path / "gallery").symlink_to(gallery)
    save(Image.fromarray(lit.astype(np.uint8)), tmp_path / "probe" / "Ada" / "1.png")
    save(pictures.stranger(1), tmp_path / "unknown" / "1.jpg")

    seen = figures("identify", tmp_path, "--framed", "--face-width", 60)

    assert (seen["not_detected"], seen["rank1"]) == (0, 1)


def test_labelled_people_are_told_apart(labelled: Path, tmp_path: Path) -> None:
    whole = labelled / "identify"
    for kind in ("gallery", "probe"):
        (tmp_path / kind).mkdir()
        for person in sorted(path.name for path in (whole / "gallery").iterdir())[:5]:
            (tmp_path / kind / person).symlink_to(whole / kind / person)
    (tmp_path / "unknown").mkdir()
    for path in sorted((whole / "unknown").iterdir())[:12]:
        (tmp_path / "unknown" / path.name).symlink_to(path)
    found = figures("identify", tmp_path)
    assert found["rank1"] == 1
    assert found["tpir_fpir_1pct"] >= 0.95
    assert found["decisions"]["balanced"]["wrong"] == found["decisions"]["balanced"]["strangers_named"] == 0
