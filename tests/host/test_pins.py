"""What `script/pins` pins: only what Debian signed, and the newest of it."""

from collections.abc import Generator
from email.utils import format_datetime
import hashlib
import json
from pathlib import Path
import shutil
import subprocess
import tempfile

from homeassistant.util import dt as dt_util
import pins
import pytest

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("apt-get", "gpg", "gpgv"))), reason="apt-get, gpg or gpgv is missing"
)


class Archive:
    """Debian's archives in a folder, signed with a key of its own."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.keyring = folder / "keyring.gpg"
        # Short, because gpg's agent listens on a socket in it.
        self._home = Path(tempfile.mkdtemp(prefix="ffgpg", dir="/tmp"))
        self._gpg("--passphrase", "", "--quick-gen-key", "Debian <debian@example.org>", "ed25519", "sign")
        self._gpg("--output", self.keyring, "--export")
        for archive, suites in pins.ARCHIVES.items():
            for suite in suites:
                self.publish(archive, suite, {})

    def publish(self, archive: str, suite: str, versions: dict[str, str]) -> None:
        """Publish packages in a suite, in these versions."""
        folder = self.root / archive / "dists" / suite
        lists = []
        for processor in pins.PROCESSORS.values():
            path = folder / f"main/binary-{processor}/Packages"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(
                "\n".join(
                    f"Package: {name}\nVersion: {version}\nArchitecture: {processor}\n"
                    f"Filename: pool/main/x/{name}_{version.split(':')[-1]}_{processor}.deb\nSize: {len(name)}\n"
                    f"SHA256: {hashlib.sha256(f'{name}{version}{processor}'.encode()).hexdigest()}\n"
                    for name, version in versions.items()
                )
            )
            data = path.read_bytes()
            lists.append(f" {hashlib.sha256(data).hexdigest()} {len(data)} {path.relative_to(folder)}")
        release = folder / "Release"
        now = format_datetime(dt_util.utcnow(), usegmt=True)
        release.write_text(
            f"Origin: Debian\nSuite: {suite}\nCodename: {suite}\nDate: {now}\nComponents: main\n"
            f"Architectures: {' '.join(pins.PROCESSORS.values())}\nSHA256:\n" + "\n".join(lists) + "\n"
        )
        self._gpg("--yes", "--output", folder / "InRelease", "--clearsign", release)
        release.unlink()

    def remove(self) -> None:
        """Remove the key."""
        subprocess.run(["gpgconf", "--homedir", self._home, "--kill", "all"], check=False)
        shutil.rmtree(self._home)

    def _gpg(self, *arguments: str | Path) -> None:
        subprocess.run(
            ["gpg", "--homedir", self._home, "--batch", "--pinentry-mode", "loopback", *arguments],
            check=True,
            capture_output=True,
        )


@pytest.fixture
def debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Archive]:
    """Return archives that have every package once, and pins that were never written."""
    made = Archive(tmp_path)
    made.publish("debian", pins.SUITE, dict.fromkeys(pins.PACKAGES, "1:1.0+deb13u1"))
    monkeypatch.setattr(pins, "PINS", tmp_path / "pins.json")
    yield made
    made.remove()


def run(debian: Archive, *more: str) -> int:
    return pins.main(["--mirror", f"file:{debian.root}", "--keyring", str(debian.keyring), *more])


def test_the_newest_that_debian_signed_is_pinned(debian: Archive) -> None:
    assert run(debian, "--check") == 1
    assert not pins.PINS.exists()
    assert run(debian) == 0
    written = pins.PINS.read_bytes()
    assert (run(debian), run(debian, "--check")) == (0, 0)
    assert pins.PINS.read_bytes() == written
    # A later fix of the security archive counts for more.
    debian.publish("debian-security", f"{pins.SUITE}-security", {"libc6": "1:1.0+deb13u2"})
    assert run(debian, "--check") == 1
    assert run(debian) == 0
    for processor, name in pins.PROCESSORS.items():
        packages = json.loads(pins.PINS.read_bytes())["packages"][processor]
        assert [pin["name"] for pin in packages] == list(pins.PACKAGES)
        libc = packages[0]
        assert (libc["version"], libc["archive"]) == ("1:1.0+deb13u2", "debian-security")
        assert libc["path"] == f"pool/main/x/libc6_1.0+deb13u2_{name}.deb"
        assert libc["sha256"] == hashlib.sha256(f"libc61:1.0+deb13u2{name}".encode()).hexdigest()
        assert {pin["archive"] for pin in packages[1:]} == {"debian"}


def tamper(debian: Archive, name: str) -> None:
    path = next((debian.root / "debian/dists" / pins.SUITE).rglob(name))
    path.write_bytes(path.read_bytes().replace(b"main", b"niam", 1))


@pytest.mark.parametrize("what", ["InRelease", "Packages", "key", "no signature", "missing"])
def test_nothing_else_is_pinned(
    debian: Archive, what: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = debian.root / "debian/dists" / pins.SUITE
    if what in ("InRelease", "Packages"):
        tamper(debian, what)
    elif what == "key":
        debian.keyring = pins.KEYRING if pins.KEYRING.exists() else tmp_path / "none"
    elif what == "no signature":
        lines = (
            (folder / "InRelease").read_text().partition("\n\n")[2].partition("-----BEGIN PGP SIGNATURE")[0]
        )
        (folder / "InRelease").unlink()
        (folder / "Release").write_text(lines)
    else:
        debian.publish("debian", pins.SUITE, dict.fromkeys(pins.PACKAGES[1:], "1"))
    assert run(debian) == 2
    assert not pins.PINS.exists()
    assert capsys.readouterr().err.startswith("[pins] ")
