"""Words from a dual encoder: those that its view of a neuron's strongest pictures speaks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nle_fast.dissect.options import DissectOptions
from nle_fast.dissect.probe import PROPOSE, Word
from nle_fast.dissect.table import NOMINEES, Answers, SourceTable, make_table

__all__ = ["name_from_encoder", "soft_wpmi"]

#: Of the published settings; the pictures looked at are fewer where there are few.
STRONGEST, TEMPERATURE, FIRST_CHANCE, LAST_CHANCE, LEAST = 100, 10.0, 0.998, 0.97, 1e-7
#: An encoder says of a picture so large a share of its words: those most like it.
SAID = 0.02
#: Words by soft-WPMI among which the simulation correlation chooses.
SHORT_LIST = 20


def soft_wpmi(
    similarities: NDArray[np.float32], response: NDArray[np.float32], strongest: int = STRONGEST
) -> NDArray[np.float64]:
    """How much more a neuron's strongest pictures speak for a word than those of other neurons.

    With p(w | x) = softmax_w(10 · similarity) and p(x) falling from 0.998 to 0.97 over a neuron's pictures by rank:
    log p(w | neuron) = Σ log(1 + p(x) (p(w | x) − 1) + 1e-7); minus the logarithm of its mean over the neurons.

    Args:
        similarities: (P, W).
        response: (P, C).
        strongest: Pictures per neuron, at most; a quarter of all where that is less.

    Returns:
        (C, W).

    Source: Oikarinen and Weng, "CLIP-Dissect", ICLR 2023, soft-WPMI with λ = 1.
    """
    count = max(1, min(strongest, len(response) // 4))
    wide = similarities.astype(np.float64)
    likely = np.exp(TEMPERATURE * (wide - wide.max(1, keepdims=True)))
    likely /= likely.sum(1, keepdims=True)
    chance = FIRST_CHANCE - np.arange(count) / count * (FIRST_CHANCE - LAST_CHANCE)
    order = np.argsort(-response, axis=0, kind="stable")[:count]
    evidence = np.stack([np.log(1 + chance[:, None] * (likely[pictures] - 1) + LEAST).sum(0) for pictures in order.T])
    top = evidence.max(0)
    prior = top + np.log(np.exp(evidence - top).mean(0))
    found: NDArray[np.float64] = evidence - prior
    return found


def name_from_encoder(
    words: tuple[Word, ...],
    similarities: NDArray[np.float32],
    answers: Answers,
    options: DissectOptions,
) -> SourceTable:
    """Every word of the encoder's list for every neuron.

    Presence is the similarity, in standard deviations over the pictures that choose. Of the 20 words with the highest
    soft-WPMI on the pictures that propose those whose similarity follows the response best are nominated.
    """
    chooses = answers.probes.chooses
    spread = np.maximum(similarities[chooses].std(0), 1e-12)
    presence = ((similarities - similarities[chooses].mean(0)) / spread).astype(np.float32)
    proposes = answers.probes.part == PROPOSE
    wpmi = soft_wpmi(similarities[proposes], answers.response[proposes])
    table = make_table("encoder", words, answers, presence, options, binary=False)
    short = np.argsort(-wpmi, axis=1, kind="stable")[:, :SHORT_LIST]
    bound = np.take_along_axis(table.bound, short, 1)
    order = np.take_along_axis(short, np.argsort(-bound, axis=1, kind="stable"), 1)[:, :NOMINEES]
    nominees = np.where(np.take_along_axis(table.bound, order, 1) > 0, order, -1)
    said = max(1, round(SAID * len(words)))
    least = np.partition(similarities, -said, axis=1)[:, -said, None]
    return replace(table, nominees=nominees, similarity=wpmi, says=similarities >= least)
