"""Tilted heads, asked of a real engine."""

import pytest

from tests.common import pictures
from tests.common.engine_process import EngineProcess, run_in_engine

PLACES = """
import numpy as np
from engine.levelling import level
image = np.zeros((400, 400, 3), np.uint8)
leaning = np.array([[180, 190], [220, 198], [200, 215], [185, 230], [215, 236]], float)
straight = np.array([[180, 194], [220, 194], [200, 215], [185, 233], [215, 233]], float)
# A detector that sees a face in the middle of whatever it is shown, and better when it is asked for the third time.
def sees(*scores):
    left = list(scores)
    def run(part):
        row = np.array([48, 48, 96, 96, 76, 86, 116, 86, 96, 106, 80, 126, 112, 126, left.pop(0)], float)
        return row[None]
    return run
box = (150, 150, 100, 100)
better = level(sees(0.80, 0.93, 0.85, 0.91), image, box, leaning, 0.85)
print(json.dumps({
    "better": [better.landmarks.round(1).tolist(), better.score],
    "no better": level(sees(0.85, 0.85, 0.852, 0.9), image, box, leaning, 0.85),
    "straight": level(sees(), image, box, straight, 0.5),
}))
"""


@pytest.mark.parametrize("angle", [-30, -20, 20, 30])
def test_a_tilted_head_is_seen_as_if_it_were_upright(engine: EngineProcess, angle: int) -> None:
    portrait = pictures.astronaut()
    (upright,) = engine.faces(pictures.jpeg(portrait, 95)).faces
    (tilted,) = engine.faces(pictures.jpeg(pictures.variant(portrait, angle=angle), 95)).faces

    assert tilted.quality.usable
    # Without it, it is at most 0.7 at 30 degrees.
    assert float(tilted.embedding @ upright.embedding) > 0.85


def test_only_what_leans_is_turned_and_only_what_is_better_taken(prepared: None) -> None:
    seen = run_in_engine(PLACES)

    assert seen["no better"] is None
    assert seen["straight"] is None
    landmarks, score = seen["better"]
    assert score == pytest.approx((0.93 + 0.91) / 2)
    # By 30 degrees, around the middle of the face.
    (right_x, right_y), (left_x, left_y), *_ = landmarks
    assert left_y - right_y == pytest.approx((left_x - right_x) * 0.577, abs=0.5)
    assert all(150 < value < 250 for point in landmarks for value in point)
