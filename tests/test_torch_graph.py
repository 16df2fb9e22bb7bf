"""Captured work without a GPU: a stand-in for CUDA graphs that records operators and plays them back in place."""

from __future__ import annotations

import contextlib

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from nle_fast.classifiers.torch import graph as torch_graph
from nle_fast.classifiers.torch.graph import Graphed
from nle_fast.errors import NleWarning


class Recorder(TorchDispatchMode):
    """As a capture does: every operator with its very tensors; waiting for a value is refused."""

    def __init__(self, calls):
        super().__init__()
        self.calls = calls

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten._local_scalar_dense.default:
            raise RuntimeError("operation not permitted when stream is capturing")
        result = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, result))
        return result


class Graph:
    def __init__(self):
        self.calls, self.replays = [], 0

    def replay(self):
        self.replays += 1
        for func, args, kwargs, result in self.calls:
            for place, value in zip(tree_leaves(result), tree_leaves(func(*args, **kwargs)), strict=True):
                place.copy_(value)


class Stream:
    def __init__(self, *_):
        pass

    def wait_stream(self, other):
        pass


@pytest.fixture(autouse=True)
def graphs(monkeypatch):
    """All graphs that are made."""
    made = []

    class Kept(Graph):
        def __init__(self):
            super().__init__()
            made.append(self)

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Kept)
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda _: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "current_stream", Stream)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph, **_: Recorder(graph.calls))
    return made


def numbers(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def of(weight, runs=None):
    def work(pictures, classes):
        if runs is not None:
            runs.append(len(pictures))
        return (pictures @ weight.T)[torch.arange(len(pictures)), classes] * 2, pictures + 1

    return Graphed(work, [weight], torch.device("cpu"), "The work")


def assert_right(graphed, weight, seed, count=3):
    pictures, classes = numbers(seed, count, 4), torch.arange(count) % 5
    values, more = graphed(pictures, classes)
    torch.testing.assert_close(values, (pictures @ weight.T)[torch.arange(count), classes] * 2)
    torch.testing.assert_close(more, pictures + 1)


def test_a_shape_that_comes_again_is_captured_once(graphs):
    weight, runs = numbers(0, 5, 4), []
    graphed = of(weight, runs)
    assert_right(graphed, weight, 1)
    assert not graphs
    for seed in range(2, 6):
        assert_right(graphed, weight, seed)
    assert [graph.replays for graph in graphs] == [4]
    assert len(runs) == 1 + torch_graph.WARM_UPS + 1
    assert_right(graphed, weight, 7, count=2)  # another shape, once
    assert len(graphs) == 1
    assert_right(graphed, weight, 8, count=2)
    assert_right(graphed, weight, 9)
    assert [graph.replays for graph in graphs] == [5, 1]
    assert graphed.reason is None


def test_weights_trained_further_are_seen_and_moved_ones_captured_anew(graphs):
    weight = numbers(0, 5, 4)
    graphed = of(weight)
    for seed in range(3):
        assert_right(graphed, weight, seed)
    weight.mul_(3)
    assert_right(graphed, weight, 4)
    assert len(graphs) == 1
    weight.data = numbers(9, 5, 4)
    assert_right(graphed, weight, 5)
    assert len(graphs) == 2


def test_what_cannot_be_captured_runs_as_it_is_and_says_so_once(graphs):
    def work(pictures):
        return (pictures * 2 if float(pictures.sum()) > 0 else pictures,)

    graphed = Graphed(work, [], torch.device("cpu"), "The network")
    graphed(torch.ones(2))
    with pytest.warns(NleWarning, match=r"The network cannot be captured .*not permitted when stream is capturing"):
        assert graphed(torch.ones(2))[0].tolist() == [2, 2]
    assert "capturing" in graphed.reason
    assert graphed(-torch.ones(2))[0].tolist() == [-1, -1]
    assert len(graphs) == 1


def test_few_shapes_are_kept(graphs):
    weight = numbers(0, 5, 4)
    graphed = of(weight)
    for count in range(1, torch_graph.MOST_SHAPES + 3):
        for seed in (1, 2):
            assert_right(graphed, weight, seed, count)
    assert len(graphs) == torch_graph.MOST_SHAPES + 2
    assert_right(graphed, weight, 3, count=1)  # forgotten: not captured at once
    assert len(graphs) == torch_graph.MOST_SHAPES + 2
