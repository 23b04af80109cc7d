"""Every command of the scripts and of the engine says what it takes."""

import subprocess
import sys

import pytest

from tests.common.engine_process import engine_command, engine_python, engine_weights
from tests.evaluation.conftest import ROOT, run


@pytest.mark.parametrize(
    "command", ["verify", "identify", "visits", "empty", "pictures", "calibrate", "tables"]
)
def test_of_an_evaluation(command: str) -> None:
    done = run(command, "--help")

    assert done.returncode == 0, done.stderr
    assert f"usage: eval {command}" in done.stdout
    assert "25 % of the light" in done.stdout
    assert "10 % of the" in done.stdout


def test_of_all_evaluations() -> None:
    done = run("--help")

    assert done.returncode == 0, done.stderr
    assert all(
        command in done.stdout
        for command in ("verify", "identify", "visits", "empty", "pictures", "calibrate", "tables")
    )


@pytest.mark.parametrize("script", ["empty_pictures.py", "image.py", "pins.py", "release.py"])
def test_of_a_script(script: str) -> None:
    _says_what_it_takes([sys.executable, "-B", str(ROOT / "script" / script)])


@pytest.mark.parametrize("module", ["script.camera_lab", "script.attacks", "demo"])
def test_of_a_module(module: str) -> None:
    _says_what_it_takes([sys.executable, "-B", "-m", module])


def test_of_the_bench() -> None:
    engine_weights()
    _says_what_it_takes([engine_python(), "-B", "-I", str(ROOT / "script" / "bench.py")])


@pytest.mark.parametrize("command", ["", "serve", "faces", "fetch-weights"])
def test_of_the_engine(command: str) -> None:
    _says_what_it_takes(engine_command(*command.split()))


def _says_what_it_takes(command: list[str]) -> None:
    done = subprocess.run(
        [*command, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: ")
    assert "--help" in done.stdout
