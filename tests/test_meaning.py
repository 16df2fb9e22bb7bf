from __future__ import annotations

import numpy as np
import pytest

from nle_fast.meaning import build_meaning, gather_evidence
from nle_fast.schema import Prediction

PLACE = ((), ("left",), ("left half", "middle"))
TARGET = Prediction(1, "zebra", 0.9, 7.0)


def gather(values, total, num_supporting, concepts=lambda neuron: (f"concept {neuron}", None, None)):
    values = np.asarray(values, np.float32)
    return gather_evidence(values, np.arange(len(values)), total, [PLACE] * len(values), concepts, num_supporting)


def test_shares_and_coverage():
    evidence = gather([4, 2, 1], 10.0, 3)
    assert [item.share for item in evidence] == pytest.approx([0.4, 0.2, 0.1])
    assert build_meaning(TARGET, TARGET, None, evidence, "layer4", "plain").coverage == pytest.approx(0.7)


def test_places_are_told_before_positions():
    (item,) = gather([4], 10.0, 1)
    assert (item.positions, item.places) == PLACE[1:]
    assert item.where == item.places


def test_the_target_need_not_be_the_winner():
    assert build_meaning(TARGET, TARGET, None, (), "layer4", "plain").winner
    assert not build_meaning(Prediction(2, "horse", 0.9, 8.0), TARGET, None, (), "layer4", "plain").winner


def test_only_a_neuron_that_speaks_for_its_side_is_evidence():
    evidence = gather([3, 0, -1, -5, 0, 2], 3.0, 3)
    assert [(item.neuron, item.supports, item.share) for item in evidence] == [(0, True, 1.0), (3, False, -5 / 3)]
    assert build_meaning(TARGET, TARGET, None, evidence, "layer4", "plain").coverage == 1.0, (
        "opposing shares do not count"
    )


def test_no_support_at_all():
    evidence = gather([-1.0, -2.0], 0.0, 1)
    assert [(item.neuron, item.share) for item in evidence] == [(1, 0.0)]
    assert build_meaning(TARGET, TARGET, None, evidence, "layer4", "plain").coverage == 0.0


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("short", {"class", "versus", "evidence.0.concept", "evidence.0.positions"}),
        ("plain", {"class", "versus", "evidence.0.concept", "evidence.0.positions", "coverage"}),
        (
            "expert",
            {"class", "versus", "probability", "layer", "coverage"}
            | {f"evidence.0.{kind}" for kind in ("concept", "neuron", "share", "positions")},
        ),
    ],
)
def test_facts_of_each_style(style, expected):
    meaning = build_meaning(TARGET, TARGET, Prediction(2, "horse", 0.1, 5.0), gather([4], 10.0, 1), "layer4", style)
    assert {fact.id for fact in meaning.facts} == expected


def test_the_number_of_an_unnamed_neuron_is_told_once():
    meaning = build_meaning(
        TARGET, TARGET, None, gather([4], 10.0, 1, lambda _: (None, 0.1, "stripes")), "layer4", "expert"
    )
    assert "evidence.0.neuron" not in {fact.id for fact in meaning.facts}
