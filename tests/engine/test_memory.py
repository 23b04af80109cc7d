"""What the engine's process does with memory that it freed."""

import ctypes

import pytest

from custom_components.familiar_faces.engine import memory
from tests.common.engine_process import run_in_engine

KEEP = """
import resource
import numpy as np
from engine.memory import keep_freed

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones(24 << 20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

before = faults()
kept = keep_freed()
faults()
print(json.dumps([kept, before, faults()]))
"""


def test_a_block_that_is_needed_again_costs_nothing(prepared: None) -> None:
    kept, before, after = run_in_engine(KEEP)

    assert kept
    # Twenty blocks of 6,144 pages.
    assert after < 200 < before


def test_another_malloc_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())

    assert memory.keep_freed() is False
