"""Measures against the classifier itself; controls of the same size; what recurs."""

from __future__ import annotations

import numpy as np
import pytest
from features_cases import CELLS, CHANNELS, PREPROCESS, SOURCES, Planted, write_pictures

from nle_fast.classifiers.features import FeatureClassifier, Features
from nle_fast.features import LearnOptions
from nle_fast.features.controls import CONTROLS, LEARNED_CONTROLS, control
from nle_fast.features.learning import Workshop
from nle_fast.features.measure import Dictionary, measure
from nle_fast.features.recurrence import match, recurrence
from nle_fast.features.sight import moments, sight_of
from nle_fast.features.store import read_store
from nle_fast.features.tree import centred, class_tree, unit_rows
from nle_fast.preprocess import load_picture

OPTIONS = LearnOptions(steps=20, batch=8, views=1, active=3, size=SOURCES)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    classifier = Planted(40)
    store = read_store(classifier, PREPROCESS, write_pictures(folder / "pictures", 40), folder, views=1)
    return Workshop(classifier, store, OPTIONS, folder)


def planted(classifier, active=3) -> Features:
    rows = classifier.directions
    inverse = np.linalg.pinv(rows.astype(np.float64)).T.astype(np.float32)
    nothing = np.zeros(SOURCES, np.float32), np.zeros(CHANNELS, np.float32)
    return Features("planted", rows, inverse, *nothing, active)


def some_maps(shop, count=12):
    return shop.maps_of(shop.store.centres(np.arange(count)))


@pytest.mark.parametrize("head", ["pooled", "relu", "any"])
def test_scores_and_masks_are_those_of_the_classifier_that_is_read_through_features(tmp_path, head):
    classifier = Planted(40, head)
    images = PREPROCESS([load_picture(path) for path in write_pictures(tmp_path, 12)])
    features, maps = planted(classifier), classifier.activations(images)
    votes = centred(classifier.weight) @ features.decoder.T
    found = measure(Dictionary.of(features), classifier, [maps[:5], maps[5:]], votes=votes)
    through = FeatureClassifier(classifier, features)
    logits = classifier.logits(maps)
    winner = logits.argmax(1)
    assert (found.winner == winner).all()
    parts = through.activations(images)
    slopes = through.gradients(parts, winner)
    slopes = slopes[:, :, None, None] if slopes.ndim == 2 else slopes
    scores = (parts * slopes)[:, :SOURCES].sum((2, 3))
    for n in range(len(maps)):
        hidden = parts[n : n + 1].copy()
        hidden[:, np.argsort(-scores[n], kind="stable")[:5]] = 0
        drop = logits[n, winner[n]] - through.logits(hidden)[0, winner[n]]
        assert found.each["drop"][n] == pytest.approx(drop, abs=1e-4)
    if head != "pooled":
        assert found.figures["centred"] == 0
        carried = np.sort(scores, 1)[:, -5:].clip(min=0).sum(1) / logits[np.arange(len(maps)), winner]
        np.testing.assert_allclose(found.each["five"], carried, rtol=1e-4, atol=1e-5)


def test_a_dictionary_that_explains_all_leaves_nothing(shop):
    classifier = Planted(40)
    features = planted(classifier)
    found = measure(Dictionary.of(features), classifier, [some_maps(shop)], votes=shop.votes(features.decoder)).figures
    assert found["r2"] == pytest.approx(1, abs=1e-4)
    assert found["same_winner"] == 1
    assert found["kl"] == pytest.approx(0, abs=1e-6)
    assert 0 <= found["not_near"] <= found["five"] <= 1.5


def test_channels_explain_themselves(shop):
    found = measure(Dictionary.channels(shop.moments.mean), Planted(40), [some_maps(shop)])
    assert found.figures["r2"] == pytest.approx(1)
    assert found.figures["not_near"] is None
    assert found.figures["drop"] > found.figures["any_drop"]
    assert found.pooled.shape == (12, CHANNELS)


@pytest.mark.parametrize("name", [*CONTROLS, *LEARNED_CONTROLS])
def test_controls_have_as_many_atoms_and_codes(shop, name):
    start = shop.start()
    found = control(name, shop, start, seed=3)
    assert found.decoder.shape == start.atoms.shape
    np.testing.assert_allclose(np.linalg.norm(found.decoder, axis=1), 1, atol=1e-4)
    codes = found.codes(shop.store.rows([0, 1]))
    assert (codes >= 0).all()
    assert ((codes > 0).sum(2) <= OPTIONS.active).all()
    figures = measure(found, shop.classifier, [some_maps(shop)], votes=shop.votes(found.decoder)).figures
    assert all(value is None or np.isfinite(value) for value in figures.values())


def test_a_shuffled_tree_has_nodes_of_the_same_sizes(shop):
    start = shop.start()
    shuffled = LEARNED_CONTROLS["shuffled tree"](shop, start, 1)
    assert [len(node) for node in shuffled.nodes] == [len(node) for node in start.nodes]
    assert any((a != b).any() for a, b in zip(shuffled.nodes, start.nodes, strict=True))


def test_the_tree_finds_planted_groups():
    chance = np.random.default_rng(0)
    centres = chance.normal(size=(5, 16)) * 4
    rows = (centres.repeat(6, 0) + chance.normal(size=(30, 16)) * 0.3).astype(np.float32)
    nodes = class_tree(rows, most=5).nodes
    assert {tuple(node) for node in nodes} == {tuple(range(6 * n, 6 * n + 6)) for n in range(5)}


def test_coordinates_measure_both_errors():
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(7, 10)).astype(np.float32)
    data = (chance.normal(size=(500, 10)) @ chance.normal(size=(10, 10))).astype(np.float32)
    sight = sight_of(rows, moments([data[:200], data[200:]], 10))
    np.testing.assert_allclose(sight.mean, data.mean(0), atol=1e-4)
    y = (data - sight.mean) @ sight.read
    np.testing.assert_allclose(y @ sight.show.T, data - sight.mean, atol=1e-2)
    error = (y[0] - y[1]) @ sight.show.T
    assert np.square(y[0] - y[1]) @ sight.plain == pytest.approx(float(error @ error), rel=1e-3)
    seen = np.square(centred(rows) @ error).sum()
    assert np.square(y[0] - y[1]) @ sight.seen == pytest.approx(float(seen), rel=1e-3)


def test_a_dictionary_recurs_in_its_own_shuffling():
    chance = np.random.default_rng(0)
    atoms = unit_rows(chance.normal(size=(9, 20)))
    order = chance.permutation(9)
    matched = match(atoms, atoms[order])
    assert (order[matched.partner] == np.arange(9)).all()
    pooled = chance.uniform(size=(30, 9)).astype(np.float32)
    told = np.argsort(-pooled, 1)[:, :5]
    other = np.argsort(order)[told]
    found = recurrence(matched, pooled, pooled[:, order], told, other)
    assert found == pytest.approx(
        {"median_cosine": 1, "share": 1, "told_share": 1, "codes_r": 1, "same_told": 5}, abs=1e-4
    )
    none = recurrence(match(atoms, -atoms), pooled, pooled, told, told)
    assert none["told_share"] < 0.2


def test_positions_are_cells():
    assert Planted().activations(np.zeros((2, 3, 32, 32), np.float32)).shape == (2, CHANNELS, CELLS, CELLS)
