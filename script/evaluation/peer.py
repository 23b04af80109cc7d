"""The naive peer: `DeepFace.represent` as its documentation shows it, with the same two models.

It runs in processes of its own: the shipped engine sets deepface's models up differently.
"""

from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
import io
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from custom_components.familiar_faces.engine.pinned import Variant
from custom_components.familiar_faces.engine.pixels import decode
from custom_components.familiar_faces.engine.protocol import Embedding
from custom_components.familiar_faces.engine.weights import prepare, weights_folder

from . import verify as pairs_protocol
from .conditions import Condition
from .engine import Picture, Seen, Workers, nearest, read
from .identify import Observed, open_set
from .places import Place
from .rates import MISSED, rounded

NAMES = ("represent",)
SETTINGS = {"model_name": "SFace", "detector_backend": "yunet", "enforce_detection": True, "align": True}
THRESHOLD = 1 - 0.593
"""Cosine from which deepface 0.0.103 takes two pictures for one person's with SFace (its config.threshold)."""


class Represent(Workers):
    """`DeepFace.represent(model_name="SFace", detector_backend="yunet")` in processes of its own."""

    def __init__(self, weights: Path) -> None:
        """Load the models in each process; `weights` is where the engine keeps them."""
        super().__init__(_prepare, weights)

    def see(self, seen: Sequence[Seen], condition: Condition, what: str) -> list[Embedding | None]:
        """Return the embedding of the labelled face of each picture in a condition; None when it was missed.

        `seen`: as the shipped engine saw them in the same condition, for where the faces are.
        """
        return self.run(_see, [(each.picture, condition, each.located) for each in seen], f"{what} (peer)")


def identify(
    peer: Represent, gallery: Mapping[str, Sequence[Picture]], observed: Observed, condition: Condition
) -> dict[str, Any]:
    """Return the peer's rates, its people being the means of all their photos in which it finds a face.

    `at_its_threshold`: the shares named when a name is said from deepface's own threshold.
    """
    photos = [Seen(each, None, None, None) for some in gallery.values() for each in some]
    rows: dict[str, list[Embedding]] = {}
    for photo, embedding in zip(photos, peer.see(photos, Condition(), "photos"), strict=True):
        if embedding is not None:
            rows.setdefault(str(photo.label), []).append(embedding)
    centroids = {name: _unit(np.mean(some, axis=0)) for name, some in rows.items()}
    probes, unknown = (
        [_best(each, centroids) for each in peer.see(some, condition, what)]
        for some, what in ((observed.probes, "probes"), (observed.unknown, "unknown"))
    )
    labels = [str(each.label) for each in observed.probes]
    named = [name == label for label, (name, score) in zip(labels, probes, strict=True) if score >= THRESHOLD]
    return {
        **open_set(labels, probes, unknown),
        "at_its_threshold": {
            "right": rounded(sum(named) / len(probes)),
            "wrong": rounded((len(named) - sum(named)) / len(probes)),
            "strangers_named": rounded(float(np.mean([score >= THRESHOLD for _, score in unknown]))),
        },
    }


def verify(
    peer: Represent, scored: pairs_protocol.Scored, condition: Condition, threshold: float | None
) -> dict[str, Any]:
    """Return the peer's accuracy and true accept rates on the same pairs."""
    firsts = _by_path(peer, scored.references, Condition(), "references")
    seconds = _by_path(peer, scored.probes, condition, "probes")
    scores = [_cosine(firsts[pair.first], seconds[pair.second]) for pair in scored.pairs]
    missed = sum(each is None for each in (*firsts.values(), *seconds.values()))
    return pairs_protocol.figures(scored.pairs, scores, missed, threshold)


def _by_path(
    peer: Represent, seen: Mapping[Path, Seen], condition: Condition, what: str
) -> dict[Path, Embedding | None]:
    return dict(zip(seen, peer.see(list(seen.values()), condition, what), strict=True))


def _cosine(one: Embedding | None, other: Embedding | None) -> float:
    return MISSED if one is None or other is None else float(np.dot(one, other))


def _best(embedding: Embedding | None, centroids: Mapping[str, Embedding]) -> tuple[str | None, float]:
    if embedding is None or not centroids:
        return None, MISSED
    score, name = max((float(np.dot(row, embedding)), name) for name, row in centroids.items())
    return name, score


def _unit(vector: Embedding) -> Embedding:
    unit: Embedding = vector / max(float(np.linalg.norm(vector)), 1e-9)
    return unit


def _prepare(weights: Path) -> None:
    prepare(weights)
    # OpenCV warns of a target that deepface asks for and that it chooses itself.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    os.environ |= {
        "DEEPFACE_HOME": str(weights_folder(weights, Variant.INT8BQ)),
        "DEEPFACE_BACKEND_ENGINE": "onnx",
        "DEEPFACE_LOG_LEVEL": "40",
        "ORT_DISABLE_TELEMETRY": "1",
    }


def _see(task: tuple[Picture, Condition, Place | None]) -> Embedding | None:
    from deepface import DeepFace

    picture, condition, located = task
    image, place = decode(read(picture.path)), None
    if not condition.as_is:
        if condition.needs_place and located is None:
            return None
        sent = condition.apply(image, located, picture.name)
        image, place = decode(sent.data), sent.place
    try:
        with redirect_stdout(io.StringIO()):
            found = DeepFace.represent(image, **SETTINGS)
    except ValueError:
        # How deepface says that there is no face.
        return None
    areas = [face["facial_area"] for face in found]
    boxes = [(area["x"], area["y"], area["w"], area["h"]) for area in areas]
    index = nearest(boxes, (image.shape[1], image.shape[0]), place)
    return None if index is None else _unit(np.asarray(found[index]["embedding"], dtype=np.float32))
