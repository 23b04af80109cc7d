"""Whatever imports onnxruntime keeps it from reporting to its publisher."""

import os
from pathlib import Path
import subprocess

import pytest

from tests.common import pictures
from tests.common.engine_process import engine_command, engine_python, engine_weights

SCRIPTS = Path(__file__).parents[2] / "script"
PEER = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
from evaluation import peer
peer._prepare(Path(sys.argv[3]))
import onnxruntime
"""


@pytest.mark.parametrize("what", ["engine", "bench", "peer"])
def test_nothing_is_noted_for_the_publisher(prepared: None, tmp_path: Path, what: str) -> None:
    """As soon as it is imported it leaves an identifier of the machine in the home, unless it was told not to."""
    home, photo = tmp_path / "home", tmp_path / "photo.jpg"
    home.mkdir()
    photo.write_bytes(pictures.jpeg(pictures.astronaut()))
    commands: dict[str, list[str | Path]] = {
        "engine": [*engine_command("faces", "--weights", str(engine_weights()), str(photo))],
        "bench": [engine_python(), "-B", "-I", str(SCRIPTS / "bench.py"), "--help"],
        "peer": [engine_python(), "-B", "-I", "-c", PEER, SCRIPTS, SCRIPTS.parent, engine_weights()],
    }
    done = subprocess.run(
        # What would keep it quiet has to come from itself.
        commands[what],
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(home.rglob("*")) == []
