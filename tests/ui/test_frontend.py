"""The real frontend of a real Home Assistant, in a real browser."""

import json
import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Home Assistant adds packages to the environment it runs in: not to that of the tests.
PYTHON = os.environ.get("FAMILIAR_FACES_DEMO_PYTHON", sys.executable)
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
@pytest.mark.timeout(600)
def test_a_household_is_set_up_in_the_frontend(tmp_path: Path) -> None:
    """Who adds the integration, a camera and a person with clicks is told who rings."""
    pictures = tmp_path / "pictures"
    done = subprocess.run(
        [PYTHON, "-m", "demo", "--check", "--port", "0", "--in-browser", str(pictures)],
        cwd=ROOT,
        env=os.environ | {"FF_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    told = done.stdout + done.stderr
    assert done.returncode == 0, told

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
