"""What masking, pixels and interventions show on real networks, and what a certificate costs.

    python benches/bench_faithfulness.py [--data ../shared/data] [--bundles scratch/bundles] [--only mobilenet_v2 …]
    python benches/bench_faithfulness.py --certificate                   (the certificate's cost alone, ONNX and torch)
    pytest benches/bench_faithfulness.py --benchmark-json out.json       (the same, on the embedded network)

Writes benches/results/faithfulness/<network>.json without the raw numbers of each picture, and `table.md` beside them.
What it needs is made where it is missing: bundles (`examples/make_bundles.py`), and words for their neurons, dissected
from the pictures of `WORDS`. With the `bench` extra and pytorch-grad-cam installed, pixels are also ordered by Captum's
Layer Grad-CAM and pytorch-grad-cam, both on the torch network.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import torch
from captum.attr import LayerGradCam

from nle_fast import Explainer
from nle_fast.bundle import DEFAULT_BUNDLE, read_bundle
from nle_fast.certificate import measure_certificate
from nle_fast.classifiers import read, read_class_maps
from nle_fast.classifiers.onnx.export import save_onnx
from nle_fast.classifiers.torch.model import TorchClassifier
from nle_fast.dissect import DissectOptions, dissect
from nle_fast.faithfulness import EvaluateOptions, MaskingOptions, evaluate, measure_masking, read_hypernyms
from nle_fast.faithfulness.evaluate import find_pictures
from nle_fast.faithfulness.pixels import Mapper, measure_pixels
from nle_fast.faithfulness.statistics import interval_text
from nle_fast.version import versions
from nle_fast.world import Scene

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("NLE_SHARED", HERE.parents[1] / "shared")) / "data"
RESULTS = HERE / "results" / "faithfulness"
#: Where words come from. CIFAR's classes are its only labels; `SCENE_WORDS` are those of other pictures.
PHOTOS = {"labelled": "photos/labels.csv", "hypernyms": "labels/imagenet_hypernyms.json"}
WORDS = {
    "mobilenet_v2": {"masks": "concept_masks", **PHOTOS},
    "squeezenet1_1": {"masks": "concept_masks", **PHOTOS},
    "cifar_resnet": {"labelled": "cifar_test"},
}
SCENE_WORDS = {"masks": "concept_masks", **PHOTOS}
#: Half of what a name must reach to be told: more words make the plausible control stronger.
MIN_QUALITY = 0.2
#: What counts in our maps was chosen on others: the third and fourth of every five photos, every second of CIFAR.
PIXEL_PICTURES = {"photos": (5, (0, 1)), "cifar_test": (2, (0,))}
#: Of `architectures`, with random weights: only the cost of their certificates is measured.
UNTRAINED = ("resnet18", "resnet50", "densenet121", "efficientnet_b0", "mobilenet_v3_large", "vgg16")
NETWORKS = {"default": None, "mobilenet_v2": "photos", "squeezenet1_1": "photos", "cifar_resnet": "cifar_test"}


def test_certificate(side_by_side):
    """The certificate beside the plain forward of the same picture, on the embedded network."""
    explainer = Explainer.default(verbalizer="template")
    picture = Scene.random(11).picture
    explanation = explainer(picture, certify=True)
    images = explainer.preprocess([explanation.picture])
    reading, maps = read_class_maps(explainer.classifier, images)
    facts = explanation.prediction, explanation.meaning, explanation.spans, maps
    assert measure_certificate(explainer.classifier, reading.activations, *facts) == explanation.certificate
    ways = {
        "nle_fast": lambda: measure_certificate(explainer.classifier, reading.activations, *facts),
        "plain forward": lambda: explainer.classifier.logits(explainer.classifier.activations(images)),
    }
    side_by_side("certificate", ways)


def certificate_cost(explainer: Explainer, rounds: int = 10) -> dict[str, float]:
    """Median milliseconds of the forward and of the certificate right after one.

    Where there are class maps, what the forward takes longer to keep them is told by itself, and is part of "ratio",
    the share of certificate in forward. Forwards of the two kinds alternate in laps of ten: each is a session with
    weights of its own, which the other drives out of the cache.
    """
    explanation = explainer(Scene.random(11).picture)
    images = explainer.preprocess([explanation.picture])
    facts = explanation.prediction, explanation.meaning, explanation.spans
    plain, keeping, certificate = list[float](), list[float](), list[float]()
    for _ in range(rounds):
        for n in range(10):
            start = perf_counter()
            read(explainer.classifier, images)
            if n:
                plain.append(perf_counter() - start)
        for n in range(10):
            start = perf_counter()
            reading, maps = read_class_maps(explainer.classifier, images)
            middle = perf_counter()
            measure_certificate(explainer.classifier, reading.activations, *facts, maps)
            if n:
                keeping.append(middle - start)
                certificate.append(perf_counter() - middle)
    forward, cost = 1000 * float(np.median(plain)), 1000 * float(np.median(certificate))
    kept = 0.0 if maps is None else 1000 * float(np.median(keeping)) - forward
    return {
        "certificate_ms": round(cost, 4),
        "forward_ms": round(forward, 4),
        "class_maps_ms": round(kept, 4),
        "ratio": round((cost + kept) / forward, 4),
    }


def certificate_costs(bundles: Path, data: Path) -> list[dict[str, Any]]:
    """`certificate_cost` of each network as ONNX and, but for the embedded one, as torch, each with its own threads.

    Those of `UNTRAINED` stand for the networks of today's servers; what they say does not matter to what it costs.
    """
    from architectures import build

    sys.path.insert(0, str(HERE.parent / "examples"))
    from real_networks import load_network

    rows: list[dict[str, Any]] = []

    def add(name: str, backend: str, explainer: Explainer) -> None:
        found = certificate_cost(explainer)
        rows.append({"network": name, "backend": backend, "cores": os.cpu_count()} | found)
        print(rows[-1], flush=True)

    for name in NETWORKS:
        bundle = read_bundle(DEFAULT_BUNDLE if name == "default" else bundles / name)
        add(name, "onnx", Explainer(bundle, verbalizer="template"))
        if name != "default":
            side = (bundle.preprocess.size,) * 2
            torch_one = TorchClassifier(load_network(name, data), input_size=side)
            options = {"labels": bundle.labels, "preprocess": bundle.preprocess, "verbalizer": "template"}
            add(name, "torch", Explainer(torch_one, **options))
    for name in UNTRAINED:
        network, layer = build(name)
        with TemporaryDirectory() as folder:
            add(name, "onnx", Explainer(save_onnx(network, Path(folder) / "it.onnx", 224), verbalizer="template"))
        add(name, "torch", Explainer(network, layer=layer, verbalizer="template"))
    return rows


def without_raw(value: Any) -> Any:
    """The record without the numbers of each picture and the pictures' paths."""
    if isinstance(value, dict):
        return {key: without_raw(item) for key, item in value.items() if key not in ("raw", "files")}
    return value


def words_of(name: str, folder: Path, data: Path, sources: dict[str, str]) -> Path:
    """The concept table of a network, dissected once and kept in `folder`."""
    if not (folder / "concepts.json").exists():
        paths, options = {key: data / path for key, path in sources.items()}, DissectOptions(min_quality=MIN_QUALITY)
        found = dissect(folder.parent / name, **paths, options=options)
        found.save(folder)
    return folder / "concepts.json"


def pixel_peers(name: str, data: Path, neurons: int) -> dict[str, Mapper]:
    """Maps of the winner by Captum and, where it is installed, by pytorch-grad-cam, both from the torch network."""
    from peers import with_stubs

    sys.path.insert(0, str(HERE.parent / "examples"))
    from real_networks import load_network

    network = load_network(name, data)
    side = 32 if name == "cifar_resnet" else 224
    twin = TorchClassifier(network, input_size=(side, side))
    assert twin.num_neurons == neurons, "both are cut at the same layer"
    layer = network.get_submodule(twin.layer)

    def captum(images: Any, classes: Any) -> Any:
        maps = LayerGradCam(network, layer).attribute(
            torch.from_numpy(images), target=torch.from_numpy(classes), relu_attributions=True
        )
        larger = torch.nn.functional.interpolate(maps, images.shape[2:], mode="bilinear")
        return larger.detach().numpy()[:, 0]

    found: dict[str, Mapper] = {"captum layer grad-cam": captum}
    package = with_stubs("pytorch_grad_cam")
    if package is not None:
        targets = importlib.import_module("pytorch_grad_cam.utils.model_targets").ClassifierOutputTarget

        def theirs(images: Any, classes: Any) -> Any:
            with package.GradCAM(network, [layer]) as cam:
                return cam(torch.from_numpy(images), [targets(int(label)) for label in classes])

        found["pytorch-grad-cam"] = theirs
    return found


def pixels(
    name: str, explainer: Explainer, pictures: list[Path], data: Path, options: EvaluateOptions, progress: Any
) -> dict[str, Any]:
    """Deletion and insertion on the pictures of `PIXEL_PICTURES`, beside other libraries' maps."""
    every, chosen = PIXEL_PICTURES[str(NETWORKS[name])]
    those = [picture for n, picture in enumerate(pictures) if n % every in chosen]
    peers = pixel_peers(name, data, explainer.classifier.num_neurons)
    return measure_pixels(explainer, those, options.pixels, peers=peers, progress=progress)


def run(name: str, bundles: Path, data: Path, options: EvaluateOptions, limit: int) -> dict[str, Any]:
    """The record of one network."""
    folder, words = DEFAULT_BUNDLE if name == "default" else bundles / name, {}
    if name != "default":
        words["concepts"] = words_of(name, bundles / f"{name}_words", data, WORDS[name])
    explainer = Explainer.load(folder, verbalizer="template", **words)
    pictures = None if name == "default" else find_pictures(data / str(NETWORKS[name]), limit)
    labels = explainer.labels.names
    general = read_hypernyms(data / "labels" / "imagenet_hypernyms.json", labels) if len(labels) >= 1000 else None

    def progress(stage: str, done: int, total: int) -> None:
        print(f"\r{name}: {stage} {done}/{total}   ", end="", flush=True)

    here = options if name == "default" else replace(options, pixel_pictures=0)
    record = evaluate(explainer, pictures, here, model=read_bundle(folder).model, hypernyms=general, progress=progress)
    if pictures is not None:
        record["pixels"] = pixels(name, explainer, pictures, data, options, progress)
    if name == "cifar_resnet":
        scene_words = words_of(name, bundles / f"{name}_scene_words", data, SCENE_WORDS)
        other = Explainer.load(folder, verbalizer="template", concepts=scene_words)
        record["masking_with_scene_words"] = measure_masking(other, pictures, MaskingOptions(replacements=("zero",)))
        record["scene_words"] = sorted({concept.name for concept in other.concepts if concept.trusted})
    print()
    return without_raw(record)


def table(records: dict[str, dict[str, Any]]) -> str:
    """The headline as Markdown: logit drop of the five named neurons over each control's, zeroed."""
    controls = ("published", "activation", "plausible", "random", "active")
    lines = [f"| network | pictures | drop | {' | '.join(f'× {c}' for c in controls)} |"]
    lines.append("|---" * (len(controls) + 3) + "|")
    for name, record in records.items():
        masking = record["masking"]
        cells = [figure(masking["rankings"]["zero"]["explanation"]["logit_drop"])]
        ratios = masking["ratios"]["zero"]
        cells += [figure(ratios[c]["logit_drop"]) if c in ratios else "–" for c in controls]
        lines.append(f"| {name} | {masking['count']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def figure(found: dict[str, Any]) -> str:
    """A figure and its interval; ∞ where the control does nothing."""
    value, low, high = interval_text(found, "{:.2f}".format)
    return f"{value} [{low}, {high}]"


def main() -> None:
    """The command line; see the module."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--bundles", type=Path, default=HERE.parent / "scratch" / "bundles")
    parser.add_argument("--only", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--limit", type=int, default=200, help="pictures at most")
    parser.add_argument("--scenes", type=int, default=500)
    parser.add_argument("--certificate", action="store_true", help="the certificate's cost alone")
    given = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    missing = [name for name in NETWORKS if name != "default" and not (given.bundles / name).is_dir()]
    if missing:
        sys.path.insert(0, str(HERE.parent / "examples"))
        from make_bundles import make_bundles

        make_bundles(given.data, given.bundles)
    if given.certificate:
        record = {"versions": versions(), "rows": certificate_costs(given.bundles, given.data)}
        (RESULTS / "certificate.json").write_text(json.dumps(record, indent=1) + "\n")
        return
    options = EvaluateOptions(scenes=given.scenes)
    for name in given.only:
        record = run(name, given.bundles, given.data, options, given.limit)
        (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    found = {name: RESULTS / f"{name}.json" for name in NETWORKS}
    records = {name: json.loads(path.read_text()) for name, path in found.items() if path.exists()}
    (RESULTS / "table.md").write_text(table(records))
    print(table(records))


if __name__ == "__main__":
    main()
