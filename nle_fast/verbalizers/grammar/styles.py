"""What the styles share: the slots of a meaning representation, and small rules of English."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from nle_fast.schema import Meaning
from nle_fast.verbalizers.grammar.clauses import Group, Item, groups_of, joined, listings
from nle_fast.verbalizers.grammar.lattice import Nodes, Segment, either
from nle_fast.verbalizers.language.phrases import coverage_rest, names_of, percent

__all__ = ["PER_SENTENCE", "SMALL", "STOP", "Style", "begin"]

PER_SENTENCE = 3  # facts that a reader keeps in mind
SMALL = 0.25  # below this coverage "only", and the text says that most is not named
STOP: Nodes = (Segment("."),)


class Style(ABC):
    """One meaning representation, to be told in one style; each method gives words with their alternatives."""

    def __init__(self, meaning: Meaning) -> None:
        self.meaning = meaning
        self.names = names_of(meaning)
        self.supporting = groups_of(meaning, self.names, supports=True)
        self.opposing = groups_of(meaning, self.names, supports=False)
        self._told: dict[tuple[int, ...], list[tuple[Nodes, list[Item]]]] = {}

    def ways(self, groups: Sequence[Group]) -> list[tuple[Nodes, list[Item]]]:
        """Each way to list evidence: the list, and its items."""
        key = tuple(group.ranks[0] for group in groups)
        if key not in self._told:
            self._told[key] = [(joined(items), items) for items in listings(groups)]
        return self._told[key]

    def every(self, groups: Sequence[Group]) -> Nodes:
        """All ways to list evidence."""
        return either(nodes for nodes, _ in self.ways(groups))

    @abstractmethod
    def text(self) -> Nodes:
        """The whole text."""

    def label(self) -> Segment:
        """The class."""
        return Segment(f" {self.names.target.text}", ("class",))

    def versus(self, lead: str = " rather than") -> Nodes:
        """The class that it is compared with; nothing where there is none."""
        other = self.names.versus
        return () if other is None else (Segment(lead), Segment(f" {other.text}", ("versus",)))

    def compared(self) -> Nodes:
        """How a sentence begins that gives reasons for a class that is not the network's answer."""
        return (*self.versus(" Compared with"), Segment(",")) if self.names.versus else ()

    def coverage(self, *, one: bool, decimals: int) -> Nodes:
        """The sentence on how much of the evidence is named."""
        value = self.meaning.coverage
        number = percent(value, decimals)
        if decimals == 0:
            number = number.replace("<", "less than ").replace(">", "more than ")
        only = " only" if value < SMALL and number[0].isdigit() else ""
        tail = ", so most of it is not named here." if value < SMALL and coverage_rest(self.meaning) else "."
        leads = (
            (" This makes up", " This accounts for")
            if one
            else (" Together these make up", " Together they account for")
        )
        return (
            *either((Segment(f"{lead}{only}"),) for lead in leads),
            Segment(f" {number}", ("coverage",)),
            Segment(f" of the evidence for it{tail}"),
        )


def begin(words: str, before: Nodes) -> str:
    """With a space, and a capital where nothing stands before in the sentence."""
    return f" {words}" if before else f" {words[0].upper()}{words[1:]}"
