"""The engine's locked environment."""

import ast
import json
from pathlib import Path
import re

import homeassistant
from packaging.requirements import Requirement
from packaging.version import Version
import pytest

from tests.common.engine_process import ENGINE, run_in_engine

LOCKED = ("requirements.txt", "requirements-weights.txt")
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)")


def _pins(name: str) -> dict[str, str]:
    lines = (ENGINE / name).read_text("utf-8").splitlines()
    return {found[1]: found[2] for line in lines if (found := PIN.match(line))}


@pytest.mark.parametrize("name", LOCKED)
def test_every_package_is_pinned_by_hash(name: str) -> None:
    blocks = re.split(r"\n(?=\S)", (ENGINE / name).read_text("utf-8").strip())
    packages = [block for block in blocks if not block.startswith("#")]
    assert len(packages) == len(_pins(name)) > 0
    for block in packages:
        assert "--hash=sha256:" in block


@pytest.mark.parametrize("name", [*LOCKED, "requirements.in", "requirements-weights.in"])
def test_no_registry_is_named(name: str) -> None:
    text = (ENGINE / name).read_text("utf-8")
    assert "://" not in text
    assert "--index" not in text.replace("--no-emit-index-url", "")
    assert "--find-links" not in text


def test_there_is_one_opencv_and_no_framework() -> None:
    pins = _pins("requirements.txt")
    assert [name for name in pins if name.startswith("opencv")] == ["opencv-python-headless"]
    assert not {"tensorflow", "torch", "keras", "pandas", "flask", "retina-face"} & set(pins)
    assert pins["deepface"] == "0.0.103"


def test_the_environment_of_the_tests_is_the_locked_one(prepared: None) -> None:
    installed = run_in_engine(
        "from importlib.metadata import distributions\n"
        "print(json.dumps({d.name.lower().replace('_', '-'): d.version for d in distributions()}))"
    )
    wanted = _pins("requirements.txt") | _pins("requirements-weights.txt")
    # Only for Windows.
    wanted.pop("colorama")
    assert {name: installed.get(name) for name in wanted} == wanted


def test_the_code_runs_on_python_3_13() -> None:
    for path in ENGINE.glob("*.py"):
        ast.parse(path.read_text("utf-8"), str(path), feature_version=(3, 13))


def test_what_home_assistant_installs_is_a_version_that_it_has() -> None:
    """Home Assistant's constraints choose numpy's version: one version of our own would leave us out."""
    manifest = json.loads((ENGINE.parent / "manifest.json").read_text("utf-8"))
    asked = {each.name: each.specifier for each in map(Requirement, manifest["requirements"])}
    assert set(asked) == {"numpy", "segno"}
    constraints = Path(homeassistant.__file__).with_name("package_constraints.txt").read_text("utf-8")
    (chosen,) = re.findall(r"^numpy==(\S+)$", constraints, re.MULTILINE)
    assert chosen in asked["numpy"]
    assert Version("3.0") not in asked["numpy"]
    (exact,) = asked["segno"]
    assert exact.operator == "=="
