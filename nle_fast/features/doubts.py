"""What a sceptic asks for, measured on the same held-out pictures as the features: every control, and what recurs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nle_fast.dissect.responses import Progress
from nle_fast.features.controls import CONTROLS, LEARNED_CONTROLS, control
from nle_fast.features.learning import Workshop, told
from nle_fast.features.measure import Dictionary, Measured, measure
from nle_fast.features.recurrence import match, recurrence
from nle_fast.features.starts import Start
from nle_fast.features.store import Store, read_store
from nle_fast.preprocess import Preprocess

__all__ = ["doubts"]


def doubts(
    shop: Workshop,
    start: Start,
    held: Store,
    learns: Sequence[Path],
    preprocess: Preprocess,
    folder: Path,
    *,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Controls with as many atoms, codes and steps, and two dictionaries learned from halves of the pictures.

    Args:
        shop: The features' own.
        start: Their start.
        held: Activations of the pictures held out.
        learns: The pictures that the features were learned from, dealt in turn to the two halves.
        preprocess: Of the network.
        folder: Where activations are kept.
        progress: Called with ("doubt", done, total) for each picture measured, and as of `learn`.

    Returns:
        For a record: "controls", name → figures as of "held_out"; "recurrence" between the halves, each with a seed of
        its own, see `recurrence.recurrence`, mean of both ways.

    Source: this project, after the controls that 2602.14111 asks for.
    """
    measured = {}
    for name in (*LEARNED_CONTROLS, *CONTROLS):
        made = control(name, shop, start, shop.options.seed)
        measured[name] = _figures(made, shop, held, progress).rounded
    halves = [_half(shop, learns[side::2], side, held, preprocess, folder, progress) for side in (0, 1)]
    ways = []
    for (mine, own), (theirs, other) in (halves, halves[::-1]):
        assert mine.decoder is not None
        assert theirs.decoder is not None
        matched = match(mine.decoder, theirs.decoder)
        ways.append(recurrence(matched, own.pooled, other.pooled, own.told, other.told))
    return {
        "controls": measured,
        "recurrence": {key: round(float(np.mean([way[key] for way in ways])), 4) for key in ways[0]},
    }


def _half(
    shop: Workshop,
    paths: Sequence[Path],
    side: int,
    held: Store,
    preprocess: Preprocess,
    folder: Path,
    progress: Progress | None,
) -> tuple[Dictionary, Measured]:
    """What is learned from some of the pictures by another seed, and what it says about those held out."""
    seed, views = shop.options.seed + side, shop.store.views
    store = read_store(shop.classifier, preprocess, list(paths), folder, views=views, seed=seed, progress=progress)
    other = Workshop(shop.classifier, store, shop.options, folder)
    found = Dictionary.of(other.features(other.learned(progress=progress)[0]))
    return found, _figures(found, other, held, progress)


def _figures(made: Dictionary, shop: Workshop, held: Store, progress: Progress | None) -> Measured:
    assert made.decoder is not None
    return measure(made, shop.classifier, told(held, "doubt", progress), votes=shop.votes(made.decoder))
