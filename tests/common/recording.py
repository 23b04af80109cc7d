"""Runs a program under the recorder, and reads what it did with the network."""

import json
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

RECORDER = Path(__file__).with_name("recorder.py")
CANNOT_RECORD = 125


def recorded(record: Path, *command: object, **how: Any) -> subprocess.CompletedProcess[str]:
    """Run a program with every connection written to `record`; skip the test where the kernel cannot do that."""
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [sys.executable, RECORDER, record, *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        **how,
    )
    if done.returncode == CANNOT_RECORD:
        pytest.skip(done.stderr)
    return done


def events_in(record: Path) -> list[dict[str, Any]]:
    """Return what was written down, in order."""
    return [json.loads(line) for line in record.read_text().splitlines()]
