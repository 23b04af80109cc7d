"""Makes ONNX files of FasNet's published weights: see script/fasnet. Runs in the engine's environment, which has onnx."""

import argparse
from collections import OrderedDict
from dataclasses import dataclass
import hashlib
import io
from pathlib import Path
import pickle
import sys
from typing import Any, override

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, checker, helper, numpy_helper

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "custom_components" / "familiar_faces" / "engine" / "fasnet"

SIDE = 80
"""Height and width of the crops, pixels."""
CLASSES = 3
_EPSILON = 1e-5
"""What torch adds to a variance."""
_OPSET, _IR = 17, 8
"""Fixed, so that another release of onnx writes the same bytes."""

type Arrays = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Published:
    """A file of the publisher's."""

    name: str
    sha256: str
    target: str


PUBLISHED = (
    Published(
        "2.7_80x80_MiniFASNetV2.pth",
        "a5eb02e1843f19b5386b953cc4c9f011c3f985d0ee2bb9819eea9a142099bec0",
        "minifasnet_v2_2_7.onnx",
    ),
    Published(
        "4_0_0_80x80_MiniFASNetV1SE.pth",
        "84ee1d37d96894d5e82de5a57df044ef80a58be2b218b5ed7cdfd875ec2f5990",
        "minifasnet_v1se_4_0.onnx",
    ),
)


class Refused(Exception):
    """A file is not what it should be."""


def main() -> int:
    """Make both, and return the process's exit code."""
    parser = argparse.ArgumentParser(prog="script/fasnet")
    parser.add_argument("folder", type=Path, help="where the published .pth files are")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail when the files would change"
    )
    asked = parser.parse_args()
    try:
        for each in PUBLISHED:
            _make(asked.folder, each, check=asked.check)
    except (Refused, OSError) as err:
        print(f"[fasnet] {err}", file=sys.stderr)
        return 1
    return 0


def _make(folder: Path, published: Published, *, check: bool) -> None:
    """Write what comes of a published file, or see that it is there; raise Refused."""
    data = convert(read(folder, published))
    target = TARGET / published.target
    if not check:
        target.write_bytes(data)
    elif target.read_bytes() != data:
        raise Refused(f"{target} is not what comes of {published.name}")
    print(f"{hashlib.sha256(data).hexdigest()}  {len(data)}  {target.name}")


def read(folder: Path, published: Published) -> Arrays:
    """Return the arrays of a published file by name; raise Refused when it is another file."""
    data = (folder / published.name).read_bytes()
    if (digest := hashlib.sha256(data).hexdigest()) != published.sha256:
        raise Refused(f"{published.name} has the SHA-256 {digest}, and {published.sha256} is pinned")
    return arrays(data)


class _Storage:
    """Numbers that come after the pickles in the file."""

    def __init__(self, kind: str, count: int) -> None:
        self.kind, self.count = kind, count
        self.values = np.empty(0)


class _Unpickler(pickle.Unpickler):
    """Reads what torch 1.x saved, and nothing that would run something."""

    storages: dict[str, _Storage]

    @override
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in ("FloatStorage", "LongStorage"):
            return name
        raise Refused(f"the file asks for {module}.{name}")

    @override
    def persistent_load(self, pid: Any) -> _Storage:
        what, kind, key, _device, count, view = pid
        if what != "storage" or view is not None:
            raise Refused("the file holds something else than numbers")
        return self.storages.setdefault(key, _Storage(kind, count))


def _tensor(storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> Any:
    return storage, offset, size, stride


def arrays(data: bytes) -> Arrays:
    """Return the arrays of a file in torch's old format: five pickles, then each storage with its length before it."""
    stream = io.BytesIO(data)
    storages: dict[str, _Storage] = {}

    def load() -> Any:
        unpickler = _Unpickler(stream)
        unpickler.storages = storages
        return unpickler.load()

    if load() != 0x1950A86A20F9469CFC6C or load() != 1001:
        raise Refused("it is not in torch's old format")
    load()
    state = load()
    for key in load():
        storage = storages[key]
        kind = np.dtype("<f4" if storage.kind == "FloatStorage" else "<i8")
        count = int.from_bytes(stream.read(8), "little")
        if count != storage.count:
            raise Refused("a storage is not as long as it should be")
        storage.values = np.frombuffer(stream.read(count * kind.itemsize), kind)
    made = {}
    for name, (storage, offset, size, stride) in state.items():
        values = np.lib.stride_tricks.as_strided(
            storage.values[offset:], size, [each * storage.values.itemsize for each in stride]
        )
        made[name.removeprefix("module.")] = values.copy()
    return made


class _Graph:
    """The graph as it grows; how the parts follow each other is that of the publisher's MiniFASNet."""

    def __init__(self, weights: Arrays) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        self.constants: list[Any] = [numpy_helper.from_array(np.array(1.0, np.float32), "one")]
        self._count = 0

    def node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        """Add a node and return the name of what it gives."""
        self._count += 1
        name = f"n{self._count}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, values: NDArray[Any]) -> str:
        """Add numbers at half the length, and return the name of what they are at the whole length.

        onnxruntime does this once, when it loads the graph.
        """
        self._count += 1
        name = f"c{self._count}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float16), name))
        return self.node("Cast", [name], to=TensorProto.FLOAT)

    def affine(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return by what a normalisation multiplies each channel, and what it then adds."""
        weight, bias, mean, variance = (
            self.weights[f"{name}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        factor = weight / np.sqrt(variance + _EPSILON)
        return factor, bias - mean * factor

    def convolve(self, source: str, conv: str, norm: str, *, stride: int = 1, padding: int = 0) -> str:
        """Add a convolution with the normalisation behind it."""
        weight = self.weights[f"{conv}.weight"]
        factor, shift = self.affine(norm)
        # torch keeps one filter a channel where a convolution is of each channel alone.
        channels = weight.shape[0] if weight.shape[1] == 1 and weight.shape[2] > 1 else 1
        inputs = [
            source,
            self.constant(weight * factor[:, None, None, None]),
            self.constant(shift),
        ]
        return self.node(
            "Conv",
            inputs,
            kernel_shape=list(weight.shape[2:]),
            strides=[stride] * 2,
            pads=[padding] * 4,
            group=channels,
        )

    def block(self, source: str, name: str, *, stride: int = 1, padding: int = 0) -> str:
        """Add a convolution with PRelu behind it, in the words that `engine/folding.py` explains."""
        made = self.convolve(source, f"{name}.conv", f"{name}.bn", stride=stride, padding=padding)
        slopes = self.weights[f"{name}.prelu.weight"]
        slope = self.constant(slopes[:, None, None, None])
        alike = {"kernel_shape": [1, 1], "group": len(slopes)}
        rest = self.node("Conv", [self.node("Relu", [made]), self.node("Sub", ["one", slope])], **alike)
        return self.node("Add", [rest, self.node("Conv", [made, slope], **alike)])

    def depth_wise(self, source: str, name: str, *, stride: int = 1, residual: bool = False) -> str:
        """Add three convolutions: wider, of each channel alone, narrower."""
        made = self.block(source, f"{name}.conv")
        made = self.block(made, f"{name}.conv_dw", stride=stride, padding=1)
        made = self.convolve(made, f"{name}.project.conv", f"{name}.project.bn")
        if f"{name}.se_module.fc1.weight" in self.weights:
            made = self.squeezed(made, f"{name}.se_module")
        return self.node("Add", [source, made]) if residual else made

    def squeezed(self, source: str, name: str) -> str:
        """Multiply each channel by what all of them say together."""
        made = self.node("GlobalAveragePool", [source])
        made = self.node("Relu", [self.convolve(made, f"{name}.fc1", f"{name}.bn1")])
        made = self.node("Sigmoid", [self.convolve(made, f"{name}.fc2", f"{name}.bn2")])
        return self.node("Mul", [source, made])

    def residual(self, source: str, name: str) -> str:
        """Add one depth-wise part after the other, each with what went in added."""
        at = 0
        while f"{name}.model.{at}.conv.conv.weight" in self.weights:
            source = self.depth_wise(source, f"{name}.model.{at}", residual=True)
            at += 1
        return source

    def head(self, source: str) -> str:
        """Add the two layers at the end as the one that they come to, and softmax."""
        factor, shift = self.affine("bn")
        last = self.weights["prob.weight"].astype(np.float64)
        first = self.weights["linear.weight"].astype(np.float64)
        inputs = [self.node("Flatten", [source]), self.constant(last @ (factor[:, None] * first))]
        made = self.node("Gemm", [*inputs, self.constant(last @ shift)], transB=1)
        return self.node("Softmax", [made], axis=1)


def convert(weights: Arrays) -> bytes:
    """Return the ONNX graph: BGR crops as float32 (n, 3, 80, 80), 0 to 255, to probabilities (n, 3)."""
    graph = _Graph(weights)
    made = graph.block("crops", "conv1", stride=2, padding=1)
    made = graph.block(made, "conv2_dw", padding=1)
    for first, then in (("conv_23", "conv_3"), ("conv_34", "conv_4"), ("conv_45", "conv_5")):
        made = graph.residual(graph.depth_wise(made, first, stride=2), then)
    made = graph.block(made, "conv_6_sep")
    made = graph.convolve(made, "conv_6_dw.conv", "conv_6_dw.bn")
    made = graph.head(made)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "MiniFASNet",
            [helper.make_tensor_value_info("crops", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
            [helper.make_tensor_value_info(made, TensorProto.FLOAT, ["n", CLASSES])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR,
        producer_name="familiar_faces",
    )
    checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    sys.exit(main())
