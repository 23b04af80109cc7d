"""The measures of script/bench. Runs in the engine's environment.

A measure is a function that takes a `Bench` and returns its figures by name; add it to MEASURES.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
import http.client
import json
import os
from pathlib import Path
import socket
from statistics import median
import subprocess
import sys
import tempfile
import time

# As the engine sets it, so that both sides have the same threads and say as little.
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")

import cv2
import numpy as np
import onnxruntime

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ROOT / "custom_components" / "familiar_faces" / "engine" / "__main__.py"
ROUNDS = 40
WARM_UP = 5
THREADS = 1
"""What the engine gives one inference; the bare models get the same."""
SEEN_AS = 20 / 40
"""How small the engine's detector sees a frame when faces of 40 pixels are asked for."""

Figures = dict[str, float]


class Engine:
    """An engine of our own on a Unix socket."""

    def __init__(self, process: subprocess.Popen[bytes], path: Path, ready_seconds: float) -> None:
        """Use `Bench.engine`."""
        self.process = process
        self.ready_seconds = ready_seconds
        self._path = path

    def post(self, image: bytes) -> dict[str, object]:
        """Return the engine's answer, over a new connection as Home Assistant makes one."""
        connection = http.client.HTTPConnection("engine")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self._path))
        connection.request("POST", "/v1/faces", image)
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
        if response.status != 200:
            raise SystemExit(f"bench: the engine answered {response.status}: {answer}")
        return dict(answer)

    def memory_mb(self) -> float:
        """Return its resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


class Bench:
    """What the measures share."""

    def __init__(self, weights: Path, portrait: Path, home_python: Path) -> None:
        """Prepare the frame."""
        self.weights = weights
        self.home_python = home_python
        self.frame = make_frame(portrait)

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """Start an engine and end it afterwards."""
        with tempfile.TemporaryDirectory(prefix="ff-") as folder:
            path = Path(folder) / "engine.sock"
            command = [sys.executable, "-I", ENGINE, "serve", "--socket", path, "--weights", self.weights]
            begun = time.perf_counter()
            process = subprocess.Popen(
                [*map(str, command), "--exit-with-parent"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            try:
                if not process.stdout or not process.stdout.readline():
                    raise SystemExit("bench: the engine did not start")
                yield Engine(process, path, time.perf_counter() - begun)
            finally:
                process.terminate()
                process.wait()


def make_frame(portrait: Path) -> bytes:
    """Return a 1080p JPEG in which the portrait's face is about 93 pixels wide, before a soft background."""
    picture = cv2.imread(str(portrait))
    if picture is None:
        raise SystemExit(f"bench: {portrait} is not a picture")
    coarse = np.random.default_rng(1).integers(60, 200, (27, 48, 3), dtype=np.uint8)
    frame = cv2.resize(coarse, (1920, 1080), interpolation=cv2.INTER_CUBIC)
    frame[300:812, 700:1212] = cv2.resize(picture, (512, 512), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 90])[1])


def bare_models(weights: Path, frame: bytes) -> Callable[[], float]:
    """Return a function that gives the seconds of decode, YuNet and SFace alone, with nothing between."""
    folder = weights / "int8bq" / ".deepface" / "weights"
    cv2.setNumThreads(THREADS)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(folder / "face_recognition_sface_2021dec.onnx"), options)
    image = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR)
    small = cv2.resize(image, None, fx=SEEN_AS, fy=SEEN_AS, interpolation=cv2.INTER_AREA)
    detector = cv2.FaceDetectorYN.create(
        str(folder / "face_detection_yunet_2023mar.onnx"), "", small.shape[1::-1], 0.7
    )
    crop = cv2.resize(image[340:500, 840:1000], (112, 112))
    blob = np.ascontiguousarray(crop[..., ::-1].transpose(2, 0, 1)[None], dtype=np.float32)
    buffer = np.frombuffer(frame, np.uint8)

    def run() -> float:
        begun = time.perf_counter()
        cv2.imdecode(buffer, cv2.IMREAD_COLOR)
        detector.detect(small)
        session.run(None, {session.get_inputs()[0].name: blob})
        return time.perf_counter() - begun

    return run


def engine_vs_models(bench: Bench) -> Figures:
    """Compare the engine's answer to a 1080p frame with one face with the bare calls it cannot do without."""
    with bench.engine() as engine:
        bare = bare_models(bench.weights, bench.frame)
        ours, theirs, inside = [], [], []
        for round_ in range(WARM_UP + ROUNDS):
            begun = time.perf_counter()
            answer = engine.post(bench.frame)
            took = time.perf_counter() - begun
            beside = bare()
            if len(answer["faces"]) != 1:  # type: ignore[arg-type]
                raise SystemExit("bench: the engine did not find the one face")
            if round_ >= WARM_UP:
                ours.append(took)
                theirs.append(beside)
                inside.append(float(answer["ms"]["total"]))  # type: ignore[index]
        return {
            "engine_vs_models": median(ours) / median(theirs),
            "engine_ms": median(ours) * 1000,
            "engine_inside_ms": median(inside),
            "models_ms": median(theirs) * 1000,
            "engine_mb": engine.memory_mb(),
        }


def engine_ready(bench: Bench) -> Figures:
    """Measure how long the engine takes from its start until it answers."""
    seconds = []
    for _ in range(3):
        with bench.engine() as engine:
            seconds.append(engine.ready_seconds)
    return {"engine_ready_s": median(seconds)}


def home(bench: Bench) -> Figures:
    """Measure a ring in a real Home Assistant: from the trigger to the name, without the camera's own time."""
    if not bench.home_python.exists():
        raise SystemExit("bench: the development environment is missing: run script/setup dev")
    command = [bench.home_python, "-B", ROOT / "script" / "bench_home.py", sys.executable, bench.weights]
    done = subprocess.run([*map(str, command)], capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: {done.stderr.decode(errors='replace')[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


MEASURES: dict[str, Callable[[Bench], Figures]] = {
    "engine_vs_models": engine_vs_models,
    "engine_ready": engine_ready,
    "home": home,
}


def main() -> None:
    """Run the measures asked for."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure what the project promises.")
    parser.add_argument(
        "measures", nargs="*", metavar="measure", help=f"of {', '.join(MEASURES)} (default: all)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--weights", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--portrait", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--home-python", type=Path, required=True, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if unknown := set(asked.measures) - set(MEASURES):
        parser.error(f"unknown measure {', '.join(sorted(unknown))}: there are {', '.join(MEASURES)}")
    bench = Bench(asked.weights, asked.portrait, asked.home_python)
    figures: Figures = {}
    for name in asked.measures or MEASURES:
        figures |= MEASURES[name](bench)
    figures = {name: round(value, 3) for name, value in figures.items()}
    if asked.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:20} {value:10.3f}")


if __name__ == "__main__":
    main()
