"""From a meaning representation to its lattice: the sentences of the three styles, with all their alternatives.

The first alternative of each choice is the template's. Every path says each fact of `Meaning.facts` once: facts stand
in slots (label, concept, places, numbers), each of which is on every path once; the alternatives differ in wording,
order, connectives, in what is told together, and in where sentences end. Nothing else is said: "mainly" only where it
is true, "partly" where others contribute, "most of it is not named here" where it is not.
"""

from __future__ import annotations

from collections.abc import Sequence

from nle_fast.schema import Meaning
from nle_fast.verbalizers.grammar.clauses import Group, caption, expert_items
from nle_fast.verbalizers.grammar.lattice import Lattice, Nodes, Segment, either
from nle_fast.verbalizers.grammar.lists import capitalized, joined
from nle_fast.verbalizers.grammar.many import Many
from nle_fast.verbalizers.grammar.plain import Plain
from nle_fast.verbalizers.grammar.styles import PER_SENTENCE, STOP, Style

__all__ = ["lattice_of"]


def lattice_of(meaning: Meaning) -> Lattice:
    r"""Every acceptable text of a meaning representation, in its style.

    Percentages: whole in `plain`, one decimal in `expert`; "<" and ">" keep "0%" and "100%" from being said of what is
    not (see `percent`). "mainly" is said only where the first concept makes up at least half of what is named, and what
    is named at least half of all supporting evidence. Below 25 % the text says "only", and that most is not named.

    Raises:
        VerbalizerError: A share is not finite, or a position is not one of the known names.

    Example:
        >>> from nle_fast.schema import Evidence, Meaning, Prediction
        >>> stripes = Evidence(431, "Stripes", None, 6.0, 0.6, True, ("left",), ())
        >>> zebra = Prediction(340, "zebra", 0.98, 12.0)
        >>> lattice = lattice_of(Meaning(zebra, None, (stripes,), 0.6, "layer4", "plain"))
        >>> print(lattice.first()[0].replace(". ", ".\n"))
        The network's answer is zebra, mainly because of stripes on the left.
        This makes up 60% of the evidence for it.
        >>> lattice.count > 5
        True
    """
    styles: dict[str, type[Plain | _Expert | _Short]] = {"plain": Plain, "expert": _Expert, "short": _Short}
    style = styles[meaning.style] if meaning.photos is None else Many
    return Lattice(style(meaning).text())


class _Expert(Style):
    def text(self) -> Nodes:
        return (*self._told(), *self.amounts.against(), *self.remarks())

    def _told(self) -> Nodes:
        meaning, names = self.meaning, self.names
        openings = either(self.answer.expert_openings())
        if not (self.supporting or self.opposing):
            alone = self.amounts.alone()
            if meaning.winner:
                none = "no evidence for it can be named."
                return (*openings, *either(((Segment(f", but {none}"),), (Segment(f". {none.capitalize()}"),))), *alone)
            return (*openings, *STOP, *self.about("no evidence for", " can be named."), *alone)
        layer = names.layer.text
        side = "for" if self.supporting else "against"
        at = Segment(f" {layer}", ("layer",))
        start = (
            (Segment(f" The evidence {side} it in"),) if meaning.winner else self.about(f"the evidence {side}", " in")
        )
        inside: list[Nodes] = [(*start, at, Segment(" comes from"))]
        if meaning.winner or names.versus is None:
            it = "it" if self.answer.told is None else "the latter"
            within = (Segment(" In"), Segment(f" {layer}", ("layer",)))
            inside.insert(0, (*within, Segment(f", the evidence {side} {it} comes from")))
            if self.supporting:
                inside.append((*within, Segment(f", {it} is supported by")))
        head = (*openings, *STOP, *either(inside))
        if not self.supporting:
            return (*head, *self._items(self.opposing), *self.amounts.alone())
        one = sum(item.supports for item in meaning.told) == 1
        nodes = (*head, *self._items(self.supporting), *self.amounts.coverage(one=one))
        if self.opposing:
            against = (" The evidence against it comes from", " It is opposed by", " What speaks against it is")
            nodes = (*nodes, *either((Segment(lead),) for lead in against), *self._items(self.opposing))
        return nodes

    def _items(self, groups: Sequence[Group]) -> Nodes:
        """The list to the final stop: one sentence, or a second one after three items."""
        items = expert_items(groups)
        whole: Nodes = (*joined(items), *STOP)
        if len(items) <= PER_SENTENCE:
            return whole
        further = "support" if groups is self.supporting else "evidence against it"
        after = Segment(f" Further {further} comes from")
        split = (*joined(items[:PER_SENTENCE]), *STOP, after, *joined(items[PER_SENTENCE:]), *STOP)
        return either((whole, split))


class _Short(Style):
    def text(self) -> Nodes:
        meaning = self.meaning
        label = self.answer.label()
        answer = (label, *self.answer.versus())
        if meaning.winner:
            out = capitalized(answer, opening=True) or (label._replace(text=self.names.target.text), *answer[1:])
        else:
            out = (Segment("Why"), *answer, Segment("?"))
        if not meaning.told:
            return (*out, Segment(": no evidence named." if meaning.winner else " No evidence named."))
        if self.supporting:
            leads = (":", " –") if meaning.winner else (" For:",)
            out = (*out, *either((Segment(lead),) for lead in leads), *caption(self.supporting))
        if self.opposing:
            if self.supporting:
                leads = ("; against:", " – against:")
            else:
                leads = ("; against:", " – against:") if meaning.winner else (" Against:",)
            out = (*out, *either((Segment(lead),) for lead in leads), *caption(self.opposing))
        return (*out, *STOP)
