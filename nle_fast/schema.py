"""The data that flows between the stages: frozen, without behaviour beyond reading.

    Region ─► Evidence ─► Meaning (facts) ─► Utterance (text, spans) ─► Explanation

A *neuron* is one channel of the target layer, a *position* one (y, x) of its map; a *pixel* belongs to a picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from nle_fast.config import Style

__all__ = [
    "POSITIONS",
    "Evidence",
    "EvidenceKind",
    "Fact",
    "FactKind",
    "Meaning",
    "Prediction",
    "Region",
    "Span",
    "Utterance",
]

#: The nine cells of a picture cut 3 × 3, row by row.
POSITIONS = (
    "top-left corner", "top", "top-right corner",
    "left", "center", "right",
    "bottom-left corner", "bottom", "bottom-right corner",
)  # fmt: skip

EvidenceKind = Literal["neuron", "feature"]
FactKind = Literal["class", "probability", "versus", "layer", "concept", "neuron", "share", "positions", "coverage"]


@dataclass(frozen=True, slots=True)
class Region:
    """One connected set of pixels where a neuron is active, in pixels of the original picture.

    Attributes:
        area: Fraction of the whole picture, in (0, 1].
        bbox: (left, top, right, bottom) in pixels, right and bottom exclusive.
        centroid: (x, y) mean of the pixel centres; the centre of the first pixel is (0.5, 0.5).
        mean: Mean of the interpolated activation over the region's pixels.
        peak: Largest interpolated activation in the region.
        outline: Outer boundary: a closed polygon of (x, y) pixel corners, clockwise on screen, no point repeated.
        position: The one name that says best where it lies.
        cells: Fraction of the picture's area that the region covers in each of the nine `POSITIONS`; sums to `area`.
    """

    area: float
    bbox: tuple[int, int, int, int]
    centroid: tuple[float, float]
    mean: float
    peak: float
    outline: tuple[tuple[float, float], ...]
    position: str
    cells: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One neuron's, or one feature's, part in the decision.

    Attributes:
        neuron: Channel of the target layer, or index of the feature.
        concept: Words for the neuron; None where none is known or trusted, then the text gives its number.
        quality: Measured quality of the concept, as its table gives it; None when unknown.
        score: Signed contribution to the logit (or the difference of two logits).
        share: `score / Σ_j max(score_j, 0)` over all neurons, or over all features and the rest that no feature
            explains; negative for opposing evidence.
        supports: Whether it speaks for the class.
        positions: Where in the picture, as merged names (`"left half"`, `"top"`, …); empty when the map is zero.
        regions: Largest first.
        loosely: Words for a neuron without a trusted concept, of poor quality; told only as such ("loosely “animals”").
        kind: Is it a channel of the layer, or a learned direction?
    """

    neuron: int
    concept: str | None
    quality: float | None
    score: float
    share: float
    supports: bool
    positions: tuple[str, ...]
    regions: tuple[Region, ...]
    loosely: str | None = None
    kind: EvidenceKind = field(default="neuron", compare=False)  # not in the JSON yet


@dataclass(frozen=True, slots=True)
class Prediction:
    """A class as the classifier sees it: index, label, probability in [0, 1], and logit."""

    index: int
    label: str
    probability: float
    logit: float


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that the text must say, once.

    Attributes:
        id: `"class"`, `"probability"`, `"versus"`, `"layer"`, `"coverage"`, or `"evidence.<rank>.<kind>"` with kind
            `concept` (the words, or the neuron's number, and whether it speaks for or against), `neuron`, `share`,
            `positions`.
        kind: The last part of the id.
        rank: Index into `Meaning.evidence`, None for facts about the whole.
    """

    id: str
    kind: FactKind
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning representation: what will be said, no words yet.

    Attributes:
        target: The class that is explained (the winner unless another was asked for).
        versus: The class it is compared with, or None.
        evidence: In the order of telling: supporting by falling score, then opposing by rising score.
        coverage: Sum of the shares of the supporting evidence that is named, in [0, 1].
        layer: Name of the layer that the neurons belong to.
        style: Decides which facts are told; see `facts`.
        winner: Whether `target` is the network's own answer; False where the user asked about another class.
    """

    target: Prediction
    versus: Prediction | None
    evidence: tuple[Evidence, ...]
    coverage: float
    layer: str
    style: Style
    winner: bool = True

    @property
    def facts(self) -> tuple[Fact, ...]:
        """What the text must say in this style, in no particular order.

        `short`: class, versus, concepts, positions. `plain`: also the coverage, where there is supporting evidence.
        `expert`: also probability, layer, and each neuron's number and share.
        """
        kinds = tuple((item.concept is not None, bool(item.positions), item.supports) for item in self.evidence)
        return _facts(self.style, self.versus is not None, kinds)


@dataclass(frozen=True, slots=True)
class Span:
    """`text[start:end]` says the fact with this id; spans may cover several facts' words, e.g. a shared position."""

    start: int
    end: int
    fact: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """A text with the places where it says each fact.

    Attributes:
        text: One or more sentences.
        spans: Sorted by start; every fact of the meaning representation has at least one.
        verbalizer: Name of what wrote it, e.g. `"template"`.
        note: Why it was not the verbalizer that was asked for; empty when it was.
    """

    text: str
    spans: tuple[Span, ...]
    verbalizer: str
    note: str = ""


@lru_cache(maxsize=1024)
def _facts(style: str, versus: bool, evidence: tuple[tuple[bool, bool, bool], ...]) -> tuple[Fact, ...]:
    """`Meaning.facts`; of each piece of evidence: is its concept named, has it positions, does it support?"""
    expert = style == "expert"
    facts = [Fact("class", "class")]
    if expert:
        facts.append(Fact("probability", "probability"))
    if versus:
        facts.append(Fact("versus", "versus"))
    if expert and evidence:
        facts.append(Fact("layer", "layer"))
    for rank, (named, placed, _) in enumerate(evidence):
        kinds: list[FactKind] = ["concept"]
        if expert:
            # An unnamed neuron's number is its concept, and is not told twice.
            kinds += ["neuron", "share"] if named else ["share"]
        if placed:
            kinds.append("positions")
        facts += [Fact(f"evidence.{rank}.{kind}", kind, rank) for kind in kinds]
    if style != "short" and any(supports for *_, supports in evidence):
        facts.append(Fact("coverage", "coverage"))
    return tuple(facts)
