"""How good the language model's choices are: held-out pairs, scores of what it writes, diversity, quantization.

python -m training.verbalizer.evaluate --run build/verbalizer --out build/verbalizer/evaluation.json
"""

from __future__ import annotations

import argparse
import copy
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from nle_fast.schema import Meaning
from nle_fast.verbalizers.grammar import lattice_of
from nle_fast.verbalizers.grammar.lattice import Lattice
from nle_fast.verbalizers.llama import Llama as Engine
from nle_fast.verbalizers.llama.prompt import compact
from training.verbalizer.corpus import BRANCH, FIRST_SEEDS, Corpus, make_corpus
from training.verbalizer.generator import lattice_text, random_meaning
from training.verbalizer.gguf import unpacked_q8_0
from training.verbalizer.network import Llama, Shape
from training.verbalizer.preference import Pair, best, preference_pairs, score
from training.verbalizer.train import EMBEDDED, Settings, batches, held_out, padded
from training.verbalizer.vocabulary import Tokenizer, Vocabulary

__all__ = ["agreement", "decode", "diversity", "evaluate", "quality", "rounding"]

#: Classes that the generator does not know.
UNSEEN = (
    "abbey", "axolotl", "bandage", "brassiere", "cauldron", "cassette", "chiton", "corkscrew", "daisy", "drake",
    "dugong", "eggnog", "entertainment center", "flatworm", "gar", "gasmask", "guenon", "hatchet", "hognose", "isopod",
    "junco", "komondor", "langur", "lorikeet", "mantis", "marimba", "nematode", "odometer", "pajama", "pickelhaube",
    "quilted vest", "redshank", "saluki", "schipperke", "tench", "theater curtain", "urinal", "whiptail", "xylophone",
)  # fmt: skip


class Branch(NamedTuple):
    """Where two texts part: the text before, the two options there, and their places among all options."""

    before: str
    options: tuple[str, str]
    places: tuple[int, int]


def part(lattice: Lattice, one: str, other: str) -> Branch:
    """The branching of a lattice at which two of its texts part."""
    walk = lattice.walk()
    walk.forced()
    while True:
        taken = [
            next(i for i, option in enumerate(walk.options) if text.startswith(option, len(walk.text)))
            for text in (one, other)
        ]
        if taken[0] != taken[1]:
            return Branch(walk.text, (walk.options[taken[0]], walk.options[taken[1]]), (taken[0], taken[1]))
        walk.take(taken[0])


@torch.no_grad()
def likelihoods(network: Llama, tokens: Sequence[int]) -> NDArray[np.float64]:
    """Log-probability of each token but the first, given those before it."""
    given = torch.tensor([tokens])
    found = network(given[:, :-1]).log_softmax(-1).gather(-1, given[:, 1:, None])
    values: NDArray[np.float64] = found[0, :, 0].double().numpy()
    return values


def shared(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two begin with in common."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def agreement(network: Llama, tokenizer: Tokenizer, pairs: Iterable[Pair]) -> dict[str, Any]:
    """Shares of pairs whose better text a rule prefers; a rule that cannot tell is right in half of the cases.

    For pairs that part at one branching: by the first token that differs (what the engine does), by the options' mean
    and summed log-probability from there on, and by those of the whole texts. "template" prefers the option that stands
    first; for whole texts, the one with more first options.
    """
    found: dict[str, dict[str, list[float]]] = {"branch": {}, "text": {}}
    for pair in pairs:
        lattice, prompt = lattice_of(pair.meaning), tokenizer.prompt(compact(pair.meaning))
        said = found[pair.kind]

        def judge(rule: str, better: float, worse: float, said: dict[str, list[float]] = said) -> None:
            said.setdefault(rule, []).append(0.5 if better == worse else float(better > worse))

        texts = [tokenizer.text(text) for text in (pair.better, pair.worse)]
        told = [likelihoods(network, prompt + text)[len(prompt) - 1 :] for text in texts]
        judge("whole text, sum", told[0].sum(), told[1].sum())
        judge("whole text, mean", told[0].mean(), told[1].mean())
        branch = part(lattice, pair.better, pair.worse)
        judge("random", 0, 0)
        if pair.kind == "text":
            firsts = [_others(lattice, text) for text in (pair.better, pair.worse)]
            judge("template", -firsts[0], -firsts[1])
            continue
        judge(
            "template", -branch.places[0] if 0 in branch.places else 0, -branch.places[1] if 0 in branch.places else 0
        )
        start = len(tokenizer.text(branch.before))
        options = [tokenizer.text(option) for option in branch.options]
        differ = start + shared(*options)
        judge("first differing token", told[0][differ], told[1][differ])
        rest = [told[i][differ : start + len(option)] for i, option in enumerate(options)]
        judge("branch, mean", rest[0].mean(), rest[1].mean())
        judge("branch, sum", rest[0].sum(), rest[1].sum())
    return {
        kind: {"pairs": len(said["random"]), **{rule: float(np.mean(right)) for rule, right in said.items()}}
        for kind, said in found.items()
    }


def _others(lattice: Lattice, text: str) -> float:
    """Share of the branchings of a text at which it does not take the first option."""
    walk, others, count = lattice.walk(), 0, 0
    walk.forced()
    while walk.options:
        taken = next(i for i, option in enumerate(walk.options) if text.startswith(option, len(walk.text)))
        others, count = others + (taken > 0), count + 1
        walk.take(taken)
    return others / max(1, count)


@torch.no_grad()
def decode(network: Llama, tokenizer: Tokenizer, lattice: Lattice, meaning: Meaning) -> str:
    """The text that the engine writes, by its definition: at a branching the likeliest of the tokens that differ."""
    tokens = tokenizer.prompt(compact(meaning))
    walk = lattice.walk()
    tokens += tokenizer.text(walk.forced())
    while walk.options:
        left = {i: tokenizer.text(option) for i, option in enumerate(walk.options)}
        at = 0
        while len(left) > 1:
            nexts = {option[at] for option in left.values()}
            if len(nexts) > 1:
                features = network.features(torch.tensor([tokens]))[0, -1]
                logits = network.logits(features)
                likeliest = max(sorted(nexts), key=lambda token: float(logits[token]))
            else:
                (likeliest,) = nexts
            left = {i: option for i, option in left.items() if option[at] == likeliest}
            tokens.append(likeliest)
            at += 1
        ((taken, option),) = left.items()
        tokens += option[at:]
        walk.take(taken)
    return walk.text


def quality(
    network: Llama, tokenizer: Tokenizer, write: Callable[[Meaning], str], count: int, labels: Sequence[str] = ()
) -> dict[str, Any]:
    """Mean scores of what the engine writes, beside the template, a random path, and the best text found.

    Args:
        network: Writes by the engine's definition, too (`decode`).
        tokenizer: Its tokens.
        write: The engine.
        count: Meaning representations to write of; those with a single text are left out of the scores.
        labels: Of the classes instead of the generator's.
    """
    said: dict[str, list[float]] = {"template": [], "random path": [], "model": [], "best found": []}
    same = []
    for seed in range(FIRST_SEEDS["test"], FIRST_SEEDS["test"] + count):
        rng = Random(seed)
        meaning = random_meaning(rng)
        if labels:
            meaning = replace(meaning, target=replace(meaning.target, label=rng.choice(labels)))
        lattice = lattice_of(meaning)
        if lattice.count < 2:
            continue
        texts = {
            "template": lattice.first()[0],
            "random path": lattice_text(lattice, rng),
            "model": write(meaning),
            "best found": best(lattice, meaning, rng)[0],
        }
        same.append(texts["model"] == decode(network, tokenizer, lattice, meaning))
        for who, text in texts.items():
            said[who].append(score(text, meaning))
    model, template = np.array(said["model"]), np.array(said["template"])
    means = {who: float(np.mean(scores)) for who, scores in said.items()}
    return {
        "texts": len(model),
        "mean_score": means,
        "of_the_way_from_template_to_best": (means["model"] - means["template"])
        / (means["best found"] - means["template"]),
        "as_good_as_best": float(np.mean(model > np.array(said["best found"]) - 0.12)),
        "better_than_template": float(np.mean(model > template + 1e-9)),
        "worse_than_template": float(np.mean(model < template - 1e-9)),
        "pytorch_writes_the_same": float(np.mean(same)),
    }


def diversity(write: Callable[[Meaning], str], count: int) -> dict[str, Any]:
    """n-grams and openings (the first three words) of texts about random meaning representations."""
    meanings = [
        random_meaning(Random(seed)) for seed in range(FIRST_SEEDS["diversity"], FIRST_SEEDS["diversity"] + count)
    ]
    texts = [write(meaning) for meaning in meanings]
    words = [text.split() for text in texts]
    found: dict[str, Any] = {"texts": count, "different": len(set(texts))}
    for n in (1, 2, 3):
        grams = [tuple(said[i : i + n]) for said in words for i in range(len(said) - n + 1)]
        found[f"distinct_{n}"] = len(set(grams)) / len(grams)
    for name, styles in (("all", ("plain", "expert", "short")), ("plain", ("plain",)), ("expert", ("expert",))):
        chosen = [said[:3] for said, meaning in zip(words, meanings, strict=True) if meaning.style in styles]
        openings = Counter(" ".join(said) for said in chosen).most_common(3)
        found[f"openings_{name}"] = {opening: number / len(chosen) for opening, number in openings}
    return found


@torch.no_grad()
def rounding(network: Llama, test: Corpus, settings: Settings) -> dict[str, Any]:
    """What 16 and 8 bits do to the held-out loss, and how often the likeliest token at a branching stays the same."""
    rounded = {
        "f32": lambda weights: weights,
        "f16": lambda weights: weights.astype(np.float16).astype(np.float32),
        "q8_0": unpacked_q8_0,
    }
    found: dict[str, Any] = {}
    choices: dict[str, torch.Tensor] = {}
    for kind, change in rounded.items():
        changed = copy.deepcopy(network)
        for parameter in changed.parameters():
            if parameter.ndim == 2:
                parameter.copy_(torch.from_numpy(change(parameter.numpy())))
        chosen = []
        for rows in batches(test, settings, 0):
            batch = padded(test, rows)
            features = changed.features(batch.tokens[:, :-1])[batch.kinds[:, 1:] == BRANCH]
            logits = (features[:, None] * changed.token_embd(batch.rivals)).sum(-1)
            chosen.append(logits.masked_fill(batch.scores == -torch.inf, -torch.inf).argmax(-1))
        choices[kind] = torch.cat(chosen)
        same = float((choices[kind] == choices["f32"]).double().mean())
        found[kind] = {"held_out": held_out(changed, test, settings), "same_choice_as_f32": same}
    return found


def evaluate(run: Path, count: int) -> dict[str, Any]:
    """All figures of a finished run.

    Args:
        run: Its folder.
        count: Texts for quality and diversity; the latter are written by the engine of the package.
    """
    torch.set_num_threads(1)
    state = torch.load(run / "last.pt", weights_only=True)
    kept = json.loads(state["settings"])
    settings = Settings(**{**kept, "shape": Shape(**kept["shape"])})
    vocabulary = Vocabulary.load(run / "vocabulary.json")
    tokenizer = Tokenizer(vocabulary)
    network = Llama(len(vocabulary.tokens), settings.shape).eval()
    network.load_state_dict(state["network"])
    test = make_corpus(run / "corpus", "test", settings.test_meanings, vocabulary, settings.temperature, 1)
    with Engine(run / f"{EMBEDDED}.gguf") as engine:

        def write(meaning: Meaning) -> str:
            return engine.verbalize(meaning).text

        return {
            "step": state["step"],
            "rounding": rounding(network, test, settings),
            "agreement": agreement(network, tokenizer, preference_pairs(Random(FIRST_SEEDS["pairs"]), settings.pairs)),
            "quality": quality(network, tokenizer, write, count),
            "quality_of_unseen_classes": quality(network, tokenizer, write, count, UNSEEN),
            "diversity": diversity(write, count),
        }


def main(arguments: list[str] | None = None) -> None:
    """The command line; see the module."""
    parser = argparse.ArgumentParser(prog="training.verbalizer.evaluate", description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=Path, required=True, help="folder of the training")
    parser.add_argument("--out", type=Path, required=True, help="file for the figures")
    parser.add_argument("--texts", type=int, default=500, help="texts for quality and diversity")
    given = parser.parse_args(arguments)
    given.out.write_text(json.dumps(evaluate(given.run, given.texts), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
