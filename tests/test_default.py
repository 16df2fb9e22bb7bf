"""The embedded network: what it says of its own world, and that nothing from outside is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nle_fast as nle
from nle_fast.bundle import DEFAULT_BUNDLE
from nle_fast.world import LABELS, Scene

SAMPLES = sorted((DEFAULT_BUNDLE.parent / "samples").glob("*.jpg"))
UNSEEN = 6_000_000  # seeds that no script in training/ uses


@pytest.fixture(scope="module")
def explainer():
    return nle.Explainer.default(verbalizer="template", config=nle.Config(top_k=5))


@pytest.fixture(scope="module")
def scenes():
    return [Scene.random(UNSEEN + i) for i in range(120)]


@pytest.fixture(scope="module")
def explanations(explainer, scenes):
    return explainer.batch([scene.picture for scene in scenes])


def test_it_knows_its_world(explainer, scenes, explanations):
    assert explainer.labels.names == LABELS
    right = [e.prediction.label == scene.label for e, scene in zip(explanations, scenes, strict=True)]
    assert np.mean(right) >= 0.92


def test_its_words_have_a_measured_quality_and_are_tied_to_it(explainer):
    concepts = explainer.concepts
    assert concepts.model == explainer.classifier.fingerprint
    named = [concept for concept in concepts if concept.name is not None]
    assert len(named) >= 10
    assert all(concept.quality is not None and concept.quality > 0 for concept in named)


def test_scores_and_bias_sum_to_the_logit(explainer, scenes):
    every = nle.Explainer.default(
        verbalizer="template", config=nle.Config(top_k=explainer.classifier.num_neurons, against=True)
    )
    explanation = every(scenes[0].picture)
    zeroed = every.mask(scenes[0].picture, range(every.classifier.num_neurons), target=explanation.prediction.index)
    total = sum(item.score for item in explanation.evidence)
    assert total + zeroed.logit == pytest.approx(explanation.prediction.logit, abs=1e-4)


def test_named_evidence_lies_on_its_part(scenes, explanations):
    hits = []
    for scene, explanation in zip(scenes, explanations, strict=True):
        for item in explanation.evidence:
            part = next((part for part in scene.parts if item.concept and item.concept.endswith(part)), None)
            if part is None or not item.regions:
                continue
            mask = scene.parts[part]
            left, top, right, bottom = item.regions[0].bbox
            hits.append(mask[top:bottom, left:right].any())
    assert len(hits) >= 30
    assert np.mean(hits) >= 0.8


def test_texts_check(explanations):
    assert all(nle.check(explanation.text, explanation.meaning) for explanation in explanations)


def test_the_samples_are_explained_from_the_command_line(tmp_path):
    assert len(SAMPLES) == 3
    command = [sys.executable, "-m", "nle_fast", "explain", *map(str, SAMPLES), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stderr
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert [document["prediction"]["probability"] > 0.5 for document in documents] == [True] * 3
    assert "own drawn world" in documents[0]["provenance"]["network"]


def test_another_layer_takes_no_words_of_this_one():
    inner = nle.Explainer.default(layer="features.11.relu", verbalizer="template")
    assert inner.concepts is None
    assert all(item.concept is None for item in inner(Scene.random(UNSEEN).picture).evidence)


def test_the_embedded_files_are_small():
    sizes = {path.name: path.stat().st_size for path in Path(DEFAULT_BUNDLE).iterdir()}
    assert sizes["model.onnx"] <= 4_000_000
    assert sum(sizes.values()) + sum(path.stat().st_size for path in SAMPLES) <= 6_000_000
