"""Visits, measured on bursts and clips."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image
import pytest

from tests.common import pictures
from tests.evaluation.conftest import ada, bob, figures, run, save


def _burst(folder: Path, person: Image.Image | None, seeds: range) -> None:
    folder.mkdir(parents=True)
    for seed in seeds:
        shown = [] if person is None else [person]
        (folder / f"{seed:03d}.jpg").write_bytes(pictures.frame(*shown, seed=seed))


def _clip(path: Path, person: Image.Image, frames: int = 6) -> None:
    """Write a video of 10 frames a second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height = pictures.SIZE
        stream.pix_fmt = "yuvj420p"
        stream.time_base = Fraction(1, 10)
        for number in range(frames):
            (path.parent / "frame.tmp").write_bytes(pictures.frame(person, seed=number))
            with Image.open(path.parent / "frame.tmp") as image:
                shown = av.VideoFrame.from_ndarray(np.asarray(image.convert("RGB")))
                container.mux(stream.encode(shown))
        container.mux(stream.encode(None))
    (path.parent / "frame.tmp").unlink()


def test_bursts_against_a_gallery(gallery: Path, tmp_path: Path) -> None:
    _burst(tmp_path / "Ada" / "1", ada(), range(4))
    _burst(tmp_path / "Bob" / "1", bob(), range(4))
    _burst(tmp_path / "Bob" / "2", None, range(3))
    _burst(tmp_path / "unknown" / "1", pictures.stranger(1), range(4))
    found = figures("visits", tmp_path, "--gallery", gallery)
    assert found["visits"] == 3
    # The unknown one, and each of the others once more without their person in the gallery.
    assert found["strangers"] == 4
    assert found["right"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["unusable"] == pytest.approx(1 / 3, abs=1e-4)
    assert found["wrong"] == found["unclear"] == found["strangers_named"] == 0
    assert found["frames_median"] == 2
    assert found["decisions"]["balanced"]["right"] == found["right"]


def test_the_first_clip_enrols(tmp_path: Path) -> None:
    _clip(tmp_path / "Ada" / "1.mkv", ada())
    _burst(tmp_path / "Ada" / "2", ada(), range(20, 24))
    _burst(tmp_path / "Bob" / "1", bob(), range(4))
    _clip(tmp_path / "Bob" / "2.mkv", bob())
    found = figures("visits", tmp_path, "--every", 0.2)
    assert found["enrolled"]["photos"] == 6
    assert (found["visits"], found["right"], found["wrong"]) == (2, 1, 0)
    assert (found["strangers"], found["strangers_named"]) == (2, 0)


def test_photos_of_one_person_make_a_visit(people: Path) -> None:
    found = figures("visits", people, "--photos", 3, "--face-width", 60)
    assert (found["visits"], found["left_out"], found["right"], found["wrong"]) == (2, 0, 1, 0)
    assert found["condition"] == "60 px"


def test_in_a_small_home_all_others_are_strangers(tmp_path: Path, gallery: Path) -> None:
    for number in (1, 2):
        _burst(tmp_path / "Ada" / str(number), ada(), range(4))
    _burst(tmp_path / "Bob" / "1", bob(), range(4))

    found = figures("visits", tmp_path, "--gallery", gallery, "--home", 1)

    assert (found["homes"], found["visits"], found["strangers"]) == (2, 3, 3)
    assert (found["right"], found["wrong"], found["strangers_named"]) == (1, 0, 0)
    assert "3" in run("visits", tmp_path, "--gallery", gallery, "--home", 3).stderr


def test_two_people_in_a_picture_have_a_visit_each(tmp_path: Path, gallery: Path) -> None:
    for number in (1, 2):
        _burst(tmp_path / "Ada" / str(number), ada(), range(10 * number, 10 * number + 4))
        _burst(tmp_path / "Bob" / str(number), bob(), range(10 * number + 4, 10 * number + 8))

    found = figures("visits", tmp_path, "--gallery", gallery, "--together")

    assert (found["visits"], found["strangers"]) == (4, 4)
    assert (found["right"], found["wrong"], found["strangers_named"]) == (1, 0, 0)


def test_the_name_of_the_person_beside_is_a_wrong_one(tmp_path: Path, gallery: Path) -> None:
    _burst(tmp_path / "Ada" / "1", bob(), range(4))
    _burst(tmp_path / "Bob" / "1", ada(), range(4))

    found = figures("visits", tmp_path, "--gallery", gallery, "--together")

    assert (found["visits"], found["wrong"], found["right"]) == (2, 1, 0)


def test_a_stranger_beside_somebody_known_stays_one(tmp_path: Path, gallery: Path) -> None:
    _burst(tmp_path / "Ada" / "1", ada(), range(4))
    _burst(tmp_path / "unknown" / "1", pictures.stranger(1), range(4))

    found = figures("visits", tmp_path, "--gallery", gallery, "--together")

    # The unknown one, and Ada once more without her in the gallery.
    assert (found["visits"], found["strangers"]) == (1, 2)
    assert (found["right"], found["strangers_named"]) == (1, 0)


def test_one_person_alone_cannot_be_two(tmp_path: Path, gallery: Path) -> None:
    for number in (1, 2):
        _burst(tmp_path / "Ada" / str(number), ada(), range(4))

    done = run("visits", tmp_path, "--gallery", gallery, "--together")

    assert done.returncode == 2
    assert done.stderr == "eval visits: there are no two clips of different people to put side by side\n"


def test_photos_of_two_people_make_visits_too(gallery: Path, tmp_path: Path) -> None:
    (tmp_path / "gallery").symlink_to(gallery)
    for name, person in (("Ada", ada), ("Bob", bob)):
        for number, angle in enumerate((-4, 3, 5)):
            save(person(light=0.9 + 0.1 * number, angle=angle), tmp_path / "probe" / name / f"{number}.jpg")
    found = figures("visits", tmp_path, "--photos", 3, "--face-width", 60, "--together")

    assert (found["visits"], found["right"], found["wrong"]) == (2, 1, 0)
