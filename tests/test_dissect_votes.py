"""Votes as a source of words in a dissection: with pictures, without any, and beside other sources."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from fakes import write_onnx
from planted import GENERAL, PREPROCESS, THINGS, planted_network, write_classes
from torch import nn
from typer.testing import CliRunner

from nle_fast import Concepts, Explainer, write_bundle
from nle_fast.classifiers import open_classifier
from nle_fast.cli import app
from nle_fast.dissect import DissectOptions, Witness, dissect
from nle_fast.dissect.groups import groups_of
from nle_fast.dissect.labelled import LabelledPictures
from nle_fast.dissect.report import report_html
from nle_fast.dissect.vote_source import class_of, mean_gradient_votes, votes_of
from nle_fast.errors import ConfigError, InputError, ModelError
from nle_fast.labels import Labels

LABELS = list(THINGS)


def voting_network(hidden: int = 0) -> tuple[nn.Module, list[str]]:
    """The planted network with a head in which each neuron speaks for its own thing, and against the others a little.

    With `hidden`, the head is no linear map.
    """
    network, truth = planted_network()
    weight = torch.full((len(LABELS), len(truth)), -0.1)
    for neuron, name in enumerate(truth):
        weight[LABELS.index(name), neuron] = 1
    head = nn.Linear(len(truth), len(LABELS))
    with torch.no_grad():
        head.weight.copy_(weight)
        head.bias.zero_()
    network[-1] = nn.Sequential(head, nn.Softplus()) if hidden else head
    return network.eval(), truth


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("votes")
    classes, general = write_classes(folder)
    return {"labelled": classes, "hierarchy": general, "cache": folder / "cache"}


OPTIONS = DissectOptions(threads=1)


def plural(name):
    return groups_of([name]).texts[0]


def test_no_pictures_are_needed(tmp_path):
    network, truth = voting_network()
    found = dissect(network, preprocess=PREPROCESS, votes=True, labels=LABELS)
    assert found.concepts.names == tuple(f"what is typical of {plural(name)}" for name in truth)
    assert set(found.concepts.qualities) == {None}
    assert set(found.concepts.sources) == {"votes"}
    assert all(concept.trusted for concept in found.concepts), "they rest on the head's weights"
    assert found.concepts.classes == tuple((LABELS.index(name),) for name in truth)
    summary = found.record["summary"]
    assert (summary["named"], summary["unjudged"], summary["mean_quality"]) == (39, 39, None)
    assert found.record["sources"][0]["votes"] == "weights"
    assert "not judged" in report_html(found.record)
    found.save(tmp_path / "words")
    assert Concepts.load(tmp_path / "words" / "concepts.json") == found.concepts


def test_pictures_of_known_classes_judge(data):
    network, truth = voting_network()
    found = dissect(network, preprocess=PREPROCESS, votes=True, labels=LABELS, options=OPTIONS, **data)
    source = next(source for source in found.record["sources"] if source["name"] == "votes")
    assert source["pictures_of_known_class"] == 12 * 13
    offers = [entry["offers"].get("votes") for entry in found.record["neurons"]]
    named = [(offer, thing) for offer, thing in zip(offers, truth, strict=True) if offer is not None]
    assert len(named) > 30
    for offer, thing in named:
        assert plural(thing) in offer["name"]
        assert offer["quality"] > 0.2
        assert offer["judged"] == "labels"
        assert all(part["r"] > 0.15 for part in offer["parts"])
    given = [entry for entry in found.record["neurons"] if entry["source"] == "votes"]
    assert len(given) > 20
    assert all(entry["quality"] == entry["offers"]["votes"]["quality"] for entry in given)
    assert "<h2>what is typical of" in report_html(found.record)


def test_they_compete_with_labelled_pictures(data):
    network, _ = voting_network()
    both = dissect(network, preprocess=PREPROCESS, votes=True, labels=LABELS, options=OPTIONS, **data)
    alone = dissect(network, preprocess=PREPROCESS, labelled=data["labelled"], cache=data["cache"], options=OPTIONS)
    assert alone.concepts.sources is None
    for neuron, entry in enumerate(both.record["neurons"]):
        offer, other = entry["offers"].get("votes"), alone.concepts.names[neuron]
        if offer is None:
            assert entry["name"] == other
        elif other is None:
            assert entry["name"] == offer["name"]
        else:
            assert entry["name"] in (offer["name"], other)


def test_wrong_labels_judge_them_away(data):
    network, _ = voting_network()
    wrong = LABELS[5:] + LABELS[:5]
    found = dissect(
        network, preprocess=PREPROCESS, votes=True, labels=wrong, labelled=data["labelled"], options=OPTIONS
    )
    assert not [entry for entry in found.record["neurons"] if entry["source"] == "votes"]


def test_few_labels_leave_them_unjudged(data):
    network, _ = voting_network()
    pictures = sorted(data["labelled"].rglob("*.png"))
    found = dissect(network, preprocess=PREPROCESS, votes=True, labels=LABELS, pictures=pictures, options=OPTIONS)
    assert found.record["summary"]["named"] > 30
    assert set(found.concepts.qualities) == {None}


def test_a_hierarchy_gives_more_general_words(data):
    network, truth = planted_network()
    kinds = sorted(set(GENERAL.values()))
    head = nn.Linear(len(truth), len(LABELS))
    with torch.no_grad():  # each neuron speaks for all things of its kind
        for neuron, name in enumerate(truth):
            head.weight[:, neuron] = torch.tensor(
                [1.0 if GENERAL[label] == GENERAL[name] else -1.0 for label in LABELS]
            )
    network[-1] = head
    found = dissect(network.eval(), preprocess=PREPROCESS, votes=True, labels=LABELS, hierarchy=data["hierarchy"])
    said = {name for name in found.concepts.names if name}
    assert said <= {f"what is typical of {plural(kind)}" for kind in kinds} | {"what is typical of discs"}
    assert "what is typical of bars" in said


def test_any_head_by_mean_gradients(data):
    linear, _ = voting_network()
    bent, _ = voting_network(hidden=8)
    classifier, other = (open_classifier(network, input_size=(64, 64)) for network in (linear, bent))
    images = torch.from_numpy(PREPROCESS([_picture(data, name) for name in LABELS]))
    votes, how = votes_of(classifier)
    assert how == "weights"
    activations = classifier.activations(images)
    by_gradient, count = mean_gradient_votes(classifier, [activations])
    assert count == 1
    positions = np.prod(activations.shape[2:])
    assert np.allclose(by_gradient * positions, votes, atol=1e-5)
    assert getattr(other, "pooled_weight", None) is None
    bent_votes, how = votes_of(other, [other.activations(images)])
    assert how == f"mean gradient over {len(LABELS)} pictures"
    on = (activations.numpy().max((0, 2, 3)) > 0).nonzero()[0]
    assert (bent_votes.argmax(1) == votes.argmax(1))[on].all()
    with pytest.raises(ConfigError, match="`votes` must have pictures"):
        votes_of(other)
    with pytest.raises(ConfigError, match="`votes` must have pictures"):
        dissect(bent, preprocess=PREPROCESS, votes=True, labels=LABELS)


def _picture(data, name):
    from PIL import Image

    return Image.open(data["labelled"] / name / "00.png").convert("RGB")


def another() -> Witness:
    """The planted network with other weights."""
    network, truth = planted_network(seed=7)
    network[-1] = nn.Linear(len(truth), len(LABELS))
    return Witness(network.eval(), LABELS, PREPROCESS)


def test_labels_are_needed_and_checked(data):
    network, _ = voting_network()
    with pytest.raises(ConfigError, match="`labels` must name the classes"):
        dissect(network, preprocess=PREPROCESS, votes=True)
    with pytest.raises(InputError, match="`labels` must name each"):
        dissect(network, preprocess=PREPROCESS, votes=True, labels=["one"])
    with pytest.raises(ConfigError, match="`pictures` must be given"):
        dissect(network, preprocess=PREPROCESS, votes=True, labels=LABELS, witness=another())


@pytest.mark.parametrize(
    ("error", "changed"),
    [
        (ConfigError, {"masks": 5}),
        (ConfigError, {"labelled": 5}),
        (ConfigError, {"encoder": 5}),
        (ConfigError, {"hierarchy": 5}),
        (ConfigError, {"options": 5}),
        (ConfigError, {"cache": 5}),
        (ConfigError, {"progress": 5}),
        (InputError, {"pictures": 5}),
        (InputError, {"pictures": None}),
        (InputError, {"pictures": "photos"}),
        (InputError, {"pictures": [None]}),
        (InputError, {"pictures": ["no such file.png"]}),
    ],
)
def test_arguments_of_another_kind_are_named(error, changed):
    (name,) = changed
    with pytest.raises(error, match=f"`{name}` must"):
        dissect(voting_network()[0], preprocess=PREPROCESS, votes=True, labels=LABELS, **changed)


def test_a_witness_is_a_network_with_class_names():
    network, _ = voting_network()
    for bad in (5, Witness):
        with pytest.raises(ModelError, match="`model` must"):
            dissect(network, preprocess=PREPROCESS, witness=bad)
    with pytest.raises(InputError, match="`labels` must name"):
        Witness(network)
    with pytest.raises(ConfigError, match="`preprocess` must"):
        Witness(network, LABELS, 5)
    with pytest.raises(ConfigError, match="`witness` must be another"):
        dissect(network, preprocess=PREPROCESS, witness=Witness(network, LABELS, PREPROCESS), pictures=[__file__])


def test_a_witness_that_does_not_fit_or_is_not_finite_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="`preprocess` must make"):
        Witness(str(write_onnx(tmp_path / "m.onnx")), list("abc"))
    witness = another()
    images = np.full((1, 3, PREPROCESS.size, PREPROCESS.size), np.nan, np.float32)
    with pytest.raises(ModelError, match="finite"):
        witness.look(images)


def test_labels_too_long_for_a_sentence_are_no_words():
    groups = groups_of(["cat", "x" * 300, "dog"])
    assert groups.singles == ("cats", None, "dogs")


def test_classes_of_labelled_pictures(data, tmp_path):
    (tmp_path / "t.csv").write_text("file,name,wnid\nx.png,disc,\nx.png,Dots,\nx.png,crane,\nx.png,other,\n")
    (tmp_path / "x.png").write_bytes((data["labelled"] / "disc" / "00.png").read_bytes())
    labelled = LabelledPictures(tmp_path / "t.csv")
    names = ["disc, plate", "dots", "crane", "crane"]
    assert class_of(labelled, Labels(names, 4), groups_of(names)).tolist() == [0, 1, -1, -1]


def test_the_command_and_what_an_explanation_says(data, tmp_path):
    network, _ = voting_network()
    torch.onnx.export(
        network, (torch.zeros(1, 3, 64, 64),), tmp_path / "n.onnx", input_names=["x"], output_names=["y"],
        dynamic_axes={"x": {0: "n"}, "y": {0: "n"}}, dynamo=False,
    )  # fmt: skip
    write_bundle(tmp_path / "net", tmp_path / "n.onnx", labels=LABELS, preprocess=PREPROCESS, name="net")
    asked = ["dissect", "--model", str(tmp_path / "net"), "--votes", "--out", str(tmp_path / "words"), "--report"]
    ran = CliRunner().invoke(app, asked)
    assert ran.exit_code == 0, ran.output
    assert json.loads((tmp_path / "words" / "concepts.json").read_text())["neurons"][0]["source"] == "votes"
    table = Concepts.load(tmp_path / "words" / "concepts.json")
    explainer = Explainer(
        tmp_path / "n.onnx", labels=LABELS, preprocess=PREPROCESS, concepts=table, verbalizer="template"
    )
    told = explainer(_picture(data, "disc"))
    assert told.prediction.label == "disc"
    (first, *_) = told.evidence
    assert (first.concept, first.judged) == ("what is typical of discs themselves", False)
    other = explainer(_picture(data, "disc"), target="dots")
    assert "what is typical of discs themselves" not in {item.concept for item in other.evidence}
    refused = CliRunner().invoke(app, [*asked[:-2], str(tmp_path / "other"), "--witness-labels", "x"])
    assert refused.exit_code == 2


@pytest.mark.shared
def test_real_networks_vote_in_words(shared):
    networks, labels = shared / "networks", shared / "labels"
    found = dissect(
        networks / "squeezenet1_1" / "model.onnx", votes=True, labels=labels / "imagenet_labels_1000.txt"
    )  # fmt: skip
    named = [name for name in found.concepts.names if name]
    assert len(named) > 200
    assert "what is typical of dogs" in {name.split(",")[0].split(" and ")[0] for name in named}
    found = dissect(networks / "mobilenet_v2" / "model.onnx", votes=True, labels=labels / "imagenet_labels_1001.txt")
    assert found.record["sources"][0]["groups"] == "wordnet"
    assert found.record["num_neurons"] == 1280
