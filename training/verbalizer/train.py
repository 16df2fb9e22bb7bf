"""Makes the embedded language model from nothing but a seed: vocabulary, corpus, network, GGUF, figures, card.

    python -m training.verbalizer.train --out build/verbalizer      # under 45 minutes on 2 cores
    python -m training.verbalizer.train --out build/tiny --tiny     # half a minute

Stopped and started again it goes on where it was. At the end OUT holds `embedded.gguf`, `log.json`, `evaluation.json`
and `CARD.md`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

# One thread per operation: the workers below are the threads; read by torch when it is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - its usual name

from nle_fast.verbalizers.grammar import lattice_of
from nle_fast.verbalizers.llama.prompt import compact
from training.classifier.progress import bar
from training.verbalizer.corpus import BRANCH, FIRST_SEEDS, PROMPT, Corpus, make_corpus
from training.verbalizer.generator import lattice_text, random_meaning, write
from training.verbalizer.network import Llama, Shape, export
from training.verbalizer.vocabulary import Vocabulary, learn

__all__ = ["EMBEDDED", "TINY", "Settings", "losses", "main", "train"]

#: Threads that share each batch; part of what decides the result, so not taken from the machine.
WORKERS = 2
#: How the weights are written that the package embeds: 16 bits are read faster than 8 by llama.cpp at this size.
EMBEDDED = "f16"


@dataclass(frozen=True)
class Settings:
    """One run; written into its log."""

    meanings: int = 20_000
    temperature: float = 0.1
    vocabulary: int = 3584
    vocabulary_meanings: int = 4_000
    shape: Shape = field(default_factory=lambda: Shape(3, 160, 384, 5))
    steps: int = 3_600
    batch_tokens: int = 2_560
    rate: float = 3e-3
    decay: float = 0.05
    text_weight: float = 0.2
    text_seen: float = 0.15
    test_meanings: int = 500
    pairs: int = 2_000
    seed: int = 1
    save_every: int = 300


TINY = Settings(
    meanings=60, vocabulary=512, vocabulary_meanings=60, shape=Shape(2, 64, 96, 2), steps=20, batch_tokens=1_024,
    test_meanings=20, pairs=20, save_every=10,
)  # fmt: skip


def rate_at(step: int, settings: Settings) -> float:
    """Rises over the first 4 %, then falls as a cosine."""
    rise = max(1, settings.steps // 25)
    if step < rise:
        return settings.rate * (step + 1) / rise
    return settings.rate * (0.5 + 0.5 * math.cos(math.pi * (step - rise) / max(1, settings.steps - rise)))


def learn_vocabulary(settings: Settings) -> Vocabulary:
    """From prompts and texts of the first meaning representations of the training."""

    def texts() -> Iterator[str]:
        for seed in range(FIRST_SEEDS["train"], FIRST_SEEDS["train"] + settings.vocabulary_meanings):
            rng = Random(seed)
            meaning = random_meaning(rng)
            lattice = lattice_of(meaning)
            yield from (piece.text for piece in compact(meaning) if not piece.marker)
            yield from (lattice_text(lattice, rng) for _ in range(2))
            if seed % 4 == 0:
                yield from write(meaning, rng, 1)

    return learn(texts(), settings.vocabulary)


def batches(corpus: Corpus, settings: Settings, epoch: int) -> list[NDArray[np.int64]]:
    """All examples in a random order, in batches of similar length and at most `batch_tokens` with their padding."""
    rng = np.random.Generator(np.random.PCG64([settings.seed, epoch]))
    lengths = np.diff(corpus.starts)
    rows = rng.permutation(len(corpus))
    found: list[NDArray[np.int64]] = []
    for pool in np.array_split(rows, max(1, len(rows) // 8_192)):
        ordered = pool[np.argsort(lengths[pool], kind="stable")]
        start = 0
        for end in range(1, len(ordered) + 1):
            if end == len(ordered) or lengths[ordered[end]] * (end + 1 - start) > settings.batch_tokens:
                found.append(ordered[start:end])
                start = end
    return [found[i] for i in rng.permutation(len(found))]


class Batch(NamedTuple):
    """Some examples: (N, T) tokens and kinds, and (B, R) rivals and scores of their B branchings in the same order.

    Behind its end an example is prompt, which nothing is learned from; behind its last rival a branching has scores of
    −∞.
    """

    tokens: Tensor
    kinds: Tensor
    rivals: Tensor
    scores: Tensor


def padded(corpus: Corpus, rows: NDArray[np.int64]) -> Batch:
    """The examples with these numbers as one batch."""
    longest = int((corpus.starts[rows + 1] - corpus.starts[rows]).max(initial=2))
    tokens, kinds = np.zeros((len(rows), longest), np.int64), np.full((len(rows), longest), PROMPT)
    for i, row in enumerate(rows):
        start, end = corpus.starts[row], corpus.starts[row + 1]
        tokens[i, : end - start], kinds[i, : end - start] = corpus.tokens[start:end], corpus.kinds[start:end]
    branches = [np.arange(corpus.branches[row], corpus.branches[row + 1]) for row in rows]
    starts = corpus.splits[np.concatenate(branches)] if branches else np.zeros(0, np.int64)
    counts = corpus.splits[np.concatenate(branches) + 1] - starts if branches else starts
    columns = np.arange(counts.max(initial=1))
    inside = columns < counts[:, None]
    places = np.where(inside, starts[:, None] + columns, 0)
    scores = np.where(inside, corpus.scores[places], -np.inf)
    rivals = np.where(inside, corpus.rivals[places].astype(np.int64), 0)
    return Batch(*(torch.from_numpy(array) for array in (tokens, kinds, rivals, scores.astype(np.float32))))


class Losses(NamedTuple):
    """Of one batch.

    Attributes:
        choice: Summed cross-entropy in nats, among the rivals at branchings, to softmax(score / temperature).
        text: Summed cross-entropy in nats of text tokens.
        texts: How many tokens those were.
        floor: What `choice` is for a model that knows all scores.
        right: At how many branchings the likeliest rival is the one with the best score.
    """

    choice: Tensor
    text: Tensor
    texts: int
    floor: float
    right: int


def losses(network: Llama, batch: Batch, temperature: float, seen: Tensor | None = None) -> Losses:
    """What is to be lowered.

    Args:
        network: Predicts.
        batch: What it is to predict.
        temperature: Of the choice.
        seen: (N, T) which tokens count for `text`; None: all that are no prompt.
    """
    features = network.features(batch.tokens[:, :-1])
    chosen = batch.kinds[:, 1:] == BRANCH
    tables = F.embedding(batch.rivals, network.token_embd.weight)
    logits = (features[chosen][:, None] * tables).sum(-1).masked_fill(batch.scores == -torch.inf, -torch.inf)
    wanted = (batch.scores / temperature).softmax(-1)
    said = logits.log_softmax(-1).masked_fill(wanted == 0, 0)
    choice = -(wanted * said).sum()
    floor = -torch.special.xlogy(wanted, wanted).sum()
    best = batch.scores.max(-1, keepdim=True).values
    right = batch.scores.gather(-1, logits.argmax(-1, keepdim=True)) >= best - 1e-6
    written = batch.kinds[:, 1:] != PROMPT
    if seen is not None:
        written = written & seen[:, 1:]
    text = F.cross_entropy(network.logits(features[written]), batch.tokens[:, 1:][written], reduction="sum")
    return Losses(choice, text, int(written.sum()), float(floor), int(right.sum()))


class Run:
    """Everything that a training changes."""

    def __init__(self, settings: Settings, tokens: int) -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.step, self.seconds = settings, 0, 0.0
        self.history: list[dict[str, float]] = []
        self.network = Llama(tokens, settings.shape)
        self._replicas = [self.network]
        for _ in range(WORKERS - 1):
            self._replicas.append(replica := Llama(tokens, settings.shape))
            for own, shared in zip(replica.parameters(), self.network.parameters(), strict=True):
                own.data = shared.data  # the weights are shared, the gradients are not
        self._pool = ThreadPoolExecutor(WORKERS)
        parameters = list(self.network.parameters())
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings.decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=settings.rate, betas=(0.9, 0.98))

    def state(self) -> dict[str, Any]:
        """What `restore` reads: tensors, numbers and text only, so that loading it runs no code."""
        return {
            "network": self.network.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step,
            "seconds": self.seconds, "history": json.dumps(self.history), "settings": json.dumps(asdict(self.settings)),
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from a kept state."""
        if state["settings"] != json.dumps(asdict(self.settings)):
            raise SystemExit("the checkpoint was made with other settings; remove it or choose another folder")
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds, self.history = state["step"], state["seconds"], json.loads(state["history"])

    def advance(self, corpus: Corpus, rows: NDArray[np.int64]) -> dict[str, float]:
        """One step; returns the mean loss of choices and of text tokens in nats."""
        began, settings = time.perf_counter(), self.settings
        parts = [padded(corpus, rows[worker::WORKERS]) for worker in range(WORKERS)]
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + self.step)
        seen = [torch.rand(part.kinds.shape, generator=generator) < settings.text_seen for part in parts]
        branches = max(1, sum(len(part.scores) for part in parts))
        texts = max(1, sum(int(((p.kinds != PROMPT) & s)[:, 1:].sum()) for p, s in zip(parts, seen, strict=True)))

        def share(worker: int) -> tuple[float, float]:
            if not len(parts[worker].tokens):
                return 0.0, 0.0
            found = losses(self._replicas[worker], parts[worker], settings.temperature, seen[worker])
            (found.choice / branches + settings.text_weight * found.text / texts).backward()
            return float(found.choice.detach()), float(found.text.detach())

        sums = list(self._pool.map(share, range(WORKERS)))
        for parameters in zip(*(replica.parameters() for replica in self._replicas), strict=True):
            for other in parameters[1:]:
                if other.grad is not None:
                    parameters[0].grad = other.grad if parameters[0].grad is None else parameters[0].grad + other.grad
                other.grad = None
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.step, settings)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        self.seconds += time.perf_counter() - began
        choice, text = (sum(values) for values in zip(*sums, strict=True))
        return {"choice": choice / branches, "text": text / texts}


@torch.no_grad()
def held_out(network: Llama, corpus: Corpus, settings: Settings) -> dict[str, float]:
    """Mean losses in nats, of choices and of text tokens; the least possible of choices; how many choices are right."""
    found = [losses(network, padded(corpus, rows), settings.temperature) for rows in batches(corpus, settings, 0)]
    branches, texts = len(corpus.splits) - 1, sum(one.texts for one in found)
    return {
        "choice": sum(float(one.choice) for one in found) / branches,
        "choice_floor": sum(one.floor for one in found) / branches,
        "choices_right": sum(one.right for one in found) / branches,
        "text": sum(float(one.text) for one in found) / texts,
    }


def train(settings: Settings, out: Path, processes: int = 2) -> dict[str, Any]:
    """Trains and exports; see the module.

    Args:
        settings: Of the run.
        out: Folder for `embedded.gguf`, `log.json`, `last.pt`, `vocabulary.json` and the corpus.
        processes: That make the corpus.

    Returns:
        What `log.json` says.
    """
    out.mkdir(parents=True, exist_ok=True)
    if (out / "vocabulary.json").exists():
        vocabulary = Vocabulary.load(out / "vocabulary.json")
    else:
        vocabulary = learn_vocabulary(settings)
        vocabulary.save(out / "vocabulary.json")
    made = (vocabulary, settings.temperature, processes)
    corpus = make_corpus(out / "corpus", "train", settings.meanings, *made)
    test = make_corpus(out / "corpus", "test", settings.test_meanings, *made)
    run = Run(settings, len(vocabulary.tokens))
    if (out / "last.pt").exists():
        run.restore(torch.load(out / "last.pt", weights_only=True))
    log: dict[str, Any] = {}
    order, epoch = batches(corpus, settings, 0), 0
    before = 0  # steps of earlier epochs
    with bar("training", settings.steps, run.step) as shown:
        while run.step < settings.steps:
            while run.step - before >= len(order):
                before, epoch = before + len(order), epoch + 1
                order = batches(corpus, settings, epoch)
            loss = run.advance(corpus, order[run.step - before])
            shown.advance(1, f"choice {loss['choice']:.3f} text {loss['text']:.3f}")
            if run.step % settings.save_every and run.step < settings.steps:
                continue
            measured = held_out(run.network, test, settings)
            run.history.append({"step": run.step, **measured})
            torch.save(run.state(), out / "last.part")
            (out / "last.part").replace(out / "last.pt")
            for kind in ("f16", "q8_0"):
                export(run.network, vocabulary, out / f"{kind}.gguf", kind)
            log = {
                "settings": asdict(settings),
                "weights": sum(p.numel() for p in run.network.parameters()),
                "tokens": len(vocabulary.tokens),
                "corpus": {
                    "examples": len(corpus), "tokens": len(corpus.tokens),
                    "branchings": len(corpus.splits) - 1,
                    "prompt_tokens": int((corpus.kinds == PROMPT).sum()),
                },
                "epochs": round(epoch + (run.step - before) / len(order), 2),
                "training_seconds": round(run.seconds, 1),
                "history": run.history,
                "bytes": {kind: (out / f"{kind}.gguf").stat().st_size for kind in ("f16", "q8_0")},
            }  # fmt: skip
            (out / "log.json").write_text(json.dumps(log, indent=1) + "\n", encoding="utf-8")
            print(f"step {run.step}: held-out loss {measured}, {run.seconds:.0f} s", flush=True)
    return log or json.loads((out / "log.json").read_text(encoding="utf-8"))


def main(arguments: list[str] | None = None) -> None:
    """The command line; see the module."""
    parser = argparse.ArgumentParser(prog="training.verbalizer.train", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for all that is made")
    parser.add_argument("--tiny", action="store_true", help="half a minute, to see that all works")
    parser.add_argument("--meanings", type=int, help="meaning representations to train on")
    parser.add_argument("--steps", type=int, help="training steps")
    parser.add_argument("--processes", type=int, default=2, help="processes that make the corpus")
    given = parser.parse_args(arguments)
    changed = {"meanings": given.meanings, "steps": given.steps}
    settings = replace(TINY if given.tiny else Settings(), **{name: value for name, value in changed.items() if value})
    log = train(settings, given.out, given.processes)
    from training.verbalizer.card import card  # both of them read what a run has written
    from training.verbalizer.evaluate import evaluate

    found = evaluate(given.out, 20 if given.tiny else 500)
    (given.out / "evaluation.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (given.out / "CARD.md").write_text(card(log, found, EMBEDDED), encoding="utf-8")
    shutil.copyfile(given.out / f"{EMBEDDED}.gguf", given.out / "embedded.gguf")
    print(f"{given.out}/embedded.gguf; {100 * found['agreement']['branch']['first differing token']:.1f} % of pairs")


if __name__ == "__main__":
    main()
