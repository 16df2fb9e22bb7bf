"""Candidates of all sources compete; what is given is then judged on pictures that took no part in choosing it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nle_fast.dissect.judge import (
    adjusted,
    by_chance,
    errors_below,
    lower_bounds,
    standard_error,
    support,
    sure_correlations,
    surely,
)
from nle_fast.dissect.options import DissectOptions
from nle_fast.dissect.probe import JUDGE, PICK, PROPOSE
from nle_fast.dissect.table import Answers, SourceTable

__all__ = ["Champion", "Chosen", "champions", "choose", "share_beaten"]

#: A further word must raise the simulation correlation by so much on the pictures that propose.
GAIN = 0.05
#: Of `min_quality` a name must surely reach so much.
SURELY = 0.75
#: Pictures, the neuron's strongest, of which an encoder must say the words, and of how large a share of them.
STRONGEST, SAID = 9, 0.5
#: The same for each word that joins another.
SAID_TOO = 0.2
#: A later nominee must score better than the first one by so much.
BETTER = 0.02


@dataclass(frozen=True)
class Champion:
    """What one source would call one neuron, and how sure that is.

    Attributes:
        words: Indices of its words, joined by "or"; the first is the nominee that was picked alone.
        text: Of the first word.
        least: Simulation correlation of the words together on the pictures that propose, or pick, whichever is lower.
        middle: The mean of these two.
        confidence: What the two surely reach together, see `surely`.
        error: Standard error of the z that `confidence` is one below.
        quality: Simulation correlation of the words together on the pictures that judge; decides nothing.
        beats: Share of the unrelated other concepts of its source that correlate less, on the pictures that pick.
        untrained: The closest that an untrained neuron follows the words, or one of them.
        p: Chance of the correlation of the first word, the best of several nominees, on the pictures that pick.
        place: IoU of the first word on the pictures that pick; None where the source has no masks.
        said: Share of the nine strongest pictures that pick of which an encoder says the words; None from elsewhere.
    """

    words: tuple[int, ...]
    text: str
    least: float
    middle: float
    confidence: float
    error: float
    quality: float
    beats: float
    untrained: float
    p: float
    place: float | None
    said: float | None = None

    def best_of(self, count: int) -> float:
        """Its confidence if it is taken because it is the best of `count`."""
        return math.tanh(math.atanh(self.confidence) - (errors_below(count) - 1) * self.error)


@dataclass(frozen=True)
class Chosen:
    """What one neuron is called, or why it is not.

    Attributes:
        source: Index of the source; −1 without a candidate.
        words: As in `Champion`, like `confidence`, `quality` and `beats`.
        p: Chance of its correlation, adjusted for the number of candidates that compete.
        refused: None, or the first bar that the best candidate failed: "no candidate", "quality", "place", "said",
            "rivals", "untrained", "chance", or "best", not sure enough for the best of several sources.
    """

    source: int
    words: tuple[int, ...]
    confidence: float
    quality: float
    beats: float
    p: float
    refused: str | None


def champions(table: SourceTable, answers: Answers, options: DissectOptions) -> list[Champion | None]:
    """Of each source's nominees for a neuron one, with the words that join it; None without a nominee.

    The first nominee, unless others score better by 0.02 now that other pictures have their say: by what their
    correlations surely reach, from masks by √(that · IoU). Up to two further nominees join it ("A or B"), if they are
    unrelated to it and raise the correlation by 0.05 on the pictures that propose, and at all on those that pick; from
    an encoder, if it says them of a fifth of the neuron's strongest pictures.
    """
    both = np.stack([table.correlation.propose, table.correlation.pick])
    masks = answers.probes.masks()[: len(both)]
    found: list[Champion | None] = []
    for neuron, row in enumerate(table.nominees.tolist()):
        nominees = [word for word in row if word >= 0 and table.bound[neuron, word] > 0]
        if not nominees:
            found.append(None)
            continue
        y = [answers.response[part, neuron] for part in masks]
        rests = np.stack([support(of, table.presence[part][:, nominees]) for of, part in zip(y, masks, strict=True)])
        score = surely(both[:, neuron, nominees], rests)
        if table.iou is not None:  # where the neuron fires counts as much as when
            score = np.sqrt(np.maximum(score, 0) * table.iou.pick[neuron, nominees])
        first = nominees[int((score >= score.max() - BETTER).argmax())]
        words, correlations = _joined(table, neuron, first, answers, options)
        shown = _either(table, words)[:, None]
        rests = np.stack([support(of, shown[part]) for of, part in zip(y, masks, strict=True)])
        p = by_chance(both[PICK, neuron, first, None], table.pictures[PICK, first, None])
        found.append(
            Champion(
                words=words,
                text=table.words[first].text,
                least=min(correlations[PROPOSE], correlations[PICK]),
                middle=(correlations[PROPOSE] + correlations[PICK]) / 2,
                confidence=float(surely(np.array(correlations[: len(both)])[:, None], rests)[0]),
                error=float(standard_error(rests)[0]),
                quality=correlations[JUDGE],
                beats=share_beaten(table, neuron, words, correlations[PICK]),
                untrained=_untrained(table, words, answers),
                p=min(1.0, float(p[0]) * len(nominees)),
                place=None if table.iou is None else float(table.iou.pick[neuron, first]),
                said=None if table.says is None else _said(table.says[masks[PICK]], y[PICK], words),
            )
        )
    return found


def choose(sources: Sequence[Sequence[Champion | None]], options: DissectOptions) -> list[Chosen]:
    """The name of every neuron, from the champions of each source.

    A name must reach `min_quality` on the pictures that propose and on those that pick, and on both together surely
    three quarters of it: what rests on an odd picture or two is not sure. On those that pick it must, from masks, reach
    `min_iou`; from an encoder, be said of half of the neuron's nine strongest pictures; beat `beats` of the unrelated
    other concepts; be followed more closely than any of 512 untrained neurons follows it, or one of its words; and not
    be of a kind that chance makes (Benjamini–Hochberg over all neurons and sources). Of those that pass, the surest is
    given; if none does, the neuron has no name. The pictures that judge have no say.

    The best of several is more often too good to be true than one alone. Where sources that give names would give a
    neuron different ones, the best must be as sure in spite of that; but as many neurons are named as by the source
    that names the most alone.
    """
    chances = np.array([[1.0 if one is None else one.p for one in source] for source in sources])
    p = adjusted(chances.ravel()).reshape(chances.shape)
    refusals: list[list[str | None]] = [
        [
            "no candidate" if one is None else _refused(one, float(chance), options)
            for one, chance in zip(*row, strict=True)
        ]
        for row in zip(sources, p, strict=True)
    ]
    passing = [row.count(None) for row in refusals]
    found = []
    for neuron in range(len(sources[0])):
        offers = [(s, one) for s, source in enumerate(sources) if (one := source[neuron]) is not None]
        rivals = max(1, len({one.text for s, one in offers if passing[s]}))
        judged = [
            Chosen(s, one.words, one.best_of(rivals), one.quality, one.beats, float(p[s, neuron]), refusals[s][neuron])
            for s, one in offers
        ]
        # What comes nearest says why the neuron has no name.
        nobody = Chosen(-1, (), -1.0, 0.0, 0.0, 1.0, "no candidate")
        found.append(max(judged, key=lambda one: (one.refused is None, one.confidence), default=nobody))
    ranked = sorted((one.confidence for one in found if one.refused is None), reverse=True)
    least = min([SURELY * options.min_quality, *ranked[: max(passing)][-1:]])
    return [replace(one, refused="best") if one.refused is None and one.confidence < least else one for one in found]


def _refused(one: Champion, p: float, options: DissectOptions) -> str | None:
    """The first bar that it fails."""
    if one.least < options.min_quality or one.confidence < SURELY * options.min_quality:
        return "quality"
    if one.place is not None and one.place < options.min_iou:
        return "place"
    if one.said is not None and one.said < SAID:
        return "said"
    if one.beats < options.beats:
        return "rivals"
    if one.middle <= one.untrained:
        return "untrained"
    return "chance" if p > options.false_names else None


def _said(says: NDArray[np.bool_], response: NDArray[np.float32], words: Sequence[int]) -> float:
    """Of the strongest pictures, the share of which the encoder says one of the words."""
    strongest = np.argsort(-response, kind="stable")[:STRONGEST]
    return float(says[strongest][:, list(words)].any(1).mean())


def _untrained(table: SourceTable, words: Sequence[int], answers: Answers) -> float:
    """The closest that an untrained neuron follows the words together, or one of them.

    What joins several words has been chosen among many more: it must outdo untrained neurons at each of them, too.
    """
    single = [part for word in words for part in (word, *table.parts.get(word, ()))]
    closest = float(table.untrained[single].max())
    if len(words) > 1:
        chooses = answers.probes.chooses
        together, _ = sure_correlations(answers.untrained[chooses], _either(table, words)[chooses, None])
        closest = max(closest, float(together.max()))
    return closest


def share_beaten(table: SourceTable, neuron: int, words: Sequence[int], quality: float) -> float:
    """Of the other concepts that are unrelated to all words, the share that correlates less where it is picked."""
    rivals = table.correlation.pick[neuron]
    related = np.logical_or.reduce([table.relatives.of(word) for word in words])
    others = ~related & (rivals != 0)
    return float((rivals[others] < quality).mean()) if others.any() else 1.0


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
) -> tuple[tuple[int, ...], list[float]]:
    """The words of one name, and their simulation correlation on each part."""
    words = [first]
    measured = (table.correlation.propose, table.correlation.pick, table.correlation.judge)
    correlations = [float(of[neuron, first]) for of in measured]
    if table.words[first].category == "joined":  # two words already, chosen by their ranks
        return (first,), correlations
    y, masks = answers.response[:, neuron, None], answers.probes.masks()
    picks = masks[PICK]
    joined = _either(table, words)
    for other in table.nominees[neuron]:
        if len(words) >= options.max_words:
            break
        if other < 0 or other in words or any(table.relatives.of(word)[other] for word in words):
            continue
        if table.words[other].category == "joined":
            continue
        if table.says is not None and _said(table.says[picks], answers.response[picks, neuron], [other]) < SAID_TOO:
            continue
        either = _either(table, [*words, int(other)])
        alone = np.where(np.isnan(either), np.nan, np.where(np.isnan(joined), 0, joined))
        x = np.stack([alone, either], 1)
        (proposed, n), (picked, n_picked), (judged, _) = (sure_correlations(y[at], x[at]) for at in masks)
        few = min(int(n[1]), int(n_picked[1])) < 5 * options.min_pictures
        if few or proposed[0, 1] < proposed[0, 0] + GAIN or picked[0, 1] <= max(picked[0, 0], correlations[PICK]):
            continue
        if lower_bounds(proposed, n)[0, 1] <= lower_bounds(proposed, n)[0, 0]:
            continue
        words.append(int(other))
        joined, correlations = either, [float(both[0, 1]) for both in (proposed, picked, judged)]
    return tuple(words), correlations
