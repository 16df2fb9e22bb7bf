"""The gradients written as ONNX nodes, operator by operator, against torch's autograd of the same function."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx_cases import CHANNELS, CLASSES, HEADS, OPS, SIZE, Builder, Op, class_maps, linear, network, random, save, t

from nle_fast.classifiers.onnx.model import OnnxClassifier
from nle_fast.errors import GradientUnavailableError, NleWarning


def expected(op: Op, activation: np.ndarray, target: list[int], versus: list[int] | None = None) -> np.ndarray:
    a = torch.tensor(activation, requires_grad=True)
    logits = op.torch(a).flatten(1) @ t(linear(op.torch(a).flatten(1).shape[1])).T + t(random(CLASSES))
    rows = torch.arange(len(a))
    total = logits[rows, target].sum()
    if versus is not None:
        total = total - logits[rows, versus].sum()
    return torch.autograd.grad(total, a)[0].numpy()


def close(actual: np.ndarray, wanted: np.ndarray) -> None:
    if actual.ndim == 2:
        actual = np.broadcast_to(actual[:, :, None, None], wanted.shape)
    np.testing.assert_allclose(actual, wanted, rtol=0, atol=2e-5 * max(np.abs(wanted).max(), 1e-6))


@pytest.mark.parametrize(
    ("op", "opset"), [(op, opset) for op in OPS for opset in op.opsets], ids=lambda v: getattr(v, "name", str(v))
)
def test_operator_equals_autograd(op: Op, opset: int, tmp_path: Path) -> None:
    activation = random(2, CHANNELS, *SIZE, seed=9)
    width = op.torch(t(activation)).flatten(1).shape[1]
    classifier = OnnxClassifier(network(tmp_path / "model.onnx", op.onnx, width, opset), "a")
    if op.name != "mul_lower_rank":  # the one that mixes pictures on purpose
        close(classifier.gradients(activation, [1, 3]), expected(op, activation, [1, 3]))
        close(classifier.gradients(activation, [1, 3], [0, 2]), expected(op, activation, [1, 3], [0, 2]))
    close(classifier.gradients(activation[:1], [2]), expected(op, activation[:1], [2]))
    pictures = random(2, 3, *SIZE, seed=11)
    reading = classifier.read(pictures, [-1, 0], [-1, 2])
    for i, (k, other) in enumerate([(reading.class_index[0], None), (0, [2])]):
        close(reading.gradients[i : i + 1], expected(op, reading.activations[i : i + 1], [int(k)], other))


@pytest.mark.parametrize(
    ("op", "opset"),
    [(op, opset) for op in HEADS for opset in op.opsets or (18,)],
    ids=lambda v: getattr(v, "name", str(v)),
)
def test_head_equals_autograd(op: Op, opset: int, tmp_path: Path) -> None:
    g = Builder()
    g("Conv", "picture", g.const(random(CHANNELS, 3, 3, 3)), g.const(random(CHANNELS)), name="a", pads=[1, 1, 1, 1])
    op.onnx(g, "a")
    shape = ["n", CLASSES, *op.settings.get("tail", ())]
    classifier = OnnxClassifier(save(g, tmp_path / "model.onnx", opset, outputs={"logits": shape}), "a")
    activation = random(4, CHANNELS, *SIZE, seed=9)
    a = torch.tensor(activation, requires_grad=True)
    logits = op.torch(a)
    moved = classifier.logits(activation) - classifier.logits(activation[:1])  # so that biases need not be repeated
    np.testing.assert_allclose(moved, (logits - logits[:1]).detach().numpy(), rtol=0, atol=1e-5)
    rows = torch.arange(4)
    for target, versus in (([0, 1, 2, 3], None), ([3, 3, 0, 1], [2, 0, 3, 2]), ([1, 2, 3, 0], [-1, 0, -1, 1])):
        total = logits[rows, target].sum()
        for row, other in enumerate(versus or []):
            total = total - (logits[row, other] if other >= 0 else 0)
        close(
            classifier.gradients(activation, target, versus),
            torch.autograd.grad(total, a, retain_graph=True)[0].numpy(),
        )


def test_class_maps_do_not_cost_all_classes(tmp_path: Path) -> None:
    """A gradient through a 1 × 1 convolution is written with two rows of its weights, not as a convolution."""
    g = Builder()
    g("Conv", "picture", g.const(random(CHANNELS, 3, 3, 3)), name="a", pads=[1, 1, 1, 1])
    g("Flatten", g("GlobalAveragePool", class_maps(g, "a")), name="logits")
    classifier = OnnxClassifier(save(g, tmp_path / "model.onnx"), "a")
    written = [node.op_type for node in classifier._written.nodes]
    assert "Gather" in written
    assert "Conv" not in written
    assert "ConvTranspose" not in written


@pytest.mark.parametrize(
    "name", ["conv", "conv_strided", "average", "max", "reduce_mean_attribute", "global_max", "add_spread"]
)
def test_pictures_of_any_size(name: str, tmp_path: Path) -> None:
    """Height and width left open: pooled in the end, so that every size works, odd and even."""
    op = next(op for op in OPS if op.name == name)
    opset = op.opsets[-1]
    g = Builder()
    g("Conv", "picture", g.const(random(CHANNELS, 3, 3, 3)), name="a", pads=[1, 1, 1, 1])
    out = op.onnx(g, "a")
    channels = op.torch(t(random(1, CHANNELS, 9, 9))).shape[1]
    flat = g("Reshape", out, g.ints(0, channels, -1))
    mean = (
        g("ReduceMean", g("Tanh", flat), axes=[2], keepdims=0)
        if opset < 18
        else g("ReduceMean", g("Tanh", flat), g.ints(2), keepdims=0)
    )
    g("Gemm", mean, g.const(linear(channels)), transB=1, name="logits")
    classifier = OnnxClassifier(save(g, tmp_path / "model.onnx", opset, size=("h", "w")), "a")
    assert classifier.input_size is None
    for size in ((8, 7), (9, 12), (15, 10)):
        activation = random(2, CHANNELS, *size, seed=9)
        a = torch.tensor(activation, requires_grad=True)
        logits = op.torch(a).reshape(2, channels, -1).tanh().mean(2) @ t(linear(channels)).T
        wanted = torch.autograd.grad(logits[0, 1] + logits[1, 3], a)[0].numpy()
        close(classifier.gradients(activation, [1, 3]), wanted)


# ---- what has no gradient


def test_unsupported_operator_is_named_with_a_later_layer(tmp_path: Path) -> None:
    def body(g: Builder, a: str) -> str:
        g("Sin", a, name="wave")
        g.nodes[-1].name = "my_sine"
        return g("Relu", g("Conv", "wave", g.const(random(CHANNELS, CHANNELS, 1, 1)), name="later"))

    path = network(tmp_path / "model.onnx", body, CHANNELS * 56)
    with pytest.raises(GradientUnavailableError, match=r"Sin 'my_sine'.*choose a later layer, such as 'wave'"):
        OnnxClassifier(path, "a")
    assert OnnxClassifier(path, "later").gradients(random(1, CHANNELS, *SIZE), [0]).shape == (1, CHANNELS, *SIZE)
    assert OnnxClassifier(path).closed_form is False


def test_unsupported_operator_without_a_later_layer(tmp_path: Path) -> None:
    path = network(tmp_path / "model.onnx", lambda g, a: g("Sin", g("Flatten", a)), CHANNELS * 56)
    with pytest.raises(GradientUnavailableError, match=r"stands Sin .*there is no later layer"):
        OnnxClassifier(path, "a")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (lambda g, a: g("Pad", a, g.ints(0, 0, 1, 1, 0, 0, 1, 1), mode="reflect"), "pads by 'reflect'"),
        (lambda g, a: g("Slice", a, g.ints(0), g.ints(8), g.ints(2), g.ints(2)), "every n-th"),
        (lambda g, a: g("Pow", a, g.const([2.0] * 7)), "exponent"),
        (lambda g, a: g("Cast", g("Cast", a, to=7), to=1), "rounded"),
        (lambda g, a: g("PRelu", a, g("Sigmoid", a)), "slope"),
        (lambda g, a: g("TopK", g("Relu", a), g.ints(2), outputs=2, axis=3)[0], "TopK"),
    ],
)
def test_settings_without_a_gradient(body: Any, reason: str, tmp_path: Path) -> None:
    activation = random(1, CHANNELS, *SIZE)
    widths = {"pads by 'reflect'": CHANNELS * 90, "every n-th": CHANNELS * 28, "TopK": CHANNELS * 16}
    path = network(tmp_path / "model.onnx", body, widths.get(reason, activation.size))
    with pytest.raises(GradientUnavailableError, match=reason):
        OnnxClassifier(path, "a")


def test_max_pooling_before_opset_16_is_converted_and_said_so(tmp_path: Path) -> None:
    op = next(op for op in OPS if op.name == "max_overlapping")
    width = op.torch(t(random(1, CHANNELS, *SIZE))).numel()
    path = network(tmp_path / "model.onnx", op.onnx, width, 11)
    before = path.read_bytes()
    with pytest.warns(NleWarning, match="from opset 11 to 16"):
        classifier = OnnxClassifier(path, "a")
    activation = random(2, CHANNELS, *SIZE, seed=9)
    close(classifier.gradients(activation, [1, 3]), expected(op, activation, [1, 3]))
    assert path.read_bytes() == before
