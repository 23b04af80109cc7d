"""Pinned packages are fetched from where they are to be had, and nothing else is taken for them."""

from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass, field
import hashlib
from pathlib import Path
import random

import aiohttp
import pytest

from custom_components.familiar_faces.host import fetching as fetching_module, pins as pins_module
from custom_components.familiar_faces.host.engine_errors import EnvironmentFailed
from custom_components.familiar_faces.host.fetching import fetch
from custom_components.familiar_faces.host.pins import Pin, pins_for

from .mirror import Mirror, mirror

DATA = random.Random(1).randbytes(900_001)
OTHER = random.Random(2).randbytes(900_001)
PIN = Pin(
    "libx", "1:2.0+deb~1", "debian", "pool/main/libx/libx_2.0+deb~1_amd64.deb", len(DATA),
    hashlib.sha256(DATA).hexdigest(), "20261122T091544Z",
)  # fmt: skip


def begin(wanted: str) -> int:
    """Return the first byte of a range."""
    return int(wanted.removeprefix("bytes=").removesuffix("-") or 0)


@dataclass
class Fetcher:
    """Fetches the pin into a folder."""

    session: aiohttp.ClientSession
    path: Path
    mirror: str | None = None
    seen: list[int] = field(default_factory=list)

    async def __call__(self) -> None:
        await fetch(self.session, PIN, self.path, mirror=self.mirror, on_bytes=self.seen.append)

    async def failure(self) -> str:
        """Return why it failed, having seen that nothing counts as fetched."""
        with pytest.raises(EnvironmentFailed) as caught:
            await self()
        assert not self.path.exists()
        assert caught.value.detail
        return caught.value.reason_key


@pytest.fixture
def debian(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> Generator[Mirror]:
    """Return Debian's own server, which has the package; its archive of snapshots has it not."""
    with mirror() as made:
        made.put(PIN, DATA)
        monkeypatch.setattr(pins_module, "DEBIAN", made.url)
        monkeypatch.setattr(pins_module, "SNAPSHOTS", f"{made.url}/archive")
        yield made


@pytest.fixture
async def fetcher(debian: Mirror, tmp_path: Path) -> AsyncGenerator[Fetcher]:
    async with aiohttp.ClientSession() as session:
        yield Fetcher(session, tmp_path / "libx.deb")


async def test_a_package_is_fetched_once(debian: Mirror, fetcher: Fetcher) -> None:
    await fetcher()
    assert fetcher.path.read_bytes() == DATA
    assert fetcher.seen == sorted(fetcher.seen)
    assert fetcher.seen[-1] == len(DATA)
    await fetcher()
    assert len(debian.asked) == 1
    assert [path.name for path in fetcher.path.parent.iterdir()] == ["libx.deb"]


async def test_what_was_cut_off_is_gone_on_with(debian: Mirror, fetcher: Fetcher) -> None:
    debian.cuts = [300_000, 400_000]
    await fetcher()
    assert fetcher.path.read_bytes() == DATA
    begins = [begin(wanted) for _, wanted in debian.asked]
    assert begins[0] == 0 < begins[1] < begins[2]


async def test_a_later_try_goes_on_with_what_is_there(
    debian: Mirror, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a restart or a kill in the middle."""
    monkeypatch.setattr(fetching_module, "TRIES", 1)
    debian.cuts = [500_000]
    assert await fetcher.failure() == "offline"
    await fetcher()
    assert fetcher.path.read_bytes() == DATA
    assert begin(debian.asked[-1][1]) > 0


async def test_what_is_there_and_wrong_is_fetched_anew(debian: Mirror, fetcher: Fetcher) -> None:
    fetcher.path.with_name("libx.deb.part").write_bytes(OTHER[:1000])
    await fetcher()
    assert fetcher.path.read_bytes() == DATA
    assert [wanted for _, wanted in debian.asked] == ["bytes=1000-", ""]


@pytest.mark.parametrize("left", [len(DATA), len(DATA) + 1])
async def test_what_is_there_and_too_long_or_wrong_as_a_whole_is_fetched_anew(
    debian: Mirror, fetcher: Fetcher, left: int
) -> None:
    fetcher.path.with_name("libx.deb.part").write_bytes((OTHER + OTHER)[:left])
    await fetcher()
    assert fetcher.path.read_bytes() == DATA


async def test_a_package_that_is_damaged_on_the_disk_is_fetched_anew(
    debian: Mirror, fetcher: Fetcher
) -> None:
    fetcher.path.write_bytes(OTHER)
    await fetcher()
    assert fetcher.path.read_bytes() == DATA


async def test_a_server_that_sends_no_parts_is_asked_for_the_whole(debian: Mirror, fetcher: Fetcher) -> None:
    debian.ranges = False
    fetcher.path.with_name("libx.deb.part").write_bytes(DATA[:1000])
    await fetcher()
    assert fetcher.path.read_bytes() == DATA


@pytest.mark.parametrize(
    "sent",
    [OTHER, DATA[:-1], DATA + b"x", b"<html>log in first</html>"],
    ids=["another", "cut", "longer", "a page"],
)
async def test_anything_else_is_refused(debian: Mirror, fetcher: Fetcher, sent: bytes) -> None:
    debian.put(PIN, sent)
    assert await fetcher.failure() == "hash_refused"
    assert fetcher.path.with_name("libx.deb.part").read_bytes() == b""


async def test_what_one_place_lacks_comes_from_the_next(debian: Mirror, fetcher: Fetcher) -> None:
    """Debian's own server drops what was replaced; the archive of snapshots keeps it."""
    debian.files = {f"/archive/debian/{PIN.snapshot}/{PIN.path}": DATA}
    await fetcher()
    assert fetcher.path.read_bytes() == DATA


async def test_a_mirror_comes_first_and_is_believed_no_more_than_others(
    debian: Mirror, fetcher: Fetcher
) -> None:
    with mirror() as own:
        own.put(PIN, OTHER)
        fetcher.mirror = f"{own.url}/"
        await fetcher()
        assert len(own.asked) == 1
    assert fetcher.path.read_bytes() == DATA


async def test_nobody_there_is_told(
    debian: Mirror, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pins_module, "DEBIAN", "http://127.0.0.1:9")
    assert await fetcher.failure() == "offline"


@pytest.mark.parametrize("processor", ["x86_64", "aarch64"])
def test_everything_is_pinned(processor: str) -> None:
    pins = pins_for(processor)
    assert {"libc6", "python3.13-minimal", "libstdc++6"} <= {pin.name for pin in pins}
    for pin in pins:
        assert len(bytes.fromhex(pin.sha256)) == 32
        assert 0 < pin.size < 10_000_000
        quick, lasting = pin.urls(None)
        assert quick.startswith(f"https://deb.debian.org/{pin.archive}/pool/")
        assert lasting.startswith(f"https://snapshot.debian.org/archive/{pin.archive}/20")
