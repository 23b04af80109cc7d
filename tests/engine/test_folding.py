"""Folding gives the same graph, only quicker to run."""

from pathlib import Path

from tests.engine_process import run_in_engine

COMPARE = """
import numpy as np
import onnx
import onnxruntime
from engine.folding import fold

data = Path(sys.argv[1]).read_bytes()
folded = fold(data)
# The graph as it came runs once the inputs that are weights are no longer called inputs.
plain = onnx.load_model_from_string(data)
image = [value for value in plain.graph.input if value.name == "data"]
del plain.graph.input[:]
plain.graph.input.extend(image)
options = onnxruntime.SessionOptions()
options.log_severity_level = 3
sessions = [
    onnxruntime.InferenceSession(graph, options) for graph in (plain.SerializeToString(), folded)
]
image = np.random.default_rng(3).integers(0, 256, (1, 3, 112, 112)).astype(np.float32)
before, after = (session.run(None, {"data": image})[0] for session in sessions)
print(json.dumps({
    "difference": float(np.abs(before - after).max()),
    "length": float(np.linalg.norm(before)),
    "inputs": [value.name for value in sessions[1].get_inputs()],
    "operations": sorted({node.op_type for node in onnx.load_model_from_string(folded).graph.node}),
    "same": fold(data) == folded,
}))
"""
REFUSE = """
from engine.folding import FoldingError, fold
try:
    fold(b"not a graph" * 10)
except FoldingError as err:
    print(json.dumps(str(err)))
"""


def test_the_folded_recogniser_gives_the_same_embedding(wheel: Path) -> None:
    result = run_in_engine(COMPARE, wheel / "face_recognition_sface_2021dec_int8bq.onnx")
    assert result["length"] > 1
    assert result["difference"] < 1e-4
    assert result["inputs"] == ["data"]
    assert not {"DequantizeLinear", "Reshape"} & set(result["operations"])


def test_folding_gives_the_same_bytes_again(wheel: Path) -> None:
    assert run_in_engine(COMPARE, wheel / "face_recognition_sface_2021dec_int8bq.onnx")["same"]


def test_what_is_no_graph_is_refused(prepared: None) -> None:
    assert run_in_engine(REFUSE) == "the file is not an ONNX graph"
