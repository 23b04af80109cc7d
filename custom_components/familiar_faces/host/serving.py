"""One run of the engine on this machine, on a Unix socket."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
import contextlib
from dataclasses import dataclass
import errno
import hashlib
import json
import os
from pathlib import Path
import shutil
import signal
import socket
import tempfile
from typing import Self

import aiohttp

from .child import Child, clean_environment
from .client import EngineClient
from .engine_errors import EngineBroken, EngineBusy, EngineUnavailable

ENGINE = Path(__file__).parent.parent / "engine"
"""Where the engine's code is. It runs from there, with packages from its own environment."""
SOCKET = "engine.sock"
_CRASHES = {
    -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL, -signal.SIGSEGV, -signal.SIGTRAP,
}  # fmt: skip
"""How a program ends whose own code, or that of a library, is damaged or for another processor."""
_NOT_LOADED = 127
"""What a loader ends with that cannot load the interpreter, or a library of it."""
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ENOEXEC, errno.EISDIR, errno.ELOOP, errno.EIO)
"""Why a program that is damaged or gone cannot be run; others, such as no memory, pass."""
START_TIMEOUT = 30.0
"""Seconds that an engine may take to load its models: ten times what a small board needs."""


def make_socket_folder(preferred: Path) -> Path:
    """Return a private folder in which a socket can be made, `preferred` if possible. Blocks.

    A Unix socket's path is at most 107 bytes, and some file systems (network shares, vfat) have no
    sockets at all, so each place is tried by making one.
    """
    candidates = [preferred]
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        name = hashlib.sha256(os.fsencode(preferred)).hexdigest()[:8]
        candidates.append(Path(runtime) / f"familiar-faces-{name}")
    for folder in candidates:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            _try_socket(folder)
        except OSError:
            with contextlib.suppress(OSError):
                folder.rmdir()
        else:
            return folder
    # The folder's name cannot be guessed, and mkdtemp makes it ours alone.
    folder = Path(tempfile.mkdtemp(prefix="familiar-faces-"))
    try:
        _try_socket(folder)
    except OSError:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="familiar-faces-", dir="/tmp"))
        _try_socket(folder)
    return folder


def keep_socket_folder(folder: Path | None, preferred: Path) -> Path:
    """Return the folder that is in use if a socket can still be made in it, otherwise a new one. Blocks."""
    if folder is not None and folder.is_dir():
        with contextlib.suppress(OSError):
            _try_socket(folder)
            return folder
    return make_socket_folder(preferred)


def remove_socket_folder(folder: Path) -> None:
    """Remove what `make_socket_folder` made. Blocks."""
    shutil.rmtree(folder, ignore_errors=True)


def open_session(folder: Path) -> aiohttp.ClientSession:
    """Return a session that reaches the engine whose socket is in `folder`."""
    # A new connection for each request costs nothing on a Unix socket, and is never a dead engine's.
    connector = aiohttp.UnixConnector(str(folder / SOCKET), force_close=True)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


@dataclass(frozen=True, slots=True)
class Report:
    """What an engine said of why it cannot start, as in `engine.last_words.say_why`."""

    failed: str
    what: str


def reported(lines: Iterable[str]) -> Report | None:
    """Return why an engine said that it cannot start; None when it did not."""
    for line in lines:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            said = json.loads(line)
            if said["failed"] in ("import", "weights"):
                return Report(said["failed"], str(said["what"]))
    return None


class Server:
    """An engine that has become ready. Anyone who started it must stop it."""

    def __init__(self, child: Child, socket_path: Path) -> None:
        """Use `start` instead."""
        self.child = child
        self._socket = socket_path

    @classmethod
    async def start(
        cls,
        interpreter: Sequence[str | Path],
        weights: Path,
        folder: Path,
        client: EngineClient,
        *,
        workers: int = 0,
        on_line: Callable[[str], None] | None = None,
        timeout: float = START_TIMEOUT,
    ) -> Self:
        """Start an engine with its socket in `folder` and wait until it answers `client`.

        `interpreter` is how Python is started, with whatever has to stand before it.
        Raises EngineUnavailable, with the engine's own last words, when it does not come up, and
        EngineIncompatible when something else answers.
        """
        socket_path = folder / SOCKET
        await asyncio.to_thread(socket_path.unlink, missing_ok=True)
        command = (*interpreter, "-I", ENGINE / "__main__.py", "serve", "--socket", socket_path)
        options = ("--weights", weights, "--workers", str(workers), "--exit-with-parent")
        try:
            child = await Child.spawn(
                (*command, *options),
                env=clean_environment(network=False),
                cwd=folder,
                hold_stdin=True,
                on_line=on_line,
            )
        except OSError as err:
            said = f"The engine cannot be started: {err.strerror}"
            if err.errno in _NOT_THERE:
                raise EngineBroken(said, "start") from err
            raise EngineUnavailable(said) from err
        server = cls(child, socket_path)
        try:
            await server._wait_ready(client, timeout)
        except BaseException:
            await server.kill()
            raise
        return server

    async def stop(self) -> None:
        """Ask the engine to end, and leave nothing of it behind."""
        try:
            await self.child.stop()
        finally:
            await asyncio.to_thread(self._socket.unlink, missing_ok=True)

    async def kill(self) -> None:
        """End the engine at once, and leave nothing of it behind."""
        try:
            await self.child.kill()
        finally:
            await asyncio.to_thread(self._socket.unlink, missing_ok=True)

    async def _wait_ready(self, client: EngineClient, timeout: float) -> None:
        ended = asyncio.create_task(self.child.wait())
        try:
            async with asyncio.timeout(timeout):
                while not ended.done():
                    with contextlib.suppress(EngineUnavailable, EngineBusy):
                        await client.health(timeout=2)
                        return
                    await asyncio.wait((ended,), timeout=0.05)
        except TimeoutError:
            raise EngineUnavailable(
                f"The engine was not ready within {timeout:g} s{self._last_words()}"
            ) from None
        finally:
            ended.cancel()
            await asyncio.wait((ended,))
        raise self._why_it_ended()

    def _why_it_ended(self) -> EngineUnavailable:
        said = f"The engine {self.child.describe_end()}{self._last_words()}"
        if (report := reported(self.child.tail)) is not None:
            return EngineBroken(said, report.failed, report.what)
        last = self.child.tail[-1] if self.child.tail else ""
        # What is not the engine's own complaint is Python's, which did not come as far as that.
        if self.child.returncode in (*_CRASHES, _NOT_LOADED) or (
            self.child.returncode == 1 and not last.startswith("engine: ")
        ):
            return EngineBroken(said, "start")
        return EngineUnavailable(said)

    def _last_words(self) -> str:
        return f": {self.child.tail[-1]}" if self.child.tail else ""


def _try_socket(folder: Path) -> None:
    """Make a socket in a folder and remove it again; raise OSError when that cannot be done."""
    # As long as the real name, so that the length is tried as well.
    path = folder / SOCKET.replace("engine", "probe-")
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.bind(str(path))
    path.unlink()
