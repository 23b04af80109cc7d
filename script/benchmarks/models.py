"""The engine beside the bare calls that no engine can do without. Runs in the engine's environment."""

from statistics import median
import time
from typing import Any

import cv2
import numpy as np
import onnxruntime

from .context import Bench, Timed
from .figures import Figure, Figures, ratio
from .frames import Frame

ROUNDS = {"720p": 40, "1080p": 30, "4K": 20}
MIN_FACE = 40
SCORE = 0.7
SLICE = 0.5
SLICES = 16
"""Throughput is the median of so many slices of so many seconds."""


class Bare:
    """The bare calls for a frame: decode, YuNet and an SFace a face found, with nothing between.

    Decoding is in full. YuNet sees the frame as small as the engine's does when faces of 40 pixels are asked
    for, in one piece, and is given it ready. SFace is given crops that are ready.
    """

    def __init__(self, bench: Bench, frame: Frame, faces: int) -> None:
        """Prepare what is given ready."""
        self._buffer = np.frombuffer(frame.jpeg, np.uint8)
        image = cv2.imdecode(self._buffer, cv2.IMREAD_COLOR)
        scale = bench.module("detector").SEEN_AS / MIN_FACE
        self._small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        crop = cv2.resize(image[: min(image.shape[:2]), : min(image.shape[:2])], (112, 112))
        self._blob = np.ascontiguousarray(crop[..., ::-1].transpose(2, 0, 1)[None], dtype=np.float32)
        self._faces = faces

    def calls(self, detector: Any, session: onnxruntime.InferenceSession) -> Timed:
        """Return a function that makes the calls and returns the seconds that they took."""
        name = session.get_inputs()[0].name

        def run() -> float:
            begun = time.perf_counter()
            cv2.imdecode(self._buffer, cv2.IMREAD_COLOR)
            detector.setInputSize(self._small.shape[1::-1])
            detector.detect(self._small)
            for _ in range(self._faces):
                session.run(None, {name: self._blob})
            return time.perf_counter() - begun

        return run


def engine_vs_models(bench: Bench) -> Figures:
    """Compare the engine's answers, asked over its socket, with the bare calls, by kind of frame.

    `engine_vs_models`: the models as deepface builds them from the engine's weights, YuNet a
    `cv2.FaceDetectorYN`. `engine_vs_own_models`: as the engine runs them, YuNet in onnxruntime, too.
    """
    figures: dict[str, dict[str, Figure]] = {
        name: {}
        for name in (
            "engine_vs_models",
            "engine_vs_own_models",
            "engine_ms",
            "engine_inside_ms",
            "models_ms",
            "own_models_ms",
        )
    }
    session = bench.models.recogniser.model
    opencv = cv2.FaceDetectorYN.create(str(bench.detector_file()), "", (320, 320), SCORE)
    bench.models.detector.setScoreThreshold(SCORE)
    with bench.engine() as engine:
        for frame in bench.timed_frames:
            inside: list[float] = []

            def ours(frame: Frame = frame, inside: list[float] = inside) -> float:
                begun = time.perf_counter()
                answer = engine.post(frame.jpeg)
                took = time.perf_counter() - begun
                inside.append(float(answer["ms"]["total"]))
                return took

            bare = Bare(bench, frame, len(engine.post(frame.jpeg)["faces"]))
            sides = (ours, bare.calls(bench.models.detector, session), bare.calls(opencv, session))
            mine, own, stock = bench.beside(*sides, rounds=ROUNDS[frame.kind.split("_", maxsplit=1)[0]])
            figures["engine_vs_models"][frame.kind] = ratio(mine, stock)
            figures["engine_vs_own_models"][frame.kind] = ratio(mine, own)
            figures["engine_ms"][frame.kind] = median(mine) * 1000
            figures["engine_inside_ms"][frame.kind] = median(inside[-len(mine) :])
            figures["models_ms"][frame.kind] = median(stock) * 1000
            figures["own_models_ms"][frame.kind] = median(own) * 1000
        return {**figures, "engine_peak_mb": engine.peak_mb()}


def engine_ready(bench: Bench) -> Figures:
    """Measure how long the engine takes from its start until it answers."""
    seconds = []
    for _ in range(bench.rounds(3)):
        with bench.engine() as engine:
            seconds.append(engine.ready_seconds)
    return {"engine_ready_s": median(seconds)}


def faces_per_second(bench: Bench) -> Figures:
    """Measure how many aligned faces a second the engine's own recogniser embeds on one core."""
    pipeline = bench.module("pipeline").Pipeline(bench.weights)
    rng = np.random.default_rng(1)
    faces = [cv2.resize(head.picture, (112, 112)) for head in bench.heads]
    faces = [np.clip(face + rng.normal(0, 3, face.shape), 0, 255).astype(np.uint8) for face in faces]
    pipeline._eyes.recogniser.embed(faces)
    rates = []
    for _ in range(bench.rounds(SLICES)):
        begun, done = time.perf_counter(), 0
        while (took := time.perf_counter() - begun) < SLICE:
            done += len(pipeline._eyes.recogniser.embed(faces))
        rates.append(done / took)
    return {"faces_per_second": median(rates)}
