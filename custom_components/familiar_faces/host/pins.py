"""Which Debian packages are brought along where there is no GNU C library, and where each can be fetched.

Written by `script/pins`, which takes them from Debian's signed lists.
"""

from collections.abc import Iterator
from dataclasses import dataclass
import json
from pathlib import Path
from urllib.parse import quote

PINS = Path(__file__).with_name("debian_packages.json")
DEBIAN = "https://deb.debian.org"
"""Quick, and has what is current only."""
SNAPSHOTS = "https://snapshot.debian.org/archive"
"""Has everything that Debian ever published."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A package: its name, where it lies in Debian's archive, its size in bytes, and its SHA-256 in hex."""

    name: str
    version: str
    archive: str
    path: str
    size: int
    sha256: str
    snapshot: str
    """A time at which the snapshot archive had it, as in its addresses."""

    def urls(self, mirror: str | None) -> Iterator[str]:
        """Yield where to fetch it, the best first; `mirror` is an address with debian/ below it."""
        path = quote(self.path)
        for base in (mirror, DEBIAN):
            if base:
                yield f"{base.rstrip('/')}/{self.archive}/{path}"
        yield f"{SNAPSHOTS}/{self.archive}/{self.snapshot}/{path}"


def pins_for(processor: str, path: Path = PINS) -> tuple[Pin, ...]:
    """Return the packages for a processor, in the order in which they are unpacked. Blocks."""
    data = json.loads(path.read_bytes())
    return tuple(
        Pin(**pin, snapshot=data["snapshots"][pin["archive"]]) for pin in data["packages"][processor]
    )
