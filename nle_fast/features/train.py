"""The learning itself: Adam on a sparse code that starts at given atoms, with marks to go on from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nle_fast.dissect.responses import Progress
from nle_fast.features.heads import Head
from nle_fast.features.options import LearnOptions
from nle_fast.features.running import Batches, Floats, Learned, Run
from nle_fast.features.sight import Sight

__all__ = ["train"]

#: Steps between two marks, of which the last is kept.
MARK = 100


def train(
    start: Floats,
    batches: Batches,
    crops: int,
    head: Head,
    sight: Sight,
    options: LearnOptions,
    *,
    device: Any = "cpu",
    mark: Path | None = None,
    progress: Progress | None = None,
) -> Learned:
    """Learn decoder, encoder and bias of a sparse code that begins at `start`, encoder and decoder alike.

    Loss = reconstruction · ‖x − x̂‖² / ‖x‖² + position · (the same in the head's metric) + pooled · (of the mean map)
    + divergence · KL + five · (what the five largest scores leave of the winner's logit)² + anchor · mean(1 − cos(atom,
    its start)), with sums over a batch. The encoder begins as the atoms times the one factor that reconstructs best. A
    feature that fires nowhere in two passes over the crops is begun again, see `LearnOptions.again`; what has not fired
    in the last two is left out. Stopping and going on from `mark` gives what not stopping gives.

    Args:
        start: (K, C) rows of length 1.
        batches: Gives the coordinates of crops.
        crops: How many there are.
        head: Gives the terms of the head.
        sight: The coordinates.
        options: Weights, steps, batch, rate, active, seed.
        device: Where torch learns.
        mark: File that a stopped run goes on from; removed by who owns the folder. None: nothing is kept.
        progress: Called with ("learn", step, steps).

    Raises:
        ModelError: The loss is not finite.
        InputError: The mark cannot be written.
    """
    run = Run(start, batches, crops, head, sight, options, device)
    if mark is not None:
        run.resume(mark)
    while run.step < options.steps:
        run.advance()
        if progress is not None:
            progress("learn", run.step, options.steps)
        if mark is not None and run.step % MARK == 0:
            run.keep(mark)
    if mark is not None and run.step % MARK:
        run.keep(mark)
    return run.result()
