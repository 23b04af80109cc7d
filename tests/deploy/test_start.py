"""How the app begins: its token, and what it tells Home Assistant."""

from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer
import json
import os
from pathlib import Path
import signal
import stat
import subprocess
import sys
import threading
from typing import Any

import pytest

from deploy.app import start

ENGINE = """#!/bin/sh
trap 'exit 0' TERM
env > "$0.env"
echo "$@" > "$0.arguments"
echo '{"ready": "http://0.0.0.0:8127", "protocol": 1}'
while :; do sleep 0.05; done
"""


@pytest.fixture
def supervisor(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> Generator[list[Any]]:
    """Return what a Supervisor is told that answers 502 at first."""
    told: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.append((self.path, self.headers["Authorization"], body))
            self.send_response(502 if len(told) == 1 else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr(start, "SUPERVISOR", f"http://127.0.0.1:{server.server_port}")
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


def test_token_is_made_once(tmp_path: Path) -> None:
    """The token stays, is for the engine alone, and half a one of a crash is never used."""
    path = tmp_path / "token"
    (tmp_path / ".token.new").write_text("half")
    token = start.make_token(path)
    assert len(token) >= 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert start.make_token(path) == token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["token"]
    path.write_text("\n")
    assert start.make_token(path) != token, "an empty one is none"


def test_announced_again_until_it_is_heard(supervisor: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A Supervisor that still starts is told again."""
    waited: list[float] = []
    monkeypatch.setattr("deploy.app.start.time.sleep", waited.append)
    start.announce("the Supervisor's", "the token")
    assert waited == [start.FIRST]
    assert supervisor[0] == supervisor[1]
    path, authorization, body = supervisor[1]
    assert (path, authorization) == ("/discovery", "Bearer the Supervisor's")
    assert body["service"] == "familiar_faces"
    assert body["config"].keys() == {"host", "port", "token"}


def test_engine_is_started_told_and_ended(tmp_path: Path) -> None:
    """The engine gets the options and not the Supervisor's token, and ends with the app."""
    engine = tmp_path / "engine"
    engine.write_text(ENGINE)
    engine.chmod(0o755)
    data = tmp_path / "data"
    data.mkdir()
    (data / "options.json").write_text('{"queue": 7, "of an older app": 1}')
    code = (
        "import sys; from pathlib import Path; from deploy.app import start;"
        f"start.DATA = Path({str(data)!r}); start.ENGINE = {str(engine)!r}; start.become = lambda _: None;"
        "start.announce = lambda *told: print('told', *told, flush=True); sys.exit(start.main())"
    )
    app = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "SUPERVISOR_TOKEN": "the Supervisor's"},
        cwd=Path(start.__file__).parents[2],
    )
    assert app.stdout is not None
    assert '"ready"' in app.stdout.readline()
    assert app.stdout.readline().split() == [
        "told",
        "the",
        "Supervisor's",
        (data / "token").read_text().strip(),
    ]
    assert "--queue 7" in (tmp_path / "engine.arguments").read_text()
    assert "SUPERVISOR_TOKEN" not in (tmp_path / "engine.env").read_text()
    app.send_signal(signal.SIGTERM)
    assert app.wait(10) == 0
    app.stdout.close()


def test_options_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An app without its options says so and ends, and makes no token."""
    monkeypatch.setattr(start, "DATA", tmp_path)
    assert start.main() == 1
    assert "options.json" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
