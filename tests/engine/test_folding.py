"""Folding gives a graph with the same answers, only quicker to run."""

from pathlib import Path

from tests.common.engine_process import run_in_engine

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
SLOPES = """
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
import onnxruntime
from engine.folding import fold

def graph(slopes):
    picture = helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 4, 5, 7])
    result = helper.make_tensor_value_info("result", TensorProto.FLOAT, [1, 4, 5, 7])
    constant = numpy_helper.from_array(slopes, "slopes")
    # As files of its age have it, with the constant among the inputs.
    listed = helper.make_tensor_value_info("slopes", TensorProto.FLOAT, slopes.shape)
    node = helper.make_node("PRelu", ["data", "slopes"], ["result"])
    made = helper.make_graph([node], "g", [picture, listed], [result], [constant])
    return helper.make_model(
        made, ir_version=3, opset_imports=[helper.make_opsetid("", 11)]
    ).SerializeToString()

image = np.random.default_rng(5).normal(0, 100, (1, 4, 5, 7)).astype(np.float32)
slopes = np.array([-0.5, 0.0, 0.25, 1.12], np.float32)
result = {}
for name, values in (("channels", slopes[:, None, None]), ("one", slopes[3:])):
    folded = fold(graph(values))
    after = onnxruntime.InferenceSession(folded).run(None, {"data": image})[0]
    by = values[None] if values.ndim == 3 else values
    result[name] = [
        [node.op_type for node in onnx.load_model_from_string(folded).graph.node],
        float(np.abs(after - np.where(image > 0, image, by * image)).max()),
    ]
print(json.dumps(result))
"""
SIZES = """
import cv2
import numpy as np
import onnxruntime
from engine.folding import fold

data = Path(sys.argv[1]).read_bytes()
fixed = onnxruntime.InferenceSession(fold(data))
free = onnxruntime.InferenceSession(fold(data, any_size=True))
image = np.random.default_rng(3).integers(0, 256, (1, 3, 640, 640)).astype(np.float32)
one, other = (session.run(None, {"input": image}) for session in (fixed, free))
print(json.dumps({
    "difference": max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True)),
    "places": len(free.run(["cls_8"], {"input": image[:, :, :64, :96]})[0][0]),
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
    assert not {"DequantizeLinear", "Reshape", "PRelu"} & set(result["operations"])


def test_folding_gives_the_same_bytes_again(wheel: Path) -> None:
    assert run_in_engine(COMPARE, wheel / "face_recognition_sface_2021dec_int8bq.onnx")["same"]


def test_a_slope_for_each_channel_is_written_in_other_words(prepared: None) -> None:
    operations, difference = run_in_engine(SLOPES)["channels"]
    assert sorted(operations) == ["Add", "Conv", "Conv", "Relu"]
    assert difference < 1e-4


def test_one_slope_for_all_is_left_alone(prepared: None) -> None:
    operations, difference = run_in_engine(SLOPES)["one"]
    assert operations == ["PRelu"]
    assert difference < 1e-4


def test_the_detector_may_be_given_pictures_of_any_size(wheel: Path) -> None:
    result = run_in_engine(SIZES, wheel / "face_detection_yunet_2023mar_int8bq.onnx")
    assert result["difference"] < 1e-5
    assert result["places"] == 8 * 12


def test_what_is_no_graph_is_refused(prepared: None) -> None:
    assert run_in_engine(REFUSE) == "the file is not an ONNX graph"
