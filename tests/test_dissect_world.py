"""The embedded network, dissected with the world's masks by the general way, gets the concepts of its bundle again."""

from __future__ import annotations

from world_masks import write_world

from nle_fast.bundle import DEFAULT_BUNDLE, read_bundle
from nle_fast.dissect import DissectOptions, dissect

#: Every such part of these scenes looks like that where the neuron answers.
SAME = {"crest": "fan crest"}


def test_the_embedded_network_gets_its_concepts_again(tmp_path):
    masks = write_world(tmp_path / "world", 240, 3_000_000)
    found = dissect(DEFAULT_BUNDLE, masks=masks, cache=tmp_path, options=DissectOptions(threads=1))
    own = read_bundle(DEFAULT_BUNDLE).concepts
    pairs = [(name, again) for name, again in zip(own.names, found.concepts.names, strict=True) if name is not None]
    same = [again is not None and again in (name, SAME.get(name)) for name, again in pairs]
    assert len(pairs) >= 40
    assert sum(same) >= 0.85 * len(pairs), [pair for pair, ok in zip(pairs, same, strict=True) if not ok]
    found.concepts.check_fits(layer="features", num_neurons=len(own), model=own.model)
