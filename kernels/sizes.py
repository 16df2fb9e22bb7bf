"""Plain functions of the shape: how a launch is cut into programs, what lies where in its output, what it moves."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Layout", "Moved", "Sizes", "launch_bytes", "launch_sizes"]

#: Values of each input that a thread holds at once: 16 keep 32 KB of half precision on their way to a multiprocessor.
#: The maximum needs three results per value, and registers spill beyond 8.
VALUES = {"sum": 16, "max": 8}
#: Warps that a multiprocessor holds when each thread may use 128 of its 65536 registers.
WARPS = 16
#: How often the programs fill the GPU. More than once, so that some pictures are merged while others are still read.
WAVES = 2
#: Scores or keys that one program holds at once to select from.
HELD = 4096


class Sizes(NamedTuple):
    """How one launch is cut.

    Attributes:
        share: Neurons per program, a multiple of `block_neurons` unless it is all of them.
        splits: Programs per picture.
        blockwise: Does each program select from its share first, because the merge cannot hold all scores?
        block_neurons, block_positions: The tile.
        block_select, block_merge: Scores, and keys or scores, held at once; powers of two.
        one_block: Are `block_merge` all that the merge selects from?
        num_warps, max_registers: Per program, per thread.
    """

    share: int
    splits: int
    blockwise: bool
    block_neurons: int
    block_positions: int
    block_select: int
    block_merge: int
    one_block: bool
    num_warps: int
    max_registers: int


def launch_sizes(
    pictures: int,
    neurons: int,
    positions: int,
    k: int,
    multiprocessors: int,
    *,
    maximum: bool = False,
    neurons_first: bool = False,
) -> Sizes:
    """How to cut N pictures of C neurons and H·W positions; `neurons_first` where neighbours in memory are neurons.

    Few pictures: as many programs as multiprocessors, if the neurons suffice. Many: programs for `WAVES` rounds; from
    there on one program per picture.
    """
    num_warps = 4 if positions <= 1024 else 8 if positions <= 4096 else 16
    tile = 32 * num_warps * VALUES["max" if maximum else "sum"]
    if neurons_first:
        block_neurons = min(_power_of_two(neurons), 64)
        block_positions, least = min(_power_of_two(positions), tile // block_neurons), 16
    else:
        block_positions = min(_power_of_two(positions), tile)
        block_neurons, least = min(_power_of_two(neurons), tile // block_positions), 4
    while block_neurons > least and pictures * _up(neurons, block_neurons) < multiprocessors:
        block_neurons //= 2
    tiles = _up(neurons, block_neurons)
    programs = multiprocessors * (WARPS // num_warps) * WAVES
    splits = min(tiles, max(1, programs // pictures))
    blockwise = neurons > HELD
    if blockwise:
        splits = max(splits, _up(tiles, HELD // block_neurons))
    share = min(neurons, _up(tiles, splits) * block_neurons)
    splits = _up(neurons, share)
    block_select = min(_power_of_two(share if blockwise else neurons), HELD)
    candidates = splits * k if blockwise else neurons
    block_merge = min(_power_of_two(candidates), HELD)
    return Sizes(
        share,
        splits,
        blockwise,
        block_neurons,
        block_positions,
        block_select,
        block_merge,
        candidates <= block_merge,
        num_warps,
        min(255, 65536 // (32 * WARPS)),
    )


def _up(number: int, step: int) -> int:
    return -(-number // step)


def _power_of_two(number: int) -> int:
    return 1 << (number - 1).bit_length()


class Layout(NamedTuple):
    """Where the results of a launch lie in its float32 output: maps, values, neurons, total and bad, in this order.

    Each part begins at a multiple of 16 bytes, so that Triton compiles for one alignment only.
    """

    pictures: int
    kept: int
    height: int
    width: int

    def starts(self) -> list[int]:
        """Where each part begins, and where the last one ends, in float32."""
        found = [0]
        for count in self._counts():
            found.append(found[-1] + _up(count, 4) * 4)
        return found

    def size(self) -> int:
        """Length of the output in float32."""
        return self.starts()[-1]

    def parts(self, output: Any) -> list[Any]:
        """The five parts as flat views of `output`, a NumPy array or a tensor."""
        return [output[start : start + count] for start, count in zip(self.starts(), self._counts(), strict=False)]

    def unpack(self, output: NDArray[np.float32]) -> tuple[NDArray[Any], ...]:
        """The values (N, k') float32, neurons (N, k') int64, maps (N, k', H, W), total (N,) and bad (N,) int32."""
        maps, values, neurons, total, bad = self.parts(output)
        per_rank = self.pictures, self.kept
        return (
            values.reshape(per_rank),
            neurons.view(np.int32).astype(np.int64).reshape(per_rank),
            maps.reshape(*per_rank, self.height, self.width),
            total,
            bad.view(np.int32),
        )

    def _counts(self) -> tuple[int, ...]:
        ranks = self.pictures * self.kept
        return ranks * self.height * self.width, ranks, ranks, self.pictures, self.pictures


class Moved(NamedTuple):
    """Bytes that the programs of a launch ask memory for, scratch in the cache included; the counters are left out.

    Attributes:
        inputs: Read from activations and gradients for the scores: each value once.
        gathered: Read from the activations for the maps.
        scratch_read, scratch_written: Scores and keys, and neurons on their way to the gather.
        output: Written for the host.
    """

    inputs: int
    gathered: int
    scratch_read: int
    scratch_written: int
    output: int


def launch_bytes(
    layout: Layout,
    sizes: Sizes,
    neurons: int,
    activation_bytes: int,
    gradient_bytes: int,
    *,
    constant: bool,
    maximum: bool,
    supporting: bool,
    opposing: bool,
) -> Moved:
    """What a launch moves, counted from its shape; `constant`: (N, C) gradients, of which no plane is read."""
    pictures, positions = layout.pictures, layout.height * layout.width
    signs = int(supporting) + int(opposing)
    k = layout.kept // signs
    per_picture = neurons * (positions * activation_bytes + (1 if constant else positions) * gradient_bytes)
    planes = 2 if maximum and opposing else 1
    written, read = 4 * planes * neurons, 4 * neurons  # all scores, and all again for the total
    # Without all candidates at once, each rank goes through them again.
    rounds = 1 if sizes.one_block else k
    if sizes.blockwise:
        written += 8 * signs * sizes.splits * k
        read += 4 * signs * neurons + 8 * signs * sizes.splits * k * rounds
    else:
        read += 4 * signs * neurons * rounds
    # Neurons are read again by every tile of ranks.
    read += 4 * layout.kept
    return Moved(
        inputs=pictures * per_picture,
        gathered=pictures * layout.kept * positions * activation_bytes,
        scratch_read=pictures * read,
        scratch_written=pictures * written,
        output=4 * pictures * (layout.kept * (positions + 2) + 2),
    )
