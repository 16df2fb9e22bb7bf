"""Figures of words, and intervals over photos, for `halves.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from nle_fast.dissect.groups import Groups
from nle_fast.dissect.vote_judge import share_told, strict_names, vote_figures
from nle_fast.features.measure import Measured

#: Resamples of a bootstrap.
RESAMPLES = 2000


def word_figures(
    votes: np.ndarray, groups: Groups, found: Measured, labels: np.ndarray, seed: int
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What names by votes are worth on the judging photos whose class is known.

    Args:
        votes: (classes, K), centred.
        groups: Sets of classes that have words.
        found: Codes and told features of the judging photos.
        labels: (photos,) −1 where unknown.
        seed: Shuffles names, and deals photos to the halves of the crosswise rule.

    Returns:
        The figures, and per feature the quality (NaN: no name) by the strict rule.
    """
    known = labels >= 0
    codes, classes, rows = found.pooled[known], labels[known], np.ascontiguousarray(votes.T)
    loose = vote_figures(rows, groups, codes, classes)
    strict = strict_names(rows, groups, codes, classes, codes, classes)
    chance = np.random.default_rng(seed)
    shuffled = vote_figures(rows[chance.permutation(len(rows))], groups, codes, classes)
    deal = chance.permutation(len(classes)) % 2
    cross = [
        strict_names(rows, groups, codes[deal == a], classes[deal == a], codes[deal != a], classes[deal != a])
        for a in (0, 1)
    ]
    told = found.told
    quality = np.where(strict.named, strict.quality, np.nan)
    alone = strict.proposal.groups.sizes[np.maximum(strict.proposal.parts, 0)] == 1
    single = strict.named & (np.where(strict.kept, alone, True)).all(1)
    of_told = quality[told[told >= 0]]
    figures = {
        "set_r": float(loose["set"].mean()),
        "set_told": share_told(told, loose["set"] > 0.2),
        "union_r": float(loose["union"].mean()),
        "union_told": share_told(told, loose["union"] > 0.2),
        "strict_told": share_told(told, strict.named),
        "strict_r_told": float(np.nanmean(of_told)) if np.isfinite(of_told).any() else 0.0,
        "strict_parts": float(strict.kept[strict.named].sum(1).mean()) if strict.named.any() else 0.0,
        "strict_single_told": share_told(told, single),
        "crosswise_told": float(np.mean([share_told(told, way.named) for way in cross])),
        "crosswise_holds": float(np.mean([share_told(told, way.holds) for way in cross])),
        "shuffled_r": float(shuffled["union"].mean()),
        "shuffled_told": share_told(told, shuffled["union"] > 0.2),
    }
    return {key: round(value, 4) for key, value in figures.items()}, {"quality": quality}


def intervals(each: dict[str, np.ndarray], seed: int = 0) -> dict[str, list[float]]:
    """[mean, low, high] of each figure, 95 %, by a bootstrap over photos."""
    count = len(next(iter(each.values())))
    chance = np.random.default_rng(seed)
    weights = np.stack([np.bincount(chance.integers(0, count, count), minlength=count) for _ in range(RESAMPLES)])
    found = {}
    for name, values in each.items():
        means = weights @ values / count
        low, high = np.percentile(means, [2.5, 97.5])
        found[name] = [round(float(number), 4) for number in (values.mean(), low, high)]
    return found
