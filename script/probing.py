"""Asks an engine that runs on this machine what its clients ask, and looks at its processes."""

import io
import json
from pathlib import Path
import signal
import subprocess
import time
import urllib.error
import urllib.request

from chroots import Failed, expect, say
from PIL import Image
import skimage

ROOT = Path(__file__).resolve().parent.parent
PORT = 8127
URL = f"http://127.0.0.1:{PORT}"
READY_SECONDS = 60


def ask_all(process: subprocess.Popen[bytes], token: str) -> None:
    """Ask an engine everything that a client and a watchdog ask; raise Failed."""
    ready(process)
    expect(ask("/v1/health")[0] == 401, "it answers without a token")
    status, health = ask("/v1/health", token)
    expect(status == 200, f"it is not well: {health!r}")
    manifest = json.loads(
        (ROOT / "custom_components" / "familiar_faces" / "manifest.json").read_text("utf-8")
    )
    expect(json.loads(health)["version"] == manifest["version"], "it is another version than the integration")
    # A public-domain portrait of 512 by 512 pixels.
    portrait = Image.open(Path(skimage.__file__).parent / "data" / "astronaut.png").convert("RGB")
    picture = io.BytesIO()
    portrait.save(picture, "JPEG")
    begun = time.monotonic()
    status, faces = ask("/v1/faces", token, picture.getvalue())
    expect(
        status == 200 and len(json.loads(faces)["faces"]) == 1, f"it does not find the face: {faces[:200]!r}"
    )
    # Whatever is not small and quick is decoded by a process of its own.
    portrait.resize((2048, 2048)).save(picture := io.BytesIO(), "PNG")
    status, faces = ask("/v1/faces?upload=1", token, picture.getvalue())
    expect(status == 200, f"it decodes nothing apart: {faces[:200]!r}")
    say(f"two pictures in {time.monotonic() - begun:.2f} s, {memory_mb(process.pid):.0f} MB")


def ready(process: subprocess.Popen[bytes]) -> None:
    """Wait until it answers a watchdog; raise Failed."""
    begun = time.monotonic()
    while ask("/v1/alive")[0] != 204:
        expect(process.poll() is None, f"it ended with {process.returncode}")
        expect(time.monotonic() - begun < READY_SECONDS, "it is not ready in time")
        time.sleep(0.1)


def ask(path: str, token: str | None = None, body: bytes | None = None) -> tuple[int, bytes]:
    """Return the status and the body of an answer; 0 when there is none."""
    request = urllib.request.Request(URL + path, body, {"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as err:
        return err.code, err.read()
    except OSError as err:
        return 0, repr(err).encode()


def end(process: subprocess.Popen[bytes]) -> None:
    """End it as Docker does; raise Failed."""
    process.send_signal(signal.SIGTERM)
    try:
        code = process.wait(15)
    except subprocess.TimeoutExpired:
        raise Failed("it does not end when it is told to") from None
    expect(code == 0, f"it ended with {code}")


def children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def uids(pid: int) -> set[int]:
    """Return the users that a process is, or may become."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return {int(each) for line in lines if line.startswith("Uid:") for each in line.split()[1:]}


def environ(pid: int) -> bytes:
    """Return the environment that a process began with."""
    return Path(f"/proc/{pid}/environ").read_bytes()


def writes(pid: int, path: str) -> bool:
    """Return whether the root of a process can be written to, even by root."""
    try:
        with open(f"/proc/{pid}/root{path}", "wb"):  # noqa: PTH123
            return True
    except OSError:
        return False


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process and of those that it started, in MB."""
    total = 0.0
    for each in (pid, *children(pid)):
        status = Path(f"/proc/{each}/status").read_text("ascii").splitlines()
        total += next((int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS")), 0.0)
    return total
