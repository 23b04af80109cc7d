"""Home Assistant is restarted, its whole process, while somebody looks at the panel in the real frontend."""

import json
from pathlib import Path

import pytest

from tests.common.in_chromium import demo, needs_chromium

FRONT, BACK = "Eileen, Front door", "Eileen, Back door"


@needs_chromium
@pytest.mark.timeout(600)
def test_the_panel_goes_on(tmp_path: Path) -> None:
    """The same window goes on by itself: nothing that is kept is lost, and nothing is there twice."""
    done = demo(tmp_path, "--scenario", "restart")
    story = json.loads(done.stdout.splitlines()[-1])
    assert story["shown"] == {
        "before": ["Stranger, Front door", BACK, FRONT],
        # The stranger was in memory alone; the answer about the back door was carried out at the stop.
        "restarted": [FRONT],
        "came": [BACK, FRONT],
        # Also when it could not stop in order.
        "killed": [BACK, FRONT],
        "came again": [FRONT, BACK, FRONT],
    }
    assert (story["loaded"], story["errors"]) == (0, [])
