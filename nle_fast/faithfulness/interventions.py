"""FunnyBirds' questions in the drawn world: are the parts that a text names those that the network needs?

Every part of a scene can be taken away and the picture drawn again, so the truth about a part is an experiment, not an
annotation. The protocols are those of the FunnyBirds framework, on this world's parts, with these differences:
masks are widened by one pixel at 128 (theirs by two at 256); of a sufficient set only the parts that are there count,
since absence ("no crest") cannot be pointed at; a constant importance counts as correlation 0 rather than being left
out; rivals for contrastivity share as many parts as the class has to offer, theirs exactly two.

Source: Hesse, Schaub-Meyer, Roth, "FunnyBirds" (ICCV 2023), and its public protocol code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers import Reading, cut_at_picture, neurons_of, read
from nle_fast.concepts import Concepts
from nle_fast.errors import InputError
from nle_fast.explainer import Explainer
from nle_fast.faithfulness.attributions import grad_cam, input_times_gradient, region_maps
from nle_fast.faithfulness.masking import Progress
from nle_fast.faithfulness.rankings import signed_scores
from nle_fast.faithfulness.statistics import mean_interval, ratio_interval
from nle_fast.preprocess import load_picture
from nle_fast.world import SPECIES, Scene
from nle_fast.world.plan import PARTS

__all__ = ["METHODS", "THRESHOLDS", "measure_interventions", "named_parts", "sufficient_sets"]

#: "text" names five supporting neurons, as explanations do; "long text" ten, and the ten that oppose most. "regions"
#: are where the five are: what an explanation draws rather than what it says.
OURS = ("text", "long text", "regions")
OTHERS = ("input × gradient", "grad-cam", "random")
METHODS = (*OURS, *OTHERS)
#: A part is important where its importance exceeds this share of the whole; the best one is taken for each method.
THRESHOLDS = (0.01, 0.03, 0.06, 0.10, 0.15, 0.25)
#: A part whose removal moves the logit by less than this share of it is irrelevant.
IRRELEVANT = 0.05
BATCH = 64

Importance = dict[str, float]


@dataclass
class _Case:
    """One scene: what the network says of it and of its variants, and what each method says of its parts."""

    scene: Scene
    target: int
    logits: dict[frozenset[str], NDArray[np.float64]] = field(default_factory=dict)
    importance: dict[str, tuple[Importance, float]] = field(default_factory=dict)

    @property
    def own(self) -> list[str]:
        return [part for part in PARTS[self.scene.kind] if part in self.scene.parts]

    @property
    def scenery(self) -> list[str]:
        return [part for part in self.scene.parts if part not in PARTS[self.scene.kind] and part != "sky"]

    def important(self, method: str, threshold: float) -> frozenset[str]:
        found, total = self.importance[method]
        return frozenset(part for part, value in found.items() if value > threshold * total)

    def logit(self, removed: frozenset[str] = frozenset(), target: int | None = None) -> float:
        return float(self.logits[removed][self.target if target is None else target])

    def kept_class(self, removed: frozenset[str]) -> bool:
        return int(self.logits[removed].argmax()) == self.target


def measure_interventions(
    explainer: Explainer,
    model: Any,
    count: int = 500,
    first_seed: int = 8_000_000,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Completeness, correctness and contrastivity of texts, Input × Gradient, Grad-CAM and chance, side by side.

    All methods explain the same network on the same scenes; the interventions are shared.

    * completeness: ((CSDC + PC + DC) / 3 + D) / 2 at the method's best threshold. CSDC: share of a sufficient set of
      parts among the important ones. PC: the answer stays when only important parts are kept. DC: it changes when they
      are taken away. D: share of the irrelevant parts, scenery too, that are not important.
    * correctness (single deletion): Spearman's ρ between importance and the logit's fall when the part is taken
      away, mapped to [0, 1].
    * contrastivity (target sensitivity): parts shared with a rival class count more when that rival is explained
      than when another is.

    Args:
        explainer: Knows the world's classes, with concepts that name its parts.
        model: The same network, for gradients at the picture: its ONNX file or module.
        count: Scenes.
        first_seed: Of the scenes.
        seed: Of the random importances and of the bootstrap.
        progress: Told how many scenes are done.

    Returns:
        For JSON: per method the three scores and their parts with intervals, the network's background independence and
        the text's, ratios of the texts' scores over the others', and the raw numbers of each scene.
    """
    at_picture = cut_at_picture(model, input_size=(explainer.preprocess.size,) * 2)
    rows: list[dict[str, Any]] = []
    for n in range(count):
        scene = Scene.random(first_seed + n)
        rows.append(_measure(explainer, at_picture, scene, np.random.default_rng((seed, first_seed + n))))
        if progress is not None:
            progress("intervene", n + 1, count)
    return {"count": count, "first_seed": first_seed, "seed": seed, **_summary(rows, seed), "raw": rows}


@lru_cache(maxsize=len(SPECIES))
def sufficient_sets(index: int) -> tuple[frozenset[str], ...]:
    """The smallest sets of parts whose looks belong to this class and no other of its kind.

    Example:
        >>> sufficient_sets(12) == (frozenset({"forewings", "hindwings"}),)
        True
    """
    own = SPECIES[index]
    others = [one for i, one in enumerate(SPECIES) if i != index and one.kind == own.kind]
    found: list[frozenset[str]] = []
    for size in range(1, len(own.definition) + 1):
        for parts in map(frozenset, combinations(own.definition, size)):
            unique = all(any(one.definition[p] != own.definition[p] for p in parts) for one in others)
            if unique and not any(smaller <= parts for smaller in found):
                found.append(parts)
    return tuple(found)


def named_parts(
    scores: NDArray[np.float64], concepts: Concepts, parts: Iterable[str], k: int = 5, against: bool = False
) -> tuple[Importance, float]:
    """How much a text gives to each part that it names, in logits, and the sum of all support.

    A concept names the part that its last word is ("red breast"); neurons without words, and words for other things,
    give nothing to any part.

    Args:
        scores: (C,) signed scores of the neurons.
        concepts: Words for them.
        parts: Names that count.
        k: Supporting neurons that the text names.
        against: Whether it also names the k most opposing ones, which count as they are: below zero.
    """
    found = dict.fromkeys(parts, 0.0)
    order = np.argsort(-scores, kind="stable")
    named = [n for n in order[:k] if scores[n] > 0] + [n for n in order[::-1][:k] if against and scores[n] < 0]
    for neuron in named:
        concept = concepts[int(neuron)]
        part = concept.name.split()[-1] if concept.trusted and concept.name else ""
        if part in found:
            found[part] += float(scores[neuron])
    return found, float(np.maximum(scores, 0).sum())


def _measure(explainer: Explainer, at_picture: Any, scene: Scene, chance: np.random.Generator) -> dict[str, Any]:
    whole = _look(explainer, scene, [frozenset()])
    case = _Case(scene, int(whole[frozenset()].argmax()))
    case.importance = _importances(explainer, at_picture, scene, [case.target], chance)[0]
    wanted = {frozenset({part}): None for part in (*case.own, *case.scenery)}
    everything = frozenset(case.own)
    for method in METHODS:
        for threshold in THRESHOLDS:
            important = case.important(method, threshold) & everything
            wanted[important] = wanted[everything - important] = None
    rivals = _rivals(case)
    if rivals is not None:
        wanted[rivals[1]] = wanted[rivals[3]] = None
    case.logits = whole | _look(explainer, scene, [parts for parts in wanted if parts])
    row: dict[str, Any] = {
        "seed": scene.seed,
        "kind": scene.kind,
        "right": case.target == scene.label_index,
        "methods": {method: _judge(case, method) for method in METHODS},
        "irrelevant_scenery": [_irrelevant(case, part) for part in case.scenery],
    }
    if rivals is not None and _rivals_differ(case, rivals):
        both = _importances(explainer, at_picture, scene, [rivals[0], rivals[2]], chance)
        for method in METHODS:
            row["methods"][method]["contrastivity"] = _contrast(both[0][method][0], both[1][method][0], rivals)
    elsewhere = scene.with_background(scene.seed + 1)
    found = _read(explainer, elsewhere, [-1])
    if int(found.logits[0].argmax()) == case.target and explainer.concepts is not None:
        neurons = neurons_of(explainer.classifier, found)
        scores = signed_scores(neurons.activations, neurons.gradients)[0]
        again = named_parts(scores, explainer.concepts, [p for p in elsewhere.parts if p != "sky"])[0]
        one, two = ({part for part, value in f.items() if value > 0} for f in (case.importance["text"][0], again))
        row["same_parts_elsewhere"] = len(one & two) / len(one | two) if one | two else 1.0
    return row


def _read(explainer: Explainer, scene: Scene, targets: Sequence[int]) -> Reading:
    images = np.repeat(explainer.preprocess([load_picture(scene.picture)]), len(targets), 0)
    return read(explainer.classifier, images, np.array(targets))


def _importances(
    explainer: Explainer, at_picture: Any, scene: Scene, targets: Sequence[int], chance: np.random.Generator
) -> list[dict[str, tuple[Importance, float]]]:
    """For each explained class what each method gives to the scene's parts, and the whole."""
    if explainer.concepts is None:
        raise InputError("`explainer` must have concepts that name parts of the world, got none; pass concepts.")
    parts = {part: mask for part, mask in scene.parts.items() if part != "sky"}
    reading = _read(explainer, scene, targets)
    neurons = neurons_of(explainer.classifier, reading)
    scores = signed_scores(neurons.activations, neurons.gradients)
    height, width = scene.picture.shape[:2]
    cams, outlined = grad_cam(reading, (height, width)), region_maps(neurons, 5, (height, width))
    images = np.repeat(explainer.preprocess([load_picture(scene.picture)]), len(targets), 0)
    gradients = input_times_gradient(at_picture, images, np.array(targets))
    found = []
    for n in range(len(targets)):
        noise = {part: float(chance.random()) for part in parts}
        found.append(
            {
                "text": named_parts(scores[n], explainer.concepts, parts),
                "long text": named_parts(scores[n], explainer.concepts, parts, 10, True),
                "regions": _inside(outlined[n], parts),
                "input × gradient": _inside(gradients[n], parts),
                "grad-cam": _inside(cams[n], parts),
                "random": (noise, sum(noise.values())),
            }
        )
    return found


def _inside(attribution: NDArray[np.float64], parts: Mapping[str, NDArray[np.bool_]]) -> tuple[Importance, float]:
    found = {part: float(attribution[_wider(mask)].sum()) for part, mask in parts.items()}
    return found, float(attribution.sum())


def _wider(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask and the pixels that touch it."""
    padded = np.pad(mask, 1)
    height, width = mask.shape
    return np.asarray(
        np.any([padded[y : y + height, x : x + width] for y in range(3) for x in range(3)], axis=0), np.bool_
    )


def _look(
    explainer: Explainer, scene: Scene, removals: Sequence[frozenset[str]]
) -> dict[frozenset[str], NDArray[np.float64]]:
    """Logits of the scene without each of these sets of parts."""
    found: dict[frozenset[str], NDArray[np.float64]] = {}
    for start in range(0, len(removals), BATCH):
        sets = removals[start : start + BATCH]
        variants = [replace(scene, removed=scene.removed | parts) for parts in sets]
        images = explainer.preprocess([load_picture(variant.picture) for variant in variants])
        logits = np.asarray(explainer.classifier.logits(explainer.classifier.activations(images)), np.float64)
        found |= dict(zip(sets, logits, strict=True))
    return found


def _irrelevant(case: _Case, part: str) -> bool:
    fall = case.logit() - case.logit(frozenset({part}))
    return fall < 0 or abs(fall) < IRRELEVANT * abs(case.logit())


def _judge(case: _Case, method: str) -> dict[str, Any]:
    """One method on one scene; lists are over the thresholds."""
    own = frozenset(case.own)
    irrelevant = [part for part in (*case.own, *case.scenery) if _irrelevant(case, part)]
    sufficient = [parts & own for parts in sufficient_sets(case.scene.label_index) if parts & own]
    right = case.target == case.scene.label_index
    found: dict[str, Any] = {"csdc": [], "pc": [], "dc": [], "d": []}
    for threshold in THRESHOLDS:
        important = case.important(method, threshold)
        shares = [len(parts & important) / len(parts) for parts in sufficient]
        found["csdc"].append(max(shares) if right and shares else None)
        found["pc"].append(float(case.kept_class(own - important)))
        found["dc"].append(float(not case.kept_class(own & important)))
        found["d"].append(1 - len(important & set(irrelevant)) / len(irrelevant) if irrelevant else None)
    falls = [case.logit() - case.logit(frozenset({part})) for part in case.own]
    found["correctness"] = (_spearman([case.importance[method][0][part] for part in case.own], falls) + 1) / 2
    return found


def _spearman(first: Sequence[float], second: Sequence[float]) -> float:
    one, two = _ranks(first), _ranks(second)
    spread = one.std() * two.std()
    return float(((one - one.mean()) * (two - two.mean())).mean() / spread) if spread > 0 else 0.0


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    """Ranks from 1, ties share their mean."""
    given = np.asarray(values, np.float64)
    below = (given[None] < given[:, None]).sum(1)
    return np.asarray(below + ((given[None] == given[:, None]).sum(1) + 1) / 2)


def _rivals(case: _Case) -> tuple[int, frozenset[str], int, frozenset[str]] | None:
    """Two classes that share different parts with this one: (class, shared, class, shared); most shared parts first."""
    own = SPECIES[case.target]
    shared = {}
    for i, one in enumerate(SPECIES):
        if i != case.target and one.kind == own.kind == case.scene.kind:
            parts = frozenset(p for p in own.definition if own.definition[p] == one.definition[p]) & set(case.own)
            if parts:
                shared[i] = parts
    pairs = [(a, b) for a, b in combinations(shared, 2) if not shared[a] & shared[b]]
    if not pairs:
        return None
    first, second = max(pairs, key=lambda pair: min(len(shared[pair[0]]), len(shared[pair[1]])))
    return first, shared[first], second, shared[second]


def _rivals_differ(case: _Case, rivals: tuple[int, frozenset[str], int, frozenset[str]]) -> bool:
    """Whether the network does use the shared parts for their class; else the question makes no sense."""
    first, one, second, two = rivals
    return case.logit(one, first) < case.logit(two, first) and case.logit(two, second) < case.logit(one, second)


def _contrast(
    of_first: Importance, of_second: Importance, rivals: tuple[int, frozenset[str], int, frozenset[str]]
) -> float:
    _, one, _, two = rivals
    wins = [
        sum(of_first[part] for part in one) > sum(of_second[part] for part in one),
        sum(of_second[part] for part in two) > sum(of_first[part] for part in two),
    ]
    return float(np.mean(wins))


def _summary(rows: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    methods: dict[str, Any] = {}
    values: dict[str, dict[str, NDArray[np.float64]]] = {}
    for method in METHODS:
        found = [row["methods"][method] for row in rows]
        tables = {key: np.array([one[key] for one in found], np.float64) for key in ("csdc", "pc", "dc", "d")}
        checks = np.nanmean([np.nanmean(tables[key], 0) for key in ("csdc", "pc", "dc")], axis=0)
        best = int(np.argmax((checks + np.nanmean(tables["d"], 0)) / 2))
        at = {key: table[:, best] for key, table in tables.items()}
        with np.errstate(invalid="ignore"):
            three = np.nanmean(np.stack([at["csdc"], at["pc"], at["dc"]]), axis=0)
        at["completeness"] = (three + np.where(np.isnan(at["d"]), three, at["d"])) / 2
        at["correctness"] = np.array([one["correctness"] for one in found])
        at["contrastivity"] = np.array([one.get("contrastivity", np.nan) for one in found], np.float64)
        values[method] = at
        methods[method] = {"threshold": round(float(THRESHOLDS[best]), 4)} | {
            key: mean_interval(column, seed=seed).to_dict() for key, column in at.items()
        }
    kinds = np.array([row["kind"] for row in rows])
    scenery = [flag for row in rows for flag in row["irrelevant_scenery"]]
    return {
        "methods": methods,
        "ratios": {
            own: {
                other: {
                    key: ratio_interval(values[own][key], values[other][key], seed=seed).to_dict()
                    for key in ("completeness", "correctness", "contrastivity")
                }
                for other in OTHERS
            }
            for own in OURS
        },
        "correctness_by_kind": {
            method: {str(kind): float(values[method]["correctness"][kinds == kind].mean()) for kind in np.unique(kinds)}
            for method in METHODS
        },
        "accuracy": float(np.mean([row["right"] for row in rows])),
        "background_independence_of_the_network": float(np.mean(scenery)) if scenery else None,
        "same_parts_before_another_background": mean_interval(
            [row.get("same_parts_elsewhere", np.nan) for row in rows], seed=seed
        ).to_dict(),
    }
