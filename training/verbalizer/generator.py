"""Random meaning representations, and correct texts about them: paths of the lattice, and wordings far richer than it.

random_meaning(rng) ─► Meaning ─► write(meaning, rng, n) ─► n texts, each of which says each fact once

Everything follows from the state of the `random.Random` that is given: the same seed makes the same corpus.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from nle_fast.config import Style
from nle_fast.ops.positions import merge_positions
from nle_fast.schema import PLACES, Assumption, Certainty, Evidence, Joined, Meaning, Prediction
from nle_fast.verbalizers.grammar.lattice import Lattice
from nle_fast.verbalizers.language.words import label_name
from training.verbalizer.real import real_meanings
from training.verbalizer.sentences import free_text
from training.verbalizer.words import LAYERS, random_borrowed, random_concept, random_label, random_vote

__all__ = ["lattice_text", "random_meaning", "write"]

_STYLES: tuple[Style, ...] = ("plain", "plain", "plain", "expert", "expert", "short", "short")
_SIZES = (0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 5, 6)
_REAL = 0.4  # share of those that real photos gave
_NEIGHBORS = tuple(tuple(o for o in range(9) if abs(o // 3 - c // 3) + abs(o % 3 - c % 3) == 1) for c in range(9))


def random_meaning(rng: Random, style: Style | None = None) -> Meaning:
    """A meaning representation as the pipeline makes them, with all its oddities more often than it has them.

    Up to six pieces of evidence; shared positions and concepts, unnamed neurons, evidence for, against, or both,
    coverage from nothing to all, classes that are compared, classes that are not the network's answer; words by votes
    and borrowed ones; doubt, several answers, pieces that are joined or only counted, what no feature explains, what
    was assumed, many pictures.

    Example:
        >>> meaning = random_meaning(Random(3))
        >>> meaning == random_meaning(Random(3)), 0 <= meaning.coverage <= 1
        (True, True)
    """
    if rng.random() < _REAL:
        return _as_real(rng, style or rng.choice(_STYLES))
    size = rng.choice(_SIZES)
    against = 0 if rng.random() < 0.5 else min(size, rng.choice((1, 1, 1, 2, 2, 3)))
    if against == size and rng.random() < 0.8:
        against = size // 2
    shares = _shares(rng, size - against)
    smallest = shares[-1] if shares else 0.3
    opposing = sorted(-_rounded(rng.uniform(0.01, max(0.02, 1.2 * smallest))) for _ in range(against))
    neurons = rng.sample(range(rng.choice((48, 512, 2048))), size)
    reading = _Reading.random(rng)
    evidence: list[Evidence] = []
    for neuron, share in zip(neurons, shares + opposing, strict=True):
        evidence.append(reading.evidence(rng, neuron, share, evidence))
    label, *others = _different_labels(rng, 5)
    target = Prediction(340, label, rng.choice((rng.uniform(0.5, 1), rng.uniform(0, 1), 0.9996, 0.0004)), 9.0)
    counted = tuple(rank for rank, item in enumerate(evidence) if abs(item.share) < 0.02 and rank and reading.counts)
    coverage = sum(item.share for rank, item in enumerate(evidence) if item.supports and rank not in counted)
    meaning = Meaning(
        target,
        Prediction(1, others[0], 0.02, 3.0) if rng.random() < 0.25 else None,
        tuple(evidence),
        min(1.0, coverage),
        rng.choice(LAYERS),
        style or rng.choice(_STYLES),
        winner=rng.random() < 0.85,
        counted=counted,
        joined=_joined(rng, evidence, counted) if rng.random() < 0.2 else (),
        unexplained=_unexplained(rng, coverage) if reading.features else 0.0,
        rounded=rng.random() < 0.12,
    )
    if rng.random() < 0.06:
        return _of_many(rng, meaning)
    return _doubtful(rng, meaning, others[1:]) if rng.random() < 0.75 else meaning


def _as_real(rng: Random, style: Style) -> Meaning:
    """That of a real photo, in any style, in half the cases without what speaks against it."""
    meaning = rng.choice(real_meanings())
    counted = meaning.counted if style != "expert" else ()
    joined = meaning.joined if style != "expert" else ()
    if rng.random() < 0.5:
        evidence = tuple(item for item in meaning.evidence if item.supports)  # these come first, so ranks stay
        counted = tuple(rank for rank in counted if rank < len(evidence))
        groups = (tuple(rank for rank in group.ranks if rank < len(evidence)) for group in joined)
        joined = tuple(
            Joined(ranks, group.places) for ranks, group in zip(groups, joined, strict=True) if len(ranks) > 1
        )
        meaning = replace(meaning, evidence=evidence)
    supporting = [item.share for rank, item in enumerate(meaning.evidence) if item.supports and rank not in counted]
    coverage = min(1.0, sum(supporting))
    return replace(meaning, style=style, counted=counted, joined=joined, coverage=coverage, rounded=rng.random() < 0.1)


def _different_labels(rng: Random, count: int) -> list[str]:
    found: dict[str, str] = {}
    while len(found) < count:
        label = random_label(rng)
        found.setdefault(label_name(label), label)
    return list(found.values())


@dataclass(frozen=True)
class _Reading:
    """What the evidence of one network is like."""

    features: bool
    kind: str  # of its words: "masks", "votes", "borrowed", "mixed"
    zones: bool  # places are chosen from regions
    counts: bool  # small pieces are only counted
    unnamed: float

    @staticmethod
    def random(rng: Random) -> _Reading:
        kind = rng.choice(("masks", "masks", "masks", "votes", "votes", "votes", "mixed", "borrowed"))
        features = kind != "masks" and rng.random() < 0.7
        unnamed = rng.choice((0.1, 0.1, 0.35))
        return _Reading(features, kind, rng.random() < 0.7, rng.random() < 0.6, unnamed)

    def evidence(self, rng: Random, neuron: int, share: float, before: list[Evidence]) -> Evidence:
        """One piece, which may be like those before it."""
        kind = rng.choice(("masks", "votes", "borrowed")) if self.kind == "mixed" else self.kind
        concept: str | None = {"masks": random_concept, "votes": random_vote, "borrowed": random_borrowed}[kind](rng)
        loosely = None
        if rng.random() < self.unnamed:
            concept = None
            loosely = random_concept(rng) if rng.random() < 0.4 else None
        elif before and rng.random() < 0.08:
            concept = rng.choice(before).concept
        places: tuple[str, ...] = ()
        if before and rng.random() < 0.25:
            like = rng.choice(before)
            positions, places = like.positions, like.places
        else:
            positions = _positions(rng)
            if self.zones and positions:
                places = _zones(rng)
        judged = kind != "votes" or rng.random() < 0.9
        return Evidence(
            neuron, concept, None, share * 10, share, share > 0, positions, (), loosely,
            "feature" if self.features else "neuron", judged, places,
        )  # fmt: skip


def _zones(rng: Random) -> tuple[str, ...]:
    if rng.random() < 0.25:
        return (rng.choice(PLACES[-3:]),)
    return tuple(rng.sample(PLACES[:-3], rng.choice((1, 1, 1, 2))))


def _joined(rng: Random, evidence: list[Evidence], counted: tuple[int, ...]) -> tuple[Joined, ...]:
    """Two pieces that are one thing; in some cases with the same words."""
    ranks = [rank for rank in range(len(evidence)) if rank not in counted]
    if len(ranks) < 2:
        return ()
    one, two = sorted(rng.sample(ranks, 2))
    if evidence[one].concept is None and evidence[one].supports != evidence[two].supports:
        return ()
    if rng.random() < 0.7:
        evidence[two] = replace(evidence[two], concept=evidence[one].concept, judged=evidence[one].judged)
    return (Joined((one, two), _zones(rng) if evidence[one].places and rng.random() < 0.7 else ()),)


def _unexplained(rng: Random, coverage: float) -> float:
    if rng.random() < 0.15:
        return -round(rng.uniform(0.006, 0.2), 4)
    return round(rng.uniform(0.0, max(0.05, 1 - coverage)), 4)


def _doubtful(rng: Random, meaning: Meaning, labels: list[str]) -> Meaning:
    """With how sure the network is of its answer, and what else there is to say about it."""
    top = meaning.target.probability if meaning.winner else rng.uniform(0.2, 1)
    certainty: Certainty = "certain" if top >= 0.95 else "quite sure" if top >= 0.8 else "thinks"
    certainty = "guesses" if top < 0.5 else certainty
    second = Prediction(7, labels[0], min(top, 1 - top) * rng.uniform(0.1, 1), 5.0)
    if meaning.winner and meaning.versus is None and second.probability >= 0.6 * top:
        certainty = "hesitates"
    several = rng.random() < 0.08
    odds = rng.random()
    assumed: tuple[Assumption, ...] = ()
    if odds < 0.12:
        what = (Assumption("outputs"), Assumption("preprocessing"), Assumption("conventions", labels[2]))
        assumed = (rng.choice(what),)
    target = meaning.target if meaning.winner else replace(meaning.target, probability=min(1 - top, 0.4))
    return replace(
        meaning,
        target=target,
        answer=None if meaning.winner or rng.random() < 0.2 else Prediction(8, labels[1], top, 9.5),
        certainty=certainty,
        runner_up=second,
        also=tuple(Prediction(9 + i, label, 0.6, 1.0) for i, label in enumerate(labels[1:3])) if several else (),
        assumed=assumed,
        seen=rng.choice((None, None, None, None, round(rng.uniform(0.05, 0.5), 3))),
    )


def _of_many(rng: Random, meaning: Meaning) -> Meaning:
    photos = rng.choice((12, 50, 120, 1300))
    evidence = tuple(replace(item, photos=rng.randrange(1, photos + 1)) for item in meaning.evidence)
    return replace(meaning, evidence=evidence, photos=photos, winner=True, joined=())


def _rounded(share: float) -> float:
    return max(0.0004, round(share, 4))


def _shares(rng: Random, size: int) -> list[float]:
    """Falling shares; their sum is anything between a few percent and all."""
    if not size:
        return []
    weights = sorted((rng.expovariate(1) + 0.05 for _ in range(size)), reverse=True)
    if rng.random() < 0.3:
        weights[0] += 2 * sum(weights)  # one reason that leads
    coverage = rng.choice((rng.uniform(0.02, 0.25), rng.uniform(0.2, 0.6), rng.uniform(0.4, 0.95), rng.random()))
    return [_rounded(coverage * weight / sum(weights)) for weight in weights]


def _positions(rng: Random) -> tuple[str, ...]:
    """Names of a patch of neighboring cells, or of two; in a few cases of none."""
    if rng.random() < 0.06:
        return ()
    mask = 0
    for _ in range(2 if rng.random() < 0.15 else 1):
        cell = 4 if rng.random() < 0.3 else rng.randrange(9)
        mask |= 1 << cell
        for _ in range(rng.choice((0, 0, 0, 0, 0, 1, 1, 2, 2, 6))):
            cell = rng.choice(_NEIGHBORS[cell])
            mask |= 1 << cell
    return merge_positions(mask)


def lattice_text(lattice: Lattice, rng: Random) -> str:
    """The text of a random path, which the template's options do not rule."""
    text, _ = lattice.choose(lambda options: rng.randrange(len(options)))
    return text


def write(meaning: Meaning, rng: Random, n: int, lattice: Lattice | None = None) -> list[str]:
    """Different correct texts of one meaning representation, good ones and clumsy ones.

    Args:
        meaning: What they say.
        rng: Chooses.
        n: At most so many, ≥ 1; fewer where no more are found.
        lattice: Half of the texts are its random paths; None: all are free.
    """
    texts: dict[str, None] = {}
    for attempt in range(4 * n):
        if lattice is not None and attempt % 2:
            texts[lattice_text(lattice, rng)] = None
        else:
            texts[free_text(meaning, rng)] = None
        if len(texts) == n:
            break
    return list(texts)
