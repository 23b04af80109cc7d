"""Which weights there are, each pinned by SHA-256. Nothing native is imported here: Home Assistant reads it too."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

ZOO = "https://github.com/opencv/opencv_zoo/raw/main/models"
"""The OpenCV Zoo, the publisher of both models; its LFS pointers carry the same hashes."""


class Variant(StrEnum):
    """Which pair of the same two models. Embeddings of the two are not promised to be comparable."""

    INT8BQ = "int8bq"
    """Quantised for the way (11 MB), folded into float32. What the figures were measured with."""
    FLOAT32 = "float32"
    """As published (39 MB)."""


@dataclass(frozen=True, slots=True)
class Weights:
    """One pinned file."""

    name: str
    """As its publisher names it."""
    loaded_as: str
    """The name that deepface looks for."""
    sha256: str
    url: str
    size: int
    """The most bytes that a download may have."""
    licence: str
    any_size: bool = False
    """Whether its pictures may have any size."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A detector and a recogniser."""

    detector: Weights
    recogniser: Weights

    def __iter__(self) -> Iterator[Weights]:
        """Return both."""
        yield self.detector
        yield self.recogniser


def _detector(name: str, sha256: str) -> Weights:
    url = f"{ZOO}/face_detection_yunet/{name}"
    return Weights(name, "face_detection_yunet_2023mar.onnx", sha256, url, 1 << 20, "MIT", any_size=True)


def _recogniser(name: str, sha256: str) -> Weights:
    url = f"{ZOO}/face_recognition_sface/{name}"
    return Weights(name, "face_recognition_sface_2021dec.onnx", sha256, url, 64 << 20, "Apache-2.0")


PINNED = {
    Variant.INT8BQ: Pair(
        _detector(
            "face_detection_yunet_2023mar_int8bq.onnx",
            "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
        ),
        _recogniser(
            "face_recognition_sface_2021dec_int8bq.onnx",
            "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
        ),
    ),
    Variant.FLOAT32: Pair(
        _detector(
            "face_detection_yunet_2023mar.onnx",
            "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        ),
        _recogniser(
            "face_recognition_sface_2021dec.onnx",
            "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
        ),
    ),
}
