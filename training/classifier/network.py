"""The network: a small residual CNN whose last layer sees parts, not whole pictures.

    images (N, 3, 128, 128) ─ 5×5/2 ─ 3×3/2 ─ residual ─ 3×3/2 ─ residual ×2 ─ 1×1
        ─► features (N, 48, 16, 16) ─ mean ─ linear ─► logits (N, K)

A position of `features` sees 65 × 65 pixels around it, so what a neuron responds to is near its position. The mean and
the linear layer make each neuron's score exact (closed form): Σ scores + bias = logit.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["LAYER", "Network", "export_onnx", "folded"]

#: Name of the last activation, in torch and in ONNX.
LAYER = "features"
WIDTHS = (32, 64, 128, 48)
#: Factor between the mean and the linear layer, part of its weights once exported: a beak is a hundredth of the
#: picture, and without it the weights would have to grow for very long.
GAIN = 8.0


class ConvNorm(nn.Sequential):
    """A convolution without bias and its batch norm, which fold into one convolution."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1):
        super().__init__(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs))


class Residual(nn.Module):
    """x + norm(conv(relu(norm(conv(x))))): a 3×3 convolution and one of `second`×`second`."""

    def __init__(self, width: int, second: int):
        super().__init__()
        self.first, self.second = ConvNorm(width, width, 3), ConvNorm(width, width, second)
        nn.init.zeros_(self.second[1].weight)  # each block starts as the identity

    def forward(self, x: Tensor) -> Tensor:
        """Same shape in and out."""
        return x + self.second(torch.relu(self.first(x)))


class Network(nn.Module):
    """The classifier. `features` is the layer that is explained."""

    def __init__(self, classes: int, widths: tuple[int, int, int, int] = WIDTHS):
        super().__init__()
        stem, middle, wide, last = widths
        self.widths = widths
        self.features = nn.Sequential(
            ConvNorm(3, stem, 5, 2), nn.ReLU(),
            ConvNorm(stem, middle, 3, 2), nn.ReLU(), Residual(middle, 3), nn.ReLU(),
            ConvNorm(middle, wide, 3, 2), nn.ReLU(), Residual(wide, 1), nn.ReLU(), Residual(wide, 1), nn.ReLU(),
            ConvNorm(wide, last, 1), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(last, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, K) of preprocessed images (N, 3, 128, 128)."""
        return self.answer(self.features(images))

    def answer(self, features: Tensor) -> Tensor:
        """Logits (N, K) of the features (N, C, H, W)."""
        return self.head(features.mean((2, 3)) * GAIN)


def folded(network: Network) -> dict[str, NDArray[np.float32]]:
    """The weights of inference: each batch norm folded into its convolution, names as in the module."""
    weights = {}
    for name, module in network.named_modules():
        if isinstance(module, ConvNorm):
            conv, norm = module[0], module[1]
            factor = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
            weights[f"{name}.weight"] = conv.weight.double() * factor[:, None, None, None]
            weights[f"{name}.bias"] = norm.bias.double() - norm.running_mean.double() * factor
    weights["head.weight"], weights["head.bias"] = network.head.weight * GAIN, network.head.bias
    return {name: tensor.detach().cpu().float().numpy() for name, tensor in weights.items()}


def export_onnx(network: Network, path: Path, metadata: Mapping[str, str]) -> None:
    """Write the network as ONNX: opset 17, any batch size, input `images`, output `logits`, activation `features`."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = folded(network)
    nodes = []

    def node(operator: str, inputs: list[str], output: str, **attributes: object) -> str:
        nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def convolve(name: str, module: ConvNorm, x: str) -> str:
        conv = module[0]
        names = [x, f"{name}.weight", f"{name}.bias"]
        pads = [conv.padding[0]] * 4
        return node("Conv", names, f"{name}.conv", kernel_shape=conv.kernel_size, strides=conv.stride, pads=pads)

    x, last = "images", len(network.features) - 1
    for number, module in enumerate(network.features):
        name = f"features.{number}"
        if isinstance(module, ConvNorm):
            x = convolve(name, module, x)
        elif isinstance(module, Residual):
            inner = node("Relu", [convolve(f"{name}.first", module.first, x)], f"{name}.relu")
            x = node("Add", [x, convolve(f"{name}.second", module.second, inner)], f"{name}.add")
        else:
            x = node("Relu", [x], LAYER if number == last else f"{name}.relu")
    pooled = node("Flatten", [node("GlobalAveragePool", [x], "pooled")], "flat")
    node("Gemm", [pooled, "head.weight", "head.bias"], "logits", transB=1)
    graph = helper.make_graph(
        nodes,
        "nle_fast world",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 3, 128, 128])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", network.head.out_features])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    draft = path.with_suffix(".draft")
    draft.write_bytes(model.SerializeToString())
    draft.replace(path)
