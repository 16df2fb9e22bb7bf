from __future__ import annotations

import importlib
import json
import pickle

import numpy as np
import pytest
import safetensors.torch
import torch
from fakes import scene, write_bundle_of, write_onnx
from known_packages import packages  # noqa: F401 - a fixture
from typer.testing import CliRunner

import nle_fast as nle
from nle_fast.bundle import read_bundle
from nle_fast.cli import app
from nle_fast.pack import pack_bundle

TABLE = "layer,unit,description\n" + "".join(f"layer4,{unit},thing {unit}\n" for unit in range(6))


@pytest.fixture
def here(tmp_path):
    write_onnx(tmp_path / "net.onnx")
    (tmp_path / "labels.txt").write_text("cat\ndog\nbird\n")
    (tmp_path / "table.csv").write_text(TABLE)
    return tmp_path


def small_network():
    torch.manual_seed(0)
    trunk = [torch.nn.Conv2d(3, 6, 3, 2), torch.nn.BatchNorm2d(6), torch.nn.ReLU()]
    return torch.nn.Sequential(*trunk, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(6, 3))


def state(seed: int = 0):
    torch.manual_seed(seed)
    network = small_network()
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape) + 0.1)
    return network.eval(), network.state_dict()


def run(*arguments):
    return CliRunner().invoke(app, ["bundle", *map(str, arguments)])


def test_an_onnx_file_with_all_that_belongs_to_it(here):
    done = run(
        "--out", here / "b", "--model", here / "net.onnx", "--labels", here / "labels.txt", "--name", "Small",
        "--concepts", here / "table.csv", "--concepts-layer", "layer4",
        "--preprocess", '{"size": 32, "resize": 40, "mean": [0.5, 0.5, 0.5]}',
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert done.stdout.strip() == str(here / "b")
    bundle = read_bundle(here / "b")
    assert (bundle.name, bundle.layer) == ("Small", "features"), "the layer is written by name"
    assert bundle.preprocess == nle.Preprocess(size=32, resize=40, mean=(0.5, 0.5, 0.5))
    assert bundle.concepts.names[5] == "thing 5"
    explanation = nle.Explainer.load(here / "b", verbalizer="template")(scene())
    assert explanation.prediction.label in ("cat", "dog", "bird")


def test_a_bundle_gets_new_concepts(here):
    write_bundle_of(here / "old")
    classifier = nle.Explainer.load(here / "old", verbalizer="template").classifier
    concepts = nle.Concepts.from_names(["red"] * 6, layer="features").at_layer("features", model=classifier.fingerprint)
    concepts.save(here / "concepts.json")
    assert run("--out", here / "new", "--model", here / "old", "--concepts", here / "concepts.json").exit_code == 0
    old, new = read_bundle(here / "old"), read_bundle(here / "new")
    assert (new.name, new.preprocess, new.labels.read_text()) == (old.name, old.preprocess, old.labels.read_text())
    assert new.concepts == concepts


def test_a_torch_module_is_exported_and_left_as_it_was(here):
    network, _ = state()
    network.train()
    network[1].eval()
    folder = pack_bundle(here / "b", network, preprocess=nle.Preprocess(size=32))
    assert [part.training for part in network] == [True, False, True, True, True, True]
    bundle = read_bundle(folder)
    assert bundle.name == "Sequential"
    pictures = np.random.default_rng(0).normal(size=(3, 3, 32, 32)).astype(np.float32)
    classifier = nle.Explainer.load(folder, verbalizer="template").classifier
    logits = classifier.logits(classifier.activations(pictures))
    with torch.no_grad():
        assert np.allclose(logits, network.eval()(torch.from_numpy(pictures)), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("torchvision:net", "safetensors"),
        ("torchvision:net.V1", "pth"),
        ("timm:net.tag", "safetensors"),
        ("timm:net.tag", "wrapped.pth"),
    ],
)
def test_a_known_network_with_a_saved_state(here, packages, name, suffix):  # noqa: F811
    network, values = state(3)
    path = here / f"state.{suffix}"
    if suffix == "safetensors":
        safetensors.torch.save_file(values, path)
    else:
        torch.save({"state_dict": {f"module.{key}": v for key, v in values.items()}} if "w" in suffix else values, path)
    done = run("--out", here / "b", "--from", name, "--weights", path)
    assert done.exit_code == 0, done.stderr
    bundle = read_bundle(here / "b")
    resize = {"torchvision:net": 40, "torchvision:net.V1": 36, "timm:net.tag": 35}[name]
    assert bundle.preprocess == nle.Preprocess(
        size=32, resize=resize, interpolation="bicubic", mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.2)
    )
    assert bundle.labels.read_text().splitlines()[0] == "cat"
    assert bundle.layer
    assert bundle.name == name.partition(":")[2].removesuffix(".V1")
    classifier = nle.Explainer.load(here / "b", verbalizer="template").classifier
    pictures = np.ones((1, 3, 32, 32), np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(pictures))
    assert np.allclose(classifier.logits(classifier.activations(pictures)), expected, atol=1e-5)


def test_networks_that_normalise_inside_are_made_as_they_were_trained(packages):  # noqa: F811
    from nle_fast.classifiers.torch import known

    models = importlib.import_module("torchvision.models")
    models.list_models = lambda module: ["inception_v3", "googlenet"]
    for name in ("inception_v3", "googlenet"):
        known._from_torchvision(None, name, pretrained=False)
    assert [options for _, _, options in models.ASKED] == [{"transform_input": True}] * 2


BAD = {
    "nothing": ([], 2, "`model` or `from`"),
    "both": (["--model", "net.onnx", "--from", "timm:net"], 2, "only one"),
    "weights alone": (["--model", "net.onnx", "--weights", "net.onnx"], 2, "`weights`"),
    "another package": (["--from", "hub:net"], 2, "hub:net"),
    "no name": (["--from", "timm:"], 2, "timm:NAME"),
    "no such network": (["--from", "torchvision:nett"], 1, "did you mean net"),
    "no such weights": (["--from", "torchvision:net.V9"], 1, "V1"),
    "no such timm network": (["--from", "timm:nett"], 1, "did you mean net"),
    "weights that cannot be fetched": (["--from", "torchvision:net"], 1, "no network to fetch"),
    "weights missing": (["--from", "timm:net", "--weights", "nowhere.pth"], 1, "nowhere.pth"),
    "weights that run code": (["--from", "timm:net", "--weights", "evil.pth"], 1, "evil.pth"),
    "weights of another network": (["--from", "timm:net", "--weights", "other.pth"], 1, "other.pth"),
    "weights that are a list": (["--from", "timm:net", "--weights", "list.pth"], 1, "state dict"),
    "weights cut": (["--from", "timm:net", "--weights", "cut.safetensors"], 1, "cut.safetensors"),
    "model missing": (["--model", "nowhere.onnx"], 1, "nowhere.onnx"),
    "model pickled": (["--model", "evil.pth"], 1, "code"),
    "model of another size": (["--model", "net.onnx"], 2, "32"),
    "no such layer": (["--model", "net.onnx", "--layer", "featurez", *("--preprocess", '{"size": 32}')], 1, "features"),
    "too few labels": (
        ["--model", "net.onnx", "--labels", "two.txt", *("--preprocess", '{"size": 32}')],
        1,
        "3 classes",
    ),
    "concepts of another layer": (
        ["--model", "net.onnx", "--concepts", "table.csv", *("--preprocess", '{"size": 32}')],
        1,
        "layer4",
    ),
    "preprocess no JSON": (["--model", "net.onnx", "--preprocess", "{size: 32}"], 2, "JSON"),
    "preprocess a list": (["--model", "net.onnx", "--preprocess", "list.json"], 2, "JSON object"),
    "preprocess missing": (["--model", "net.onnx", "--preprocess", "nowhere.json"], 2, "nowhere.json"),
    "preprocess unknown": (["--model", "net.onnx", "--preprocess", '{"side": 32}'], 2, "side"),
}


class Evil:
    def __reduce__(self):
        return (open, ("evil.ran", "w"))


@pytest.mark.parametrize("name", BAD)
def test_bad_use_leaves_nothing(here, packages, monkeypatch, name):  # noqa: F811
    monkeypatch.chdir(here)
    torch.save({"weight": torch.ones(2)}, "other.pth")
    torch.save([1, 2], "list.pth")
    torch.save(Evil(), "evil.pth")
    safetensors.torch.save_file(state()[1], "cut.safetensors")
    (here / "cut.safetensors").write_bytes((here / "cut.safetensors").read_bytes()[:-20])
    (here / "two.txt").write_text("a\nb\n")
    (here / "list.json").write_text("[1]")
    arguments, status, named = BAD[name]
    before = sorted(path for path in here.iterdir() if path.name != "site")
    done = run("--out", "b", *arguments)
    assert done.exit_code == status, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: `")
    assert named in line
    assert sorted(path for path in here.iterdir() if path.name != "site") == before


def test_the_evil_file_would_run(tmp_path, monkeypatch):
    """The test above proves something: whoever unpickles such a file runs it."""
    monkeypatch.chdir(tmp_path)
    assert pickle.loads(pickle.dumps(Evil())).name == "evil.ran"


def test_a_package_that_is_not_there(here, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "timm", None)
    done = run("--out", here / "b", "--from", "timm:net")
    assert done.exit_code == 1
    assert "pip install timm" in done.stderr


def test_an_existing_folder_is_kept(here):
    (here / "b").mkdir()
    done = run("--out", here / "b", "--model", here / "net.onnx", "--preprocess", json.dumps({"size": 32}))
    assert done.exit_code == 1
    assert not list((here / "b").iterdir())


def test_a_module_that_cannot_be_exported_is_told_in_one_line(here):
    class Moody(torch.nn.Module):
        def forward(self, x):
            raise ValueError("not\ntoday")

    with pytest.raises(nle.BackendError, match="not today"):
        pack_bundle(here / "b", Moody(), preprocess=nle.Preprocess(size=32))
    assert not (here / "b").exists()
