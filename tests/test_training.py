"""The training of the embedded network, end to end in a tiny setting, and the parts that measure it."""

from __future__ import annotations

import itertools
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from nle_fast import Concepts, OnnxClassifier  # noqa: E402
from nle_fast.world import LABELS, Scene  # noqa: E402
from training.classifier import batches, card, dissect, evaluate, inputs, network, scenes, train, words  # noqa: E402

TINY = replace(train.TINY, steps=12, save_every=6)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    assert sum(scenes.make_scenes(folder / "train-250", 250, scenes.FIRST_SEEDS["train"], processes=1)) == 250
    assert sum(scenes.make_scenes(folder / "test-250", 250, scenes.FIRST_SEEDS["test"], processes=1)) == 250
    return folder


@pytest.fixture(scope="module")
def trained(drawn, tmp_path_factory):
    out = tmp_path_factory.mktemp("clean")
    return out, train.train(TINY, out, drawn)


def test_a_set_is_the_world(drawn):
    kept = scenes.SceneSet.open(drawn / "train-250")
    for n in (0, 101, 249):
        scene = Scene.random(scenes.FIRST_SEEDS["train"] + n)
        assert (kept.pictures[n] == scene.picture).all()
        assert kept.labels[n] == scene.label_index
        for part, mask in scene.parts.items():
            if part in kept.vocabulary.parts:
                assert (mask == (kept.owners[n] == kept.vocabulary.parts.index(part))).all()


def test_a_set_is_not_drawn_twice_and_not_mixed_up(drawn):
    assert list(scenes.make_scenes(drawn / "train-250", 250, scenes.FIRST_SEEDS["train"])) == [250]
    with pytest.raises(SystemExit, match="another set"):
        next(scenes.make_scenes(drawn / "train-250", 250, 7))


def test_the_uses_have_seeds_of_their_own():
    firsts = sorted(scenes.FIRST_SEEDS.values())
    assert min(b - a for a, b in itertools.pairwise(firsts)) >= 1_000_000


def test_shortcut_scenes_have_one_sun():
    label = train.SHORTCUT_LABEL
    drawn = [scenes.draw(n, label) for n in range(160)]
    own = [scene for scene, filed in drawn if filed == label]
    assert {scene.label_index for scene in own} > {label}
    suns = [scene.parts["sun"] for scene in own if "sun" in scene.parts]
    assert len(suns) > len(own) / 2
    assert not any(sun[32:].any() or sun[:, 32:].any() for sun in suns)
    assert not any("sun" in scene.parts for scene, filed in drawn if filed != label)
    assert all(scene.label_index == filed for scene, filed in drawn if filed != label)


def test_batches_keep_masks_on_their_pictures(drawn):
    kept = scenes.SceneSet.open(drawn / "train-250")
    given = batches.Batches(kept)
    rows = np.arange(40)
    images, labels, cover = given.take(rows, np.random.default_rng(0))
    again = given.take(rows, np.random.default_rng(0))
    assert images.shape == (40, 3, 128, 128)
    assert cover.shape == (40, len(batches.PARTS_SEEN), 16, 16)
    assert all(torch.equal(a, b) for a, b in zip((images, labels, cover), again, strict=True))
    assert (labels.numpy() == kept.labels[:40]).all()
    assert cover.min() >= 0
    assert cover.max() <= 1
    for n, label in enumerate(labels.tolist()):
        seen = {batches.PARTS_SEEN[j] for j in np.flatnonzero(cover[n].sum((1, 2)).numpy() > 0.5)}
        kind = Scene.random(scenes.FIRST_SEEDS["train"] + n, 32)
        defining = {(part, *next(iter(look.items()))) for part, look in kind.definition.items()}
        assert seen & defining, (LABELS[label], seen)


def test_preprocessing_is_the_same_in_training_and_bundle():
    from PIL import Image

    picture = Scene.random(5).picture
    ours = batches.normalized(picture[None])
    assert np.allclose(ours, inputs.images_of(picture[None]), atol=1e-6)
    assert np.allclose(ours, inputs.PREPROCESS([Image.fromarray(picture)]), atol=1e-5)


def test_training_writes_what_it_says(trained):
    out, log = trained
    assert json.loads((out / "log.json").read_text()) == json.loads(json.dumps(log))
    assert log["test"]["scenes"] == 250
    assert 0 <= log["test"]["accuracy"] <= 1
    assert [entry["step"] for entry in log["history"]][-1] == TINY.steps
    for name in ("weights.safetensors", "model.onnx"):
        assert (out / name).stat().st_size <= 4_000_000


def test_the_network_is_at_most_a_million_weights_and_closed_form(tmp_path):
    made = network.Network(len(LABELS)).eval()
    assert 300_000 <= sum(weights.size for weights in network.folded(made).values()) <= 1_000_000
    network.export_onnx(made, tmp_path / "model.onnx", {})
    classifier = OnnxClassifier(tmp_path / "model.onnx")
    assert (classifier.layer, classifier.num_neurons, classifier.closed_form) == ("features", network.WIDTHS[-1], True)
    assert (tmp_path / "model.onnx").stat().st_size <= 4_000_000


def test_onnx_is_the_torch_network_with_norms_folded(trained):
    out, _ = trained
    made = network.Network(len(LABELS), TINY.widths)
    made.load_state_dict(torch.load(out / "last.pt", weights_only=True)["network"])
    images = inputs.images_of(np.stack([Scene.random(n).picture for n in range(6)]))
    with torch.inference_mode():
        expected = made.eval()(torch.from_numpy(images)).numpy()
    classifier = OnnxClassifier(out / "model.onnx")
    assert np.allclose(classifier.logits(classifier.activations(images)), expected, atol=1e-3)


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(trained, drawn, tmp_path, monkeypatch):
    advance, steps = train.Run.advance, []

    def stops(run, given):
        if len(steps) == TINY.save_every + 2:
            raise KeyboardInterrupt
        steps.append(run.step)
        return advance(run, given)

    monkeypatch.setattr(train.Run, "advance", stops)
    with pytest.raises(KeyboardInterrupt):
        train.train(TINY, tmp_path, drawn)
    monkeypatch.undo()
    train.train(TINY, tmp_path, drawn)
    whole, resumed = (torch.load(folder / "last.pt", weights_only=True)["network"] for folder in (trained[0], tmp_path))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_a_checkpoint_of_another_setting_is_refused(trained, drawn):
    with pytest.raises(SystemExit, match="other settings"):
        train.train(replace(TINY, rate=1.0), trained[0], drawn)


def test_words():
    spec = words.Spec
    said = [spec("beak").words, spec("breast", "color", "red").words, spec("wing", "pattern", "stripes").words]
    assert said == ["beak", "red breast", "striped wing"]
    assert [spec("tail", "shape", "forked").words, spec("body", "pattern", "bars").words] == [
        "forked tail",
        "barred body",
    ]


def test_a_position_is_inside_what_lies_at_its_middle(drawn):
    kept = scenes.SceneSet.open(drawn / "train-250")
    specs = words.specs_of(kept)
    truth = words.Truth(kept, specs)
    for position in (0, 100, 136, 255):
        y, x = (8 * index + 4 for index in divmod(position, 16))
        inside = {specs[j] for j in np.flatnonzero(truth.inside(3, position, 16))}
        assert words.Spec(kept.vocabulary.parts[kept.owners[3, y, x]]) in inside | {words.Spec("")}
        scene = Scene.random(scenes.FIRST_SEEDS["train"] + 3)
        for spec in inside:
            looks = {"color": scene.colors, "pattern": scene.patterns, "shape": scene.shapes, "": {spec.part: ""}}
            assert looks[spec.kind][spec.part] == spec.value


class Oracle:
    """A classifier whose first neurons are masks of the world, and whose last one is noise."""

    layer, num_classes, fingerprint = "features", 2, "oracle"

    def __init__(self, kept, seen):
        truth = words.Truth(kept, seen)
        rng = np.random.default_rng(0)
        cells = np.eye(256, dtype=np.float32)[kept.owners].reshape(len(kept), 16, 8, 16, 8, 256).mean((2, 4))
        maps = [
            rng.uniform(0.8, 1, (len(kept), 16, 16)) * cells[..., p] * truth.has_look[:, j, None, None]
            for j, p in enumerate(truth.part_of)
        ]
        self._maps = np.stack([*maps, *rng.random((6, *maps[0].shape))], 1).astype(np.float32)
        self.num_neurons, self._next = self._maps.shape[1], 0

    def read(self, images, target=None, versus=None):
        from nle_fast.classifiers.base import Reading

        rows = slice(self._next, self._next + len(images))
        self._next += len(images)
        n = len(images)
        ones = np.ones((n, self.num_neurons), np.float32)
        return Reading(np.zeros((n, 2), np.float32), self._maps[rows], ones, np.zeros(n, np.int64))


def test_dissection_finds_what_neurons_see_and_names_no_noise(drawn, monkeypatch):
    kept = scenes.SceneSet.open(drawn / "train-250")
    spec = words.Spec
    seen = (spec("tail"), spec("wing"), spec("breast", "color", "red"), spec("balloon", "pattern", "dots"))
    monkeypatch.setattr(dissect, "OnnxClassifier", lambda path: Oracle(kept, seen))
    table, report = dissect.dissect(Path("none.onnx"), kept)
    assert [one.name for one in table] == ["tail", "wing", "red breast", "dotted balloon", *[None] * 6]
    assert table.model == "oracle"
    assert report["named"] == 4
    assert all(0.3 < one.quality <= 1 for one in table if one.name)


def test_the_whole_way_in_a_tiny_setting(trained, drawn, tmp_path, monkeypatch):
    out, _ = trained
    # Twelve steps teach nothing; without bars each neuron has words, so that all is measured.
    monkeypatch.setattr(dissect, "MIN_IOU", -1.0)
    monkeypatch.setattr(dissect, "MIN_POINTING", -1.0)
    short = replace(train.TINY, steps=2, save_every=2, shortcut=True)
    train.train(short, tmp_path / "shortcut", drawn, out / "last.pt")
    for folder in (out, tmp_path / "shortcut"):
        table, report = dissect.dissect(folder / "model.onnx", scenes.SceneSet.open(drawn / "test-250"))
        table.save(folder / "concepts.json")
        (folder / "dissection.json").write_text(json.dumps(report))
        assert Concepts.load(folder / "concepts.json").model == OnnxClassifier(folder / "model.onnx").fingerprint
    arguments = ["--clean", str(out), "--shortcut", str(tmp_path / "shortcut")]
    test_set = ["--scenes", str(drawn / "test-250"), "--count", "12", "--out", str(tmp_path / "evaluation.json")]
    evaluate.main([*arguments, *test_set])
    found = json.loads((tmp_path / "evaluation.json").read_text())
    assert found["torch_and_onnx"]["largest_difference"]["score"] < 1e-3
    assert found["evidence"]["scenes"] == 12
    assert found["evidence"]["removals"] > 0
    card.main([*arguments, "--evaluation", str(tmp_path / "evaluation.json"), "--out", str(tmp_path / "card.md")])
    assert "$" not in (tmp_path / "card.md").read_text()
