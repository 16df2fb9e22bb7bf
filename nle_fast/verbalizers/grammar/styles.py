"""What the styles share: the slots of a meaning representation, and small rules of English."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from nle_fast.schema import Meaning
from nle_fast.verbalizers.grammar.amounts import Amounts
from nle_fast.verbalizers.grammar.answers import Answer
from nle_fast.verbalizers.grammar.clauses import Group, groups_of, listings
from nle_fast.verbalizers.grammar.lattice import Nodes, Segment, either
from nle_fast.verbalizers.grammar.lists import Item, joined
from nle_fast.verbalizers.language.phrases import names_of, percent

__all__ = ["PER_SENTENCE", "STOP", "Style", "begin"]

PER_SENTENCE = 3  # facts that a reader keeps in mind
STOP: Nodes = (Segment("."),)

_ASSUMED = {"outputs": " The outputs were taken as logits.", "preprocessing": " The usual preprocessing was assumed."}


class Style(ABC):
    """One meaning representation, to be told in one style; each method gives words with their alternatives."""

    def __init__(self, meaning: Meaning) -> None:
        self.meaning = meaning
        self.names = names_of(meaning)
        self.facts = frozenset([fact.id for fact in meaning.facts])
        self.answer, self.amounts = Answer(meaning, self.names), Amounts(meaning, self.facts)
        self.supporting, self.opposing = groups_of(meaning, self.names)
        self._listed: dict[tuple[int, ...], list[tuple[Nodes, list[Item]]]] = {}

    def ways(self, groups: Sequence[Group]) -> list[tuple[Nodes, list[Item]]]:
        """Each way to list evidence: the list, and its items."""
        key = tuple(group.ranks[0] for group in groups)
        if key not in self._listed:
            self._listed[key] = [(joined(items), items) for items in listings(groups)]
        return self._listed[key]

    def every(self, groups: Sequence[Group]) -> Nodes:
        """All ways to list evidence."""
        return either(nodes for nodes, _ in self.ways(groups))

    @abstractmethod
    def text(self) -> Nodes:
        """The whole text."""

    def about(self, lead: str, tail: str) -> Nodes:
        """How a sentence begins about a class that is not the answer: "Compared with horse, what speaks for it is"."""
        versus = self.names.versus is not None
        if self.answer.told is None:
            compared = (*self.answer.versus(" Compared with"), Segment(",")) if versus else ()
            return (*compared, Segment(begin(f"{lead} it{tail}", compared)))
        start = begin(f"{lead} the latter", ())
        if not versus:
            return (Segment(f"{start}{tail}"),)
        return (Segment(start), *self.answer.versus(", compared with"), Segment(f",{tail}"))

    def remarks(self) -> Nodes:
        """The last sentences: what else the network answers, what it saw, and what was assumed."""
        meaning, facts = self.meaning, self.facts
        nodes: Nodes = ()
        labels = [
            Item((Segment(f" {self.names.others[f'label.{i}'].text}", (f"label.{i}",)),))
            for i in range(len(meaning.also))
            if f"label.{i}" in facts
        ]
        if labels:
            nodes = (*nodes, Segment(" The network also answers"), *joined(labels), *STOP)
        if meaning.seen is not None and "seen" in facts:
            seen = Segment(f" {percent(meaning.seen, 0)}", ("seen",))
            nodes = (*nodes, Segment(" The network saw only the middle"), seen, Segment(" of the picture."))
        for i, what in enumerate(meaning.assumed):
            fact = (f"assumed.{i}",)
            if fact[0] not in facts:
                continue
            if what.kind == "conventions":
                label = self.names.others.get(fact[0])
                other = Segment(f" {label.text}" if label else " another one", fact)
                lead = Segment(" With other usual preprocessing, the answer would be")
                nodes = (*nodes, lead, other, *STOP)
            else:
                nodes = (*nodes, Segment(_ASSUMED[what.kind], fact))
        return nodes


def begin(words: str, before: Nodes) -> str:
    """With a space, and a capital where nothing stands before in the sentence."""
    return f" {words}" if before else f" {words[0].upper()}{words[1:]}"
