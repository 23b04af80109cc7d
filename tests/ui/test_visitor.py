"""A visitor with a phone of their own, from the invitation to the last byte, in a real browser."""

import json
import os
from pathlib import Path
import subprocess

import pytest

from tests.ui.test_frontend import CHROMIUM, PYTHON, ROOT


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
@pytest.mark.timeout(600)
def test_a_visitor_agrees_is_recognised_and_leaves_nothing(tmp_path: Path) -> None:
    """What the demo shows is so: who withdraws is in no byte that Home Assistant has left."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    done = subprocess.run(
        [
            PYTHON,
            "-m",
            "demo",
            "--scenario",
            "forget",
            "--check",
            "--port",
            "0",
            "--screenshots",
            str(pictures),
        ],
        cwd=ROOT,
        env=os.environ | {"FF_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["named"] == "Quintessa"
    assert summary["shown"] == {"photos": 3, "visits": 1}
    assert not summary["link_open"]
    assert summary["afterwards"] is None
    search = summary["search"]
    assert search["found"] == {}
    # It was there to be found, and it was looked for everywhere.
    assert search["files_with_the_name_before"] > 0
    assert search["pieces"] > 100
    assert search["files"] > 100
    for step in ("1-invitation", "3-photos", "5-after-a-visit", "7-receipt"):
        assert (pictures / f"visitor-{step}.png").stat().st_size > 10_000
