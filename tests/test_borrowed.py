"""Borrowed words: what another network sees at the same place."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from planted import GENERAL, PREPROCESS, THINGS, planted_network, write_classes, write_masks
from torch import nn

from nle_fast import Preprocess
from nle_fast.dissect import DissectOptions, Witness, dissect
from nle_fast.dissect.borrowed import Seen, crosswise, looks_like, name_by_witness, set_correlations
from nle_fast.dissect.grid import overlaps
from nle_fast.dissect.groups import Groups, groups_of
from nle_fast.dissect.report import report_html
from nle_fast.errors import ModelError

LABELS = [*THINGS, "background"]
OPTIONS = DissectOptions(threads=1)


def witness_network(relu: bool = False) -> nn.Module:
    """Knows all things at each position: the planted network with a head whose classes are the things and nothing."""
    network, truth = planted_network()
    weight = torch.zeros(len(LABELS), len(truth))
    for neuron, name in enumerate(truth):
        weight[LABELS.index(name), neuron] = 30
    bias = torch.zeros(len(LABELS))
    bias[-1] = 3
    layers = list(network)[:3]
    if relu:
        head = nn.Conv2d(len(truth), len(LABELS), 1)
        layers += [head, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        weight = weight[..., None, None]
    else:
        head = nn.Linear(len(truth), len(LABELS))
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), head]
    with torch.no_grad():
        head.weight.copy_(weight)
        head.bias.copy_(bias)
    return nn.Sequential(*layers).eval()


def two_class_network() -> tuple[nn.Module, list[str]]:
    """The planted network with other noise, and a head of two classes."""
    network, truth = planted_network(copies=2, seed=7)
    network[-1] = nn.Linear(len(truth), 2)
    return network.eval(), truth


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("borrowed")
    classes, general = write_classes(folder)
    return {"masks": write_masks(folder / "masks"), "classes": classes, "general": general, "cache": folder / "cache"}


@pytest.mark.parametrize("relu", [False, True])
def test_a_network_of_two_classes_borrows_words(data, relu):
    network, truth = two_class_network()
    witness = Witness(witness_network(relu), LABELS, PREPROCESS)
    pictures = sorted((data["masks"] / "images").glob("*.png"))
    found = dissect(
        network, preprocess=PREPROCESS, witness=witness, pictures=pictures, options=OPTIONS, cache=data["cache"]
    )
    plurals = [groups_of([name]).texts[0] for name in truth]
    right = [name == looks_like(words) for name, words in zip(found.concepts.names, plurals, strict=True)]
    assert np.mean(right) > 0.85
    assert set(found.concepts.sources) <= {"borrowed", None}
    (entry, *_) = (entry for entry in found.record["neurons"] if entry["name"])
    assert entry["offers"]["borrowed"]["judged"] == "the witness's maps"
    (source,) = found.record["sources"]
    assert (source["witness"], source["pictures_of_known_class"]) == ("Sequential", 0)
    assert "another network" in report_html(found.record)


def test_labels_judge_where_there_are_any(data):
    network, truth = two_class_network()
    witness = Witness(witness_network(), LABELS, PREPROCESS, data["general"])
    found = dissect(
        network, preprocess=PREPROCESS, witness=witness, labelled=data["classes"], options=OPTIONS, cache=data["cache"]
    )
    offers = [entry["offers"].get("borrowed") for entry in found.record["neurons"]]
    assert sum(offer is not None for offer in offers) > 15
    for offer, name in zip(offers, truth, strict=True):
        if offer is not None:
            assert offer["judged"] == "labels"
            assert offer["words"] in (groups_of([name]).texts[0], groups_of([GENERAL[name]]).texts[0])
            assert min(offer["r"]) > 0.15


def test_the_grids_of_different_windows_are_brought_together(data):
    network, truth = two_class_network()
    seen = Preprocess(size=48, resize=64, mean=(0.5, 0.5, 0.5), std=(1, 1, 1))  # the middle of it only
    witness = Witness(witness_network(), LABELS, seen)
    pictures = sorted((data["masks"] / "images").glob("*.png"))
    found = dissect(network, preprocess=PREPROCESS, witness=witness, pictures=pictures, options=OPTIONS)
    plurals = [groups_of([name]).texts[0] for name in truth]
    named = [(name, words) for name, words in zip(found.concepts.names, plurals, strict=True) if name]
    assert len(named) > 15
    assert np.mean([name == looks_like(words) for name, words in named]) > 0.85


@given(
    cells=st.integers(1, 9), others=st.integers(1, 9), start=st.floats(-20, 20), width=st.floats(1, 50),
    low=st.floats(-20, 20), span=st.floats(1, 50),
)  # fmt: skip
def test_overlaps_share_each_cell_out(cells, others, start, width, low, span):
    shares, there = overlaps(cells, (start, start + width), others, (low, low + span))
    assert shares.shape == (cells, others)
    sums = shares.sum(1)
    assert np.all((abs(sums - 1) < 1e-4) | (sums < 1e-4))
    assert (sums[there] > 0.99).all()
    same, whole = overlaps(cells, (start, start + width), cells, (start, start + width))
    assert whole.all()
    assert np.allclose(same, np.eye(cells), atol=1e-3)


def test_correlations_from_sums_against_numpy():
    rng = np.random.default_rng(0)
    x, y = rng.random((3, 50)), rng.random((2, 50))
    values = np.concatenate([x, y])
    sums = np.stack([np.append(50, values.sum(1)), np.append(50, (values**2).sum(1))])
    found = set_correlations(sums, x @ y.T, 3)
    assert np.allclose(found, np.corrcoef(values)[:3, 3:], atol=1e-5)
    assert (set_correlations(np.zeros((2, 6)), np.zeros((3, 2)), 3) == 0).all()


def test_what_does_not_hold_in_both_halves_is_not_given():
    groups = Groups((), np.zeros((0, 2), bool), ("cats", "dogs"))
    half = np.arange(80) % 2
    classes = np.arange(80) // 2 % 2
    codes = np.zeros((80, 2), np.float32)
    codes[:, 0] = classes
    codes[:, 1] = np.where(half == 0, classes, 1 - classes)
    r = np.array([[[-1, 1], [-1, 1]], [[-1, 1], [1, -1]]], np.float32)
    answers = np.eye(2, dtype=np.float32)[classes]
    seen = Seen(r, np.array([[-1, 1], [0, 0]], np.float32), np.full((2, 2), 20), answers)
    for known in (classes, None):
        first, second = name_by_witness(seen, groups, codes, half, known)
        assert first.name == "what looks like dogs"
        assert first.quality == pytest.approx(1)
        assert second is None


def test_a_witness_must_have_class_maps():
    hidden = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(16, 5),
        nn.Tanh(),
        nn.Linear(5, 3),
    )
    with pytest.raises(ModelError, match="`witness` must have a head"):
        Witness(hidden.eval(), ["a", "b", "c"], PREPROCESS)


def test_crosswise_is_what_the_other_half_chose():
    groups = Groups((), np.zeros((0, 2), bool), ("cats", "dogs"))
    half, classes = np.arange(80) % 2, np.arange(80) // 2 % 2
    codes = np.stack([classes, np.where(half == 0, classes, 1 - classes)], 1).astype(np.float32)
    answers = np.eye(2, dtype=np.float32)[classes]
    seen = Seen(np.zeros((2, 2, 2), np.float32), np.zeros((2, 2), np.float32), np.full((2, 2), 20), answers)
    assert crosswise(seen, groups, codes, half, classes) == pytest.approx(np.array([[1, -1], [1, -1]]))
    few = Seen(seen.r, seen.both, np.full((2, 2), 2), answers)
    assert (crosswise(few, groups, codes, half, classes) == 0).all()
    assert name_by_witness(few, groups, codes, half, classes) == [None, None]
