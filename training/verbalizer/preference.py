"""How a reader would like a text, as a number; the lattice's best text by it; and pairs to test a model's taste.

The rules are those of style guides: short sentences, few facts in each, nothing said twice, the main reason near the
front, heavy parts last, one short counter-argument joined with "although" and several in a sentence of their own. Which
of the good openings and wordings is best depends on the content and on a voice, which follows from the first letter of
the class, so that texts differ from class to class and a model can learn why.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import NamedTuple

from nle_fast.schema import Evidence, Meaning
from nle_fast.verbalizers.grammar import lattice_of
from nle_fast.verbalizers.grammar.lattice import Choice, Lattice, Nodes
from nle_fast.verbalizers.language.phrases import Name, leads, names_of
from training.verbalizer.generator import random_meaning

__all__ = ["Pair", "Taste", "best", "opening", "preference_pairs", "score", "voice"]

_MARGIN = 0.12  # below this two texts are equally good

_STARTS = (
    ("sure", re.compile(r"The network (?:is (?:certain|quite sure)|thinks|guesses|hesitates)\b")),
    ("being", re.compile(r"(?:Certain of|Quite sure of|Hesitating between) |The answer, the|The network's guess")),
    ("predicts", re.compile(r"The network (?:predicts|does not predict)\b")),
    ("answer", re.compile(r"The (?:network|model|classifier)'s |The (?:answer|verdict|prediction)\b")),
    ("chose", re.compile(r"(?:The (?:network|model|classifier)|It) |The (?:picture|image) was|This was")),
    ("because", re.compile(
        r"(?:Mainly|Mostly|Chiefly|Primarily|Largely|Above all|Partly|In part|Because|Due|Owing|Thanks|Based"
        r"|On account)\b"
    )),
    ("although", re.compile(r"(?:Although|Though|Even though|Despite|In spite)\b")),
    ("place", re.compile(r"(?:In|At|On|Along|Across|Around|All|Near|To|Toward) ")),
    ("question", re.compile(r"(?:Why|What) ")),
)  # fmt: skip

#: What each voice opens with, best first, where the content leaves it free.
_VOICES: tuple[tuple[str, ...], ...] = (
    ("answer", "sure", "because", "although"),
    ("because", "being", "reason", "answer"),
    ("class", "being", "reason"),
    ("chose", "sure", "because", "reason"),
)

#: The same in the expert style, which does not begin with reasons.
_EXPERT = (("answer",), ("class", "predicts"), ("predicts", "chose"), ("chose", "answer"))

#: Wordings for the same, and which of them each voice prefers; within a text they should not change.
_WORDINGS: tuple[tuple[tuple[str, ...], tuple[int, int, int, int]], ...] = (
    (("makes? up ", "accounts? for "), (0, 1, 1, 0)),
    (("in the center", "in the middle"), (0, 1, 0, 1)),
    (("(?:top|bottom)-(?:left|right) c", "(?:upper|lower) (?:left|right) c"), (0, 0, 1, 1)),
    (("across the entire", "all over"), (0, 1, 0, 1)),
    (("however, ", "on the other hand,", ", however", "evidence against it comes"), (0, 1, 2, 0)),
    (("further support", "there is also support", "more support", "too\\."), (0, 1, 3, 2)),
    (("the evidence for it comes", "what speaks for it"), (0, 1, 1, 0)),
    (("the evidence for it in", "in [^,]*, the evidence", "it is supported"), (1, 2, 0, 1)),
    (("the evidence against it comes", "it is opposed", "what speaks against it"), (0, 1, 2, 2)),
    (("so does? ", "also speaks?"), (0, 1, 1, 0)),
    (("although", "even though"), (0, 1, 0, 1)),
    ((":", " –"), (0, 1, 0, 1)),
    (("; against", "– against"), (0, 1, 0, 1)),
)
_WORDING_PATTERNS = tuple((tuple(re.compile(words) for words in some), by_voice) for some, by_voice in _WORDINGS)

_CLUMSY = (
    "on account of", "owing to", "on the strength of", "in the upper part of", "in the lower part of", "located",
    "which appear", "in comparison with", "notwithstanding", "whatever", "as well as", "unnamed", "back it", "backs it",
    "amount to", "come to", "comes to", "of the picture", "of the image", "; and ", "convinced", "in part",
)  # fmt: skip

#: Words for places, each of which a text should say once.
_PLACES = ("upper half", "lower half", "left half", "right half", "the middle", "quarter", "the center", "spread over",
           "most of the picture", "the entire picture")  # fmt: skip
#: What every text says of what has no name.
_UNNAMED = "without a name"

_LONG = {"plain": 24, "expert": 34, "short": 18}
_WORD = re.compile(r"[\w’']+")
_SENTENCE = re.compile(r"(?<=[.?!]) (?=[A-Z“])")


def voice(meaning: Meaning) -> int:
    """Which of four voices tells of a class: by the first letter of its label."""
    first = next((mark for mark in meaning.target.label.lower() if mark.isalnum()), "a")
    return sum(first >= border for border in "dms")


def opening(text: str, meaning: Meaning) -> str:
    """How a text begins: "answer", "chose", "because", "although", "place", "question", "class", "reason", "other"."""
    return Taste(meaning).opening(text)


def score(text: str, meaning: Meaning) -> float:
    """How a reader would like a correct text; only differences between texts of one meaning representation count."""
    return Taste(meaning).score(text)


class Taste:
    """The score of many texts of one meaning representation, by rules that a reader can check.

    Short: every word costs. No place is told twice, where words can be found for it. The strongest reason stands first,
    of equal ones the longest last. No more than three facts in a sentence, and not much more than two dozen words. No
    two sentences begin alike; no three words come twice; one wording for one thing throughout. Light opposition
    is told in the same sentence ("although"), heavy one in its own. How a text begins depends on what there is to tell,
    and on the class (`voice`), so that texts do not all begin alike. Clumsy phrases (`_CLUMSY`) cost.
    """

    def __init__(self, meaning: Meaning) -> None:
        self.meaning = meaning
        self.style = meaning.style
        names = names_of(meaning)
        self.voice = voice(meaning)
        self.label = names.target.text.lower()
        pro: dict[str, list[int]] = {}
        con: dict[str, list[int]] = {}
        places: dict[str, int] = {}
        item = meaning.evidence
        for rank, leader, supports, where in meaning.told:
            words = self._words(item[rank], names.concepts[leader])
            (pro if supports else con).setdefault(words, []).append(rank)
            places[words] = places.get(words, 0) + len(where)
        self.pro, self.con = list(pro), list(con)
        first = tuple(item[rank] for words, ranks in pro.items() if words != _UNNAMED for rank in ranks[:1])[:1]
        first = tuple(item[rank] for ranks in pro.values() if first and item[ranks[0]] is first[0] for rank in ranks)
        self.leads = bool(first) and leads(meaning, first)
        shares = sorted((sum(item[rank].share for rank in ranks) for ranks in pro.values()), reverse=True)
        self.shares = shares
        self.weights = {words: len(words.split()) + 3 * places[words] for words in (*pro, *con)}
        self.light_counter = len(self.con) == 1 and self.weights[self.con[0]] <= 7
        self.liked = self._liked()

    def _words(self, item: Evidence, name: Name | None) -> str:
        """What every text says of a piece of evidence."""
        if name is None:
            return f"{item.kind} {item.neuron}" if self.style == "expert" else _UNNAMED
        return (name.further or name.bare).lower()

    def _liked(self) -> dict[str, float]:
        """Openings with their worth, from the content first, then from the voice."""
        worth = Counter[str]({"place": -0.2, "question": -0.5, "other": -0.3})
        reasons = len(self.pro)
        light = sum(self.weights[words] for words in self.pro) <= 14
        if self.style == "expert":
            worth.update({"class": -0.2})  # its probability stands between the class and the verb
        if reasons and light:
            worth.update({"because": 0.35 if self.leads else 0.2, "reason": 0.6})
        else:
            worth.update({"because": -0.3, "reason": -0.3})
        if self.meaning.versus is not None:
            worth.update({"because": -0.1, "answer": 0.1, "class": -0.15})
        if self.light_counter and reasons:
            worth.update({"although": 0.6})
        elif self.con:
            worth.update({"although": -0.3})
        if self.meaning.coverage < 0.25:
            worth.update({"because": -0.2, "chose": 0.1})
        for place, family in enumerate((_EXPERT if self.style == "expert" else _VOICES)[self.voice]):
            worth.update({family: 0.6 / (place + 1)})
        return dict(worth)

    def opening(self, text: str) -> str:
        """See `opening`."""
        lower = text[:200].lower().lstrip("“")
        if lower.startswith(self.label.lstrip("“")) or lower[2:].lstrip("n ").startswith(self.label):
            return "class"
        for words in (*self.pro, *self.con):
            at = lower.find(words)
            if 0 <= at <= 4:
                return "reason"
        return next((family for family, start in _STARTS if start.match(text)), "other")

    def score(self, text: str) -> float:
        """See `score`."""
        lower = text.lower()
        sentences = _SENTENCE.split(text)
        total = self.liked.get(self.opening(text), 0.0) if self.style != "short" else 0.0
        total += self._sentences([sentence.lower() for sentence in sentences])
        words = _WORD.findall(lower)
        total -= (0.02 if self.style == "short" else 0.01) * len(words)
        seen: set[tuple[str, ...]] = set()
        for triple in zip(words, words[1:], words[2:], strict=False):
            if triple in seen:
                total -= 0.2
            seen.add(triple)
        total -= 0.25 * self._repeated_places(lower)
        total += self.wordings(lower)
        total -= 0.1 * sum(lower.count(clumsy) for clumsy in _CLUMSY)
        return total + self._order(lower) + self._joints(lower)

    def _repeated_places(self, text: str) -> int:
        """How often a place is told that was told before."""
        if self.style == "short":
            return 0
        return sum(max(0, text.count(place) - 1) for place in _PLACES)

    def wordings(self, text: str) -> float:
        """How far the words are those of the voice, and the same throughout."""
        total = 0.0
        for patterns, by_voice in _WORDING_PATTERNS:
            counts = [len(pattern.findall(text)) for pattern in patterns]
            if said := sum(counts):
                total += 0.2 * counts[by_voice[self.voice]] / said - 0.3 * (sum(map(bool, counts)) - 1)
        return total

    def _sentences(self, sentences: Sequence[str]) -> float:
        """Length, facts, and "and"s of each; no two that begin alike."""
        total, starts = 0.0, []
        for sentence in sentences:
            count = len(_WORD.findall(sentence))
            total -= 0.04 * max(0, count - _LONG[self.style])
            facts = sum(words in sentence for words in (*self.pro, *self.con))
            if self.style != "short":
                total -= (0.5 if self.style == "plain" else 0.2) * max(0, facts - 3)
                total -= 0.15 * max(0, sentence.count(" and ") - 3)
            starts.append(sentence.split(" ", 1)[0])
        total -= 0.25 * sum(one == two for one, two in pairwise(starts))
        return total - 0.12 * max(0, len(sentences) - 3)

    def _order(self, text: str) -> float:
        """The main reason near the front; equal reasons by weight, the heaviest last."""
        total = 0.0
        places = [text.find(words) for words in self.pro]
        if self.leads:
            total -= 0.3 * max(0, places[0]) / len(text)
        if len(places) > 2:
            by_place = [words for _, words in sorted(zip(places, self.pro, strict=True))]
            told = [self.weights[words] for words in by_place[1:]]
            close = self.shares[1] < 1.6 * self.shares[-1]
            if by_place == self.pro:
                total += 0.05 if close else 0.25
            if told == sorted(told):
                total += 0.25 if close else 0.05
        return total

    def _joints(self, text: str) -> float:
        """How reasons, and what speaks against them, are joined."""
        total = 0.0
        if self.con:
            joined = "although" in text or "though " in text or "despite" in text
            own = "however" in text or "other hand" in text
            if self.style == "plain":
                total += (0.2 if joined else 0.0) if self.light_counter else (0.25 if own and not joined else 0.0)
                total -= 0.2 if "evidence against it comes" in text and len(self.con) == 1 else 0.0
                if ", however." in text and max(self.weights[words] for words in self.con) > 8:
                    total -= 0.25
        if self.leads and len(self.shares) > 1:
            if self.shares[1] > 0.4 * self.shares[0]:
                total += 0.2 if "but also" in text else 0.0
            elif len(self.shares) == 2:
                total += 0.2 if "partly" in text else 0.0
            else:
                total += 0.2 if "support" in text else 0.0
        return total


# The best text, and pairs


def best(lattice: Lattice, meaning: Meaning, rng: Random) -> tuple[str, float]:
    """The text of the lattice with a score that no change at one branching betters, of several climbs the best.

    Args:
        lattice: That of `meaning`.
        meaning: What the texts say.
        rng: Where the climbs begin.

    Returns:
        Text and score; about 10 ms for three pieces of evidence.
    """
    taste, found = Taste(meaning), ("", float("-inf"))
    known: dict[str, float] = {}

    def rate(picked: dict[int, int]) -> tuple[str, float, list[Choice]]:
        parts: list[str] = []
        passed: list[Choice] = []
        _render(lattice.nodes, picked, parts, passed)
        text = "".join(parts).strip()
        if text not in known:
            known[text] = taste.score(text)
        return text, known[text], passed

    usual: dict[int, int] = {}
    _usual(lattice.nodes, taste, usual)
    outer = next((node for node in lattice.nodes if isinstance(node, Choice)), None)
    for start in range(len(outer.options) if outer else 1):
        picked = {**usual, id(outer): start}
        text, worth, passed = rate(picked)
        order = list(passed)
        rng.shuffle(order)
        for choice in order * 2:
            if choice is outer:
                continue
            for option in range(len(choice.options)):
                tried = {**picked, id(choice): option}
                other, value, _ = rate(tried)
                if value > worth + 1e-9:
                    text, worth, picked = other, value, tried
        if worth > found[1]:
            found = (text, worth)
    return found


def _usual(nodes: Nodes, taste: Taste, usual: dict[int, int]) -> str:
    """Notes at each choice the option in the words of the voice, so that climbs begin consistent; gives the text."""
    text = ""
    for node in nodes:
        if isinstance(node, Choice):
            if id(node) not in usual:
                worth = [taste.wordings(_usual(option, taste, usual).lower()) for option in node.options]
                usual[id(node)] = worth.index(max(worth))
            parts: list[str] = []
            _render(node.options[usual[id(node)]], usual, parts, [])
            text += "".join(parts)
        else:
            text += node.text
    return text


def _render(nodes: Nodes, picked: dict[int, int], parts: list[str], passed: list[Choice]) -> None:
    for node in nodes:
        if isinstance(node, Choice):
            passed.append(node)
            _render(node.options[picked.get(id(node), 0)], picked, parts, passed)
        else:
            parts.append(node.text)


class Pair(NamedTuple):
    """Two texts of one meaning representation; `kind`: "text", or "branch" where they part at one branching only."""

    meaning: Meaning
    better: str
    worse: str
    kind: str


def preference_pairs(rng: Random, n: int) -> list[Pair]:
    """Pairs with a clear margin: half of them whole random texts, half texts that part at one branching.

    Args:
        rng: Chooses; the same state gives the same pairs.
        n: How many, ≥ 0.
    """
    pairs: list[Pair] = []
    while len(pairs) < n:
        meaning = random_meaning(rng)
        lattice = lattice_of(meaning)
        if lattice.count < 2:
            continue
        taste, kind = Taste(meaning), ("text", "branch")[len(pairs) % 2]
        texts = _two(lattice, rng) if kind == "text" else _parted(lattice, rng)
        one, two = sorted(texts, key=taste.score, reverse=True)
        if taste.score(one) - taste.score(two) > _MARGIN:
            pairs.append(Pair(meaning, one, two, kind))
    return pairs


def _two(lattice: Lattice, rng: Random) -> list[str]:
    return [lattice.choose(lambda options: rng.randrange(len(options)))[0] for _ in range(2)]


def _parted(lattice: Lattice, rng: Random) -> list[str]:
    """Two texts with one beginning, which take different options at one branching and then the first ones."""
    branchings: list[int] = []
    lattice.choose(lambda options: branchings.append(rng.randrange(len(options))) or branchings[-1])  # type: ignore[func-returns-value]
    at = rng.randrange(len(branchings))
    options = [0]

    def chooser(start: int) -> str:
        step = -1

        def choose(offered: Sequence[str]) -> int:
            nonlocal step
            step += 1
            if step < at:
                return branchings[step]
            if step > at:
                return 0
            options[0] = len(offered)
            return (branchings[at] + start) % len(offered)

        return lattice.choose(choose)[0]

    first = chooser(0)
    return [first, chooser(rng.randrange(1, options[0]) if options[0] > 1 else 0)]
