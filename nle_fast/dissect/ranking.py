"""Words from labelled pictures: classes, more general words, and two words joined, by how they rank the responses."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nle_fast.dissect.judge import aucs
from nle_fast.dissect.labelled import LabelledPictures
from nle_fast.dissect.options import DissectOptions
from nle_fast.dissect.probe import Word
from nle_fast.dissect.table import NOMINEES, Answers, SourceTable, enough, make_table

__all__ = ["name_from_labels"]

#: The most general word whose AUC is at most so much below the best one's wins.
MARGIN = 0.02
#: A word that is true of a larger share of the pictures is no name.
MOST_GENERAL = 0.5
#: Two words joined by "and" or "or" must rank so much better than the best single word.
CLEARLY = 0.05
#: Single words of which two are joined.
JOINED = 6


def name_from_labels(
    labelled: LabelledPictures,
    answers: Answers,
    options: DissectOptions,
) -> SourceTable:
    """Every class and more general word, and the joined words that are clearly better, for every neuron.

    AUC of the response on the pictures that propose. Of the words that are true wherever the best one is, the most
    general one within 0.02 of its AUC wins. "A or B" and "A and B" of the neuron's six best words win over it if their
    AUC is at least 0.05 higher.

    Source: Bykov et al., "Labeling Neural Representations with Inverse Recognition" (INVERT), NeurIPS 2023.
    """
    probes, response = answers.probes, answers.response
    rows = probes.rows[labelled.name]
    known = np.zeros((len(probes), len(labelled.words)), np.float32)
    known[rows] = labelled.members
    inside = np.zeros(len(probes), bool)
    inside[rows] = True
    eligible = enough(np.where(inside[:, None], known, np.nan), probes, options.min_pictures)
    # True of nearly everything, a word ("object") says what a picture is not rather than what it is.
    eligible &= known[rows].mean(0) <= MOST_GENERAL
    members = known > 0
    proposes, *others = (inside & part for part in probes.masks())
    auc = aucs(response[proposes], known[proposes], options.threads)
    auc[:, ~eligible] = -1
    order = np.argsort(-auc, axis=1, kind="stable")[:, :JOINED]
    # (L, L): the first word is true wherever the second is.
    covers = ~((~members).T.astype(np.float32) @ members.astype(np.float32) > 0)
    size = members.sum(0)

    words, columns = list(labelled.words), [known]
    place: dict[tuple[int, int, str], int] = {}
    joined = _Joined(response[proposes], members[proposes], [members[part] for part in others], options.min_pictures)
    nominees = np.full((response.shape[1], NOMINEES), -1, np.int64)
    for neuron in range(response.shape[1]):
        ranked = [int(word) for word in order[neuron] if auc[neuron, word] > 0.5]
        if not ranked:
            continue
        best = ranked[0]
        near = (auc[neuron] >= auc[neuron, best] - MARGIN) & covers[:, best] & eligible
        winner = int(max(np.flatnonzero(near), key=lambda word: (size[word], auc[neuron, word])))
        first = [winner, *(word for word in ranked if word != winner)]
        better = joined.best(neuron, ranked, float(auc[neuron, best]) + CLEARLY)
        if better is not None:
            if better not in place:
                a, b, link = better
                place[better] = len(words)
                words.append(Word(f"{words[a].text} {link} {words[b].text}", "joined"))
                column = members[:, a] | members[:, b] if link == "or" else members[:, a] & members[:, b]
                columns.append(column[:, None].astype(np.float32))
            first = [place[better], *first]
        nominees[neuron, : len(first[:NOMINEES])] = first[:NOMINEES]
    presence = np.concatenate(columns, 1)
    presence[~inside] = np.nan
    parts = {at: (a, b) for (a, b, _), at in place.items()}
    return replace(make_table(labelled.name, tuple(words), answers, presence, options), nominees=nominees, parts=parts)


class _Joined:
    """AUCs of two words joined, for one neuron at a time."""

    def __init__(
        self,
        response: NDArray[np.float32],
        members: NDArray[np.bool_],
        others: Sequence[NDArray[np.bool_]],
        least: int,
    ) -> None:
        self._members, self._others, self._least = members, others, least
        # Ranks with ties shared, as AUC needs them; every pair of words then costs one sum.
        values, inverse = zip(*(np.unique(column, return_inverse=True) for column in response.T), strict=True)
        counts = [np.bincount(places, minlength=len(v)) for v, places in zip(values, inverse, strict=True)]
        self._ranks = [
            (np.cumsum(count) - (count - 1) / 2)[places] for count, places in zip(counts, inverse, strict=True)
        ]

    def best(self, neuron: int, words: list[int], bar: float) -> tuple[int, int, str] | None:
        """The best pair above the bar, or None."""
        found = None
        for a, b in itertools.combinations(words, 2):
            for link in ("or", "and"):
                inside = self._join(self._members, a, b, link)
                ones = int(inside.sum())
                zeros = len(inside) - ones
                others = [self._join(part, a, b, link) for part in self._others]
                counts = [int(count) for part in others for count in (part.sum(), (~part).sum())]
                # "A or B" is A where B lies inside it.
                new = ones not in (int(self._members[:, a].sum()), int(self._members[:, b].sum()))
                if not new or min(ones, zeros, *counts) < self._least:
                    continue
                auc = (float(self._ranks[neuron][inside].sum()) - ones * (ones + 1) / 2) / (ones * zeros)
                if auc >= bar:
                    bar, found = auc, (a, b, link)
        return found

    @staticmethod
    def _join(members: NDArray[np.bool_], a: int, b: int, link: str) -> NDArray[np.bool_]:
        return members[:, a] | members[:, b] if link == "or" else members[:, a] & members[:, b]
