"""The k largest of many scores, strongest first, inside a kernel: each score as a key that integers can compare.

    key = ordered bits of the score · 2³² + (2³² − 1 − index)

Above, the bits of the float, mapped so that integers order as the floats do; below, the inverted index, so that the
lowest neuron wins a tie. Keys are therefore unique, and the next one is the largest below the last: k maxima, no sort.

Source: keys as in radix sorts of floats.
"""

from __future__ import annotations

import triton
import triton.language as tl

__all__ = ["select_top"]

LOWEST: tl.constexpr = tl.constexpr(-0x7FFFFFFFFFFFFFFF)


@triton.jit
def _key(b_scores, o_neurons):
    """int64 keys in the order of the scores, then of falling index; −0 and NaN count as 0."""
    b_bits = tl.where(tl.abs(b_scores) > 0, b_scores, 0.0).to(tl.int32, bitcast=True)
    b_ordered = tl.where(b_bits < 0, b_bits ^ 0x7FFFFFFF, b_bits)
    return (b_ordered.to(tl.int64) << 32) | (0xFFFFFFFF - o_neurons.to(tl.int64))


@triton.jit
def _block_keys(p_from, start, stop, below, NEGATE: tl.constexpr, KEYS: tl.constexpr, BLOCK: tl.constexpr):
    """Keys of one block of scores, or ready KEYS; those from `stop` on, or not below `below`, sort after all others."""
    o_items = start + tl.arange(0, BLOCK)
    if KEYS:
        b_keys = tl.load(p_from + o_items, mask=o_items < stop, other=LOWEST, cache_modifier=".cg")
    else:
        b_scores = tl.load(p_from + o_items, mask=o_items < stop, other=0.0, cache_modifier=".cg")
        if NEGATE:
            b_scores = -b_scores
        b_keys = _key(b_scores, o_items)
    return tl.where((o_items < stop) & (b_keys < below), b_keys, LOWEST)


@triton.jit
def select_top(
    p_from,
    p_keys,
    p_values,
    p_neurons,
    start,
    stop,
    K,
    NEGATE: tl.constexpr,
    FROM_KEYS: tl.constexpr,
    TO_KEYS: tl.constexpr,
    BLOCK: tl.constexpr,
    ONE_BLOCK: tl.constexpr,
):
    """The K largest scores or keys of [start, stop), strongest first: as keys, or as values and neurons."""
    last = tl.full([], 0x7FFFFFFFFFFFFFFF, tl.int64)
    if ONE_BLOCK:
        b_keys = _block_keys(p_from, start, stop, last, NEGATE, FROM_KEYS, BLOCK)
    for rank in range(K):
        if ONE_BLOCK:
            last = tl.max(tl.where(b_keys < last, b_keys, LOWEST), axis=0)
        else:
            best = tl.full([], LOWEST, tl.int64)
            for first in range(start, stop, BLOCK):
                best = tl.maximum(
                    best, tl.max(_block_keys(p_from, first, stop, last, NEGATE, FROM_KEYS, BLOCK), axis=0)
                )
            last = best
        if TO_KEYS:
            tl.store(p_keys + rank, last)
        else:
            ordered = (last >> 32).to(tl.int32)
            value = tl.where(ordered < 0, ordered ^ 0x7FFFFFFF, ordered).to(tl.float32, bitcast=True)
            if NEGATE:
                value = 0.0 - value
            tl.store(p_values + rank, value)
            tl.store(p_neurons + rank, (0xFFFFFFFF - (last & 0xFFFFFFFF)).to(tl.int32))
