"""The real automation editor in a real browser: what is made there with clicks runs when somebody comes."""

import json
from pathlib import Path

import pytest

from tests.common.in_chromium import demo, needs_chromium


@needs_chromium
@pytest.mark.timeout(600)
def test_automations_are_made_in_the_editor(tmp_path: Path) -> None:
    """A trigger with options and a target, a condition, an action, and a blueprint: found, filled in, saved, run."""
    done = demo(tmp_path, "--scenario", "automations")
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["ran"] == ["Welcome home", "Scene for who comes home"]
    # The template in the action knew who it was.
    assert summary["said"] == ["Welcome, Eileen!"]
    assert summary["right"]
    assert list((tmp_path / "homes").iterdir()) == []
