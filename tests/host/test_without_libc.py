"""The whole engine where there is no C library: in a root that holds a static busybox and nothing else."""

import asyncio
from collections.abc import Generator
from io import BytesIO
import os
from pathlib import Path
import shutil
import subprocess
import tempfile

from PIL import Image
import pytest
import pytest_socket

from custom_components.familiar_faces.host import pins as pins_module
from custom_components.familiar_faces.host.engine import EngineStatus
from custom_components.familiar_faces.host.environment import Environment
from custom_components.familiar_faces.host.private_runtime import MIRROR, PrivateRuntime
from custom_components.familiar_faces.host.process import EngineProcess
from custom_components.familiar_faces.host.serving import ENGINE

from ..common.pictures import astronaut, group
from .mirror import MUSL, debian_packages, mirror
from .wheelhouse import PYTHON, UV

BUSYBOX = Path("/bin/busybox")
# Mounts that only the process and its children see, so that nothing can be left mounted. The engine is read-only.
ENTER = """
set -e
root=$1 engine=$2 cache=$3
shift 3
mount --make-rprivate /
mount -t proc proc "$root/proc"
mount --bind "$cache" "$root$cache"
mount --bind "$engine" "$root$engine"
mount -o remount,bind,ro "$root$engine"
exec chroot "$root" "$@"
"""


@pytest.fixture(scope="module")
def bare_root() -> Generator[Path]:
    """Return a root with a static busybox; skip where none can be entered."""
    if os.geteuid() != 0:
        pytest.skip("only root may change the root")
    if not BUSYBOX.exists():
        pytest.skip(f"{BUSYBOX} is missing: script/setup runtime installs busybox-static")
    # Short, so that a socket's path fits.
    with tempfile.TemporaryDirectory(prefix="ff", dir="/tmp") as name:
        root = Path(name) / "root"
        for folder in ("bin", "proc", "dev", "tmp", str(ENGINE)[1:], f"{name[1:]}/cache"):
            (root / folder).mkdir(parents=True)
        (Path(name) / "cache").mkdir()
        shutil.copy(BUSYBOX, root / "bin/busybox")
        (root / "bin/sh").symlink_to("busybox")
        os.mknod(root / "dev/null", 0o20666, os.makedev(1, 3))
        tried = subprocess.run(
            [*entering(root, Path(name) / "cache"), "/bin/sh", "-c", "echo in"],
            check=False,
            capture_output=True,
        )
        if tried.stdout != b"in\n":
            pytest.skip(f"the root cannot be changed here: {tried.stderr.decode()}")
        yield root


def entering(root: Path, cache: Path) -> tuple[str | Path, ...]:
    """Return what stands before a command that runs in a root, with the engine and a cache folder in their places."""
    return ("unshare", "--mount", "sh", "-c", ENTER, "sh", root, ENGINE, cache)


@pytest.mark.timeout(600)
async def test_the_engine_finds_faces_without_any_libc(
    bare_root: Path, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is built, checks itself and runs in there; nothing of this system is to be found by it."""
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
    cache = bare_root.parent / "cache"
    outside = PrivateRuntime.interpreter

    def interpreter(self: PrivateRuntime, folder: Path) -> tuple[str | Path, ...]:
        return (*entering(bare_root, cache), *outside(self, folder))

    monkeypatch.setattr(PrivateRuntime, "interpreter", interpreter)
    environment = Environment(cache, PYTHON, UV, machine=MUSL)
    with mirror(debian_packages()) as debian:
        monkeypatch.setenv(MIRROR, debian.url)
        monkeypatch.setattr(pins_module, "DEBIAN", debian.url)
        await environment.prepare(lambda fraction, step: None)
    await asyncio.to_thread(import_everything, environment.interpreter)
    there = {str(path.relative_to(bare_root)) for path in bare_root.rglob("*") if not path.is_dir()}
    assert there == {"bin/busybox", "bin/sh", "dev/null"}
    engine = EngineProcess(environment, cache / "run")
    await engine.start()
    try:
        assert await engine.wait_ready(120), engine.last_error
        assert engine.status is EngineStatus.READY
        faces = await engine.client.faces(await asyncio.to_thread(encoded, group(), "JPEG"), timeout=60)
        assert len(faces.faces) == 6
        # Decoded by a process of its own, which has to be started through the loader as well.
        faces = await engine.client.faces(await asyncio.to_thread(encoded, astronaut(), "AVIF"), timeout=60)
        assert len(faces.faces) == 1
    finally:
        await engine.stop()
    await environment.remove()
    assert not cache.exists()


def import_everything(interpreter: tuple[str | Path, ...]) -> None:
    """See that each of the engine's modules can be imported by a Python that is older than Home Assistant's."""
    code = f"""
import importlib.util, pkgutil, sys
spec = importlib.util.spec_from_file_location("engine", {str(ENGINE / "__init__.py")!r})
engine = sys.modules["engine"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(engine)
for module in pkgutil.iter_modules(engine.__path__):
    if module.name != "__main__":
        importlib.import_module(f"engine.{{module.name}}")
print(sys.version_info[:2])
"""
    done = subprocess.run([*interpreter, "-I", "-B", "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "(3, 13)\n"), done.stderr


def encoded(image: Image.Image, kind: str) -> bytes:
    """Return an image as a file."""
    file = BytesIO()
    image.save(file, kind)
    return file.getvalue()
