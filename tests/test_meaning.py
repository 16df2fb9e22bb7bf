from __future__ import annotations

import numpy as np
import pytest

from nle_fast.config import Config
from nle_fast.meaning import build_meaning, gather_evidence, part_seen, read_runner_up
from nle_fast.schema import Prediction

PLACE = ((), ("left",), ("left half", "middle"), ())
TARGET = Prediction(1, "zebra", 0.9, 7.0)
HORSE = Prediction(2, "horse", 0.1, 5.0)


def gather(values, total, num_supporting, concepts=lambda neuron: (f"concept {neuron}", None, None, True)):
    values = np.asarray(values, np.float32)
    return gather_evidence(values, np.arange(len(values)), total, [PLACE] * len(values), concepts, num_supporting)


def build(evidence=(), style="plain", *, winner=TARGET, target=TARGET, versus=None, limits=None, **more):
    config = Config(style=style, **(limits or {}))
    return build_meaning(winner, target, versus, tuple(evidence), "layer4", config, **more)


def test_shares_and_coverage():
    evidence = gather([4, 2, 1], 10.0, 3)
    assert [item.share for item in evidence] == pytest.approx([0.4, 0.2, 0.1])
    assert build(evidence).coverage == pytest.approx(0.7)


def test_places_are_told_before_positions():
    (item,) = gather([4], 10.0, 1)
    assert (item.positions, item.places) == PLACE[1:3]
    assert item.where == item.places


def test_the_target_need_not_be_the_winner():
    assert (build().winner, build().answer) == (True, None)
    other = build(winner=HORSE)
    assert (other.target, other.winner, other.answer) == (TARGET, False, HORSE)


def test_only_a_neuron_that_speaks_for_its_side_is_evidence():
    evidence = gather([3, 0, -1, -5, 0, 2], 3.0, 3)
    assert [(item.neuron, item.supports, item.share) for item in evidence] == [(0, True, 1.0), (3, False, -5 / 3)]
    assert build(evidence).coverage == 1.0, "opposing shares do not count"


def test_no_support_at_all():
    evidence = gather([-1.0, -2.0], 0.0, 1)
    assert [(item.neuron, item.share) for item in evidence] == [(1, 0.0)]
    assert build(evidence).coverage == 0.0


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("short", {"class", "versus", "evidence.0.concept", "evidence.0.positions"}),
        (
            "plain",
            {"class", "probability", "certainty", "versus", "coverage", "evidence.0.concept", "evidence.0.positions"},
        ),
        (
            "expert",
            {"class", "versus", "probability", "layer", "coverage"}
            | {f"evidence.0.{kind}" for kind in ("concept", "neuron", "share", "positions")},
        ),
    ],
)
def test_facts_of_each_style(style, expected):
    meaning = build(gather([4], 10.0, 1), style, versus=HORSE)
    assert {fact.id for fact in meaning.facts} == expected


def test_the_number_of_an_unnamed_neuron_is_told_once():
    meaning = build(gather([4], 10.0, 1, lambda _: (None, 0.1, "stripes", True)), "expert")
    assert "evidence.0.neuron" not in {fact.id for fact in meaning.facts}


def answer(probability):
    return Prediction(1, "zebra", probability, 7.0)


@pytest.mark.parametrize(
    ("probability", "word"),
    [(1.0, "certain"), (0.95, "certain"), (0.949, "quite sure"), (0.8, "quite sure"), (0.799, "thinks"),
     (0.5, "thinks"), (0.499, "guesses"), (0.0, "guesses")],
)  # fmt: skip
def test_how_sure_it_is_of_its_own_answer(probability, word):
    own = answer(probability)
    assert build(winner=own, target=own).certainty == word
    assert build(winner=own, target=HORSE).certainty == word, "whichever class is explained"
    for style in ("expert", "short"):
        assert build(style=style, winner=own, target=own).certainty is None


def test_it_hesitates_between_its_answer_and_the_next_class():
    own = answer(0.4)
    for probability, word in ((0.24, "hesitates"), (0.239, "guesses")):
        rival = Prediction(2, "horse", probability, 5.0)
        assert build(winner=own, target=own, runner_up=rival).certainty == word
        assert build(winner=own, target=rival, runner_up=rival).certainty == "guesses"
        assert build(winner=own, target=own, versus=rival, runner_up=rival).certainty == "guesses"
    assert build(winner=own, target=own, runner_up=rival).runner_up == rival
    limits = {"certain": 0.4, "quite_sure": 0.3, "thinks": 0.2, "hesitates": 0.9}
    assert build(winner=own, target=own, runner_up=rival, limits=limits).certainty == "certain"


def test_the_class_next_to_the_winner():
    labels = ["a", "b", "c", "d"]
    for logits, index in (([1, 3, 2, 0], 2), ([3, 3, 3, 0], 1), ([3, 1, 2, 2], 2), ([-9, -9, -9, 5], 0)):
        logits = np.asarray(logits, np.float32)
        given = logits.copy()
        runner_up = read_runner_up(logits, labels)
        assert (runner_up.index, runner_up.label, runner_up.logit) == (index, labels[index], given[index])
        assert runner_up.probability == pytest.approx(np.exp(given[index]) / np.exp(given).sum(), rel=1e-5)
        np.testing.assert_array_equal(logits, given)
    assert read_runner_up(np.zeros(1, np.float32), ["a"]) is None


def test_small_pieces_are_counted_and_not_covered():
    evidence = gather([40, 2, 1.9, 1, -30, -1.9], 100.0, 4)
    for style in ("plain", "short"):
        meaning = build(evidence, style)
        assert meaning.counted == (2, 3, 5)
        assert meaning.coverage == pytest.approx(0.42)
        assert [item.rank for item in meaning.told] == [0, 1, 4]
    expert = build(evidence, "expert")
    assert (expert.counted, expert.coverage) == ((), pytest.approx(0.449))


@pytest.mark.parametrize(
    ("values", "supporting", "counted"),
    [([1, 0.5, -1, -0.5], 2, (1, 2, 3)), ([1, -50], 1, ()), ([-1, -0.5], 0, (1,)), ([], 0, ())],
)
def test_the_first_piece_is_always_told(values, supporting, counted):
    meaning = build(gather(values, 100.0, supporting))
    assert meaning.counted == counted
    assert len(meaning.told) == len(values) - len(counted)


def test_shares_without_a_unit_are_not_small():
    meaning = build(gather([-1.0, -2.0, -0.1], 0.0, 0))
    assert meaning.counted == ()


def test_what_no_feature_explains_and_what_was_seen_come_along():
    meaning = build(unexplained=-0.25, seen=0.4)
    assert (meaning.unexplained, meaning.seen) == (-0.25, 0.4)
    assert {"unexplained", "seen"} <= {fact.id for fact in meaning.facts}


@pytest.mark.parametrize(
    ("window", "size", "seen"),
    [
        ((0, 0, 100, 50), (100, 50), None),
        ((25, 0, 75, 50), (100, 50), None),
        ((26, 0, 75, 50), (100, 50), 0.49),
        ((-10, -10, 20, 110), (100, 100), 0.2),
        ((0, 0, 0, 0), (100, 50), 0.0),
    ],
)
def test_how_much_of_the_picture_was_seen(window, size, seen):
    assert part_seen(window, size) == (None if seen is None else pytest.approx(seen))


def test_whether_words_were_judged_comes_along():
    evidence = gather([4, 2], 10.0, 2, lambda neuron: (f"concept {neuron}", None, None, neuron == 0))
    assert [item.judged for item in evidence] == [True, False]
