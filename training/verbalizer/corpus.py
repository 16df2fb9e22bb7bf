"""The corpus: prompts of random meaning representations, and texts that a reader prefers, as arrays of tokens.

For each meaning representation a climb through its lattice finds the texts that score best (`preference`), and one is
drawn with a probability proportional to exp(score / temperature). Where the engine will have a choice, each token that
it may choose comes with the best score found behind it. A second text follows a random beginning, from which nothing is
learned but what goes best with it. A few texts come from the generator's wordings outside the lattice.
"""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nle_fast.schema import Meaning
from nle_fast.verbalizers.grammar import lattice_of
from nle_fast.verbalizers.grammar.lattice import Choice, Lattice, Nodes
from nle_fast.verbalizers.llama.prompt import compact
from training.classifier.progress import bar
from training.verbalizer.generator import random_meaning, write
from training.verbalizer.preference import Taste, score
from training.verbalizer.vocabulary import Tokenizer, Vocabulary

__all__ = ["BRANCH", "END", "FIRST_SEEDS", "FORCED", "PROMPT", "Corpus", "Example", "climb", "example", "make_corpus"]

#: What a token is: part of the prompt, text that comes next on every path, or the choice of a path.
PROMPT, FORCED, BRANCH = 0, 1, 2
#: The token that ends a text.
END = 0
#: Meaning representation n of a use has the seed `FIRST_SEEDS[use] + n`.
FIRST_SEEDS = {"train": 10_000_000, "test": 20_000_000, "pairs": 30_000_000, "diversity": 40_000_000}

_WHOLE = 0.15  # share of texts that are kept whole; of the others, what follows the last branching is not needed
_FREE = 0.05  # share of meaning representations that also give a text outside the lattice


class Example(NamedTuple):
    """Tokens, what each is (`PROMPT`, `FORCED`, `BRANCH`), and for each `BRANCH` its rivals and their scores."""

    tokens: list[int]
    kinds: list[int]
    rivals: list[dict[int, float]]


class Passed(NamedTuple):
    """A choice on a path, and how much text stands before it."""

    choice: Choice
    at: int


def read(nodes: Nodes, picks: Mapping[int, int], passed: list[Passed], text: str = "") -> str:
    """The text on which each choice, by its identity, is decided by `picks`, else by its first option."""
    for node in nodes:
        if isinstance(node, Choice):
            passed.append(Passed(node, len(text)))
            text = read(node.options[picks.get(id(node), 0)], picks, passed, text)
        else:
            text += node.text
    return text


def beginning(lattice: Lattice, choices: int, rng: Random) -> dict[int, int]:
    """Random options for the first so many choices of a path, by their identity."""
    picks: dict[int, int] = {}
    for _ in range(choices):
        passed: list[Passed] = []
        read(lattice.nodes, picks, passed)
        free = next((choice for choice, _ in passed if id(choice) not in picks), None)
        if free is None:
            break
        picks[id(free)] = rng.randrange(len(free.options))
    return picks


def climb(lattice: Lattice, meaning: Meaning, rng: Random, fixed: Mapping[int, int]) -> tuple[dict[str, float], int]:
    """Texts and their scores, as a climb to the best of them met them; and where their fixed beginning ends.

    Starts once with each option of the first choice that is not fixed, and changes one choice at a time.

    Args:
        lattice: Of the meaning representation.
        meaning: What the texts say.
        rng: Orders the changes.
        fixed: The first choices, by identity, and their options.
    """
    taste, found = Taste(meaning), dict[str, float]()

    def look(picks: Mapping[int, int]) -> tuple[float, list[Passed]]:
        passed: list[Passed] = []
        text = read(lattice.nodes, picks, passed)
        if text not in found:
            found[text] = taste.score(text)
        return found[text], [entry for entry in passed if id(entry.choice) not in fixed]

    free = look(fixed)[1]
    if not free:
        return found, len(next(iter(found)))
    outer, start = free[0]
    for first in range(len(outer.options)):
        picks = {**fixed, id(outer): first}
        worth, passed = look(picks)
        choices = [entry.choice for entry in passed if entry.choice is not outer]
        rng.shuffle(choices)
        for choice in choices * 2:
            for option in range(len(choice.options)):
                tried = {**picks, id(choice): option}
                value, _ = look(tried)
                if value > worth:
                    worth, picks = value, tried
    return found, start


def draw(scores: dict[str, float], temperature: float, rng: Random) -> str:
    """A text with a probability proportional to exp(score / temperature)."""
    highest = max(scores.values())
    return rng.choices(list(scores), [math.exp((value - highest) / temperature) for value in scores.values()])[0]


def example(
    lattice: Lattice,
    meaning: Meaning,
    text: str,
    tokenizer: Tokenizer,
    scores: Mapping[str, float] | None = None,
    *,
    start: int = 0,
    whole: bool = True,
) -> Example:
    """A prompt and a text of its lattice; token by token where the engine would have had a choice.

    Args:
        lattice: Of the meaning representation.
        meaning: To make the prompt of.
        text: One of the lattice's.
        tokenizer: Reads both.
        scores: Of texts, this one among them; an option with none behind it is no choice. None: all are equally good.
        start: Branchings before this character count as forced.
        whole: Else what comes after the last branching is left out.
    """
    tokens = tokenizer.prompt(compact(meaning))
    made = Example(tokens, [PROMPT] * len(tokens), [])
    walk = lattice.walk()
    _add(made, tokenizer.text(walk.forced()))
    while walk.options:
        taken = next(i for i, option in enumerate(walk.options) if text.startswith(option, len(walk.text)))
        free = len(walk.text) >= start
        worth = [_worth(walk.text + option, scores) for option in walk.options]
        left = [(tokenizer.text(option), value) for option, value in zip(walk.options, worth, strict=True)]
        for at, token in enumerate(left[taken][0]):
            rivals: dict[int, float] = {}
            for other, value in left:
                if value > -math.inf:
                    rivals[other[at]] = max(value, rivals.get(other[at], value))
            _add(made, [token], rivals if free and len(rivals) > 1 else None)
            left = [(other, value) for other, value in left if other[at] == token and len(other) > at + 1]
        walk.take(taken)
    if whole:
        _add(made, [END])
        return made
    last = max((i for i, kind in enumerate(made.kinds) if kind == BRANCH), default=len(made.kinds) - 1)
    return Example(made.tokens[: last + 1], made.kinds[: last + 1], made.rivals)


def _worth(beginning: str, scores: Mapping[str, float] | None) -> float:
    """The best score of the texts that begin so."""
    if scores is None:
        return 0.0
    return max((value for text, value in scores.items() if text.startswith(beginning)), default=-math.inf)


def free_example(meaning: Meaning, text: str, tokenizer: Tokenizer) -> Example:
    """A prompt and a text that need not be of the lattice."""
    tokens = tokenizer.prompt(compact(meaning))
    made = Example(tokens, [PROMPT] * len(tokens), [])
    _add(made, [*tokenizer.text(text), END])
    return made


def _add(made: Example, new: list[int], rivals: dict[int, float] | None = None) -> None:
    made.tokens.extend(new)
    made.kinds.extend([FORCED if rivals is None else BRANCH] * len(new))
    if rivals is not None:
        made.rivals.append(rivals)


def examples(seed: int, tokenizer: Tokenizer, temperature: float) -> Iterator[Example]:
    """What the meaning representation of one seed gives: a good text, and the best that follows a random beginning."""
    rng = Random(seed)
    meaning = random_meaning(rng)
    lattice = lattice_of(meaning)
    for choices in (0, rng.randrange(1, 7)):
        scores, start = climb(lattice, meaning, rng, beginning(lattice, choices, rng))
        if choices and len(scores) == 1:
            continue
        text = draw(scores, temperature, rng)
        whole = not choices and rng.random() < _WHOLE
        yield example(lattice, meaning, text, tokenizer, scores, start=start, whole=whole)
    if rng.random() < _FREE:
        written = {text: score(text, meaning) for text in write(meaning, rng, 4)}
        yield free_example(meaning, draw(written, temperature, rng), tokenizer)


@dataclass(frozen=True)
class Corpus:
    """Examples end to end.

    Attributes:
        tokens: Example i is `tokens[starts[i]:starts[i + 1]]`.
        kinds: What each token is.
        starts: Of the examples.
        rivals: Tokens to choose among; those of branching j, counted through all examples, are
            `rivals[splits[j]:splits[j + 1]]`, and those of example i begin with branching `branches[i]`.
        scores: The best score behind each of them.
        splits: See `rivals`.
    """

    tokens: NDArray[np.uint16]
    kinds: NDArray[np.uint8]
    starts: NDArray[np.int64]
    rivals: NDArray[np.uint16]
    scores: NDArray[np.float32]
    splits: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def branches(self) -> NDArray[np.int64]:
        """See `rivals`."""
        before: NDArray[np.int64] = np.concatenate([[0], np.cumsum(self.kinds == BRANCH)])[self.starts]
        return before

    @staticmethod
    def of(made: Sequence[Example]) -> Corpus:
        """Puts examples end to end."""
        rivals = [branch for one in made for branch in one.rivals]
        return Corpus(
            np.array([token for one in made for token in one.tokens], np.uint16),
            np.array([kind for one in made for kind in one.kinds], np.uint8),
            np.cumsum([0, *(len(one.tokens) for one in made)]),
            np.array([token for branch in rivals for token in branch], np.uint16),
            np.array([value for branch in rivals for value in branch.values()], np.float32),
            np.cumsum([0, *(len(branch) for branch in rivals)]),
        )

    @staticmethod
    def joined(parts: Sequence[Corpus]) -> Corpus:
        """One corpus of several."""

        def ends(name: str) -> NDArray[np.int64]:
            lengths = np.concatenate([np.diff(getattr(part, name)) for part in parts])
            return np.concatenate([[0], np.cumsum(lengths)])

        flat = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("tokens", "kinds", "rivals", "scores")
        }
        return Corpus(**flat, starts=ends("starts"), splits=ends("splits"))

    def save(self, path: Path) -> None:
        """Writes the arrays."""
        kept = path.with_suffix(".part.npz")
        np.savez(kept, **{entry.name: getattr(self, entry.name) for entry in fields(self)})
        kept.replace(path)

    @staticmethod
    def load(path: Path) -> Corpus:
        """Reads what `save` wrote."""
        with np.load(path) as kept:
            return Corpus(**{entry.name: kept[entry.name] for entry in fields(Corpus)})


class Order(NamedTuple):
    """A part of a corpus: meaning representations of these seeds, with this vocabulary."""

    first: int
    count: int
    merges: tuple[str, ...]
    temperature: float
    path: Path


_PART = 500


def _make(order: Order) -> int:
    if not order.path.exists():
        tokenizer = Tokenizer(Vocabulary(order.merges))
        seeds = range(order.first, order.first + order.count)
        made = [one for seed in seeds for one in examples(seed, tokenizer, order.temperature)]
        Corpus.of(made).save(order.path)
    return order.count


def make_corpus(
    folder: Path,
    use: str,
    meanings: int,
    vocabulary: Vocabulary,
    temperature: float,
    processes: int = 2,
) -> Corpus:
    """The corpus of a use; parts that are there already are not made again.

    Args:
        folder: Where the parts are kept.
        use: A key of `FIRST_SEEDS`.
        meanings: How many meaning representations.
        vocabulary: What to read them with.
        temperature: Of the draw among the texts.
        processes: That make it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    orders = [
        Order(FIRST_SEEDS[use] + at, min(_PART, meanings - at), vocabulary.merges, temperature,
              folder / f"{use}-{at:06d}-{min(_PART, meanings - at)}.npz")
        for at in range(0, meanings, _PART)
    ]  # fmt: skip
    with bar(f"corpus: {use}", meanings) as shown:
        if processes > 1:
            with multiprocessing.get_context("spawn").Pool(processes) as pool:
                for count in pool.imap_unordered(_make, orders):
                    shown.advance(count)
        else:
            for order in orders:
                shown.advance(_make(order))
    return Corpus.joined([Corpus.load(order.path) for order in orders])
