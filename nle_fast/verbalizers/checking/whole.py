"""All that a text claims besides its evidence: classes, how sure the network is, amounts, and what was assumed."""

from __future__ import annotations

from collections.abc import Sequence

from nle_fast.schema import Meaning, Span
from nle_fast.verbalizers.checking.claims import Count, Number, Reading, Said
from nle_fast.verbalizers.language.phrases import NEURON, UNNAMED, Key, Names, coverage_rest

__all__ = ["Whole", "right_number"]

_TINY = 1e-6

#: Role of a label → the words around it with which it is right.
_CUES = {
    "versus": ("versus",), "runner_up": ("between2", "next"), "answer": ("class", "", "object"), "label": ("also",),
    "assumed": ("would be",),
}  # fmt: skip


class Whole:
    """What a text claims, held against a meaning representation: all but its evidence."""

    def __init__(self, meaning: Meaning, names: Names) -> None:
        self.meaning = meaning
        self.expert = meaning.style == "expert"
        self.wanted = {fact.id for fact in meaning.facts}
        numbered = self.expert or meaning.language < 2
        self.keys: dict[int, Key] = {}
        self.sides: dict[int, str] = {}
        self.places: dict[int, set[str]] = {}
        for rank, leader, supports, places in meaning.told:
            name = names.concepts[leader]
            number = (NEURON, str(meaning.evidence[rank].neuron)) if numbered else UNNAMED
            self.keys[rank] = number if name is None else name.key
            self.sides[rank], self.places[rank] = "for" if supports else "against", set(places)
        self.spans: list[Span] = []
        self.added: list[tuple[int, int]] = []
        self.wrong: set[str] = set()
        self.repeated: list[str] = []

    def say(self, fact: str, start: int, end: int, *, right: bool = True) -> None:
        """These characters tell a fact."""
        self.spans.append(Span(start, end, fact))
        if not right:
            self.wrong.add(fact)

    def once(self, fact: str, said: Sequence[tuple[int, int, bool]]) -> None:
        """A fact, and every place where the text tells it: is it right there?"""
        for i, (start, end, right) in enumerate(said):
            if fact not in self.wanted:
                self.added.append((start, end))
            elif i:
                self.repeated.append(fact)
            else:
                self.say(fact, start, end, right=right)

    def labels(self, reading: Reading) -> None:
        """Classes, by the words around them."""
        meaning, seen = self.meaning, set()
        for label in reading.labels:
            if label.role in seen:
                self.repeated.append(label.role)
                continue
            seen.add(label.role)
            cues = _CUES.get(label.role.partition(".")[0])
            if cues is not None:
                right = label.cue in cues
            else:
                right = label.cue not in ("versus", "elsewhere", "between2", "next", "also", "would be")
                right = right and not (label.cue in ("class", "", "between1") and not meaning.winner)
                right = right and not (label.cue == "notclass" and meaning.winner)
            self.say(label.role, label.start, label.end, right=right)

    def figures(self, reading: Reading) -> None:
        """Layer, numbers, and the sentences that are true of some meaning representations only."""
        meaning = self.meaning
        self.once("layer", [(start, end, True) for start, end in reading.layers])
        self.once("coverage", self._numbers(reading.coverages, meaning.coverage))
        if reading.unnamed:
            unnamed = [rank for rank, key in self.keys.items() if key == UNNAMED and self.sides[rank] == "for"]
            self.once("unnamed", self._numbers(reading.unnamed, sum(meaning.evidence[rank].share for rank in unnamed)))
        if reading.chances or reading.probabilities:
            self._chances(reading)
        if reading.certainty or reading.firsts:
            self._doubt(reading)
        if reading.counted or reading.unexplained:
            self._small(reading)
        if reading.seen:
            self.once("seen", [(*_at(said), right_number(said.number, meaning.seen or 0)) for said in reading.seen])
        if reading.photos:
            self.once("photos", [(*_at(said), said.value == str(meaning.photos)) for said in reading.photos])
        if reading.assumed or meaning.assumed:
            self._assumed(reading)
        self.added += reading.none if self.keys else reading.none[1:]
        self.added += reading.would if meaning.winner else []
        supported = "for" in self.sides.values()
        for i, (what, start, end) in enumerate(reading.rest):
            true = coverage_rest(meaning) if what == "most" else meaning.coverage < 1
            if i or not true or not supported:
                self.added.append((start, end))
        self.added += [(count.start, count.end) for count in reading.counts if not self.counted(count)]

    def _numbers(self, numbers: Sequence[Number], value: float) -> list[tuple[int, int, bool]]:
        rounded = self.meaning.rounded and not self.expert
        return [(number.start, number.end, right_number(number, value, rounded=rounded)) for number in numbers]

    def _chances(self, reading: Reading) -> None:
        """Probabilities: those behind a label are its own, others the network's in its answer."""
        meaning = self.meaning
        values = {"probability": meaning.target.probability}
        if meaning.answer is not None:
            values["answer.probability"] = meaning.answer.probability
        if meaning.runner_up is not None:
            values["runner_up.probability"] = meaning.runner_up.probability
        main = "probability" if "probability" in self.wanted or "answer.probability" not in self.wanted else "answer"
        said: dict[str, list[Number]] = {"probability": []}
        for role, number in [*reading.chances, *((main, number) for number in reading.probabilities)]:
            fact = "probability" if role in ("class", "probability") else f"{role}.probability"
            said.setdefault(fact, []).append(number)
        for fact, numbers in said.items():
            value = values.get(fact, -1.0)
            self.once(fact, [(number.start, number.end, right_number(number, value)) for number in numbers])

    def _doubt(self, reading: Reading) -> None:
        """How sure the network is, and between which classes it hesitates."""
        said = reading.certainty
        if "certainty" not in self.wanted:  # "the network thinks" is no more than a way to say what it answers
            said = [one for one in said if one.value not in ("thinks", "guesses")]
        self.once("certainty", [(*_at(one), one.value == self.meaning.doubt) for one in said])
        hesitates = "runner_up" in self.wanted
        self.added += reading.firsts[1:] if hesitates else reading.firsts

    def _small(self, reading: Reading) -> None:
        """What is only counted, and what no feature explains."""
        meaning = self.meaning
        small = [meaning.evidence[rank].share for rank in meaning.counted]
        pro, con = [share for share in small if share >= 0], [share for share in small if share < 0]
        told: list[tuple[int, int, bool]] = []
        counts = {1: 0, -1: 0}
        for said in reading.counted:
            value = int(said.value)
            side = 1 if value > 0 else -1
            right = abs(value) == len(pro if value > 0 else con)
            if value > 0:
                right = right and said.number is not None and self._numbers([said.number], sum(pro))[0][2]
            counts[side] += 1
            if counts[side] > 1:
                self.repeated.append("counted")
            told.append((*_at(said), right))
        if "counted" not in self.wanted:
            self.added += [(start, end) for start, end, _ in told]
        else:
            for start, end, right in told:
                self.say("counted", start, end, right=right)
            if told and (bool(pro), bool(con)) != (counts[1] > 0, counts[-1] > 0):
                self.wrong.add("counted")  # only one side of it is told
        rest = []
        for said in reading.unexplained:
            share = meaning.unexplained if said.value == "for" else -meaning.unexplained
            rest.append((*_at(said), said.number is not None and self._numbers([said.number], share)[0][2]))
        self.once("unexplained", rest)

    def _assumed(self, reading: Reading) -> None:
        """What was assumed; of conventions that disagree the label tells, and where there is none, the words."""
        left = list(enumerate(self.meaning.assumed))
        unknown = list(reading.unknown)
        for said in reading.assumed:
            found = next(((i, what) for i, what in left if what.kind == said.value), None)
            if found is None or f"assumed.{found[0]}" not in self.wanted:
                self.added.append(_at(said))
                continue
            left.remove(found)
            if found[1].kind != "conventions":
                self.say(f"assumed.{found[0]}", *_at(said))
            elif found[1].label is None and unknown:
                self.say(f"assumed.{found[0]}", *unknown.pop(0))
        self.added += unknown
        for i, what in left:  # "the answer would be laptop", but not under which condition
            if what.kind == "conventions" and any(span.fact == f"assumed.{i}" for span in self.spans):
                self.wrong.add(f"assumed.{i}")

    def counted(self, count: Count) -> bool:
        """Whether so many are told in its sentence, or in all."""
        sides = [mention.polarity for mention in count.mentions]
        if not sides:
            sides = list(self.sides.values())
            keys = {(key, self.sides[rank]) for rank, key in self.keys.items()}
            groups = [side for _, side in keys]
            possible = {groups.count("for"), groups.count("against"), sides.count("for"), sides.count("against")}
        else:
            possible = {sides.count("for"), sides.count("against")}
        return count.value in possible


def _at(said: Said) -> tuple[int, int]:
    return said.start, said.end if said.number is None else said.number.end


def right_number(number: Number | None, value: float, *, rounded: bool = False) -> bool:
    """Whether a number is the value rounded to the digits shown, or bounds it closely.

    Args:
        number: As the text has it; None is never right.
        value: The fraction that it should be.
        rounded: Steps of five percent will do.
    """
    if number is None:
        return False
    scaled, step = value * 100, 10.0**-number.decimals
    if rounded and number.value % 5 == 0:
        step = 5.0
    if number.bound == "~":
        return abs(scaled - number.value) <= 1
    if number.bound == "<":
        return 0 < scaled < number.value <= scaled + step + _TINY
    if number.bound == ">":
        return scaled - step - _TINY <= number.value < scaled < (0 if number.value < 0 else 100)
    if (number.value == 0 and abs(scaled) > _TINY) or (number.value == 100 and scaled < 100 - _TINY):
        return False
    return abs(scaled - number.value) <= 0.5 * step + _TINY
