"""Faults in what is told of the whole; see `planting`."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from nle_fast.schema import Meaning
from nle_fast.verbalizers.language.words import is_plural, label_name
from training.verbalizer.words import random_label

__all__ = ["OF_THE_WHOLE", "nudged"]


def _label(rng: Random, meaning: Meaning) -> str | None:
    """A label that the meaning representation does not have."""
    label = random_label(rng)
    known = {meaning.target.label, *(what.label or "" for what in meaning.assumed)}
    known |= {
        other.label for other in (meaning.versus, meaning.answer, meaning.runner_up, *meaning.also) if other is not None
    }
    if is_plural(label_name(label)) or label_name(label) in {label_name(some) for some in known}:
        return None
    return label


def nudged(rng: Random, value: float) -> float:
    """Another fraction, by so much that it is another number."""
    return min(0.995, max(0.005, value + rng.choice((-1, 1)) * rng.uniform(0.015, 0.3)))


def _renamed(meaning: Meaning, rng: Random) -> Meaning | None:
    if meaning.versus is not None and rng.random() < 0.5:
        target = replace(meaning.versus, probability=meaning.target.probability)
        return replace(meaning, target=target, versus=meaning.target)
    if rng.random() < 0.2:
        if meaning.style == "short" or meaning.photos is not None:  # "Why zebra?" asks of any class
            return None
        return replace(meaning, winner=not meaning.winner)
    label = _label(rng, meaning)
    if label is None:
        return None
    if meaning.versus is not None and rng.random() < 0.3:
        return replace(meaning, versus=replace(meaning.versus, label=label))
    return replace(meaning, target=replace(meaning.target, label=label))


def _surer(meaning: Meaning, rng: Random) -> Meaning | None:
    """Another word for how sure the network is, another probability, another class next to the answer."""
    if "certainty" not in {fact.kind for fact in meaning.facts} and meaning.doubt != "hesitates":
        return None
    second, target = meaning.runner_up, meaning.target
    what = rng.randrange(4)
    if meaning.doubt == "hesitates" and second is not None and what < 2:
        if what:
            label = _label(rng, meaning)
            return label and replace(meaning, runner_up=replace(second, label=label))  # type: ignore[return-value]
        one, two = (
            replace(target, label=second.label, index=second.index),
            replace(second, label=target.label, index=target.index),
        )
        return replace(meaning, target=one, runner_up=two)
    if what == 2:
        if meaning.answer is not None:
            return replace(
                meaning,
                answer=replace(meaning.answer, probability=nudged(rng, meaning.answer.probability)),
            )
        return replace(meaning, target=replace(target, probability=nudged(rng, target.probability)))
    word = rng.choice([None, "certain", "quite sure", "thinks", "guesses", "hesitates"])
    return replace(meaning, certainty=word)  # type: ignore[arg-type]


def _answered(meaning: Meaning, rng: Random) -> Meaning | None:
    """Another answer of the network, or exchanged with the class that is explained."""
    told = meaning.answer
    if told is None or "answer" not in {fact.id for fact in meaning.facts}:
        return None
    what = rng.randrange(3)
    if what == 0:
        target = replace(meaning.target, label=told.label, index=told.index)
        return replace(
            meaning, target=target, answer=replace(told, label=meaning.target.label, index=meaning.target.index)
        )
    if what == 1:
        return replace(meaning, answer=replace(told, probability=nudged(rng, told.probability)))
    label = _label(rng, meaning)
    return None if label is None else replace(meaning, answer=replace(told, label=label))


def _further(meaning: Meaning, rng: Random) -> Meaning | None:
    """Another further answer, one more, or one less."""
    if not meaning.also:
        return None
    label = _label(rng, meaning)
    at = rng.randrange(len(meaning.also))
    what = rng.randrange(3)
    if what == 0:
        return replace(meaning, also=meaning.also[:at] + meaning.also[at + 1 :])
    if label is None:
        return None
    new = replace(meaning.also[at], label=label, index=77)
    return replace(meaning, also=(*meaning.also[:at], new, *meaning.also[at + (what == 1) :]))


def _explained(meaning: Meaning, rng: Random) -> Meaning | None:
    """Another share of what no feature explains, or on the other side."""
    value = meaning.unexplained
    if "unexplained" not in {fact.id for fact in meaning.facts}:
        return None if meaning.evidence and rng.random() < 0.8 else replace(meaning, unexplained=rng.uniform(0.05, 0.4))
    what = rng.randrange(3)
    if what == 0:
        return replace(meaning, unexplained=-value)
    if what == 1:
        return replace(meaning, unexplained=0.0)
    step = rng.uniform(0.06, 0.3)
    return replace(meaning, unexplained=value + step if value > 0 else value - step)


def _looked(meaning: Meaning, rng: Random) -> Meaning | None:
    """More or less of the picture that was seen."""
    if meaning.seen is None:
        return replace(meaning, seen=0.2) if rng.random() < 0.1 else None
    what = rng.randrange(4)
    return replace(meaning, seen=None if what == 0 else nudged(rng, meaning.seen))


def _presumed(meaning: Meaning, rng: Random) -> Meaning | None:
    """Something else that was assumed, or nothing."""
    if not meaning.assumed:
        return None
    what, *_ = meaning.assumed
    label = _label(rng, meaning)
    if rng.random() < 0.25 or label is None:
        return replace(meaning, assumed=())
    if what.kind == "conventions" and rng.random() < 0.6:
        return replace(meaning, assumed=(replace(what, label=label),))
    kinds = [kind for kind in ("outputs", "preprocessing", "conventions") if kind != what.kind]
    kind = rng.choice(kinds)
    return replace(meaning, assumed=(replace(what, kind=kind, label=label if kind == "conventions" else None),))


#: Kind of a fault → how it is planted.
OF_THE_WHOLE = {
    "class": _renamed, "certainty": _surer, "answer": _answered, "also": _further, "unexplained": _explained,
    "seen": _looked, "assumed": _presumed,
}  # fmt: skip
