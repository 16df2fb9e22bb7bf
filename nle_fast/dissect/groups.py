"""Groups of classes that have words: WordNet's for the labels of ImageNet, a user's own for others.

For ImageNet the words are in `wordnet.json`, made by `training/words` (WordNet 3.0, see `wordnet.LICENSE.txt`). For
other labels they come from a hierarchy in the JSON of `nle_fast.dissect.labelled`; without one each class stands for
itself.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.errors import InputError
from nle_fast.verbalizers.language.words import label_name, noun_phrase, other_number

__all__ = ["Groups", "groups_of", "imagenet_groups", "wnid_at"]

TABLE = Path(__file__).with_name("wordnet.json")

#: Share of the names of a list that must agree, each at its index, with ImageNet's.
AGREE = 0.9
#: A group of more of all classes than this says too little.
LARGEST = 0.45
#: Of words with more letters no three fit into one name.
LONGEST = 55


@dataclass(frozen=True)
class Groups:
    """Sets of classes that have words.

    Attributes:
        names: G phrases in the plural, as in "what is typical of …".
        members: (G, K) bool, which classes are in each; 2 or more.
        singles: K phrases in the plural, None for a class that has none; None: no class has one.
        source: "wordnet", "hierarchy" or "labels".

    Raises:
        InputError: The lengths do not go together, or a group has fewer than two classes.

    Example:
        >>> groups = groups_of(["cat", "dog", "truck"])
        >>> groups.texts
        ('cats', 'dogs', 'trucks')
    """

    names: tuple[str, ...]
    members: NDArray[np.bool_]
    singles: tuple[str | None, ...] | None = None
    source: str = "hierarchy"

    def __post_init__(self) -> None:
        members = np.asarray(self.members, bool)
        object.__setattr__(self, "members", members)
        object.__setattr__(self, "names", tuple(self.names))
        if members.ndim != 2 or len(members) != len(self.names) or (members.sum(1) < 2).any():
            raise InputError(
                f"`members` must be (G, K) with two classes or more for each of {len(self.names)} names, got "
                f"{members.shape}; leave groups of one class to `singles`."
            )
        if self.singles is not None and len(self.singles) != members.shape[1]:
            raise InputError(
                f"`singles` must have one entry for each of {members.shape[1]} classes, got {len(self.singles)}; "
                "use None for a class without words."
            )

    @property
    def num_classes(self) -> int:
        """K."""
        return int(self.members.shape[1])

    @cached_property
    def _alone(self) -> list[int]:
        return [] if self.singles is None else [at for at, words in enumerate(self.singles) if words is not None]

    @cached_property
    def sets(self) -> NDArray[np.bool_]:
        """(S, K) bool: all that a name can be made of, the groups, then the classes that have words."""
        alone = np.zeros((len(self._alone), self.num_classes), bool)
        alone[np.arange(len(self._alone)), self._alone] = True
        return np.concatenate([self.members, alone])

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The words of each of the S sets."""
        singles = self.singles or ()
        return (*self.names, *(str(singles[at]) for at in self._alone))

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """(S,): classes in each."""
        sizes: NDArray[np.int64] = self.sets.sum(1)
        return sizes


def groups_of(labels: Sequence[str], hierarchy: str | os.PathLike[str] | None = None) -> Groups:
    """The groups for a network's labels: of a given hierarchy, else ImageNet's where they are its labels.

    Args:
        labels: K names in the order of the logits.
        hierarchy: JSON as in `nle_fast.dissect.labelled`; its words are made plural.

    Returns:
        Groups of 2 to 45 % of the classes (2 at least), and each class alone.

    Raises:
        InputError: The hierarchy is broken, or knows none of the labels.
    """
    if hierarchy is None:
        found = imagenet_groups(labels)
        return found or Groups((), np.zeros((0, len(labels)), bool), _plurals(labels), "labels")
    from nle_fast.dissect.labelled import general_words

    general = general_words(Path(hierarchy), "hierarchy")
    members: dict[str, list[int]] = {}
    for at, label in enumerate(labels):
        spellings = [label, *(part.strip() for part in label.split(",")), label.split(" ")[0]]
        words = next((general[name] for s in spellings for name in (s, s.casefold()) if name in general), [])
        for text in words:
            members.setdefault(text, []).append(at)
    if not members:
        raise InputError(
            f"`hierarchy` must know the network's labels, got '{hierarchy}' without any of them; "
            f"its names must be those of the labels, such as '{labels[0]}'."
        )
    most = max(2, int(LARGEST * len(labels)))
    kept: dict[tuple[int, ...], str] = {}
    for text, of in members.items():
        if 2 <= len(of) <= most and len(text) <= LONGEST:
            kept.setdefault(tuple(of), _plural(text))  # nearest first: the most particular of equal groups
    table = np.zeros((len(kept), len(labels)), bool)
    for row, of_group in enumerate(kept):
        table[row, list(of_group)] = True
    return Groups(tuple(kept.values()), table, _plurals(labels), "hierarchy")


def imagenet_groups(labels: Sequence[str]) -> Groups | None:
    """WordNet's groups where the labels are ImageNet's 1,000, or 1,001 with one more before or after them; else None.

    Nine of ten names at least must be one of the class's names in WordNet, with or without its number, its synonyms,
    underscores or a remark in parentheses, *at its index*: another order is another network. A class whose label is
    not recognized is in no group and has no words.

    Args:
        labels: K names in the order of the logits.
    """
    found = _agreement(labels)
    if found is None:
        return None
    shift, agrees = found
    table = _table()
    members = np.zeros((len(table["names"]), len(labels)), bool)
    members[:, shift : shift + 1000] = table["members"] & agrees
    whole = members.sum(1) >= 2
    singles: list[str | None] = [None] * len(labels)
    singles[shift : shift + 1000] = [w if a else None for w, a in zip(table["singles"], agrees, strict=True)]
    names = tuple(name for name, keep in zip(table["names"], whole, strict=True) if keep)
    return Groups(names, members[whole], tuple(singles), "wordnet")


def wnid_at(labels: Sequence[str]) -> tuple[str | None, ...]:
    """WordNet's number of each label where they are ImageNet's; None for a label that is not the one at its index."""
    numbers: list[str | None] = [None] * len(labels)
    if (found := _agreement(labels)) is not None:
        shift, agrees = found
        numbers[shift : shift + 1000] = [n if a else None for n, a in zip(_table()["wnids"], agrees, strict=True)]
    return tuple(numbers)


def _agreement(labels: Sequence[str]) -> tuple[int, NDArray[np.bool_]] | None:
    """At which index ImageNet's 1,000 labels begin, and which of them are recognized; None where they are others."""
    if len(labels) not in (1000, 1001):
        return None
    spellings = _table()["spellings"]
    for shift in range(len(labels) - 999):
        agrees = np.array([bool(names & _spellings(labels[at + shift])) for at, names in enumerate(spellings)])
        if agrees.mean() >= AGREE:
            return shift, agrees
    return None


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    document = json.loads(TABLE.read_text(encoding="utf-8"))
    groups = [group for group in document["groups"] if group["words"] is not None]
    members = np.zeros((len(groups), len(document["classes"])), bool)
    for row, group in enumerate(groups):
        for first, last in group["members"]:
            members[row, first : last + 1] = True
    return {
        "spellings": [
            frozenset(_simple(name) for name in (*entry["names"], entry["wnid"], entry["words"] or "")) - {""}
            for entry in document["classes"]
        ],
        "wnids": [entry["wnid"] for entry in document["classes"]],
        "singles": [entry["words"] for entry in document["classes"]],
        "names": [group["words"] for group in groups],
        "members": members,
    }


def _spellings(label: str) -> frozenset[str]:
    """The names that one label may stand for."""
    found = {label, *label.split(","), re.sub(r"\(.*?\)", " ", label)}
    if match := re.match(r"(n\d{8})[\s:_,-]*(.*)", label):
        found |= {match[1], match[2], *match[2].split(",")}
    return frozenset(map(_simple, found)) - {""}


def _simple(name: str) -> str:
    """Letters and digits only, in lower case, without accents."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return re.sub(r"[^a-z0-9]", "", plain)


def _plurals(labels: Sequence[str]) -> tuple[str | None, ...]:
    """The plural of each label's first name; None where two classes share it, or it has no letters or too many."""
    words = [label_name(label) for label in labels]
    return tuple(
        None
        if words.count(word) > 1 or len(word) > LONGEST or not any(mark.isalpha() for mark in word)
        else _plural(word)
        for word in words
    )


@lru_cache(maxsize=4096)
def _plural(words: str) -> str:
    """Several of it, as far as the form of the words tells; words of which it tells nothing stay as they are.

    Example:
        >>> _plural("mouse (animal)"), _plural("tomato"), _plural("class 5")
        ('mice (animal)', 'tomatoes', 'class 5')
    """
    if remark := re.fullmatch(r"(.*\S)\s+(\([^()]*\))", words):
        return f"{_plural(remark[1])} {remark[2]}"
    phrase = noun_phrase(words)
    if words.casefold().startswith("other ") and not phrase.plural:
        return other_number(phrase)
    return phrase.bare if phrase.plural or phrase.text == phrase.bare else other_number(phrase)
