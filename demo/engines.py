"""Each place where an engine can be, for `script/demo --engine`: how it is made there, and what an owner says of it."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
import json
import os
from pathlib import Path
import secrets
import shutil
import tempfile

from .certificates import make_certificate
from .client import DemoFailed, Json
from .home import SOURCE, end, free_port
from .supervisor import supervising

THIS_MACHINE = "this-machine"
KINDS = {
    THIS_MACHINE: "Home Assistant installs and starts it, with this machine's C library",
    "no-libc": "the same where there is no C library: in a root that holds a static busybox and nothing else; needs root",
    "tls": "elsewhere, with a token, over HTTPS with a certificate that its owner made",
    "app": "the app: the steps of its image in a plain folder, announced to Home Assistant through a stand-in for the Supervisor; needs root",
    "several": "elsewhere, two of them",
    "ray": "elsewhere, two replicas on Ray Serve (script/setup ray)",
    "address": "one that runs already: its address and token in FAMILIAR_FACES_ENGINE_URL and FAMILIAR_FACES_ENGINE_TOKEN",
}
START_SECONDS = 180
STOP_SECONDS = 60
ANNOUNCE_SECONDS = 30
SCRIPTS = SOURCE.parent.parent / "script"
BUSYBOX = Path("/bin/busybox")

# Run in Home Assistant before anything else. The C library has no name, as where there is none, and what is started
# through the private runtime's loader is started in the bare root, with nothing but Home Assistant's own folder.
NO_LIBC = """\
import asyncio, os, sys
os.confstr = lambda name: None
def _enter(start, before):
    async def entered(program, *arguments, **more):
        inside = os.path.basename(str(program)).startswith("ld-linux")
        return await start(*(before if inside else ()), program, *arguments, **more)
    return entered
asyncio.create_subprocess_exec = _enter(asyncio.create_subprocess_exec, {before!r})
"""
# Mounts that only the process and its children see, so that nothing is left mounted.
ENTER = """\
set -e
root=$1 config=$2
shift 2
mount --make-rprivate /
mount -t proc proc "$root/proc"
mount --bind "$config" "$root$config"
exec chroot "$root" "$@"
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an engine is."""

    prelude: str = ""
    """Python that Home Assistant runs before anything else."""
    elsewhere: Json | None = field(default=None, repr=False)
    """What is filled in for an engine on another machine; None for this machine."""
    announced: bool = False
    """Whether an app has announced it, so that Home Assistant offers it."""


@asynccontextmanager
async def made(kind: str, config: Path) -> AsyncGenerator[Place]:
    """Have an engine of a kind, or have Home Assistant make it, for as long as it is used."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ff-", dir="/tmp")))
        token = secrets.token_urlsafe(32)
        match kind:
            case "no-libc":
                yield Place(NO_LIBC.format(before=await asyncio.to_thread(_bare_root, folder, config)))
            case "tls":
                certificate, key, digest = await asyncio.to_thread(make_certificate, folder)
                options = ("--tls-certificate", certificate, "--tls-key", key)
                url = await stack.enter_async_context(_engine(folder, token, *options))
                yield Place(elsewhere=_said([url], token, fingerprint=digest.hex()))
            case "app":
                await stack.enter_async_context(_app())
                yield Place(announced=True)
            case "several":
                urls = [
                    await stack.enter_async_context(_engine(folder / name, token)) for name in ("one", "two")
                ]
                yield Place(elsewhere=_said(urls, token))
            case "ray":
                url = await stack.enter_async_context(_ray(folder, token))
                yield Place(elsewhere=_said([url], token))
            case "address":
                try:
                    url, token = (os.environ[f"FAMILIAR_FACES_ENGINE_{each}"] for each in ("URL", "TOKEN"))
                except KeyError as err:
                    raise DemoFailed(f"{err.args[0]} is not set.") from err
                yield Place(elsewhere=_said([url], token))
            case _:
                yield Place()


def _said(urls: Sequence[str], token: str, **more: str) -> Json:
    first, *others = urls
    said: Json = {"url": first, "token": token, "verify_ssl": True, **more}
    return said | {"other_urls": others} if others else said


@asynccontextmanager
async def _engine(folder: Path, token: str, *options: str | Path) -> AsyncGenerator[str]:
    """Run an engine with a token on a port of this machine, and yield its address."""
    python = os.environ.get("FAMILIAR_FACES_ENGINE_PYTHON")
    weights = os.environ.get("FAMILIAR_FACES_ENGINE_WEIGHTS")
    if not python or not weights:
        raise DemoFailed("The engine is not prepared: run this with script/demo.")
    command = (python, "-I", SOURCE / "engine" / "__main__.py", "serve", "--weights", weights, "--port", "0")
    token_file = _write(folder, token)
    async with _running(folder / "log", *command, *options, "--token-file", token_file) as said:
        yield said


@asynccontextmanager
async def _ray(folder: Path, token: str) -> AsyncGenerator[str]:
    """Run two replicas on Ray Serve, and yield their address."""
    weights = os.environ.get("FAMILIAR_FACES_ENGINE_WEIGHTS")
    if not weights:
        raise DemoFailed("The engine is not prepared: run this with script/demo.")
    port = free_port(0)
    options = ("--weights", weights, "--host", "127.0.0.1", "--port", str(port))
    # Two share this machine with Home Assistant, so that each is to count for less than a processor.
    more = ("--least", "2", "--most", "2", "--cores", "0.5")
    command = (SCRIPTS / "ray", *options, *more, "--token-file", _write(folder, token))
    async with _running(folder / "log", *command) as said:
        yield f"http://{said}"


@asynccontextmanager
async def _app() -> AsyncGenerator[None]:
    """Run the app until it has announced itself, and as long as it is used."""
    if os.geteuid() != 0:
        raise DemoFailed("An app's image is made and run by root: run this as root.")
    async with supervising() as supervisor:
        with tempfile.TemporaryDirectory(prefix="ff-", dir="/tmp") as folder:
            env = os.environ | {"SUPERVISOR_TOKEN": supervisor.token}
            command = (SCRIPTS / "image", "--run", supervisor.address)
            async with _running(Path(folder) / "log", *command, env=env):
                for _ in range(ANNOUNCE_SECONDS):
                    if supervisor.told:
                        break
                    await asyncio.sleep(1)
                else:
                    raise DemoFailed("The app did not announce itself.")
                yield


def _write(folder: Path, token: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "token"
    path.touch(0o600)
    path.write_text(token)
    return path


@asynccontextmanager
async def _running(
    log_file: Path, *command: str | Path, env: Mapping[str, str] | None = None
) -> AsyncGenerator[str]:
    """Run what says in a line where it is ready; yield that, and end it."""
    with log_file.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        try:
            async with asyncio.timeout(START_SECONDS):
                ready = await _ready(process.stdout)
        except TimeoutError:
            ready = None
        if ready is None:
            words = await asyncio.to_thread(log_file.read_text, errors="replace")
            raise DemoFailed(f"The engine did not start: {words[-1500:]}")
        yield ready
    finally:
        await end(process, STOP_SECONDS)


async def _ready(said: asyncio.StreamReader) -> str | None:
    """Return where it is ready; None when it ended before. What else is said is passed over."""
    while line := await said.readline():
        with suppress(ValueError, TypeError, KeyError):
            return str(json.loads(line)["ready"])
    return None


def _bare_root(folder: Path, config: Path) -> tuple[str, ...]:
    """Make a root with a static busybox, and return what stands before a command that runs in it."""
    if os.geteuid() != 0:
        raise DemoFailed("Only root may change the root: run this as root.")
    if not BUSYBOX.exists():
        raise DemoFailed(f"{BUSYBOX} is missing: run script/setup runtime.")
    root = folder / "root"
    for each in ("bin", "proc", "dev", "tmp", str(config.resolve())[1:]):
        (root / each).mkdir(parents=True)
    shutil.copy(BUSYBOX, root / "bin" / "busybox")
    os.mknod(root / "dev" / "null", 0o20666, os.makedev(1, 3))
    return ("unshare", "--mount", "sh", "-c", ENTER, "sh", str(root), str(config.resolve()))
