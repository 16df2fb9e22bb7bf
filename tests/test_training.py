"""The training of the embedded network, end to end in a tiny setting, and the parts that measure it."""

from __future__ import annotations

import itertools
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from nle_fast import Concepts, OnnxClassifier  # noqa: E402
from nle_fast.dissect import MaskFolder  # noqa: E402
from nle_fast.world import LABELS, Scene  # noqa: E402
from training.classifier import batches, card, dissect, evaluate, inputs, masks, network, scenes, train, words  # noqa: E402

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


def test_words_mean_what_a_scene_shows():
    specs = words.specs_of_world()
    for n in range(40):
        scene = Scene.random(n)
        looks = {"color": scene.colors, "pattern": scene.patterns, "shape": scene.shapes}
        for part in scene.parts:
            first, *dressed = words.specs_in(scene, part)
            assert first == (part, "", "")
            for spec in dressed:
                assert looks[spec.kind][part] == spec.value
                assert specs[spec.words] == spec


def test_masks_say_what_scenes_show(tmp_path):
    drawn = [Scene.random(seed) for seed in range(12)]
    folder = MaskFolder(masks.write_masks(tmp_path / "masks", drawn))
    index = json.loads((tmp_path / "masks" / "index.json").read_text())
    names = {one["id"]: one["name"] for one in index["concepts"]}
    meant = {one["id"]: {names[also] for also in one.get("also", ())} for one in index["concepts"]}
    assert len(folder.probes) == len(drawn)
    for n, scene in enumerate(drawn):
        ids = np.asarray(Image.open(tmp_path / "masks" / "masks" / f"{n:05}.png"))
        for part, inside in scene.parts.items():
            found = {int(number) for number in ids[inside]}
            assert [meant[number] for number in found] == [{spec.words for spec in words.specs_in(scene, part)}]


def test_a_name_is_withheld_where_its_neuron_points_elsewhere():
    cases = {0: [True] * 8, 1: [True, False] * 4, 2: [False] * 7, 3: [True] * 8 + [False] * 2}
    assert dissect.withheld(cases) == {1: 0.5}


def test_the_whole_way_in_a_tiny_setting(trained, drawn, tmp_path):
    out, _ = trained
    short = replace(train.TINY, steps=2, save_every=2, shortcut=True)
    train.train(short, tmp_path / "shortcut", drawn, out / "last.pt")
    for folder in (out, tmp_path / "shortcut"):
        dissect.main(["--model", str(folder / "model.onnx"), "--out", str(folder), "--count", "60"])
        assert not (folder / "dissect").exists()
        # Twelve steps teach nothing; each neuron gets words, so that all is measured.
        table = Concepts.load(folder / "concepts.json")
        names = ("sun", "red breast", "forked tail", "dotted wing", "beak")
        given = tuple(names[neuron % len(names)] for neuron in range(len(table)))
        Concepts(given, (1.0,) * len(given), table.layer, table.model).save(folder / "concepts.json")
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
