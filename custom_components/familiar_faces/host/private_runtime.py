"""An environment for machines without the GNU C library: it brings its own, and a Python that is linked with it.

Home Assistant OS and Container are built on musl, for which OpenCV and onnxruntime have no packages. The same
packages as elsewhere run there with Debian's C library beside them, started through that library's own loader,
which needs nothing of the system but the kernel and /proc.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
import hashlib
import logging
import os
from pathlib import Path
from typing import override

import aiohttp

from ..engine.digests import sha256_of_file
from .engine_errors import EnvironmentFailed
from .fetching import fetch
from .installing import LONG, Installer
from .machine import Machine
from .pins import PINS, Pin, pins_for
from .threads import to_the_end
from .unpacking import BadPackage, unpack

_LOGGER = logging.getLogger(__name__)

MIRROR = "FAMILIAR_FACES_DEBIAN_MIRROR"
"""The variable with the address of a mirror of Debian's, with debian/ and debian-security/ below it."""
FETCHED = "debian"
"""The folder for packages that were fetched, until an environment made of them works."""
PYTHON_VERSION = "3.13"
"""What Debian's packages hold."""
LAYOUT = "1"
"""Change it when the same packages are laid out in another way."""
_UNPACK_SHARE = 0.1
"""How much of the time unpacking takes."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a processor is called: by uv, in Debian's folders, and by its loader."""

    platform: str
    libraries: str
    loader: str


_KINDS = {
    "x86_64": _Kind("x86_64-manylinux_2_28", "x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
    "aarch64": _Kind("aarch64-manylinux_2_28", "aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
}


class PrivateRuntime(Installer):
    """Unpacks Debian's Python and C library, and installs the locked packages for those."""

    leftovers = (FETCHED,)

    def __init__(
        self, uv: Sequence[str], base: Path, cwd: Path, processor: str, *, pins: Path = PINS
    ) -> None:
        """Use the command `uv`, which `base` is shown to; keep what is fetched in `cwd`.

        `processor` is one of `machine.SUPPORTED`.
        """
        super().__init__(uv, base, cwd)
        self._processor = processor
        self._kind = _KINDS[processor]
        self._pins = pins
        self._unpacked: dict[str, str] = {}

    @override
    def ingredients(self, machine: Machine) -> Iterator[str]:
        # Not Home Assistant's Python, which may change as it likes.
        yield from (LAYOUT, machine.processor)
        yield from (pin.sha256 for pin in pins_for(self._processor, self._pins))

    @override
    def python(self, folder: Path) -> Path:
        return folder / "usr" / "bin" / f"python{PYTHON_VERSION}"

    @override
    def interpreter(self, folder: Path) -> tuple[str | Path, ...]:
        libraries = folder / "usr" / "lib" / self._kind.libraries
        return (libraries / self._kind.loader, "--library-path", libraries, self.python(folder))

    @override
    def settings(self, folder: Path) -> dict[str, str]:
        # Its OpenSSL looks for certificates where Debian has them.
        (packages,) = self.packages(folder)
        return {"SSL_CERT_FILE": os.fspath(packages / "certifi" / "cacert.pem")}

    @override
    def packages(self, folder: Path) -> Iterator[Path]:
        yield folder / "usr" / "lib" / "python3" / "dist-packages"

    @override
    def unlike(self, folder: Path) -> list[str]:
        wrong = [name for name, sha256 in self._unpacked.items() if not _is(folder / name, sha256)]
        return wrong + super().unlike(folder)

    @override
    async def create(self, lock: int, folder: Path, report: Callable[[float], None]) -> None:
        await self._try_tools(lock)
        pins = await asyncio.to_thread(pins_for, self._processor, self._pins)
        try:
            async with asyncio.timeout(LONG):
                paths = await self._fetch(pins, lambda share: report(share * (1 - _UNPACK_SHARE)))
        except TimeoutError:
            raise EnvironmentFailed("offline", f"The packages were given up after {LONG:g} s") from None
        self._unpacked = {}
        for number, (pin, path) in enumerate(zip(pins, paths, strict=True)):
            report(1 - _UNPACK_SHARE * (1 - number / len(pins)))
            self._unpacked |= await to_the_end(_unpack, pin, path, folder)

    @override
    def _target(self, folder: Path) -> tuple[str | Path, ...]:
        (packages,) = self.packages(folder)
        # The interpreter is only what uv insists on having; it need not be of the version that is installed for.
        foreign = ("--python-platform", self._kind.platform, "--python-version", PYTHON_VERSION)
        return ("--python", self._base, "--target", packages, *foreign)

    async def _fetch(self, pins: Sequence[Pin], report: Callable[[float], None]) -> list[Path]:
        """Return where the packages lie, all of them as they are pinned."""
        folder = self._cwd / FETCHED
        paths = [folder / f"{pin.name}-{pin.sha256[:16]}.deb" for pin in pins]
        await asyncio.to_thread(_tidy, folder, paths)
        mirror = os.environ.get(MIRROR)
        before, everything = 0, sum(pin.size for pin in pins)
        # Proxies are heeded, as uv does.
        async with aiohttp.ClientSession(trust_env=True, cookie_jar=aiohttp.DummyCookieJar()) as session:
            for pin, path in zip(pins, paths, strict=True):

                def on_bytes(came: int, before: int = before) -> None:
                    report((before + came) / everything)

                await fetch(session, pin, path, mirror=mirror, on_bytes=on_bytes)
                before += pin.size
        return paths


def _tidy(folder: Path, wanted: Sequence[Path]) -> None:
    """Make the folder, and remove what is of other pins. Blocks."""
    folder.mkdir(mode=0o700, exist_ok=True)
    names = {path.name for path in wanted}
    for path in folder.iterdir():
        if path.name.removesuffix(".part") not in names:
            _LOGGER.debug("%s is no longer needed", path)
            path.unlink()


def _unpack(pin: Pin, path: Path, folder: Path) -> dict[str, str]:
    """Unpack a package that lies at `path`, and return the hashes of its files. Blocks."""
    data = path.read_bytes()
    # Once more, of the very bytes that are unpacked: it was on a disk since.
    if hashlib.sha256(data).hexdigest() != pin.sha256:
        path.unlink()
        raise EnvironmentFailed("disk_failing", f"{path} was damaged on the disk")
    try:
        return unpack(data, folder)
    except BadPackage as err:
        raise EnvironmentFailed("install_failed", f"{pin.name} cannot be unpacked: {err}") from err


def _is(path: Path, sha256: str) -> bool:
    try:
        return sha256_of_file(path) == sha256
    except FileNotFoundError:
        return False
