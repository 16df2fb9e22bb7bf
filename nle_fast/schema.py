"""The data that flows between the stages: frozen, without behaviour beyond reading.

    Region ─► Evidence ─► Meaning (facts) ─► Utterance (text, spans) ─► Explanation

A *neuron* is one channel of the target layer, a *position* one (y, x) of its map; a *pixel* belongs to a picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from nle_fast.config import Style
from nle_fast.facts import About, Fact, FactKind, Item, facts_of

__all__ = [
    "LANGUAGE",
    "PLACES",
    "POSITIONS",
    "Assumed",
    "Assumption",
    "Certainty",
    "Evidence",
    "EvidenceKind",
    "Fact",
    "FactKind",
    "Joined",
    "Meaning",
    "Prediction",
    "Region",
    "Span",
    "Told",
    "Utterance",
]

#: The nine cells of a picture cut 3 × 3, row by row.
POSITIONS = (
    "top-left corner", "top", "top-right corner",
    "left", "center", "right",
    "bottom-left corner", "bottom", "bottom-right corner",
)  # fmt: skip

#: Words for where a piece of evidence lies that are chosen from its outlined regions; at most two of them are said.
PLACES = (
    "left half", "right half", "upper half", "lower half", "middle",
    "upper left quarter", "upper right quarter", "lower left quarter", "lower right quarter",
    "most of the picture", "entire picture", "spread over the picture",
)  # fmt: skip

#: Version of the language: what texts say of a meaning representation, and in which words; that of the JSON.
LANGUAGE = 2

#: Below this share, positive or negative, what no feature explains is not told.
_TOLD = 0.02

EvidenceKind = Literal["neuron", "feature"]
Certainty = Literal["certain", "quite sure", "thinks", "guesses", "hesitates"]
Assumed = Literal["outputs", "preprocessing", "conventions"]


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
        judged: Whether the concept was judged on pictures; False: it is told with "perhaps".
        places: Where in the picture, as one or two of `PLACES`; empty: `positions` are told in their place.
        photos: Of a meaning representation about many pictures: in how many of them it is evidence; else None.
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
    kind: EvidenceKind = "neuron"
    judged: bool = True
    places: tuple[str, ...] = ()
    photos: int | None = None

    @property
    def where(self) -> tuple[str, ...]:
        """The places that are told."""
        return self.places or self.positions


@dataclass(frozen=True, slots=True)
class Prediction:
    """A class as the classifier sees it: index, label, probability in [0, 1], and logit."""

    index: int
    label: str
    probability: float
    logit: float


@dataclass(frozen=True, slots=True)
class Assumption:
    """What nobody told the engine about the network, and was assumed.

    Attributes:
        kind: `"outputs"`: they were taken as logits; `"preprocessing"`: pictures were prepared in the usual way;
            `"conventions"`: prepared in another usual way the picture would get another answer.
        label: That other answer; None for the other kinds.
    """

    kind: Assumed
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """Evidence that is one thing and is told once.

    Attributes:
        ranks: Indices into `Meaning.evidence`; of those with the words of the first, or like it without a name, only
            the first is told, on its side.
        places: Where all of it lies together, as one or two of `PLACES`; empty: the first tells where.
    """

    ranks: tuple[int, ...]
    places: tuple[str, ...] = ()


class Told(NamedTuple):
    """One piece of evidence as it is told.

    Attributes:
        rank: Index into `Meaning.evidence`.
        leader: Index of the piece with whose words and on whose side it is told: its own, or that of the first of its
            joined group, if that has the same words.
        supports: Side on which it is told.
        places: Where; those of its group.
    """

    rank: int
    leader: int
    supports: bool
    places: tuple[str, ...]


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
        answer: The network's own answer where `target` is another; None: it is not told.
        certainty: How sure the network is of its own answer, in a word; None: it is not told.
        runner_up: The class next to the network's answer; told where it `"hesitates"`.
        also: Other labels that are true at once, by falling probability.
        unexplained: Signed share of what no feature explains; 0 without features.
        joined: Pieces that are one thing.
        counted: Ranks of small pieces, of which only the number and the sum are told.
        rounded: Shares are told in steps of five percent, with "about".
        assumed: What had to be assumed about the network.
        seen: Fraction of the picture that the network saw, where it is told.
        photos: Of how many pictures all this tells; None: of one.
        language: Version of the texts; 1 is that of `nle-fast/1`, in which plain style told the numbers of neurons.
    """

    target: Prediction
    versus: Prediction | None
    evidence: tuple[Evidence, ...]
    coverage: float
    layer: str
    style: Style
    winner: bool = True
    answer: Prediction | None = None
    certainty: Certainty | None = None
    runner_up: Prediction | None = None
    also: tuple[Prediction, ...] = ()
    unexplained: float = 0.0
    joined: tuple[Joined, ...] = ()
    counted: tuple[int, ...] = ()
    rounded: bool = False
    assumed: tuple[Assumption, ...] = ()
    seen: float | None = None
    photos: int | None = None
    language: int = LANGUAGE

    @property
    def told(self) -> tuple[Told, ...]:
        """The evidence that is told, in the order of telling; what is only counted is left out."""
        if not (self.joined or self.counted):
            return tuple([Told(rank, rank, item.supports, item.where) for rank, item in enumerate(self.evidence)])
        within = {rank: group for group in self.joined for rank in group.ranks}
        found = []
        for rank, item in enumerate(self.evidence):
            if rank in self.counted:
                continue
            leader, places = rank, item.where
            if group := within.get(rank):
                first = self.evidence[group.ranks[0]]
                leader = group.ranks[0] if first.concept == item.concept else rank
                places = group.places or first.where
            found.append(Told(rank, leader, self.evidence[leader].supports, places))
        return tuple(found)

    @property
    def doubt(self) -> Certainty | None:
        """The word for how sure the network is; between two classes it hesitates only where the second can be told."""
        if self.certainty == "hesitates" and (self.runner_up is None or self.versus is not None or not self.winner):
            return "thinks" if (self.answer or self.target).probability >= 0.5 else "guesses"
        return self.certainty

    @property
    def facts(self) -> tuple[Fact, ...]:
        """What the text must say in this style, in no particular order.

        `short`: class, versus, concepts, positions. `plain`: also how sure the network is, the coverage where there is
        supporting evidence, the share of what has no name, what is only counted, what no feature explains, and what
        was assumed. `expert`: also probability, layer, and each neuron's number and share.
        """
        told, evidence = self.told, self.evidence
        both = {item.leader for item in told if self.joined and evidence[item.rank].supports != item.supports}
        about = About(
            versus=self.versus is not None,
            answer=self.answer is not None and not self.winner,
            certainty=self.certainty is not None and (self.winner or self.answer is not None),
            hesitates=self.doubt == "hesitates",
            also=len(self.also),
            unexplained=abs(self.unexplained) >= _TOLD,
            counted=bool(self.counted),
            assumed=len(self.assumed),
            seen=self.seen is not None,
            photos=self.photos is not None,
            language=self.language,
        )
        return facts_of(
            self.style,
            about,
            tuple(
                [
                    Item(rank, evidence[rank].concept is not None, bool(places), supports, rank in both)
                    for rank, _, supports, places in told
                ]
            ),
        )


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
