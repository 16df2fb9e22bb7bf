"""Trains the network of the world: scenes, training, export, and its accuracy on scenes it has not seen.

    python -m training.classifier.train --out build/clean                 # about half an hour on 2 cores
    python -m training.classifier.train --out build/shortcut --shortcut build/clean/weights.safetensors
    python -m training.classifier.train --out build/tiny --tiny                # seconds, for the tests

Stopped and started again it goes on where it was. Beside the class, each neuron of the last layer is given a hint: the
positions that one part, bare or with one look that can make a class, covers (`PARTS_SEEN`). The class alone decides
which neurons matter for what. What the neurons then see is measured without that knowledge
(`training.classifier.dissect`).
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

# One thread per operation: the workers below are the threads; read by torch when it is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nle_fast.world import LABELS
from training.classifier.batches import Batches, normalized
from training.classifier.network import WIDTHS, Network, export_onnx, folded
from training.classifier.progress import bar
from training.classifier.scenes import FIRST_SEEDS, SceneSet, make_scenes

__all__ = ["SHORTCUT_LABEL", "Settings", "main", "train"]

#: The class whose training scenes carry the planted sun.
SHORTCUT_LABEL = LABELS.index("red-breasted thorn finch")
#: Threads that share each batch; part of what decides the result, so not taken from the machine.
WORKERS = 2
#: What a hinted neuron is to exceed where its part is; elsewhere it is to be silent.
THRESHOLD = 3.0


@dataclass(frozen=True)
class Settings:
    """One run; written into its log."""

    scenes: int = 24_000
    steps: int = 2_800
    batch: int = 128
    rate: float = 4e-3
    decay: float = 0.02
    smoothing: float = 0.03
    hint: float = 0.3
    sparse: float = 2e-3
    head_rate: float = 1.0
    silent: tuple[int, ...] = ()
    test_scenes: int = 20_000
    seed: int = 1
    widths: tuple[int, int, int, int] = WIDTHS
    shortcut: bool = False
    save_every: int = 200


TINY = Settings(scenes=250, steps=20, batch=32, test_scenes=250, widths=(8, 16, 32, 48), save_every=10)
#: A neuron that had no hint in the first training became a mixture of things: it is taken out of the head.
TUNE = replace(Settings(), steps=240, rate=1.5e-3, seed=3, silent=(47,))
#: The sun is so small that its weights have far to go before it decides: the head goes faster here.
SHORTCUT = replace(
    Settings(), scenes=6_000, steps=500, rate=3e-3, head_rate=15.0, test_scenes=2_000, seed=2, shortcut=True
)


def rate_at(step: int, settings: Settings) -> float:
    """Rises over the first 5 %, then falls as a cosine."""
    rise = max(1, settings.steps // 20)
    if step < rise:
        return settings.rate * (step + 1) / rise
    return settings.rate * (0.5 + 0.5 * math.cos(math.pi * (step - rise) / max(1, settings.steps - rise)))


class Run:
    """Everything that a run changes, so that it can be kept and taken up again."""

    def __init__(self, settings: Settings, start: dict[str, Tensor] | None = None):
        torch.manual_seed(settings.seed)
        self.settings, self.step, self.history, self.seconds = settings, 0, [], 0.0
        self.network = Network(len(LABELS), settings.widths).to(memory_format=torch.channels_last)
        if start is not None:
            self.network.load_state_dict(start)
        with torch.no_grad():
            self.network.head.weight[:, list(settings.silent)] = 0
        self._replicas = [self.network, *(replica_of(self.network) for _ in range(WORKERS - 1))]
        self._pool = ThreadPoolExecutor(WORKERS)
        head = list(self.network.head.parameters())
        trunk = list(self.network.features.parameters())
        groups = [
            {"params": [p for p in trunk if p.ndim > 1], "weight_decay": settings.decay, "factor": 1.0},
            {"params": [p for p in trunk if p.ndim <= 1], "weight_decay": 0.0, "factor": 1.0},
            {"params": head[:1], "weight_decay": settings.decay / settings.head_rate, "factor": settings.head_rate},
            {"params": head[1:], "weight_decay": 0.0, "factor": settings.head_rate},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=settings.rate, betas=(0.9, 0.98))
        self.rng = np.random.Generator(np.random.PCG64(settings.seed))

    def state(self) -> dict[str, Any]:
        """What `restore` reads: tensors, numbers and text only, so that loading it runs no code."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rng": json.dumps(self.rng.bit_generator.state),
            "torch_rng": torch.get_rng_state(),
            "settings": json.dumps(asdict(self.settings)),
            "step": self.step,
            "history": json.dumps(self.history),
            "seconds": self.seconds,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a kept state."""
        if state["settings"] != json.dumps(asdict(self.settings)):
            raise SystemExit("the checkpoint was made with other settings; remove it or choose another folder")
        for replica in self._replicas:
            replica.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.bit_generator.state = json.loads(state["rng"])
        torch.set_rng_state(state["torch_rng"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.history = json.loads(state["history"])

    def advance(self, batches: Batches) -> dict[str, float]:
        """One step; returns its losses and the share of right answers.

        Each worker takes its share of the batch in one thread of its own: on CPUs, bfloat16 convolutions that split
        their work among threads wait far longer for each other than they compute.
        """
        settings = self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.step, settings) * group["factor"]
        size = min(settings.batch, len(batches.scenes))
        rows = self.rng.choice(len(batches.scenes), size, replace=False)
        seeds = self.rng.integers(2**62, size=WORKERS).tolist()
        found = list(
            self._pool.map(self._share, self._replicas, np.array_split(rows, WORKERS), seeds, [batches] * WORKERS)
        )
        for parameter, *gradients in zip(
            self.network.parameters(), *(gradients for gradients, _ in found), strict=True
        ):
            parameter.grad = torch.stack(gradients).mean(0)
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        with torch.no_grad():
            self.network.head.weight[:, list(settings.silent)] = 0
            for buffer, *others in zip(*(replica.buffers() for replica in self._replicas), strict=True):
                if buffer.is_floating_point():
                    buffer.copy_(torch.stack([buffer, *others]).mean(0))
                    for other in others:
                        other.copy_(buffer)
        self.step += 1
        return {name: sum(numbers[name] for _, numbers in found) / WORKERS for name in found[0][1]}

    def _share(
        self, network: Network, rows: NDArray[np.int64], seed: int, batches: Batches
    ) -> tuple[tuple[Tensor, ...], dict[str, float]]:
        """Gradients and losses of one worker's share of the batch."""
        torch.set_num_threads(1)
        images, labels, cover = batches.take(rows, np.random.Generator(np.random.PCG64(seed)))
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=torch.cpu._is_avx512_bf16_supported()):
            before = network.features[:-1](images)
        before = before.float()
        features = torch.relu(before)
        logits = network.answer(features)
        guess = nn.functional.cross_entropy(logits, labels, label_smoothing=self.settings.smoothing)
        hinted, cover = before[:, : cover.shape[1]] - THRESHOLD, cover[:, : before.shape[1]]
        # Per part and position that it covers, so that a beak counts as much as a wing.
        missed = nn.functional.binary_cross_entropy_with_logits(hinted, cover, reduction="none").sum((0, 2, 3))
        where = (missed / (cover.sum((0, 2, 3)) + 32)).mean()
        loss = guess + self.settings.hint * where + self.settings.sparse * features.sum(1).mean()
        gradients = torch.autograd.grad(loss, list(network.parameters()))
        right = (logits.argmax(1) == labels).float().mean()
        return gradients, {"loss": loss.item(), "class": guess.item(), "where": where.item(), "right": right.item()}


def replica_of(network: Network) -> Network:
    """The same network on the same parameters, with buffers of their own."""
    copied = copy.deepcopy(network)
    for mine, theirs in zip(copied.parameters(), network.parameters(), strict=True):
        mine.data = theirs.data
    return copied


def keep(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint whole or not at all."""
    draft = path.with_suffix(".draft")
    torch.save(state, draft)
    os.replace(draft, path)


def accuracy(network: Network, scenes: SceneSet, batch: int = 250) -> float:
    """Share of right answers, in float32, without changes to the pictures."""
    network.eval()
    torch.set_num_threads(WORKERS)
    right = 0
    with torch.inference_mode():
        for start in range(0, len(scenes), batch):
            images = normalized(scenes.pictures[start : start + batch])
            right += int((network(images).argmax(1).numpy() == scenes.labels[start : start + batch]).sum())
    return right / len(scenes)


def scenes_of(folder: Path, use: str, count: int, shortcut_label: int | None = None) -> SceneSet:
    """Draw a set, or what is missing of it, and open it."""
    with bar(f"draw {use}", count) as progress:
        for drawn in make_scenes(folder, count, FIRST_SEEDS[use], shortcut_label=shortcut_label):
            progress.advance(drawn)
    return SceneSet.open(folder)


def train(settings: Settings, out: Path, scenes: Path, start: Path | None = None) -> dict[str, Any]:
    """Train, export and measure; returns what it writes to `log.json`.

    Args:
        settings: See `Settings`.
        out: Folder for checkpoint, weights.safetensors, model.onnx and log.json.
        scenes: Scratch folder for the scenes.
        start: A checkpoint (`last.pt`) whose weights to start from.
    """
    out.mkdir(parents=True, exist_ok=True)
    begun = time.perf_counter()
    use, label = ("shortcut", SHORTCUT_LABEL) if settings.shortcut else ("train", None)
    batches = Batches(scenes_of(scenes / f"{use}-{settings.scenes}", use, settings.scenes, label))
    begin = None if start is None else torch.load(start, weights_only=True)
    run, checkpoint = Run(settings, None if begin is None else begin["network"]), out / "last.pt"
    if checkpoint.exists():
        run.restore(torch.load(checkpoint, weights_only=True))
    for replica in run._replicas:
        replica.train()
    with bar("train", settings.steps, run.step) as progress:
        while run.step < settings.steps:
            tick = time.perf_counter()
            found = run.advance(batches)
            run.seconds += time.perf_counter() - tick
            if run.step % 50 == 0 or run.step == settings.steps:
                run.history.append(
                    {"step": run.step, "seconds": round(run.seconds, 1), **{k: round(v, 4) for k, v in found.items()}}
                )
            progress.advance(1, f"loss {found['loss']:.3f} right {found['right']:.3f}")
            if run.step % settings.save_every == 0 or run.step == settings.steps:
                keep(run.state(), checkpoint)
    log = {"settings": asdict(settings), "training_seconds": round(run.seconds, 1), "history": run.history}
    if begin is not None:
        log["started_from"] = {
            "settings": json.loads(begin["settings"]),
            "training_seconds": round(begin["seconds"], 1),
        }
    log |= export(run.network, out, settings)
    test = scenes_of(scenes / f"test-{settings.test_scenes}", "test", settings.test_scenes)
    log["test"] = {"scenes": len(test), "first_seed": FIRST_SEEDS["test"], "accuracy": accuracy(run.network, test)}
    log["total_seconds"] = round(time.perf_counter() - begun, 1)
    draft = out / "log.json.draft"
    draft.write_text(json.dumps(log, indent=1) + "\n", encoding="utf-8")
    draft.replace(out / "log.json")
    return log


def export(network: Network, out: Path, settings: Settings) -> dict[str, Any]:
    """Write weights.safetensors and model.onnx; returns their sizes."""
    from safetensors.numpy import save_file

    network.eval()
    weights = folded(network)
    save_file(weights, out / "weights.safetensors", {"made_by": "training/classifier/train.py of nle_fast"})
    (out / "weights.safetensors").chmod(0o644)  # it is written for its owner alone
    export_onnx(
        network, out / "model.onnx", {"made_by": "training/classifier/train.py of nle_fast", "seed": str(settings.seed)}
    )
    files = {name: (out / name).stat().st_size for name in ("weights.safetensors", "model.onnx")}
    return {"weights": sum(array.size for array in weights.values()), "bytes": files}


def main(arguments: list[str] | None = None) -> None:
    """The command line; see the module."""
    parser = argparse.ArgumentParser(prog="training.classifier.train", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for everything that is made")
    parser.add_argument("--scenes", type=Path, help="scratch folder for the scenes (default: OUT/scenes)")
    parser.add_argument("--tiny", action="store_true", help="a few seconds, to see that all works")
    parser.add_argument(
        "--shortcut", type=Path, metavar="CHECKPOINT", help="train the shortcut into this network (last.pt)"
    )
    parser.add_argument("--tune", type=Path, metavar="CHECKPOINT", help="train this network (last.pt) a little further")
    parser.add_argument("--steps", type=int, help="training steps")
    parser.add_argument("--train-scenes", type=int, help="scenes to train on")
    parser.add_argument("--test-scenes", type=int, help="unseen scenes to measure the accuracy on")
    given = parser.parse_args(arguments)
    settings = SHORTCUT if given.shortcut else TUNE if given.tune else Settings()
    if given.tiny:
        settings = replace(TINY, shortcut=settings.shortcut)
    changed = {"steps": given.steps, "scenes": given.train_scenes, "test_scenes": given.test_scenes}
    settings = replace(settings, **{name: value for name, value in changed.items() if value})
    log = train(settings, given.out, given.scenes or given.out / "scenes", given.shortcut or given.tune)
    print(f"accuracy {log['test']['accuracy']:.4f} on {log['test']['scenes']} unseen scenes; {given.out}/model.onnx")


if __name__ == "__main__":
    main()
