"""The certificate of one explanation: what masking its named neurons does to this very picture, beside chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers import Classifier, remove_neurons
from nle_fast.schema import Meaning, Prediction, Span

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
        neurons: The supporting neurons that the text names: all of them are masked at once.
        logit_drop: How far the logit falls without them.
        claimed_drop: The sum of their scores: what the explanation says they contribute. Equal to `logit_drop` where
            the head is pooling and a linear map.
        probability_drop: How far the probability of the explained class falls.
        flips: Whether another class wins.
        random_logit_drop: Mean over the random sets of as many neurons of the layer, all neurons with equal chance.
        random_largest: The largest logit drop of a random set.
        draws: Number of random sets.
        beaten: How many of them lower the logit by less than the named neurons do.
        seed: Of the random sets.
        coverage: Share of all support that the named neurons make up.
        facts: Number of facts that the text must say.
        facts_checked: How many of them the check found in it, said once and rightly.
        text: All this in words.
    """

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
    text: str


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
    named = tuple(item.neuron for item in meaning.evidence if item.supports)
    target, versus = meaning.target, meaning.versus
    asked = (target.index,) if versus is None else (target.index, versus.index)
    others = _random_sets(classifier.num_neurons, len(named))
    removed = remove_neurons(classifier, activations, named, others, asked, class_maps)
    after = removed.named
    fall = _drop(meaning, [float(after[index]) for index in asked])
    random_falls = [_drop(meaning, other) for other in removed.others.tolist()]
    winner = int(after.argmax())
    powers = np.exp(np.subtract(after, after[winner], dtype=np.float64))
    probability = float(powers[target.index]) / float(np.add.reduce(powers))
    facts = {fact.id for fact in meaning.facts}
    figures: dict[str, Any] = {
        "neurons": named,
        "logit_drop": fall,
        "claimed_drop": float(sum(item.score for item in meaning.evidence if item.supports)),
        "probability_drop": target.probability - probability,
        "flips": winner != prediction.index,
        "random_logit_drop": sum(random_falls) / DRAWS,
        "random_largest": max(random_falls),
        "draws": DRAWS,
        "beaten": sum(other < fall for other in random_falls),
        "seed": SEED,
        "coverage": meaning.coverage,
        "facts": len(facts),
        "facts_checked": len(facts & {span.fact for span in spans}),
    }
    return Certificate(**figures, text=_words(figures, meaning))


def _drop(meaning: Meaning, after: list[float]) -> float:
    """How far the explained logit falls, minus that of the rival; `after` masking they are so."""
    fall = meaning.target.logit - after[0]
    return fall if meaning.versus is None else fall - (meaning.versus.logit - after[1])


@lru_cache(maxsize=256)
def _random_sets(neurons: int, count: int) -> NDArray[np.int64]:
    """(DRAWS, count) different neurons in each row; the same sets for every picture."""
    sets = np.random.default_rng(SEED).random((DRAWS, neurons)).argsort(1)[:, :count]
    sets.flags.writeable = False
    return sets


def _words(figures: dict[str, Any], meaning: Meaning) -> str:
    label, count = meaning.target.label, len(figures["neurons"])
    facts = f"{figures['facts_checked']} of {figures['facts']} facts of the text were checked."
    if not count:
        return f"No neuron is named in support of “{label}”, so nothing was masked. {facts}"
    what = f"the logit of “{label}”"
    if meaning.versus is not None:
        what += f" minus that of “{meaning.versus.label}”"
    neurons = "the named neuron" if count == 1 else f"the {count} named neurons"
    probability = meaning.target.probability
    answer = "and another class wins" if figures["flips"] else "and the answer stays"
    after = max(probability - figures["probability_drop"], 0)
    return (
        f"Without {neurons}, {what} falls by {figures['logit_drop']:.2f} "
        f"(their scores add up to {figures['claimed_drop']:.2f}), the probability goes from {100 * probability:.1f} % "
        f"to {100 * after:.1f} %, {answer}. {figures['draws']} random sets of as many neurons lower the logit by "
        f"{figures['random_logit_drop']:.2f} on average and {figures['random_largest']:.2f} at most; "
        f"{figures['beaten']} of {figures['draws']} do less than the named. "
        f"The named neurons make up {100 * figures['coverage']:.0f} % of all support. {facts}"
    )
