"""The engine beside `DeepFace.represent` with the same weights. Runs in the engine's environment."""

from collections.abc import Iterator
from contextlib import contextmanager
import json
import os
from pathlib import Path
from statistics import median
import subprocess
import sys
import tempfile
import time
from typing import Any

from .context import Bench, Engine
from .figures import Figures, ratio
from .frames import Box, Frame, counted_frames

ROUNDS = {"720p": 20, "1080p": 15, "4K": 10}
SETTLE = 0.02
"""Seconds until the other's threads no longer wait for work by spinning."""
WORKER = Path(__file__).with_name("represent_worker.py")


class Represent:
    """A process that calls `DeepFace.represent` on JPEG files, with all cores as it comes."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        """Use `represent`."""
        self._process = process
        self._folder = folder

    def ask(self, frame: Frame) -> dict[str, Any]:
        """Return the seconds from the JPEG's bytes to embeddings, and the boxes of the faces found."""
        path = self._folder / f"{frame.kind}.jpg"
        if not path.exists():
            path.write_bytes(frame.jpeg)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit("bench: DeepFace.represent failed")
        return dict(json.loads(answer))


@contextmanager
def represent(bench: Bench) -> Iterator[Represent]:
    """Start the process, and end it afterwards."""
    weights = bench.module("weights")
    environment = os.environ | {
        "DEEPFACE_HOME": str(weights.weights_folder(bench.weights, weights.Variant.INT8BQ)),
        "DEEPFACE_BACKEND_ENGINE": "onnx",
        "DEEPFACE_LOG_LEVEL": "40",
    }
    with tempfile.TemporaryDirectory(prefix="ff-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-I", str(WORKER)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            yield Represent(process, Path(folder))
        finally:
            process.terminate()
            process.wait()


def represent_vs_engine(bench: Bench) -> Figures:
    """Measure how many times as long `DeepFace.represent` takes as the engine, and the faces each finds."""
    ratios: Figures = {}
    seconds: Figures = {}
    found: Figures = {}
    with bench.engine() as engine, represent(bench) as peer:
        for frame in bench.timed_frames:

            def ours(frame: Frame = frame) -> float:
                time.sleep(SETTLE)
                begun = time.perf_counter()
                engine.post(frame.jpeg)
                return time.perf_counter() - begun

            def theirs(frame: Frame = frame) -> float:
                return float(peer.ask(frame)["seconds"])

            rounds = ROUNDS[frame.kind.split("_", maxsplit=1)[0]]
            mine, others = bench.beside(ours, theirs, rounds=rounds)
            ratios[frame.kind] = ratio(others, mine)
            seconds[frame.kind] = median(others) * 1000
            found[frame.kind] = _found(frame, engine, peer)
        for frame in () if bench.quick else counted_frames(bench.heads):
            found[frame.kind] = _found(frame, engine, peer)
    return {"represent_vs_engine": ratios, "represent_ms": seconds, "faces_found": found}


def _found(frame: Frame, engine: Engine, peer: Represent) -> Figures:
    """Return how many faces there are and how many of them each finds; whatever is no face counts for neither."""
    ours: list[Box] = [tuple(face["box"]) for face in engine.post(frame.jpeg)["faces"]]
    theirs: list[Box] = [tuple(box) for box in peer.ask(frame)["boxes"]]
    return {"there": len(frame.faces), "ours": frame.found(ours), "represent": frame.found(theirs)}
