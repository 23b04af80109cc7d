"""A visitor with a phone of their own, from the invitation to the last byte, in a real browser."""

import json
from pathlib import Path

import pytest

from tests.common.in_chromium import demo, needs_chromium


@needs_chromium
@pytest.mark.timeout(600)
def test_a_visitor_agrees_is_recognised_and_leaves_nothing(tmp_path: Path) -> None:
    """What the demo shows is so: who withdraws is in no byte that Home Assistant has left."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    done = demo(tmp_path, "--scenario", "forget", "--screenshots", str(pictures))
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
