"""Quantiles, overlaps and rank statistics: the fast versions, their definitions, and torch or SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from nle_fast import _core
from nle_fast.errors import ConfigError, InputError
from nle_fast.ops import activation_quantiles, count_overlaps, rank_auc, reference_dissect

SEEDS = st.integers(0, 2**32 - 1)


def maps_of(seed, shape):
    """Values on a grid of 1/8, so that ties are common; zeros as after a ReLU in half of the neurons."""
    rng = np.random.default_rng(seed)
    values = rng.integers(-12, 24, shape) / 8
    values[:, ::2] = np.maximum(values[:, ::2], 0)
    return values.astype(np.float16)


def masks_of(seed, count, side, concepts):
    """Codes with none, one and two concepts each; code 0 is unknown, code 1 nothing of note."""
    rng = np.random.default_rng(seed)
    meanings = [(), (), *((j,) for j in range(concepts)), *((j, (j + 1) % concepts) for j in range(concepts // 2))]
    coarse = rng.integers(0, len(meanings), (count, -(-side // 3), -(-side // 3)))
    codes = coarse.repeat(3, 1).repeat(3, 2)[:, :side, :side]
    return np.ascontiguousarray(codes.astype(np.uint16)), meanings


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 6), st.integers(1, 6)),
    st.lists(st.floats(0, 0.999), min_size=1, max_size=3),
    st.integers(1, 4),
    SEEDS,
)
def test_quantiles_equal_the_definition(shape, shares, threads, seed):
    maps = maps_of(seed, shape)
    found = activation_quantiles(maps, shares, threads=threads)
    np.testing.assert_array_equal(found, reference_dissect.activation_quantiles(maps, shares))
    for share, thresholds in zip(shares, found, strict=True):
        above = (maps > thresholds[None, :, None, None]).mean((0, 2, 3))
        assert (above <= share + 1e-9).all()


def test_quantiles_are_those_of_numpy_also_for_extreme_values():
    maps = np.random.default_rng(1).normal(size=(7, 5, 6, 6)).astype(np.float16)
    maps[0, 1], maps[1, 2] = 65504, -6e-8
    expected = np.quantile(maps.transpose(1, 0, 2, 3).reshape(5, -1), 0.9, axis=1, method="inverted_cdf")
    np.testing.assert_array_equal(activation_quantiles(maps, [0.1])[0], expected.astype(np.float32))
    rows = np.array([4, 2])
    np.testing.assert_array_equal(activation_quantiles(maps, [0.3], rows), activation_quantiles(maps[rows], [0.3]))


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 7), st.integers(1, 6), st.sampled_from([1, 2, 3, 6, 16, 17, 30])),
    st.integers(1, 150),
    st.integers(1, 6),
    st.integers(1, 3),
    st.sampled_from(range(len(_core.vector_units()))),
    SEEDS,
)
def test_overlaps_equal_the_definition(shape, side, concepts, threads, unit, seed):
    maps = maps_of(seed, shape)
    codes, meanings = masks_of(seed, shape[0], side, concepts)
    thresholds = np.sort(np.random.default_rng(seed).normal(0.6, 1, (2, shape[1])).astype(np.float32), axis=0)
    expected = reference_dissect.count_overlaps(maps, thresholds, codes, meanings, concepts)
    found = count_overlaps(maps, thresholds, codes, meanings, concepts, threads=threads)
    starts = np.cumsum([0, *map(len, meanings)]).astype(np.int32)
    members = np.array([j for code in meanings for j in code], np.int32)
    rows = np.arange(shape[0])
    native = _core.count_overlaps(
        maps.view(np.uint16), rows, thresholds, codes, starts, members, concepts, threads, unit
    )
    for ours, theirs, here in zip(found, expected, native, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(here, theirs)


def test_overlaps_are_those_of_torch():
    maps = maps_of(3, (40, 6, 4, 4))  # more pictures than one block of the fast version; interpolation at 32 is exact
    codes, meanings = masks_of(4, 40, 32, 3)
    both, on, area = count_overlaps(maps, np.full((1, 6), 0.7, np.float32), codes, meanings, 3)
    fine = torch.nn.functional.interpolate(torch.from_numpy(maps).double(), (32, 32), mode="bilinear")
    lit = (fine > np.float32(0.7)).numpy() & (codes > 0)[:, None]
    shown = np.stack([np.isin(codes, [k for k, m in enumerate(meanings) if j in m]) for j in range(3)], 1)
    np.testing.assert_array_equal(both[0], np.einsum("pcyx,pjyx->cj", lit.astype(int), shown.astype(int)))
    np.testing.assert_array_equal(on[0], lit.sum((0, 2, 3)))
    np.testing.assert_array_equal(area, shown.sum((0, 2, 3)))


def test_overlaps_of_some_rows():
    maps = maps_of(5, (6, 3, 3, 3))
    codes, meanings = masks_of(5, 6, 10, 2)
    bars, rows = np.zeros((1, 3), np.float32), np.array([5, 0])
    some = count_overlaps(maps, bars, codes[rows], meanings, 2, rows)
    np.testing.assert_array_equal(some.both, count_overlaps(maps[rows], bars, codes[rows], meanings, 2).both)
    nothing = count_overlaps(maps, bars, codes[:0], meanings, 2, rows[:0])
    assert not nothing.both.any()
    assert not nothing.area.any()


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.integers(1, 4), st.integers(1, 4), SEEDS)
def test_auc_equals_the_definition_and_scipy(count, neurons, words, seed):
    rng = np.random.default_rng(seed)
    values = (rng.integers(0, 6, (count, neurons)) / 4).astype(np.float32)
    members = rng.random((count, words)) < 0.4
    found = rank_auc(values, members, threads=2)
    np.testing.assert_allclose(found, reference_dissect.rank_auc(values, members), rtol=1e-12, equal_nan=True)
    for word in np.flatnonzero(members.any(0) & ~members.all(0)):
        inside = members[:, word]
        statistic = mannwhitneyu(values[inside], values[~inside]).statistic / (inside.sum() * (~inside).sum())
        np.testing.assert_allclose(found[:, word], statistic)


def test_bad_arguments_are_named():
    maps, bars = np.zeros((2, 3, 2, 2), np.float16), np.zeros((1, 3), np.float32)
    codes = np.zeros((2, 4, 4), np.uint16)
    for error, call in [
        (InputError, lambda: activation_quantiles(maps.astype(np.float32), [0.1])),
        (InputError, lambda: activation_quantiles(maps[:, :, ::-1], [0.1])),
        (InputError, lambda: activation_quantiles(maps, [1.0])),
        (InputError, lambda: activation_quantiles(maps, [0.1], np.array([2]))),
        (InputError, lambda: activation_quantiles(maps, [0.1], np.array([-1]))),
        (InputError, lambda: activation_quantiles(maps[:0], [0.1])),
        (ConfigError, lambda: activation_quantiles(maps, [0.1], threads=0)),
        (InputError, lambda: count_overlaps(maps, bars[:, :2], codes, [()], 0)),
        (InputError, lambda: count_overlaps(maps, bars, codes[:1], [()], 0)),
        (InputError, lambda: count_overlaps(maps, bars, codes + np.uint16(1), [()], 0)),
        (InputError, lambda: count_overlaps(maps, bars, codes, [(), (1,)], 1)),
        (InputError, lambda: count_overlaps(maps, bars, codes, [(0,)], 1)),
        (InputError, lambda: rank_auc(np.full((2, 1), np.nan, np.float32), np.ones((2, 1), bool))),
        (InputError, lambda: rank_auc(np.zeros((2, 1), np.float32), np.ones((3, 1), bool))),
    ]:
        with pytest.raises(error, match="must"):
            call()


def test_the_extension_refuses_what_would_reach_beyond_its_arrays():
    maps, rows = np.zeros((2, 3, 2, 2), np.uint16), np.array([0])
    bars, codes = np.zeros((1, 3), np.float32), np.zeros((1, 4, 4), np.uint16)
    starts, members = np.array([0, 0, 1], np.int32), np.array([0], np.int32)
    good = (maps, rows, bars, codes, starts, members, 1, 1)
    _core.count_overlaps(*good)
    for at, bad in [
        (1, np.array([2])),
        (1, np.array([-1])),
        (2, bars[:, :2]),
        (3, codes + np.uint16(2)),
        (4, np.array([0, 0, 2], np.int32)),
        (4, np.array([0, 1, 1], np.int32)),
        (5, np.array([1], np.int32)),
        (5, np.array([-1], np.int32)),
    ]:
        with pytest.raises(ValueError, match="must"):
            _core.count_overlaps(*good[:at], bad, *good[at + 1 :])
    with pytest.raises(ValueError, match="unit"):
        _core.count_overlaps(*good, len(_core.vector_units()))
    for places in (np.array([4]), np.array([-1])):
        with pytest.raises(ValueError, match="must"):
            _core.ranked_activations(maps, rows, places, 1)
