"""What a text claims, before it is compared with a meaning representation."""

from __future__ import annotations

from dataclasses import dataclass, field

from nle_fast.verbalizers.language.phrases import Key

__all__ = ["Count", "Label", "Mention", "Number", "Part", "Place", "Reading", "Said"]


@dataclass(slots=True)
class Place:
    """A position name in the text; `other`: a second name that the words may mean, or empty."""

    name: str
    start: int
    end: int
    other: str = ""


@dataclass(slots=True)
class Number:
    """A percentage in the text; `bound` is "<", ">", "~" for a fraction in words, or empty."""

    value: float
    decimals: int
    bound: str
    start: int
    end: int


@dataclass(slots=True)
class Label:
    """A class label: its role by name, and its `cue` by the words around.

    The cue is "class", "notclass", "versus", "why", "object" ("speaks for it"), "between1" or "between2" for the two
    between which the network hesitates, "next", "also", "would be", "" at the beginning of a text, or "elsewhere".
    """

    role: str
    cue: str
    start: int
    end: int


@dataclass(slots=True)
class Part:
    """Places of a concept with what is told with them: neurons, shares, in how many of the pictures it is."""

    places: list[Place] = field(default_factory=list)
    neurons: list[tuple[int, int, int]] = field(default_factory=list)
    shares: list[Number] = field(default_factory=list)
    photos: list[Number] = field(default_factory=list)


@dataclass(slots=True)
class Mention:
    """A concept in the text; `maybe` are places that it may share with a neighbor ("A and B in the center").

    `marked`: words say whether it is for or against; `link`: "and", or ", and", where that stands before it;
    `claims`: what is said of its size ("main", "most", "part"); `perhaps`: it is said with doubt; `count`: of how many
    things without a name it tells, 0 where it has one; `net`: what of it is for and what against, as (is it for?,
    number).
    """

    keys: tuple[Key, ...]
    start: int
    end: int
    polarity: str
    parts: list[Part]
    maybe: list[Place] = field(default_factory=list)
    marked: bool = False
    link: str = ""
    claims: list[str] = field(default_factory=list)
    perhaps: bool = False
    count: int = 0
    net: list[tuple[bool, Number]] = field(default_factory=list)


@dataclass(slots=True)
class Count:
    """A claim that there are so many; of the mentions of its sentence, or of all where there are none in it."""

    value: int
    start: int
    end: int
    mentions: list[Mention]


@dataclass(slots=True)
class Said:
    """Words that claim one of a few things, `value`, with the number that belongs to them, if any does."""

    value: str
    start: int
    end: int
    number: Number | None = None


@dataclass(slots=True)
class Reading:
    """Everything that a text claims; `added` are stretches that claim what no name or marker explains.

    `chances` are probabilities that stand behind a label, with its role; `unknown`: where a label was to come, and the
    text says "another".
    """

    labels: list[Label] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    layers: list[tuple[int, int]] = field(default_factory=list)
    probabilities: list[Number] = field(default_factory=list)
    coverages: list[Number] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    none: list[tuple[int, int]] = field(default_factory=list)
    rest: list[tuple[str, int, int]] = field(default_factory=list)
    would: list[tuple[int, int]] = field(default_factory=list)
    certainty: list[Said] = field(default_factory=list)
    chances: list[tuple[str, Number]] = field(default_factory=list)
    firsts: list[tuple[int, int]] = field(default_factory=list)
    unnamed: list[Number] = field(default_factory=list)
    counted: list[Said] = field(default_factory=list)
    unexplained: list[Said] = field(default_factory=list)
    seen: list[Said] = field(default_factory=list)
    assumed: list[Said] = field(default_factory=list)
    unknown: list[tuple[int, int]] = field(default_factory=list)
    photos: list[Said] = field(default_factory=list)
    added: list[tuple[int, int]] = field(default_factory=list)
