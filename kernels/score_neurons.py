"""Gradient × activation scores, the top k neurons and their maps, for a batch in one launch.

    R = A · G                        A (N, C, H, W), G of the same shape or (N, C), products and sums in float32
    sum   s_c = Σ_hw R               one score for both signs
    max   s_c = max_hw relu(R)       in support, −max_hw relu(−R) in opposition
    total = Σ_c max(s_c, 0)          of the supporting score

The C neurons of a picture are shared out among programs. Each reads its part of A and G once, in tiles of neurons ×
positions, and leaves its scores in a scratch row that stays in the cache. The program of a picture that finishes last
merges: it selects the top k, see `select_top`, and gathers their maps. Where a picture has more neurons than can be
held at once, every program first reduces its share to its k best keys, and the merge is of those. All results lie in
one buffer, which is the only thing copied to the host.

Which program is the last is chance; what it computes is not: it reads scores and keys by their index, in one order.

Source: `ops.reference` (definition); the last block that merges: CUDA's threadFenceReduction sample.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
import triton
import triton.language as tl

from nle_fast.kernels.select_top import select_top
from nle_fast.kernels.sizes import Layout, Sizes, launch_sizes

__all__ = ["constants", "launch", "multiprocessors", "score_neurons", "score_neurons_kernel", "to_host"]


@triton.jit
def _places(o_positions, WIDTH, s_row, s_column, FLAT: tl.constexpr):
    """Offsets of positions in a plane; FLAT: a row begins where the one before ends, so that one stride does."""
    if FLAT:
        return o_positions.to(tl.int64) * s_column
    return (o_positions // WIDTH).to(tl.int64) * s_row + (o_positions % WIDTH).to(tl.int64) * s_column


@triton.jit(do_not_specialize=["K", "SPLITS"])
def score_neurons_kernel(
    p_activations,
    p_gradients,
    p_scores,
    p_keys,
    p_arrived,
    p_maps,
    p_values,
    p_neurons,
    p_total,
    p_bad,
    C,
    HW,
    WIDTH,
    K,
    SHARE,
    SPLITS,
    sa_picture,
    sa_neuron,
    sa_row,
    sa_column,
    sg_picture,
    sg_neuron,
    sg_row,
    sg_column,
    CONSTANT: tl.constexpr,
    FLAT: tl.constexpr,
    MAX: tl.constexpr,
    SUPPORTING: tl.constexpr,
    OPPOSING: tl.constexpr,
    SPLIT: tl.constexpr,
    BLOCKWISE: tl.constexpr,
    BLOCK_NEURONS: tl.constexpr,
    BLOCK_POSITIONS: tl.constexpr,
    BLOCK_SELECT: tl.constexpr,
    BLOCK_MERGE: tl.constexpr,
    ONE_BLOCK: tl.constexpr,
):
    """Program i scores SHARE neurons of picture i // SPLITS; outputs as in `launch`.

    BLOCKWISE: every program selects K keys of its share; the merge is of SPLITS · K keys, else of C scores.
    """
    i_program = tl.program_id(0)
    i_picture = (i_program // SPLITS).to(tl.int64)
    i_split = i_program % SPLITS
    KEPT = K * 2 if SUPPORTING and OPPOSING else K
    p_activations += i_picture * sa_picture
    p_gradients += i_picture * sg_picture
    p_supporting = p_scores + i_picture * (2 * C if MAX and OPPOSING else C)
    p_opposing = p_supporting + C if MAX and OPPOSING else p_supporting
    if BLOCKWISE:
        p_keys += i_picture * SPLITS * KEPT
    p_maps += i_picture * KEPT * HW
    p_values += i_picture * KEPT
    p_neurons += i_picture * KEPT

    start = i_split * SHARE
    stop = tl.minimum(start + SHARE, C)
    for tile in range(start, stop, BLOCK_NEURONS):
        o_neurons = tile + tl.arange(0, BLOCK_NEURONS)
        m_neurons = o_neurons < stop
        if CONSTANT:
            p_row = p_gradients + o_neurons.to(tl.int64) * sg_neuron
            b_gradients = tl.load(p_row, mask=m_neurons, other=0.0).to(tl.float32)[:, None]
        # For a sum: its lanes. For a maximum: relu(R), −relu(−R), and zeros that become NaN with a relevance that is
        # not finite, which a maximum would lose.
        b_high = tl.zeros([BLOCK_NEURONS, BLOCK_POSITIONS], tl.float32)
        b_low = tl.zeros([BLOCK_NEURONS, BLOCK_POSITIONS], tl.float32)
        b_poison = tl.zeros([BLOCK_NEURONS, BLOCK_POSITIONS], tl.float32)
        for first in range(0, HW, BLOCK_POSITIONS):
            o_positions = first + tl.arange(0, BLOCK_POSITIONS)
            m_tile = m_neurons[:, None] & (o_positions[None, :] < HW)
            o_tile = (o_neurons.to(tl.int64) * sa_neuron)[:, None] + _places(
                o_positions, WIDTH, sa_row, sa_column, FLAT
            )[None, :]
            b_activations = tl.load(p_activations + o_tile, mask=m_tile, other=0.0).to(tl.float32)
            if not CONSTANT:
                o_tile = (o_neurons.to(tl.int64) * sg_neuron)[:, None] + _places(
                    o_positions, WIDTH, sg_row, sg_column, FLAT
                )[None, :]
                b_gradients = tl.load(p_gradients + o_tile, mask=m_tile, other=0.0).to(tl.float32)
            # Positions beyond the map are 0 · G: not 0 where G is not finite, but then the neuron is bad anyway.
            b_relevance = b_activations * b_gradients
            if MAX:
                b_high = tl.maximum(b_high, b_relevance)
                b_low = tl.minimum(b_low, b_relevance)
                b_poison += b_relevance * 0.0
            else:
                b_high += b_relevance
        if MAX:
            b_scores = tl.max(b_high, axis=1) + tl.sum(b_poison, axis=1)
            if OPPOSING:
                tl.store(p_opposing + o_neurons, tl.min(b_low, axis=1), mask=m_neurons)
        else:
            b_scores = tl.sum(b_high, axis=1)
        tl.store(p_supporting + o_neurons, b_scores, mask=m_neurons)

    # The scores were written by other threads of this program than those that read them next.
    tl.debug_barrier()
    if BLOCKWISE:
        p_own = p_keys + i_split * K
        if SUPPORTING:
            select_top(p_supporting, p_own, p_values, p_neurons, start, stop, K, False, False, True, BLOCK_SELECT, True)
        if OPPOSING:
            p_own += (KEPT - K) * SPLITS
            select_top(p_opposing, p_own, p_values, p_neurons, start, stop, K, True, False, True, BLOCK_SELECT, True)
        tl.debug_barrier()

    # One thread counts the program in. The barrier above orders the writes of all its threads before that thread's
    # atomic, whose release, at the scope of the GPU, is cumulative: it publishes them all. The last to arrive has, by
    # the acquire of the same atomic, everything that the others published, and the barrier with which Triton hands the
    # count to all threads passes that on. Nobody waits for anybody, so a grid larger than the GPU cannot hang. Reads
    # of scratch bypass the first-level cache (.cg), which is not coherent.
    merges = True
    if SPLIT:
        merges = tl.atomic_add(p_arrived + i_picture, 1, sem="acq_rel", scope="gpu") == SPLITS - 1
    if merges:
        if SPLIT:
            # All have arrived, none comes back: ready for the next launch, in stream order or in a graph's replay.
            tl.store(p_arrived + i_picture, 0)
        b_total = tl.zeros([BLOCK_SELECT], tl.float32)
        b_bad = tl.zeros([BLOCK_SELECT], tl.int32) + C
        for first in range(0, C, BLOCK_SELECT):
            o_neurons = first + tl.arange(0, BLOCK_SELECT)
            b_scores = tl.load(p_supporting + o_neurons, mask=o_neurons < C, other=0.0, cache_modifier=".cg")
            b_total += tl.maximum(b_scores, 0.0)
            b_bad = tl.minimum(b_bad, tl.where(tl.abs(b_scores) < float("inf"), C, o_neurons))
        tl.store(p_total + i_picture, tl.sum(b_total, axis=0))
        bad = tl.min(b_bad, axis=0)
        tl.store(p_bad + i_picture, tl.where(bad < C, bad, -1))

        if BLOCKWISE:
            p_supporting_from, p_opposing_from, count = p_keys, p_keys + (KEPT - K) * SPLITS, SPLITS * K
        else:
            p_supporting_from, p_opposing_from, count = p_supporting, p_opposing, C
        if SUPPORTING:
            select_top(
                p_supporting_from, p_keys, p_values, p_neurons, 0, count, K,
                False, BLOCKWISE, False, BLOCK_MERGE, ONE_BLOCK,
            )  # fmt: skip
        if OPPOSING:
            select_top(
                p_opposing_from, p_keys, p_values + KEPT - K, p_neurons + KEPT - K, 0, count, K,
                True, BLOCKWISE, False, BLOCK_MERGE, ONE_BLOCK,
            )  # fmt: skip
        tl.debug_barrier()
        for first_rank in range(0, KEPT, BLOCK_NEURONS):
            o_ranks = first_rank + tl.arange(0, BLOCK_NEURONS)
            b_neurons = tl.load(p_neurons + o_ranks, mask=o_ranks < KEPT, other=0).to(tl.int64)
            for first in range(0, HW, BLOCK_POSITIONS):
                o_positions = first + tl.arange(0, BLOCK_POSITIONS)
                m_tile = (o_ranks[:, None] < KEPT) & (o_positions[None, :] < HW)
                o_tile = (b_neurons * sa_neuron)[:, None] + _places(o_positions, WIDTH, sa_row, sa_column, FLAT)[
                    None, :
                ]
                b_maps = tl.load(p_activations + o_tile, mask=m_tile, other=0.0).to(tl.float32)
                tl.store(p_maps + o_ranks[:, None].to(tl.int64) * HW + o_positions[None, :], b_maps, mask=m_tile)


def launch(
    activations: torch.Tensor,
    gradients: torch.Tensor,
    k: int,
    *,
    maximum: bool = False,
    supporting: bool = True,
    opposing: bool = False,
    output: torch.Tensor | None = None,
    arrived: torch.Tensor | None = None,
) -> tuple[torch.Tensor, Layout]:
    """Score a batch in one launch on the current stream; waits for nothing and copies nothing.

    Strides may be any: no input is copied, channels-last ones neither.

    Args:
        activations: (N, C, H, W), float32, float16 or bfloat16, on a GPU (under the interpreter: on the CPU).
        gradients: (N, C, H, W) or (N, C), any of these dtypes, on the same device.
        k: Neurons to keep, 1 ≤ k ≤ C.
        maximum: Score the maximum over space instead of the sum.
        supporting: Take the k largest scores.
        opposing: Take the k smallest scores, after the supporting ones if both.
        output: (at least `Layout.size()`,) float32 to write into, its start aligned to 16 bytes; None: a new one.
        arrived: (at least N,) int32, all 0, and 0 again after the launch; no two launches that may run at the same
            time share one. None: those of the current stream; a graph that is kept needs its own.

    Returns:
        The output, and what lies where in it: see `Layout`. `bad` is the first neuron of a picture with a relevance or
        score that is not finite, or −1; where it is not −1 the rest has no meaning.
    """
    activations, gradients = activations.detach(), gradients.detach()
    n, c, height, width = activations.shape
    constant, device = gradients.ndim == 2, activations.device
    layout = Layout(n, k * (int(supporting) + int(opposing)), height, width)
    column = _column_stride(activations), 0 if constant else _column_stride(gradients)
    flat = None not in column
    neurons_first = activations.stride(1) == 1 and height * width > 1
    cores = multiprocessors(device)
    sizes = launch_sizes(n, c, height * width, k, cores, maximum=maximum, neurons_first=neurons_first)
    if output is None:
        output = torch.empty(layout.size(), dtype=torch.float32, device=device)
    maps, values, neurons, total, bad = layout.parts(output)
    planes = 2 if maximum and opposing else 1
    scratch = torch.empty(n * planes * c, dtype=torch.float32, device=device)
    keys = torch.empty(n * layout.kept * sizes.splits if sizes.blockwise else 0, dtype=torch.int64, device=device)
    if arrived is None:
        arrived = _arrived(device, n)
    strides = [stride for one in (activations, gradients) for stride in (*one.stride(), 0, 0)[:4]]
    if flat:
        strides[2:4], strides[6:8] = (0, column[0]), (0, column[1])
    with torch.cuda.device_of(activations):
        score_neurons_kernel[(n * sizes.splits,)](
            activations,
            gradients,
            scratch,
            keys,
            arrived,
            maps,
            values,
            neurons.view(torch.int32),
            total,
            bad.view(torch.int32),
            c,
            height * width,
            width,
            k,
            sizes.share,
            sizes.splits,
            *strides,
            CONSTANT=constant,
            FLAT=flat,
            MAX=maximum,
            SUPPORTING=supporting,
            OPPOSING=opposing,
            **constants(sizes),
            num_warps=sizes.num_warps,
            enable_fp_fusion=False,
            **({} if torch.version.hip else {"maxnreg": sizes.max_registers}),
        )
    return output, layout


def score_neurons(
    activations: torch.Tensor, gradients: torch.Tensor, k: int, *, maximum: bool, supporting: bool, opposing: bool
) -> tuple[np.ndarray[Any, Any], ...]:
    """`launch`, one copy to the host and one wait; results as `Layout.unpack` gives them, as `_core.score_neurons`."""
    output, layout = launch(activations, gradients, k, maximum=maximum, supporting=supporting, opposing=opposing)
    return layout.unpack(to_host(output))


def to_host(results: torch.Tensor) -> np.ndarray[Any, Any]:
    """A copy of a flat tensor in page-locked memory, once the work of the current stream up to here is done.

    The memory returns to torch's cache when the last view of it is gone: pages are locked once and not per batch, and
    no result is ever overwritten.
    """
    if not results.is_cuda:  # Triton's interpreter
        return results.numpy()
    host = torch.empty(results.shape, dtype=results.dtype, pin_memory=True)
    host.copy_(results, non_blocking=True)
    torch.cuda.current_stream(results.device).synchronize()
    return host.numpy()


def constants(sizes: Sizes) -> dict[str, int | bool]:
    """The kernel's compile-time sizes."""
    return {
        "SPLIT": sizes.splits > 1,
        "BLOCKWISE": sizes.blockwise,
        "BLOCK_NEURONS": sizes.block_neurons,
        "BLOCK_POSITIONS": sizes.block_positions,
        "BLOCK_SELECT": sizes.block_select,
        "BLOCK_MERGE": sizes.block_merge,
        "ONE_BLOCK": sizes.one_block,
    }


def _column_stride(planes: torch.Tensor) -> int | None:
    """The one stride over the positions of a plane in reading order; None where there is none."""
    height, width = planes.shape[2:]
    if width == 1:
        return planes.stride(2)
    if height == 1 or planes.stride(2) == width * planes.stride(3):
        return planes.stride(3)
    return None


@lru_cache
def multiprocessors(device: torch.device) -> int:
    """Multiprocessors of a GPU; the interpreter, which runs one program after the other, is given a few."""
    return torch.cuda.get_device_properties(device).multi_processor_count if device.type == "cuda" else 2


_ARRIVED: dict[tuple[torch.device, int], torch.Tensor] = {}


def _arrived(device: torch.device, pictures: int) -> torch.Tensor:
    """Counters of the current stream, all 0 whenever a launch of this stream begins.

    Launches of one stream follow one another and each leaves them 0, so that they are cleared once and not per launch.
    """
    stream = torch.cuda.current_stream(device).cuda_stream if device.type == "cuda" else 0
    found = _ARRIVED.get((device, stream))
    if found is None or len(found) < pictures:
        found = torch.zeros(max(1024, pictures), dtype=torch.int32, device=device)
        _ARRIVED[device, stream] = found
    return found
