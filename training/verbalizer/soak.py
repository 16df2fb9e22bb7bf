"""Ten thousand random meaning representations, the embedded model and one with random weights: what do they say?

    python -m training.verbalizer.soak        # ─► results/soak.json; 20,000 texts

Half of the names are odd: random Unicode, or words that mean something to the checker. A text must say each fact once
and nothing else, end with a stop, double no word that its names do not double, and know "a" from "an".
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from nle_fast.schema import Meaning
from nle_fast.verbalizers import check
from nle_fast.verbalizers.language.glossary import LEXICON
from nle_fast.verbalizers.language.phrases import names_of
from nle_fast.verbalizers.llama import Llama
from training.verbalizer.generator import random_meaning

__all__ = ["faults_of", "odd_meaning", "soak"]

_ALPHABETS = (
    (0x20, 0x7F), (0x20, 0x7F), (0xA0, 0x250), (0x370, 0x400), (0x400, 0x460), (0x5D0, 0x5EB), (0x3040, 0x3100),
    (0x4E00, 0x4F00), (0x1F400, 0x1F480), (0x2000, 0x2070), (0, 0x20),
)  # fmt: skip
_PHRASES = sorted(
    " ".join(entry.tokens)
    for words in LEXICON.values()
    for entries in (*words.longer.values(), (words.alone,))
    for entry in entries
    if entry is not None
)
_DOUBLED = re.compile(r"\b(\w+) \1\b", re.IGNORECASE)
_ARTICLE = re.compile(r"\ba (?!one|once)[aeio]\w|\ban [bcdfgjkmpqtvwyz][a-z]", re.IGNORECASE)


def odd_name(rng: Random) -> str:
    """Up to 14 characters of anything, or words that mean something to the checker, alone or beside a thing."""
    if rng.random() < 0.5:
        low, high = rng.choice(_ALPHABETS)
        return "".join(chr(rng.randrange(low, high)) if rng.random() < 0.85 else " " for _ in range(rng.randrange(15)))
    words = rng.choice(("{}", "{}", "{} dog", "red wheel {}")).format(rng.choice(_PHRASES))
    return rng.choice((words, words, words.capitalize(), words.upper()))


def odd_meaning(rng: Random) -> Meaning:
    """A meaning representation of 0 to 6 facts; in every second one the names are odd."""
    meaning = random_meaning(rng)
    if rng.random() < 0.5:
        return meaning
    evidence = tuple(
        item if item.concept is None else replace(item, concept=odd_name(rng)) for item in meaning.evidence
    )
    versus = meaning.versus and replace(meaning.versus, label=odd_name(rng))
    return replace(meaning, evidence=evidence, target=replace(meaning.target, label=odd_name(rng)), versus=versus)


def faults_of(text: str, meaning: Meaning) -> list[str]:
    """What is wrong with a text; nothing, one hopes."""
    report = check(text, meaning)
    found = [] if report.ok else [str(report)]
    if not text.endswith("."):
        found.append("no final stop")
    names = names_of(meaning)
    outside = text
    for name in (names.target, names.versus, names.layer, *names.concepts):
        for words in () if name is None else (name.text, name.bare):
            if len(words) > 1:
                outside = re.sub(re.escape(words), "¤", outside, flags=re.IGNORECASE)
    found += [f"doubled: {doubled[0]}" for doubled in _DOUBLED.finditer(outside)]
    if all(name is None or name.text.isascii() for name in (names.target, *names.concepts)):
        found += [f"article: {wrong[0]}" for wrong in _ARTICLE.finditer(text) if "“" not in wrong[0]]
    return found


def soak(verbalizer: Llama, count: int, seed: int) -> dict[str, Any]:
    """Writes `count` texts one by one, and judges them."""
    rng, faults, seconds = Random(seed), [], []
    slots = errors = start = 0
    for i in range(count):
        meaning = odd_meaning(rng)
        before = time.perf_counter()
        said = verbalizer.verbalize(meaning)
        seconds.append(time.perf_counter() - before)
        report = check(said.text, meaning)
        slots += report.slots
        errors += round(report.slot_error_rate * report.slots)
        faults += [{"text": said.text, "fault": fault} for fault in faults_of(said.text, meaning)]
        if i == count // 10:  # caches are full
            start = resident()
    return {
        "texts": count,
        "slots": slots,
        "slot_errors": errors,
        "faulty": len(faults),
        "faults": faults[:20],
        "growth_mb": round((resident() - start) / 1e6, 2),
        "median_ms": round(sorted(seconds)[count // 2] * 1e3, 2),
    }


def resident() -> int:
    """Bytes of memory that the process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results") / "soak.json")
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
    from language_models import write_model

    result: dict[str, Any] = {"seed": options.seed}
    with tempfile.TemporaryDirectory() as folder:
        for name, path in (("embedded", None), ("random weights", write_model(Path(folder) / "random.gguf"))):
            with Llama(path) as verbalizer:
                result[name] = soak(verbalizer, options.count, options.seed)
            print(name, {key: value for key, value in result[name].items() if key != "faults"}, flush=True)
    options.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
