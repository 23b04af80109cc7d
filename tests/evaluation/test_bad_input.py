"""What cannot be used is refused in one sentence."""

from pathlib import Path

import pytest

from tests.common import pictures
from tests.evaluation.conftest import ada, nobody, run, save


def _refused(*arguments: object) -> str:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["guess"], "invalid choice: 'guess'"),
        (["identify", "/nowhere"], "/nowhere/gallery cannot be read: No such file or directory"),
        (["identify", ".", "--face-width", "wide"], "'wide' is not a whole number from 8 to 1000"),
        (["visits", "/nowhere"], "/nowhere cannot be read: No such file or directory"),
        (["verify", "--pairs", "/nowhere", "--images", "."], "/nowhere cannot be read"),
    ],
)
def test_arguments(arguments: list[str], sentence: str) -> None:
    assert sentence in _refused(*arguments)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("1\nAda 1 1\nAda one\n", "line 3 is not a pair: Ada one"),
        ("Ada 1 2\n", "Ada_0002.jpg, which is missing"),
        ("2\nAda 1 1\n", "says it has 4 pairs and has 1"),
        ("Ada 1 1\n", "all of one kind"),
        ("\n", "has no pairs"),
        ("Ada 1 1\nAda 1 Bob 1\n", "too few pairs"),
    ],
)
def test_pairs(tmp_path: Path, lines: str, sentence: str) -> None:
    (tmp_path / "pairs.txt").write_text(lines, "utf-8")
    save(ada(), tmp_path / "Ada" / "Ada_0001.jpg")
    save(ada(), tmp_path / "Bob" / "Bob_0001.jpg")
    assert sentence in _refused("verify", "--pairs", tmp_path / "pairs.txt", "--images", tmp_path)


def test_folders(tmp_path: Path) -> None:
    (tmp_path / "gallery").mkdir()
    assert "has no folders of people" in _refused("identify", tmp_path)
    (tmp_path / "gallery" / "Ada").mkdir()
    assert "Ada has no pictures" in _refused("identify", tmp_path)
    save(nobody(), tmp_path / "gallery" / "Ada" / "1.jpg")
    save(ada(), tmp_path / "probe" / "Bob" / "1.jpg")
    (tmp_path / "unknown").mkdir()
    assert "has Bob, who is not in" in _refused("identify", tmp_path)
    (tmp_path / "probe" / "Bob").rename(tmp_path / "probe" / "Ada")
    assert "unknown has no pictures" in _refused("identify", tmp_path)
    save(pictures.stranger(), tmp_path / "unknown" / "1.jpg")
    assert "no photo of Ada can be enrolled with: no_face 1" in _refused("identify", tmp_path)


def test_a_broken_picture_is_named(gallery: Path, people: Path, tmp_path: Path) -> None:
    (tmp_path / "gallery").symlink_to(gallery)
    (tmp_path / "probe").symlink_to(people / "probe")
    (tmp_path / "unknown").mkdir()
    (tmp_path / "unknown" / "broken.jpg").write_bytes(pictures.jpeg(ada())[:5000])
    assert "broken.jpg is not a picture: the image is cut off" in _refused("identify", tmp_path)


def test_a_broken_clip_is_named(tmp_path: Path) -> None:
    (tmp_path / "Ada").mkdir()
    (tmp_path / "Ada" / "1.mkv").write_bytes(b"no clip")
    assert "1.mkv is not a clip that can be read" in _refused("visits", tmp_path)
