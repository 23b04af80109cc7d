"""Unpacks Debian packages without dpkg: an `ar` archive with a `tar` archive in it, see deb(5).

Only what a program needs to run is taken: no settings, no texts, no converters of other character sets. Whatever
would land outside of the folder, or is neither a file nor a folder nor a link inside of it, is refused.
"""

from collections.abc import Iterator
import hashlib
import io
import os
from pathlib import Path, PurePosixPath
import tarfile

MOST = 256 * 1024**2
"""Bytes that one package may unpack to; the largest of ours takes 13 MB."""
_MAGIC = b"!<arch>\n"
_PIECE = 1 << 18
_HEADER = 60
_LEFT_OUT = ("etc", "usr/share", "usr/lib/binfmt.d", "usr/lib/*/gconv", "usr/lib/*/sitecustomize.py")
"""Not needed to run; the last is a link to the system's settings."""


class BadPackage(Exception):
    """The package is damaged, or holds what it must not; the text says what."""


def unpack(package: bytes, folder: Path) -> dict[str, str]:
    """Unpack a package into a folder; return the SHA-256 of each file by its path there. Blocks.

    Raises BadPackage, or OSError when the disk does.
    """
    digests: dict[str, str] = {}
    room = MOST
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    try:
        with tarfile.open(fileobj=io.BytesIO(_data_of(package)), mode="r:*") as archive:
            for member in archive:
                name = _checked(member)
                if name is None:
                    continue
                path = folder / name
                _make_folder(folder, path if member.isdir() else path.parent)
                if member.issym():
                    path.symlink_to(member.linkname)
                elif member.isreg():
                    if (room := room - member.size) < 0:
                        raise BadPackage(f"it unpacks to more than {MOST} bytes")
                    digests[os.fspath(name)] = _write(archive, member, path)
    except FileExistsError as err:
        raise BadPackage(f"{err.filename} is in it, or in another package, already") from err
    except (tarfile.TarError, EOFError, ValueError) as err:
        raise BadPackage(f"it is damaged: {err}") from err
    return digests


def _data_of(package: bytes) -> bytes:
    """Return the archive with the files of a package."""
    for name, data in _members(package):
        if name.startswith("data.tar"):
            return data
    raise BadPackage("it holds no files")


def _members(package: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the name and contents of each member of an `ar` archive."""
    if not package.startswith(_MAGIC):
        raise BadPackage("it is no Debian package")
    at = len(_MAGIC)
    while at < len(package):
        header = package[at : at + _HEADER]
        if len(header) < _HEADER or header[58:] != b"`\n":
            raise BadPackage("it is damaged")
        size = int(header[48:58])
        at += _HEADER
        if size < 0 or at + size > len(package):
            raise BadPackage("it is cut off")
        yield header[:16].decode("ascii", "replace").rstrip(" /"), package[at : at + size]
        at += size + size % 2


def _checked(member: tarfile.TarInfo) -> PurePosixPath | None:
    """Return where a member belongs, None when it is left out; raise BadPackage when it may not be there."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\0" in member.name:
        raise BadPackage(f"{member.name!r} leaves the folder")
    if any(path.full_match(pattern) for path in (name, *name.parents) for pattern in _LEFT_OUT):
        return None
    if member.issym():
        inside = os.path.normpath(name.parent / member.linkname)
        if member.linkname.startswith("/") or inside.split("/")[0] == "..":
            raise BadPackage(f"{member.name!r} leads out of the folder")
    elif not (member.isreg() or member.isdir()):
        raise BadPackage(f"{member.name!r} is neither a file nor a folder nor a link")
    return name


def _make_folder(root: Path, folder: Path) -> None:
    """Make a folder below `root`, through no link."""
    at = root
    for part in folder.relative_to(root).parts:
        at /= part
        if at.is_symlink():
            raise BadPackage(f"{at} is a link, and has something below it")
        at.mkdir(mode=0o755, exist_ok=True)


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> str:
    """Write a file that is not there yet, and return the SHA-256 that it has to have."""
    source = archive.extractfile(member)
    assert source is not None
    digest = hashlib.sha256()
    with source, path.open("xb") as file:
        while piece := source.read(_PIECE):
            file.write(piece)
            digest.update(piece)
    if path.stat().st_size != member.size:
        raise BadPackage(f"{member.name!r} is cut off")
    path.chmod(0o755 if member.mode & 0o100 else 0o644)
    return digest.hexdigest()
