"""Network Dissection of the last layer against the world's masks: which part, with which look, each neuron sees.

    python -m training.classifier.dissect --model build/clean/model.onnx --out build/clean

1. Maps are interpolated bilinearly to 64×64, as the regions of explanations are, and are on above the threshold:
   the activation that a share q of all positions exceeds. The share is, of `QUANTILES`, the one whose regions fit best;
   the published 0.005 alone would favor parts as small as a beak.
2. IoU = |on and concept| / |on or concept| over all pixels of half the scenes (even numbers). For each part,
   a look ("red breast") wins over it where its IoU is `MARGIN` times as large and it is the look in
   `PRECISION` of the neuron's strongest cases inside the part.
3. Pointing: of the scenes where the neuron is among the five of the explanation (or, if those are few, of the scenes
   where it is strongest), the share whose strongest position lies inside the concept.
4. The other half (odd numbers) measures the choice anew. Words are kept where both halves reach `MIN_IOU` and
   `MIN_POINTING`; else the neuron has none.

Source: Bau et al., "Network Dissection", CVPR 2017 (IoU at a top quantile); pointing: Zhang et al., 2018.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast import Concepts, OnnxClassifier
from nle_fast.ops import score_neurons
from training.classifier.inputs import images_of
from training.classifier.progress import bar
from training.classifier.scenes import SIZE, SceneSet
from training.classifier.words import Spec, Truth, specs_of

__all__ = ["MIN_IOU", "MIN_POINTING", "dissect", "main", "read_set"]

QUANTILES = (0.005, 0.01, 0.02, 0.04)
MARGIN = 1.15
PRECISION = 0.9
MIN_IOU = 0.04
MIN_POINTING = 0.8
TOP = 5
FINE = 64
FEW = 8


def read_set(classifier: OnnxClassifier, scenes: SceneSet, batch: int = 100) -> dict[str, NDArray[Any]]:
    """Activations (N, C, H, W) float16, the five supporting neurons (N, 5) and their scores, and the winners (N,)."""
    found: dict[str, list[NDArray[Any]]] = {"activations": [], "neurons": [], "scores": [], "winners": []}
    with bar("read", len(scenes)) as progress:
        for start in range(0, len(scenes), batch):
            reading = classifier.read(images_of(scenes.pictures[start : start + batch]))
            top = score_neurons(reading.activations, reading.gradients, TOP)
            found["activations"].append(np.asarray(reading.activations).astype(np.float16))
            found["neurons"].append(top.neurons)
            found["scores"].append(top.values)
            found["winners"].append(reading.class_index)
            progress.advance(len(top.neurons))
    return {name: np.concatenate(arrays) for name, arrays in found.items()}


def _interpolation(width: int) -> NDArray[np.float32]:
    """(FINE, width): bilinear weights between centers, clamped at the border."""
    at = ((np.arange(FINE) + 0.5) / FINE * width - 0.5).clip(0, width - 1)
    low = np.minimum(at.astype(int), width - 2)
    weights = np.zeros((FINE, width), np.float32)
    weights[np.arange(FINE), low] = 1 - (at - low)
    weights[np.arange(FINE), low + 1] += at - low
    return weights


def _overlaps(
    maps: NDArray[np.float16], truth: Truth, rows: NDArray[np.int64], thresholds: NDArray[np.float32]
) -> NDArray[np.float64]:
    """IoU (Q, C, J) over some scenes."""
    rise = _interpolation(maps.shape[-1])
    q, c = thresholds.shape
    parts = len(truth.scenes.vocabulary.parts)
    both, on, there = np.zeros((q, c, len(truth.specs))), np.zeros((q, c)), np.zeros(len(truth.specs))
    step = SIZE // FINE
    with bar("dissect", len(rows)) as progress:
        for n in rows:
            fine = (rise @ maps[n].astype(np.float32) @ rise.T).reshape(c, -1)
            lit = (fine[None] > thresholds[..., None]).astype(np.float32).reshape(q * c, -1)
            owner = truth.scenes.owners[n, step // 2 :: step, step // 2 :: step].ravel()
            shown = np.eye(parts, dtype=np.float32)[owner]
            common = (lit @ shown).reshape(q, c, parts)
            on += lit.sum(1).reshape(q, c)
            both += common[:, :, truth.part_of] * truth.has_look[n]
            there += shown.sum(0)[truth.part_of] * truth.has_look[n]
            progress.advance(1)
    return both / np.maximum(on[..., None] + there - both, 1)


class _Cases:
    """The scenes that judge a neuron, and what lies at its strongest position in each."""

    def __init__(self, read: dict[str, NDArray[Any]], truth: Truth, rows: NDArray[np.int64]):
        maps = read["activations"][rows]
        self._flat = maps.reshape(*maps.shape[:2], -1)
        self._width = maps.shape[-1]
        self._read, self._truth, self._rows = read, truth, rows

    def of(self, neuron: int) -> tuple[int, NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """How often it is evidence; and per case (n, J) inside at the middle, inside within 4 pixels, look right."""
        plane = self._flat[:, neuron]
        active = plane.max(1) > 0
        used = np.flatnonzero((self._read["neurons"][self._rows] == neuron).any(1) & active)
        ranked = np.argsort(-plane.max(1).astype(np.float32), kind="stable")
        # Where it is silent it has no strongest position; a neuron that is always silent keeps one case, and fails.
        cases = used if len(used) >= FEW else ranked[: max(1, min(20, int(active.sum())))]
        places = [(int(self._rows[n]), int(plane[n].argmax())) for n in cases]
        middle = np.array([self._truth.inside(n, at, self._width) for n, at in places])
        near = np.array([self._truth.inside(n, at, self._width, 3) for n, at in places])
        return len(used), middle, near, self._truth.has_look[[n for n, _ in places]]


def _choose(iou: NDArray[np.float64], middle: NDArray[np.bool_], specs: tuple[Spec, ...]) -> int:
    """The concept of one neuron from the first half: the best part, or a look of it that clearly beats it."""
    best = []
    for bare in (j for j, spec in enumerate(specs) if not spec.kind):
        looks = [j for j, spec in enumerate(specs) if spec.kind and spec.part == specs[bare].part]
        inside = max(int(middle[:, bare].sum()), 1)
        fit = [j for j in looks if iou[j] >= MARGIN * iou[bare] and middle[:, j].sum() >= PRECISION * inside]
        best.append(max(fit, key=lambda j: iou[j], default=bare))
    return max(best, key=lambda j: iou[j])


def dissect(model: Path, scenes: SceneSet) -> tuple[Concepts, dict[str, Any]]:
    """Name the neurons of a network; returns the table and the report with each neuron's numbers."""
    classifier = OnnxClassifier(model)
    specs = specs_of(scenes)
    truth = Truth(scenes, specs)
    read = read_set(classifier, scenes)
    maps = read["activations"]
    first, second = np.arange(0, len(scenes), 2), np.arange(1, len(scenes), 2)
    rise = _interpolation(maps.shape[-1])
    sample = np.concatenate([(rise @ maps[n].astype(np.float32) @ rise.T)[:, ::3, ::3] for n in first], 1)
    sample = sample.reshape(maps.shape[1], -1)
    thresholds = np.quantile(sample, [1 - q for q in QUANTILES], axis=1).astype(np.float32)
    ious, checks = _overlaps(maps, truth, first, thresholds), _overlaps(maps, truth, second, thresholds)
    halves = _Cases(read, truth, first), _Cases(read, truth, second)
    names: list[str | None] = []
    qualities: list[float | None] = []
    neurons = []
    for neuron in range(maps.shape[1]):
        used, middle, _, _ = halves[0].of(neuron)
        chosen = _choose(ious[:, neuron].max(0), middle, specs)
        q = int(ious[:, neuron, chosen].argmax())
        used_2, middle_2, near_2, look_2 = halves[1].of(neuron)
        pointing, pointing_2 = float(middle[:, chosen].mean()), float(middle_2[:, chosen].mean())
        iou, iou_2 = float(ious[q, neuron, chosen]), float(checks[q, neuron, chosen])
        kept = (
            min(iou, iou_2) >= MIN_IOU and min(pointing, pointing_2) >= MIN_POINTING and bool(sample[neuron].max() > 0)
        )
        names.append(specs[chosen].words if kept else None)
        qualities.append(round(iou_2, 4) if kept else None)
        best = np.argsort(-ious[:, neuron].max(0), kind="stable")[:4]
        neurons.append(
            {
                "neuron": neuron,
                "name": names[-1],
                "best": specs[chosen]._asdict(),
                "iou": {"chosen_on": round(iou, 4), "held_out": round(iou_2, 4), "quantile": QUANTILES[q]},
                "pointing": {
                    "chosen_on": round(pointing, 4),
                    "held_out": round(pointing_2, 4),
                    "held_out_within_4px": round(float(near_2[:, chosen].mean()), 4),
                },
                "look_right_held_out": round(float(look_2[:, chosen].mean()), 4),
                "evidence_in": {"chosen_on": used, "held_out": used_2},
                "runners_up": {specs[j].words: round(float(ious[:, neuron, j].max()), 4) for j in best},
            }
        )
    table = Concepts(tuple(names), tuple(qualities), classifier.layer, classifier.fingerprint)
    named = [name is not None for name in names]
    report = {
        "model": classifier.fingerprint,
        "layer": classifier.layer,
        "scenes": len(scenes),
        "bars": {"iou": MIN_IOU, "pointing": MIN_POINTING, "margin": MARGIN, "precision": PRECISION},
        "named": sum(named),
        "distinct": len({name for name in names if name}),
        "evidence_named": round(float(np.array(named)[read["neurons"]].mean()), 4),
        "right": round(float((read["winners"] == scenes.labels).mean()), 4),
        "neurons": neurons,
    }
    return table, report


def main(arguments: list[str] | None = None) -> None:
    """The command line; see the module."""
    from training.classifier.train import SHORTCUT_LABEL, scenes_of

    parser = argparse.ArgumentParser(prog="training.classifier.dissect", description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True, help="model.onnx as train.py writes it")
    parser.add_argument("--out", type=Path, required=True, help="folder for concepts.json and dissection.json")
    parser.add_argument("--scenes", type=Path, help="scratch folder for the scenes (default: OUT/scenes)")
    parser.add_argument("--count", type=int, default=2000, help="number of scenes")
    parser.add_argument("--shortcut", action="store_true", help="in the world with the planted sun")
    given = parser.parse_args(arguments)
    use = "dissect-shortcut" if given.shortcut else "dissect"
    folder = (given.scenes or given.out / "scenes") / f"{use}-{given.count}"
    scenes = scenes_of(folder, "dissect", given.count, SHORTCUT_LABEL if given.shortcut else None)
    given.out.mkdir(parents=True, exist_ok=True)
    table, report = dissect(given.model, scenes)
    table.save(given.out / "concepts.json")
    draft = given.out / "dissection.json.draft"
    draft.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    draft.replace(given.out / "dissection.json")
    share = f"{report['evidence_named']:.0%} of the evidence"
    print(f"{report['named']} of {len(table)} neurons named, {report['distinct']} concepts, {share}; {given.out}")


if __name__ == "__main__":
    main()
