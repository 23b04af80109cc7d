"""Child processes: started clean, read line by line, ended with all their own children."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections import deque
from collections.abc import Callable, Mapping, Sequence
import contextlib
import logging
import os
from pathlib import Path
import signal
from typing import Self

_LOGGER = logging.getLogger(__name__)

NICE = 10
"""How much the children stand back behind Home Assistant."""
MAX_LINE = 400
"""Characters of a line that are kept."""
TAIL = 20
"""How many of the last lines are kept."""
STOP_GRACE = 5.0
"""Seconds between asking a child to end and ending it."""

_KEPT = frozenset({
    "HOME", "LANG", "LANGUAGE", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER", "XDG_CACHE_HOME",
})  # fmt: skip
_KEPT_FOR_NETWORK = frozenset({
    "ALL_PROXY", "CURL_CA_BUNDLE", "HTTPS_PROXY", "HTTP_PROXY", "NETRC", "NO_PROXY", "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR", "SSL_CERT_FILE", "XDG_CONFIG_HOME",
})  # fmt: skip
# What would make uv install into another place, for another interpreter, or something else than is locked.
_UV_STEERING = (
    "UV_BREAK_SYSTEM_PACKAGES", "UV_BUILD_CONSTRAINT", "UV_CONSTRAINT", "UV_EXCLUDE", "UV_MANAGED_PYTHON",
    "UV_NO_BINARY", "UV_NO_BUILD", "UV_NO_MANAGED_PYTHON", "UV_NO_VERIFY_HASHES", "UV_OVERRIDE", "UV_PREFIX",
    "UV_PRERELEASE", "UV_PROJECT", "UV_PYTHON", "UV_REQUIRE_HASHES", "UV_RESOLUTION", "UV_SYSTEM_PYTHON",
    "UV_TARGET", "UV_VENV",
)  # fmt: skip


def clean_environment(*, network: bool) -> dict[str, str]:
    """Return the environment variables that a child may have.

    Nothing that changes what Python runs, no secret of Home Assistant's; with `network` also the
    variables for proxies, certificates and package indexes.
    """

    def keep(name: str) -> bool:
        if name in _KEPT or name.startswith("LC_"):
            return True
        if not network:
            return False
        if name.startswith("UV_"):
            return not name.startswith(_UV_STEERING)
        return name.upper() in _KEPT_FOR_NETWORK or name.startswith("PIP_")

    return {name: value for name, value in os.environ.items() if keep(name)}


class Child:
    """A running child, in a process group of its own. Anyone who spawned it must end or await it."""

    def __init__(self, process: asyncio.subprocess.Process, on_line: Callable[[str], None] | None) -> None:
        """Use `spawn` instead."""
        self.tail: deque[str] = deque(maxlen=TAIL)
        """The last lines it said."""
        self._process = process
        self._on_line = on_line
        self._reader = asyncio.create_task(self._read(), name=f"familiar_faces output of {process.pid}")

    @classmethod
    async def spawn(
        cls,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path,
        hold_stdin: bool = False,
        on_line: Callable[[str], None] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> Self:
        """Start a command, at low priority; raise OSError when it cannot be.

        With `hold_stdin` its standard input is a pipe that ends when we do, however we end. The
        descriptors in `pass_fds` stay open in it.
        """
        process = await asyncio.create_subprocess_exec(
            *command,
            env=env,
            cwd=cwd,
            stdin=PIPE if hold_stdin else DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            start_new_session=True,
            pass_fds=pass_fds,
        )
        # Threads inherit it, and so early it has only one; denied in some sandboxes, where we go without.
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
        return cls(process, on_line)

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Return how it ended, as `subprocess` has it; None while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Return how it ended, once it has, with all it said read."""
        code = await self._process.wait()
        # What it left behind may hold the pipe open.
        await asyncio.wait((self._reader,), timeout=1)
        await self._end_reader()
        return code

    async def kill(self) -> None:
        """End it and its children at once."""
        self._signal(signal.SIGKILL)
        await self.wait()

    async def stop(self) -> None:
        """Ask it to end, and end it when it does not within `STOP_GRACE`. Safe to be cancelled."""
        try:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_GRACE):
                    await self._process.wait()
        finally:
            self._signal(signal.SIGKILL)
        await self.wait()

    def describe_end(self) -> str:
        """Return how it ended, in words."""
        code = self.returncode
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return f"ended by {signal.Signals(-code).name}"
        return f"ended with code {code}"

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    async def _end_reader(self) -> None:
        self._reader.cancel()
        await asyncio.wait((self._reader,))

    async def _read(self) -> None:
        """Hand on what the child says, line by line, however long the lines are."""
        assert self._process.stdout is not None
        line = bytearray()
        while data := await self._process.stdout.read(4096):
            *ended, rest = data.split(b"\n")
            for part in ended:
                self._said(bytes(line + part[: MAX_LINE * 4]))
                line.clear()
            line += rest[: max(0, MAX_LINE * 4 - len(line))]
        self._said(bytes(line))

    def _said(self, data: bytes) -> None:
        text = data.decode("utf-8", "replace")[:MAX_LINE]
        # Never control characters, nor whatever a library might dump of a picture.
        line = "".join(char if char.isprintable() else " " for char in text).strip()
        if not line:
            return
        self.tail.append(line)
        if self._on_line is not None:
            self._on_line(line)


async def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    timeout: float,
    on_line: Callable[[str], None] | None = None,
    pass_fds: Sequence[int] = (),
) -> tuple[int, list[str]]:
    """Run a command to its end and return its code and last lines.

    It is killed with its children when the caller is cancelled and after `timeout` seconds, which
    raises TimeoutError. Raises OSError when it cannot be started.
    """
    child = await Child.spawn(command, env=env, cwd=cwd, on_line=on_line, pass_fds=pass_fds)
    try:
        async with asyncio.timeout(timeout):
            code = await child.wait()
    except BaseException:
        await child.kill()
        raise
    return code, list(child.tail)
