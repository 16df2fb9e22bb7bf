"""The embedded network, dissected with the world's masks by the general way, gets the concepts of its bundle again."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from nle_fast.bundle import DEFAULT_BUNDLE, read_bundle
from nle_fast.dissect import DissectOptions, dissect
from nle_fast.world import LABELS, Scene
from training.classifier.masks import write_masks

#: Scenes that neither training nor the bundle's concepts have seen.
FIRST_SEED = 6_000_000


def test_the_embedded_network_gets_its_concepts_again(tmp_path):
    masks = write_masks(tmp_path / "world", (Scene.random(FIRST_SEED + n, label=n % len(LABELS)) for n in range(480)))
    found = dissect(DEFAULT_BUNDLE, masks=masks, cache=tmp_path, options=DissectOptions(threads=1))
    own = read_bundle(DEFAULT_BUNDLE).concepts
    given = [neuron for neuron, name in enumerate(own.names) if name is not None]
    assert len(given) >= 40
    for neuron in given:
        assert found.concepts.names[neuron] == own.names[neuron]
        assert abs(found.concepts.qualities[neuron] - own.qualities[neuron]) < 0.1
    found.concepts.check_fits(layer="features", num_neurons=len(own), model=own.model)
