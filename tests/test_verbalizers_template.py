"""The template: golden texts, spans, and what its words promise."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from verbalizers_cases import assert_english, evidence, meaning, meanings

from nle_fast.verbalizers import TemplateVerbalizer, check
from nle_fast.verbalizers.language.phrases import percent

GOLDEN = json.loads((Path(__file__).parent / "golden" / "texts.json").read_text(encoding="utf-8"))


def build(case):
    items = [evidence(*item[:5], **(item[5] if len(item) > 5 else {})) for item in case["evidence"]]
    options = {name: value for name, value in case.items() if name not in ("label", "evidence", "text", "spans")}
    return meaning(case["label"], items, **{"layer": "layer4", **options})


def say(what):
    return TemplateVerbalizer().verbalize(what).text


def test_there_are_enough_golden_texts():
    assert len(GOLDEN) >= 40
    assert {case["style"] for case in GOLDEN} == {"plain", "expert", "short"}


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: f"{case['label'].split(',')[0]}-{case['style']}")
def test_golden_texts(case):
    what = build(case)
    assert say(what) == case["text"]
    assert check(case["text"], what)


@pytest.mark.parametrize(
    "case",
    [case for case in GOLDEN if "spans" in case],
    ids=lambda case: f"{case['label'].split(',')[0]}-{case['style']}",
)
def test_spans_of_all_that_is_told(case):
    what = build(case)
    said = TemplateVerbalizer().verbalize(what)
    for fact, words in case["spans"].items():
        assert [said.text[span.start : span.end] for span in said.spans if span.fact == fact] == words
    # The checker finds each where the template put it.
    theirs = {span.fact: (span.start, span.end) for span in check(said.text, what).spans}
    for fact in case["spans"]:
        start, end = theirs[fact]
        assert any(span.start < end and start < span.end for span in said.spans if span.fact == fact), fact


@given(meanings())
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_spans_say_each_fact_in_clean_sentences(what):
    said = TemplateVerbalizer().verbalize(what)
    text = said.text
    assert {span.fact for span in said.spans} == {fact.id for fact in what.facts}
    assert list(said.spans) == sorted(said.spans, key=lambda span: (span.start, span.end, span.fact))
    assert all(0 <= span.start < span.end <= len(text) for span in said.spans)
    assert text[-1] == "."
    assert text == " ".join(text.split())
    assert said == TemplateVerbalizer().verbalize(what)


@given(
    meanings(
        concepts=("Stripes", "dog", "Hour", "unicorn", "sky", "grass", "Animals"),
        labels=("zebra", "horse"),
        layers=("layer4",),
    )
)
@settings(deadline=None, max_examples=150)
def test_english(what):
    text = say(what)
    assert_english(text)
    if what.style == "plain" and what.photos is None:
        for sentence in re.split(r"(?<=[.]) ", text):
            assert len(re.findall(r"stripes|dog\b|hour|unicorn|sky|grass|animals|neuron", sentence)) <= 3, text


def test_short_texts_are_short():
    items = [
        evidence(1, "Stripes", 0.4, ("center", "left")),
        evidence(2, "Dog face", 0.2, ("top",)),
        evidence(3, "grass", 0.1, ("bottom",)),
    ]
    assert len(say(meaning("zebra", items, style="short"))) < 90


@pytest.mark.parametrize(
    ("shares", "coverage", "opening"),
    [
        ((0.4, 0.2), 0.6, "mainly because of stripes and partly because of birds."),
        ((0.3, 0.3), 0.6, "mainly because of stripes and partly because of birds."),
        ((0.29, 0.31), 0.6, "because of stripes and birds."),
        ((0.2, 0.1), 0.3, "because of stripes and birds."),  # named evidence is not even half of all
        ((0.1, 0.05), 0.15, "partly because of stripes and birds."),
        ((0.0, 0.0), 0.0, "partly because of stripes and birds."),
    ],
)
def test_mainly_only_where_it_is_true(shares, coverage, opening):
    items = [evidence(1, "stripes", shares[0]), evidence(2, "birds", shares[1])]
    assert opening in say(meaning("zebra", items, coverage=coverage))


@pytest.mark.parametrize(
    ("coverage", "sentence"),
    [
        (0.621, "This makes up 62% of the evidence for it."),
        (0.5, "This makes up 50% of the evidence for it."),
        (0.3, "This makes up 30% of the evidence for it; the rest is in smaller pieces."),
        (0.08, "This makes up only 8% of the evidence for it, so most of it is not named here."),
        (0.004, "This makes up less than 1% of the evidence for it, so most of it is not named here."),
        (0.0, "This makes up only 0% of the evidence for it, so most of it is not named here."),
        (0.999, "This makes up more than 99% of the evidence for it."),
        (1.0, "This makes up 100% of the evidence for it."),
    ],
)
def test_coverage_is_told_honestly(coverage, sentence):
    what = meaning("zebra", [evidence(1, "stripes", coverage)], coverage=coverage)
    assert say(what).endswith(sentence)
    assert check(say(what), what)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(0.345, 0, "35%"), (0.3449, 1, "34.5%"), (-0.0523, 1, "−5.2%"), (0.0, 1, "0.0%"), (1.0, 1, "100.0%"),
     (1.0 + 1e-9, 0, "100%"),
     (0.00049, 1, "<0.1%"), (-0.00049, 1, ">−0.1%"), (0.99951, 1, ">99.9%"), (0.01, 0, "1%"), (0.99, 0, "99%"),
     (-12.0, 0, "−1200%"),
     (0.005, 0, "<1%")],
)  # fmt: skip
def test_percent(value, decimals, text):
    assert percent(value, decimals) == text


def test_evidence_of_one_concept_is_told_once_with_all_places():
    items = [
        evidence(1, "Stripes", 0.3, ("center",)),
        evidence(2, "birds", 0.2, ("top",)),
        evidence(3, "stripes", 0.1, ("left", "center")),
    ]
    said = TemplateVerbalizer().verbalize(meaning("zebra", items))
    assert said.text.count("stripes") == 1
    assert "stripes in the center and on the left" in said.text
    of = {
        fact: [said.text[span.start : span.end] for span in said.spans if span.fact == fact]
        for fact in {s.fact for s in said.spans}
    }
    assert of["evidence.0.concept"] == of["evidence.2.concept"] == ["stripes"]
    assert of["evidence.0.positions"] == ["in the center"]
    assert of["evidence.2.positions"] == ["in the center", "on the left"]
