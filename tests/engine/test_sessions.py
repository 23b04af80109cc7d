"""What computes: the processor, also where a graphics card was asked for and there is none that works.

Tests have no card. The real case here is an onnxruntime that knows none; what a card does later is done by stand-ins.
"""

from collections.abc import Generator
from typing import Any

import pytest

from tests.common.engine_process import EngineProcess, engine_weights, run_in_engine

STAND_IN = """
import logging
import numpy as np
from engine import sessions
from engine.pinned import PINNED, Variant
from engine.weights import prepare

said = []
class Heard(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())
logging.getLogger("engine.sessions").addHandler(Heard())

path = prepare(Path(sys.argv[1]), Variant.INT8BQ)[PINNED[Variant.INT8BQ].recogniser.loaded_as]
session = sessions.Session(path, sessions.Card(sessions.Provider.CPU))
card = session._card = sessions.Card(sessions.Provider.CUDA)
face = {"data": np.random.default_rng(3).integers(0, 256, (1, 3, 112, 112)).astype(np.float32)}
right = session._processor.run(None, face)[0]

class OnCard:
    runs = 0
    how = staticmethod(lambda answer: answer)
    def run(self, outputs, feeds):
        self.runs += 1
        return [self.how(each) for each in session._processor.run(outputs, feeds)]
session._on_card = on_card = OnCard()

def tell(**more):
    print(json.dumps({"used": card.used, "json": card.to_json(), "said": said, "runs": on_card.runs, **more}))
"""
FAILS = """
def gone(answer):
    raise RuntimeError("CUDA failure 719:\\n unspecified launch failure")
right_before = np.array_equal(session.run(None, face)[0], right)
on_card.how = gone
answers = [np.array_equal(session.run(None, face)[0], right) for _ in range(2)]
tell(answers=[right_before, *answers])
"""
REFUSES = """
refused = 0
for _ in range(2):
    try:
        session.run(None, {"data": face["data"][:, :, :5]})
    except Exception:
        refused += 1
tell(refused=refused)
"""
COMPUTES = """
on_card.how = lambda answer: answer + float(sys.argv[2]) * np.abs(answer).max()
session._try()
tell()
"""


@pytest.fixture(scope="module")
def wanting(prepared: None) -> Generator[EngineProcess]:
    """Return an engine that was asked to use a card."""
    process = EngineProcess(arguments=["--provider", "cuda"]).start()
    yield process
    assert process.stop() == 0


def _figure(engine: EngineProcess, name: str) -> list[str]:
    text = engine.request("GET", "/metrics").body.decode()
    return [line for line in text.splitlines() if line.startswith(name)]


def test_without_a_card_it_goes_on_and_says_so(
    wanting: EngineProcess, engine: EngineProcess, portrait: bytes
) -> None:
    """It says so where its owner looks: in the log, in monitoring and in what it answers about itself."""
    (warning,) = [line for line in wanting.log().splitlines() if "graphics card" in line]
    assert warning.startswith("WARNING")
    assert "processor computes instead" in warning
    assert "onnxruntime-gpu" in warning
    provider = wanting.request("GET", "/v1/health").json()["provider"]
    assert (provider["asked"], provider["used"]) == ("cuda", "cpu")
    assert provider["why"] in warning
    assert _figure(wanting, "familiar_faces_fell_back") == ["familiar_faces_fell_back 1.0"]
    assert 'provider="cuda"' in _figure(wanting, "familiar_faces_engine_info")[0]
    (face,), (same,) = wanting.faces(portrait).faces, engine.faces(portrait).faces
    assert (face.embedding == same.embedding).all()


def test_who_asks_for_no_card_hears_nothing_of_it(engine: EngineProcess) -> None:
    assert "graphics card" not in engine.log()
    assert engine.request("GET", "/v1/health").json()["provider"] == {"asked": "cpu", "used": "cpu"}
    assert _figure(engine, "familiar_faces_fell_back") == ["familiar_faces_fell_back 0.0"]


def _with_stand_in(code: str, *arguments: object) -> Any:
    return run_in_engine(STAND_IN + code, engine_weights(), *arguments)


def test_a_card_that_fails_later_is_given_up(prepared: None) -> None:
    """The picture at which it fails is answered as well, and it is asked no more."""
    result = _with_stand_in(FAILS)
    assert result["answers"] == [True] * 3
    assert result["runs"] == 2
    assert result["used"] == "cpu"
    assert result["json"]["why"] == "CUDA failure 719: unspecified launch failure"
    (said,) = result["said"]
    assert result["json"]["why"] in said


def test_what_the_processor_refuses_as_well_is_no_fault_of_the_card(prepared: None) -> None:
    result = _with_stand_in(REFUSES)
    assert (result["refused"], result["used"], result["said"]) == (2, "cuda", [])


@pytest.mark.parametrize(
    ("off", "used"), [(0.0, "cuda"), (0.005, "cuda"), (0.05, "cpu"), (float("nan"), "cpu")]
)
def test_a_card_that_computes_something_else_is_not_used(prepared: None, off: float, used: str) -> None:
    """Its numbers would be compared with templates that the processor made, and a wrong name is worse than none."""
    result = _with_stand_in(COMPUTES, off)
    assert result["used"] == used
    assert len(result["said"]) == (used == "cpu")
