"""Heads in closed form, natively, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nle_fast.errors import InputError
from nle_fast.ops import (
    find_winner,
    logits_without,
    means_without,
    pooled_gradients,
    rectified_gates,
    rectified_gradients,
    reference,
)

CLASSES, NEURONS = 30, 20


def head(positions: int, seed: int):
    """Weights and maps, and class maps that they make with something added."""
    rng = np.random.default_rng(seed)
    weight, maps = rng.normal(size=(CLASSES, NEURONS)), rng.random((NEURONS, positions))
    class_maps = weight @ maps + rng.normal(size=(CLASSES, 1))
    return tuple(array.astype(np.float32) for array in (weight, maps, class_maps))


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 7, 8, 9, 16, 17, 20])
@pytest.mark.parametrize("positions", [1, 7, 49, 169])
@pytest.mark.parametrize("classes", [None, [4], [29, 0]])
@pytest.mark.parametrize("order", ["C", "F"])
def test_as_defined(size, positions, classes, order):
    weight, maps, class_maps = head(positions, seed=100 * size + positions)
    weight = np.asarray(weight, order=order)
    sets = np.stack([np.random.default_rng(s).permutation(NEURONS) for s in range(3)])[:, :size]
    asked = None if classes is None else np.array(classes)
    rows = class_maps if classes is None else class_maps[classes]
    for ours, defined, given in (
        (means_without, reference.means_without, rows),
        (logits_without, reference.logits_without, rows.mean(1)),
    ):
        found = ours(given, weight, maps, sets, asked)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, defined(given, weight, maps, sets, asked), rtol=1e-5, atol=2e-5)


def test_what_does_not_fit_is_refused():
    weight, maps, class_maps = head(4, seed=1)
    fits = {"given": class_maps, "weight": weight, "maps": maps, "sets": np.array([[0, 1]]), "classes": None}
    means_without(*fits.values())
    for changed in (
        {"given": class_maps[:2]},
        {"given": class_maps[0]},
        {"given": class_maps[:, :3]},
        {"given": class_maps.astype(np.float64)},
        {"weight": weight[:, :3]},
        {"weight": weight[0]},
        {"maps": maps[:3]},
        {"maps": maps[:, :0], "given": class_maps[:, :0]},
        {"maps": maps.T.copy().T},
        {"sets": np.array([0, 1])},
        {"sets": np.array([[NEURONS]])},
        {"sets": np.array([[-1]])},
        {"sets": np.array([[0]], np.int32)},
        {"classes": np.array([0])},
        {"classes": np.arange(CLASSES) + 1},
        {"classes": np.arange(CLASSES) - 1},
    ):
        arguments = list({**fits, **changed}.values())
        with pytest.raises(InputError, match=r"`class_maps`.* must fit"):
            means_without(*arguments)
    with pytest.raises(InputError, match=r"`logits`.* must fit"):
        logits_without(*fits.values())


@pytest.mark.parametrize("logits", [[0.0], [3.0, 3.0, 1.0], [-1e30, 1e30], [1000.0, 1001.0, 999.0], [-5.0, -7.5]])
def test_the_winner_and_probabilities(logits):
    values = np.array(logits, np.float32)
    for index in (None, *range(len(values))):
        winner, probability = find_winner(values, index)
        expected = reference.find_winner(values, index)
        assert winner == expected[0]
        assert probability == pytest.approx(expected[1], rel=1e-12)


def test_probabilities_of_a_thousand_classes():
    values = np.random.default_rng(0).normal(0, 4, 1000).astype(np.float32)
    every = [find_winner(values, index)[1] for index in range(1000)]
    assert sum(every) == pytest.approx(1, rel=1e-12)
    np.testing.assert_allclose(every, [reference.find_winner(values, index)[1] for index in range(1000)], rtol=1e-12)


def test_no_logits_and_no_such_class():
    values = np.zeros(3, np.float32)
    for logits, index in ((values, 3), (values, -1), (values[:0], None), (values[None], 0), (values.astype(float), 0)):
        with pytest.raises(InputError, match="`logits` must be"):
            find_winner(logits, index)


@pytest.mark.parametrize("positions", [1, 7, 169])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(("target", "versus"), [([-1, -1], [-1, -1]), ([3, -1], [-1, 7]), ([0, 29], [29, 0])])
def test_gradients_as_defined(positions, order, target, versus):
    rng = np.random.default_rng(positions)
    weight = np.asarray(rng.normal(size=(CLASSES, NEURONS)).astype(np.float32), order=order)
    logits = rng.normal(size=(2, CLASSES)).astype(np.float32)
    asked = np.array(target), np.array(versus)
    chosen, rows = pooled_gradients(logits, weight, *asked, positions)
    expected = reference.pooled_gradients(logits, weight, *asked, positions)
    np.testing.assert_array_equal(chosen, expected[0])
    np.testing.assert_array_equal(rows, expected[1])
    bias = rng.normal(size=CLASSES).astype(np.float32)
    activations = rng.normal(size=(2, NEURONS, positions, 2)).astype(np.float32)
    found = rectified_gradients(logits, weight, bias, activations, *asked)
    expected = reference.rectified_gradients(logits, weight, bias, activations, *asked)
    np.testing.assert_array_equal(found[0], expected[0])
    assert found[1].dtype == np.float32
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("size", [(1, 1), (7, 7), (13, 13)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_gates(size, order):
    rng = np.random.default_rng(size[0])
    weight, bias = (rng.normal(size=shape).astype(np.float32) for shape in ((CLASSES, NEURONS), CLASSES))
    maps, classes = rng.normal(size=(4, NEURONS, *size)).astype(np.float32), np.array([3, 0, -1, CLASSES - 1])
    gates, sums = rectified_gates(np.asarray(weight, order=order), bias, maps, classes)
    expected = reference.rectified_gates(weight, bias, maps, classes)
    assert gates.dtype == sums.dtype == np.float32
    np.testing.assert_array_equal(gates, expected[0])
    np.testing.assert_allclose(sums, expected[1], rtol=1e-5, atol=1e-5)
    leaf = torch.from_numpy(maps).requires_grad_()
    convolved = torch.nn.functional.conv2d(leaf, torch.from_numpy(weight)[:, :, None, None], torch.from_numpy(bias))
    picked = convolved.relu().mean((2, 3))[np.arange(4), classes] * torch.tensor([1, 1, 0, 1])
    (gradients,) = torch.autograd.grad(picked.sum(), leaf)
    np.testing.assert_allclose(weight[classes][:, :, None, None] * gates, gradients, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(sums, (leaf * gradients).sum((1, 2, 3)).detach(), rtol=1e-4, atol=1e-5)
    for bad in ((weight[0], bias, maps, classes), (weight, bias[1:], maps, classes), (weight, bias, maps, classes + 1)):
        with pytest.raises(InputError, match="must fit each other"):
            rectified_gates(*bad)


def test_of_equal_logits_the_lowest_is_explained():
    weight = np.arange(3, dtype=np.float32)[:, None]
    chosen, rows = pooled_gradients(np.zeros((1, 3), np.float32), weight, np.array([-1]), np.array([-1]), 1)
    assert (chosen.tolist(), rows.tolist()) == ([0], [[0.0]])


def test_gradients_of_what_does_not_fit():
    weight, _, _ = head(4, seed=1)
    logits, none = np.zeros((1, CLASSES), np.float32), np.array([-1])
    for arguments in (
        (logits[:, :3], weight, none, none, 4),
        (logits, weight, np.array([CLASSES]), none, 4),
        (logits, weight, none, np.array([CLASSES]), 4),
        (logits, weight, np.array([-1, -1]), none, 4),
        (logits, weight, none, none, 0),
        (logits.astype(float), weight, none, none, 4),
    ):
        with pytest.raises(InputError, match="must fit each other"):
            pooled_gradients(*arguments)
    bias, maps = np.zeros(CLASSES, np.float32), np.zeros((1, NEURONS, 2, 2), np.float32)
    for arguments in (
        (logits, weight, bias, maps, np.array([CLASSES]), none),
        (logits, weight, bias, maps, none, np.array([CLASSES])),
        (logits, weight, bias[1:], maps, none, none),
        (logits, weight, bias, maps[:, 1:], none, none),
        (logits, weight, bias, maps[0], none, none),
        (logits, weight, bias, maps[:, :, :0], none, none),
        (logits, weight[0], bias, maps, none, none),
        (logits[0], weight, bias, maps, none, none),
    ):
        with pytest.raises(InputError, match="must fit each other"):
            rectified_gradients(*arguments)
