"""Names by votes, and their judge, beside the same written plainly."""

from __future__ import annotations

import numpy as np
import pytest

from nle_fast.dissect.groups import Groups, groups_of
from nle_fast.dissect.vote_judge import (
    confident_classes,
    correlations,
    judge_both_ways,
    share_told,
    strict_names,
    vote_figures,
)
from nle_fast.dissect.votes import of_parts, pooled_votes, propose, typical_of
from nle_fast.errors import ConfigError, InputError

K = 24


def some_groups() -> Groups:
    """Thirds, halves of thirds, a group across them, and each class but the last."""
    members = np.zeros((7, K), bool)
    for at in range(3):
        members[at, 8 * at : 8 * at + 8] = True
        members[3 + at, 8 * at : 8 * at + 4] = True
    members[6, [3, 9, 15]] = True
    names = ("thirds a", "thirds b", "thirds c", "halves a", "halves b", "halves c", "odd ones")
    return Groups(names, members, (*(f"class {n}s" for n in range(K - 1)), None))


def plainly(votes, groups, codes=None, answers=None, gain=0.03):
    """`propose` for one neuron, by its definition."""

    def r(x, y):
        return 0.0 if np.std(x) < 1e-12 or np.std(y) < 1e-12 else float(np.corrcoef(x, y)[0, 1])

    def score(union):
        found = [r(votes, union.astype(float))]
        if codes is not None:
            found.append(r(codes, union[answers].astype(float)))
        return float(np.mean(found))

    order = np.argsort(groups.sizes, kind="stable")
    union, parts, before = np.zeros(groups.num_classes, bool), [], 0.0
    while len(parts) < 3:
        scores = [score(union | groups.sets[at]) for at in order]
        best = int(np.argmax(scores))
        if scores[best] < before + (gain if parts else 1e-6):
            break
        parts.append(int(order[best]))
        union, before = union | groups.sets[order[best]], scores[best]
    return parts, before


@pytest.mark.parametrize("pictures", [False, True])
def test_proposals_are_those_of_the_definition(pictures):
    groups, rng = some_groups(), np.random.default_rng(3)
    votes = rng.normal(size=(40, K)).astype(np.float32)
    for neuron, row in enumerate(votes):
        row[groups.sets[neuron % len(groups.texts)]] += 2
    codes = rng.random((60, 40)).astype(np.float32) if pictures else None
    answers = rng.integers(0, K, 60) if pictures else None
    found = propose(votes, groups, codes, answers)
    for neuron in range(40):
        parts, score = plainly(votes[neuron], groups, None if codes is None else codes[:, neuron], answers)
        assert [part for part in found.parts[neuron] if part >= 0] == parts
        assert found.fit[neuron].max() == pytest.approx(score, abs=1e-4)


def test_the_most_specific_group_that_covers_the_votes():
    groups = some_groups()
    votes = np.zeros((4, K), np.float32)
    votes[0, :8], votes[1, :4], votes[2, 5], votes[3, 8:16] = 1, 1, 1, 1
    votes[3, 0] = 1
    found = propose(votes, groups)
    named = [[groups.texts[part] for part in row if part >= 0] for row in found.parts]
    assert named == [["thirds a"], ["halves a"], ["class 5s"], ["thirds b", "class 0s"]]
    assert found.members()[3].nonzero()[0].tolist() == [0, *range(8, 16)]


def test_votes_that_say_nothing_have_no_name():
    groups = some_groups()
    assert (propose(np.ones((2, K)), groups).parts == -1).all()
    assert (propose(np.zeros((2, K)), groups).parts == -1).all()
    assert (propose(np.ones((1, 3)), Groups((), np.zeros((0, 3), bool))).parts == -1).all()


def test_votes_are_checked():
    for votes in (np.ones(K), np.ones((2, K + 1)), np.full((2, K), np.nan)):
        with pytest.raises(InputError, match="`votes` must be finite"):
            propose(votes, some_groups())
    for codes, answers in ((np.ones((3, 2)), [0, 1]), (np.ones((3, 1)), [0, 1, 2]), (np.ones((2, 2)), [0, K])):
        with pytest.raises(InputError, match="`codes` and `answers` must be"):
            propose(np.eye(2, K), some_groups(), codes, np.array(answers))
    with pytest.raises(InputError, match="`classes` must lie in"):
        strict_names(np.eye(2, K), some_groups(), np.ones((1, 2)), np.array([K]), np.ones((1, 2)), np.array([0]))
    with pytest.raises(InputError, match="`codes` and `classes` must be"):
        strict_names(np.eye(2, K), some_groups(), np.ones((1, 3)), np.array([0]), np.ones((1, 2)), np.array([0]))


def test_pooled_votes_are_centred_over_the_classes():
    weight = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    votes = pooled_votes(weight)
    assert votes.shape == (3, 5)
    assert np.allclose(votes, (weight - weight.mean(0)).T)
    assert np.allclose(votes.mean(1), 0, atol=1e-6)


@pytest.fixture(scope="module")
def planted():
    """Eight neurons that answer to a group, or to a group and not to the other that they vote for; 600 pictures."""
    groups, rng = some_groups(), np.random.default_rng(1)
    classes = rng.integers(0, K, 600)
    votes = rng.normal(0, 0.1, (8, K)).astype(np.float32)
    codes = rng.random((600, 8)).astype(np.float32)
    for neuron in range(8):
        row = neuron % 3
        votes[neuron][groups.members[row]] += 1
        if neuron < 6:
            codes[:, neuron] += 2 * groups.members[row][classes]
        if neuron in (3, 4, 5):  # votes for something else, too, that never moves it
            votes[neuron][groups.members[3 + (row + 1) % 3]] += 1
    return votes, groups, codes, classes


def test_each_part_must_hold_alone(planted):
    votes, groups, codes, classes = planted
    a, b = slice(0, 300), slice(300, 600)
    found = strict_names(votes, groups, codes[a], classes[a], codes[b], classes[b])
    assert found.names[:3] == tuple(f"what is typical of thirds {letter}" for letter in "abc")
    assert found.names[3:6] == found.names[:3], "the part that does not hold is dropped"
    assert (found.proposal.parts[3:6, 1] >= 0).all()
    assert found.names[6:] == (None, None)
    assert found.holds.tolist() == [True] * 6 + [False] * 2
    r = np.corrcoef(codes[b, 0], groups.members[0][classes[b]])[0, 1]
    assert found.quality[0] == pytest.approx(r)
    assert found.parts_quality[0, 0] == pytest.approx(r)


def test_pictures_that_judge_choose_nothing(planted):
    votes, groups, codes, classes = planted
    rng = np.random.default_rng(5)
    a = slice(0, 300)
    answers = classes[a]
    one = strict_names(votes, groups, codes[a], classes[a], codes[300:], classes[300:], answers)
    other = strict_names(votes, groups, codes[a], classes[a], rng.random((50, 8)), rng.integers(0, K, 50), answers)
    assert one.names == other.names
    assert (one.kept == other.kept).all()
    assert (one.decided[:6] == other.decided[:6]).all()
    assert not other.holds.any()


def test_both_ways(planted):
    votes, groups, codes, classes = planted
    half = np.arange(600) % 2
    found = judge_both_ways(votes, groups, codes, classes, half)
    assert found.names[:3] == tuple(f"what is typical of thirds {letter}" for letter in "abc")
    assert found.names[6:] == (None, None)
    ways = [
        strict_names(votes, groups, codes[half == a], classes[half == a], codes[half != a], classes[half != a])
        for a in (0, 1)
    ]
    assert found.quality[:6] == pytest.approx((ways[0].quality[:6] + ways[1].quality[:6]) / 2)
    assert np.isnan(found.quality[6:]).all()
    shuffled = judge_both_ways(votes, groups, codes, np.random.default_rng(0).permutation(classes), half)
    assert shuffled.names == (None,) * 8, "no name without the truth"


def test_pictures_of_unknown_class_are_left_out(planted):
    votes, groups, codes, classes = planted
    codes = np.concatenate([codes, np.full((40, 8), 99, np.float32)])
    unknown = np.concatenate([classes, np.full(40, -1)])
    one = strict_names(votes, groups, codes, unknown, codes, unknown)
    other = strict_names(votes, groups, codes[:600], classes, codes[:600], classes)
    assert one.names == other.names
    assert np.allclose(one.quality, other.quality, equal_nan=True)
    none = strict_names(votes, groups, codes, unknown, codes[600:], unknown[600:])
    assert np.isnan(none.quality).all()


def test_a_part_of_two_pictures_is_not_kept():
    groups = some_groups()
    votes = np.zeros((1, K), np.float32)
    votes[0, :4] = 1
    classes = np.array([0, 1, *[20] * 40])
    codes = (classes < 4)[:, None].astype(np.float32)
    assert strict_names(votes, groups, codes, classes, codes, classes).names == (None,)
    classes[2] = 3
    codes = (classes < 4)[:, None].astype(np.float32)
    assert strict_names(votes, groups, codes, classes, codes, classes).names == ("what is typical of halves a",)


def test_figures_and_told_items(planted):
    votes, groups, codes, classes = planted
    found = vote_figures(votes, groups, codes, classes)
    r = np.corrcoef(codes[:, 1], groups.members[1][classes])[0, 1]
    assert found["set"][1] == pytest.approx(r)
    assert found["union"].shape == (8,)
    good = found["set"] > 0.2
    assert share_told(np.array([[0, 1, 6], [7, -1, -1]]), good) == 0.5
    assert np.isnan(share_told(np.array([-1]), good))


def test_correlations_against_numpy():
    rng = np.random.default_rng(0)
    codes, shown = rng.random((30, 4)), rng.random((30, 4)) > 0.6
    shown[:, 3] = True
    found = correlations(codes, shown)
    assert found[:3] == pytest.approx([np.corrcoef(codes[:, n], shown[:, n])[0, 1] for n in range(3)])
    assert np.isnan(found[3])


def test_confident_answers_of_another_network():
    probabilities = np.array([[0.9, 0.1], [0.1, 0.9], [0.4, 0.6]])
    classes, theirs = confident_classes(np.array([-1, 0, -1]), probabilities)
    assert classes.tolist() == [0, 0, -1]
    assert theirs.tolist() == [True, False, False]


def test_wording():
    assert typical_of(["notebooks"]) == "what is typical of notebooks"
    assert of_parts(["cats", "dogs", "cars"]) == "cats, dogs and cars"
    assert of_parts(["fruit and vegetables", "bottles"]) == "fruit and vegetables, and of bottles"
    assert of_parts(["cats", "fruit and vegetables", "cars"]) == "cats, of fruit and vegetables, and of cars"


def test_no_more_parts_than_three():
    groups = groups_of(["cat", "dog", "bird"])
    for parts in (0, 4, "two"):
        with pytest.raises(ConfigError, match="`max_parts`"):
            propose(np.eye(3), groups, max_parts=parts)


def test_random_votes_of_few_classes_are_not_named():
    from nle_fast.dissect.vote_source import name_by_votes

    groups = groups_of(["cat", "dog", "truck", "ship", "bird", "frog", "deer", "horse", "plane", "car"])
    chance = np.random.default_rng(7).normal(size=(200, 10)).astype(np.float32)
    named = [offer is not None for offer in name_by_votes(chance, groups, None)]
    assert np.mean(named) < 0.1
    clear = np.zeros((1, 10), np.float32)
    clear[0, 3] = 1
    (offer,) = name_by_votes(clear, groups, None)
    assert offer is not None
    assert offer.name == "what is typical of ships"
