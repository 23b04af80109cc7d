"""A Home Assistant of its own: a folder, a process, and nothing left of both."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
import fcntl
import json
import os
from pathlib import Path
import random
import re
import shutil
import signal
import socket
import sys
from tempfile import mkdtemp
from zoneinfo import ZoneInfo

import aiohttp

from .client import DemoFailed

DOMAIN = "familiar_faces"
SOURCE = Path(__file__).resolve().parent.parent / "custom_components" / DOMAIN
PORT = 8123
ANY_PORT = range(20000, 32000)
"""Below those that a system hands out: who is given one at random does not take it before Home Assistant does."""
USER = PASSWORD = "demo"
START_SECONDS = 240
"""The first start fetches and unpacks the frontend, some 100 MB."""
STOP_SECONDS = 30
HOME = "Demo house, 7 Goldfinch Lane"
TIME_ZONE = "Europe/Amsterdam"
LATITUDE, LONGITUDE = 52.006173, 4.361928
"""Where it stands: told to Home Assistant alone, so that a test can search for it everywhere else."""
LAST_LINES = 15
CONSOLE = "console.log"
NEW, KNOWN = "/api/onboarding", "/auth/providers"
"""What a Home Assistant serves as soon as a new user can be welcomed, and one that has its owner, can log in."""
TRIES = 3
"""How often Home Assistant tries to install a package."""
_NOT_INSTALLED = re.compile(r"Unable to install package ([^:\s]+):")
LOCK = "in-use"
TEMPORARY = "tmp"

# What a house with a frontend needs, and no more: each further integration is fetched at the first start.
CONFIGURATION = """\
homeassistant:
  name: {home}
  latitude: {latitude}
  longitude: {longitude}
  unit_system: metric
  time_zone: {time_zone}
  country: NL
  currency: EUR
  internal_url: {url}

frontend:
history:
logbook:
my:
person:

recorder:
  commit_interval: 1

input_button:
  doorbell:
    name: Doorbell
    icon: mdi:doorbell

logger:
  default: warning
  logs:
    custom_components.familiar_faces: info
    # What this machine may lack for things that the demo does not do.
    aiohttp_fast_zlib: error
    haffmpeg: fatal
    homeassistant.components.camera.img_util: fatal
"""

# It dies with us, also when we are killed; Linux only, like the rest of this.
LAUNCHER = """\
import ctypes, os, runpy, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(sys.argv.pop(1)):
    sys.exit("the demo has ended")
runpy.run_module("homeassistant", run_name="__main__", alter_sys=True)
"""


@contextmanager
def folder(cache: Path, keep: Path | None) -> Iterator[Path]:
    """Yield an empty configuration folder; remove it afterwards unless it is to be kept."""
    if keep is not None:
        if keep.exists() and any(keep.iterdir()):
            raise DemoFailed(f"{keep} is not empty: name a new folder.")
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    cache.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(cache)
    path = Path(mkdtemp(prefix="home-", dir=cache))
    with (path / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def _remove_abandoned(cache: Path) -> None:
    """Remove what demos left that were killed."""
    for path in cache.glob("home-*"):
        try:
            with (path / LOCK).open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            continue
        except FileNotFoundError:
            # Another demo is making or removing it right now.
            continue


def free_port(wanted: int | None) -> int:
    """Return the wanted port, or without one 8123, or any when that is taken; raise DemoFailed."""
    ports = [wanted] if wanted else random.sample(ANY_PORT, 20)
    if wanted is None:
        ports.insert(0, PORT)
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DemoFailed(f"Port {wanted} is taken: stop what uses it, or name another with --port.")


def today() -> date:
    """Return the day that it is in the home, which may be another one than here."""
    return datetime.now(ZoneInfo(TIME_ZONE)).date()


def install(path: Path, source: Path = SOURCE) -> None:
    """Copy the integration into a configuration folder, as HACS does: its one folder and nothing else."""
    if not (source / "manifest.json").is_file():
        raise DemoFailed(f"{source} is missing: this checkout is not complete.")
    shutil.copytree(
        source, path / "custom_components" / DOMAIN, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )


def configure(path: Path, port: int, *integrations: str, time_zone: str = TIME_ZONE) -> None:
    """Write what the owner of a house would have written or answered; `integrations`: more than all houses have."""
    text = CONFIGURATION.format(
        home=HOME,
        latitude=LATITUDE,
        longitude=LONGITUDE,
        url=f"http://127.0.0.1:{port}",
        time_zone=time_zone,
    )
    text += "".join(f"\n{name}:\n" for name in integrations)
    (path / "configuration.yaml").write_text(text)
    storage = path / ".storage"
    storage.mkdir()
    # The owner is made over the API. The other questions are answered here: answering them there also sets
    # up a weather service, a radio directory and a speech service, and those fetch things from elsewhere.
    _store(storage, "onboarding", (4, 1), {"done": ["core_config", "analytics", "integration"]})
    # An address that comes from the YAML is on trial: unconfirmed, Home Assistant restarts without it.
    address = {
        "server_host": ["127.0.0.1"],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": True,
        "ssl_profile": "modern",
        "use_x_frame_options": True,
        "created_at": datetime.now(UTC).isoformat(),
        "error": None,
        "error_message": None,
    }
    _store(storage, "http", (2, 2), {"stable": address, "pending": None, "yaml_migration_done": True})


def _store(storage: Path, key: str, version: tuple[int, int], data: dict[str, object]) -> None:
    """Write a file of Home Assistant's own storage, as this release of it does."""
    text = json.dumps({"version": version[0], "minor_version": version[1], "key": key, "data": data})
    (storage / key).write_text(text)


@dataclass(slots=True)
class Running:
    """A Home Assistant that serves."""

    url: str
    process: asyncio.subprocess.Process

    async def kill(self) -> None:
        """End it, and all that it started, without warning."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> None:
        """End it in order, so that all of it is on the disk."""
        await _stop(self.process)


@asynccontextmanager
async def running(path: Path, port: int, prelude: str = "") -> AsyncGenerator[str]:
    """Run the Home Assistant of a configuration folder; yield its URL once it serves its frontend."""
    async with launched(path, port, prelude=prelude) as started:
        yield started.url


@asynccontextmanager
async def launched(
    path: Path, port: int, *, serves: str = NEW, prelude: str = "", arguments: tuple[str, ...] = ()
) -> AsyncGenerator[Running]:
    """Run it as above; yield the process once it answers at the path `serves`.

    `prelude`: Python that is run in it before anything else; `arguments`: more of them for Home Assistant.
    """
    temporary = path / TEMPORARY
    temporary.mkdir(exist_ok=True)
    with (path / CONSOLE).open("wb") as console:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-c", prelude + LAUNCHER, str(os.getpid()), "--config", str(path), *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            # Not the checkout: Home Assistant is to find only what was copied.
            cwd=path,
            env=_environment(temporary),
            # Ctrl-C is for us; we stop it in order.
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        await _started(process, path, f"{url}{serves}")
        yield Running(url, process)
    finally:
        await _stop(process)


def last_lines(path: Path) -> str:
    """Return the end of what Home Assistant said."""
    lines = _console(path).splitlines()
    # Where in the code it happened helps nobody who watches a demo.
    return "\n".join([line for line in lines if line and not line[0].isspace()][-LAST_LINES:])


def _console(path: Path) -> str:
    try:
        return (path / CONSOLE).read_text(errors="replace")
    except OSError:
        return ""


async def _started(process: asyncio.subprocess.Process, path: Path, url: str) -> None:
    """Return when there is something at an address."""
    end = asyncio.get_running_loop().time() + START_SECONDS
    async with aiohttp.ClientSession() as session:
        while asyncio.get_running_loop().time() < end:
            if process.returncode is not None:
                raise DemoFailed(f"Home Assistant did not start. Its last words:\n{last_lines(path)}")
            missing = _NOT_INSTALLED.findall(await asyncio.to_thread(_console, path))
            if len(missing) >= TRIES:
                raise DemoFailed(
                    f"Home Assistant could not fetch {', '.join(dict.fromkeys(missing))}: is the internet reachable?"
                )
            with suppress(aiohttp.ClientError, TimeoutError):
                # An error page tells that it serves, but not yet the frontend.
                async with session.get(url, timeout=aiohttp.ClientTimeout(5)) as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.3)
    raise DemoFailed(
        f"Home Assistant did not start within {START_SECONDS} seconds. Its last words:\n{last_lines(path)}"
    )


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        await end(process, STOP_SECONDS)


async def end(process: asyncio.subprocess.Process, patience: float) -> None:
    """End a process that leads its own group: in order if it can within some seconds, then all that it started."""
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(asyncio.shield(process.wait()), patience)
    except TimeoutError:
        pass
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _environment(temporary: Path) -> dict[str, str]:
    """Return our environment without what would lead it back to this checkout, with a temporary folder of its own.

    Home Assistant keeps uploads in one folder of a fixed name there, and another one removes it when it starts.
    """
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return kept | {"TMPDIR": str(temporary)}
