"""What many pictures tell about one class: each piece of evidence with how many of them it is found in."""

from __future__ import annotations

from collections.abc import Sequence

from nle_fast.verbalizers.grammar.clauses import Group, expert_items
from nle_fast.verbalizers.grammar.lattice import Nodes, Segment, either
from nle_fast.verbalizers.grammar.lists import Item, joined
from nle_fast.verbalizers.grammar.places import where
from nle_fast.verbalizers.grammar.styles import STOP, Style
from nle_fast.verbalizers.language.phrases import percent

__all__ = ["Many"]


class Many(Style):
    """For zebra, the network relies on stripes (in 88% of its 120 photos) and on grass (in 30%)."""

    def text(self) -> Nodes:
        """The class, what its answers rest on, how much that is, and what speaks against it."""
        meaning, label = self.meaning, self.answer.label()
        if not (self.supporting or self.opposing):
            photos = Segment(f" {meaning.photos}", ("photos",))
            none = Segment(" photos, no evidence for it can be named.")
            told = (Segment("For"), label, *self.answer.versus(), Segment(", in its"), photos, none)
            return (*told, *self.amounts.alone(), *self.amounts.against(), *self.remarks())
        nodes: Nodes = (Segment("For"), label, *self.answer.versus(), Segment(","))
        groups = [*self.supporting, *self.opposing]
        first = groups[0].ranks[0]
        if self.supporting:
            leads = (" the network relies on", " the evidence comes from")
            one = len(self.supporting) == 1
            nodes = (*nodes, *either((Segment(lead),) for lead in leads), *self._list(self.supporting, first), *STOP)
            if meaning.style != "short":
                nodes = (*nodes, *self.amounts.coverage(one=one))
        if self.opposing:
            lead = Segment(" What speaks against it is" if self.supporting else " what speaks against it is")
            nodes = (*nodes, lead, *self._list(self.opposing, first), *STOP)
        if not self.supporting:
            nodes = (*nodes, *self.amounts.alone())
        return (*nodes, *self.amounts.against(), *self.remarks())

    def _list(self, groups: Sequence[Group], first: int) -> Nodes:
        """Evidence with its counts; the first one says of how many pictures they are."""
        if self.meaning.style == "expert":
            return joined(expert_items(groups, lambda rank: (Segment(", "), *self._count(rank, first))))
        items, head = [], ""
        for group in groups:
            nodes, depth = where(group.places) if group.places else ((), 0)
            counts: Nodes = ()
            for rank in group.ranks:
                counts = (*counts, *([Segment(", ")] if counts else []), *self._count(rank, first))
            told = (group.concept(head), *nodes, Segment(" ("), *counts, Segment(")"))
            items.append(Item(told, max(depth, 1), group.plural))
            head = group.head
        return joined(items)

    def _count(self, rank: int, first: int) -> Nodes:
        """Such as "in 88% of its 120 photos"."""
        photos = self.meaning.photos or 1
        part = percent((self.meaning.evidence[rank].photos or 0) / photos, 0)
        count: Nodes = (Segment("in "), Segment(part, (f"evidence.{rank}.photos",)))
        if rank != first:
            return count
        return (*count, Segment(" of its"), Segment(f" {photos}", ("photos",)), Segment(" photos"))
