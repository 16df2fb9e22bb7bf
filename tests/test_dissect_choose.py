"""What is chosen is chosen without the pictures that judge it; what the figures of a dissection say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nle_fast.dissect import DissectOptions
from nle_fast.dissect.choose import Champion, Chosen, champions, choose
from nle_fast.dissect.judge import errors_below
from nle_fast.dissect.probe import JUDGE, Probe, ProbeSet, Word
from nle_fast.dissect.similarity import name_from_encoder
from nle_fast.dissect.summary import equal_coverage, summaries
from nle_fast.dissect.table import Answers, make_table

OPTIONS = DissectOptions(threads=1)
GOOD = Champion(
    (0,),
    text="dog",
    least=0.6,
    middle=0.65,
    confidence=0.55,
    error=0.1,
    quality=0.5,
    beats=1.0,
    untrained=0.1,
    p=1e-9,
    place=0.3,
)


@pytest.fixture
def drawn(tmp_path):
    """240 pictures, four concepts of a source, and neurons that follow one, two and none of them."""
    rng = np.random.default_rng(0)
    probes = ProbeSet.of([("drawn", [Probe(tmp_path / f"{n}.png", "") for n in range(240)])])
    presence = (rng.random((240, 4)) < 0.25).astype(np.float32)
    noise = rng.normal(0, 0.3, (240, 3))
    response = np.stack([presence[:, 0], np.fmax(presence[:, 1], presence[:, 2]), 0 * presence[:, 0]], 1) + noise
    answers = Answers(probes, response.astype(np.float32), rng.normal(size=(240, 8)).astype(np.float32))
    return presence, answers


def named(presence, answers):
    words = tuple(Word(text) for text in ("dog", "wheel", "roof", "sky"))
    table = make_table("drawn", words, answers, presence, OPTIONS)
    nominees = np.argsort(-table.bound, axis=1, kind="stable")
    return champions(replace(table, nominees=nominees), answers, OPTIONS)


def test_the_pictures_that_judge_decide_nothing(drawn):
    presence, answers = drawn
    before = named(presence, answers)
    judges = answers.probes.part == JUDGE
    rng = np.random.default_rng(1)
    answers.response[judges] = rng.permutation(answers.response[judges])
    after = named(presence, answers)
    assert before[0].words == (0,)
    assert set(before[1].words) == {1, 2}
    assert before[0].quality > 0.7 > 0.4 > abs(after[0].quality)
    for one, other in zip(before, after, strict=True):
        assert one is None or replace(one, quality=0.0) == replace(other, quality=0.0)
    assert [one.refused for one in choose([before], OPTIONS)] == [one.refused for one in choose([after], OPTIONS)]
    assert choose([before], OPTIONS)[2].refused is not None


def test_an_encoder_must_say_the_words_of_the_strongest_pictures(drawn):
    presence, answers = drawn
    words = tuple(Word(text) for text in ("dog", "wheel", "roof", "sky"))
    table = make_table("encoder", words, answers, presence, OPTIONS, binary=False)
    nominees = np.argsort(-table.bound, axis=1, kind="stable")
    says = presence > 0
    found = champions(replace(table, nominees=nominees, says=says), answers, OPTIONS)
    assert [one.said for one in found[:2]] == [1, 1]
    assert len(found[1].words) == 2
    says[:, found[1].words[1]] = False
    alone = champions(replace(table, nominees=nominees, says=says), answers, OPTIONS)[1]
    assert alone.words == found[1].words[:1], "a word that is never said joins none"
    assert 0 < alone.said < 1


def test_an_encoder_says_the_words_most_like_a_picture(drawn):
    _, answers = drawn
    similarities = np.random.default_rng(2).random((240, 100)).astype(np.float32)
    table = name_from_encoder(tuple(Word(str(n)) for n in range(100)), similarities, answers, OPTIONS)
    assert (table.says.sum(1) == 2).all()
    assert table.says[np.arange(240), similarities.argmax(1)].all()


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, None), ({"least": 0.39}, "quality"), ({"confidence": 0.29}, "quality"),
        ({"place": 0.01}, "place"), ({"place": None}, None),
        ({"said": 0.4}, "said"), ({"said": 0.6}, None),
        ({"beats": 0.9}, "rivals"), ({"untrained": 0.7}, "untrained"), ({"p": 0.2}, "chance"),
        ({"quality": -1.0}, None),
    ],
)  # fmt: skip
def test_every_bar_is_a_bar(changes, refused):
    (chosen,) = choose([[replace(GOOD, **changes)]], OPTIONS)
    assert chosen.refused == refused


def test_the_surest_that_passes_is_given():
    surer = replace(GOOD, words=(1,), confidence=0.6, quality=0.2)
    assert choose([[GOOD], [surer]], OPTIONS)[0].words == (1,)
    assert choose([[GOOD], [replace(surer, beats=0.1)]], OPTIONS)[0].words == (0,)
    assert choose([[None], [None]], OPTIONS)[0].refused == "no candidate"


def test_the_best_of_several_must_be_as_sure_as_one_alone():
    hardly = replace(GOOD, confidence=0.31)  # 0.3 is the bar, and a second source that names costs 0.04
    other = replace(GOOD, words=(1,), text="wheel")
    assert choose([[hardly, GOOD]], OPTIONS)[0].refused is None
    low = replace(other, confidence=0.1)
    assert choose([[hardly, GOOD], [low, other]], OPTIONS)[0].refused is None, "the first source alone names two"
    found = choose([[hardly, None, GOOD], [None, other, other]], OPTIONS)
    assert [one.refused for one in found] == [None, None, None], "only one source names the first neuron"
    found = choose([[hardly, None, GOOD], [low, other, other]], OPTIONS)
    assert [one.refused for one in found] == ["best", None, None]
    found = choose([[hardly, None, GOOD], [replace(low, text="dog"), other, other]], OPTIONS)
    assert [one.refused for one in found] == [None, None, None], "the sources agree"
    assert choose([[hardly, None, GOOD], [None, replace(other, beats=0.1), None]], OPTIONS)[0].refused is None
    assert GOOD.best_of(1) == pytest.approx(0.55)
    # Of two that are no better than they seem by 1.41 standard errors, the better one is not in 84 of 100 cases.
    draws = np.random.default_rng(0).normal(size=(100_000, 2)).max(1)
    assert (draws < errors_below(2)).mean() == pytest.approx(0.8413, abs=0.005)


def chosen(*neurons):
    return [Chosen(0, (0,), confidence, quality, 1.0, 0.0, refused) for confidence, quality, refused in neurons]


def test_equal_coverage_cuts_every_ranking_at_the_same_number():
    masks = chosen((0.9, 0.8, None), (0.3, 0.2, "quality"), (0.2, 0.1, "quality"))
    encoder = chosen((0.5, 0.6, None), (0.7, 0.3, None), (0.8, 0.0, "rivals"))
    found = summaries(masks, {"masks": masks, "encoder": encoder}, 0.4)
    assert (found["named"], found["confirmed"], found["mean_quality"], found["mean_over_all"]) == (1, 1, 0.8, 0.2667)
    assert found["by_source"]["encoder"]["named"] == 2
    assert found["by_source"]["encoder"]["confirmed"] == 1
    assert found["by_source"]["encoder"]["together_on_these"] == 0.4
    assert found["equal_coverage"] == [
        {"neurons": 1, "masks": 0.8, "encoder": 0.3, "together": 0.8},
        {"neurons": 2, "masks": 0.5, "encoder": 0.45, "together": 0.5},
    ]
    assert equal_coverage({"encoder": encoder}, 3)["encoder"] == 0.3
