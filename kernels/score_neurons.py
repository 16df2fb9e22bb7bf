"""Gradient × activation scores, the top k neurons and their maps, for a batch in one launch.

    R = A · G                        A (N, C, H, W), G of the same shape or (N, C), products and sums in float32
    sum   s_c = Σ_hw R               one score for both signs
    max   s_c = max_hw relu(R)       in support, −max_hw relu(−R) in opposition
    total = Σ_c max(s_c, 0)          of the supporting score

One program per picture reads A and G once, in tiles of neurons × positions, and leaves the C scores in a scratch row
that stays in the cache. A score becomes a 64-bit key: above, the bits of the float, mapped so that integers order as
the floats do; below, the inverted index, so that the lowest neuron wins a tie. Keys are therefore unique, and the next
neuron is the largest key below the last one: k maxima and no sort. Then the k maps are gathered. All results lie in
one buffer, which is the only thing copied to the host.

Source: `ops.reference` (definition); keys as in radix sorts of floats.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
import triton
import triton.language as tl

__all__ = ["launch_sizes", "score_neurons", "score_neurons_kernel"]


@triton.jit
def _key(b_scores, o_neurons):
    """int64 keys in the order of the scores, then of falling index; −0 and NaN count as 0."""
    b_bits = tl.where(tl.abs(b_scores) > 0, b_scores, 0.0).to(tl.int32, bitcast=True)
    b_ordered = tl.where(b_bits < 0, b_bits ^ 0x7FFFFFFF, b_bits)
    return (b_ordered.to(tl.int64) << 32) | (0xFFFFFFFF - o_neurons.to(tl.int64))


@triton.jit
def _block_keys(p_scores, start, below, C, NEGATE: tl.constexpr, BLOCK: tl.constexpr):
    """Keys of one block of scores; those of neurons beyond C, or not below `below`, sort after all others."""
    o_neurons = start + tl.arange(0, BLOCK)
    b_scores = tl.load(p_scores + o_neurons, mask=o_neurons < C, other=0.0)
    if NEGATE:
        b_scores = -b_scores
    b_keys = _key(b_scores, o_neurons)
    return tl.where((o_neurons < C) & (b_keys < below), b_keys, -0x7FFFFFFFFFFFFFFF)


@triton.jit
def _select_top(
    p_scores, p_values, p_neurons, C, K, NEGATE: tl.constexpr, BLOCK: tl.constexpr, ONE_BLOCK: tl.constexpr
):
    """Write values and indices of the K largest scores (NEGATE: smallest), strongest first."""
    last = tl.full([], 0x7FFFFFFFFFFFFFFF, tl.int64)
    if ONE_BLOCK:
        b_keys = _block_keys(p_scores, 0, last, C, NEGATE, BLOCK)
    for rank in range(K):
        if ONE_BLOCK:
            last = tl.max(tl.where(b_keys < last, b_keys, -0x7FFFFFFFFFFFFFFF), axis=0)
        else:
            best = tl.full([], -0x7FFFFFFFFFFFFFFF, tl.int64)
            for start in range(0, C, BLOCK):
                best = tl.maximum(best, tl.max(_block_keys(p_scores, start, last, C, NEGATE, BLOCK), axis=0))
            last = best
        ordered = (last >> 32).to(tl.int32)
        value = tl.where(ordered < 0, ordered ^ 0x7FFFFFFF, ordered).to(tl.float32, bitcast=True)
        if NEGATE:
            value = 0.0 - value
        tl.store(p_values + rank, value)
        tl.store(p_neurons + rank, (0xFFFFFFFF - (last & 0xFFFFFFFF)).to(tl.int32))


@triton.jit
def score_neurons_kernel(
    p_activations,
    p_gradients,
    p_scores,
    p_maps,
    p_values,
    p_neurons,
    p_total,
    p_bad,
    C,
    HW,
    K,
    CONSTANT: tl.constexpr,
    MAX: tl.constexpr,
    SUPPORTING: tl.constexpr,
    OPPOSING: tl.constexpr,
    BLOCK_NEURONS: tl.constexpr,
    BLOCK_POSITIONS: tl.constexpr,
    BLOCK_SELECT: tl.constexpr,
    ONE_BLOCK: tl.constexpr,
):
    """Program n scores picture n; shapes as in the module's docstring, outputs as in `score_neurons`."""
    i_picture = tl.program_id(0).to(tl.int64)
    KEPT = K * 2 if SUPPORTING and OPPOSING else K
    p_activations += i_picture * C * HW
    p_gradients += i_picture * C if CONSTANT else i_picture * C * HW
    p_supporting = p_scores + i_picture * (2 * C if MAX and OPPOSING else C)
    p_opposing = p_supporting + C if MAX and OPPOSING else p_supporting
    p_maps += i_picture * KEPT * HW
    p_values += i_picture * KEPT
    p_neurons += i_picture * KEPT

    b_total = tl.zeros([BLOCK_NEURONS], tl.float32)
    b_bad = tl.zeros([BLOCK_NEURONS], tl.int32) + C
    for start in range(0, C, BLOCK_NEURONS):
        o_neurons = start + tl.arange(0, BLOCK_NEURONS)
        m_neurons = o_neurons < C
        if CONSTANT:
            b_gradients = tl.load(p_gradients + o_neurons, mask=m_neurons, other=0.0).to(tl.float32)[:, None]
        # For a sum: its lanes. For a maximum: relu(R), −relu(−R), and zeros that become NaN with a relevance that is
        # not finite, which a maximum would lose.
        b_high = tl.zeros([BLOCK_NEURONS, BLOCK_POSITIONS], tl.float32)
        b_low = tl.zeros([BLOCK_NEURONS, BLOCK_POSITIONS], tl.float32)
        b_poison = tl.zeros([BLOCK_NEURONS, BLOCK_POSITIONS], tl.float32)
        for first in range(0, HW, BLOCK_POSITIONS):
            o_positions = first + tl.arange(0, BLOCK_POSITIONS)
            o_tile = o_neurons[:, None].to(tl.int64) * HW + o_positions[None, :]
            m_tile = m_neurons[:, None] & (o_positions[None, :] < HW)
            b_activations = tl.load(p_activations + o_tile, mask=m_tile, other=0.0).to(tl.float32)
            if not CONSTANT:
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
            b_poisons = tl.sum(b_poison, axis=1)
            b_scores = tl.max(b_high, axis=1) + b_poisons
            if OPPOSING:
                tl.store(p_opposing + o_neurons, tl.min(b_low, axis=1), mask=m_neurons)
        else:
            b_scores = tl.sum(b_high, axis=1)
        tl.store(p_supporting + o_neurons, b_scores, mask=m_neurons)
        b_total += tl.maximum(b_scores, 0.0)
        m_bad = m_neurons & ~(tl.abs(b_scores) < float("inf"))
        b_bad = tl.minimum(b_bad, tl.where(m_bad, o_neurons, C))
    tl.store(p_total + i_picture, tl.sum(b_total, axis=0))
    bad = tl.min(b_bad, axis=0)
    tl.store(p_bad + i_picture, tl.where(bad < C, bad, -1))

    # The scores were written by other threads of this program than those that read them; so are the indices below.
    tl.debug_barrier()
    if SUPPORTING:
        _select_top(p_supporting, p_values, p_neurons, C, K, False, BLOCK_SELECT, ONE_BLOCK)
    if OPPOSING:
        o_first = KEPT - K
        _select_top(p_opposing, p_values + o_first, p_neurons + o_first, C, K, True, BLOCK_SELECT, ONE_BLOCK)
    tl.debug_barrier()
    for start in range(0, KEPT, BLOCK_NEURONS):
        o_ranks = start + tl.arange(0, BLOCK_NEURONS)
        b_neurons = tl.load(p_neurons + o_ranks, mask=o_ranks < KEPT, other=0).to(tl.int64)
        for first in range(0, HW, BLOCK_POSITIONS):
            o_positions = first + tl.arange(0, BLOCK_POSITIONS)
            m_tile = (o_ranks[:, None] < KEPT) & (o_positions[None, :] < HW)
            o_tile = b_neurons[:, None] * HW + o_positions[None, :]
            b_maps = tl.load(p_activations + o_tile, mask=m_tile, other=0.0).to(tl.float32)
            tl.store(p_maps + o_ranks[:, None].to(tl.int64) * HW + o_positions[None, :], b_maps, mask=m_tile)


class Sizes(NamedTuple):
    """Sizes of one launch: the tile, the keys held at once and whether those are all, warps, registers per thread."""

    block_neurons: int
    block_positions: int
    block_select: int
    one_block: bool
    num_warps: int
    max_registers: int


def launch_sizes(neurons: int, positions: int) -> Sizes:
    """Sizes for C neurons and H·W positions: at most 8 values of each input per thread, so that no register spills.

    A program gets all registers of its multiprocessor: left to itself, ptxas aims at several programs and spills.
    """
    block_positions = min(triton.next_power_of_2(positions), 512)
    block_neurons = min(triton.next_power_of_2(neurons), max(1, 4096 // block_positions))
    block_select = min(triton.next_power_of_2(neurons), 4096)
    num_warps = min(16, max(4, block_neurons * block_positions // 256))
    max_registers = min(255, 65536 // (32 * num_warps))
    return Sizes(block_neurons, block_positions, block_select, neurons <= block_select, num_warps, max_registers)


def score_neurons(
    activations: torch.Tensor,
    gradients: torch.Tensor,
    k: int,
    *,
    maximum: bool = False,
    supporting: bool = True,
    opposing: bool = False,
) -> tuple[np.ndarray[Any, Any], ...]:
    """Launch once for the batch and copy the result to the host once.

    Args:
        activations: (N, C, H, W), float32, float16 or bfloat16, on a GPU (under the interpreter: on the CPU).
        gradients: (N, C, H, W) or (N, C), any of these dtypes, on the same device.
        k: Neurons to keep, 1 ≤ k ≤ C.
        maximum: Score the maximum over space instead of the sum.
        supporting: Take the k largest scores.
        opposing: Take the k smallest scores, after the supporting ones if both.

    Returns:
        values (N, k') float32, neurons (N, k') int64, maps (N, k', H, W) float32, total (N,) float32 and bad (N,)
        int32: the first neuron of the picture with a relevance or score that is not finite, or −1; where it is not −1
        the rest has no meaning. As `_core.score_neurons`.
    """
    activations, gradients = activations.detach().contiguous(), gradients.detach().contiguous()
    n, c, height, width = activations.shape
    positions, kept = height * width, k * (int(supporting) + int(opposing))
    counts = (n * kept * positions, n * kept, n * kept, n, n)
    # Each part begins at a multiple of 16 bytes, so that Triton compiles for one alignment only.
    starts = np.concatenate([[0], np.cumsum([(count + 3) // 4 * 4 for count in counts])]).tolist()
    packed = torch.empty(starts[-1], dtype=torch.float32, device=activations.device)
    maps, values, neurons, total, bad = (
        packed[start : start + count] for start, count in zip(starts, counts, strict=False)
    )
    planes = 2 if maximum and opposing else 1
    scores = torch.empty(n * planes * c, dtype=torch.float32, device=activations.device)
    sizes = launch_sizes(c, positions)
    with torch.cuda.device_of(activations):
        score_neurons_kernel[(n,)](
            activations,
            gradients,
            scores,
            maps,
            values,
            neurons.view(torch.int32),
            total,
            bad.view(torch.int32),
            c,
            positions,
            k,
            CONSTANT=gradients.ndim == 2,
            MAX=maximum,
            SUPPORTING=supporting,
            OPPOSING=opposing,
            BLOCK_NEURONS=sizes.block_neurons,
            BLOCK_POSITIONS=sizes.block_positions,
            BLOCK_SELECT=sizes.block_select,
            ONE_BLOCK=sizes.one_block,
            num_warps=sizes.num_warps,
            enable_fp_fusion=False,
            **({} if torch.version.hip else {"maxnreg": sizes.max_registers}),
        )
    host = packed.cpu().numpy()
    parts = [host[start : start + count] for start, count in zip(starts, counts, strict=False)]
    return (
        parts[1].reshape(n, kept),
        parts[2].view(np.int32).astype(np.int64).reshape(n, kept),
        parts[0].reshape(n, kept, height, width),
        parts[3],
        parts[4].view(np.int32),
    )
