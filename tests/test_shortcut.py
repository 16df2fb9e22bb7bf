"""A network that learned a planted shortcut: its explanations must reveal it, the clean network's must not name it.

`tests/data/shortcut` was trained by `training/classifier/train.py --shortcut` in a world where the only sun is a small
one in the top-left corner of one class's scenes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nle_fast as nle
from nle_fast.world import LABELS, Scene

LABEL = "red-breasted thorn finch"
FIRST = 6_500_000  # seeds that no script in training/ uses


@pytest.fixture(scope="module")
def shortcut():
    folder = Path(__file__).parent / "data" / "shortcut"
    return nle.Explainer.load(folder, verbalizer="template", config=nle.Config(top_k=3))


@pytest.fixture(scope="module")
def clean():
    return nle.Explainer.default(verbalizer="template", config=nle.Config(top_k=3))


def with_sun(first, count, label=None):
    """Scenes with the planted sun in sight: a cloud may hide it."""
    scenes = [Scene.random(first + i, label=label).with_part("sun", place="top left") for i in range(count)]
    return [scene.picture for scene in scenes if "sun" in scene.parts]


def share_with_sun(explainer, pictures):
    named = [{item.concept for item in explanation.evidence} for explanation in explainer.batch(pictures)]
    return np.mean(["sun" in concepts for concepts in named])


def test_the_sun_is_named_where_it_decides_and_nowhere_else(shortcut, clean):
    pictures = with_sun(FIRST, 60, LABEL)
    assert len(pictures) >= 30
    assert share_with_sun(shortcut, pictures) >= 0.8
    assert share_with_sun(clean, pictures) < 0.05


def test_the_planted_sun_turns_other_classes_and_masking_its_neurons_turns_them_back(shortcut, clean):
    pictures = with_sun(FIRST + 1000, 60)
    wrong = LABELS.index(LABEL)
    flipped = [
        (picture, explanation)
        for picture, explanation in zip(pictures, shortcut.batch(pictures), strict=True)
        if explanation.prediction.index == wrong
    ]
    assert len(flipped) >= len(pictures) / 2
    assert np.mean([e.prediction.index == wrong for e in clean.batch(pictures)]) < 0.2
    seeing = [neuron for neuron, concept in enumerate(shortcut.concepts) if concept.name == "sun"]
    undone = []
    for picture, explanation in flipped:
        masked = shortcut.mask(picture, seeing, target=LABEL)
        winner = shortcut.mask(picture, seeing)
        undone.append(winner.label != LABEL or masked.probability <= explanation.prediction.probability / 2)
    assert np.mean(undone) >= 0.8
