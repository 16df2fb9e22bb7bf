"""The embedded language model: one text, beside llama.cpp's own constrained decoding; and eight texts at once.

`make bench` runs this and writes benches/results/verbalizer.json and the table beside it. NLE_VERBALIZER may name
another .gguf file that reads the same prompts.
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Callable

import llama_cpp
import pytest
from gbnf import grammar_of

from nle_fast import Llama
from nle_fast.schema import POSITIONS, Evidence, Meaning, Prediction
from nle_fast.verbalizers import check, speak
from nle_fast.verbalizers.grammar import lattice_of
from nle_fast.verbalizers.grammar.lattice import Lattice
from nle_fast.verbalizers.llama import EMBEDDED
from nle_fast.verbalizers.llama.prompt import compact

MODEL = os.environ.get("NLE_VERBALIZER", os.fspath(EMBEDDED))
PIECES = 3
LABELS = ("zebra", "tabby cat", "sports car", "crane", "Border collie", "barred marsh piper", "teapot", "lighthouse")
CONCEPTS = (
    "Stripes", "Dog faces", "grass", "The color red", "rounded edges in pictures", "Black and white stripes", "water",
    "Horizontal lines", "wheel", "sky", "Animals and food", "text",
)  # fmt: skip


def meanings(count: int) -> list[Meaning]:
    """Seeded meaning representations in the three styles, each with three pieces of evidence."""
    generator = random.Random(4)
    found = []
    for i in range(count):
        label, other = generator.sample(LABELS, 2)
        supporting = generator.randint(2, PIECES)
        items = []
        for rank, concept in enumerate(generator.sample(CONCEPTS, PIECES)):
            share = generator.uniform(0.03, 0.3) * (1 if rank < supporting else -1)
            where = tuple(generator.sample(POSITIONS, generator.randint(1, 2)))
            items.append(Evidence(generator.randrange(2048), concept, None, share, share, share > 0, where, ()))
        versus = Prediction(2, other, 0.05, 4.0) if generator.random() < 0.25 else None
        coverage = sum(item.share for item in items if item.supports)
        style = ("plain", "expert", "short")[i % 3]
        found.append(Meaning(Prediction(1, label, 0.9, 9.0), versus, tuple(items), coverage, "layer4", style))
    return found


def over(meanings: list, work: Callable) -> Callable[[], object]:
    """Calls `work` with the next of them, round and round; every way meets the same ones in the same round."""
    turn = itertools.cycle(meanings)
    return lambda: work(next(turn))


def has(lattice: Lattice, text: str) -> bool:
    """Whether a text is a path."""
    walk = lattice.walk()
    walk.forced()
    while walk.options:
        fitting = [i for i, option in enumerate(walk.options) if text.startswith(walk.text + option)]
        if not fitting:
            return False
        walk.take(fitting[0])
    return walk.text == text


@pytest.fixture(scope="module")
def verbalizer():
    if not os.path.exists(MODEL):
        pytest.skip(f"needs the embedded language model, not found at {MODEL}")
    with Llama(MODEL) as opened:
        yield opened


def test_one_text(side_by_side, verbalizer):
    what = meanings(60)
    tokens = verbalizer._engine.weights().tokens
    peer = llama_cpp.Llama(MODEL, n_ctx=1024, n_batch=256, n_threads=1, n_threads_batch=1, verbose=False)
    # The peer gets its prompt as tokens, and its grammar as text made beforehand.
    prompts = {meaning: (tokens.prompt(compact(meaning)), grammar_of(lattice_of(meaning))) for meaning in what}

    def by_grammar(meaning):
        prompt, text = prompts[meaning]
        grammar = llama_cpp.LlamaGrammar.from_string(text, verbose=False)
        said = peer.create_completion(prompt, grammar=grammar, max_tokens=512, temperature=0.0)
        return said["choices"][0]["text"]

    for meaning in what[:12]:
        assert check(verbalizer.verbalize(meaning).text, meaning)
        assert has(lattice_of(meaning), by_grammar(meaning))
    ways = {
        "nle_fast": over(what, verbalizer.verbalize),
        "nle_fast, checked": over(what, lambda meaning: speak(verbalizer, meaning)),
        "create_completion with an equivalent GBNF": over(what, by_grammar),
    }
    side_by_side(f"one text of {PIECES} pieces of evidence, embedded model", ways, rounds=180)


def test_eight_texts(side_by_side, verbalizer):
    groups = [meanings(96)[start : start + 8] for start in range(0, 96, 8)]

    def one_by_one(group):
        return [verbalizer.verbalize(meaning) for meaning in group]

    assert all(verbalizer.batch(group) == one_by_one(group) for group in groups)
    ways = {"nle_fast": over(groups, verbalizer.batch), "one by one": over(groups, one_by_one)}
    side_by_side(f"eight texts of {PIECES} pieces of evidence, embedded model, batch", ways, rounds=60)
