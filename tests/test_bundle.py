from __future__ import annotations

import json

import pytest

import nle_fast as nle
from nle_fast.bundle import BUNDLE_SCHEMA, DEFAULT_BUNDLE, read_bundle, write_bundle
from nle_fast.concepts import Concepts
from nle_fast.errors import ModelError
from nle_fast.preprocess import Preprocess


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"network")
    (tmp_path / "model.onnx.data").write_bytes(b"weights")
    return path


def test_round_trip(tmp_path, model):
    concepts = Concepts.from_names(["a", None], layer="x")
    folder = write_bundle(
        tmp_path / "b" / "bundle",
        model,
        labels=["cat", "dog"],
        preprocess=Preprocess(size=32, resize=32),
        concepts=concepts,
        layer="x",
        name="Net",
    )
    bundle = read_bundle(folder)
    assert bundle.model.read_bytes() == b"network"
    assert (folder / "model.onnx.data").read_bytes() == b"weights"
    assert bundle.labels.read_text() == "cat\ndog\n"
    assert (bundle.preprocess, bundle.concepts) == (Preprocess(size=32, resize=32), concepts)
    assert (bundle.layer, bundle.name) == ("x", "Net")


def test_a_failure_leaves_nothing(tmp_path, model):
    with pytest.raises(ModelError):
        write_bundle(tmp_path / "bundle", model, labels=tmp_path / "missing.txt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx", "model.onnx.data"]


def test_refuses_an_existing_folder_and_a_missing_model(tmp_path, model):
    with pytest.raises(ModelError, match="`folder`"):
        write_bundle(tmp_path, model)
    with pytest.raises(ModelError, match="`model`"):
        write_bundle(tmp_path / "new", tmp_path / "missing.onnx")


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "nle-fast-bundle/9"},
        {"model": None},
        {"model": "missing.onnx"},
        {"model": "../model.onnx"},
        {"model": "/etc/passwd"},
        {"labels": 3},
        {"preprocess": [1]},
    ],
)
def test_bad_manifests(tmp_path, model, change):
    folder = write_bundle(tmp_path / "bundle", model)
    manifest = folder / "bundle.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | change))
    with pytest.raises(ModelError, match="`bundle` must"):
        read_bundle(folder)


@pytest.mark.parametrize("folder", [None, 0, b"bundle"])
def test_what_is_no_path_is_no_bundle(folder):
    with pytest.raises(nle.ModelError, match="`bundle` must be a folder's path"):
        nle.Explainer.load(folder)


def test_a_module_is_no_file_to_be_copied(tmp_path, model):
    with pytest.raises(ModelError, match="`model` must be a path, got object; pack_bundle exports modules"):
        write_bundle(tmp_path / "b", object())
    with pytest.raises(ModelError, match="`folder` must be a path"):
        write_bundle(None, model)


def test_a_layer_without_a_name_is_not_the_default_one():
    with pytest.raises(nle.LayerNotFoundError, match="`layer` must"):
        nle.Explainer.default(layer="", verbalizer="template")


def test_the_embedded_bundle_and_new_ones_are_of_the_current_version_and_the_one_before_is_read(tmp_path, model):
    folder = write_bundle(tmp_path / "bundle", model, name="Net")
    for manifest in (DEFAULT_BUNDLE / "bundle.json", folder / "bundle.json"):
        assert json.loads(manifest.read_text())["schema"] == BUNDLE_SCHEMA == "nle-fast-bundle/2"
    now = read_bundle(folder)
    manifest = folder / "bundle.json"
    manifest.write_text(manifest.read_text().replace(BUNDLE_SCHEMA, "nle-fast-bundle/1"))
    assert read_bundle(folder) == now


@pytest.mark.parametrize(
    ("version", "remedy"),
    [("nle-fast-bundle/3", "open it with a newer nle_fast"), ("bundle", "write_bundle"), (None, "write_bundle")],
)
def test_a_later_version_is_named_with_what_to_do(tmp_path, model, version, remedy):
    folder = write_bundle(tmp_path / "bundle", model)
    manifest = folder / "bundle.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"schema": version}))
    with pytest.raises(ModelError, match=rf"got {version!r} in '.*bundle\.json'; .*{remedy}"):
        read_bundle(folder)


def test_no_manifest(tmp_path):
    with pytest.raises(ModelError, match=r"bundle\.json"):
        read_bundle(tmp_path)
    (tmp_path / "bundle.json").write_text("{")
    with pytest.raises(ModelError, match="readable"):
        read_bundle(tmp_path)
