"""Runs the demo, which shows a real Home Assistant to a real browser."""

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

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="there is no Chromium on this machine"
)
"""Skips a test where there is no Chromium. In CI it is not skipped, and so fails there."""


def demo(cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the demo once with its folders in `cache`, and return what it said when all went well."""
    done = subprocess.run(
        [PYTHON, "-m", "demo", "--check", "--port", "0", *arguments],
        cwd=ROOT,
        env=os.environ | {"FF_CACHE": str(cache)},
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done
