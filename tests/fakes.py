"""A classifier of a few lines of NumPy, for tests of everything around the network."""

from __future__ import annotations

import numpy as np


class Colors:
    """Eight neurons that see colors on an 8 × 8 grid; pooling and a linear head; a user's own classifier.

    Input: (N, 3, 64, 64) in 0…1, as `PREPROCESS` makes it.
    """

    layer = "colors"
    num_neurons = 8
    num_classes = 3

    def __init__(self, seed: int = 0) -> None:
        generator = np.random.default_rng(seed)
        self.mix = generator.normal(size=(8, 3)).astype(np.float32)
        self.weight = generator.normal(size=(3, 8)).astype(np.float32)
        self.bias = generator.normal(size=3).astype(np.float32)

    def activations(self, images):
        coarse = images.reshape(len(images), 3, 8, 8, 8, 8).mean((3, 5))
        return np.maximum(np.einsum("ck,nkhw->nchw", self.mix, coarse), 0).astype(np.float32)

    def logits(self, activations):
        return activations.mean((2, 3)) @ self.weight.T + self.bias

    def gradients(self, activations, class_index, versus=None):
        size = activations.shape[2] * activations.shape[3]
        rows = self.weight[class_index]
        if versus is not None:
            versus = np.asarray(versus)
            rows = rows - np.where(versus[:, None] >= 0, self.weight[versus], 0)
        return (rows / size).astype(np.float32)


def preprocess():
    from nle_fast import Preprocess

    return Preprocess(size=64, resize=64, mean=(0, 0, 0), std=(1, 1, 1))


def scene(seed: int = 0, width: int = 96, height: int = 64) -> np.ndarray:
    """A few colored blocks on a gray ground, (height, width, 3) uint8."""
    generator = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 60, np.uint8)
    for _ in range(4):
        left, top = generator.integers(0, width - 16), generator.integers(0, height - 16)
        picture[top : top + 16, left : left + 16] = generator.integers(0, 256, 3)
    return picture


def write_onnx(path, num_classes: int = 3, num_neurons: int = 6, size: int = 32, seed: int = 0, tail: str = ""):
    """A small real network as an ONNX file: convolution, ReLU, pooling, linear; `tail` may add one more operator."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    generator = np.random.default_rng(seed)
    weights = {
        "kernel": generator.normal(size=(num_neurons, 3, 3, 3)),
        "weight": generator.normal(size=(num_classes, num_neurons)),
        "bias": generator.normal(size=num_classes),
    }
    last = "logits" if not tail else "before"
    nodes = [
        helper.make_node("Conv", ["images", "kernel"], ["conv"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["conv"], ["features"]),
        helper.make_node("GlobalAveragePool", ["features"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weight", "bias"], [last], transB=1),
    ]
    if tail:
        nodes.append(helper.make_node(tail, [last], ["logits"]))
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, size, size])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", num_classes])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def write_bundle_of(folder, **options):
    """A bundle of the small network, with 32-pixel preprocessing."""
    from nle_fast import Preprocess, write_bundle

    model = write_onnx(folder.parent / f"{folder.name}.onnx")
    options = {"labels": ["cat", "dog", "bird"], "preprocess": Preprocess(size=32, resize=32)} | options
    return write_bundle(folder, model, **options)
