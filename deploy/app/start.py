"""Starts the engine as an app (add-on) of Home Assistant, and announces it there, token included.

It runs in the image alone, with nothing but Python. It begins as root, which the options and the token belong to, and
is another user before anything of the engine is loaded.
"""

from collections.abc import Mapping
import http.client
import json
import os
from pathlib import Path
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from types import FrameType
from typing import Any
import urllib.request

DATA = Path("/data")
ENGINE = "/opt/engine/bin/familiar-faces-engine"
USER = 8127
PORT = 8127
SERVICE = "familiar_faces"
SUPERVISOR = "http://supervisor"
OPTIONS = {"queue": "--queue", "workers": "--workers"}
"""The options of the app, and those of `serve` that they become."""
FIRST, LONGEST = 2.0, 300.0
"""Seconds until the announcement is tried again, at first and at last."""


def main() -> int:
    """Run the engine until it ends, and return its exit code."""
    supervisor_token = os.environ.pop("SUPERVISOR_TOKEN", "")
    try:
        arguments = arguments_of(json.loads((DATA / "options.json").read_text("utf-8")))
        token = make_token(DATA / "token")
    except (OSError, ValueError) as err:
        say(f"the options or the token cannot be used: {err}")
        return 1
    become(USER)
    command = [ENGINE, "serve", "--host", "0.0.0.0", "--port", str(PORT), "--token-file", str(DATA / "token")]
    engine = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True)

    def end(number: int, _: FrameType | None) -> None:
        engine.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    assert engine.stdout is not None
    for line in engine.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        if '"ready"' in line and supervisor_token:
            threading.Thread(target=announce, args=(supervisor_token, token), daemon=True).start()
    code = engine.wait()
    # Ended by a signal: as a shell says it.
    return code if code >= 0 else 128 - code


def arguments_of(options: Mapping[str, Any]) -> list[str]:
    """Return what the engine is told of the app's options; the Supervisor has checked their values."""
    return [word for name, flag in OPTIONS.items() if name in options for word in (flag, str(options[name]))]


def make_token(path: Path) -> str:
    """Return the app's token, made once and kept: whole or not at all, and readable for the engine alone."""
    try:
        token = path.read_text("ascii").strip()
    except FileNotFoundError:
        token = ""
    if token:
        # What a backup brought back may be another user's.
        give(path)
        return token
    token = secrets.token_urlsafe(32)
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{token}\n")
        file.flush()
        os.fsync(handle)
    give(new)
    new.replace(path)
    return token


def give(path: Path) -> None:
    """Have the engine, and nobody else, read a file."""
    path.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(path, USER, USER)


def become(user: int) -> None:
    """Be nobody but this user from now on, for good."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


def announce(supervisor_token: str, token: str) -> None:
    """Tell Home Assistant where the engine is; the Supervisor keeps it until Home Assistant runs."""
    said = {"service": SERVICE, "config": {"host": socket.gethostname(), "port": PORT, "token": token}}
    request = urllib.request.Request(
        f"{SUPERVISOR}/discovery",
        json.dumps(said).encode(),
        {"Authorization": f"Bearer {supervisor_token}", "Content-Type": "application/json"},
    )
    wait = FIRST
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10):
                say("announced to Home Assistant")
                return
        except (OSError, http.client.HTTPException) as err:
            # Of an HTTP error as well: a Supervisor that starts answers 502, and one that refuses may be updated.
            say(f"not announced yet: {err}")
        time.sleep(wait)
        wait = min(2 * wait, LONGEST)


def say(what: str) -> None:
    """Write a line into the app's log."""
    sys.stderr.write(f"app: {what}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
