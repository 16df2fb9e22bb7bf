"""Candidates of all sources compete; what is given must hold on pictures that took no part in choosing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nle_fast.dissect.judge import adjusted, by_chance, lower_bounds, sure_correlations
from nle_fast.dissect.options import DissectOptions
from nle_fast.dissect.table import Answers, SourceTable

__all__ = ["Champion", "Chosen", "champions", "choose", "share_beaten"]

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


@dataclass(frozen=True)
class Champion:
    """What one source would call one neuron, measured on held-out pictures.

    Attributes:
        words: As in `Chosen`, like `quality` and `beats`.
        untrained: The closest that an untrained neuron follows the words, or one of them.
        p: Chance of the held-out correlation of the first word.
        bound: Lower bound of the first word's correlation on the choosing half.
        place: Held-out IoU of the first word; None where the source has no masks.
    """

    words: tuple[int, ...]
    quality: float
    beats: float
    untrained: float
    p: float
    bound: float
    place: float | None


def champions(table: SourceTable, answers: Answers, options: DissectOptions) -> list[Champion | None]:
    """The first nominee of a source for every neuron, with the words that join it; None without a nominee.

    Up to two further nominees join it ("A or B"), if they are unrelated to it and raise the correlation by 0.05 on the
    choosing half, and at all on the other.
    """
    neurons = answers.response.shape[1]
    firsts = table.nominees[:, 0] if table.nominees.shape[1] else np.full(neurons, -1, np.int64)
    every, words = np.arange(neurons), np.maximum(firsts, 0)
    p = by_chance(table.correlation.held_out[every, words], table.pictures[1, words])
    found: list[Champion | None] = []
    for neuron, word in enumerate(firsts.tolist()):
        if word < 0 or table.bound[neuron, word] <= 0:
            found.append(None)
            continue
        joined, quality = _joined(table, neuron, word, answers, options)
        found.append(
            Champion(
                joined,
                quality,
                share_beaten(table, neuron, joined, quality),
                _untrained(table, joined, answers),
                float(p[neuron]),
                float(table.bound[neuron, word]),
                None if table.iou is None else float(table.iou.held_out[neuron, word]),
            )
        )
    return found


def choose(sources: Sequence[Sequence[Champion | None]], options: DissectOptions) -> list[Chosen]:
    """The name of every neuron, from the champions of each source.

    On held-out pictures a name must reach `min_quality`; from masks, `min_iou`; beat `beats` of the unrelated other
    concepts; be followed more closely than any of 512 untrained neurons follows it, or one of its words, on all
    pictures; and not be of a kind that chance makes (Benjamini–Hochberg over all neurons and sources). Of those that
    pass, the one with the highest held-out simulation correlation is given; if none does, the neuron has no name.
    """
    chances = np.array([[1.0 if one is None else one.p for one in source] for source in sources])
    p = adjusted(chances.ravel()).reshape(chances.shape)
    found = []
    for neuron in range(len(sources[0])):
        judged = []
        for s, source in enumerate(sources):
            one = source[neuron]
            if one is not None:
                refused = _refused(one, float(p[s, neuron]), options)
                chosen = Chosen(s, one.words, one.quality, one.beats, float(p[s, neuron]), refused)
                judged.append((one.bound, chosen))
        passed = [chosen for _, chosen in judged if chosen.refused is None]
        if passed:
            found.append(max(passed, key=lambda chosen: chosen.quality))
        elif judged:  # what comes nearest, by the choosing half, says why not
            found.append(max(judged, key=lambda pair: pair[0])[1])
        else:
            found.append(Chosen(-1, (), 0.0, 0.0, 1.0, "no candidate"))
    return found


def _refused(one: Champion, p: float, options: DissectOptions) -> str | None:
    """The first bar that it fails."""
    if one.quality < options.min_quality:
        return "quality"
    if one.place is not None and one.place < options.min_iou:
        return "place"
    if one.beats < options.beats:
        return "rivals"
    if one.quality <= one.untrained:
        return "untrained"
    return "chance" if p > options.false_names else None


def _untrained(table: SourceTable, words: Sequence[int], answers: Answers) -> float:
    """The closest that an untrained neuron follows the words together, or one of them.

    What joins several words has been chosen among many more: it must outdo untrained neurons at each of them, too.
    """
    single = [part for word in words for part in (word, *table.parts.get(word, ()))]
    closest = float(table.untrained[single].max())
    if len(words) > 1:
        together, _ = sure_correlations(answers.untrained, _either(table, words)[:, None])
        closest = max(closest, float(together.max()))
    return closest


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
