"""The certificate of one explanation: measured, repeatable, in JSON, and honest where nothing is to be masked."""

from __future__ import annotations

import dataclasses
import pickle

import jsonschema
import numpy as np
import pytest
from fakes import Colors, preprocess, scene

import nle_fast as nle
from nle_fast.certificate import DRAWS
from nle_fast.explanation import schema


def make(**options):
    options = {"labels": ["ball", "sea", "wood"], "preprocess": preprocess(), "verbalizer": "template"} | options
    return nle.Explainer(Colors(), **options)


def test_the_drop_is_what_mask_says_and_what_the_scores_claim():
    explainer = make(config=nle.Config(top_k=3))
    explanation = explainer(scene(1), certify=True)
    certificate = explanation.certificate
    assert certificate.neurons == tuple(item.neuron for item in explanation.evidence)
    masked = explainer.mask(scene(1), certificate.neurons, target=explanation.target.index)
    assert certificate.logit_drop == pytest.approx(explanation.target.logit - masked.logit, abs=1e-5)
    assert certificate.probability_drop == pytest.approx(explanation.target.probability - masked.probability, abs=1e-6)
    assert certificate.logit_drop == pytest.approx(certificate.claimed_drop, abs=1e-5), "pooling and a linear map"
    winner = explainer.mask(scene(1), certificate.neurons)
    assert certificate.flips == (winner.index != explanation.prediction.index)
    assert certificate.coverage == explanation.coverage
    assert certificate.facts == certificate.facts_checked == len(explanation.meaning.facts)


def test_random_sets_are_of_equal_count_and_measured_alike():
    explainer = make(config=nle.Config(top_k=2))
    explanation = explainer(scene(2), certify=True)
    certificate = explanation.certificate
    chance = np.random.default_rng(certificate.seed).random((DRAWS, 8))
    drops = [
        explanation.target.logit - explainer.mask(scene(2), order[:2], target=explanation.target.index).logit
        for order in chance.argsort(1)
    ]
    assert certificate.draws == DRAWS
    assert certificate.random_logit_drop == pytest.approx(np.mean(drops), abs=1e-5)
    assert certificate.random_largest == pytest.approx(np.max(drops), abs=1e-5)
    assert certificate.beaten == sum(drop < certificate.logit_drop - 1e-9 for drop in drops)


def test_versus_is_certified_as_the_difference_of_two_logits():
    explainer = make(config=nle.Config(top_k=2))
    explanation = explainer(scene(3), target="sea", versus="wood", certify=True)
    neurons = explanation.certificate.neurons
    sea, wood = (explainer.mask(scene(3), neurons, target=name).logit for name in ("sea", "wood"))
    before = explanation.target.logit - explanation.versus.logit
    assert explanation.certificate.logit_drop == pytest.approx(before - (sea - wood), abs=1e-5)


def test_later_and_in_a_batch_it_is_the_same():
    explainer = make()
    explanation = explainer(scene(4))
    assert explanation.certificate is None
    later = explanation.certify()
    at_once = explainer(scene(4), certify=True)
    assert later == at_once
    assert later.certify() is later
    batch = explainer.batch([scene(5), scene(4)], certify=True)
    assert batch[1].certificate.neurons == later.certificate.neurons
    assert batch[1].certificate.logit_drop == pytest.approx(later.certificate.logit_drop, rel=1e-5)
    assert at_once.timings["certify"] > 0


def test_it_is_part_of_the_json_and_says_so_in_words():
    explanation = make(config=nle.Config(style="expert"))(scene(6), certify=True)
    data = explanation.to_dict()
    jsonschema.Draft202012Validator(schema()).validate(data)
    assert nle.Explanation.from_json(explanation.to_json()).certificate == explanation.certificate
    assert nle.check(explanation.text, explanation.meaning), "the certificate stands beside the text, not in it"
    text = explanation.certificate.text
    assert f"falls by {explanation.certificate.logit_drop:.2f}" in text
    assert f"{explanation.certificate.beaten} of {DRAWS}" in text


def test_what_is_only_counted_is_not_masked_and_features_are_called_so(monkeypatch):
    def speak_all(verbalizer, meanings):
        counted = [dataclasses.replace(meaning, counted=(1,), coverage=0.25) for meaning in meanings]
        meanings[:] = [
            dataclasses.replace(one, evidence=tuple(dataclasses.replace(item, kind="feature") for item in one.evidence))
            for one in counted
        ]
        return [nle.Utterance("", (), "nobody") for _ in meanings]

    monkeypatch.setattr("nle_fast.explainer.speak_all", speak_all)
    explanation = make(config=nle.Config(top_k=3))(scene(1), certify=True)
    certificate, evidence = explanation.certificate, explanation.evidence
    assert certificate.neurons == tuple(item.neuron for rank, item in enumerate(evidence) if rank != 1)
    assert certificate.claimed_drop == pytest.approx(sum(item.score for item in evidence) - evidence[1].score)
    assert "the 2 named features" in certificate.text
    assert "The named features make up 25 %" in certificate.text
    assert "neuron" not in certificate.text
    assert nle.Explanation.from_json(explanation.to_json()).certificate == certificate


def test_what_was_read_back_cannot_be_certified():
    explanation = make()(scene(7))
    for other in (
        nle.Explanation.from_json(explanation.to_json()),
        pickle.loads(pickle.dumps(explanation)),
        dataclasses.replace(explanation, picture=None),
    ):
        with pytest.raises(nle.InputError, match="certify=True"):
            other.certify()
    with pytest.raises(nle.InputError, match="must have its picture"):
        make().certificate_of(dataclasses.replace(explanation, picture=None))


def test_no_support_no_mask():
    class Grudging(Colors):
        def gradients(self, activations, class_index, versus=None):
            return -np.abs(super().gradients(activations, class_index, versus))

    explainer = nle.Explainer(Grudging(), preprocess=preprocess(), verbalizer="template")
    certificate = explainer(scene(8), certify=True).certificate
    assert certificate.neurons == ()
    assert certificate.logit_drop == certificate.random_logit_drop == 0
    assert certificate.beaten == 0
    assert "nothing was masked" in certificate.text


@pytest.mark.parametrize("change", ["float16", "bfloat16", "float64", "channels_last"])
@pytest.mark.parametrize("head", ["pooled", "relu"])
def test_networks_of_other_precisions_and_layouts_are_certified(change, head):
    import torch
    from torch import nn

    torch.manual_seed(0)
    last = [nn.Conv2d(8, 5, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    tail = last if head == "relu" else [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)]
    how = {"memory_format": torch.channels_last} if change == "channels_last" else {"dtype": getattr(torch, change)}
    network = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), *tail).to(**how)
    explainer = nle.Explainer(network, preprocess=preprocess(), verbalizer="template")
    explanation = explainer(scene(1), certify=True)
    assert explanation.certificate.neurons
    masked = explainer.mask(scene(1), explanation.certificate.neurons, target=explanation.target.index)
    assert explanation.certificate.logit_drop == pytest.approx(explanation.target.logit - masked.logit, abs=2e-2)
