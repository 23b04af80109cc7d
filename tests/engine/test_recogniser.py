"""Alignment and embeddings: the same person is near, others are far."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.common import pictures
from tests.common.engine_process import EngineProcess, engine_weights, run_in_engine

SIMILARITY = """
import numpy as np
from engine.recogniser import TEMPLATE, similarity
rng = np.random.default_rng(4)
worst = 0.0
for _ in range(200):
    angle, scale, shift = rng.uniform(-3, 3), rng.uniform(0.05, 20), rng.uniform(-500, 500, 2)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (TEMPLATE - shift) @ np.linalg.inv(turn).T
    matrix = similarity(points, TEMPLATE)
    worst = max(worst, float(np.abs(matrix - np.column_stack([turn, shift])).max() / max(scale, 1)))
# With noise no small change of it may fit better.
noisy = TEMPLATE + rng.normal(0, 4, TEMPLATE.shape)
best = similarity(noisy, TEMPLATE)
def error(matrix):
    return float(((noisy @ matrix[:, :2].T + matrix[:, 2] - TEMPLATE) ** 2).sum())
better = 0
for _ in range(500):
    a, b, c, d = rng.normal(0, 0.01, 4)
    change = np.array([[a, -b, c], [b, a, d]])
    better += error(best + change) < error(best) - 1e-9
try:
    similarity(np.ones((5, 2)), TEMPLATE)
    refused = False
except ValueError:
    refused = True
print(json.dumps({"worst": worst, "better": better, "refused": refused}))
"""
ALIGNMENT = """
import cv2
import numpy as np
from engine.detector import Detector
from engine.models import load
from engine.recogniser import Recogniser, align
models = load(Path(sys.argv[1]))
detector, recogniser = Detector(models.detector), Recogniser(models.recogniser)

def embeddings(path):
    image = cv2.imread(path)
    face = detector.detect(image, 40, 1)[0]
    left, top, width, height = (max(0, round(value)) for value in face.box)
    plain = cv2.resize(image[top : top + height, left : left + width], (112, 112))
    return [each.embedding for each in recogniser.embed([align(image, face.landmarks), plain])]

aligned, plain = zip(*(embeddings(path) for path in sys.argv[2:]))
print(json.dumps({"aligned": float(aligned[0] @ aligned[1]), "plain": float(plain[0] @ plain[1])}))
"""
ROUNDING = """
import numpy as np
from engine.recogniser import Recogniser
class Model:
    def get_inputs(self):
        class Input:
            name = "data"
        return [Input]
    def run(self, _, feed):
        self.seen = feed["data"]
        return [np.ones((1, 128), np.float32)]
from deepface.models.facial_recognition.onnx.SFace import SFaceClient
client = SFaceClient.__new__(SFaceClient)
client.model = Model()
levels = np.zeros((112, 112, 3), np.uint8)
levels.reshape(-1)[: 256 * 3] = np.repeat(np.arange(256), 3)
Recogniser(client).embed([levels])
print(json.dumps(bool((client.model.seen[0] == levels[..., ::-1].transpose(2, 0, 1)).all())))
"""
SHRINKING = """
import cv2
import numpy as np
from engine.recogniser import TEMPLATE, align
# A smooth pattern looks the same however the crop is made; a shift of half a pixel would show.
rng = np.random.default_rng(5)
worst = []
for zoom, angle in ((2.1, 0.0), (3.7, 0.3), (8.0, -0.6), (15.0, 3.0)):
    side = int(112 * zoom * 2)
    pattern = cv2.resize(rng.integers(0, 256, (14, 14), dtype=np.uint8), (side, side), interpolation=cv2.INTER_CUBIC)
    image = cv2.merge([pattern] * 3)
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (TEMPLATE - 56) @ turn.T + side / 2
    back = np.column_stack([turn, side / 2 - turn @ [56, 56]])
    exact = cv2.warpAffine(image, back, (112, 112), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    worst.append(float(np.abs(align(image, points).astype(int) - exact).mean()))
print(json.dumps(worst))
"""


def _embedding(engine: EngineProcess, image: bytes, **query: object) -> np.ndarray:
    (face,) = engine.faces(image, **query).faces
    return face.embedding


def test_the_same_person_is_near_in_other_light_and_at_other_angles(
    engine: EngineProcess, portrait: bytes
) -> None:
    enrolled = _embedding(engine, portrait, mirrored=1)
    changes: list[dict[str, Any]] = [
        {"light": 0.4},
        {"light": 1.4},
        {"angle": 12.0},
        {"angle": -12.0},
        {"blur": 1.0},
        {"mirrored": True},
    ]
    for change in changes:
        seen = _embedding(engine, pictures.jpeg(pictures.variant(pictures.astronaut(), **change), 70))
        assert float(seen @ enrolled) > 0.6, change


def test_other_people_are_far(engine: EngineProcess, portrait: bytes) -> None:
    faces = engine.faces(pictures.jpeg(pictures.group(), 95)).faces
    people = [_embedding(engine, portrait), *(face.embedding for face in faces)]
    assert len(people) == 7
    assert max(float(one @ other) for one, other in combinations(people, 2)) < 0.45


def test_the_mirrored_average_is_the_same_for_the_mirrored_photo(
    engine: EngineProcess, portrait: bytes
) -> None:
    mirrored = pictures.jpeg(pictures.variant(pictures.astronaut(), mirrored=True), 95)
    plain = float(_embedding(engine, portrait) @ _embedding(engine, mirrored))
    averaged = float(_embedding(engine, portrait, mirrored=1) @ _embedding(engine, mirrored, mirrored=1))
    assert averaged > plain
    assert averaged > 0.97
    assert float(np.linalg.norm(_embedding(engine, portrait, mirrored=1))) == pytest.approx(1, abs=1e-5)


def test_the_less_is_seen_of_a_face_the_shorter_is_its_embedding(
    engine: EngineProcess, portrait: bytes
) -> None:
    (good,) = engine.faces(portrait).faces
    (blurred,) = engine.faces(pictures.jpeg(pictures.variant(pictures.astronaut(), blur=8.0), 95)).faces
    assert good.length is not None
    assert blurred.length is not None
    assert blurred.length < 0.8 * good.length
    (mirrored,) = engine.faces(portrait, mirrored=1).faces
    assert mirrored.length == pytest.approx(good.length, rel=0.1)


def test_five_point_alignment_beats_none(prepared: None, tmp_path: Path) -> None:
    paths = []
    for number, angle in enumerate((0.0, 15.0)):
        paths.append(tmp_path / f"{number}.png")
        pictures.variant(pictures.astronaut(), angle=angle).save(paths[-1])
    result = run_in_engine(ALIGNMENT, engine_weights(), *paths)
    assert result["aligned"] > 0.8
    assert result["aligned"] > result["plain"] + 0.1


def test_the_similarity_is_the_least_squares_one(prepared: None) -> None:
    result = run_in_engine(SIMILARITY)
    assert result["worst"] < 1e-6
    assert result["better"] == 0
    assert result["refused"]


def test_every_grey_level_reaches_the_model_as_it_was(prepared: None) -> None:
    assert run_in_engine(ROUNDING) is True


def test_a_large_face_is_averaged_down_without_a_shift(prepared: None) -> None:
    assert max(run_in_engine(SHRINKING)) < 1.5
