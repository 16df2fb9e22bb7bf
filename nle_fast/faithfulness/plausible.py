"""What a captioner would name: neurons whose words fit the class's name, chosen without a look at picture or network.

A captioner knows the label and the language. Its choice is the control that tells a faithful explanation from one that
merely sounds right: both can use the same words, only one follows what the network did.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.errors import InputError

__all__ = ["fit_words", "read_hypernyms", "word_stem", "word_stems"]

#: Words that say nothing about what a thing is.
_EMPTY = frozenset(
    {"a", "an", "and", "at", "for", "from", "in", "of", "on", "or", "s", "something", "the", "to", "with"}
)
_ENDINGS = ("ings", "ing", "ies", "ed", "es", "s", "y", "e")


def fit_words(
    labels: Sequence[str], concepts: Sequence[str | None], hypernyms: Sequence[Sequence[str]] | None = None
) -> NDArray[np.float32]:
    """How well each neuron's words fit each class's name, in [0, 1].

    Words are compared by their stems ("barred" is "bars"). A word of the label weighs 1, a word of its i-th more
    general word (i = 1 is the nearest) 1 / (1 + i), the largest counts. The fit of a concept is the mean weight of its
    words; of a concept with alternatives ("dog or wolf", "grass, sky") that of the best one. 0: not one word fits.

    Args:
        labels: K names; synonyms may be separated by commas, each of them counts.
        concepts: C concepts, None where the neuron has no words.
        hypernyms: For each class more general words, nearest first; None: there are none.

    Returns:
        (K, C) float32.

    Example:
        >>> fit_words(["barred owl"], ["bars", "owl or cat", "sky", None], [["bird"]]).tolist()
        [[1.0, 1.0, 0.0, 0.0]]

    Source: this project.
    """
    more = [()] * len(labels) if hypernyms is None else hypernyms
    if len(more) != len(labels):
        raise InputError(
            f"`hypernyms` must have one entry for each of {len(labels)} labels, got {len(more)}; use [] where none."
        )
    alternatives = [_alternatives(concept) for concept in concepts]
    vocabulary = {stem: at for at, stem in enumerate(sorted({s for ways in alternatives for way in ways for s in way}))}
    weights = np.zeros((len(labels), len(vocabulary) + 1), np.float32)
    for row, label, general in zip(weights, labels, more, strict=True):
        for distance, words in enumerate((label, *general)):
            for stem in word_stems(words):
                at = vocabulary.get(stem, -1)
                row[at] = max(row[at], 1 / (1 + distance))
    fits = np.zeros((len(labels), len(concepts)), np.float32)
    for neuron, ways in enumerate(alternatives):
        for way in ways:
            fit = weights[:, [vocabulary[stem] for stem in way]].mean(1)
            fits[:, neuron] = np.maximum(fits[:, neuron], fit)
    return fits


def read_hypernyms(path: str | os.PathLike[str], labels: Iterable[str]) -> list[list[str]]:
    """More general words of each label, nearest first; [] for a label that the file does not know.

    Args:
        path: JSON, a list of `{"names": […], "hypernyms": [{"name": …}, …]}`.
        labels: Joined by any of their comma-separated names, upper and lower case alike.

    Raises:
        InputError: The file is missing or of another form.
    """
    try:
        entries: Any = json.loads(Path(path).read_text(encoding="utf-8"))
        known = {
            name.casefold(): [one["name"] for one in entry["hypernyms"]] for entry in entries for name in entry["names"]
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(
            f"`hypernyms` must be JSON, a list of names and hypernyms, got '{path}' ({error}); check the file."
        ) from error
    found = []
    for label in labels:
        names = [label, *label.split(",")]
        found.append(next((known[n.strip().casefold()] for n in names if n.strip().casefold() in known), []))
    return found


def word_stem(word: str) -> str:
    """A word without the ending that grammar gave it; for comparing words, not for reading.

    Example:
        >>> word_stem("barred") == word_stem("bars"), word_stem("striped") == word_stem("stripes")
        (True, True)
    """
    stem = word.casefold()
    for ending in _ENDINGS:
        if stem.endswith(ending) and len(stem) - len(ending) >= 3 and not stem.endswith("ss"):
            stem = stem.removesuffix(ending)
            break
    # "barred" doubles what "bars" has once.
    return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "aeiouls" else stem


def word_stems(words: str) -> list[str]:
    """Stems of the words that say something."""
    return [word_stem(w) for w in re.findall(r"[^\W\d_]+", words) if w.casefold() not in _EMPTY]


def _alternatives(concept: str | None) -> list[list[str]]:
    if concept is None:
        return []
    return [stems for way in re.split(r",|;| or ", concept) if (stems := word_stems(way))]
