"""How much of the evidence is told: named, without a name, only counted, and in what no feature explains."""

from __future__ import annotations

from nle_fast.schema import Meaning
from nle_fast.verbalizers.grammar.clauses import Group, items_of
from nle_fast.verbalizers.grammar.lattice import Nodes, Segment, either
from nle_fast.verbalizers.grammar.lists import capitalized
from nle_fast.verbalizers.language.phrases import about, coverage_rest, percent
from nle_fast.verbalizers.language.vocabulary import COUNTS

__all__ = ["SMALL", "Amounts"]

SMALL = 0.25  # below this coverage "only", and the text says that most is not named


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
            *self._further(),
        )

    def _with(self, nameless: Group, one: bool, only: str) -> list[Nodes]:
        what = items_of([nameless])[0].nodes
        share = sum(item.share for item in nameless.evidence)
        bracket = (Segment(" ("), Segment(self._number(share), ("unnamed",)), Segment("),"))
        ends = ("this makes up", "this accounts for") if one else ("these make up", "they account for")
        leads = (" Together with", " With")
        return [
            (Segment(lead), *what, *bracket, Segment(f" {end}{only}")) for lead, end in zip(leads, ends, strict=True)
        ]

    def _further(self) -> Nodes:
        """From "of the evidence for it" to the final stop."""
        rest = self._explained()
        if self.pro:
            tail = (Segment(", and"), *rest) if rest else ()
            return (Segment(f"; {self._smaller(self.pro)}"), *self._added(), *tail, Segment("."))
        if rest:
            own = capitalized(rest)
            return (*either([(Segment(";"), *rest), *([(Segment("."), *own)] if own else [])]), Segment("."))
        small = self.meaning.coverage < SMALL and coverage_rest(self.meaning)
        return (Segment(", so most of it is not named here." if small else "."),)

    def alone(self) -> Nodes:
        """The sentences on what is only counted or not explained, where nothing that is told supports it."""
        nodes: Nodes = ()
        if self.pro:
            said = self._smaller(self.pro).capitalize()
            nodes = (Segment(f" {said}"), *self._added(), Segment(" of the evidence for it."))
        if self.unexplained > 0:
            number = Segment(f" {self._number(self.unexplained)}", ("unexplained",))
            nodes = (*nodes, Segment(" What no feature explains adds"), number, Segment(" of the evidence for it."))
        return nodes

    def against(self) -> Nodes:
        """The sentences on what is only counted or not explained and speaks against it."""
        nodes: Nodes = ()
        if self.con:
            said = self._smaller(self.con, speak=True).capitalize()
            nodes = (Segment(f" {said}", ("counted",)), Segment(" against it."))
        if self.unexplained < 0:
            number = Segment(self._number(-self.unexplained), ("unexplained",))
            nodes = (*nodes, Segment(" What no feature explains speaks against it ("), number, Segment(")."))
        return nodes

    def _explained(self) -> Nodes:
        if self.unexplained <= 0:
            return ()
        number, fact = self._number(self.unexplained), ("unexplained",)
        rest = Segment(" is in what no feature explains")
        if number.startswith("about "):
            return (Segment(" about another"), Segment(number.removeprefix("about"), fact), rest)
        if number[0].isalpha():  # "less than 5%"
            return (Segment(f" {number}", fact), rest)
        return (Segment(" another"), Segment(f" {number}", fact), rest)

    def _smaller(self, shares: list[float], *, speak: bool = False) -> str:
        """Such as "two smaller pieces add"."""
        count = len(shares)
        many = COUNTS[count] if count < len(COUNTS) else str(count)
        verb = ("speaks" if count == 1 else "speak") if speak else "adds" if count == 1 else "add"
        return f"{many} smaller {'piece' if count == 1 else 'pieces'} {verb}"

    def _added(self) -> Nodes:
        return (Segment(f" {self._number(sum(self.pro))}", ("counted",)),)

    def _number(self, value: float) -> str:
        if self.meaning.rounded and not self.decimals:
            return about(value)
        number = percent(value, self.decimals)
        return number if self.decimals else number.replace("<", "less than ").replace(">", "more than ")
