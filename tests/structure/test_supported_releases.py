"""Which releases of Home Assistant are supported is said the same everywhere, and each is locked."""

import json
from pathlib import Path
import re
import subprocess

import home_assistant
import pytest

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements"
RELEASES = sorted(
    (each.parent.name for each in REQUIREMENTS.glob("*/demo.in")),
    key=lambda release: [int(part) for part in release.split(".")],
)
OLDEST, NEWEST = RELEASES[0], RELEASES[-1]


def pinned(path: Path) -> dict[str, str]:
    """Return the versions that a file names, by packages."""
    return {
        name.lower(): version
        for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", path.read_text(), re.MULTILINE)
    }


def test_two_releases_are_supported() -> None:
    """What a new release breaks is found before its users find it, and nobody has to update the day it is out."""
    assert len(RELEASES) >= 2


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("part", ["demo", "dev"])
def test_each_is_locked(release: str, part: str) -> None:
    """What the release asks for is what is locked, and all of it by its hash."""
    asked, locked = (pinned(REQUIREMENTS / release / f"{part}.{kind}") for kind in ("in", "txt"))
    assert home_assistant.release(asked["homeassistant"]) == release
    assert asked.items() <= locked.items()
    text = (REQUIREMENTS / release / f"{part}.txt").read_text()
    assert len(re.findall(r"^\S+==.*\\\n    --hash=sha256:", text, re.MULTILINE)) == len(locked)


def test_the_oldest_is_said_everywhere() -> None:
    """HACS, the packages and anyone who reads about it are told the same."""
    assert json.loads((ROOT / "hacs.json").read_text())["homeassistant"] == f"{OLDEST}.0"
    assert f'"homeassistant>={OLDEST}.0"' in (ROOT / "pyproject.toml").read_text()
    for name in ("README.md", "CHANGELOG.md"):
        text = (ROOT / name).read_text()
        assert f"Home Assistant {OLDEST} or newer" in text, name
        assert (
            f"tested with {OLDEST} and {NEWEST}" in text or f"({OLDEST} and {NEWEST} are tested)" in text
        ), name


def test_the_newest_is_tried_before_a_change_lands() -> None:
    """The types, a part of the tests and both demos."""
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    for what in ("lint", "test"):
        assert f"script/{what}" in lines
        assert f"script/{what} --home-assistant newest" in lines
    assert "script/demo --home-assistant newest --check" in lines
    assert "script/demo --home-assistant newest --scenario=forget --check" in lines


@pytest.mark.parametrize(
    ("asked", "found"), [("oldest", OLDEST), ("newest", NEWEST), (f"{NEWEST}.3", NEWEST), (OLDEST, OLDEST)]
)
def test_scripts_find_a_release(asked: str, found: str) -> None:
    """By its name, by a version of it, or by its age."""
    assert say(f"find_release {asked}") == f"{found}\n"


def test_each_release_has_environments_of_its_own() -> None:
    """Another checkout that uses one of them is not disturbed."""
    folders = [
        say(f"environment_of {part} {each}") for part in ("dev", "demo", "cameras") for each in RELEASES
    ]
    assert len(set(folders)) == len(folders)


def test_a_release_that_is_not_supported_is_refused() -> None:
    """The scripts say which ones there are."""
    done = subprocess.run(
        ["bash", "-c", ". script/common.sh; find_release 2024.1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert f"oldest, newest, {' '.join(RELEASES)}" in done.stderr


def say(command: str) -> str:
    """Return what a function of the scripts prints."""
    done = subprocess.run(
        ["bash", "-c", f". script/common.sh; {command}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_what_a_release_needs_is_read_from_its_manifests(tmp_path: Path) -> None:
    """Of the integrations that are set up, and of all that they depend on, once."""
    components = tmp_path / "homeassistant" / "components"
    for domain, requirements, dependencies in (
        ("assist_pipeline", ["b==1"], ["http"]),
        ("mobile_app", ["a==1"], ["http", "assist_pipeline"]),
        ("http", ["c==1"], ["mobile_app"]),
        ("frontend", ["frontend==1"], []),
        ("stream", [], []),
        ("other", ["other==1"], []),
    ):
        (components / domain).mkdir(parents=True)
        manifest = {"requirements": requirements, "dependencies": dependencies}
        (components / domain / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "requirements").mkdir()
    folder = home_assistant.write("2030.1.0b2", tmp_path, tmp_path)
    assert folder == tmp_path / "requirements" / "2030.1"
    assert pinned(folder / "demo.in") == {"homeassistant": "2030.1.0b2", "a": "1", "b": "1", "c": "1"}
    assert pinned(folder / "dev.in") == {**pinned(folder / "demo.in"), "frontend": "1"}
