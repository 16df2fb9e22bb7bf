"""The plain style: whole sentences, no numbers of neurons that have a name."""

from __future__ import annotations

from collections.abc import Sequence

from nle_fast.schema import Meaning
from nle_fast.verbalizers.grammar.amounts import SMALL
from nle_fast.verbalizers.grammar.clauses import Group
from nle_fast.verbalizers.grammar.lattice import Nodes, Segment, either
from nle_fast.verbalizers.grammar.lists import Item, capitalized
from nle_fast.verbalizers.grammar.styles import PER_SENTENCE, STOP, Style
from nle_fast.verbalizers.language.phrases import leads

__all__ = ["Plain"]

_FURTHER = (" Further support comes from", " There is also support from", " More support comes from")


class Plain(Style):
    """For people who do not think in neurons."""

    def __init__(self, meaning: Meaning) -> None:
        super().__init__(meaning)
        self.nameless: Group | None = None  # told with the amounts, after what has words
        if len(self.supporting) > 1 and self.supporting[-1].name is None:
            *self.supporting, self.nameless = self.supporting

    def text(self) -> Nodes:
        """At most three pieces of evidence a sentence; how much of the evidence is named; what speaks against it."""
        told = self._winner() if self.meaning.winner else self._other()
        return (*told, *self.amounts.against(), *self.remarks())

    # The network's answer

    def _winner(self) -> Nodes:
        if not self.supporting:
            rest = self._against_alone() if self.opposing else (Segment(", but no evidence for it can be named."),)
            return (*either(self.answer.openings()), *rest, *self.amounts.alone())
        after = self._after()
        against = self._against()
        told = (*after, *against)
        if self.supporting[0].name is None:
            return (*either(self.answer.openings()), *self._nameless(), *told)
        texts = [(*opening, *self._reasons(), *told) for opening in self.answer.openings()]
        if fronted := self._fronted():
            texts.append((*fronted, *told))
        if led := self._led():
            texts.append((*led, *told))
        if although := self._although():
            texts.append((*although, *after))
        return either(texts)

    def _leads(self) -> bool:
        return leads(self.meaning, self.supporting[0].evidence)

    def _adverb(self) -> str:
        if self._leads():
            return "mainly "
        coverage = self.meaning.coverage
        named = sum(item.share for group in self.supporting for item in group.evidence)
        few = coverage < SMALL or named < coverage / 2  # more of it has no name
        return "partly " if few or (len(self.supporting) == 1 and coverage < 0.5) else ""

    def _nameless(self) -> Nodes:
        """The sentence on reasons of which none has a name, from the stop before it on."""
        reason = ". Its reasons are" if self.supporting[0].plural else ". Its reason is"
        leads = either([(Segment(reason),), (Segment(". This answer rests on"),)])
        return (*leads, *self.every(self.supporting), *STOP)

    def _reasons(self) -> Nodes:
        """Reasons of the answer, from the comma to the end of the sentence."""
        because: list[Nodes] = [(Segment(f", {self._adverb()}because of"), *self._because(comma=True))]
        if self._leads():
            reason = (Segment(". The main reason is"), *self.every(self.supporting[:1]))
            rest = self.supporting[1:PER_SENTENCE]
            if rest:
                also = " support it, too." if _plural(rest) else " supports it, too."
                closing = either((*told, Segment(_close(items) + also)) for told, items in self.ways(rest))
                reason = (*reason, *either([(Segment(", and"), *closing), *_sentences([(Segment("."), closing)])]))
                because.append(reason)
            else:
                because.append((*reason, *STOP))
        elif not self._adverb() and self.meaning.coverage >= 0.5:
            because.append((Segment(". This answer rests on"), *self.every(self.supporting[:PER_SENTENCE]), *STOP))
        return either(because)

    def _because(self, *, comma: bool) -> Nodes:
        """What follows "because of", to the end of the sentence, or of the clause when it comes first."""
        first, rest = self.supporting[:1], self.supporting[1:PER_SENTENCE]
        end: Nodes = STOP if comma else ()
        if not (self._leads() and rest):
            return (*self.every(self.supporting[:PER_SENTENCE]), *end)
        item = self.ways(first)[0][1][0]
        told = (*self.every(rest), *end)
        joint = ", and" if item.depth else " and"
        connected = [(Segment(f"{joint} partly because of"), *told), (Segment(", but also because of"), *told)]
        if comma:
            connected.append((*STOP, Segment(_FURTHER[2]), *told))
        return (*item.nodes, *either(connected))

    def _fronted(self) -> Nodes | None:
        """Mainly because of stripes, the network's answer is zebra."""
        chunk = self.supporting[:PER_SENTENCE]
        if self.answer.doubt == "hesitates" or any(item.depth > 1 for item in self.ways(chunk)[0][1]):
            return None
        lead = f"{self._adverb()}because of".capitalize()
        return (Segment(lead), *self._because(comma=False), Segment(","), *self.answer.within(), *STOP)

    def _led(self) -> Nodes | None:
        """Stripes led the network to the answer zebra."""
        if self._adverb() or self.answer.doubt:
            return None
        end = (self.answer.label(), *self.answer.versus(), *STOP)
        options = [
            (*subject, Segment(f"{_close(items)} led the network to the answer"), *end)
            for told, items in self.ways(self.supporting[:PER_SENTENCE])
            if (subject := capitalized(told, opening=True))
        ]
        return either(options) if options else None

    def _although(self) -> Nodes | None:
        """Although grass speaks against it, the network's answer is zebra because of stripes."""
        if not self.opposing or len(self.supporting[:PER_SENTENCE]) + len(self.opposing) > PER_SENTENCE:
            return None
        if self.answer.doubt == "hesitates" or (len(self.opposing) > 1 and self.opposing[-1].name is None):
            return None
        told, items = self.ways(self.opposing)[0]
        if any(item.depth > 1 for item in items):
            return None
        speaks = " speak" if _plural(self.opposing) else " speaks"
        return (
            Segment("Although"),
            *told,
            Segment(f"{speaks} against it,"),
            *self.answer.within(),
            Segment(f", {self._adverb()}because of"),
            *self._because(comma=True),
        )

    def _after(self) -> Nodes:
        """What follows the first sentence in favor: further support, and how much all of it is."""
        nodes: Nodes = ()
        for i, some in enumerate(_chunks(self.supporting[PER_SENTENCE:])):
            turned = _FURTHER[i % 3 :] + _FURTHER[: i % 3]
            ways: list[Nodes] = [
                (Segment(turned[0]), *self.every(some), *STOP),
                (Segment(turned[1]), *self.every(some), *STOP),
            ]
            support = " support it, too." if _plural(some) else " supports it, too."
            told, items = self.ways(some)[0]
            if subject := capitalized(told):
                ways.append((*subject, Segment(_close(items) + support)))
            nodes = (*nodes, *either(ways))
        return (*nodes, *self.amounts.coverage(one=self._one(), nameless=self.nameless))

    def _against(self) -> Nodes:
        """What speaks against it, in sentences of their own."""
        if not self.opposing:
            return ()
        first, *more = _chunks(self.opposing)
        verb = " speak" if _plural(first) else " speaks"
        ways: list[Nodes] = []
        for told, items in self.ways(first):
            end = f"{_close(items)}{verb} against it"
            ways += [(Segment(lead), *told, Segment(f"{end}.")) for lead in (" However,", " On the other hand,")]
            if subject := capitalized(told):
                ways.append((*subject, Segment(f"{end}, however.")))
        if not more:  # no "So do …" can follow it
            ways.append((Segment(" Evidence against it comes from"), *self.every(first), *STOP))
        return (*either(ways), *self._so_do(more))

    def _against_alone(self) -> Nodes:
        """After the answer, where nothing speaks for it."""
        first, *more = _chunks(self.opposing)
        verb = " speak" if _plural(first) else " speaks"
        ways = [
            (Segment(lead), *told, Segment(f"{_close(items)}{verb} against it."))
            for told, items in self.ways(first)
            for lead in (", although", ", even though")
        ]
        return (*either(ways), *self._so_do(more))

    def _so_do(self, more: Sequence[Sequence[Group]]) -> Nodes:
        """What else speaks against it, a sentence for each part."""
        nodes: Nodes = ()
        for some in more:
            lead = " So do" if _plural(some) else " So does"
            also = [(Segment(lead), *self.every(some), *STOP)]
            told, items = self.ways(some)[0]
            if subject := capitalized(told):
                verb = "speak" if _plural(some) else "speaks"
                also.append((*subject, Segment(f"{_close(items)} also {verb} against it.")))
            nodes = (*nodes, *either(also))
        return nodes

    def _one(self) -> bool:
        """Whether one thing was told in favor; things without a name are several."""
        first, *more = self.supporting
        return not more and (first.name is not None or not first.plural)

    # Another class

    def _other(self) -> Nodes:
        openings = self._denials()
        if self.supporting:
            adverb = f" {self._adverb()}".rstrip()
            rest = self.supporting[1:PER_SENTENCE]
            said: Sequence[Nodes] = [self.every(self.supporting[:PER_SENTENCE])] * 2
            if self._leads() and rest:
                item = self.ways(self.supporting[:1])[0][1][0]
                joint = (", and" if item.depth else " and") + " partly"
                said = [(*item.nodes, Segment(joint + end), *self.every(rest)) for end in ("", " from")]
            whats = (("what speaks for", f" is{adverb}"), ("the evidence for", f" comes{adverb} from"))
            reasons = either((*self.about(*what), *listed, *STOP) for what, listed in zip(whats, said, strict=True))
            return (*either(openings), *reasons, *self._after(), *self._against())
        if not self.opposing:
            return (*either(openings), *self.about("no evidence for", " can be named."), *self.amounts.alone())
        first, *more = _chunks(self.opposing)
        whats = (("what speaks against", " is"), ("the evidence against", " comes from"))
        nodes = either((*self.about(*what), *self.every(first), *STOP) for what in whats)
        return (*either(openings), *nodes, *self._so_do(more), *self.amounts.alone())

    def _denials(self) -> list[Nodes]:
        """Sentences that say that the class is not the network's answer."""
        if self.answer.told is not None:
            return [(*opening, *STOP) for opening in self.answer.openings()]
        label = self.answer.label()
        openings: list[Nodes] = [
            (Segment("The network's answer is not"), label, *STOP),
            (Segment("The network did not choose"), label, *STOP),
        ]
        if subject := capitalized((label,), opening=True):
            openings.append((*subject, Segment(" is not the network's answer.")))
        return openings


def _plural(groups: Sequence[Group]) -> bool:
    """Whether a list takes a plural verb; "what is typical of cats and of dogs" does not."""
    first, *others = groups
    shared = first.head and all(group.head == first.head for group in groups)
    return first.plural if not others else not shared


def _close(way: Sequence[Item]) -> str:
    """The comma that ends a list before its verb, where the list has commas inside."""
    return "," if way[-1].bundle or (len(way) == 2 and way[0].depth) else ""


def _chunks(groups: Sequence[Group]) -> list[Sequence[Group]]:
    """At most three a sentence; what has no name, which comes last, in one of its own."""
    named = [group for group in groups if group.name is not None]
    chunks: list[Sequence[Group]] = [named[i : i + PER_SENTENCE] for i in range(0, len(named), PER_SENTENCE)]
    return [*chunks, *([groups[-1]] for _ in groups[len(named) :][:1])]


def _sentences(pairs: Sequence[tuple[Segment, Nodes]]) -> list[Nodes]:
    """Each as a sentence of its own, where it can begin with a capital."""
    return [(stop, *subject) for stop, nodes in pairs if (subject := capitalized(nodes))]
