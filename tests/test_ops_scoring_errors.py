"""Where score_neurons, and the extension below it, must warn or refuse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scoring_cases import DTYPES, REDUCES, arrays, assert_equals_reference

from nle_fast import _core
from nle_fast.errors import ConfigError, InputError, NleWarning
from nle_fast.ops.scoring import score_neurons

GOOD = np.ones((2, 4, 3, 3), np.float32)


def test_more_than_all_neurons_is_clipped_with_a_warning():
    activations, gradients = arrays(0, (1, 3, 2, 2), constant=False)
    with pytest.warns(NleWarning, match=r"`k` must be at most the 3 neurons .* got 9"):
        found = score_neurons(activations, gradients, 9, sign="both")
    assert_equals_reference(found, activations, gradients, 3, "sum", "both")


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("reduce", REDUCES)
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("dtype", sorted(DTYPES))
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["activations", "gradients"])
def test_values_that_are_not_finite_name_picture_and_neuron(where, value, dtype, constant, reduce, threads):
    pair = dict(zip(("activations", "gradients"), arrays(4, (5, 90, 3, 7), constant, dtype), strict=True))
    # Two pictures with one each: the first is named. Zero times infinity counts, as in the definition.
    for place in ((3, 80, 2, 6), (2, 77, 1, 5), (2, 79, 0, 0)):
        pair[where][place[: pair[where].ndim]] = value
    with pytest.raises(InputError, match=r"must be finite, .* in picture 2, neuron 77; look"):
        score_neurons(pair["activations"], pair["gradients"], 2, reduce, threads=threads)


def test_overflow_of_a_score_is_refused():
    activations = np.full((1, 2, 4, 4), 3e38, np.float32)
    with pytest.raises(InputError, match="picture 0, neuron 0"):
        score_neurons(activations, np.ones((1, 2), np.float32), 1)


@pytest.mark.parametrize(
    ("activations", "gradients", "message"),
    [
        (GOOD.astype(np.float64), GOOD, "`activations` must be float32, float16 or bfloat16, got float64; convert"),
        (GOOD, GOOD.astype(np.int16), "`gradients` must be float32, float16 or bfloat16, got int16"),
        (torch.ones(1, 1, 1, 1, dtype=torch.float64), GOOD, "got float64"),
        (GOOD.tolist(), GOOD, "must be a NumPy array or a torch tensor, got list"),
        (GOOD, None, "`gradients` must be a NumPy array or a torch tensor, got NoneType"),
        (GOOD[0], GOOD[0], r"`activations` must be \(N, C, H, W\)"),
        (GOOD[:, :0], GOOD[:, :0], "without an empty dimension"),
        (GOOD[:0], GOOD[:0], "without an empty dimension"),
        (GOOD[..., :0], GOOD[..., :0], "without an empty dimension"),
        (GOOD, GOOD[:1], "`gradients` must have the shape of the activations"),
        (GOOD, GOOD[..., :1], "`gradients` must have the shape of the activations"),
        (GOOD, GOOD[:, :, 0], "`gradients` must have the shape of the activations"),
        (GOOD, GOOD[:, :3, 0, 0], "`gradients` must have the shape of the activations"),
        (torch.ones(2, 4, 3, 3).to_sparse(), GOOD, "must be a dense tensor"),
        (torch.ones(2, 4, 3, 3, device="meta"), GOOD, "`gradients` must be on the device of the activations, meta"),
    ],
)
def test_arrays_that_cannot_be_scored(activations, gradients, message):
    with pytest.raises(InputError, match=message):
        score_neurons(activations, gradients, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "`k` must be an integer of at least 1, got 0"),
        ({"k": -3}, "`k` must be"),
        ({"k": 2.0}, "`k` must be"),
        ({"k": True}, "`k` must be"),
        ({"k": 1, "reduce": "mean"}, "`reduce` must be 'sum' or 'max', got 'mean'"),
        ({"k": 1, "sign": "for"}, "`sign` must be"),
        ({"k": 1, "threads": 0}, "`threads` must be"),
        ({"k": 1, "threads": 1.5}, "`threads` must be"),
    ],
)
def test_options_out_of_their_range(options, message):
    with pytest.raises(ConfigError, match=message):
        score_neurons(GOOD, GOOD, **options)


def test_unknown_unit_and_unsafe_arrays_are_refused_by_the_extension():
    a = np.ones((1, 4, 2, 2), np.float32)
    native = _core.score_neurons
    for arguments in (
        (a, a, "float32", 1, False, True, False, 1, "mmx"),
        (a, a, "float64", 1, False, True, False, 1),
        (a, a, "float16", 1, False, True, False, 1),
        (a, a, "float32", 5, False, True, False, 1),
        (a, a, "float32", 0, False, True, False, 1),
        (a, a, "float32", 1, False, False, False, 1),
        (a, a[:, :3], "float32", 1, False, True, False, 1),
        (a, a[0], "float32", 1, False, True, False, 1),
        (a.transpose(0, 1, 3, 2)[..., ::-1], a, "float32", 1, False, True, False, 1),
        (a[:0], a[:0], "float32", 1, False, True, False, 1),
        (a, a.astype(np.float16), "float32", 1, False, True, False, 1),
    ):
        with pytest.raises(ValueError, match="must"):
            native(*arguments)
