"""Pins the Debian packages that the engine brings along where there is no GNU C library: see script/pins."""

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
import hashlib
import json
from pathlib import Path
import platform
import re
import subprocess
import sys
from tempfile import TemporaryDirectory
from urllib.parse import quote, unquote

PINS = (
    Path(__file__).resolve().parent.parent
    / "custom_components"
    / "familiar_faces"
    / "host"
    / "debian_packages.json"
)
SUITE = "trixie"
ARCHIVES = {"debian": (SUITE, f"{SUITE}-updates"), "debian-security": (f"{SUITE}-security",)}
"""Which suites are in which of Debian's archives."""
PROCESSORS = {"x86_64": "amd64", "aarch64": "arm64"}
PACKAGES = (
    # The C library with its loader, and what compiled packages are linked with.
    "libc6", "libgcc-s1", "libstdc++6",
    # Python.
    "python3.13-minimal", "libpython3.13-minimal", "libpython3.13-stdlib",
    # What Python's own compiled modules are linked with, as far as the engine imports them.
    "libbz2-1.0", "libexpat1", "libffi8", "liblzma5", "libsqlite3-0", "libssl3t64", "libuuid1", "zlib1g",
    # What libssl3t64 is linked with.
    "libzstd1",
)  # fmt: skip
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
APT_HELPER = "/usr/lib/apt/apt-helper"
SETTLED = timedelta(days=1)
"""How long after a release file the snapshot archive has surely all that it names."""
_LINE = re.compile(r"'([^']+)' (\S+) (\d+) SHA256:([0-9a-f]{64})")


class NotPinned(Exception):
    """Nothing was pinned, with the reason."""


class Apt:
    """Apt with lists of its own in a folder, so that the system's are left alone."""

    def __init__(self, folder: Path, mirror: str, keyring: Path) -> None:
        """Use the suites at `mirror`, signed with `keyring`."""
        self._lists = folder / "state" / "lists"
        for name in ("state/lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True)
        (folder / "state" / "status").touch()
        architectures = " ".join(PROCESSORS.values())
        (folder / "debian.sources").write_text(
            "\n".join(
                f"Types: deb\nURIs: {mirror}/{archive}\nSuites: {' '.join(suites)}\nComponents: main\n"
                f"Architectures: {architectures}\nSigned-By: {keyring}\n"
                for archive, suites in ARCHIVES.items()
            ),
            encoding="utf-8",
        )
        settings = {
            "Dir::State": folder / "state",
            "Dir::State::status": folder / "state" / "status",
            "Dir::Cache": folder / "cache",
            "Dir::Etc::sourcelist": folder / "debian.sources",
            "Dir::Etc::sourceparts": folder / "none",
            "Dir::Etc::preferencesparts": folder / "none",
            # Whatever the system says: no signature, an old list or a part that is missing is an error.
            "Acquire::AllowInsecureRepositories": "false",
            "Acquire::Check-Valid-Until": "true",
            "Acquire::Languages": "none",
            "APT::Get::AllowUnauthenticated": "false",
            "APT::Sandbox::User": "root",
            "APT::Update::Error-Mode": "any",
        }
        self._options = [f"-o{name}={value}" for name, value in settings.items()]
        self._options += [f"-oAPT::Architectures::={name}" for name in PROCESSORS.values()]

    def update(self) -> None:
        """Fetch the lists, and check that their release files are signed."""
        self._run("update")

    def released(self, archive: str) -> datetime:
        """Return when the newest release file of an archive was made."""
        dates = [
            parsedate_to_datetime(found[1])
            for suite in ARCHIVES[archive]
            for path in self._lists.glob(f"*_{archive}_dists_{suite}_InRelease")
            if (found := re.search(r"^Date: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE))
        ]
        if not dates:
            raise NotPinned(f"apt has no release file of {archive}")
        return max(dates).astimezone(UTC)

    def newest(self, processor: str) -> Iterator[dict[str, str | int]]:
        """Yield the newest packages for a processor."""
        wanted = [f"{name}:{PROCESSORS[processor]}" for name in PACKAGES]
        for url, name, size, sha256 in _LINE.findall(self._run("--print-uris", "download", *wanted)):
            package, version, _ = unquote(name).split("_")
            archive, path = re.fullmatch(r".*?/(debian(?:-security)?)/(pool/.*)", unquote(url)).groups()  # type: ignore[union-attr]
            yield {
                "name": package,
                "version": version,
                "archive": archive,
                "path": path,
                "size": int(size),
                "sha256": sha256,
            }

    def _run(self, *arguments: str) -> str:
        try:
            done = subprocess.run(
                ["apt-get", *self._options, *arguments], check=False, capture_output=True, text=True
            )
        except FileNotFoundError:
            raise NotPinned("apt-get is missing: run this on Debian or Ubuntu") from None
        if done.returncode:
            raise NotPinned(done.stderr.strip() or f"apt-get ended with code {done.returncode}")
        return done.stdout


def newest(mirror: str, keyring: Path) -> dict[str, object]:
    """Return the pins as they should be now; raise NotPinned."""
    if not keyring.is_file():
        raise NotPinned(f"{keyring} is missing: install debian-archive-keyring")
    with TemporaryDirectory(prefix="pins-") as folder:
        apt = Apt(Path(folder), mirror.rstrip("/"), keyring)
        apt.update()
        packages = {}
        for processor in PROCESSORS:
            found = sorted(apt.newest(processor), key=lambda pin: PACKAGES.index(str(pin["name"])))
            if missing := set(PACKAGES) - {pin["name"] for pin in found}:
                raise NotPinned(f"not in {SUITE} for {processor}: {', '.join(sorted(missing))}")
            packages[processor] = found
        snapshots = {name: f"{apt.released(name) + SETTLED:%Y%m%dT%H%M%SZ}" for name in ARCHIVES}
    return {"suite": SUITE, "snapshots": snapshots, "packages": packages}


def fetch(folder: Path, mirror: str) -> None:
    """Fetch what is pinned for this machine into a folder, as NAME.deb; raise NotPinned. Quick when it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    pinned = json.loads(PINS.read_text(encoding="utf-8"))["packages"].get(platform.machine())
    if pinned is None:
        raise NotPinned(f"nothing is pinned for {platform.machine()}")
    for pin in pinned:
        path = folder / f"{pin['name']}.deb"
        if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == pin["sha256"]:
            continue
        url = f"{mirror.rstrip('/')}/{pin['archive']}/{quote(pin['path'])}"
        try:
            subprocess.run(
                [
                    APT_HELPER,
                    "-oAPT::Sandbox::User=root",
                    "download-file",
                    url,
                    path,
                    f"SHA256:{pin['sha256']}",
                ],
                check=True,
                capture_output=True,
                text=True,
            )
        except FileNotFoundError:
            raise NotPinned(f"{APT_HELPER} is missing: run this on Debian or Ubuntu") from None
        except subprocess.CalledProcessError as err:
            raise NotPinned(f"{pin['name']} could not be fetched: {err.stderr.strip()}") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pins, or compare them, and return the process's exit code."""
    parser = argparse.ArgumentParser(prog="script/pins")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--mirror", default="http://deb.debian.org")
    parser.add_argument("--keyring", type=Path, default=KEYRING)
    parser.add_argument("--fetch", type=Path, metavar="FOLDER")
    asked = parser.parse_args(arguments)
    try:
        if asked.fetch is not None:
            fetch(asked.fetch, asked.mirror)
            return 0
        found = newest(asked.mirror, asked.keyring)
    except NotPinned as err:
        print(f"[pins] {err}", file=sys.stderr)
        return 2
    before = json.loads(PINS.read_text(encoding="utf-8")) if PINS.exists() else {}
    if found["packages"] == before.get("packages"):
        # A later snapshot of the same packages would change every home's runtime for nothing.
        print("[pins] nothing newer")
        return 0
    if asked.check:
        print("[pins] there are newer packages: run script/pins")
        return 1
    PINS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(f"[pins] wrote {PINS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
