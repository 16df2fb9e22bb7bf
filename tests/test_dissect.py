"""Names for neurons that were made to see known things, and none for those that never learned anything."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image
from planted import PREPROCESS, THINGS, draw, planted_network, random_network, write_classes, write_masks

from nle_fast import Concepts
from nle_fast.dissect import DissectOptions, dissect, read_dissection
from nle_fast.errors import ConceptsError, ConfigError, LayerNotFoundError


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Masks, a folder per class, the more general words, and a cache."""
    folder = tmp_path_factory.mktemp("planted")
    classes, general = write_classes(folder)
    return {"masks": write_masks(folder / "masks"), "labelled": classes, "hypernyms": general}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def name_neurons(model, cache, sources, **options):
    return dissect(model, preprocess=PREPROCESS, cache=cache, options=DissectOptions(threads=1, **options), **sources)


SOURCES = {"masks": ("masks",), "labelled": ("labelled", "hypernyms"), "both": ("masks", "labelled", "hypernyms")}


@pytest.mark.parametrize(("kinds", "bar"), [("masks", 0.95), ("labelled", 0.9), ("both", 0.95)])
def test_planted_neurons_get_their_names(data, cache, kinds, bar):
    network, truth = planted_network()
    found = name_neurons(network, cache, {kind: data[kind] for kind in SOURCES[kinds]})
    right = [name == thing for name, thing in zip(found.concepts.names, truth, strict=True)]
    assert len(set(truth)) == len(THINGS) == 13
    assert np.mean(right) >= bar
    qualities = [quality for quality, ok in zip(found.concepts.qualities, right, strict=True) if ok]
    # Together, pictures without masks count as pictures without the thing: the quality is the lower one.
    assert min(qualities) > (0.4 if kinds == "both" else 0.5)


@pytest.mark.parametrize("kinds", ["masks", "labelled", "both"])
def test_an_untrained_network_gets_no_names(data, cache, kinds):
    sources = {kind: data[kind] for kind in SOURCES[kinds]}
    for seed in range(1 if kinds == "both" else 2):
        summary = name_neurons(random_network(seed=seed), cache, sources).record["summary"]
        assert summary["share_named"] <= 0.1
        assert summary["named"] + sum(summary["refused"].values()) == 64


class Both(torch.nn.Module):
    """Makes one neuron answer to what another does, too, as strongly."""

    def __init__(self, first, other, weights):
        super().__init__()
        self.first, self.other, self.weights = first, other, weights

    def forward(self, x):
        both = self.weights[0] * x[:, self.first] + self.weights[1] * x[:, self.other]
        return torch.cat([x[:, : self.first], both[:, None], x[:, self.first + 1 :]], 1)


def test_neurons_that_answer_to_two_things_get_two_words(data, cache):
    network, truth = planted_network(copies=1)
    first, other = truth.index("disc"), truth.index("red")
    features = network[:3]
    shown = [PREPROCESS([Image.fromarray(draw([name], 7)[0])]) for name in ("disc", "red")]
    means = [features(torch.from_numpy(x))[0, at].mean().item() for x, at in zip(shown, (first, other), strict=True)]
    mixed = torch.nn.Sequential(*features, Both(first, other, (1 / means[0], 1 / means[1])), *network[3:])
    found = name_neurons(mixed, cache, {"masks": data["masks"]})
    neuron = found.record["neurons"][first]
    assert set(neuron["name"].split(" or ")) == {"disc", "red"}
    assert {word["words"] for word in neuron["words"]} == {"disc", "red"}
    assert len(neuron["grammar"]) == 2
    assert neuron["quality"] > max(word["judge"]["correlation"] for word in neuron["words"])


def test_the_record_says_what_was_measured(data, cache, tmp_path):
    network, truth = planted_network()
    found = name_neurons(network, cache, {kind: data[kind] for kind in SOURCES["both"]})
    folder = found.save(tmp_path / "out")
    assert sorted(path.name for path in folder.iterdir()) == ["concepts.json", "dissection.json"]
    assert Concepts.load(folder / "concepts.json") == found.concepts
    record = read_dissection(folder)
    assert record == found.record == read_dissection(folder / "dissection.json")
    assert record["num_neurons"] == len(truth) == len(record["neurons"])
    assert record["layer"] == found.concepts.layer
    assert {source["name"] for source in record["sources"]} == {"masks", "labelled"}
    assert sum(record["parts"].values()) == len(record["pictures"])
    assert list(record["parts"]) == ["propose", "pick", "judge"]
    for neuron in record["neurons"]:
        assert (neuron["name"] is None) == (neuron["refused"] is not None)
        for shown in neuron["exemplars"]:
            picture = record["pictures"][shown["picture"]]
            assert picture["part"] == "judge"
            assert shown["outlines"]
            corners = np.array(shown["outlines"][0])
            assert (corners >= 0).all()
            assert (corners <= picture["size"]).all()
        for candidate in neuron["candidates"]:
            assert -1 <= candidate["judge"]["correlation"] <= 1
            assert (candidate["judge"]["iou"] is None) == (candidate["source"] != "masks")
    grammar = record["neurons"][0]["grammar"][0]
    assert set(grammar) == {"text", "bare", "article", "number"}
    strongest = [shown["response"] for shown in record["neurons"][0]["exemplars"]]
    assert strongest == sorted(strongest, reverse=True)


def test_maximum_as_the_response(data, cache):
    network, truth = planted_network(copies=1)
    found = name_neurons(network, cache, {"masks": data["masks"]}, response="max")
    assert np.mean([name == thing for name, thing in zip(found.concepts.names, truth, strict=True)]) >= 0.9
    assert found.record["response"] == "max"


def test_what_cannot_be_done_is_said_and_writes_nothing(data, tmp_path):
    network, _ = planted_network(copies=1)
    with pytest.raises(ConfigError, match="masks"):
        dissect(network, preprocess=PREPROCESS, cache=tmp_path)
    with pytest.raises(LayerNotFoundError, match="9"):
        dissect(network, layer="9", preprocess=PREPROCESS, masks=data["masks"], cache=tmp_path)
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    found = name_neurons(network, tmp_path / "cache", {"labelled": data["labelled"]})
    with pytest.raises(ConceptsError, match="folder"):
        found.save(tmp_path / "file")
    (tmp_path / "bad.json").write_text(json.dumps({"schema": "other"}))
    for path in (tmp_path / "bad.json", tmp_path / "none.json", tmp_path):
        with pytest.raises(ConceptsError, match="dissection"):
            read_dissection(path)


@pytest.mark.parametrize(
    "options",
    [
        {"response": "median"}, {"quantiles": ()}, {"quantiles": (0,)}, {"mask_size": 0}, {"min_pictures": 1},
        {"max_words": 4}, {"seed": -1}, {"batch": 0}, {"min_quality": 1}, {"beats": -0.1}, {"threads": 0},
        {"min_iou": "a"},
    ],
)  # fmt: skip
def test_options_out_of_range(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        DissectOptions(**options)
