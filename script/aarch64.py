"""Makes and asks an engine for 64-bit ARM in an emulator: see script/aarch64. In a mount namespace of its own."""

import argparse
import asyncio
import io
import json
import os
from pathlib import Path
import subprocess
import sys
import tempfile
import time

import numpy as np
from numpy.typing import NDArray
from PIL import Image
import skimage

from custom_components.familiar_faces.engine.protocol import decode_embedding
from custom_components.familiar_faces.host.client import EngineClient
from custom_components.familiar_faces.host.engine_errors import EnvironmentFailed
from custom_components.familiar_faces.host.environment import Environment
from custom_components.familiar_faces.host.installing import SHORT
from custom_components.familiar_faces.host.machine import Machine
from custom_components.familiar_faces.host.private_runtime import PrivateRuntime
from custom_components.familiar_faces.host.serving import ENGINE, Server, open_session

QEMU = "/usr/bin/qemu-aarch64-static"
BOARD = "cortex-a72"
"""The processor of a Raspberry Pi 4."""
# The emulator shows this machine's own, of which onnxruntime's library crashes.
CPUINFO = "".join(
    f"processor\t: {number}\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\n"
    "CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n\n"
    for number in range(4)
)
MACHINE = Machine("Linux", "aarch64", "musl", "cpython-314-aarch64-linux-musl")
ALIKE = 0.9999
"""Cosine of the two embeddings from which they are the same but for rounding."""


def main() -> int:
    """Make it and ask it; return the process's exit code."""
    parser = argparse.ArgumentParser(prog="script/aarch64")
    parser.add_argument("--uv", required=True)
    parser.add_argument("--python", required=True, help="with this machine's packages of the engine")
    parser.add_argument("--weights", required=True)
    asked = parser.parse_args()
    os.environ["QEMU_CPU"] = BOARD
    outside = PrivateRuntime.interpreter

    def interpreter(self: PrivateRuntime, folder: Path) -> tuple[str | Path, ...]:
        return (QEMU, *outside(self, folder))

    PrivateRuntime.interpreter = interpreter  # type: ignore[method-assign]
    # Short, so that a socket's path fits.
    with tempfile.TemporaryDirectory(prefix="ff", dir="/tmp") as name:
        folder = Path(name)
        photo = folder / "photo.jpg"
        photo.write_bytes(_portrait())
        here = _embedding_here(asked.python, asked.weights, photo)
        (folder / "cpuinfo").write_text(CPUINFO)
        subprocess.run(["mount", "--bind", folder / "cpuinfo", "/proc/cpuinfo"], check=True)
        environment = Environment(folder / "cache", Path(sys.executable), (asked.uv,), machine=MACHINE)
        try:
            there = asyncio.run(_embedding_there(environment, folder / "cache", photo.read_bytes()))
        except EnvironmentFailed as err:
            say(f"FAILED: {err.reason_key}: {err}")
            return 1
        cosine = float(here @ there)
        print(json.dumps({"processor": MACHINE.processor, "emulated": True, "cosine": round(cosine, 7)}))
        if cosine < ALIKE:
            say("FAILED: it makes another embedding than this machine")
            return 1
    return 0


async def _embedding_there(environment: Environment, cache: Path, photo: bytes) -> NDArray[np.float32]:
    """Make the engine for the board, start it, and return what it makes of the one face in a photo."""
    steps: list[str] = []

    def progress(_share: float, step: str) -> None:
        if step not in steps:
            steps.append(step)
            say(step)

    await environment.prepare(progress)
    run = cache / "run"
    run.mkdir(exist_ok=True)
    async with open_session(run) as session:
        client = EngineClient(session, "http://engine")
        server = await Server.start(environment.interpreter, environment.weights, run, client, timeout=SHORT)
        try:
            say("it serves")
            seen = await client.faces(photo, timeout=SHORT)
        finally:
            await server.stop()
    (face,) = seen.faces
    return face.embedding


def _embedding_here(python: str, weights: str, photo: Path) -> NDArray[np.float32]:
    """Return what this machine's engine makes of the one face in a photo."""
    command = (python, "-I", ENGINE / "__main__.py", "faces", "--weights", weights, photo)
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (face,) = json.loads(said)["faces"]
    return decode_embedding(face["embedding"])


def _portrait() -> bytes:
    """Return a public-domain portrait."""
    image = Image.open(Path(skimage.__file__).parent / "data" / "astronaut.png").convert("RGB")
    image.save(file := io.BytesIO(), "JPEG", quality=95)
    return file.getvalue()


BEGAN = time.monotonic()


def say(text: str) -> None:
    """Print a line with the seconds since the start."""
    print(f"[{time.monotonic() - BEGAN:5.1f} s] {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
