"""Plants faults in texts, and measures what the checker makes of them.

A fault is planted in the facts, which are then told by the same writer in the same manner, or directly in the text. It
is one only if what the text says differs from what the facts are: to swap two equal positions changes nothing.

    python -m training.verbalizer.faults        # 5,000 faults and 5,000 paraphrases ─► results/checker.json
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from nle_fast.schema import Evidence, Meaning
from nle_fast.verbalizers import check
from nle_fast.verbalizers.grammar import lattice_of
from nle_fast.verbalizers.language.phrases import Name, names_of, percent
from nle_fast.verbalizers.language.words import is_plural, label_name
from training.verbalizer.generator import lattice_text, random_meaning
from training.verbalizer.sentences import free_text
from training.verbalizer.words import random_concept, random_label

__all__ = ["KINDS", "Fault", "Figures", "measure", "plant_fault", "random_fault", "random_paraphrase"]

#: Kinds of faults.
KINDS = ("dropped", "position", "number", "flipped", "invented", "class", "neuron", "repeated")

Writer = Callable[[Meaning], str]
_PLACES = ("top", "bottom", "left", "right", "center", "lower half", "top-left corner", "entire left")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?=%| percent)")
_END = re.compile(r"(?<=[.?]) (?=[A-Z])")


class Fault(NamedTuple):
    """A text that says something else than `meaning`, and in what."""

    text: str
    kind: str
    meaning: Meaning


def random_paraphrase(rng: Random) -> tuple[Meaning, str]:
    """A correct text that is no path of the lattice."""
    while True:
        meaning = random_meaning(rng)
        text = free_text(meaning, rng)
        if text != lattice_of(meaning).first()[0]:
            return meaning, text


def random_fault(rng: Random, kind: str | None = None) -> Fault:
    """A fault in a text of the lattice or in a free one, half and half."""
    while True:
        meaning = random_meaning(rng)
        seed = rng.random()
        write: Writer
        if rng.random() < 0.5:
            write = lambda some, seed=seed: lattice_text(lattice_of(some), Random(seed))  # type: ignore[misc]  # noqa: E731
        else:
            write = lambda some, seed=seed: free_text(some, Random(seed))  # type: ignore[misc]  # noqa: E731
        fault = plant_fault(write, meaning, rng, kind)
        if fault is not None:
            return fault


def plant_fault(write: Writer, meaning: Meaning, rng: Random, kind: str | None = None) -> Fault | None:
    """A faulty text about a meaning representation.

    Args:
        write: Tells any meaning representation, in one manner.
        meaning: What the text should say.
        rng: Chooses.
        kind: One of `KINDS`; None: any.

    Returns:
        The fault; None where this kind is not possible here, or what came out says the same.
    """
    kind = kind or rng.choice(KINDS)
    if kind == "repeated":
        text = _repeated(write(meaning), rng)
        return Fault(text, kind, meaning) if text else None
    if kind == "number" and rng.random() < 0.5:
        text = _renumbered(write(meaning), rng)
        return Fault(text, kind, meaning) if text else None
    other = {
        "dropped": _dropped, "position": _moved, "number": _recounted, "flipped": _flipped, "invented": _invented,
        "class": _renamed, "neuron": _rewired,
    }[kind](meaning, rng)  # fmt: skip
    if other is None or _says(other) == _says(meaning):
        return None
    return Fault(write(other), kind, meaning)


def _says(meaning: Meaning) -> tuple[object, ...]:
    """What a text in this style says, so that two that say the same are equal."""
    names = names_of(meaning)
    kinds = {fact.kind for fact in meaning.facts}
    evidence: dict[object, object] = {}
    for item, name in zip(meaning.evidence, names.concepts, strict=True):
        key = (name.key if name else item.neuron, item.supports)
        if meaning.style == "expert":
            evidence[key, item.neuron] = (item.positions, percent(item.share, 1))
        else:
            evidence[key] = frozenset(item.positions) | evidence.get(key, frozenset())  # type: ignore[operator]
    return (
        names.target.key, names.versus and names.versus.key, meaning.winner, frozenset(evidence.items()),
        percent(meaning.coverage, int(meaning.style == "expert")) if "coverage" in kinds else None,
        percent(meaning.target.probability, 1) if "probability" in kinds else None,
    )  # fmt: skip


def _with(meaning: Meaning, rank: int, **changes: Any) -> Meaning:
    items = list(meaning.evidence)
    items[rank] = replace(items[rank], **changes)
    return replace(meaning, evidence=tuple(items))


def _dropped(meaning: Meaning, rng: Random) -> Meaning | None:
    if not meaning.evidence:
        return None if meaning.versus is None else replace(meaning, versus=None)
    rank = rng.randrange(len(meaning.evidence))
    what = rng.randrange(4)
    if what == 0 and meaning.versus is not None:
        return replace(meaning, versus=None)
    if what == 1 and meaning.evidence[rank].positions:
        positions = list(meaning.evidence[rank].positions)
        positions.pop(rng.randrange(len(positions)))
        return _with(meaning, rank, positions=tuple(positions))
    return replace(meaning, evidence=meaning.evidence[:rank] + meaning.evidence[rank + 1 :])


def _moved(meaning: Meaning, rng: Random) -> Meaning | None:
    placed = [rank for rank, item in enumerate(meaning.evidence) if item.positions]
    if not placed:
        return None
    one = rng.choice(placed)
    others = [rank for rank in placed if set(meaning.evidence[rank].positions) != set(meaning.evidence[one].positions)]
    if others and rng.random() < 0.5:
        two = rng.choice(others)
        swapped = _with(meaning, one, positions=meaning.evidence[two].positions)
        return _with(swapped, two, positions=meaning.evidence[one].positions)
    positions = list(meaning.evidence[one].positions)
    positions[rng.randrange(len(positions))] = rng.choice([name for name in _PLACES if name not in positions])
    return _with(meaning, one, positions=tuple(positions))


def _recounted(meaning: Meaning, rng: Random) -> Meaning | None:
    step = rng.choice((-1, 1)) * rng.uniform(0.015, 0.3)
    ranks = range(len(meaning.evidence))
    what = rng.randrange(3)
    if meaning.style == "expert" and what == 0:
        value = min(0.995, max(0.005, meaning.target.probability + step))
        return replace(meaning, target=replace(meaning.target, probability=value))
    if meaning.style == "expert" and what == 1 and ranks:
        rank = rng.choice(ranks)
        share = meaning.evidence[rank].share * (1.1 + abs(step))
        return _with(meaning, rank, share=share)
    return replace(meaning, coverage=min(0.995, max(0.005, meaning.coverage + step)))


def _flipped(meaning: Meaning, rng: Random) -> Meaning | None:
    if not meaning.evidence:
        return None
    rank = rng.randrange(len(meaning.evidence))
    item = meaning.evidence[rank]
    changed = _with(meaning, rank, supports=not item.supports, share=-item.share)
    return replace(changed, evidence=tuple(sorted(changed.evidence, key=lambda other: -other.supports)))


def _invented(meaning: Meaning, rng: Random) -> Meaning | None:
    known = {name.key for name in names_of(meaning).concepts if name} | {names_of(meaning).target.key}
    concept = random_concept(rng)
    neuron = 5000 + rng.randrange(1000)
    new = Evidence(neuron, concept, None, 0.1, 0.01, True, rng.choice((("top",), (), ("center",))), ())
    other = replace(meaning, evidence=(new, *meaning.evidence))
    name = names_of(other).concepts[0]
    if name is None or name.key in known or any(_alike(name, old) for old in names_of(meaning).concepts if old):
        return None
    place = rng.randrange(sum(item.supports for item in meaning.evidence) + 1)
    if rng.random() < 0.3 and meaning.evidence:  # instead of another one
        return _with(meaning, rng.randrange(len(meaning.evidence)), concept=concept)
    return replace(meaning, evidence=(*meaning.evidence[:place], new, *meaning.evidence[place:]))


def _alike(one: Name, two: Name) -> bool:
    """Whether one is the other in another number."""
    return bool({*one.forms, *one.variants} & {*two.forms, *two.variants})


def _renamed(meaning: Meaning, rng: Random) -> Meaning | None:
    if meaning.versus is not None and rng.random() < 0.5:
        target = replace(meaning.versus, probability=meaning.target.probability)
        return replace(meaning, target=target, versus=meaning.target)
    if rng.random() < 0.2:
        if meaning.style == "short":  # "Why zebra?" asks of any class
            return None
        return replace(meaning, winner=not meaning.winner)
    label = random_label(rng)
    if label_name(label) == label_name(meaning.target.label) or is_plural(label_name(label)):
        return None
    if meaning.versus is not None and (rng.random() < 0.3 or label_name(label) == label_name(meaning.versus.label)):
        if label_name(label) == label_name(meaning.versus.label):
            return None
        return replace(meaning, versus=replace(meaning.versus, label=label))
    return replace(meaning, target=replace(meaning.target, label=label))


def _rewired(meaning: Meaning, rng: Random) -> Meaning | None:
    ranks = [rank for rank, item in enumerate(meaning.evidence) if meaning.style == "expert" or item.concept is None]
    if not ranks:
        return None
    rank = rng.choice(ranks)
    used = [item.neuron for item in meaning.evidence]
    if len(ranks) > 1 and rng.random() < 0.5:
        other = rng.choice([some for some in ranks if some != rank])
        swapped = _with(meaning, rank, neuron=used[other])
        return _with(swapped, other, neuron=used[rank])
    return _with(meaning, rank, neuron=rng.choice([n for n in range(3000) if n not in used]))


def _repeated(text: str, rng: Random) -> str | None:
    """The text with one of its sentences said again, if that says anything of its own."""
    sentences = [sentence for sentence in _END.split(text) if len(sentence.split()) > 3]
    return f"{text} {rng.choice(sentences)}" if sentences else None


def _renumbered(text: str, rng: Random) -> str | None:
    numbers = [match for match in _NUMBER.finditer(text) if text[match.start() - 1] not in "<>" and "than" not in
               text[max(0, match.start() - 6) : match.start()]]  # fmt: skip
    if not numbers:
        return None
    match = rng.choice(numbers)
    decimals = len(match[0].partition(".")[2])
    value = float(match[0]) + rng.choice((-1, 1)) * rng.uniform(2, 40)
    return f"{text[: match.start()]}{abs(value) + 0.5:.{decimals}f}{text[match.end() :]}"


# Measuring


class Figures(NamedTuple):
    """How many faults were found, how many correct paraphrases were flagged, and those that went wrong."""

    faults: int
    found: int
    paraphrases: int
    flagged: int
    missed: list[Fault]
    refused: list[tuple[Meaning, str, str]]
    kinds: dict[str, list[int]]


def measure(seed: int, count: int) -> Figures:
    """Plants `count` faults, all kinds alike, writes as many paraphrases, and checks them all."""
    rng = Random(seed)
    missed: list[Fault] = []
    refused: list[tuple[Meaning, str, str]] = []
    kinds: dict[str, list[int]] = {kind: [0, 0] for kind in KINDS}
    for i in range(count):
        fault = random_fault(rng, KINDS[i % len(KINDS)])
        kinds[fault.kind][0] += 1
        if check(fault.text, fault.meaning):
            missed.append(fault)
        else:
            kinds[fault.kind][1] += 1
        meaning, text = random_paraphrase(rng)
        report = check(text, meaning)
        if not report:
            refused.append((meaning, text, str(report)))
    return Figures(count, count - len(missed), count, len(refused), missed, refused, kinds)


def main() -> None:
    """Measures, prints, and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--show", type=int, default=0, help="print so many texts that went wrong")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "checker.json")
    options = parser.parse_args()
    start = time.perf_counter()
    figures = measure(options.seed, options.count)
    result = {
        "seed": options.seed,
        "faults": figures.faults,
        "found": figures.found,
        "found_rate": round(figures.found / figures.faults, 5),
        "paraphrases": figures.paraphrases,
        "flagged": figures.flagged,
        "flagged_rate": round(figures.flagged / figures.paraphrases, 5),
        "kinds": {kind: {"planted": planted, "found": found} for kind, (planted, found) in figures.kinds.items()},
    }
    print(json.dumps(result, indent=1))
    for fault in figures.missed[: options.show]:
        print(f"MISSED {fault.kind}: {fault.text}\n   of: {_facts(fault.meaning)}")
    for meaning, text, report in figures.refused[: options.show]:
        print(f"REFUSED: {text}\n   {report}\n   of: {_facts(meaning)}")
    print(f"{time.perf_counter() - start:.0f} s", Counter(fault.kind for fault in figures.missed))
    if not options.show:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _facts(meaning: Meaning) -> str:
    items = [
        f"{'+' if item.supports else '-'}{item.concept or item.neuron}{[*item.positions]}" for item in meaning.evidence
    ]
    label = f"{meaning.target.label}/{meaning.versus and meaning.versus.label}"
    return f"{meaning.style} {label} {meaning.coverage:.2f} {'; '.join(items)}"


if __name__ == "__main__":
    main()
