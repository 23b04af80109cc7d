"""The search of the demo finds what is there, however it lies there; and nothing else."""

import base64
from pathlib import Path
import random

import pytest

from demo import search as room
from demo.search import Needles, search

PHOTO = random.Random(1).randbytes(5000)
TEMPLATE = random.Random(2).randbytes(512)


@pytest.fixture
def needles() -> Needles:
    needles = Needles()
    needles.add_name("Quintessa")
    needles.add_data("photo", PHOTO)
    needles.add_data("template", TEMPLATE)
    return needles


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"sensor.quintessa_consent", "name"),
        (b"QUINTESSA", "name"),
        ("Hi Quintessa!".encode("utf-16-le"), "name"),
        (base64.b64encode(b"Hello Quintessa."), "name in base64"),
        (base64.b64encode(b"Hello, Quintessa."), "name in base64"),
        (base64.b64encode(b"Hello,, Quintessa."), "name in base64"),
        (PHOTO, "photo"),
        (PHOTO[2000:], "photo"),
        (PHOTO[:2000], "photo"),
        (b'{"photo": "' + base64.b64encode(PHOTO) + b'"}', "photo in base64"),
        (TEMPLATE, "template"),
        (base64.b64encode(b"1" + TEMPLATE), "template in base64"),
    ],
)
@pytest.mark.parametrize("before", [0, 63, 64, 65, 1000])
def test_what_is_there_is_found(
    tmp_path: Path, needles: Needles, monkeypatch: pytest.MonkeyPatch, data: bytes, what: str, before: int
) -> None:
    monkeypatch.setattr(room, "CHUNK", 64)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file.db").write_bytes(b"x" * before + data + b"y" * 70)
    found = search(tmp_path, needles)
    assert found.places == {what: ["deep/file.db"]}
    assert found.files == 1
    assert found.bytes == before + len(data) + 70


def test_a_name_in_a_file_name_is_found(tmp_path: Path, needles: Needles) -> None:
    (tmp_path / "quintessa.jpg").touch()
    assert search(tmp_path, needles).places == {"name": ["quintessa.jpg"]}


def test_nothing_else_is_found(tmp_path: Path, needles: Needles) -> None:
    (tmp_path / "noise").write_bytes(random.Random(3).randbytes(300_000))
    (tmp_path / "text").write_bytes(b"quintessence " * 1000)
    (tmp_path / "link").symlink_to(tmp_path)
    found = search(tmp_path, needles)
    assert (found.places, found.files) == ({}, 2)
    assert needles.count > 30
