"""Random meaning representations, and correct texts about them: paths of the lattice, and wordings far richer than it.

random_meaning(rng) ─► Meaning ─► write(meaning, rng, n) ─► n texts, each of which says each fact once

Everything follows from the state of the `random.Random` that is given: the same seed makes the same corpus.
"""

from __future__ import annotations

from random import Random

from nle_fast.config import Style
from nle_fast.ops.positions import merge_positions
from nle_fast.schema import Evidence, Meaning, Prediction
from nle_fast.verbalizers.grammar.lattice import Lattice
from nle_fast.verbalizers.language.words import label_name
from training.verbalizer.sentences import free_text
from training.verbalizer.words import LAYERS, random_concept, random_label

__all__ = ["lattice_text", "random_meaning", "write"]

_STYLES: tuple[Style, ...] = ("plain", "plain", "plain", "expert", "expert", "short", "short")
_SIZES = (0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 5, 6)
_NEIGHBORS = tuple(tuple(o for o in range(9) if abs(o // 3 - c // 3) + abs(o % 3 - c % 3) == 1) for c in range(9))


def random_meaning(rng: Random, style: Style | None = None) -> Meaning:
    """A meaning representation as the pipeline makes them, with all its oddities more often than it has them.

    Up to six pieces of evidence; shared positions and concepts, unnamed neurons, evidence for, against, or both,
    coverage from nothing to all, classes that are compared, classes that are not the network's answer.

    Example:
        >>> meaning = random_meaning(Random(3))
        >>> meaning == random_meaning(Random(3)), 0 <= meaning.coverage <= 1
        (True, True)
    """
    size = rng.choice(_SIZES)
    against = 0 if rng.random() < 0.5 else min(size, rng.choice((1, 1, 1, 2, 2, 3)))
    if against == size and rng.random() < 0.8:
        against = size // 2
    shares = _shares(rng, size - against)
    smallest = shares[-1] if shares else 0.3
    opposing = sorted(-_rounded(rng.uniform(0.01, max(0.02, 1.2 * smallest))) for _ in range(against))
    neurons = rng.sample(range(rng.choice((48, 512, 2048))), size)
    evidence: list[Evidence] = []
    for neuron, share in zip(neurons, shares + opposing, strict=True):
        evidence.append(_evidence(rng, neuron, share, evidence))
    label, other = random_label(rng), random_label(rng)
    while label_name(other) == label_name(label):
        other = random_label(rng)
    target = Prediction(340, label, rng.choice((rng.uniform(0.5, 1), rng.uniform(0, 1), 0.9996, 0.0004)), 9.0)
    return Meaning(
        target,
        Prediction(1, other, 0.02, 3.0) if rng.random() < 0.3 else None,
        tuple(evidence),
        min(1.0, sum(shares)),
        rng.choice(LAYERS),
        style or rng.choice(_STYLES),
        winner=rng.random() < 0.85,
    )


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


def _evidence(rng: Random, neuron: int, share: float, before: list[Evidence]) -> Evidence:
    concept: str | None = random_concept(rng)
    loosely = None
    if rng.random() < 0.12:
        concept = None
        loosely = random_concept(rng) if rng.random() < 0.4 else None
    elif before and rng.random() < 0.08:
        concept = rng.choice(before).concept
    if before and rng.random() < 0.25:
        positions = rng.choice(before).positions
    else:
        positions = _positions(rng)
    return Evidence(neuron, concept, None, share * 10, share, share > 0, positions, (), loosely)


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
