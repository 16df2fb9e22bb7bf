"""Operators and heads of networks, each as ONNX nodes and as a torch function,
and tiny networks made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

__all__ = [
    "CHANNELS",
    "CLASSES",
    "HEADS",
    "OPS",
    "SIZE",
    "Builder",
    "Op",
    "class_maps",
    "linear",
    "network",
    "random",
    "save",
    "t",
]

CHANNELS, SIZE, CLASSES = 6, (8, 7), 4


class Builder:
    """`g("Relu", x, …)` appends a node and returns the name of its (first) output."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def __call__(self, op: str, *inputs: str, outputs: int = 1, name: str = "", **settings: Any) -> Any:
        names = [name or f"{op}_{len(self.nodes)}"]
        names += [f"{names[0]}_{i}" for i in range(1, outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, **settings))
        return names[0] if outputs == 1 else names

    def const(self, values: Any, dtype: Any = np.float32) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.array(values, dtype=dtype), name))
        return name

    def ints(self, *values: int) -> str:
        return self.const(values, np.int64)


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def network(
    path: Path, body: Callable[[Builder, str], str], width: int, opset: int = 18, *, batch: Any = "n",
    size: tuple[Any, Any] = SIZE,
) -> Path:  # fmt: skip
    """picture → 3 × 3 convolution "a" → `body` → flatten → linear layer of `width` inputs."""
    g = Builder()
    g("Conv", "picture", g.const(random(CHANNELS, 3, 3, 3)), g.const(random(CHANNELS)), name="a", pads=[1, 1, 1, 1])
    flat = g("Flatten", body(g, "a"))
    g("Gemm", flat, g.const(linear(width)), g.const(random(CLASSES)), transB=1, name="logits")
    return save(g, path, opset, batch=batch, size=size)


def linear(width: int) -> np.ndarray:
    return random(CLASSES, width, seed=5) / np.float32(np.sqrt(width))


def save(
    g: Builder, path: Path, opset: int = 18, *, batch: Any = "n", size: tuple[Any, Any] = SIZE,
    outputs: dict[str, list[Any]] | None = None, kind: int = onnx.TensorProto.FLOAT,
) -> Path:  # fmt: skip
    outputs = outputs or {"logits": [batch, CLASSES]}
    graph = helper.make_graph(
        g.nodes,
        "test",
        [helper.make_tensor_value_info("picture", kind, [batch, 3, *size])],
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in outputs.items()],
        g.weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 4 if opset < 11 else 8
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


@dataclass(frozen=True)
class Op:
    """A function of the activation, as ONNX nodes and in torch; `opsets` are those it is tried at."""

    name: str
    onnx: Callable[[Builder, str], str]
    torch: Callable[[Tensor], Tensor]
    opsets: tuple[int, ...] = (18,)
    settings: dict[str, Any] = field(default_factory=dict)


def t(array: np.ndarray) -> Tensor:
    return torch.from_numpy(array)


def pool(op: str, **settings: Any) -> Callable[[Builder, str], str]:
    return lambda g, a: g(op, a, **settings)


def conv(*shape: int, **settings: Any) -> Callable[[Builder, str], str]:
    return lambda g, a: g("Conv", a, g.const(random(*shape, seed=2)), **settings)


W = random(1, CHANNELS, 1, 1, seed=3)
V = random(CHANNELS, 1, 1, seed=4) + 3
NORM = [random(CHANNELS, seed=s) for s in (1, 2, 3)] + [np.abs(random(CHANNELS, seed=4)) + 0.5]


def squeeze_excite(g: Builder, a: str) -> str:
    gate = g("Conv", g("GlobalAveragePool", a), g.const(random(CHANNELS, CHANNELS, 1, 1)))
    return g("Mul", g("HardSigmoid", gate, alpha=1 / 6, beta=0.5), a)


def shuffle(g: Builder, a: str) -> str:
    folded = g("Reshape", a, g.ints(0, 2, 3, *SIZE))
    return g("Reshape", g("Transpose", folded, perm=[0, 2, 1, 3, 4]), g.ints(-1, CHANNELS, *SIZE))


def layer_norm(g: Builder, a: str) -> str:
    moved = g("Transpose", a, perm=[0, 2, 3, 1])
    return g("LayerNormalization", moved, g.const(NORM[0]), g.const(NORM[1]), epsilon=1e-3)


OPS = [
    Op("relu", lambda g, a: g("Relu", a), F.relu, (9, 13, 18, 22)),
    Op("leaky_relu", lambda g, a: g("LeakyRelu", a, alpha=0.2), lambda a: F.leaky_relu(a, 0.2), (9, 18)),
    Op("leaky_relu_negative", lambda g, a: g("LeakyRelu", a, alpha=-0.3), lambda a: F.leaky_relu(a, -0.3)),
    Op("prelu", lambda g, a: g("PRelu", a, g.const(V / 10)), lambda a: F.prelu(a, t(V / 10).flatten())),
    Op("clip_attribute", lambda g, a: g("Clip", a, min=0.0, max=1.5),
       lambda a: F.hardtanh(a, 0, 1.5), (9, 10)),
    Op("clip_input", lambda g, a: g("Clip", a, g.const(-0.5), g.const(1)),
       lambda a: a.clamp(-0.5, 1), (11, 13, 22)),
    Op("clip_above", lambda g, a: g("Clip", a, "", g.const(1)), lambda a: a.clamp(max=1), (13,)),
    Op("sigmoid", lambda g, a: g("Sigmoid", a), torch.sigmoid, (9, 18)),
    Op("silu", lambda g, a: g("Mul", a, g("Sigmoid", a)), F.silu),
    Op("tanh", lambda g, a: g("Tanh", a), torch.tanh),
    Op("hard_sigmoid", lambda g, a: g("HardSigmoid", a, alpha=1 / 6, beta=0.5), F.hardsigmoid, (9, 22)),
    Op("hard_swish", lambda g, a: g("HardSwish", a), F.hardswish, (14, 22)),
    Op("elu", lambda g, a: g("Elu", a, alpha=0.7), lambda a: F.elu(a, 0.7)),
    Op("softplus", lambda g, a: g("Softplus", a), F.softplus),
    Op("gelu", lambda g, a: g("Mul", a, g("Add", g("Erf", g("Div", a, g.const(2**0.5))), g.const(1))),
       lambda a: 2 * F.gelu(a)),
    Op("exp_log", lambda g, a: g("Log", g("Add", g("Exp", a), g.const(1))), F.softplus),
    Op("sqrt_abs", lambda g, a: g("Sqrt", g("Add", g("Abs", g("Neg", a)), g.const(1))),
       lambda a: (a.abs() + 1).sqrt()),
    Op("gelu_operator", lambda g, a: g("Gelu", a), F.gelu, (20, 22)),
    Op("reciprocal", lambda g, a: g("Reciprocal", g("Exp", a)), lambda a: (-a).exp()),
    Op("pow", lambda g, a: g("Pow", a, g.const(3)), lambda a: a**3, (9, 15)),
    Op("softmax", lambda g, a: g("Softmax", a, axis=1), lambda a: a.softmax(1), (13, 18)),
    Op("softmax_old", lambda g, a: g("Softmax", a, axis=2),
       lambda a: a.flatten(2).softmax(2).reshape(a.shape), (11,)),
    Op("add_constant", lambda g, a: g("Add", g.const(W), a), lambda a: a + t(W)),
    Op("add_both", lambda g, a: g("Add", a, g("Relu", a)), lambda a: a + F.relu(a), (9, 18)),
    Op("add_spread", lambda g, a: g("Add", g("GlobalAveragePool", a), a),
       lambda a: a + a.mean((2, 3), keepdim=True)),
    Op("add_same", lambda g, a: g("Add", a, a), lambda a: 2 * a),
    Op("sum", lambda g, a: g("Sum", a, g("Relu", a), g.const(W)), lambda a: a + F.relu(a) + t(W)),
    Op("sub", lambda g, a: g("Sub", g.const(W), g("Sub", g("Relu", a), a)), lambda a: t(W) - F.relu(a) + a),
    Op("mul_constant", lambda g, a: g("Mul", a, g.const(V)), lambda a: a * t(V)),
    Op("mul_both", lambda g, a: g("Mul", g("Tanh", a), a), lambda a: a * a.tanh()),
    Op("mul_lower_rank", lambda g, a: g("Mul", a, g("ReduceMean", a, axes=[0, 1, 2], keepdims=0)),
       lambda a: a * a.mean((0, 1, 2)), (13,)),
    Op("div", lambda g, a: g("Div", a, g.const(V)), lambda a: a / t(V)),
    Op("div_by", lambda g, a: g("Div", g.const(W), g("Add", g("Mul", a, a), g.const(1))),
       lambda a: t(W) / (a * a + 1)),
    Op("div_both", lambda g, a: g("Div", a, g("Add", g("ReduceSum", g("Mul", a, a), axes=[1], keepdims=1),
       g.const(1))),
       lambda a: a / ((a * a).sum(1, keepdim=True) + 1), (11,)),
    Op("squeeze_excite", squeeze_excite,
       lambda a: a * F.hardsigmoid(F.conv2d(a.mean((2, 3), keepdim=True), t(random(CHANNELS, CHANNELS, 1,
       1)))), (9, 18)),
    Op("conv", conv(5, 6, 3, 3, pads=[1, 1, 1, 1]),
       lambda a: F.conv2d(a, t(random(5, 6, 3, 3, seed=2)), padding=1),
       (9, 11, 18, 22)),
    Op("conv_1x1", conv(5, 6, 1, 1), lambda a: F.conv2d(a, t(random(5, 6, 1, 1, seed=2)))),
    Op("conv_strided", conv(5, 6, 3, 3, strides=[2, 3], pads=[1, 0, 1, 0]),
       lambda a: F.conv2d(a, t(random(5, 6, 3, 3, seed=2)), stride=(2, 3), padding=(1, 0)), (9, 18)),
    Op("conv_dilated", conv(5, 6, 3, 2, dilations=[2, 3], pads=[2, 1, 2, 1]),
       lambda a: F.conv2d(a, t(random(5, 6, 3, 2, seed=2)), dilation=(2, 3), padding=(2, 1))),
    Op("conv_grouped", conv(4, 3, 3, 3, group=2),
       lambda a: F.conv2d(a, t(random(4, 3, 3, 3, seed=2)), groups=2)),
    Op("conv_depthwise_strided", conv(12, 1, 3, 3, group=6, strides=[2, 2], pads=[1, 1, 1, 1]),
       lambda a: F.conv2d(a, t(random(12, 1, 3, 3, seed=2)), groups=6, stride=2, padding=1)),
    Op("conv_one_sided", conv(5, 6, 3, 3, pads=[0, 1, 2, 0]),
       lambda a: F.conv2d(F.pad(a, (1, 0, 0, 2)), t(random(5, 6, 3, 3, seed=2)))),
    Op("conv_far_padding", conv(5, 6, 1, 1, pads=[1, 2, 1, 2]),
       lambda a: F.conv2d(a, t(random(5, 6, 1, 1, seed=2)), padding=(1, 2))),
    Op("conv_same_upper", conv(5, 6, 2, 2, auto_pad="SAME_UPPER"),
       lambda a: F.conv2d(F.pad(a, (0, 1, 0, 1)), t(random(5, 6, 2, 2, seed=2)))),
    Op("conv_same_lower_strided", conv(5, 6, 3, 3, auto_pad="SAME_LOWER", strides=[2, 2]),
       lambda a: F.conv2d(F.pad(a, (1, 1, 1, 0)), t(random(5, 6, 3, 3, seed=2)), stride=2)),
    Op("conv_valid", conv(5, 6, 3, 3, auto_pad="VALID"),
       lambda a: F.conv2d(a, t(random(5, 6, 3, 3, seed=2)))),
    Op("batch_norm", lambda g, a: g("BatchNormalization", a, *map(g.const, NORM), epsilon=1e-3),
       lambda a: F.batch_norm(a, t(NORM[2]), t(NORM[3]), t(NORM[0]), t(NORM[1]), eps=1e-3), (9, 14, 18)),
    Op("layer_norm", layer_norm,
       lambda a: F.layer_norm(a.permute(0, 2, 3, 1), (CHANNELS,), t(NORM[0]), t(NORM[1]), 1e-3), (17, 22)),
    Op("global_average", pool("GlobalAveragePool"), lambda a: a.mean((2, 3))),
    Op("global_max", pool("GlobalMaxPool"), lambda a: F.adaptive_max_pool2d(a, 1), (9, 18, 22)),
    Op("average", pool("AveragePool", kernel_shape=[2, 3], strides=[2, 2]),
       lambda a: F.avg_pool2d(a, (2, 3), 2), (9, 18, 22)),
    Op("average_overlapping", pool("AveragePool", kernel_shape=[3, 3]), lambda a: F.avg_pool2d(a, 3, 1)),
    Op("average_whole", pool("AveragePool", kernel_shape=list(SIZE)), lambda a: a.mean((2, 3), keepdim=True)),
    Op("average_padded", pool("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
       lambda a: F.avg_pool2d(a, 3, 1, 1, count_include_pad=False)),
    Op("average_padding_counts", pool("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1],
       count_include_pad=1),
       lambda a: F.avg_pool2d(a, 3, 1, 1), (11, 18)),
    Op("average_ceil", pool("AveragePool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
       lambda a: F.avg_pool2d(a, 3, 2, ceil_mode=True), (19, 22)),
    Op("max", pool("MaxPool", kernel_shape=[2, 2], strides=[2, 2]),
       lambda a: F.max_pool2d(a, 2), (16, 18, 22)),
    Op("max_overlapping", pool("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
       lambda a: F.max_pool2d(a, 3, 2, 1)),
    Op("max_ceil", pool("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
       lambda a: F.max_pool2d(a, 3, 2, ceil_mode=True)),
    Op("max_dilated", pool("MaxPool", kernel_shape=[2, 2], dilations=[2, 2]),
       lambda a: F.max_pool2d(a, 2, 1, 0, 2)),
    Op("max_ties", lambda g, a: g("MaxPool", g("Relu", g("Sub", a, g.const(1))), kernel_shape=[3, 2]),
       lambda a: F.max_pool2d(F.relu(a - 1), (3, 2), 1)),
    Op("reduce_mean_attribute", lambda g, a: g("ReduceMean", a, axes=[-1, 2], keepdims=0),
       lambda a: a.mean((2, 3)),
       (9, 13)),
    Op("reduce_mean_input", lambda g, a: g("ReduceMean", g("Relu", a), g.ints(1, 3)),
       lambda a: F.relu(a).mean((1, 3), keepdim=True), (18, 22)),
    Op("reduce_sum", lambda g, a: g("ReduceSum", g("Tanh", a), g.ints(1), keepdims=0),
       lambda a: a.tanh().sum(1), (13, 18)),
    Op("reduce_max", lambda g, a: g("ReduceMax", a, g.ints(2), keepdims=0), lambda a: a.amax(2), (18, 20)),
    Op("reduce_max_ties", lambda g, a: g("ReduceMax", g("Relu", a), axes=[2, 3]),
       lambda a: F.relu(a).amax((2, 3)),
       (11, 13)),
    Op("flatten_reshape", lambda g, a: g("Reshape", g("Flatten", a, axis=2), g.ints(-1, 12, 28)),
       lambda a: a.reshape(-1, 12, 28),
       (9, 13, 18)),
    Op("reshape_by_shape", lambda g, a: g("Reshape", g("Tanh", a), g(
        "Concat", g("Unsqueeze", g("Gather", g("Shape", a), g.const(0, np.int64)), g.ints(0)), g.ints(-1),
       axis=0)),
       torch.tanh, (13, 18)),
    Op("squeeze_unsqueeze", lambda g, a: g("Unsqueeze", g("Squeeze", g("GlobalAveragePool", a), axes=[2,
       3]), axes=[1]),
       lambda a: a.mean((2, 3)), (9, 11)),
    Op("squeeze_unsqueeze_input", lambda g, a: g(
        "Squeeze", g("Unsqueeze", g("Exp", a), g.ints(0, 4)), g.ints(0, 4)), torch.exp, (13, 18)),
    Op("transpose", lambda g, a: g("Transpose", a, perm=[0, 2, 3, 1]),
       lambda a: a.permute(0, 2, 3, 1), (9, 18)),
    Op("concat", lambda g, a: g("Concat", a, g("Relu", a), g("Conv", a, g.const(random(2, 6, 1, 1))), axis=1),
       lambda a: torch.cat([a, F.relu(a), F.conv2d(a, t(random(2, 6, 1, 1)))], 1), (9, 13, 22)),
    Op("split", lambda g, a: g("Concat", *g("Split", g("Tanh", a), g.ints(2, 3, 1), outputs=3, axis=1)[1:],
       axis=1),
       lambda a: a.tanh()[:, 2:], (13, 18)),
    Op("slice_attribute", lambda g, a: g("Slice", a, axes=[1, 3], starts=[1, -3], ends=[4, 99]),
       lambda a: a[:, 1:4, :, -3:],
       (9,)),
    Op("slice_input", lambda g, a: g("Slice", a, g.ints(1, -3), g.ints(4, 99), g.ints(1, 3)),
       lambda a: a[:, 1:4, :, -3:], (10, 13, 18)),
    Op("pad_attribute", lambda g, a: g("Pad", a, pads=[0, 0, 1, 2, 0, 0, 0, 1]),
       lambda a: F.pad(a, (2, 1, 1, 0)), (9,)),
    Op("pad_input", lambda g, a: g("Pad", g("Tanh", a), g.ints(0, 0, 1, 2, 0, 0, 0, 1)),
       lambda a: F.pad(a.tanh(), (2, 1, 1, 0)), (11, 18)),
    Op("channel_shuffle", shuffle,
       lambda a: a.reshape(-1, 2, 3, *SIZE).transpose(1, 2).reshape(-1, CHANNELS, *SIZE)),
    Op("expand", lambda g, a: g("Expand", g("GlobalAveragePool", a), g.ints(1, 1, 3, 2)),
       lambda a: a.mean((2, 3), keepdim=True).expand(-1, -1, 3, 2)),
    Op("dropout", lambda g, a: g("Dropout", a), lambda a: a, (9, 13, 22)),
    Op("cast", lambda g, a: g("Cast", g("Tanh", g("Cast", a, to=11)), to=1), torch.tanh, (9, 18)),
    Op("identity", lambda g, a: g("Identity", g("Tanh", a)), torch.tanh),
    Op("gemm_both", lambda g, a: g("Gemm", g("Reshape", a, g.ints(-1, 336)), g.const(random(336, 5,
       seed=1)), alpha=0.5),
       lambda a: 0.5 * a.reshape(-1, 336) @ t(random(336, 5, seed=1))),
    Op("gemm_added", lambda g, a: g("Gemm", g("Reshape", a, g.ints(-1, 336)), g.const(random(336, 5, seed=1)),
       g.const(random(5, seed=2))),
       lambda a: a.reshape(-1, 336) @ t(random(336, 5, seed=1)) + t(random(5, seed=2)), (9, 10, 11, 18)),
    Op("gemm_transposed", lambda g, a: g("Gemm", g("Transpose", g("Reshape", a, g.ints(-1, 336)), perm=[1,
       0]),
       g.const(random(5, 336, seed=1)), transA=1, transB=1),
       lambda a: a.reshape(-1, 336) @ t(random(5, 336, seed=1)).T),
    Op("matmul_constant", lambda g, a: g("MatMul", a, g.const(random(7, 5, seed=1))),
       lambda a: a @ t(random(7, 5, seed=1))),
    Op("matmul_left", lambda g, a: g("MatMul", g.const(random(5, 8, seed=1)), a),
       lambda a: t(random(5, 8, seed=1)) @ a),
    Op("matmul_both", lambda g, a: g("MatMul", a, g("Transpose", g("Relu", a), perm=[0, 1, 3, 2])),
       lambda a: a @ F.relu(a).transpose(2, 3)),
    Op("matmul_repeated", lambda g, a: g("MatMul", a, g("Transpose", g("ReduceMean", a, g.ints(1)), perm=[0,
       1, 3, 2])),
       lambda a: a @ a.mean(1, keepdim=True).transpose(2, 3)),
]  # fmt: skip


def class_maps(g: Builder, a: str, kernel: int = 1) -> str:
    maps = g("Conv", a, g.const(random(CLASSES, CHANNELS, kernel, kernel, seed=6)), g.const(random(CLASSES)))
    return g("Relu", maps)


def torch_class_maps(a: Tensor, kernel: int = 1) -> Tensor:
    return F.relu(F.conv2d(a, t(random(CLASSES, CHANNELS, kernel, kernel, seed=6)), t(random(CLASSES))))


def features(a: Tensor) -> Tensor:
    return F.relu(a).mean((2, 3))


FC, BIAS = random(CLASSES, CHANNELS, seed=7), random(CLASSES, seed=8)
HEADS = [
    Op("class_maps_pooled", lambda g, a: g("Flatten", g("GlobalAveragePool", class_maps(g, a)),
       name="logits"),
       lambda a: torch_class_maps(a).mean((2, 3)), (9, 18)),
    Op("class_maps_clipped", lambda g, a: g("ReduceMean", g("Clip", class_maps(g, a), g.const(0), g.const(2)),
       axes=[2, 3], keepdims=0, name="logits"),
       lambda a: torch_class_maps(a).clamp(0, 2).mean((2, 3)), (13,)),
    Op("class_maps_swish", lambda g, a: g("Add", g("Squeeze", g("GlobalAveragePool", g("HardSwish",
       class_maps(g, a))),
       g.ints(2, 3)), g.const(BIAS), name="logits"),
       lambda a: F.hardswish(torch_class_maps(a)).mean((2, 3)), (14, 18)),
    Op("class_maps_average_pool", lambda g, a: g("Reshape", g("AveragePool", class_maps(g, a),
       kernel_shape=list(SIZE)),
       g.ints(-1, CLASSES), name="logits"), lambda a: torch_class_maps(a).mean((2, 3)), (9, 18)),
    Op("class_maps_of_wide_kernel", lambda g, a: g("Flatten", g("GlobalAveragePool", class_maps(g, a, 3)),
       name="logits"),
       lambda a: torch_class_maps(a, 3).mean((2, 3))),
    Op("class_maps_max", lambda g, a: g("Flatten", g("GlobalMaxPool", class_maps(g, a)), name="logits"),
       lambda a: torch_class_maps(a).amax((2, 3))),
    Op("class_maps_used_twice", lambda g, a: g("Flatten", g("GlobalAveragePool", (lambda m: g(
       "Mul", m, g("Sigmoid", m)))(class_maps(g, a))), name="logits"),
       lambda a: (lambda m: (m * m.sigmoid()).mean((2, 3)))(torch_class_maps(a))),
    Op("four_dimensional", lambda g, a: g("Conv", g("Relu", g("GlobalAveragePool", a)), g.const(FC[:, :,
       None, None]),
       g.const(BIAS), name="logits"), lambda a: F.relu(a.mean((2, 3))) @ t(FC).T, settings={"tail": (1, 1)}),
    Op("matmul_add", lambda g, a: g("Add", g("MatMul", g("Flatten", g("GlobalAveragePool", g("Relu", a))),
       g.const(FC.T)),
       g.const(BIAS), name="logits"), lambda a: features(a) @ t(FC).T, (9, 18)),
    Op("gemm_scaled", lambda g, a: g("Gemm", g("Flatten", g("GlobalAveragePool", g("Relu", a))),
       g.const(FC.T),
       alpha=0.25, name="logits"), lambda a: 0.25 * features(a) @ t(FC).T, (11, 18)),
    Op("linear_then_activation", lambda g, a: g("LeakyRelu", g("Gemm", g("Flatten", g("GlobalAveragePool",
       g("Relu", a))),
       g.const(FC), transB=1), alpha=0.1, name="logits"), lambda a: F.leaky_relu(features(a) @ t(FC).T, 0.1)),
    Op("scaled_logits", lambda g, a: g("Mul", g("Gemm", g("Flatten", g("GlobalAveragePool", g("Relu", a))),
       g.const(FC),
       transB=1), g.const(np.abs(BIAS)), name="logits"), lambda a: features(a) @ t(FC).T * t(np.abs(BIAS))),
    Op("two_paths", lambda g, a: g("Add", g("Gemm", g("Flatten", g("GlobalAveragePool", a)), g.const(FC),
       transB=1),
       g("Gemm", g("Flatten", g("GlobalMaxPool", a)), g.const(FC), transB=1), name="logits"),
       lambda a: a.mean((2, 3)) @ t(FC).T + a.amax((2, 3)) @ t(FC).T),
    Op("weights_computed", lambda g, a: g("Gemm", g("Flatten", g("GlobalAveragePool", g("Relu", a))), g(
       "Transpose", g("Cast", g.const(FC.T, np.float64), to=1), perm=[1, 0]), transB=1, name="logits"),
       lambda a: features(a) @ t(FC).T),
]  # fmt: skip
