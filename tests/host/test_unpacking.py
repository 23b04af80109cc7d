"""Debian packages are unpacked without dpkg, and no package writes outside of its folder."""

from collections.abc import Sequence
import hashlib
import io
from pathlib import Path
import tarfile

import pytest

from custom_components.familiar_faces.host import unpacking as unpacking_module
from custom_components.familiar_faces.host.unpacking import BadPackage, unpack

type Member = tuple[tarfile.TarInfo, bytes]


def a_file(name: str, data: bytes = b"contents", mode: int = 0o644) -> Member:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), mode
    return member, data


def a_thing(name: str, kind: bytes, leads_to: str = "") -> Member:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, leads_to
    return member, b""


def a_package(members: Sequence[Member], compression: str = "xz") -> bytes:
    """Return a package as dpkg-deb makes it."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode=f"w:{compression}") as archive:  # type: ignore[call-overload]
        for member, data in members:
            archive.addfile(member, io.BytesIO(data))
    parts = [
        ("debian-binary", b"2.0\n"),
        ("control.tar.xz", b"odd"),
        (f"data.tar.{compression}", tar.getvalue()),
    ]
    return b"!<arch>\n" + b"".join(
        f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
        + data
        + b"\n" * (len(data) % 2)
        for name, data in parts
    )


GOOD = [
    a_thing("./", tarfile.DIRTYPE),
    a_thing("./usr/lib/", tarfile.DIRTYPE),
    a_file("./usr/lib/libx.so.1.2", b"a library"),
    a_thing("./usr/lib/libx.so.1", tarfile.SYMTYPE, "libx.so.1.2"),
    a_thing("./usr/lib64/libx.so.1", tarfile.SYMTYPE, "../lib/libx.so.1.2"),
    a_file("./usr/bin/x", b"a program", 0o4755),
    a_file("./usr/share/doc/x/copyright"),
    a_file("./etc/x.conf"),
    a_file("./usr/lib/x/gconv/Y.so"),
    a_thing("./usr/lib/python3.13/sitecustomize.py", tarfile.SYMTYPE, "/etc/python3.13/sitecustomize.py"),
]


@pytest.mark.parametrize("compression", ["xz", "gz", "zst"])
def test_what_is_needed_is_unpacked(tmp_path: Path, compression: str) -> None:
    digests = unpack(a_package(GOOD, compression), tmp_path / "rt")
    there = {
        str(path.relative_to(tmp_path / "rt")) for path in (tmp_path / "rt").rglob("*") if not path.is_dir()
    }
    assert there == {"usr/lib/libx.so.1.2", "usr/lib/libx.so.1", "usr/lib64/libx.so.1", "usr/bin/x"}
    assert (tmp_path / "rt/usr/lib64/libx.so.1").read_bytes() == b"a library"
    # No package makes a program that runs as somebody else.
    assert (tmp_path / "rt/usr/bin/x").stat().st_mode & 0o7777 == 0o755
    assert digests == {
        "usr/lib/libx.so.1.2": hashlib.sha256(b"a library").hexdigest(),
        "usr/bin/x": hashlib.sha256(b"a program").hexdigest(),
    }


HOSTILE: dict[str, list[Member]] = {
    "up": [a_file("../evil")],
    "up later": [a_file("./usr/../../evil")],
    "up in what is left out": [a_file("./etc/../../evil")],
    "absolute": [a_file("/tmp/evil")],
    "a link out": [a_thing("./usr/x", tarfile.SYMTYPE, "../../evil")],
    "an absolute link": [a_thing("./usr/x", tarfile.SYMTYPE, "/tmp")],
    "through a link": [a_thing("./usr/x", tarfile.SYMTYPE, "lib"), a_file("./usr/x/evil")],
    "over a link": [a_thing("./usr/x", tarfile.SYMTYPE, "y"), a_file("./usr/x")],
    "twice": [a_file("./usr/x"), a_file("./usr/x")],
    "below a file": [a_file("./usr/x"), a_file("./usr/x/y")],
    "a hard link": [a_file("./usr/x"), a_thing("./usr/y", tarfile.LNKTYPE, "./usr/x")],
    "a hard link out": [a_thing("./usr/y", tarfile.LNKTYPE, "/etc/passwd")],
    "a device": [a_thing("./usr/x", tarfile.BLKTYPE)],
    "a pipe": [a_thing("./usr/x", tarfile.FIFOTYPE)],
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_may_not_be_in_a_package_is_refused(tmp_path: Path, what: str) -> None:
    (tmp_path / "rt").mkdir()
    with pytest.raises(BadPackage):
        unpack(a_package(HOSTILE[what]), tmp_path / "rt")
    assert [path.name for path in tmp_path.iterdir()] == ["rt"]
    assert not Path("/tmp/evil").exists()


def test_a_file_of_another_package_is_not_written_over(tmp_path: Path) -> None:
    unpack(a_package([a_file("./usr/x", b"first")]), tmp_path)
    with pytest.raises(BadPackage):
        unpack(a_package([a_file("./usr/x", b"second")]), tmp_path)
    assert (tmp_path / "usr/x").read_bytes() == b"first"


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking_module, "MOST", 1_000_000)
    with pytest.raises(BadPackage, match="more than"):
        unpack(a_package([a_file("./usr/x", bytes(700_000)), a_file("./usr/y", bytes(700_000))]), tmp_path)


WHOLE = a_package(GOOD)
DAMAGED = {
    "empty": b"",
    "no package": b"<html>" * 100,
    "no files": WHOLE[: WHOLE.index(b"data.tar")],
    "cut off": WHOLE[:-40],
    "cut off in a header": WHOLE[:100],
    "another size": WHOLE.replace(b"4         `\n2.0\n", b"-4        `\n2.0\n"),
    "no size": WHOLE.replace(b"4         `\n2.0\n", b"x         `\n2.0\n"),
    "changed": WHOLE[:-300] + bytes(200) + WHOLE[-100:],
    "no archive": WHOLE[: WHOLE.index(b"data.tar") + 60] + bytes(len(WHOLE) - WHOLE.index(b"data.tar") - 60),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_package_is_refused(tmp_path: Path, damage: str) -> None:
    assert DAMAGED[damage] != WHOLE
    with pytest.raises(BadPackage):
        unpack(DAMAGED[damage], tmp_path)
