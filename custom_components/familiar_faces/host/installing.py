"""Has Home Assistant's uv make an environment and install the locked packages, and says what went wrong."""

from collections.abc import Callable, Iterator, Mapping, Sequence
import errno
import os
from pathlib import Path
import re
from urllib.parse import urlsplit

from .child import clean_environment, run
from .engine_errors import EnvironmentFailed
from .machine import Machine
from .manifest import unlike_their_records
from .serving import reported

SHORT, LONG = 180.0, 3600.0
"""Seconds after which a small step, and one that downloads, are given up."""
# These wheels have Home Assistant's own hashes, and hide those of PyPI that we locked.
FOREIGN_INDEX = "wheels.home-assistant.io"

# How uv and the engine word a network that is not there, a disk that is full, and one that may not be written.
_OFFLINE = (
    "error sending request", "dns error", "failed to lookup address", "connection refused", "network is unreachable",
    "no route to host", "timed out", "could not connect", "urlopen error", "network connectivity is disabled",
    "network was disabled", "tunnel error", "connection reset",
)  # fmt: skip
_NOT_FETCHED = ("failed to fetch", "failed to download", "could not be downloaded")
_NO_SPACE = ("no space left on device", "os error 28)", "disk quota exceeded", "os error 122)")
_NO_PERMISSION = (
    "permission denied", "os error 13)", "read-only file system", "os error 30)", "operation not permitted",
    "os error 1)",
)  # fmt: skip
_NO_WHEEL = (
    "no wheels with a matching",
    "doesn't have a source distribution or wheel for the current platform",
)
_DISK = ("input/output error", "os error 5)", "structure needs cleaning", "os error 117)")
_NO_PYTHON = ("no interpreter found",)
MEANINGS = (
    ("no_space", _NO_SPACE),
    ("disk_failing", _DISK),
    ("unsupported_platform", _NO_WHEEL),
    # Before what follows: a firewall refuses a connection with "permission denied".
    ("offline", _OFFLINE),
    ("no_permission", _NO_PERMISSION),
    ("no_python", _NO_PYTHON),
    ("offline", _NOT_FETCHED),
)
"""What words in the last lines of a step mean, the surest first."""
_REFUSED = re.compile(r"hash mismatch for [`'\"]?([^\s`'\"]+)", re.IGNORECASE)


class Installer:
    """Runs the steps of a build, one after the other, while a lock is held."""

    leftovers: tuple[str, ...] = ()
    """The folders in its `cwd` that it keeps for the next try; not needed once an environment works."""

    def __init__(self, uv: Sequence[str], base: Path, cwd: Path) -> None:
        """Use the command `uv` and the interpreter `base`; run in `cwd`."""
        self._uv = tuple(uv)
        self._base = base
        self._cwd = cwd

    def ingredients(self, machine: Machine) -> Iterator[str]:
        """Yield what an environment is made of besides its requirements. Blocks."""
        yield from (machine.abi, machine.processor, machine.libc, os.fspath(self._base))

    def python(self, folder: Path) -> Path:
        """Return the interpreter in an environment."""
        return folder / "bin" / "python"

    def interpreter(self, folder: Path) -> tuple[str | Path, ...]:
        """Return how that is started."""
        return (self.python(folder),)

    def settings(self, folder: Path) -> dict[str, str]:
        """Return the variables that the interpreter needs to reach the internet."""
        return {}

    def packages(self, folder: Path) -> Iterator[Path]:
        """Yield the folders with the installed packages."""
        yield from folder.glob("lib/python*/site-packages")

    def unlike(self, folder: Path) -> list[str]:
        """Return the files that are not as they should be in an environment that was just made. Blocks."""
        return [name for packages in self.packages(folder) for name in unlike_their_records(folder, packages)]

    async def create(self, lock: int, folder: Path, report: Callable[[float], None]) -> None:
        """Make an empty environment; raise EnvironmentFailed. `report` is called with 0 to 1."""
        await self._try_tools(lock)
        # Without these uv would heed the nearest project, and fetch another Python.
        command: list[str | Path] = [*self._uv, "venv", "--no-project", "--no-python-downloads"]
        command += ["--python", self._base, folder]
        code, tail = await self.run(lock, command, SHORT)
        if code:
            raise failure("install_failed", "The environment could not be created", tail)

    async def _try_tools(self, lock: int) -> None:
        """See that the interpreter and uv are there; raise EnvironmentFailed."""
        if not os.access(self._base, os.X_OK):
            raise EnvironmentFailed("no_python", f"{self._base} cannot be run", str(self._base))
        try:
            code, _ = await self.run(lock, (*self._uv, "--version"), SHORT)
        except EnvironmentFailed as err:
            raise EnvironmentFailed("no_uv", err.detail) from err
        if code:
            raise EnvironmentFailed("no_uv", f"{' '.join(self._uv)} does not run")

    async def install(
        self,
        lock: int,
        folder: Path,
        requirements: Sequence[Path],
        past_cache: Path | None,
        nudge: Callable[[str], None],
    ) -> None:
        """Install the locked packages: those, all of them, and nothing that needs a compiler.

        With `past_cache`, an empty folder, nothing is read from uv's cache: what is unpacked there is not compared
        with its hash again, also not with `--refresh`. Raises EnvironmentFailed.
        """
        command: list[str | Path] = [*self._uv, "pip", "install", *self._target(folder)]
        # Linked, a file that is damaged here is damaged in the cache, and in whatever is made from that.
        command += ["--require-hashes", "--no-deps", "--no-build", "--link-mode", "copy"]
        if past_cache is not None:
            command += ["--cache-dir", past_cache]
        for path in requirements:
            command += ["--requirement", path]
        code, tail = await self.run(lock, command, LONG, nudge)
        if code:
            raise failure("install_failed", "The engine's packages could not be installed", tail)

    def _target(self, folder: Path) -> tuple[str | Path, ...]:
        """Return uv's words for where to install, and for what."""
        return ("--python", self.python(folder))

    async def run(
        self,
        lock: int,
        command: Sequence[str | Path],
        timeout: float,
        on_line: Callable[[str], None] | None = None,
        *,
        settings: Mapping[str, str] | None = None,
    ) -> tuple[int, list[str]]:
        """Run a command to its end, and return its code and last lines; raise EnvironmentFailed.

        `settings`: variables that it has besides, where they are not given to Home Assistant itself.
        """
        try:
            # The child holds the lock as well: should we be killed, nobody else begins before it has ended.
            return await run(
                command,
                env={**(settings or {}), **variables()},
                cwd=self._cwd,
                timeout=timeout,
                on_line=on_line,
                pass_fds=(lock,),
            )
        except TimeoutError:
            reason_key = "offline" if timeout == LONG else "install_failed"
            raise EnvironmentFailed(reason_key, f"{command[0]} was given up after {timeout:g} s") from None
        except OSError as err:
            raise EnvironmentFailed("install_failed", f"{command[0]}: {err.strerror}") from err


def variables() -> dict[str, str]:
    """Return the variables for uv, without an index that has other files under the same names."""
    kept = clean_environment(network=True)
    for name in ("UV_EXTRA_INDEX_URL", "UV_INDEX"):
        if name in kept:
            urls = [url for url in kept[name].split() if urlsplit(url).hostname != FOREIGN_INDEX]
            kept[name] = " ".join(urls)
    return {name: value for name, value in kept.items() if value}


def failure(reason_key: str, what: str, tail: Sequence[str]) -> EnvironmentFailed:
    """Return what a step's failure means, going by its last lines; `reason_key` where they do not tell."""
    detail = "\n".join((f"{what}:", *tail)) if tail else what
    said = detail.lower()
    # First what is surely so: uv introduces a hash that was refused as a download that failed.
    if (refused := _REFUSED.search(detail)) is not None:
        return EnvironmentFailed("hash_refused", detail, refused[1])
    if (report := reported(tail)) is not None and report.failed == "import" and report.what:
        return EnvironmentFailed("import_failed", detail, report.what)
    for key, texts in MEANINGS:
        if any(text in said for text in texts):
            return EnvironmentFailed(key, detail, _path_in(tail))
    return EnvironmentFailed(reason_key, detail)


def disk_failure(err: OSError, folder: Path) -> EnvironmentFailed:
    """Return what an error of the file system means for an environment in a folder."""
    if err.errno in (errno.ENOSPC, errno.EDQUOT):
        return EnvironmentFailed("no_space", "The disk is full")
    path = str(err.filename or folder)
    if err.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return EnvironmentFailed("no_permission", f"{path}: {err.strerror}", path)
    if err.errno == errno.EIO:
        return EnvironmentFailed("disk_failing", f"{path}: {err.strerror}")
    return EnvironmentFailed("install_failed", f"{path}: {err.strerror}")


def _path_in(tail: Sequence[str]) -> str:
    """Return the last path that a few lines name, empty for none."""
    found = re.findall(r"[`'\"](/[^`'\"]*)[`'\"]", "\n".join(tail))
    return str(found[-1]) if found else ""
