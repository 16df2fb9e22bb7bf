"""How much of the evidence is told: named, without a name, only counted, and in what no feature explains."""

from __future__ import annotations

from nle_fast.schema import Meaning
from nle_fast.verbalizers.grammar.clauses import Group, items_of
from nle_fast.verbalizers.grammar.lattice import Nodes, Segment, either
from nle_fast.verbalizers.grammar.lists import Item, capitalized, joined
from nle_fast.verbalizers.language.phrases import about, percent
from nle_fast.verbalizers.language.vocabulary import COUNTS

__all__ = ["SMALL", "Amounts"]

SMALL = 0.25  # below this coverage "only", and the text says that most is not named
_HALF, _ALL = 0.5, 0.95  # above this nothing is said of the rest, where one amount is told or several are


class Amounts:
    """The figures of one meaning representation, each in a clause or a sentence of its own."""

    def __init__(self, meaning: Meaning, told: frozenset[str]) -> None:
        self.meaning = meaning
        self.decimals = 1 if meaning.style == "expert" else 0
        small = [meaning.evidence[rank] for rank in meaning.counted]
        self.pro = [item.share for item in small if item.share >= 0] if "counted" in told else []
        self.con = [item.share for item in small if item.share < 0] if "counted" in told else []
        self.unexplained = meaning.unexplained if "unexplained" in told else 0.0

    def coverage(self, *, one: bool, nameless: Group | None = None) -> Nodes:
        """The sentence on how much of the evidence is told.

        Args:
            one: Whether only one concept was told before.
            nameless: What has no name and was not told before.
        """
        value = self.meaning.coverage
        number = self._number(value)
        only = " only" if value < SMALL and number[0].isdigit() else ""
        if nameless is None:
            leads = (
                (" This makes up", " This accounts for")
                if one
                else (" Together these make up", " Together they account for")
            )
            heads: list[Nodes] = [(Segment(f"{lead}{only}"),) for lead in leads]
        else:
            heads = self._with(nameless, one, only)
        return (
            *either(heads),
            Segment(f" {number}", ("coverage",)),
            Segment(" of the evidence for it"),
            *self._further(sentence=nameless is not None and self._more(nameless)),
        )

    def _with(self, nameless: Group, one: bool, only: str) -> list[Nodes]:
        """What has no name, to what all of it makes up; where it is more than what has one, that is said first."""
        what = items_of([nameless])[0].nodes
        share = sum(item.share for item in nameless.evidence)
        number = self._number(share)
        if (subject := capitalized(what)) and self._more(nameless):
            said = number if number[0].isalpha() else f"another {number}"  # "about 15%"
            verb = Segment(" add" if nameless.plural else " adds")
            told = (*subject, verb, Segment(f" {said}", ("unnamed",)))
            return [(*told, Segment(f"; in all, {end}{only}")) for end in ("that is", "this makes up")]
        ends = ("this makes up", "this accounts for") if one else ("these make up", "they account for")
        bracket = (Segment(" ("), Segment(number, ("unnamed",)))
        return [(Segment(" Together with"), *what, *bracket, Segment(f"), {end}{only}")) for end in ends]

    def _more(self, nameless: Group) -> bool:
        """Whether what has no name is more than what has one."""
        support = sum(self.meaning.evidence[told.rank].share for told in self.meaning.told if told.supports)
        return sum(item.share for item in nameless.evidence) > support / 2

    def _further(self, *, sentence: bool) -> Nodes:
        """From "of the evidence for it" to the final stop: what else the whole of it is; in a sentence of its own?"""
        parts: list[Nodes] = []
        if self.pro:
            parts.append((Segment(f" {self._smaller(self.pro)}"), *self._added()))
        if rest := self._explained():
            parts.append(rest)
        told = self.meaning.coverage + sum(self.pro) + max(0.0, self.unexplained)
        if not parts and self.meaning.coverage < SMALL:
            return (Segment(", so most of it is not named here."),)
        if not self.decimals and told < (_ALL if parts else _HALF):
            rest_of_it = "smaller still" if self.pro else "in smaller pieces"
            parts.append((Segment(f" the rest is {rest_of_it}"),))
        if not parts:
            return (Segment("."),)
        listed = joined([Item(part, 1) for part in parts])
        own = capitalized(listed) if sentence else None
        return (Segment("." if own else ";"), *(own or listed), Segment("."))

    def alone(self) -> Nodes:
        """The sentences on what is only counted or not explained, where nothing that is told supports it."""
        nodes: Nodes = ()
        if self.pro:
            said = self._smaller(self.pro).capitalize()
            nodes = (Segment(f" {said}"), *self._added(), Segment(" of the evidence for it."))
        if self.unexplained > 0:
            number = Segment(f" {self._number(self.unexplained)}", ("unexplained",))
            what = "is in what no feature explains." if self.decimals else "remains unexplained."
            nodes = (*nodes, Segment(" Of the evidence for it,"), number, Segment(f" {what}"))
        return nodes

    def against(self) -> Nodes:
        """The sentences on what is only counted or not explained and speaks against it."""
        nodes: Nodes = ()
        if self.con:
            said = self._smaller(self.con, speak=True).capitalize()
            nodes = (Segment(f" {said}", ("counted",)), Segment(" against it."))
        if self.unexplained < 0:
            number = Segment(self._number(-self.unexplained), ("unexplained",))
            what = "What no feature explains" if self.decimals else "The unexplained rest"
            nodes = (*nodes, Segment(f" {what} speaks against it ("), number, Segment(")."))
        return nodes

    def _explained(self) -> Nodes:
        if self.unexplained <= 0:
            return ()
        number, fact = self._number(self.unexplained), ("unexplained",)
        rest = Segment(" is in what no feature explains" if self.decimals else " remains unexplained")
        if number[0].isalpha():  # "less than 5%"
            return (Segment(f" {number}", fact), rest)
        return (Segment(" another"), Segment(f" {number}", fact), rest)

    def _smaller(self, shares: list[float], *, speak: bool = False) -> str:
        """Such as "two smaller pieces of evidence add"."""
        count = len(shares)
        many = COUNTS[count] if count < len(COUNTS) else str(count)
        verb = ("speaks" if count == 1 else "speak") if speak else "adds" if count == 1 else "add"
        return f"{many} smaller {'piece' if count == 1 else 'pieces'} of evidence {verb}"

    def _added(self) -> Nodes:
        return (Segment(f" {self._number(sum(self.pro))}", ("counted",)),)

    def _number(self, value: float) -> str:
        if self.meaning.rounded and not self.decimals:
            return about(value)
        number = percent(value, self.decimals)
        return number if self.decimals else number.replace("<", "less than ").replace(">", "more than ")
