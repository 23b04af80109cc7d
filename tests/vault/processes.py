"""Starts `child.py`, the other process of the tests that need one."""

from pathlib import Path
import subprocess
import sys

import custom_components.familiar_faces.vault as room

_CHILD = Path(__file__).with_name("child.py")
_ROOT = Path(room.__file__).parents[3]


def command(task: str, *arguments: object) -> list[str]:
    """Return the command line that does a task of `child.py`."""
    return [sys.executable, str(_CHILD), str(_ROOT), task, *map(str, arguments)]


def start(task: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a task of `child.py` with pipes to talk through."""
    return subprocess.Popen(
        command(task, *arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
