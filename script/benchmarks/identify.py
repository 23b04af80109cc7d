"""How long it takes to find one individual among many templates. Runs in Home Assistant's environment."""

from statistics import median
import time

import numpy as np

from custom_components.familiar_faces.people.gallery import Gallery
from custom_components.familiar_faces.people.person import Embedding
from tests.common.vectors import DIMENSIONS, NOW, make_person

TEMPLATES = (100, 1_000, 10_000)
EACH = {"identify_ms": 1, "identify_three_each_ms": 3}
"""How many templates a person has. With one there are the most people to compare with."""
FRAMES = 5
ROUNDS = 300
WARM_UP = 10

type Figures = dict[str, float | Figures]


def identify(*, quick: bool) -> Figures:
    """Compare an individual's five frames with galleries of made-up people who consent; medians."""
    rng = np.random.default_rng(1)
    figures: Figures = {}
    for name, each in EACH.items():
        figures[name] = {
            str(count): _compare(rng, count, each, 20 if quick else ROUNDS) for count in TEMPLATES
        }
    return figures


def _compare(rng: np.random.Generator, templates: int, each: int, rounds: int) -> float:
    vectors = _units(rng, templates)
    people = [
        make_person(f"Person {start}", *vectors[start : start + each])
        for start in range(0, templates - each + 1, each)
    ]
    gallery = Gallery(people, "sface")
    weights = np.ones(FRAMES, np.float32)
    seconds = []
    for round_ in range(WARM_UP + rounds):
        sighting = _units(rng, FRAMES)
        begun = time.perf_counter()
        comparison = gallery.compare(sighting, weights, NOW)
        took = time.perf_counter() - begun
        if comparison.best is None:
            raise SystemExit("nobody in the gallery may be recognised")
        if round_ >= WARM_UP:
            seconds.append(took)
    return median(seconds) * 1000


def _units(rng: np.random.Generator, count: int) -> Embedding:
    rows = rng.normal(size=(count, DIMENSIONS)).astype(np.float32)
    units: Embedding = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return units
