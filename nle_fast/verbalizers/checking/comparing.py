"""Does a text say each fact of a meaning representation once, and nothing else?

Works on any text, whoever wrote it. The vocabulary is closed (`vocabulary`): a word that is neither part of a name nor
known glue counts as an added claim, so a fluent text in other words is refused rather than trusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nle_fast.errors import InputError
from nle_fast.schema import Meaning, Span
from nle_fast.verbalizers.checking.claims import Mention, Number, Part, Place, Reading
from nle_fast.verbalizers.checking.reading import read
from nle_fast.verbalizers.checking.whole import Whole, right_number
from nle_fast.verbalizers.language.phrases import NEURON, Key, Names, leads, names_of

__all__ = ["Report", "check"]

_NEARLY_ALL = 0.9  # "partly" is false of what is more


@dataclass(frozen=True, slots=True)
class Report:
    """What a text says of a meaning representation.

    Attributes:
        spans: Which characters say which fact, sorted by start; of wrong facts too.
        missing: Ids of facts that it leaves out.
        added: Stretches of the text that claim what no fact says.
        wrong: Ids of facts that it says otherwise: a wrong number, label, place, or for instead of against.
        repeated: Ids of facts that it says again.
        slots: Number of facts.
    """

    spans: tuple[Span, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]
    wrong: tuple[str, ...]
    repeated: tuple[str, ...]
    slots: int

    @property
    def ok(self) -> bool:
        """Whether each fact is said once and nothing else is."""
        return not (self.missing or self.added or self.wrong or self.repeated)

    @property
    def slot_error_rate(self) -> float:
        """(added + missing + wrong + repeated) / slots."""
        return (len(self.added) + len(self.missing) + len(self.wrong) + len(self.repeated)) / self.slots

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        parts = (
            ("leaves out", self.missing),
            ("adds", [f"“{text}”" for text in self.added]),
            ("gets wrong", self.wrong),
            ("repeats", self.repeated),
        )
        said = [f"{what} {', '.join(items)}" for what, items in parts if items]
        return "; ".join(said) or "says each fact once and nothing else"


def check(text: str, meaning: Meaning) -> Report:
    """Compares a text with a meaning representation.

    A concept may stand in singular or plural, with or without article and quotation marks. A number is right when it
    is the value rounded to the digits shown. Where neurons share a concept and a polarity, one mention with all their
    places says them all (in `expert`, each number needs its own places). Where one place could belong to one or two
    concepts ("A and B in the center"), the reading that fits is taken.

    Args:
        text: Any text.
        meaning: What it should say.

    Returns:
        The report; it is true when all is well. O(length of the text + number of names).

    Raises:
        InputError: `text` is no text, or `meaning` no meaning representation.

    Example:
        >>> from nle_fast.schema import Meaning, Prediction
        >>> meaning = Meaning(Prediction(340, "zebra", 0.98, 12.0), None, (), 0.0, "layer4", "short")
        >>> bool(check("The network's answer is zebra.", meaning))
        True
        >>> str(check("The network's answer is a lion.", meaning))
        'leaves out class; adds “lion”'

    Source: the slot error rate is that of data-to-text generation (added, missing, wrong and repeated over all slots).
    """
    for name, value, kind in (("text", text, str), ("meaning", meaning, Meaning)):
        if not isinstance(value, kind):
            what = "text" if kind is str else "an nle_fast Meaning"
            raise InputError(
                f"`{name}` must be {what}, got {type(value).__name__}; see `text` and `meaning` of an Explanation."
            )
    names = names_of(meaning)
    report = _compare(text, meaning, names, read(text, meaning, names))
    if report.ok or not _any_quoted(names):
        return report
    lenient = _compare(text, meaning, names, read(text, meaning, names, lenient=True))
    return lenient if lenient.slot_error_rate < report.slot_error_rate else report


def _any_quoted(names: Names) -> bool:
    some = (names.target, names.versus, names.layer, *names.concepts, *names.others.values())
    return any(name is not None and name.quoted for name in some)


def _compare(text: str, meaning: Meaning, names: Names, reading: Reading) -> Report:
    comparison = _Comparison(meaning, names)
    comparison.labels(reading)
    wanted = [fact.id for fact in meaning.facts]
    comparison.figures(reading)
    comparison.evidence(reading)
    said = {span.fact for span in comparison.spans} | set(comparison.wrong)
    added = sorted({(start, end) for start, end in [*reading.added, *comparison.added]})
    return Report(
        spans=tuple(sorted(comparison.spans, key=lambda span: (span.start, span.end, span.fact))),
        missing=tuple(fact for fact in wanted if fact not in said),
        added=tuple(text[start:end] for start, end in added),
        wrong=tuple(fact for fact in wanted if fact in comparison.wrong),
        repeated=tuple(sorted(comparison.repeated)),
        slots=len(wanted),
    )


class _Comparison(Whole):
    def evidence(self, reading: Reading) -> None:
        """Concepts for and against, with their places and numbers."""
        groups: dict[tuple[Key, str], list[int]] = {}
        for rank, key in self.keys.items():
            groups.setdefault((key, self.sides[rank]), []).append(rank)
        told: dict[tuple[Key, str], list[Mention]] = {}
        for mention in reading.mentions:
            told.setdefault((self._key(mention, groups, told), mention.polarity), []).append(mention)
        for (key, polarity), mentions in told.items():
            for mention in mentions:
                if not all(self._claimed(claim, groups, key, polarity) for claim in mention.claims):
                    self.added.append((mention.start, mention.end))
            if (key, polarity) in groups:
                self._group(groups[key, polarity], mentions)
                continue
            other = groups.get((key, "against" if polarity == "for" else "for"), [])
            if other and (key, "against" if polarity == "for" else "for") not in told:
                self._group(other, mentions)
                self.wrong |= {f"evidence.{rank}.concept" for rank in other}
            else:
                self.added += [(mention.start, mention.end) for mention in mentions]

    def _claimed(self, claim: str, groups: dict[tuple[Key, str], list[int]], key: Key, polarity: str) -> bool:
        """Whether what is said of the size of a concept is true."""
        shares = {name: sum(self.meaning.evidence[rank].share for rank in ranks) for name, ranks in groups.items()}
        if (key, polarity) not in groups:
            return claim == "part"
        if claim == "part":
            alone = sum(side == polarity for _, side in groups) == 1
            return not alone or min(abs(shares[key, polarity]), self.meaning.coverage) < _NEARLY_ALL
        if claim == "most":
            return all(
                abs(shares[key, polarity]) >= abs(other) for (_, side), other in shares.items() if side == polarity
            )
        main = tuple(self.meaning.evidence[rank] for rank in groups[key, polarity])
        return polarity == "for" and leads(self.meaning, main)

    def _key(self, mention: Mention, groups: Iterable[tuple[Key, str]], told: Iterable[tuple[Key, str]]) -> Key:
        """Which concept is meant, where the words fit several: the first that is expected here and not yet told."""
        if len(mention.keys) == 1:
            return mention.keys[0]
        expected = [key for key in mention.keys if (key, mention.polarity) in groups]
        return next(
            (key for key in expected if (key, mention.polarity) not in told), (expected or list(mention.keys))[0]
        )

    def _group(self, ranks: Sequence[int], mentions: Sequence[Mention]) -> None:
        """Evidence of one concept and polarity, and all mentions of it."""
        left = list(ranks)
        self._qualified(ranks, mentions)
        for i, mention in enumerate(mentions):
            if not left:
                self.repeated.append(f"evidence.{ranks[0]}.concept")
                continue
            own: list[int] = []
            for part in mention.parts if self.expert else ():
                own += self._part(part, mention, [rank for rank in left if rank not in own])
            if not own:
                last = i == len(mentions) - 1
                own = self._by_places(mention, left, whole=last)
                self._places(mention.parts[0], mention, own)
            left = [rank for rank in left if rank not in own]
            for rank in own:
                self.say(f"evidence.{rank}.concept", mention.start, mention.end)

    def _qualified(self, ranks: Sequence[int], mentions: Sequence[Mention]) -> None:
        """What is said of evidence besides its words: doubt, how many things, both sides, in how many pictures."""
        meaning = self.meaning
        named = meaning.evidence[ranks[0]].concept is not None
        unjudged = named and not all(meaning.evidence[rank].judged for rank in ranks)
        many = sum(mention.count for mention in mentions)
        for mention in mentions:
            if mention.perhaps != unjudged or (mention.count and many != len(ranks)):
                self.wrong |= {f"evidence.{rank}.concept" for rank in ranks}
        nets = [rank for rank in ranks if meaning.joined and f"evidence.{rank}.net" in self.wanted]
        said = [pair for mention in mentions for pair in mention.net]
        for rank in nets:
            members = [meaning.evidence[told.rank] for told in meaning.told if told.leader == rank]
            for side in (True, False):
                total = abs(sum(item.share for item in members if item.supports == side))
                number = next((number for is_for, number in said if is_for == side), None)
                if number is None:
                    self.wrong.add(f"evidence.{rank}.net")
                else:
                    said.remove((side, number))
                    self.say(f"evidence.{rank}.net", number.start, number.end, right=right_number(number, total))
        self.added += [(number.start, number.end) for _, number in said]
        if meaning.photos is not None and not self.expert:
            self._found_in(ranks, [number for mention in mentions for part in mention.parts for number in part.photos])

    def _found_in(self, ranks: Sequence[int], numbers: Sequence[Number]) -> None:
        """In how many of the pictures each of these is evidence."""
        for i, number in enumerate(numbers):
            fact = f"evidence.{ranks[i]}.photos" if i < len(ranks) else ""
            if fact not in self.wanted:
                self.added.append((number.start, number.end))
                continue
            part = (self.meaning.evidence[ranks[i]].photos or 0) / max(1, self.meaning.photos or 1)
            self.say(fact, number.start, number.end, right=right_number(number, part))

    def _by_places(self, mention: Mention, left: Sequence[int], *, whole: bool) -> list[int]:
        """The evidence that a mention without numbers tells: all that is left, or what fits its places."""
        if whole:
            return list(left)
        places = {place.name for place in mention.parts[0].places}
        fits = [rank for rank in left if self.places[rank] == places]
        first = (fits or left)[0]
        if not self.meaning.joined:
            return [first]
        leaders = {item.rank: item.leader for item in self.meaning.told}
        return [rank for rank in left if leaders[rank] == leaders[first]]  # what is joined is told once

    def _part(self, part: Part, mention: Mention, left: Sequence[int]) -> list[int]:
        """Expert: the neurons told in one part of a mention, with their shares and places."""
        meaning, own = self.meaning, []
        unnamed = mention.keys[0][0] == NEURON and len(mention.keys) == 1
        if unnamed and left:
            own = [left[0]]
        for number, start, end in part.neurons:
            rank = next((rank for rank in left if meaning.evidence[rank].neuron == number and rank not in own), None)
            if rank is None:
                self._misplaced(number, start, end)
                continue
            own.append(rank)
            if not unnamed:
                self.say(f"evidence.{rank}.neuron", start, end)
        for i, share in enumerate(part.shares):
            if i >= len(own):
                self.added.append((share.start, share.end))
                continue
            right = right_number(share, meaning.evidence[own[i]].share)
            self.say(f"evidence.{own[i]}.share", share.start, share.end, right=right)
        if part.photos:
            self._found_in(own, part.photos)
        if own:
            self._places(part, mention, own, each=True)
        return own

    def _misplaced(self, number: int, start: int, end: int) -> None:
        """A neuron's number beside another concept, a second time, or from nowhere."""
        for rank in self.keys:
            if self.meaning.evidence[rank].neuron == number:
                fact = f"evidence.{rank}.neuron"
                if any(span.fact == fact for span in self.spans):
                    self.repeated.append(fact)
                else:
                    self.wrong.add(fact)
                return
        self.added.append((start, end))

    def _places(self, part: Part, mention: Mention, ranks: Sequence[int], *, each: bool = False) -> None:
        """Places of the evidence that a mention tells: their union, or in `expert` the same for each."""
        expected = [self.places[rank] for rank in ranks]
        union = set().union(*expected)
        places = part.places
        for place in (*places, *mention.maybe):
            twice = sum(place.name == other.name for other in places) > 1
            if place.other in union and (place.name not in union or twice):
                place.name = place.other
        if not places and union and {place.name for place in mention.maybe} == union:
            places = mention.maybe
        told = {place.name for place in places}
        if not told:
            return
        if not union:
            self.added += [(place.start, place.end) for place in places]
            return
        with_places = [rank for rank, some in zip(ranks, expected, strict=True) if some]
        if len(places) > len(told):
            self.repeated += [f"evidence.{with_places[0]}.positions"] * (len(places) - len(told))
        right = told == union and (not each or all(some == told for some in expected))
        for rank in with_places:
            here = self.places[rank]
            shown: list[Place] = [place for place in places if place.name in here] or list(places)
            for place in shown:
                self.say(f"evidence.{rank}.positions", place.start, place.end, right=right)
