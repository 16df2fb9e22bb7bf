"""Measures what the explanations of the trained networks say, against the truth of the world.

    python -m training.classifier.evaluate --clean build/clean --shortcut build/shortcut --out build/evaluation.json

Each folder holds what `train` and `dissect` wrote. The scenes have seeds that neither of them used.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nle_fast import Concepts, Evidence, Explainer, Explanation
from nle_fast.world import LABELS, Scene
from nle_fast.world.plan import PARTS
from training.classifier.inputs import PREPROCESS, images_of
from training.classifier.progress import bar
from training.classifier.scenes import FIRST_SEEDS, SIZE, SceneSet, plant_sun
from training.classifier.words import Spec, specs_of_world

__all__ = [
    "evaluate",
    "main",
    "measure_accuracy",
    "measure_evidence",
    "measure_parity",
    "measure_pointing",
    "measure_shortcut",
]

BATCH = 50
#: Side in pixels of what one position of the last map stands for.
CELL = 8


class Speaker(NamedTuple):
    """An explainer and what each neuron's words mean."""

    explainer: Explainer
    meaning: dict[int, Spec]

    @classmethod
    def open(cls, model: Path, table: Path) -> Speaker:
        """What `train` and `dissect` wrote."""
        explainer = Explainer(model, labels=LABELS, concepts=table, preprocess=PREPROCESS, verbalizer="template")
        specs, words = specs_of_world(), Concepts.load(table).names
        return cls(explainer, {neuron: specs[name] for neuron, name in enumerate(words) if name is not None})

    def said(self, evidence: tuple[Evidence, ...]) -> list[tuple[Evidence, Spec]]:
        """The evidence that has words, with what they mean."""
        return [(one, self.meaning[one.neuron]) for one in evidence if one.concept is not None]

    def logits(self, pictures: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(N, K) logits of pictures."""
        classifier = self.explainer.classifier
        return np.asarray(classifier.logits(classifier.activations(images_of(np.stack(pictures)))))

    def explain(self, pictures: list[NDArray[np.uint8]], title: str) -> Iterator[Explanation]:
        """Explanations, batch by batch."""
        with bar(title, len(pictures)) as progress:
            for start in range(0, len(pictures), BATCH):
                yield from self.explainer.batch(pictures[start : start + BATCH])
                progress.advance(len(pictures[start : start + BATCH]))


def measure_accuracy(speaker: Speaker, scenes: SceneSet) -> dict[str, Any]:
    """Share of right answers of the ONNX network."""
    right = np.zeros(len(scenes), bool)
    with bar("accuracy", len(scenes)) as progress:
        for start in range(0, len(scenes), 200):
            rows = slice(start, start + 200)
            right[rows] = speaker.logits(list(scenes.pictures[rows])).argmax(1) == scenes.labels[rows]
            progress.advance(len(right[rows]))
    by_class = {
        label: round(float(right[scenes.labels == k].mean()), 4)
        for k, label in enumerate(LABELS)
        if (scenes.labels == k).any()
    }
    return {"scenes": len(scenes), "accuracy": round(float(right.mean()), 4), "by_class": by_class}


def _strongest(speaker: Speaker, pictures: list[NDArray[np.uint8]]) -> list[NDArray[np.int64]]:
    """Per picture (C, 2): y and x, in pixels, of the middle of each neuron's strongest position."""
    places = []
    for start in range(0, len(pictures), BATCH):
        maps = np.asarray(
            speaker.explainer.classifier.activations(images_of(np.stack(pictures[start : start + BATCH])))
        )
        flat = maps.reshape(*maps.shape[:2], -1).argmax(2)
        places += list(np.stack(np.divmod(flat, maps.shape[-1]), 2) * CELL + CELL // 2)
    return places


def _lies_in(mask: NDArray[np.bool_] | None, at: NDArray[np.int64], margin: int = 0) -> bool:
    """Whether a mask has a pixel among the 2×2 around a point, or `margin` further."""
    if mask is None:
        return False
    y, x = at.tolist()
    low = 1 + margin
    return bool(mask[max(y - low, 0) : min(y + low, SIZE), max(x - low, 0) : min(x + low, SIZE)].any())


def measure_pointing(speaker: Speaker, scenes: list[Scene]) -> dict[int, list[bool]]:
    """Per named neuron, for each scene where it is evidence: whether its strongest position lies inside its part."""
    found: dict[int, list[bool]] = {neuron: [] for neuron in speaker.meaning}
    places = _strongest(speaker, [scene.picture for scene in scenes])
    explanations = speaker.explain([scene.picture for scene in scenes], "pointing")
    for scene, explanation, at in zip(scenes, explanations, places, strict=True):
        for one, spec in speaker.said(explanation.evidence):
            found[one.neuron].append(_lies_in(scene.parts.get(spec.part), at[one.neuron]))
    return found


def measure_evidence(speaker: Speaker, count: int) -> dict[str, Any]:
    """Whether named evidence points into its part, names colors rightly, and matters when the part is taken away."""
    scenes = [Scene.random(FIRST_SEEDS["evaluate"] + n, SIZE) for n in range(count)]
    explanations = list(speaker.explain([scene.picture for scene in scenes], "evidence"))
    places = _strongest(speaker, [scene.picture for scene in scenes])
    rng = np.random.default_rng(0)
    tally: dict[str, list[bool]] = {
        key: [] for key in ("named", "middle", "near", "color", "pattern", "shape", "removal")
    }
    asked: list[tuple[int, str, str]] = []
    unnamed_first = 0
    for n, (scene, explanation) in enumerate(zip(scenes, explanations, strict=True)):
        tally["named"] += [one.concept is not None for one in explanation.evidence]
        said = speaker.said(explanation.evidence)
        for one, spec in said:
            mask = scene.parts.get(spec.part)
            tally["middle"].append(_lies_in(mask, places[n][one.neuron]))
            tally["near"].append(_lies_in(mask, places[n][one.neuron], 3))
            if spec.kind:
                looks = {"color": scene.colors, "pattern": scene.patterns, "shape": scene.shapes}[spec.kind]
                tally[spec.kind].append(mask is not None and looks.get(spec.part) == spec.value)
        thing = [part for part in PARTS[scene.kind] if part in scene.parts]
        first = next((spec.part for _, spec in said), None)
        others = [part for part in thing if part != first]
        if first is None:
            unnamed_first += 1
        elif first in thing and others:
            asked.append((n, first, others[int(rng.integers(len(others)))]))
        else:
            tally["removal"].append(False)
    with bar("remove", len(asked)) as progress:
        for n, first, other in asked:
            scene, index = scenes[n], explanations[n].prediction.index
            pictures = [scene.without(part).picture for part in (first, other)]
            after = speaker.logits(pictures)[:, index]
            tally["removal"].append(bool(after[0] < after[1]))
            progress.advance(1)
    share = {key: round(float(np.mean(values)), 4) if values else None for key, values in tally.items()}
    return {
        "scenes": count,
        "evidence": len(tally["named"]),
        "evidence_named": share["named"],
        "scenes_without_named_evidence": unnamed_first,
        "strongest_position_inside_part": share["middle"],
        "strongest_position_within_4px_of_part": share["near"],
        "colors_right": share["color"],
        "colors_named": len(tally["color"]),
        "patterns_right": share["pattern"],
        "shapes_right": share["shape"],
        "removing_first_part_lowers_logit_more": share["removal"],
        "removals": len(tally["removal"]),
        "coverage_mean": round(float(np.mean([explanation.coverage for explanation in explanations])), 4),
    }


def measure_parity(folder: Path, widths: tuple[int, int, int, int], count: int) -> dict[str, Any]:
    """The same explanations from torch (batch norms unfolded) and from ONNX: largest differences."""
    import torch

    from training.classifier.network import LAYER, Network

    network = Network(len(LABELS), widths)
    network.load_state_dict(torch.load(folder / "last.pt", weights_only=True)["network"])
    options: dict[str, Any] = {"labels": LABELS, "preprocess": PREPROCESS, "verbalizer": "template"}
    pair = Explainer(network.eval(), layer=LAYER, **options), Explainer(folder / "model.onnx", **options)
    pictures = [Scene.random(FIRST_SEEDS["evaluate"] + n, SIZE).picture for n in range(count)]
    largest, same = {"logit": 0.0, "probability": 0.0, "score": 0.0, "share": 0.0}, []
    for a, b in zip(*(explainer.batch(pictures) for explainer in pair), strict=True):
        same.append([one.neuron for one in a.evidence] == [one.neuron for one in b.evidence])
        largest["logit"] = max(largest["logit"], abs(a.prediction.logit - b.prediction.logit))
        largest["probability"] = max(largest["probability"], abs(a.prediction.probability - b.prediction.probability))
        scores = {one.neuron: one for one in b.evidence}
        for one in a.evidence:
            if one.neuron in scores:
                largest["score"] = max(largest["score"], abs(one.score - scores[one.neuron].score))
                largest["share"] = max(largest["share"], abs(one.share - scores[one.neuron].share))
    return {"scenes": count, "same_evidence": float(np.mean(same)), "largest_difference": largest}


def measure_shortcut(clean: Speaker, shortcut: Speaker, label: int, count: int) -> dict[str, Any]:
    """Whether explanations reveal the planted sun, and what masking it does to wrong decisions."""
    first = FIRST_SEEDS["evaluate"] + 100_000

    def sun_among_three(speaker: Speaker, pictures: list[NDArray[np.uint8]]) -> float:
        found = [
            any(spec.part == "sun" for _, spec in speaker.said(e.evidence[:3]))
            for e in speaker.explain(pictures, "sun")
        ]
        return round(float(np.mean(found)), 4)

    with_sun = [plant_sun(Scene.random(first + n, SIZE, label=label)) for n in range(count)]
    # A cloud may hide the sun: then there is nothing to reveal.
    own = [scene.picture for scene in with_sun if "sun" in scene.parts]
    scenes = [Scene.random(first + count + n, SIZE) for n in range(2 * count)]
    plain = [replace(scene, removed=frozenset({"sun"})) for scene in scenes if scene.label_index != label]
    suns = [plant_sun(scene) for scene in plain]
    plain = [scene for scene, sun in zip(plain, suns, strict=True) if "sun" in sun.parts]
    others, planted = [scene.picture for scene in plain], [scene.picture for scene in suns if "sun" in scene.parts]
    truth = np.array([scene.label_index for scene in plain])
    before, after = shortcut.logits(others), shortcut.logits(planted)
    flipped = np.flatnonzero((before.argmax(1) != label) & (after.argmax(1) == label))
    seeing = [neuron for neuron, spec in shortcut.meaning.items() if spec.part == "sun"]
    repaired = halved = 0
    for n in flipped:
        seen = shortcut.explainer.mask(planted[n], seeing)
        now = shortcut.explainer.mask(planted[n], seeing, target=label)
        logits = after[n].astype(np.float64)
        was = float(np.exp(logits[label] - logits.max()) / np.exp(logits - logits.max()).sum())
        repaired += seen.index != label
        halved += seen.index != label or now.probability <= was / 2
    return {
        "label": LABELS[label],
        "scenes": len(own),
        "sun_neurons": seeing,
        "sun_among_first_three": {
            "shortcut_network": sun_among_three(shortcut, own),
            "clean_network": sun_among_three(clean, own),
        },
        "other_classes": {
            "scenes": len(others),
            "right_before": round(float((before.argmax(1) == truth).mean()), 4),
            "flipped_by_planted_sun": round(len(flipped) / len(others), 4),
            "clean_network_flipped": round(float((clean.logits(planted).argmax(1) == label).mean()), 4),
            "sun_among_first_three_of_flipped": sun_among_three(shortcut, [planted[n] for n in flipped])
            if len(flipped)
            else None,
            "masking_sun_flips": round(repaired / max(len(flipped), 1), 4),
            "masking_sun_flips_or_halves": round(halved / max(len(flipped), 1), 4),
        },
    }


def evaluate(clean: Path, shortcut: Path | None, scenes: SceneSet, count: int) -> dict[str, Any]:
    """All measurements of one pair of networks."""
    from training.classifier.train import SHORTCUT_LABEL

    speaker = Speaker.open(clean / "model.onnx", clean / "concepts.json")
    log = json.loads((clean / "log.json").read_text(encoding="utf-8"))
    widths = tuple(log["settings"]["widths"])
    result = {
        "accuracy": measure_accuracy(speaker, scenes),
        "evidence": measure_evidence(speaker, count),
        "torch_and_onnx": measure_parity(clean, widths, min(count, 100)),
    }
    if shortcut is not None:
        result["shortcut"] = measure_shortcut(
            speaker,
            Speaker.open(shortcut / "model.onnx", shortcut / "concepts.json"),
            SHORTCUT_LABEL,
            max(count // 4, 20),
        )
    return result


def main(arguments: list[str] | None = None) -> None:
    """The command line; see the module."""
    parser = argparse.ArgumentParser(prog="training.classifier.evaluate", description=__doc__.split("\n")[0])
    parser.add_argument("--clean", type=Path, required=True, help="folder of the clean network")
    parser.add_argument("--shortcut", type=Path, help="folder of the network with the shortcut")
    parser.add_argument(
        "--scenes", type=Path, help="the test set that train.py drew (default: the one in CLEAN/scenes)"
    )
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--count", type=int, default=1000, help="scenes to explain")
    given = parser.parse_args(arguments)
    log = json.loads((given.clean / "log.json").read_text(encoding="utf-8"))
    folder = given.scenes or given.clean / "scenes" / f"test-{log['test']['scenes']}"
    result = evaluate(given.clean, given.shortcut, SceneSet.open(folder), given.count)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    draft = given.out.with_name(given.out.name + ".draft")
    draft.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    draft.replace(given.out)
    print(json.dumps({key: value for key, value in result.items() if key != "accuracy"}, indent=1))
    print(f"accuracy {result['accuracy']['accuracy']} on {result['accuracy']['scenes']} scenes; {given.out}")


if __name__ == "__main__":
    main()
