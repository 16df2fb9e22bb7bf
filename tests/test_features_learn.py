"""Learning: planted directions are found, with any head; stops and restarts change nothing; errors name the file."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from features_cases import PREPROCESS, SOURCES, Planted, write_pictures

from nle_fast.classifiers.features import Features
from nle_fast.errors import ConfigError, InputError, ModelError
from nle_fast.features import LearnOptions, learn
from nle_fast.features.pictures import split
from nle_fast.features.recurrence import match

QUICK = LearnOptions(steps=60, batch=8, views=1, active=3)
LONGER = dataclasses.replace(QUICK, steps=200)


@pytest.fixture(autouse=True)
def _one_thread():
    """Maps of 4 × 4 positions are not worth a second thread."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("pictures"))


def learned(pictures, head="pooled", classes=3, options=QUICK, **more) -> Features:
    return learn(Planted(classes, head), pictures, preprocess=PREPROCESS, size=SOURCES, options=options, **more)


def same(one: Features, other: Features) -> bool:
    names = ("decoder", "encoder", "bias", "mean")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


@pytest.fixture(scope="module")
def whole(pictures):
    return learned(pictures)


@pytest.mark.parametrize("head", ["pooled", "relu", "any"])
def test_planted_directions_are_found(pictures, head):
    found = learned(pictures, head, options=LONGER)
    cosine = match(Planted(3, head).directions, found.decoder).cosine
    assert np.median(cosine) > 0.9
    figures = found.record["held_out"]["features"]
    assert figures["r2"] > 0.6
    assert figures["same_winner"] > 0.6
    assert figures["kl"] < 0.1


def test_many_classes_start_at_their_tree(pictures):
    found = learn(Planted(40), pictures, preprocess=PREPROCESS, options=QUICK)
    assert found.record["start"]["how"] == "tree"
    nodes = found.record["nodes"]
    assert len(nodes) == len(found)
    assert all(4 <= len(node) <= 120 for node in nodes)
    assert found.record["held_out"]["features"]["five"] > 0
    assert found.record["held_out"]["features"]["not_near"] is not None


def test_few_classes_say_whether_their_start_recurs(whole):
    recurrence = whole.record["start"]["recurrence"]
    assert 0 < recurrence["median_cosine"] <= 1
    assert 0 <= recurrence["share_of_08"] <= 1


def test_a_head_of_no_closed_form_has_rows_of_gradients(pictures):
    assert learned(pictures, "any").record["start"]["rows_from"] == "gradients"


def test_the_same_seed_gives_the_same_and_another_seed_others(pictures, whole):
    assert same(whole, learned(pictures))
    assert not same(whole, learned(pictures, seed=1))


@pytest.mark.parametrize("stop", [("learn", 7), ("learn", 20), ("learn", 33), ("read", 32), ("look", 1)])
def test_a_stopped_run_goes_on_to_the_same_end(pictures, whole, tmp_path, monkeypatch, stop):
    stage, after = stop
    monkeypatch.setattr("nle_fast.features.train.MARK", 20)

    def interrupt(seen, done, total):
        if seen == stage and done >= after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learned(pictures, cache=tmp_path / "cache", progress=interrupt)
    stages = []
    found = learned(pictures, cache=tmp_path / "cache", progress=lambda *told: stages.append(told))
    assert same(found, whole)
    if stop == ("learn", 33):
        assert next(done for name, done, _ in stages if name == "learn") == 21


def test_nothing_is_left_without_a_cache(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    learned(pictures)
    assert not list(tmp_path.iterdir())


def test_a_torn_mark_is_as_none(pictures, whole, tmp_path):
    learned(pictures, cache=tmp_path)
    (mark,) = tmp_path.glob("mark-*.pt")
    mark.write_bytes(mark.read_bytes()[:500])
    assert same(whole, learned(pictures, cache=tmp_path))


def test_the_record_is_json_and_travels(whole, tmp_path):
    record = json.loads(json.dumps(whole.record))
    assert record["pictures"] == {"given": 60, "learned_from": 48, "held_out": 12, "views": 1, "of_known_class": 0}
    assert record["layer"] == whole.layer == "planted"
    assert set(record["held_out"]) == {"features", "channels"}
    assert record["dead"] == 0
    whole.save(tmp_path / "features.safetensors")
    kept = Features.load(tmp_path / "features.safetensors")
    assert same(whole, kept)
    assert kept.record["options"]["steps"] == 60


def test_no_pictures_held_out_is_no_figures(pictures):
    assert learned(pictures, options=dataclasses.replace(QUICK, held_out=0)).record["held_out"] == {}


def test_dead_features_are_begun_again(pictures):
    options = dataclasses.replace(QUICK, steps=120, active=1, anchor=0)
    found = learn(Planted(3), pictures, preprocess=PREPROCESS, size=48, options=options)
    assert found.record["restarted"] > 0
    assert found.record["dead"] < 24


def test_a_small_store_takes_fewer_crops(pictures):
    bytes_per_crop = 2 * 20 * 16
    options = dataclasses.replace(QUICK, views=3, store_gigabytes=20.5 * bytes_per_crop / 1e9)
    record = learned(pictures, options=options).record
    assert record["pictures"] == {"given": 60, "learned_from": 20, "held_out": 12, "views": 1, "of_known_class": 0}


def test_several_views_are_several_crops(pictures):
    record = learned(pictures, options=dataclasses.replace(QUICK, views=2, steps=20)).record
    assert record["pictures"]["views"] == 2


def test_a_folder_is_all_the_pictures_in_it(pictures):
    options = dataclasses.replace(QUICK, steps=20)
    folder = pictures[0].parent
    assert same(learned(folder, options=options), learned(pictures, options=options))


def test_broken_and_missing_pictures_are_named(pictures, tmp_path):
    torn = tmp_path / "torn.png"
    torn.write_bytes(pictures[0].read_bytes()[:60])
    with pytest.raises(InputError, match=r"torn\.png"):
        learned([*pictures, torn], options=dataclasses.replace(QUICK, held_out=0))
    with pytest.raises(InputError, match="nowhere"):
        learned([*pictures, tmp_path / "nowhere.png"])
    with pytest.raises(InputError, match="at least 8"):
        learned(pictures[:7])
    with pytest.raises(InputError, match="paths"):
        learned([np.zeros((8, 8, 3), np.uint8)] * 9)
    with pytest.raises(InputError, match="cache"):
        learned(pictures, cache=pictures[0])


def test_more_features_than_the_tree_has_nodes_are_refused(pictures):
    with pytest.raises(ConfigError, match="`size`"):
        learn(Planted(40), pictures, preprocess=PREPROCESS, size=400, options=QUICK)


@pytest.mark.parametrize(
    ("name", "value"),
    [("active", 0), ("size", 1), ("steps", -1), ("rate", 0), ("views", True), ("held_out", 1), ("anchor", -1)],
)
def test_options_out_of_range_are_named(name, value):
    with pytest.raises(ConfigError, match=f"`{name}`"):
        LearnOptions(**{name: value})


def test_any_layer_of_a_torch_module(pictures):
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 10, 5, stride=4),
        torch.nn.ReLU(),
        torch.nn.Conv2d(10, 6, 3),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(150, 4),
    )
    model[5].weight.data *= 30  # an untrained head hardly tells its classes apart
    found = learn(model, pictures, layer="1", preprocess=PREPROCESS, size=6, options=QUICK)
    assert found.layer == "1"
    assert found.decoder.shape == (6, 10)
    assert found.record["start"]["rows_from"] == "gradients"
    figures = found.record["held_out"]["features"]
    assert figures["r2"] > 0.2
    assert found.record["losses"][-1] < 0.8 * found.record["losses"][0]


@pytest.mark.parametrize("length", [0, 100, 0.5])
@pytest.mark.parametrize("pattern", ["seen-*.npy", "*/maps.npy"])
def test_a_cache_that_was_cut_off_is_begun_anew(pictures, whole, tmp_path, pattern, length):
    learned(pictures, cache=tmp_path)
    for file in tmp_path.glob(pattern):
        held = file.read_bytes()
        file.write_bytes(held[: length if isinstance(length, int) else int(len(held) * length)])
    for mark in tmp_path.glob("mark-*"):
        mark.unlink()
    assert same(whole, learned(pictures, cache=tmp_path))


def test_a_cache_knows_the_head(pictures, tmp_path):
    class Other(Planted):
        """The same layer and rows, and another head above them."""

        fingerprint = "pooled 3"

    one = learn(Other(), pictures, preprocess=PREPROCESS, size=6, options=QUICK, cache=tmp_path)
    for head in ("relu", "any"):
        kept = learn(Other(3, head), pictures, preprocess=PREPROCESS, size=6, options=QUICK, cache=tmp_path)
        fresh = learn(Other(3, head), pictures, preprocess=PREPROCESS, size=6, options=QUICK)
        assert same(kept, fresh)
        assert not same(kept, one)


def test_a_copy_of_a_picture_does_not_judge(pictures, tmp_path):
    copies = [tmp_path / f"copy {path.name}" for path in pictures]
    for path, copy in zip(pictures, copies, strict=True):
        copy.write_bytes(path.read_bytes())
    record = learned([*pictures, *copies]).record
    learns, judges = split([*pictures, *copies], 0.2, 0)
    contents = {path.read_bytes() for path in learns}
    assert record["pictures"]["held_out"] == len({path.read_bytes() for path in judges} - contents) < len(judges)


class Odd(Planted):
    """A layer or a head of which nothing can be learned."""

    def __init__(self, how):
        super().__init__()
        self.how = how
        if how == "head":
            self.weight = self.pooled_weight = np.full_like(self.weight, np.nan)

    def activations(self, images):
        maps = super().activations(images)
        return {"zero": maps * 0, "one": maps * 0 + 1, "head": maps}[self.how]


@pytest.mark.parametrize("model", [Odd("zero"), Odd("one"), Odd("head"), Planted(1)])
def test_networks_that_nothing_is_learned_from_are_refused(pictures, model):
    with pytest.raises(ModelError, match="`model` must"):
        learn(model, pictures, preprocess=PREPROCESS, size=4, options=QUICK)


@pytest.mark.parametrize(
    ("name", "value"),
    [("options", 5), ("cache", 5), ("cache", "a\0b"), ("hierarchy", 5), ("labelled", 5), ("progress", 5)],
)
def test_arguments_of_another_kind_are_named(pictures, name, value):
    with pytest.raises(ConfigError, match=f"`{name}` must be"):
        learn(Planted(), pictures, preprocess=PREPROCESS, labels=["a", "b", "c"], **{name: value})


def test_labelled_pictures_without_class_names_are_refused(pictures, tmp_path):
    for index in range(2):
        (tmp_path / f"{index}").mkdir()
        (tmp_path / f"{index}" / "a.png").write_bytes(pictures[index].read_bytes())
    with pytest.raises(ConfigError, match="`labels` must"):
        learned(pictures, labelled=tmp_path)
    with pytest.raises(InputError, match="`pictures` must exist"):
        learned(["a" * 400])


def test_labelled_pictures_must_be_known(pictures, tmp_path):
    """Else words stay unjudged, and nobody hears of it."""
    (tmp_path / "t.csv").write_text("".join(["file,name\n", *(f"{p},{'ab'[n % 2]}\n" for n, p in enumerate(pictures))]))
    with pytest.raises(InputError, match="`labelled` must tell"):
        learned(pictures, labels=["x", "y", "z"], labelled=tmp_path / "t.csv")
    record = learned(pictures, labels=["a", "b", "c"], labelled=tmp_path / "t.csv").record
    assert record["pictures"]["of_known_class"] == record["pictures"]["held_out"] == 12
