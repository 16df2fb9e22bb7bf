"""The certificate of one explanation: what masking its named neurons does to this very picture, beside chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers import Classifier, of_neurons, remove_neurons
from nle_fast.classifiers.base import as_numpy
from nle_fast.ops import find_winner
from nle_fast.schema import EvidenceKind, Meaning, Prediction, Span

__all__ = ["Certificate", "measure_certificate"]

#: Random sets that the named neurons are compared with.
DRAWS = 16
SEED = 0


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was measured on this picture to hold the explanation to account.

    Masked means zeroed at the layer, and the head run again or its closed form, see `remove_neurons`. Logit drops are
    of the explained class, minus those of the class it is compared with, if any.

    Attributes:
        target: Label of the explained class.
        versus: Label of the class it is compared with, or None.
        probability: Of the explained class, nothing masked.
        neurons: The supporting neurons that the text names, not those that it only counts: all are masked at once.
        logit_drop: How far the logit falls without them.
        claimed_drop: The sum of their scores: what the explanation says they contribute. Equal to `logit_drop` where
            the head is pooling and a linear map.
        probability_drop: How far the probability of the explained class falls.
        flips: Whether another class wins.
        random_logit_drop: Mean over the random sets of as many neurons of the layer, all neurons with equal chance. Of
            features, of which few are active, every second set is drawn from those that are active on the picture.
        random_largest: The largest logit drop of a random set.
        draws: Number of random sets.
        beaten: How many of them lower the logit by less than the named neurons do.
        seed: Of the random sets.
        coverage: Share of all support that the named neurons make up.
        facts: Number of facts that the text must say.
        facts_checked: How many of them the check found in it, said once and rightly.
        kind: What was masked: channels of the layer, or features.
    """

    target: str
    versus: str | None
    probability: float
    neurons: tuple[int, ...]
    logit_drop: float
    claimed_drop: float
    probability_drop: float
    flips: bool
    random_logit_drop: float
    random_largest: float
    draws: int
    beaten: int
    seed: int
    coverage: float
    facts: int
    facts_checked: int
    kind: EvidenceKind = "neuron"

    @property
    def text(self) -> str:
        """All this in words."""
        count = len(self.neurons)
        facts = f"{self.facts_checked} of {self.facts} facts of the text were checked."
        if not count:
            return f"No {self.kind} is named in support of “{self.target}”, so nothing was masked. {facts}"
        what = f"the logit of “{self.target}”"
        if self.versus is not None:
            what += f" minus that of “{self.versus}”"
        kinds = f"{self.kind}s"
        neurons = f"the named {self.kind}" if count == 1 else f"the {count} named {kinds}"
        answer = "and another class wins" if self.flips else "and the answer stays"
        after = max(self.probability - self.probability_drop, 0)
        return (
            f"Without {neurons}, {what} falls by {self.logit_drop:.2f} "
            f"(their scores add up to {self.claimed_drop:.2f}), the probability goes from "
            f"{100 * self.probability:.1f} % to {100 * after:.1f} %, {answer}. "
            f"{self.draws} random sets of as many {kinds} lower the logit by {self.random_logit_drop:.2f} on average "
            f"and {self.random_largest:.2f} at most; {self.beaten} of {self.draws} do less than the named. "
            f"The named {kinds} make up {100 * self.coverage:.0f} % of all support. {facts}"
        )


def measure_certificate(
    classifier: Classifier,
    activations: Any,
    prediction: Prediction,
    meaning: Meaning,
    spans: Sequence[Span],
    class_maps: Any = None,
) -> Certificate:
    """Mask what an explanation names, and random sets of as many neurons.

    Args:
        classifier: The one that was explained.
        activations: (1, C, H, W) of the picture.
        prediction: The winner.
        meaning: What the text says.
        spans: Where the text says which fact; `verbalizers.speak` lets no text pass whose facts it has not checked.
        class_maps: As of `remove_neurons`.

    Raises:
        ModelError: The head fails on masked activations.

    Source: this project; the effect is that of method.md, beside the control that the published figure lacks.
    """
    told = [meaning.evidence[item.rank] for item in meaning.told]
    support = [item for item in told if item.supports]
    named = tuple([item.neuron for item in support])
    target, versus = meaning.target, meaning.versus
    asked = {target.index: target.logit} if versus is None else {target.index: target.logit, versus.index: versus.logit}
    others = _random_sets(classifier.num_neurons, len(named))
    if getattr(classifier, "num_rest", 0):
        others = _among_active(others, of_neurons(classifier, activations))
    removed = remove_neurons(classifier, activations, named, others, asked, class_maps)
    after = removed.named
    winner, probability = find_winner(after, target.index)
    (fall,) = _falls(asked, [[float(after[index]) for index in asked]])
    random_falls = _falls(asked, removed.others.tolist())
    facts, said = meaning.facts, {span.fact for span in spans}
    return Certificate(
        target=target.label,
        versus=None if versus is None else versus.label,
        probability=target.probability,
        neurons=named,
        logit_drop=fall,
        claimed_drop=float(sum([item.score for item in support])),
        probability_drop=target.probability - probability,
        flips=winner != prediction.index,
        random_logit_drop=sum(random_falls) / DRAWS,
        random_largest=max(random_falls),
        draws=DRAWS,
        beaten=sum([other < fall for other in random_falls]),
        seed=SEED,
        coverage=meaning.coverage,
        facts=len(facts),
        facts_checked=sum([fact.id in said for fact in facts]),
        kind=meaning.evidence[0].kind if meaning.evidence else "neuron",
    )


def _falls(asked: dict[int, float], after: list[list[float]]) -> list[float]:
    """How far the explained logit falls, minus that of the rival; each of `after` has what masking leaves of them."""
    before = list(asked.values())
    if len(before) == 1:
        return [before[0] - logit for (logit,) in after]
    return [(before[0] - logit) - (before[1] - rival) for logit, rival in after]


def _among_active(sets: NDArray[np.int64], maps: Any) -> NDArray[np.int64]:
    """The random sets, every second drawn anew among the neurons that are not zero everywhere on this picture."""
    active = np.flatnonzero(as_numpy((maps[0] != 0).any(-1).any(-1)))
    if len(active) <= sets.shape[1]:
        return sets
    drawn = sets.copy()
    drawn[::2] = active[_random_sets(len(active), sets.shape[1])[::2]]
    return drawn


@lru_cache(maxsize=256)
def _random_sets(neurons: int, count: int) -> NDArray[np.int64]:
    """(DRAWS, count) different neurons in each row; the same sets for every picture."""
    sets = np.random.default_rng(SEED).random((DRAWS, neurons)).argsort(1)[:, :count]
    sets = np.ascontiguousarray(sets)
    sets.flags.writeable = False
    return sets
