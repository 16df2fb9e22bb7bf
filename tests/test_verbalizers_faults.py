"""The checker on texts that it has not seen: faults are found, other words for the same are not refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from verbalizers_cases import evidence, meaning

from nle_fast.schema import Meaning
from nle_fast.verbalizers import check
from nle_fast.verbalizers.grammar import lattice_of
from training.verbalizer.faults import KINDS, measure, random_fault, random_paraphrase
from training.verbalizer.generator import random_meaning, write

FOLDER = Path(__file__).parent / "golden"
# The first of these tell of neurons, and their unnamed ones in the first language; the second of all else that is told.
GOLDEN, TOLD = (
    json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in ("paraphrases", "paraphrases_told")
)


def meaning_of(case: dict) -> Meaning:
    """A meaning representation of the golden file: evidence as [neuron, concept, share, places, further fields]."""
    items = [evidence(*item[:4], item[2] > 0, **(item[4] if len(item) > 4 else {})) for item in case["evidence"]]
    options = {key: value for key, value in case.items() if key not in ("label", "evidence")}
    return meaning(case["label"], items, **{"layer": "layer4", **options})


MEANINGS = {name: meaning_of(case) for name, case in (GOLDEN["meanings"] | TOLD["meanings"]).items()}


@pytest.fixture(scope="module")
def figures():
    return measure(seed=1, count=600)


def test_finds_planted_faults(figures):
    missed = [(fault.kind, fault.text) for fault in figures.missed]
    assert figures.found >= 0.99 * figures.faults, missed
    assert set(figures.kinds) == set(KINDS)
    assert all(planted for planted, _ in figures.kinds.values())


def test_accepts_correct_paraphrases(figures):
    assert figures.flagged <= 0.01 * figures.paraphrases, [(text, report) for _, text, report in figures.refused]


def test_paraphrases_and_faults_are_what_they_are_called():
    rng = Random(2)
    for _ in range(40):
        what, text = random_paraphrase(rng)
        assert text != lattice_of(what).first()[0]
        fault = random_fault(rng)
        assert fault.kind in KINDS
        assert fault.text != lattice_of(fault.meaning).first()[0]


def test_free_texts_are_reproducible_and_different():
    what = random_meaning(Random(5), "plain")
    texts = write(what, Random(6), 12)
    assert texts == write(what, Random(6), 12)
    assert len(set(texts)) == len(texts) > 6


@pytest.mark.parametrize(("name", "text"), GOLDEN["right"] + GOLDEN["later"] + TOLD["right"])
def test_accepts_what_people_would_write(name, text):
    report = check(text, MEANINGS[name])
    assert report, str(report)
    assert {span.fact for span in report.spans} == {fact.id for fact in MEANINGS[name].facts}


@pytest.mark.parametrize(("name", "text", "fault"), GOLDEN["wrong"] + TOLD["wrong"])
def test_finds_what_people_would_get_wrong(name, text, fault):
    assert not check(text, MEANINGS[name]), fault


ZEBRA = meaning("zebra", [evidence(1, "stripes", 0.6, ("center",)), evidence(2, "mane", 0.1, ("top",))], versus="horse")
TEXT = (
    "The network's answer is zebra rather than horse, mainly because of stripes in the center and partly because of a "
    "mane at the top. Together these make up 70% of the evidence for it."
)


@pytest.mark.parametrize(
    ("words", "instead"),
    [
        ("mainly because of stripes", "mainly because of no stripes"),
        ("mainly because of stripes", "mainly because of the lack of stripes"),
        ("mainly because of stripes", "mainly because there are hardly any stripes"),
        ("mainly because of stripes", "because of two stripes"),
        ("mainly because of stripes", "because of few stripes"),
        ("mainly because of stripes", "because of bold stripes"),
        ("mainly because of stripes", "strongly because of stripes"),
        ("mainly because of stripes", "only because of stripes"),
        ("mainly because of stripes", "possibly because of stripes"),
        ("mainly because of stripes", "not because of stripes"),
        ("mainly because of stripes", "partly because of stripes, the main reason being a hand,"),
        ("partly because of a mane", "mainly because of a mane"),
        ("a mane at the top", "a mane, not at the top"),
        ("a mane at the top", "a mane at the top, a hand"),
        ("a mane at the top", "a mane and a part at the top"),
        ("a mane at the top", "a mane and a stand at the top"),
        ("a mane at the top", "a mane on top and at the bottom"),
        ("is zebra rather than horse", "is not zebra but horse"),
        ("is zebra rather than horse", "is probably zebra rather than horse"),
        ("is zebra rather than horse", "is zebra rather than a horse or a donkey"),
        ("is zebra rather than horse", "is horse rather than zebra"),
        ("rather than horse", ""),
        ("Together these", "These three"),
        ("70% of", "two thirds of"),
        ("70% of", "most of"),
        ("70% of", "only 70% of"),
        ("for it.", "for it, so most of it is not named here."),
        ("for it.", "against it."),
        ("for it.", "for it, which would support it."),
        ("for it.", "for it. Neuron 7 agrees."),
        ("for it.", "for it. It also sees a hand."),
        ("for it.", "for it. A hand and features speak against it."),
        ("for it.", "for it. It is certain."),
        ("for it.", "for it. The main reason is the picture."),
        ("a mane at the top", "a mane and the scene, both at the top"),
        ("a mane at the top", "more mane at the top"),
        ("is zebra rather than horse", "is all but zebra rather than horse"),
        ("is zebra rather than horse", "is mostly zebra rather than horse"),
        ("answer is zebra", "second answer is zebra"),
        ("70% of the evidence", "70% of the picture"),
        ("make up 70%", "make up at most 70%"),
        ("make up 70%", "make up over 70%"),
        ("make up 70%", "make up 70% or more"),
    ],
)
def test_words_that_change_the_truth(words, instead):
    assert check(TEXT, ZEBRA)
    assert words in TEXT
    assert not check(TEXT.replace(words, instead), ZEBRA)


@pytest.mark.parametrize(
    ("words", "instead"),
    [
        ("These two", "Together these"),
        ("70 percent", "70%"),
        ("about 70%", "70%"),
        ("seventy percent", "70%"),
        ("seven tenths", "70%"),
        ("in the middle", "in the center"),
        ("a horse", "horse"),
        ("the presence of stripes", "stripes"),
        ("manes", "a mane"),
        ("near the top of the picture", "at the top"),
    ],
)
def test_words_that_leave_the_truth_alone(words, instead):
    report = check(TEXT.replace(instead, words), ZEBRA)
    assert report, str(report)


NEURON = {"neuron": 41, "concept": None, "share": 0.3, "positions": ("top",)}


def test_untrusted_words_are_told_as_such():
    bare = meaning("zebra", [evidence(**NEURON)], style="expert")
    loose = replace(bare, evidence=(replace(bare.evidence[0], loosely="animals"),))
    text = lattice_of(loose).first()[0]
    assert "neuron 41 at the top (loosely “animals”, share 30.0%)" in text
    assert check(text, loose)
    assert check(text, bare).added
    assert check(text.replace("animals", "birds"), loose).added


@pytest.mark.parametrize("style", ["plain", "short"])
def test_people_who_do_not_think_in_neurons_are_told_neither_numbers_nor_untrusted_words(style):
    bare = meaning("zebra", [evidence(**NEURON)], style=style)
    loose = replace(bare, evidence=(replace(bare.evidence[0], loosely="animals"),))
    text = lattice_of(loose).first()[0]
    assert text == lattice_of(bare).first()[0]
    assert "something without a name" in text
    for words in ("something without a name (loosely “animals”)", "neuron 41", "what neuron 41 detects"):
        assert not check(text.replace("something without a name", words), loose), words


def test_texts_of_the_first_language_are_accepted():
    first = meaning("zebra", [evidence(**NEURON, loosely="animals")], language=1)
    text = (
        "The network's answer is zebra, because of what neuron 41 detects (loosely “animals”) at the top. This makes "
        "up 30% of the evidence for it."
    )
    assert check(text, first)
    assert not check(text, replace(first, language=2))
    assert not check(text.replace("animals", "birds"), first)


def test_both_ways_to_tell_of_an_unnamed_neuron():
    what = meaning("zebra", [evidence(**NEURON)], language=1)
    for words in ("what neuron 41 detects", "something that neuron 41 responds to", "whatever activates neuron 41"):
        text = (
            f"The network's answer is zebra, because of {words} at the top. This makes up 30% of the evidence for it."
        )
        assert check(text, what), str(check(text, what))
        assert not check(text.replace("41", "14"), what)
