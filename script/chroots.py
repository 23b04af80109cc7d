"""Roots to run programs in, on Debian's packages: for what proves an image or a page of the docs without Docker."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
import shutil
import subprocess
import sys

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LENT = "run/certificates"
"""Where this machine's certificates lie in a root: a proxy before it may need them."""


class Failed(Exception):
    """An instruction failed, or what came of all of them is not as it has to be."""


def debian(release: str, cache: Path, mirror: str) -> Path:
    """Return the root of a release of Debian, with its smallest set of packages, made once; raise Failed."""
    root = cache / release
    if not root.is_dir():
        say(f"unpacking Debian {release} (once)")
        new = cache / f"new-{release}"
        shutil.rmtree(new, ignore_errors=True)
        run(["debootstrap", "--variant=minbase", release, str(new), mirror])
        # Docker has no archives of packages in its images either.
        for archive in (new / "var" / "cache" / "apt" / "archives").glob("*.deb"):
            archive.unlink()
        new.rename(root)
    return root


def copy(base: Path, root: Path) -> None:
    """Make a root from another one; raise Failed."""
    run(["cp", "-a", "--reflink=auto", str(base), str(root)])


def remove(folder: Path) -> None:
    """Remove a folder with roots, unless something is mounted in it still."""
    left = [line.split()[1] for line in Path("/proc/self/mounts").read_text("utf-8").splitlines()]
    if left := [each for each in left if each.startswith(f"{folder}/")]:
        say(f"is left over, because it is mounted: {', '.join(left)}")
    else:
        shutil.rmtree(folder, ignore_errors=True)


def in_root(root: Path, command: Sequence[str], env: Mapping[str, str]) -> None:
    """Run a command as root in a root, with this machine's network; raise Failed."""
    ours = {"PATH": PATH, "DEBIAN_FRONTEND": "noninteractive", "HOME": "/root"}
    with mounted(root, network()):
        run(
            ["chroot", str(root), *command],
            {**ours, "PIP_CERT": f"/{LENT}", "SSL_CERT_FILE": f"/{LENT}", **env},
        )
    (root / LENT).unlink(missing_ok=True)


def network() -> dict[Path, str]:
    """Return the files of this machine that a root needs to reach the network as this machine does."""
    return {Path("/etc/resolv.conf"): "etc/resolv.conf", CERTIFICATES: LENT}


@contextmanager
def mounted(root: Path, lent: Mapping[Path, str]) -> Iterator[None]:
    """Mount what every container has, and lend files of this machine, for as long as the block runs."""
    mounts: list[list[str]] = [["-t", "proc", "proc", "proc"]]
    for path, inner in lent.items():
        if not path.is_dir():
            (root / inner).touch()
        mounts.append(["--bind", str(path.resolve()), inner])
    try:
        for *how, inner in mounts:
            run(["mount", *how, str(root / inner)])
        yield
    finally:
        for *_, inner in reversed(mounts):
            subprocess.run(["umount", "--lazy", str(root / inner)], check=False, capture_output=True)


@contextmanager
def itself_mounted(root: Path) -> Iterator[None]:
    """Mount a root on itself, so that it can be made one that cannot be written to."""
    run(["mount", "--bind", str(root), str(root)])
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(root)], check=False)


def run(command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
    """Run a command; raise Failed with the end of what it said."""
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        said = done.stdout.decode("utf-8", "replace")[-3000:]
        raise Failed(f"{' '.join(command)[:200]} ended with {done.returncode}:\n{said}")


def expect(true: bool, otherwise: str) -> None:
    """Raise Failed with a sentence unless something is true."""
    if not true:
        raise Failed(otherwise)


def say(what: str) -> None:
    """Say how far it is."""
    sys.stderr.write(f"[image] {what}\n")
