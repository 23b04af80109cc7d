"""What is taken for a face where nobody is."""

from pathlib import Path

from PIL import Image

from tests.common import pictures
from tests.evaluation.conftest import ada, figures, run


def test_a_wall_shows_nobody_and_a_portrait_somebody(tmp_path: Path) -> None:
    (tmp_path / "wall.jpg").write_bytes(pictures.jpeg(Image.new("RGB", (400, 300), "grey"), 90))
    empty = figures("empty", tmp_path, "--pictures", 12)
    assert (empty["pictures"], empty["visitors"]) == (12, 0)

    (tmp_path / "wall.jpg").write_bytes(pictures.jpeg(ada(), 90))
    shown = figures("empty", tmp_path, "--pictures", 12)
    assert shown["with_a_face"] >= shown["usable_faces"] >= shown["visitors"] > 0
    assert shown["of_which"]["wall.jpg"] <= 6


def test_without_a_picture_it_says_so(tmp_path: Path) -> None:
    done = run("empty", tmp_path)

    assert (done.returncode, done.stderr) == (2, f"eval empty: {tmp_path} has no pictures\n")
