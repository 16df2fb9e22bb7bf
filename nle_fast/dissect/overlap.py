"""Words from masks: how well a neuron's map, cut at its quantile, covers each concept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nle_fast.dissect.masks import MaskFolder, MaskTable
from nle_fast.dissect.options import DissectOptions
from nle_fast.dissect.probe import PROPOSE
from nle_fast.dissect.responses import Progress, Responses
from nle_fast.dissect.table import NOMINEES, Answers, Parts, SourceTable, enough, make_table
from nle_fast.ops import activation_quantiles, count_overlaps

__all__ = ["name_from_masks", "overlaps_of", "thresholds_of"]

#: A concept is in a picture when so large a share of the known pixels is of it: smaller spots are misdrawn edges.
MIN_SHARE = 0.002
#: A part of a concept, or one of its looks ("red breast"), must score better than the concept by so much.
ABOUT = 0.95
#: Masks compared per native call, so that progress shows and Ctrl-C is heard.
CHUNK = 64


def name_from_masks(
    folder: MaskFolder,
    answers: Answers,
    responses: Responses,
    windows: Sequence[tuple[float, float, float, float]],
    options: DissectOptions,
    progress: Progress | None = None,
) -> SourceTable:
    """Every concept of the masks for every neuron.

    IoU = both / (on + concept − both) in pixels at mask size, over the pictures whose source labels the concept and the
    pixels that are known; on where the interpolated map exceeds the neuron's quantile over the pictures that choose.
    Nominated by √(correlation · IoU) on the pictures that propose: it must be where the neuron fires, and when.

    Source: Bau et al., "Network Dissection: Quantifying Interpretability of Deep Visual Representations", CVPR 2017.
    """
    probes = answers.probes
    rows = probes.rows[folder.name]
    sizes = [(int(width), int(height)) for width, height in responses.sizes[rows]]
    table = folder.read(sizes, [windows[row] for row in rows], options.mask_size)
    shown = np.where(np.isnan(table.presence), np.nan, np.where(table.presence >= MIN_SHARE, 1, 0))
    presence = np.full((len(probes), len(folder.words)), np.nan, np.float32)
    for n, row in enumerate(rows):  # a picture may have several masks, which know different concepts
        presence[row] = np.fmax(presence[row], shown[n])
    found = make_table(folder.name, folder.words, answers, presence, options)

    thresholds = thresholds_of(responses, answers, options)
    ious = [
        overlaps_of(table, rows, part[rows], responses.maps, thresholds, options, progress) for part in probes.masks()
    ]
    best = ious[PROPOSE].argmax(0)
    iou = Parts(*(np.take_along_axis(iou, best[None], 0)[0] for iou in ious))
    score = np.sqrt(np.maximum(found.bound, 0) * iou.propose)
    score[:, ~enough(presence, probes, options.min_pictures)] = 0
    order = np.argsort(-score, axis=1, kind="stable")[:, :NOMINEES]
    order = _general_first(order, score, _covers(table), [len(word.text) for word in folder.words])
    nominees = np.where(np.take_along_axis(score, order, 1) > 0, order, -1)
    quantile = np.asarray(options.quantiles)[best]
    return replace(found, nominees=nominees, iou=iou, quantile=quantile)


def thresholds_of(responses: Responses, answers: Answers, options: DissectOptions) -> NDArray[np.float32]:
    """(Q, C): above which kept value a neuron is on, for each of `options.quantiles`, by the pictures that choose."""
    rows = np.flatnonzero(answers.probes.chooses)
    return activation_quantiles(responses.maps, options.quantiles, rows, threads=options.threads)


def _covers(table: MaskTable) -> NDArray[np.bool_]:
    """(J, J): wherever the second concept is, the first is, too."""
    concepts = table.labels.shape[1]
    of_word = np.zeros((len(table.meanings), concepts), bool)
    for code, members in enumerate(table.meanings):
        of_word[code, list(members)] = True
    alone = (~of_word).T.astype(np.float32) @ of_word.astype(np.float32)
    covers: NDArray[np.bool_] = (alone == 0) & of_word.any(0)
    return covers


def _general_first(
    order: NDArray[np.int64], score: NDArray[np.float64], covers: NDArray[np.bool_], lengths: Sequence[int]
) -> NDArray[np.int64]:
    """The nominees, with the most general concept that scores about as well as the best one, and covers it, first.

    Of two names for the same pixels ("leaves", all of them "green leaves") the shorter one is the more general.
    """
    found = order.copy()
    general = covers.sum(1)
    for neuron, row in enumerate(order):
        near = [word for word in row if covers[word, row[0]] and score[neuron, word] >= ABOUT * score[neuron, row[0]]]
        if near:
            first = max(near, key=lambda word: (general[word], score[neuron, word], -lengths[word]))
            found[neuron] = [first, *(word for word in row if word != first)]
    return found


def overlaps_of(
    table: MaskTable,
    rows: NDArray[np.int64],
    chosen: NDArray[np.bool_],
    maps: NDArray[np.float16],
    thresholds: NDArray[np.float32],
    options: DissectOptions,
    progress: Progress | None = None,
) -> NDArray[np.float64]:
    """IoU (Q, C, J) over the chosen masks."""
    concepts = table.labels.shape[1]
    both = np.zeros((*thresholds.shape, concepts), np.int64)
    on = np.zeros_like(both)
    area = np.zeros(concepts, np.int64)
    # Masks whose sources label the same concepts are counted together: `on` is then one number for all of them.
    patterns: dict[bytes, list[int]] = {}
    for n in np.flatnonzero(chosen):
        patterns.setdefault(table.labels[n].tobytes(), []).append(int(n))
    done = 0
    for members in patterns.values():
        labelled = table.labels[members[0]]
        for start in range(0, len(members), CHUNK):
            part = members[start : start + CHUNK]
            counted = count_overlaps(
                maps, thresholds, table.codes[part], table.meanings, concepts, rows[part], threads=options.threads
            )
            both += counted.both
            on += counted.on[:, :, None] * labelled
            area += counted.area
            done += len(part)
            if progress is not None:
                progress("masks", done, int(chosen.sum()))
    union = on + area - both
    return np.where(union > 0, both / np.maximum(union, 1), 0.0)
