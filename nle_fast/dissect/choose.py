"""Candidates of all sources compete; what is given must hold on pictures that took no part in choosing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nle_fast.dissect.judge import adjusted, by_chance, lower_bounds, sure_correlations
from nle_fast.dissect.options import DissectOptions
from nle_fast.dissect.table import Answers, SourceTable

__all__ = ["Chosen", "choose", "share_beaten"]

#: A further word must raise the simulation correlation by so much on the choosing half.
GAIN = 0.05


@dataclass(frozen=True)
class Chosen:
    """What one neuron is called, or why it is not.

    Attributes:
        source: Index of the source; −1 without a candidate.
        words: Indices of its words, joined by "or"; the first is the candidate that was judged alone.
        quality: Held-out simulation correlation of the words together.
        beats: Share of the unrelated other concepts of its source that correlate less on held-out pictures.
        p: Chance of its held-out correlation, adjusted for the number of candidates that were judged.
        refused: None, or the first bar that the best candidate failed: "no candidate", "quality", "place", "rivals",
            "untrained" or "chance".
    """

    source: int
    words: tuple[int, ...]
    quality: float
    beats: float
    p: float
    refused: str | None


def choose(tables: Sequence[SourceTable], answers: Answers, options: DissectOptions) -> list[Chosen]:
    """The name of every neuron.

    1. Each source's first nominee, which the choosing half decides, competes. Of those that pass 3. the one with the
       highest held-out simulation correlation is given; if none does, the neuron has no name.
    2. Up to two further nominees of the same source join it ("A or B"), if they are unrelated to it and raise the
       correlation by 0.05 on the choosing half, and at all on the other.
    3. On held-out pictures the name must reach `min_quality`; from masks, `min_iou`; beat `beats` of the unrelated
       other concepts; be followed more closely than any of 512 untrained neurons follows it, or one of its words, on
       all pictures; and not be of a kind that chance makes (Benjamini–Hochberg over all neurons and sources).
    """
    neurons = answers.response.shape[1]
    firsts = np.full((len(tables), neurons), -1, np.int64)
    bounds = np.full((len(tables), neurons), -1.0)
    p = np.ones((len(tables), neurons))
    for s, table in enumerate(tables):
        firsts[s] = table.nominees[:, 0] if table.nominees.shape[1] else -1
        there = np.flatnonzero(firsts[s] >= 0)
        words = firsts[s, there]
        bounds[s, there] = table.bound[there, words]
        p[s, there] = by_chance(table.correlation.held_out[there, words], table.pictures[1, words])
    p = adjusted(p.ravel()).reshape(p.shape)
    found = []
    for neuron in range(neurons):
        judged = [
            _judged(int(s), tables[s], neuron, int(firsts[s, neuron]), float(p[s, neuron]), answers, options)
            for s in np.argsort(-bounds[:, neuron], kind="stable")
            if bounds[s, neuron] > 0
        ]
        passed = [one for one in judged if one.refused is None]
        if passed:
            found.append(max(passed, key=lambda one: one.quality))
        else:  # what comes nearest, by the lower bound of the choosing half, says why not
            found.append(judged[0] if judged else Chosen(-1, (), 0.0, 0.0, 1.0, "no candidate"))
    return found


def _judged(
    source: int,
    table: SourceTable,
    neuron: int,
    word: int,
    p: float,
    answers: Answers,
    options: DissectOptions,
) -> Chosen:
    words, quality = _joined(table, neuron, word, answers, options)
    # What joins several words has been chosen among many more: it must outdo untrained neurons at each of them, too.
    single = [part for one in words for part in (one, *table.parts.get(one, ()))]
    untrained = float(table.untrained[single].max())
    if len(words) > 1:
        untrained = max(untrained, float(sure_correlations(answers.untrained, _either(table, words)[:, None])[0].max()))
    beats = share_beaten(table, neuron, words, quality)
    refused = None
    if quality < options.min_quality:
        refused = "quality"
    elif table.iou is not None and table.iou.held_out[neuron, word] < options.min_iou:
        refused = "place"
    elif beats < options.beats:
        refused = "rivals"
    elif quality <= untrained:
        refused = "untrained"
    elif p > options.false_names:
        refused = "chance"
    return Chosen(source, words, quality, beats, p, refused)


def share_beaten(table: SourceTable, neuron: int, words: Sequence[int], quality: float) -> float:
    """Of the other concepts that are unrelated to all words, the share with a lower held-out correlation."""
    held_out = table.correlation.held_out[neuron]
    related = np.logical_or.reduce([table.relatives.of(word) for word in words])
    others = ~related & (held_out != 0)
    return float((held_out[others] < quality).mean()) if others.any() else 1.0


def _either(table: SourceTable, words: Sequence[int]) -> NDArray[np.float32]:
    """(P,): how much a picture shows of any of the words; unknown where all of them are."""
    either: NDArray[np.float32] = np.fmax.reduce(table.presence[:, list(words)], axis=1)
    return either


def _joined(
    table: SourceTable,
    neuron: int,
    first: int,
    answers: Answers,
    options: DissectOptions,
) -> tuple[tuple[int, ...], float]:
    """The words of one name, and its held-out simulation correlation."""
    words = [first]
    quality = float(table.correlation.held_out[neuron, first])
    y, held_out = answers.response[:, neuron, None], answers.held_out
    joined = _either(table, words)
    if table.words[first].category == "joined":  # two words already, chosen by their ranks
        return (first,), quality
    for other in table.nominees[neuron]:
        if len(words) >= options.max_words:
            break
        if other < 0 or other in words or any(table.relatives.of(word)[other] for word in words):
            continue
        if table.words[other].category == "joined":
            continue
        either = _either(table, [*words, int(other)])
        alone = np.where(np.isnan(either), np.nan, np.where(np.isnan(joined), 0, joined))
        x = np.stack([alone, either], 1)
        chosen, n = sure_correlations(y[~held_out], x[~held_out])
        judged, n_judged = sure_correlations(y[held_out], x[held_out])
        few = min(int(n[1]), int(n_judged[1])) < 5 * options.min_pictures
        if few or chosen[0, 1] < chosen[0, 0] + GAIN or judged[0, 1] <= max(judged[0, 0], quality):
            continue
        if lower_bounds(chosen, n)[0, 1] <= lower_bounds(chosen, n)[0, 0]:
            continue
        words.append(int(other))
        joined, quality = either, float(judged[0, 1])
    return tuple(words), quality
