"""The engine as pip installs it: the same files in a package of another name."""

import json
from pathlib import Path
import shutil
import subprocess

import pytest

from custom_components.familiar_faces.engine import VERSION
from tests.common import pictures
from tests.common.engine_process import ENGINE, engine_python, engine_weights

COMMAND = "import sys; sys.path.insert(0, sys.argv.pop(1)); from familiar_faces_engine.__main__ import start; sys.exit(start())"
"""What the script `familiar-faces-engine` does, with a folder of packages before the environment's own."""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the engine lies as deploy/pip/pyproject.toml lays it."""
    folder = tmp_path_factory.mktemp("packages")
    shutil.copytree(ENGINE, folder / "familiar_faces_engine", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ENGINE.parent / "manifest.json", folder / "familiar_faces_engine")
    # Somebody else's, which may lie beside it.
    (folder / "manifest.json").write_text('{"version": "9.9.9"}')
    return folder


def test_it_knows_its_version(packages: Path) -> None:
    done = subprocess.run(
        [engine_python(), "-I", "-c", COMMAND, str(packages), "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == VERSION


def test_it_finds_faces(packages: Path, tmp_path: Path) -> None:
    """One that is small, and one that a process of its own has to decode: that finds the package as well."""
    photo, large = tmp_path / "photo.jpg", tmp_path / "large.png"
    photo.write_bytes(pictures.jpeg(pictures.astronaut()))
    pictures.astronaut().resize((2500, 2500)).save(large)
    command = [
        engine_python(),
        "-I",
        "-c",
        COMMAND,
        str(packages),
        "faces",
        "--weights",
        str(engine_weights()),
    ]
    done = subprocess.run([*command, str(photo), str(large)], capture_output=True, text=True, check=True)
    assert [len(json.loads(line)["faces"]) for line in done.stdout.splitlines()] == [1, 1]


def test_without_its_packages_it_says_how_to_get_them(packages: Path, tmp_path: Path) -> None:
    """Where nothing else is installed the command says what to run."""
    done = subprocess.run(
        [engine_python(), "-I", "-S", "-c", COMMAND, str(packages), "faces", "x.jpg"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert (
        f"pip install --require-hashes --no-deps -r {packages}/familiar_faces_engine/requirements.txt"
        in done.stderr
    )
