"""The measures that decide about names, against NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control, norm, pearsonr

from nle_fast.dissect.judge import (
    Relatives,
    adjusted,
    aucs,
    by_chance,
    correlations,
    lower_bounds,
    support,
    sure_correlations,
    surely,
)
from nle_fast.dissect.probe import Probe, ProbeSet
from nle_fast.dissect.ranking import _Joined
from nle_fast.dissect.table import enough


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = rng.normal(3000, 1, (50, 4)).astype(np.float32)
    x = (rng.random((50, 6)) < 0.4).astype(np.float32)
    x[rng.random((50, 6)) < 0.3] = np.nan
    x[:, 5] = np.where(np.isnan(x[:, 5]), np.nan, 1)  # always there
    y[:, 3] = 7  # always the same
    return y, x


def test_correlations_are_pearsons_where_the_concept_is_known(data):
    y, x = data
    found, n = correlations(y, x)
    for concept in range(6):
        known = ~np.isnan(x[:, concept])
        assert n[concept] == known.sum()
        for neuron in range(4):
            if neuron == 3 or concept == 5:
                assert found[neuron, concept] == 0, "what does not vary correlates with nothing"
            else:
                expected = pearsonr(y[known, neuron].astype(float), x[known, concept])[0]
                assert found[neuron, concept] == pytest.approx(expected, abs=1e-6)
    nothing, none = correlations(y[:0], x[:0])
    assert not nothing.any()
    assert not none.any()


def test_few_pictures_count_less_and_chance_is_that_of_fisher():
    r, n = np.array([0.5, 0.5, 0.0, 0.9, 1.0]), np.array([10, 100, 50, 3, 50])
    low = lower_bounds(r, n)
    assert low[0] < low[1] < 0.5
    assert low[3] == -1
    p = by_chance(r, n)
    assert p[2] == pytest.approx(0.5)
    assert p[1] == pytest.approx(norm.sf(np.arctanh(0.5) * np.sqrt(97)))
    assert p[3] == 1
    assert p[4] < 1e-9


def test_adjusted_is_benjamini_hochberg():
    p = np.random.default_rng(1).random(40) ** 3
    np.testing.assert_allclose(adjusted(p), false_discovery_control(p))


def test_aucs_leave_out_what_is_unknown(data):
    y, x = data
    found = aucs(y, x, threads=1)
    for concept in range(5):
        inside, outside = y[x[:, concept] == 1, 0], y[x[:, concept] == 0, 0]
        assert found[0, concept] == pytest.approx((inside[:, None] > outside).mean())
    assert np.isnan(found[:, 5]).all()


def test_relatives_are_no_rivals():
    n = np.arange(40)
    dog, cat = n < 8, (n >= 8) & (n < 20)
    presence = np.stack([dog, cat, dog | cat, n % 2 == 0, n < 9], 1).astype(np.float32)
    relatives = Relatives(presence, binary=True)
    assert relatives.of(0).tolist() == [True, False, True, False, True], "a dog is an animal"
    assert relatives.of(3).tolist() == [False, False, False, True, False]
    presence[n >= 20, 2] = np.nan
    assert Relatives(presence, binary=True).of(0)[2], "also where animals are not always known"
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400, 3)).astype(np.float32)
    z[:, 1] = z[:, 0] + 0.3 * z[:, 1]
    z = (z - z.mean(0)) / z.std(0)
    assert Relatives(z, binary=False).of(0).tolist() == [True, True, False]


def test_each_part_must_have_enough_of_either(tmp_path):
    probes = ProbeSet.of([("drawn", [Probe(tmp_path / f"{n}.png", "") for n in range(30)])])
    propose, pick, judge = (np.flatnonzero(part) for part in probes.masks())
    presence = np.zeros((30, 3), np.float32)
    for part in (propose, pick, judge):
        presence[part[:3], 0] = 1
    presence[np.concatenate([propose, pick]), 1], presence[:, 2] = 1, np.nan
    assert enough(presence, probes, 3).tolist() == [True, False, False]
    assert enough(presence, probes, 4).tolist() == [False, False, False]


def test_a_correlation_rests_on_so_many_pictures_as_make_it(data):
    y, x = data
    one = np.zeros(40, np.float32)
    one[7] = 5
    many = (np.arange(40) % 2).astype(np.float32)
    unknown = np.where(np.arange(40) < 20, many, np.nan).astype(np.float32)
    found = support(one + many * 0.01, np.stack([one, many, unknown, 0 * many], 1))
    assert found[0] == pytest.approx(1, abs=0.1)
    assert support(many, np.stack([many, unknown], 1)).tolist() == pytest.approx([40, 20])
    assert found[3] == 0
    known = ~np.isnan(x[:, 0])
    c = (y[known, 0] - y[known, 0].mean(dtype=float)) * (x[known, 0] - x[known, 0].mean(dtype=float))
    assert support(y[:, 0], x)[0] == pytest.approx(c.sum() ** 2 / (c**2).sum(), rel=1e-4)


def test_two_sets_of_pictures_are_surer_than_one_and_odd_pictures_are_not():
    r = np.array([[0.5, 0.5, 0.9], [0.5, 0.3, 0.9]])
    sure = surely(r, np.array([[50.0, 50, 1], [50, 50, 1]]))
    assert sure[0] == pytest.approx(np.tanh(np.arctanh(0.5) - 0.1))
    assert sure[1] < sure[0]
    assert surely(r, np.full((2, 3), 25.0))[0] < sure[0]
    assert sure[2] < 0.7


def test_two_words_are_joined_only_where_they_are_clearly_better():
    n = np.arange(48)
    dog, wheel, red, small = n < 12, (n >= 12) & (n < 24), n % 2 == 0, n % 3 == 0
    members = np.stack([dog, wheel, red, small], 1)
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, 48)
    response = np.stack([(dog | wheel) + noise, (red & small) + noise, dog + noise], 1).astype(np.float32)
    joined = _Joined(response, members, [members, members], 4)
    assert joined.best(0, [0, 1, 2], 0.8) == (0, 1, "or")
    assert joined.best(1, [2, 3], 0.9) == (2, 3, "and")
    assert joined.best(2, [0, 1], 1.01) is None


def test_what_is_unknown_counts_as_absent_where_that_is_worse(data):
    y, x = data
    found, n = sure_correlations(y, x)
    known, count = correlations(y, x)
    everywhere, _ = correlations(y, np.nan_to_num(x))
    np.testing.assert_array_equal(found, np.minimum(known, everywhere))
    np.testing.assert_array_equal(n, count)
    whole = np.nan_to_num(x)
    np.testing.assert_array_equal(sure_correlations(y, whole)[0], correlations(y, whole)[0])
