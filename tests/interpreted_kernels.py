"""Triton kernels run by Triton's interpreter, against their definitions.

Started by test_kernels.py in a process of its own: TRITON_INTERPRET must be set before Triton is imported, and would
reach every other test that imports it.
"""

from __future__ import annotations

import itertools
import os
import random

import numpy as np
import pytest
import torch

from nle_fast.errors import InputError
from nle_fast.kernels import score_neurons as module
from nle_fast.kernels.sizes import Layout, launch_bytes, launch_sizes
from nle_fast.ops import reference, scoring

if os.environ.get("TRITON_INTERPRET") != "1":
    pytest.exit("set TRITON_INTERPRET=1; test_kernels.py does", returncode=1)

from triton.runtime import interpreter

SHAPES = [(1, 1, 1, 1), (2, 33, 5, 7), (3, 70, 7, 7), (1, 5, 40, 41)]
SIGNS = {"supporting": (True, False), "opposing": (False, True), "both": (True, True)}


@pytest.fixture(autouse=True)
def unwritten_is_nan(monkeypatch):
    """Every buffer that a launcher makes is full of NaN, so that what the kernel leaves unwritten shows."""
    empty = torch.empty

    def poisoned(*shape, **options):
        made = empty(*shape, **options)
        return made.fill_(float("nan") if made.is_floating_point() else -1)

    monkeypatch.setattr(torch, "empty", poisoned)


@pytest.fixture(autouse=True)
def patched_once(monkeypatch):
    """Triton patches its language again for every call of a device function, which takes longer than most calls."""
    done, patch, run = set(), interpreter._patch_lang, interpreter.GridExecutor.__call__

    def once(function):
        module = id(function.__globals__)
        return None if module in done or done.add(module) else patch(function)

    def fresh(self, *values, **named):
        done.clear()
        return run(self, *values, **named)

    monkeypatch.setattr(interpreter, "_patch_lang", once)
    monkeypatch.setattr(interpreter.GridExecutor, "__call__", fresh)


@pytest.fixture(params=["one program", "split", "blockwise", "blockwise, merged in blocks"])
def cut(request, monkeypatch):
    """Run cut as a launch of many pictures, of few, and of more neurons than keys can be held at once."""
    rest = {"block_neurons": 8, "block_positions": 16, "num_warps": 4, "max_registers": 128}

    def sizes(_, neurons, __, k, ___, **____):
        if request.param == "one program":
            cut = {
                "share": neurons,
                "splits": 1,
                "blockwise": False,
                "block_select": 32,
                "block_merge": 32,
                "one_block": False,
            }
        elif request.param == "split":
            block = 1 << (neurons - 1).bit_length()
            cut = {"share": 16, "blockwise": False, "block_select": block, "block_merge": block, "one_block": True}
        else:
            whole = request.param == "blockwise"
            block = 1 << (-(-neurons // 32) * k - 1).bit_length() if whole else 32
            cut = {"share": 32, "blockwise": True, "block_select": 32, "block_merge": block, "one_block": whole}
        return module.Sizes(**{"splits": -(-neurons // cut["share"])} | cut | rest)

    monkeypatch.setattr(module, "launch_sizes", sizes)
    return request.param


@pytest.fixture(params=["backwards", "shuffled"])
def order(request, monkeypatch):
    """Run the programs of a launch in another order: which of them arrives last is chance on a GPU."""
    builder, place = interpreter.interpreter_builder, interpreter.interpreter_builder.set_grid_idx

    def moved(x, y, z):
        order = list(range(builder.grid_dim[0]))
        order.reverse() if request.param == "backwards" else random.Random(len(order)).shuffle(order)
        place(order[x], y, z)

    monkeypatch.setattr(builder, "set_grid_idx", moved)


def grid(seed, shape, constant, dtype=torch.float32):
    """Values on a grid of 1/8, so that sums are exact in float32 and ties are common."""
    generator = torch.Generator().manual_seed(seed)
    activations = torch.randint(-12, 16, shape, generator=generator) / 8
    gradients = torch.randint(-12, 13, shape[:2] if constant else shape, generator=generator) / 8
    return activations.to(dtype), gradients.to(dtype)


def launch(activations, gradients, k, reduce="sum", sign="supporting"):
    supporting, opposing = SIGNS[sign]
    return module.score_neurons(
        activations, gradients, k, maximum=reduce == "max", supporting=supporting, opposing=opposing
    )


def assert_equals_reference(activations, gradients, k, reduce, sign):
    *found, bad = launch(activations, gradients, k, reduce, sign)
    expected = reference.score_neurons(activations.float().numpy(), gradients.float().numpy(), k, reduce, sign)
    for name, one, other in zip(("values", "neurons", "maps", "total"), found, expected, strict=True):
        assert one.dtype == other.dtype, name
        if name == "total":
            np.testing.assert_allclose(one, other, rtol=1e-6)
        else:
            np.testing.assert_array_equal(one, other, err_msg=name)
    assert bad.tolist() == [-1] * len(activations)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("reduce", ["sum", "max"])
def test_equals_the_reference(shape, constant, reduce):
    assert_equals_reference(*grid(1, shape, constant), min(shape[1], 33), reduce, "both")


@pytest.mark.parametrize("sign", ["supporting", "opposing"])
def test_one_sign_alone(sign):
    for reduce in ("sum", "max"):
        assert_equals_reference(*grid(2, (2, 9, 3, 3), constant=False), 4, reduce, sign)


@pytest.mark.usefixtures("order")
def test_every_cut_and_order_of_programs_gives_the_same(cut):
    for k in (2, 9):  # the second time with the counters that the first has left
        assert_equals_reference(*grid(5, (2, 40, 1, 5), constant=False), k, "max", "both")
    assert not module._ARRIVED[torch.device("cpu"), 0].any()


@pytest.mark.parametrize("cut", ["split"], indirect=True)
def test_the_merge_alone(cut, monkeypatch):
    """One of three programs runs. As the last to arrive it merges what the others have left; else it leaves all be."""
    kernel, place = module.score_neurons_kernel, interpreter.interpreter_builder.set_grid_idx
    published = torch.randperm(40, generator=torch.Generator().manual_seed(0)).float() + 1
    for program, arrived in ((1, 2), (2, 2), (0, 1)):

        class Alone:
            def __getitem__(self, launched):
                assert launched == (3,)
                return self.run

            def run(self, *values, **named):
                values[2][:40] = published
                values[4][0] = arrived  # noqa: B023
                kernel[1,](*values, **named)
                assert values[4][0] == (0 if arrived == 2 else arrived + 1)  # noqa: B023

        with monkeypatch.context() as patch:
            patch.setattr(module, "score_neurons_kernel", Alone())
            patch.setattr(interpreter.interpreter_builder, "set_grid_dim", lambda *_: None)
            interpreter.interpreter_builder.grid_dim = (3, 1, 1)
            patch.setattr(interpreter.interpreter_builder, "set_grid_idx", lambda *_: place(program, 0, 0))  # noqa: B023
            values, neurons, *_ = launch(torch.ones(1, 40, 1, 1), torch.zeros(1, 40), 5)
        module._ARRIVED.clear()
        if arrived == 2:
            expected = published.clone()
            expected[program * 16 : program * 16 + 16] = 0
            assert neurons[0].tolist() == expected.argsort(descending=True)[:5].tolist()
        else:
            assert np.isnan(values).all()


@pytest.mark.parametrize("dtypes", itertools.product([torch.float32, torch.float16, torch.bfloat16], repeat=2), ids=str)
def test_half_precision_and_mixtures(dtypes):
    for constant, reduce in ((False, "max"), (True, "sum")):
        activations, gradients = grid(9, (1, 7, 3, 5), constant)
        assert_equals_reference(activations.to(dtypes[0]), gradients.to(dtypes[1]), 4, reduce, "both")


def strided(tensor, how):
    """The same values in another place: (N, C, H, W) or (N, C)."""
    if how == "transposed batch":
        return tensor.transpose(0, 1).contiguous().transpose(0, 1)
    if tensor.ndim == 2:
        return torch.stack([tensor, tensor], dim=2)[:, :, 1]
    if how == "channels last":
        return tensor.contiguous(memory_format=torch.channels_last)
    if how == "columns first":
        return tensor.transpose(2, 3).contiguous().transpose(2, 3)
    return torch.nn.functional.pad(tensor, (1, 2, 3, 4), value=7.0)[:, :, 3:-4, 1:-2]  # cropped


@pytest.mark.parametrize("how", ["channels last", "columns first", "transposed batch", "cropped"])
@pytest.mark.parametrize("shape", [(2, 33, 5, 7), (2, 3, 3, 1), (2, 20, 1, 1)], ids=str)
def test_strides_without_a_copy(how, shape, monkeypatch):
    kernel, seen = module.score_neurons_kernel, []

    class Watch:
        def __getitem__(self, launched):
            return lambda *tensors, **options: (seen.extend(tensors[:2]), kernel[launched](*tensors, **options))

    monkeypatch.setattr(module, "score_neurons_kernel", Watch())
    for constant in (False, True):
        activations, gradients = grid(2, shape, constant)
        pair = strided(activations, how), strided(gradients, how) if shape[1] > 3 else gradients
        assert_equals_reference(*pair, 3, "sum", "both")
        assert [tensor.data_ptr() for tensor in seen] == [tensor.data_ptr() for tensor in pair]
        seen.clear()


@pytest.mark.parametrize("reduce", ["sum", "max"])
def test_more_neurons_than_keys_held_at_once(reduce):
    assert launch_sizes(1, 5000, 2, 3, 2).blockwise
    assert_equals_reference(*grid(3, (1, 5000, 1, 2), constant=False), 3, reduce, "both")


@pytest.mark.usefixtures("cut")
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")  # the totals of these extremes
def test_order_over_all_magnitudes():
    bits = np.random.default_rng(0).integers(0, 2**32, 40, dtype=np.uint64).astype(np.uint32)
    values = np.where(np.isfinite(bits.view(np.float32)), bits.view(np.float32), np.float32(1))
    values[:6] = [3.4e38, -3.4e38, 1e-45, -1e-45, 0.0, -0.0]
    activations = torch.from_numpy(values).reshape(1, -1, 1, 1)
    found, neurons, *_ = launch(activations, torch.ones(1, 40), 40, sign="both")
    expected = reference.score_neurons(activations.numpy(), np.ones((1, 40), np.float32), 40, sign="both")
    np.testing.assert_array_equal(neurons, expected[1])
    np.testing.assert_array_equal(found, expected[0])


@pytest.mark.usefixtures("cut")
def test_ties_and_negative_zeros_go_to_the_lowest_neuron():
    weights = torch.zeros(1, 40)
    weights[0, 20] = -0.0
    weights[0, [30, 38]] = 1.0
    weights[0, [31, 39]] = -1.0
    zeros = [c for c in range(40) if c not in (30, 31, 38, 39)]
    _, found, *_ = launch(torch.ones(1, 40, 2, 2), weights, 25, sign="both")
    assert found[0].tolist() == [30, 38, *zeros[:23], 31, 39, *zeros[:23]]


@pytest.mark.parametrize("reduce", ["sum", "max"])
def test_all_negative(reduce):
    activations, weights = torch.ones(2, 5, 3, 3), -torch.arange(1.0, 6).repeat(2, 1)
    assert_equals_reference(activations, weights, 5, reduce, "both")
    assert launch(activations, weights, 2, reduce)[3].tolist() == [0, 0]


def test_sums_of_large_planes_stay_within_1e_5():
    generator = torch.Generator().manual_seed(0)
    activations = torch.rand((1, 3, 300, 301), generator=generator) + 100
    gradients = torch.ones_like(activations)
    values = launch(activations, gradients, 3)[0]
    expected = reference.score_neurons(activations.numpy(), gradients.numpy(), 3)[0]
    np.testing.assert_allclose(values, expected, rtol=1e-5)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy, which interprets, remarks on infinity times zero
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize(("where", "constant"), [(0, False), (1, False), (1, True)])
@pytest.mark.parametrize("reduce", ["sum", "max"])
def test_values_that_are_not_finite_are_flagged(value, where, constant, reduce):
    pair = grid(4, (3, 8, 1, 7), constant)
    for place in ((1, 5, 0, 5), (1, 7, 0, 0)):
        pair[where][place[: pair[where].ndim]] = value
    # k = C: the gather must stay inside the picture whatever the keys are.
    _, neurons, *_, bad = launch(*pair, 8, reduce, "both")
    assert bad.tolist() == [-1, 5, -1]
    assert neurons.min() == 0
    assert neurons.max() == 7


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (9, 300, 1, 2)])
def test_one_launch_per_batch(shape, monkeypatch):
    grids, kernel = [], module.score_neurons_kernel

    class Counter:
        def __getitem__(self, launched):
            grids.append(launched)
            return kernel[launched]

    monkeypatch.setattr(module, "score_neurons_kernel", Counter())
    launch(*grid(0, shape, constant=False), 1, "max", "both")
    sizes = launch_sizes(*shape[:2], shape[2] * shape[3], 1, 2, maximum=True)
    assert grids == [(shape[0] * sizes.splits,)]


@pytest.fixture
def traffic(monkeypatch):
    """Bytes per address that the interpreted programs load and store: two dictionaries."""
    moved = {"load": {}, "store": {}}

    def count(which, pointers, mask):
        size = interpreter._get_np_dtype(pointers.get_element_ty()).itemsize
        for address in np.broadcast_to(pointers.data, mask.data.shape)[mask.data].ravel().tolist():
            moved[which][address] = moved[which].get(address, 0) + size

    builder = interpreter.interpreter_builder
    load, store = builder.create_masked_load, builder.create_masked_store

    def counted_load(pointers, mask, *rest):
        count("load", pointers, mask)
        return load(pointers, mask, *rest)

    def counted_store(pointers, value, mask, *rest):
        count("store", pointers, mask)
        return store(pointers, value, mask, *rest)

    monkeypatch.setattr(builder, "create_masked_load", counted_load)
    monkeypatch.setattr(builder, "create_masked_store", counted_store)
    return moved


def within(moved, tensor):
    first = tensor.data_ptr()
    last = first + tensor.untyped_storage().nbytes()
    return sum(size for address, size in moved.items() if first <= address < last)


@pytest.mark.parametrize(
    ("constant", "reduce", "sign", "dtype"),
    [(False, "max", "both", torch.float16), (True, "sum", "supporting", torch.float32)],
)
def test_bytes_moved_are_those_counted(traffic, cut, constant, reduce, sign, dtype):
    activations, gradients = grid(1, (2, 70, 3, 5), constant, dtype)
    supporting, opposing = SIGNS[sign]
    options = {"maximum": reduce == "max", "supporting": supporting, "opposing": opposing}
    k = 3
    output, layout = module.launch(activations, gradients, k, **options)
    sizes = module.launch_sizes(2, 70, 15, k, 2)
    size = activations.element_size()
    moved = launch_bytes(layout, sizes, 70, size, size, constant=constant, **options)

    # Activations and gradients once each; of a (N, C) gradient as many bytes as it has, and no more.
    assert within(traffic["load"], gradients) == gradients.numel() * size
    assert within(traffic["load"], activations) == activations.numel() * size + moved.gathered
    assert moved.inputs == (activations.numel() + gradients.numel()) * size
    resets = 4 * len(activations) * (sizes.splits > 1)
    assert sum(traffic["load"].values()) == moved.inputs + moved.gathered + moved.scratch_read
    assert sum(traffic["store"].values()) == moved.scratch_written + moved.output + resets
    assert within(traffic["store"], output) == moved.output
    assert layout == Layout(2, k * (supporting + opposing), 3, 5)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_ops_gives_the_same_on_either_device(monkeypatch):
    activations, gradients = grid(1, (3, 40, 7, 7), constant=False)
    for pair in ((activations, gradients), (activations.half(), gradients), (activations, gradients[..., :1, :1])):
        pair = pair[0], pair[1].expand_as(pair[0])
        on_cpu = scoring.score_neurons(*pair, 5, "max", "both")
        with monkeypatch.context() as patch:
            patch.setattr(scoring, "_on_gpu", lambda *_: True)
            on_gpu = scoring.score_neurons(*pair, 5, "max", "both")
            poisoned = pair[0].clone()
            poisoned[2, 7] = float("nan")
            with pytest.raises(InputError, match="picture 2, neuron 7"):
                scoring.score_neurons(poisoned, pair[1], 5)
        for name in ("values", "neurons", "maps"):
            np.testing.assert_array_equal(getattr(on_gpu, name), getattr(on_cpu, name))
        np.testing.assert_allclose(on_gpu.total, on_cpu.total, rtol=1e-6)
