"""Features as a file, and explanations that name them: any broken file is our error, and bundles open as they say."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from fakes import Colors, preprocess, scene, write_bundle_of
from PIL import Image
from safetensors.numpy import save_file
from test_feature_classifier import features_of
from typer.testing import CliRunner

import nle_fast as nle
from nle_fast.bundle import read_bundle, write_bundle
from nle_fast.cli import app
from nle_fast.pack import pack_bundle

NAMES = ["red things", "blue things", "sky", "grass", None, "dots"]


def colors_features(**options):
    return features_of(Colors(), 6, 2, **options)


def explainer(**options):
    options = {"features": colors_features(), "preprocess": preprocess(), "verbalizer": "template"} | options
    return nle.Explainer(Colors(), labels=["cat", "dog", "bird"], **options)


def words(through, names=NAMES):
    return nle.Concepts.from_names(names, layer="colors", quality=[0.9] * 6).to_dict()


def test_a_file_holds_all(tmp_path):
    features = colors_features(record={"r2": 0.5, "steps": [1, 2]}, words=words(None))
    path = tmp_path / "a.safetensors"
    features.save(path)
    again = nle.Features.load(path)
    for name in ("decoder", "encoder", "bias", "mean"):
        np.testing.assert_array_equal(getattr(again, name), getattr(features, name))
        assert not getattr(again, name).flags.writeable
    assert (again.layer, again.active, again.fingerprint) == (features.layer, 2, None)
    assert (again.record, again.words, again.digest) == (features.record, features.words, features.digest)
    assert list(tmp_path.iterdir()) == [path]
    assert features.with_words(None).digest == features.digest


@pytest.mark.parametrize("length", [0, 4, 7, 8, 50, 300, 600])
def test_files_that_are_cut_off_are_refused(tmp_path, length):
    path = tmp_path / "a.safetensors"
    colors_features().save(path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(nle.FeaturesError, match=r"a\.safetensors"):
        nle.Features.load(path)


def test_files_that_are_something_else_are_refused(tmp_path):
    def refused(match, name="b.safetensors"):
        with pytest.raises(nle.FeaturesError, match=match):
            nle.Features.load(tmp_path / name)

    refused("no such file")
    refused("must end in", "b.onnx")
    path, one = tmp_path / "b.safetensors", np.eye(2, dtype=np.float32)
    path.write_bytes(b"\xff" * 100)
    refused("whole .safetensors")
    save_file({"decoder": one}, path)
    refused("must carry the schema")
    said = {"layer": "a", "active": 1, "model": None, "record": {}, "words": None}
    arrays = {"decoder": one, "encoder": one, "bias": np.zeros(2, np.float32), "mean": np.zeros(2, np.float32)}

    def write(arrays, **changed):
        about = {"schema": "nle-fast-features/1", "about": json.dumps(said | changed)}
        save_file(arrays, path, about)

    write(arrays)
    assert len(nle.Features.load(path)) == 2
    write({name: array for name, array in arrays.items() if name != "mean"})
    refused("whole .safetensors")
    write(arrays | {"mean": np.zeros(3, np.float32)})
    refused("`mean` must be finite")
    write(arrays | {"bias": np.array([np.nan, 0], np.float32)})
    refused("`bias` must be finite")
    write(arrays | {"decoder": 2 * one})
    refused("rows of length 1")
    for changed in ({"active": 0}, {"active": 3}, {"active": "many"}, {"layer": 7}, {"model": 7}):
        write(arrays, **changed)
        refused("must be")
    for changed in ({"record": []}, {"words": 3}):
        write(arrays, **changed)
        refused("must be an object")
    for bad in (3, None):
        with pytest.raises(nle.FeaturesError, match="`path`"):
            nle.Features.load(bad)
    with pytest.raises(nle.FeaturesError, match="must be JSON"):
        colors_features(record={"a": object()}).save(path)
    with pytest.raises(nle.FeaturesError, match="must be JSON"):
        colors_features(record={"a": float("nan")}).save(path)
    with pytest.raises(nle.FeaturesError, match="writable"):
        colors_features().save(tmp_path / "missing" / "a.safetensors")


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"decoder": [[1.0, 0.0], [1.0]]}, "`decoder` must be one array"),
        ({"mean": [[1.0], [1.0, 2.0]]}, "`mean` must be one array"),
        ({"encoder": np.full((6, 8), 1e300)}, "`encoder` must be finite"),
        ({"record": 5}, "`record` must be an object"),
        ({"words": "all"}, "`words` must be an object"),
    ],
)
def test_features_of_odd_values_are_refused(changed, match):
    with pytest.raises(nle.FeaturesError, match=match):
        replace(colors_features(), **changed)


def test_odd_names_and_texts_are_our_errors(tmp_path):
    for name in ("a\0.safetensors", "a" * 300 + ".safetensors"):
        with pytest.raises(nle.FeaturesError, match="must be an existing file"):
            nle.Features.load(tmp_path / name)
        with pytest.raises(nle.FeaturesError, match="must be writable"):
            colors_features().save(tmp_path / name)
    with pytest.raises(nle.FeaturesError, match="must be JSON"):
        colors_features(record={"half a pair": "\ud800"}).save(tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_classifier_read_through_features_is_treated_as_if_they_were_passed():
    through = nle.classifiers.FeatureClassifier(Colors(), colors_features())
    options = {"preprocess": preprocess(), "verbalizer": "template"}
    with pytest.raises(nle.ConfigError, match="features=False"):
        nle.Explainer(through, config=nle.Config(score="max"), **options)
    plain = nle.Explainer(through, features=False, config=nle.Config(score="max"), **options)(scene())
    assert {item.kind for item in plain.evidence} == {"neuron"}
    for bad in (None, "network", 5):
        with pytest.raises(nle.ModelError, match="`classifier` must have the members"):
            nle.classifiers.FeatureClassifier(bad, colors_features())


@pytest.mark.parametrize("channel", [0, 7])
def test_activations_that_are_not_finite_are_refused(channel):
    class Broken(Colors):
        def activations(self, images):
            maps = super().activations(images)
            maps[:, channel, 0, 0] = np.nan
            return maps

        def logits(self, activations):
            return super().logits(np.nan_to_num(activations))

    broken = nle.Explainer(Broken(), features=colors_features(), preprocess=preprocess(), verbalizer="template")
    for certify in (False, True):
        with pytest.raises(nle.InputError, match="must be finite"):
            broken(scene(), certify=certify)


def test_the_fingerprint_tells_whose_words_a_table_has(tmp_path):
    bundle = read_bundle(write_bundle_of(tmp_path / "plain"))
    classifier = nle.classifiers.open_classifier(str(bundle.model))
    features = features_of(classifier, 6)
    folder = write_bundle(tmp_path / "b", bundle.model, preprocess=bundle.preprocess, features=features)
    through = nle.classifiers.FeatureClassifier(classifier, features)
    names = nle.Concepts.from_names(list("abcdef"), layer=classifier.layer)
    for model, kind in ((through.fingerprint, "feature"), (classifier.fingerprint, "neuron"), (None, "neuron")):
        explainer = nle.Explainer.load(folder, verbalizer="template", concepts=replace(names, model=model))
        assert {item.kind for item in explainer(scene()).evidence} == {kind}


def test_explanations_name_features(tmp_path):
    path = tmp_path / "a.safetensors"
    colors_features(words=words(None)).save(path)
    through = explainer(features=path, config=nle.Config(against=True))
    explanation = through(scene(), certify=True)
    plain = explainer(features=False)(scene())
    assert explanation.prediction.logit == pytest.approx(plain.prediction.logit, abs=1e-5)
    assert {item.kind for item in explanation.evidence} == {"feature"}
    assert {item.kind for item in plain.evidence} == {"neuron"}
    assert plain.unexplained == 0
    assert explanation.unexplained != 0
    assert any(item.concept in NAMES for item in explanation.evidence)
    reading = nle.classifiers.read(through.classifier, through.preprocess([nle.load_picture(scene())]))
    score = (reading.activations * reading.gradients[:, :, None, None]).sum((2, 3))[0]
    unit = np.maximum(score[:6], 0).sum() + max(score[6:].sum(), 0)
    assert explanation.unexplained == pytest.approx(score[6:].sum() / unit, rel=1e-4)
    for item in explanation.evidence:
        assert item.share == pytest.approx(score[item.neuron] / unit, rel=1e-4)
        drop = explanation.prediction.logit - through.mask(scene(), [item.neuron], explanation.prediction.index).logit
        assert drop == pytest.approx(item.score, abs=1e-4)
    assert explanation.certificate.logit_drop == pytest.approx(explanation.certificate.claimed_drop, abs=1e-4)
    assert explanation.provenance["features"]["count"] == 6
    assert ">Feature</th>" in explanation._repr_html_()
    assert ">Neuron</th>" in plain._repr_html_()
    assert nle.Explanation.from_json(explanation.to_json()) == explanation
    assert explainer()(scene()).evidence[0].concept is None
    with pytest.raises(nle.InputError, match="from 0 to 5"):
        through.mask(scene(), [6])
    batch = through.batch([scene(), scene(1)])
    alone = [through(scene(seed)).unexplained for seed in (0, 1)]
    assert [one.unexplained for one in batch] == pytest.approx(alone)


def test_a_maximum_is_no_score_of_features():
    with pytest.raises(nle.ConfigError, match="features=False"):
        explainer(config=nle.Config(score="max"))
    assert explainer(features=False, config=nle.Config(score="max"))(scene()).evidence


def bundle_with_features(folder, **options):
    folder.parent.mkdir(exist_ok=True)
    plain = write_bundle_of(folder.parent / "plain", layer="features")
    classifier = nle.Explainer(plain, verbalizer="template").classifier
    features = features_of(classifier, 6, 2).with_words(nle.Concepts.from_names(NAMES, layer="features").to_dict())
    concepts = nle.Concepts.from_names([f"thing {n}" for n in range(6)], layer="features")
    bundle = read_bundle(plain)
    return write_bundle(
        folder,
        bundle.model,
        labels=bundle.labels,
        preprocess=bundle.preprocess,
        layer="features",
        concepts=concepts,
        features=features,
        **options,
    )


def told_model(folder):
    return read_bundle(folder).model


def test_bundles_open_as_they_say(tmp_path):
    folder = bundle_with_features(tmp_path / "with")
    told = nle.Explainer(folder, verbalizer="template")
    assert told.features is not None
    assert set(told.concepts.names) == set(NAMES)
    assert {item.kind for item in told(scene()).evidence} == {"feature"}
    neurons = nle.Explainer(folder, features=False, verbalizer="template")
    assert neurons.features is None
    assert neurons.concepts.names[0] == "thing 0"
    paper = nle.Explainer(folder, config=nle.Config(score="max"), verbalizer="template")
    explanation = paper(scene())
    assert paper.features is None
    assert "left aside" in explanation.provenance["features"]["note"]
    own = nle.Explainer(folder, concepts=neurons.concepts, verbalizer="template")
    assert own.features is None
    assert own(scene()).provenance["features"] == {"used": False, "note": own._note}
    lost = replace(told.features, record={"readings": {"better": "neurons"}})
    assert read_bundle(write_bundle(tmp_path / "lost", told_model(folder), features=lost)).reading == "neurons"
    again = pack_bundle(tmp_path / "again", folder)
    assert nle.Explainer(again, verbalizer="template").features.digest == told.features.digest
    other = bundle_with_features(tmp_path / "other" / "with", reading="neurons")
    assert nle.Explainer(other, verbalizer="template").features is None
    assert nle.Explainer(other, features=read_bundle(other).features, verbalizer="template").features is not None


def test_bundles_that_cannot_be_are_refused(tmp_path):
    folder = bundle_with_features(tmp_path / "with")
    document = json.loads((folder / "bundle.json").read_text())
    for changed in ({"reading": "minds"}, {"features": None}, {"features": "gone.safetensors"}):
        (folder / "bundle.json").write_text(json.dumps(document | changed))
        with pytest.raises(nle.ModelError, match="`bundle`"):
            read_bundle(folder)
    (folder / "bundle.json").write_text(json.dumps(document))
    (folder / "features.safetensors").write_bytes(b"no")
    with pytest.raises(nle.FeaturesError):
        nle.Explainer(folder)
    with pytest.raises(nle.ConfigError, match="`reading`"):
        write_bundle_of(tmp_path / "no", reading="features")


def test_the_command_line_takes_them(tmp_path):
    folder, picture = bundle_with_features(tmp_path / "with"), tmp_path / "scene.png"
    Image.fromarray(scene()).save(picture)

    def run(*options):
        given = ["explain", str(picture), "--json", "--verbalizer", "template", "--model", *options]
        return CliRunner().invoke(app, given)

    told = json.loads(run(str(folder)).stdout)
    assert told["provenance"]["features"]["used"]
    assert any(item["concept"] in NAMES for item in told["evidence"] if item["concept"])
    plain = json.loads(run(str(folder), "--neurons").stdout)
    assert "features" not in plain["provenance"]
    again = run(str(folder / "model.onnx"), "--features", str(folder / "features.safetensors"), "--layer", "features")
    assert again.exit_code == 1  # the network wants pictures of another size
    both = run(str(folder), "--neurons", "--features", str(folder / "features.safetensors"))
    assert both.exit_code == 2
    assert "--neurons" in both.stderr
