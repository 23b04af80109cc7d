"""Loads the two models through deepface, from checked weights, and keeps it from doing anything else."""

from dataclasses import dataclass
import os
from pathlib import Path
from typing import Any

from .pinned import PINNED, Variant
from .sessions import THREADS, Card, Provider, Session
from .weights import prepare, weights_folder
from .yunet import YuNet


@dataclass(frozen=True, slots=True)
class Models:
    """deepface's two model clients, and what their weights were."""

    detector: Any
    """What deepface's YuNetClient uses for a `cv2.FaceDetectorYN`."""
    recogniser: Any
    """deepface's SFaceClient."""
    variant: Variant
    card: Card
    """Whether they are computed on a graphics card."""


def load(home: Path, variant: Variant = Variant.INT8BQ, provider: Provider = Provider.CPU) -> Models:
    """Return both models, their weights checked first; raise WeightsError.

    `home` is the engine's cache folder, where checked weights are kept. Loads once per process: deepface
    keeps what it built.
    """
    paths = prepare(home, variant)
    os.environ |= {
        "DEEPFACE_HOME": str(weights_folder(home, variant)),
        # It would pick TensorFlow or PyTorch when they are installed.
        "DEEPFACE_BACKEND_ENGINE": "onnx",
        # It prints its log to standard output; only errors may pass.
        "DEEPFACE_LOG_LEVEL": "40",
        # Its own session is never used.
        "DEEPFACE_ONNX_PROVIDERS": "cpu",
        # Otherwise onnxruntime tells its publisher about every model it runs, from a few seconds after the start
        # on, and leaves an identifier of this machine in the user's cache. Read when it is imported.
        "ORT_DISABLE_TELEMETRY": "1",
    }
    import cv2
    from deepface import DeepFace

    cv2.setNumThreads(THREADS)
    # OpenCV warns of things that are ours to judge: broken files, a target that it chooses itself.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    detector = DeepFace.build_model(task="face_detector", model_name="yunet")
    recogniser = DeepFace.build_model(task="facial_recognition", model_name="SFace")
    # OpenCV takes three times as long for the detector, and deepface's session takes every core and lets its
    # threads spin while idle. The same checked files again, each with one quiet thread and without an arena
    # that never gives memory back.
    pair = PINNED[variant]
    detector.model = recogniser.model = None
    card = Card(provider)
    detector.model = YuNet(Session(paths[pair.detector.loaded_as], card))
    recogniser.model = Session(paths[pair.recogniser.loaded_as], card)
    return Models(detector.model, recogniser, variant, card)
