"""Builds the zip that HACS installs, and checks what is in it: see script/release. Any Python 3.9 or newer."""

import argparse
import hashlib
import json
import os
from pathlib import Path
import re
import shutil
import sys
from tempfile import TemporaryDirectory
import zipfile

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "custom_components" / "familiar_faces"
ZIP = "familiar_faces.zip"
NOTES = "notes.md"

NEEDED = (
    "__init__.py",
    "brand/icon.png",
    "config_flow.py",
    "engine/__main__.py",
    "engine/fasnet/LICENSE.txt",
    "engine/fasnet/NOTICE.txt",
    "engine/fasnet/minifasnet_v1se_4_0.onnx",
    "engine/fasnet/minifasnet_v2_2_7.onnx",
    "engine/requirements-weights.txt",
    "engine/requirements.txt",
    "host/debian_packages.json",
    "icons.json",
    "manifest.json",
    "panel/dist/familiar-faces.js",
    "services.yaml",
    "translations/de.json",
    "translations/en.json",
    "translations/nl.json",
)
KINDS = {".css", ".html", ".in", ".js", ".json", ".onnx", ".png", ".py", ".svg", ".txt", ".yaml"}
"""All else is refused, photos above all. A picture may only be an icon of the brand."""
CACHES = {"__pycache__"}
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The oldest time that a zip can hold."""


class Refused(Exception):
    """The release would be wrong."""


def main() -> int:
    """Build it, and return the process's exit code."""
    parser = argparse.ArgumentParser(prog="script/release")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--tag")
    asked = parser.parse_args()
    try:
        if asked.tag is not None:
            (asked.folder / NOTES).write_text(notes(asked.tag), encoding="utf-8")
        digest = build(SOURCE, asked.folder / ZIP)
        if asked.check:
            check_again(digest)
    except Refused as err:
        print(f"[release] {err}", file=sys.stderr)
        return 1
    print(f"{digest}  {asked.folder / ZIP}")
    return 0


def version() -> str:
    """Return the version, which stands in the manifest alone."""
    return str(json.loads((SOURCE / "manifest.json").read_text(encoding="utf-8"))["version"])


def notes(tag: str) -> str:
    """Return what the changelog says of a tag's version; raise Refused."""
    if tag != f"v{version()}":
        raise Refused(f"the tag {tag} does not name the version: it would be v{version()}")
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    section = rf"^## \[{re.escape(version())}\].*?\n(.*?)(?=^## |^\[[^\]]+\]: |\Z)"
    match = re.search(section, text, re.MULTILINE | re.DOTALL)
    if match is None or not match.group(1).strip():
        raise Refused(f"CHANGELOG.md has no section [{version()}]")
    return match.group(1).strip() + "\n"


def build(source: Path, target: Path) -> str:
    """Write a folder's files into a zip and return its SHA-256; raise Refused."""
    files = sorted(
        (path.relative_to(source).as_posix(), path)
        for path in source.rglob("*")
        if not path.is_dir() and not CACHES.intersection(path.relative_to(source).parts)
    )
    if wrong := [name for name, path in files if path.is_symlink() or not belongs(name)]:
        raise Refused(f"no part of a release: {', '.join(wrong)}")
    if missing := set(NEEDED).difference(name for name, _ in files):
        raise Refused(f"missing: {', '.join(sorted(missing))}")
    # Stored, not deflated: what deflating makes of a file depends on the zlib of the Python that does it.
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, path in files:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, path.read_bytes())
    with zipfile.ZipFile(target) as archive:
        if archive.testzip() is not None or archive.namelist() != [name for name, _ in files]:
            raise Refused(f"{target} cannot be read back")
    return hashlib.sha256(target.read_bytes()).hexdigest()


def belongs(name: str) -> bool:
    """Return whether a file is one that Home Assistant needs: no test, nothing compiled, no photo, nothing hidden."""
    path = Path(name)
    hidden = any(part.startswith(".") for part in path.parts)
    test = path.parts[0] == "tests" or path.name == "conftest.py" or path.name.startswith("test_")
    photo = path.suffix == ".png" and path.parts[0] != "brand"
    return path.suffix in KINDS and not hidden and not test and not photo


def check_again(digest: str) -> None:
    """Build it from a copy whose times and modes differ; raise Refused when that makes another file."""
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns(*CACHES), copy_function=shutil.copyfile)
        for path in copy.rglob("*"):
            os.utime(path, (1_000_000_000, 1_000_000_000))
            path.chmod(0o700)
        if build(copy, Path(folder) / ZIP) != digest:
            raise Refused("two builds of the same files differ")


if __name__ == "__main__":
    sys.exit(main())
