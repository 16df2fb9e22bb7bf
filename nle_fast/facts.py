"""What a text must say: each fact of a meaning representation, by style."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

__all__ = ["About", "Fact", "FactKind", "Item", "facts_of"]

FactKind = Literal[
    "class", "probability", "certainty", "runner_up", "answer", "label", "versus", "layer", "concept", "neuron",
    "share", "positions", "net", "photos", "coverage", "unnamed", "counted", "unexplained", "seen", "assumed",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that the text must say, once.

    Attributes:
        id: `"class"`, `"probability"`, `"certainty"`, `"runner_up"`, `"runner_up.probability"`, `"answer"`,
            `"answer.probability"`, `"label.<i>"`, `"versus"`, `"layer"`, `"coverage"`, `"unnamed"`, `"counted"`,
            `"unexplained"`, `"seen"`, `"photos"`, `"assumed.<i>"`, or `"evidence.<rank>.<kind>"` with kind `concept`
            (the words, or that there are none, and whether it speaks for or against), `neuron`, `share`, `positions`,
            `net` (what of joined evidence speaks for and what against), `photos`.
        kind: What it is.
        rank: Index into `Meaning.evidence`, None for facts about the whole.
    """

    id: str
    kind: FactKind
    rank: int | None = None


class About(NamedTuple):
    """What of a meaning representation, besides its evidence, there is to tell."""

    versus: bool
    answer: bool
    certainty: bool
    hesitates: bool
    also: int
    unexplained: bool
    counted: bool
    assumed: int
    seen: bool
    photos: bool
    language: int


class Item(NamedTuple):
    """A piece of evidence that is told: has it a name, has it a place, does it support, does it lead both sides?"""

    rank: int
    named: bool
    placed: bool
    supports: bool
    both: bool


@lru_cache(maxsize=4096)
def facts_of(style: str, about: About, evidence: tuple[Item, ...]) -> tuple[Fact, ...]:
    """`Meaning.facts`, for a style, what there is besides the evidence, and the evidence."""
    expert, many = style == "expert", about.photos
    facts = [Fact("class", "class"), *_whole(style, about, bool(evidence))]
    for rank, named, placed, _, both in evidence:
        kinds: list[FactKind] = ["concept"]
        if expert:
            # An unnamed neuron's number is its concept, and is not told twice.
            kinds += ["neuron", "share"] if named else ["share"]
        elif both and style == "plain":
            kinds.append("net")
        if placed:
            kinds.append("positions")
        if many:
            kinds.append("photos")
        facts += [Fact(f"evidence.{rank}.{kind}", kind, rank) for kind in kinds]
    support = [item.named for item in evidence if item.supports]
    if support and style != "short":
        facts.append(Fact("coverage", "coverage"))
        # Where nothing has a name, the coverage tells how much that is.
        if about.language > 1 and not expert and not many and any(support) and not all(support):
            facts.append(Fact("unnamed", "unnamed"))
    return tuple(facts)


def _whole(style: str, about: About, evidence: bool) -> list[Fact]:
    """The facts about the whole, but for class and coverage."""
    expert, more, one = style == "expert", style != "short", not about.photos
    found: list[tuple[str, FactKind, bool]] = [
        ("probability", "probability", one and (expert or (about.certainty and more and not about.answer))),
        ("certainty", "certainty", one and about.certainty and style == "plain"),
        ("runner_up", "runner_up", one and about.hesitates and more),
        ("runner_up.probability", "probability", one and about.hesitates and more),
        ("answer", "answer", one and about.answer and more),
        ("answer.probability", "probability", one and about.answer and (expert or (about.certainty and more))),
        ("versus", "versus", about.versus),
        ("layer", "layer", one and expert and evidence),
        *((f"label.{i}", "label", one and more) for i in range(about.also)),
        ("counted", "counted", about.counted and more),
        ("unexplained", "unexplained", about.unexplained and more),
        ("seen", "seen", one and about.seen and more),
        ("photos", "photos", about.photos),
        *((f"assumed.{i}", "assumed", more) for i in range(about.assumed)),
    ]
    return [Fact(id, kind) for id, kind, there in found if there]
