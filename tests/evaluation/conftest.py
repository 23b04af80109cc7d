"""script/eval as it is run, and small sets to run it on."""

from collections.abc import Callable
import json
from pathlib import Path
import subprocess
from typing import Any

from PIL import Image
import pytest

from tests.common import pictures
from tests.common.engine_process import engine_python, engine_weights

ROOT = Path(__file__).parents[2]

type Eval = Callable[..., Any]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run script/eval and return what it printed."""
    engine_python(), engine_weights()
    return subprocess.run(
        [ROOT / "script" / "eval", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def figures(*arguments: object) -> Any:
    """Run script/eval and return its JSON."""
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def part_of(labelled: Path, folder: Path, *, people: int, probes: int, unknown: int) -> None:
    """Link a part of the labelled set into a folder: people with all their photos to enrol."""
    for source in sorted((labelled / "identify" / "gallery").iterdir())[:people]:
        (folder / "gallery").mkdir(exist_ok=True)
        (folder / "gallery" / source.name).symlink_to(source)
        (folder / "probe" / source.name).mkdir(parents=True)
        for photo in sorted((labelled / "identify" / "probe" / source.name).iterdir())[:probes]:
            (folder / "probe" / source.name / photo.name).symlink_to(photo)
    (folder / "unknown").mkdir()
    for photo in sorted((labelled / "identify" / "unknown").rglob("*.jpg"))[:unknown]:
        (folder / "unknown" / photo.name).symlink_to(photo)


def ada(**how: Any) -> Image.Image:
    """Return a portrait of Ada, her face in the middle and about 95 pixels wide."""
    return pictures.variant(pictures.astronaut(), **how)


def bob(**how: Any) -> Image.Image:
    """Return a portrait of Bob."""
    return pictures.variant(pictures.stranger(0), **how)


def nobody() -> Image.Image:
    """Return a wall."""
    return pictures.porch().crop((0, 0, 270, 270))


def save(image: Image.Image, path: Path) -> None:
    """Write a picture, and the folders that lead to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=92)


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with photos of Ada and Bob to enrol."""
    folder = tmp_path_factory.mktemp("gallery")
    for number, how in enumerate(({"light": 1.05}, {"mirrored": True, "light": 0.8}, {"angle": 8.0})):
        save(ada(**how), folder / "Ada" / f"{number}.jpg")
        save(bob(**how), folder / "Bob" / f"{number}.jpg")
    save(bob().resize((135, 135)), folder / "Bob" / "small.jpg")
    return folder


@pytest.fixture(scope="session")
def people(gallery: Path) -> Path:
    """Return a set to identify people in: six probes, one that shows a wall, and three unknown."""
    folder = gallery.parent / "people"
    folder.mkdir()
    (folder / "gallery").symlink_to(gallery)
    save(ada(light=0.9, angle=-4), folder / "probe" / "Ada" / "1.jpg")
    save(ada(light=1.2), folder / "probe" / "Ada" / "2.png")
    # Somebody larger stands beside her: the one in the middle counts.
    beside = Image.new("RGB", (1100, 540), (120, 120, 125))
    beside.paste(bob().resize((540, 540)), (0, 0))
    beside.paste(ada(angle=3), (415, 135))
    save(beside, folder / "probe" / "Ada" / "3.jpg")
    save(bob(light=0.9, angle=-4), folder / "probe" / "Bob" / "1.jpg")
    save(bob(angle=5), folder / "probe" / "Bob" / "2.jpg")
    save(nobody(), folder / "probe" / "Bob" / "wall.jpg")
    save(pictures.stranger(1), folder / "unknown" / "1.jpg")
    save(pictures.stranger(2), folder / "unknown" / "Eve" / "1.jpg")
    save(nobody(), folder / "unknown" / "wall.jpg")
    (folder / "unknown" / "notes.txt").write_text("no picture", "utf-8")
    return folder
