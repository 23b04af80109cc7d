"""The real frontend of a real Home Assistant, in a real browser."""

import json
from pathlib import Path

import pytest

from tests.common.in_chromium import demo, needs_chromium


@needs_chromium
@pytest.mark.timeout(600)
def test_a_household_is_set_up_in_the_frontend(tmp_path: Path) -> None:
    """Who adds the integration, a camera and a person with clicks is told who rings."""
    pictures = tmp_path / "pictures"
    done = demo(tmp_path, "--in-browser", str(pictures))
    told = done.stdout + done.stderr
    assert "the still of the camera shows 1 face" in told
    assert told.count("This photo is good") == 3
    assert "Eileen has a page." in told
    assert "Strict was chosen." in told
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["familiar"]["person"] == "Eileen"
    assert summary["stranger"]["decision"] == "stranger"
    # Each page was seen, and nothing of the household stays behind.
    for step in (
        "add-1-what-it-is",
        "camera-3-still",
        "person-2-consent",
        "device-person-new",
        "options-1-strictness",
    ):
        assert (pictures / f"{step}.desktop-light.png").stat().st_size > 10_000
    assert list((tmp_path / "homes").iterdir()) == []
