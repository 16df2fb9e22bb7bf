"""Words for learned features: by votes, judged on pictures that took no part, and which reading is the better."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from features_cases import PREPROCESS, SOURCES, Planted, write_pictures

import nle_fast as nle
from nle_fast.classifiers import FeatureClassifier, Features
from nle_fast.dissect import Witness, dissect
from nle_fast.dissect.probe import picture_digest
from nle_fast.features import LearnOptions, learn
from nle_fast.features.measure import Measured
from nle_fast.features.words import compare_readings

QUICK = LearnOptions(steps=60, batch=8, views=1, active=3)
LABELS = ["cat", "dog", "bird"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def found(pictures):
    return learn(Planted(), pictures, preprocess=PREPROCESS, size=SOURCES, options=QUICK, labels=LABELS)


def explainer_of(features):
    options = {"preprocess": PREPROCESS, "verbalizer": "template", "config": nle.Config(top_k=3)}
    return nle.Explainer(Planted(), labels=LABELS, features=features, **options)


def test_learning_gives_words_and_says_which_reading_is_better(found, pictures):
    readings = found.record["readings"]
    assert set(readings) == {"neurons", "features", "better"}
    assert found.better_reading == readings["better"]
    concepts = nle.Concepts.from_dict(found.words)
    assert len(concepts) == len(found)
    assert concepts.model == FeatureClassifier(Planted(), found).fingerprint
    named = [concept for concept in concepts if concept.name is not None]
    assert len(named) == readings["features"]["named"] > 0
    for concept in named:  # no picture has a known class
        assert concept.name.startswith("what is typical of ")
        assert (concept.quality, concept.source, concept.trusted) == (None, "votes", True)
        assert concept.classes
    explainer = explainer_of(found)
    picture = pictures[0]
    explanation = explainer(picture)
    told = {item.neuron: item.concept for item in explanation.evidence}
    assert all(told[n] is None or told[n].startswith(str(concepts[n].name)) for n in told)
    assert nle.check(explanation.text, explanation.meaning)


def test_without_class_names_there_are_no_words(pictures):
    bare = learn(Planted(), pictures, preprocess=PREPROCESS, size=SOURCES, options=QUICK)
    assert bare.words is None
    assert bare.record["readings"]["features"]["told_with_words"] == 0
    alone = learn(Planted(), pictures, preprocess=PREPROCESS, size=SOURCES, labels=LABELS,
                  options=dataclasses.replace(QUICK, held_out=0))  # fmt: skip
    assert alone.record["readings"] == {"better": "features"}
    assert alone.words is not None


def measured(five, drop, told):
    figures = {"five": five, "drop": drop}
    return Measured(figures, {}, np.zeros((1, 4), np.float32), np.array([told]), np.zeros(1, np.int64))


@pytest.mark.parametrize(("drop", "better"), [(2.0, "features"), (1.0, "features"), (0.9, "neurons")])
def test_features_that_explain_less_than_neurons_do_not_win(drop, better):
    classifier = Planted()
    axes = np.eye(4, classifier.num_neurons, dtype=np.float32)
    zeros = np.zeros(4, np.float32), np.zeros(classifier.num_neurons, np.float32)
    features = Features("planted", axes, axes, *zeros, 1)
    held = {"features": measured(0.5, drop, [0, 1]), "channels": measured(0.2, 1.0, [2, -1])}
    readings, concepts = compare_readings(held, None, classifier, features, classifier.weight, [])
    assert readings["better"] == better
    assert concepts is None


def test_dissecting_features_leaves_judging_to_other_pictures(found, pictures):
    paths = list(pictures)
    learned = set(found.record["learned_from"])
    assert 0 < sum(picture_digest(path) in learned for path in paths) < len(paths)
    said = dissect(Planted(), features=found, preprocess=PREPROCESS, votes=True, labels=LABELS, pictures=paths)
    assert said.record["num_neurons"] == len(found)
    judging = [one["path"] for one in said.record["pictures"] if one["part"] == "judge"]
    assert judging
    assert not {picture_digest(path) for path in paths if str(path) in judging} & learned
    readings = said.record["readings"]
    assert set(readings) == {"features", "neurons"}
    assert all(0 <= share <= 1 for share in readings.values())
    through = found.with_words(said.concepts.to_dict())
    assert explainer_of(through).concepts is not None


def test_a_copy_of_what_was_learned_from_does_not_judge_either(found, pictures, tmp_path):
    learned = [path for path in pictures if picture_digest(path) in found.record["learned_from"]][:9]
    copies = [tmp_path / f"copy {path.name}" for path in learned]
    for path, copy in zip(learned, copies, strict=True):
        copy.write_bytes(path.read_bytes())
    said = dissect(Planted(), features=found, preprocess=PREPROCESS, votes=True, labels=LABELS, pictures=copies)
    assert {one["part"] for one in said.record["pictures"]} <= {"propose", "pick"}


def test_pictures_that_were_learned_from_do_not_judge_borrowed_words(found, pictures):
    learned = [path for path in pictures if picture_digest(path) in found.record["learned_from"]]
    witness = Witness(Planted(12, seed=0), [f"thing {letter}" for letter in "abcdefghijkl"], PREPROCESS)
    options = {"preprocess": PREPROCESS, "witness": witness, "pictures": learned}
    assert dissect(Planted(), features=found, **options).record["summary"]["named"] == 0
    unknown = dataclasses.replace(found, record={"learned_from": 5})
    assert dissect(Planted(), features=unknown, **options).record["summary"]["named"] > 0


def test_a_sceptic_gets_every_control_and_what_recurs(pictures):
    stages = set()
    options = dataclasses.replace(QUICK, steps=20)
    doubted = learn(
        Planted(40), pictures, preprocess=PREPROCESS, options=options, controls=True,
        progress=lambda stage, done, total: stages.add(stage),
    )  # fmt: skip
    record = doubted.record
    names = {"random start", "shuffled tree", "untrained", "pca", "clusters", "random", "gaussian", "nmf"}
    assert set(record["controls"]) == names
    for figures in record["controls"].values():
        assert set(figures) == set(record["held_out"]["features"])
    assert set(record["recurrence"]) == {"median_cosine", "share", "told_share", "codes_r", "same_told"}
    assert 0 <= record["recurrence"]["told_share"] <= 1
    assert "doubt" in stages
    json.dumps(record, allow_nan=False)
