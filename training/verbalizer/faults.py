"""Plants faults in texts, and measures what the checker makes of them.

A fault is planted in the facts, which are then told by the same writer in the same manner, or directly in the text. It
is one only if what the text says differs from what the facts are: to swap two equal positions changes nothing.

    python -m training.verbalizer.faults        # 10,500 faults and 10,500 paraphrases ─► results/checker.json
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

from nle_fast.schema import Meaning
from nle_fast.verbalizers import check
from nle_fast.verbalizers.grammar import lattice_of
from training.verbalizer.generator import lattice_text, random_meaning
from training.verbalizer.planting import OF_EVIDENCE
from training.verbalizer.planting_whole import OF_THE_WHOLE
from training.verbalizer.saying import says
from training.verbalizer.sentences import free_text

__all__ = ["KINDS", "Fault", "Figures", "measure", "plant_fault", "random_fault", "random_paraphrase"]

#: Kinds of faults.
KINDS = (*OF_EVIDENCE, *OF_THE_WHOLE, "repeated")

Writer = Callable[[Meaning], str]
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
    other = {**OF_EVIDENCE, **OF_THE_WHOLE}[kind](meaning, rng)
    if other is None or says(other) == says(meaning):
        return None
    return Fault(write(other), kind, meaning)


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
    value = float(match[0])
    step = rng.uniform(2, 40)
    value += step if value < step or rng.random() < 0.5 else -step
    return f"{text[: match.start()]}{value + 0.5:.{decimals}f}{text[match.end() :]}"


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
    parser.add_argument("--count", type=int, default=10500)
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
        f"{'+' if item.supports else '-'}{item.concept or item.neuron}{[*item.where]}" for item in meaning.evidence
    ]
    label = f"{meaning.target.label}/{meaning.versus and meaning.versus.label}"
    return f"{meaning.style} {label} {meaning.coverage:.2f} {'; '.join(items)}"


if __name__ == "__main__":
    main()
