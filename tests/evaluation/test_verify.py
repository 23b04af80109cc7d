"""Verification, measured on a few pairs."""

from pathlib import Path
from typing import Any

import pytest

from tests.common import pictures
from tests.evaluation.conftest import ada, bob, figures, nobody, save

SAME = ["Ada 1 2", "Bob 1 2", "Ada 2 3", "Bob 1 3"]
DIFFERENT = ["Ada 1 Bob 1", "Ada 2 Bob 2", "Ada 3 Eve 1", "Bob 1 Eve 1"]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return LFW's folders of pictures; Bob's third is of a wall."""
    folder = tmp_path_factory.mktemp("images")
    changes: tuple[dict[str, Any], ...] = ({}, {"light": 0.8, "angle": 4.0}, {"mirrored": True})
    for number, how in enumerate(changes, 1):
        save(ada(**how), folder / "Ada" / f"Ada_{number:04d}.jpg")
        save(bob(**how) if number < 3 else nobody(), folder / "Bob" / f"Bob_{number:04d}.jpg")
    save(pictures.stranger(1), folder / "Eve" / "Eve_0001.jpg")
    return folder


def _file(folder: Path, *lines: str) -> Path:
    path = folder / "pairs.txt"
    path.write_text("\n".join(line.replace(" ", "\t") for line in lines), "utf-8")
    return path


def test_folds_as_the_file_has_them(images: Path, tmp_path: Path) -> None:
    file = _file(tmp_path, "2 2", *SAME[:2], *DIFFERENT[:2], *SAME[2:], *DIFFERENT[2:])
    found = figures("verify", "--pairs", file, "--images", images)
    # The pair with the wall is of one person and called different.
    assert found["accuracy"] == 7 / 8
    assert found["tar_far_1pct"] == found["tar_far_0_1pct"] == 3 / 4
    assert found["accuracy_sd"] == pytest.approx(0.1768, abs=1e-4)
    assert (found["folds"], found["pairs"], found["not_detected"]) == (2, 8, 1)


def test_a_given_threshold_and_a_file_without_folds(images: Path, tmp_path: Path) -> None:
    file = _file(tmp_path, "4", *SAME, *DIFFERENT)
    never = figures("verify", "--pairs", file, "--images", images, "--threshold", 1)
    assert (never["accuracy"], never["tar_far_1pct"], never["threshold"]) == (0.5, 0.75, 1)
    split = figures("verify", "--pairs", file, "--images", images, "--peer", "represent", "--dark")
    assert (split["folds"], split["accuracy"]) == (4, 7 / 8)
    assert split["peer"]["pairs"] == 8
    assert split["peer"]["accuracy"] <= split["accuracy"]
