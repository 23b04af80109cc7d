"""An engine that is left alone for a while, in a home of its own, with every connection recorded.

Libraries that report to their publisher do so later than the demo takes: onnxruntime about eight seconds after
it has loaded a model.
"""

import os
from pathlib import Path
import sys

from tests.common.engine_process import engine_command, engine_weights
from tests.common.recording import events_in, recorded

SECONDS = 15
"""Twice as long as the first report took, after the start."""

# It ends with its standard input.
HOLDS_STDIN = """\
import subprocess, sys, time
engine = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(engine.stdout.readline().decode(), end="", flush=True)
time.sleep(float(sys.argv[1]))
engine.stdin.close()
sys.exit(engine.wait(20))
"""


def test_it_reports_to_nobody(tmp_path: Path) -> None:
    """It connects to nothing, looks no name up, and leaves nothing outside the folders that it was given."""
    record, home = tmp_path / "record", tmp_path / "home"
    home.mkdir()
    engine = engine_command("serve", "--weights", str(engine_weights()), "--exit-with-parent", "--socket")
    done = recorded(
        record,
        # A Unix socket's path is short.
        *(sys.executable, "-c", HOLDS_STDIN, SECONDS, *engine, "s"),
        cwd=tmp_path,
        # What would keep it quiet has to come from itself.
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ready" in done.stdout
    events = events_in(record)
    assert [event for event in events if event["what"] in ("connect", "send", "lost")] == []
    assert "unix:s" in {event["to"] for event in events if event["what"] == "bind"}
    assert list(home.rglob("*")) == []
