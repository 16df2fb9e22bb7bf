"""Words for one neuron: what a table says of them, and what may be said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Concept", "Words"]

#: How words by votes begin; the classes follow, as "cats", "cats and dogs" or "cats, dogs and bears".
_TYPICAL = "what is typical of "


@dataclass(frozen=True, slots=True)
class Concept:
    """Words for one neuron.

    Attributes:
        name: The words; None where the table has none.
        quality: As its source measures it (simulation correlation, IoU, similarity); None when never measured.
        trusted: Whether the words may be said: there are some, of unknown quality or not below the bar, which is the
            table's, or for words by votes and borrowed ones r > .2.
        source: Where the words come from: "votes", "borrowed", or another source's name; None where nobody says.
        classes: Of words by votes that name a few single classes, the indices of these; else None.
    """

    name: str | None
    quality: float | None
    trusted: bool
    source: str | None = None
    classes: tuple[int, ...] | None = None

    @property
    def judged(self) -> bool:
        """Whether the words may be told without "perhaps": votes alone, without a quality, were not tried on pictures.

        Of other words without a quality nobody knows more than who wrote them.
        """
        return self.source != "votes" or self.quality is not None

    def said_of(self, explained: int | None) -> str | None:
        """The words, where the class `explained` is explained.

        Of the only class voted for, it is that class "themselves"; of one of two or three classes, what they "have in
        common".

        Example:
            >>> notebooks = Concept("what is typical of notebooks", None, True, "votes", (681,))
            >>> notebooks.said_of(681), notebooks.said_of(620)
            ('what is typical of notebooks themselves', 'what is typical of notebooks')
            >>> pets = Concept("what is typical of cats and dogs", 0.4, True, "votes", (281, 151))
            >>> pets.said_of(281), pets.said_of(620)
            ('what cats and dogs have in common', 'what is typical of cats and dogs')
        """
        if self.name is None or self.source != "votes" or self.classes is None or explained not in self.classes:
            return self.name
        if len(self.classes) == 1:
            return f"{self.name} themselves"
        parts = _single(self.name)
        # A group of two classes has one name, and nothing is said in common of what is not listed one by one.
        if len(parts) != len(self.classes):
            return self.name
        comma = "," if len(parts) > 2 else ""
        return f"what {', '.join(parts[:-1])}{comma} and {parts[-1]} have in common"


class Words(NamedTuple):
    """What may be said for a neuron: the concept, its quality, words that are only said loosely; and was it judged?"""

    concept: str | None
    quality: float | None
    loosely: str | None
    judged: bool


def _single(name: str) -> list[str]:
    """The classes that "what is typical of …" names one by one; empty where a name itself has "and" or a comma."""
    listed = name.removeprefix(_TYPICAL)
    if listed == name or ", of " in listed or ", and " in listed:
        return []
    *first, last = listed.split(", ")
    ends = last.split(" and ")
    return [*first, *ends] if len(ends) == 2 else []
