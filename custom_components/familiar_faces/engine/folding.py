"""Folding of the models' graphs: done once, they give the same numbers in less than half the time.

The OpenCV Zoo's block-quantised graphs turn int8 weights into float32 on every call, and its graphs list
their weights among the inputs, which onnxruntime refuses or cannot make the most of. The folded graph holds
the same float32 numbers as constants and has the image as its only input.

PRelu is written in other words, because onnxruntime does not know it in the blocked layout of its
convolutions (NCHWc) and goes back and forth between two layouts around each. Measured on one core, a face:
SFace with PRelu 28.2 ms, of which PRelu took 15.6; rewritten 13.5; with Relu in PRelu's place, which is the
least that can be, 12.1. Where onnxruntime has no blocked layout it still is 23 instead of 33 ms.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


class FoldingError(ValueError):
    """The graph is not one that can be folded."""


def fold(data: bytes, *, any_size: bool = False) -> bytes:
    """Return the ONNX graph with float32 constants for weights, and without PRelu where that can be.

    DequantizeLinear and Reshape nodes of constants are folded. With `any_size` the graph no longer says how
    high and wide its picture is. Raises FoldingError when `data` is not an ONNX graph, or something
    quantised would be left.
    """
    import onnx
    from onnx import numpy_helper

    try:
        model = onnx.load_model_from_string(data)
    except Exception as err:
        raise FoldingError("the file is not an ONNX graph") from err
    graph = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    kept = []
    for node in graph.node:
        if node.op_type in ("DequantizeLinear", "Reshape") and all(name in constants for name in node.input):
            inputs = [constants[name] for name in node.input]
            attributes = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
            step = _dequantize if node.op_type == "DequantizeLinear" else _reshape
            constants[node.output[0]] = step(inputs, attributes)
        elif node.op_type == "DequantizeLinear":
            raise FoldingError("the graph quantises more than its constants")
        elif node.op_type == "PRelu" and _a_channel(constants.get(node.input[1])):
            kept.extend(_without_prelu(node, constants))
        else:
            kept.append(node)

    used = {name for node in kept for name in node.input}
    images = [value for value in graph.input if value.name in used and value.name not in constants]
    del graph.node[:], graph.initializer[:], graph.input[:]
    graph.node.extend(kept)
    graph.input.extend(images)
    graph.initializer.extend(
        numpy_helper.from_array(np.ascontiguousarray(value), name)
        for name, value in constants.items()
        if name in used
    )
    if any_size:
        _forget_size(graph)
    # Before this version constants had to be listed among the inputs.
    model.ir_version = max(model.ir_version, 4)
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as err:
        raise FoldingError("the graph is not valid") from err
    return bytes(model.SerializeToString(deterministic=True))


def _forget_size(graph: Any) -> None:
    """Let height and width of the picture, and with them the number of places in the outputs, be anything."""
    for picture in graph.input:
        for dimension, name in zip(picture.type.tensor_type.shape.dim[2:], ("height", "width"), strict=True):
            dimension.dim_param = name
    for output in graph.output:
        output.type.tensor_type.shape.dim[1].dim_param = f"places_{output.name}"
    # Sizes on the way, where the file holds them, would no longer be true.
    del graph.value_info[:]


def _a_channel(slopes: NDArray[Any] | None) -> bool:
    """Return whether these constants are one slope for each channel of a picture."""
    return slopes is not None and slopes.ndim == 3 and slopes.shape[1:] == (1, 1)


def _without_prelu(node: Any, constants: dict[str, NDArray[Any]]) -> list[Any]:
    """Return nodes that give PRelu(x) as slope * x + (1 - slope) * Relu(x), and add their constants.

    Both products are convolutions of one pixel and one channel, of which the second takes the sum along, so
    that nothing leaves the blocked layout.
    """
    from onnx import helper

    source, slopes = node.input
    (result,) = node.output
    weights = constants[slopes].astype(np.float32)[:, None]
    slope, remainder, relu, linear, rest = (
        f"{result}_{part}" for part in ("slope", "remainder", "relu", "linear", "rest")
    )
    constants[slope], constants[remainder] = weights, 1 - weights
    shape = {"kernel_shape": [1, 1], "group": len(weights)}
    return [
        helper.make_node("Relu", [source], [relu]),
        helper.make_node("Conv", [relu, remainder], [rest], **shape),
        helper.make_node("Conv", [source, slope], [linear], **shape),
        helper.make_node("Add", [rest, linear], [result]),
    ]


def _dequantize(inputs: list[NDArray[Any]], attributes: dict[str, Any]) -> NDArray[np.float32]:
    """Return (x - zero point) * scale, one scale a block; ONNX operator set 21, DequantizeLinear."""
    values, scale = inputs[0], inputs[1]
    zero = inputs[2] if len(inputs) > 2 else np.zeros_like(scale, dtype=values.dtype)
    axis, block = attributes.get("axis", 1), attributes.get("block_size", 0)
    if block:
        length = values.shape[axis]
        scale, zero = (np.repeat(item, block, axis).take(range(length), axis) for item in (scale, zero))
    elif scale.ndim:
        shape = [1] * values.ndim
        shape[axis] = -1
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    folded: NDArray[np.float32] = (values.astype(np.float32) - zero.astype(np.float32)) * scale
    return folded


def _reshape(inputs: list[NDArray[Any]], attributes: dict[str, Any]) -> NDArray[Any]:
    """Return the tensor in its new shape, where 0 keeps a dimension; ONNX operator set 14, Reshape."""
    values, wanted = inputs
    keep = not attributes.get("allowzero")
    return values.reshape(
        [values.shape[at] if keep and size == 0 else int(size) for at, size in enumerate(wanted)]
    )
