"""What the measures share: an engine of our own, the frames, and how much is measured."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
import http.client
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
import json
from pathlib import Path
import socket
import subprocess
import sys
import tempfile
import time
from types import ModuleType
from typing import Any

from . import frames
from .figures import Figures

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT / "custom_components" / "familiar_faces" / "engine"
WARM_UP = 3

type Timed = Callable[[], float]
"""Does something and returns the seconds that it took."""


class Engine:
    """An engine of our own, on a Unix socket or with a token on a TCP port."""

    def __init__(
        self, process: subprocess.Popen[bytes], path: Path, ready_seconds: float, url: str, token: str | None
    ) -> None:
        """Use `Bench.engine`."""
        self.process = process
        self.ready_seconds = ready_seconds
        self.path = path
        self.url = url
        """`http://127.0.0.1:port` with a token, otherwise not to be used."""
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def post(self, image: bytes) -> dict[str, Any]:
        """Return the engine's answer, over a new connection as Home Assistant makes one."""
        return dict(json.loads(self._ask("POST", "/v1/faces", image)))

    def get(self, path: str) -> bytes:
        """Return what it answers at a path."""
        return self._ask("GET", path, None)

    def _ask(self, method: str, path: str, body: bytes | None) -> bytes:
        if self._headers:
            connection = http.client.HTTPConnection(self.url.removeprefix("http://"))
        else:
            connection = http.client.HTTPConnection("engine")
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(str(self.path))
        connection.request(method, path, body, self._headers)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        if response.status != 200:
            raise SystemExit(f"bench: the engine answered {response.status}: {answer[:300]!r}")
        return answer

    def peak_mb(self) -> float:
        """Return the most memory that was resident."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


class Bench:
    """What the measures share."""

    def __init__(self, weights: Path, portrait: Path, group: Path, home_python: Path, *, quick: bool) -> None:
        """Measure with these weights and pictures; `quick`: just enough to see that it works."""
        self.weights = weights
        self.home_python = home_python
        self.quick = quick
        self._pictures = (portrait, group)

    def rounds(self, full: int) -> int:
        """Return how many rounds to take where a full measure takes so many."""
        return 1 if self.quick else full

    @cached_property
    def package(self) -> ModuleType:
        """Return the engine's package, loaded as its own start does."""
        name = "engine"
        spec = spec_from_file_location(name, ENGINE / "__init__.py", submodule_search_locations=[str(ENGINE)])
        assert spec is not None
        assert spec.loader is not None
        package = sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(package)
        return package

    def module(self, name: str) -> Any:
        """Return a module of the engine."""
        return import_module(f"{self.package.__name__}.{name}")

    def beside(self, *sides: Timed, rounds: int) -> list[list[float]]:
        """Return the seconds of each in so many rounds, next to each other and each first in turn."""
        seconds: list[list[float]] = [[] for _ in sides]
        warm_up = self.rounds(WARM_UP)
        for round_ in range(warm_up + self.rounds(rounds)):
            for place in range(len(sides)):
                number = (round_ + place) % len(sides)
                took = sides[number]()
                if round_ >= warm_up:
                    seconds[number].append(took)
        return seconds

    @cached_property
    def models(self) -> Any:
        """Return both models as the engine loads them: its files, its threads, its libraries."""
        return self.module("models").load(self.weights)

    def detector_file(self) -> Path:
        """Return the detector's checked file."""
        weights = self.module("weights")
        variant = weights.Variant.INT8BQ
        found: Path = weights.prepare(self.weights, variant)[weights.PINNED[variant].detector.loaded_as]
        return found

    @cached_property
    def heads(self) -> list[frames.Head]:
        """Return the heads of four people."""
        return frames.heads(*self._pictures, self.models.detector)

    @cached_property
    def timed_frames(self) -> list[frames.Frame]:
        """Return a frame of each kind."""
        return frames.timed_frames(self.heads)

    @contextmanager
    def engine(
        self,
        *arguments: str,
        token: str | None = None,
        port: int = 0,
        interpreter: Sequence[str] = (sys.executable,),
    ) -> Iterator[Engine]:
        """Start an engine and end it afterwards: on a Unix socket, or with a token on a TCP port."""
        with tempfile.TemporaryDirectory(prefix="ff-") as folder:
            path = Path(folder) / "engine.sock"
            where = ["--socket", str(path)]
            if token is not None:
                (Path(folder) / "token").write_text(token)
                where = ["--port", str(port), "--token-file", f"{folder}/token"]
            command = [*interpreter, "-I", ENGINE / "__main__.py", "serve", *where, *arguments]
            begun = time.perf_counter()
            process = subprocess.Popen(
                [*map(str, command), "--weights", str(self.weights), "--exit-with-parent"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            try:
                if not process.stdout or not (said := process.stdout.readline()):
                    raise SystemExit("bench: the engine did not start")
                ready = time.perf_counter() - begun
                yield Engine(process, path, ready, json.loads(said)["ready"], token)
            finally:
                process.terminate()
                process.wait()

    def home(self, measure: str) -> Figures:
        """Return what a measure gives that runs in Home Assistant's environment."""
        if not self.home_python.exists():
            raise SystemExit("bench: the development environment is missing: run script/setup dev")
        command = [self.home_python, "-B", ROOT / "script" / "benchmarks" / "home.py", measure]
        command += [sys.executable, self.weights, "quick" if self.quick else "full"]
        done = subprocess.run([*map(str, command)], capture_output=True, check=False)
        said = done.stderr.decode(errors="replace")
        if done.returncode:
            raise SystemExit(f"bench: {measure}: {said[-2000:]}")
        for line in said.splitlines():
            # The rest is what Home Assistant misses on this machine.
            if line.startswith("bench: "):
                sys.stderr.write(f"{line}\n")
        return dict(json.loads(done.stdout.splitlines()[-1]))
