"""Each bad input gives the documented error: its class, one line that names the argument, the value and a remedy.

What the command line can be given is also run through it: one line on stderr, status 1 or 2, no traceback.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from fakes import Colors, preprocess, scene, write_bundle_of, write_onnx
from PIL import Image
from typer.testing import CliRunner

import nle_fast as nle
from nle_fast.cli import app


def png_header(width, height):
    """A few bytes that claim to be a huge picture."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    write_bundle_of(folder / "bundle")
    write_onnx(folder / "net.onnx")
    write_onnx(folder / "odd.onnx", tail="Erf")
    Image.fromarray(scene()).save(folder / "good.png")
    (folder / "folder").mkdir()
    (folder / "text.png").write_text("no picture")
    (folder / "empty.png").write_bytes(b"")
    (folder / "cut.png").write_bytes((folder / "good.png").read_bytes()[:150])
    (folder / "bomb.png").write_bytes(png_header(60_000, 60_000))
    (folder / "text.onnx").write_text("no network")
    (folder / "empty.onnx").write_bytes(b"")
    (folder / "cut.onnx").write_bytes((folder / "net.onnx").read_bytes()[:-300])
    (folder / "weights.pth").write_bytes(b"PK\x03\x04 pickled")
    (folder / "two.txt").write_text("a\nb\n")
    (folder / "latin.txt").write_bytes(b"caf\xe9\nb\nc\n")
    (folder / "short.csv").write_text("layer,unit,description\nfeatures,0,red\n")
    (folder / "other.csv").write_text("layer,unit,description\nlayer9,5,red\n")
    (folder / "broken.csv").write_text("layer,unit,description\nfeatures,zero,red\n")
    (folder / "columns.csv").write_text("a,b\n1,2\n")
    (folder / "broken.json").write_text("{")
    (folder / "text.gguf").write_text("no model at all")
    (folder / "empty.gguf").write_bytes(b"")
    (folder / "cut.gguf").write_bytes(b"GGUF\x03\0\0\0" + b"\1" + b"\0" * 15)
    return folder


# Arguments of `nle-fast explain`, the error's class, and what its message must name.
COMMANDS = {
    "picture missing": (["nowhere.png"], nle.InputError, "nowhere.png"),
    "picture is a folder": (["folder"], nle.InputError, "folder"),
    "picture is text": (["text.png"], nle.InputError, "text.png"),
    "picture is empty": (["empty.png"], nle.InputError, "empty.png"),
    "picture is cut": (["cut.png"], nle.InputError, "cut.png"),
    "picture is a bomb": (["bomb.png"], nle.InputError, "pixels"),
    "model missing": (["good.png", "--model", "nowhere.onnx"], nle.ModelError, "nowhere.onnx"),
    "model is text": (["good.png", "--model", "text.onnx"], nle.ModelError, "text.onnx"),
    "model is empty": (["good.png", "--model", "empty.onnx"], nle.ModelError, "empty.onnx"),
    "model is cut": (["good.png", "--model", "cut.onnx"], nle.ModelError, "cut.onnx"),
    "model is pickled": (["good.png", "--model", "weights.pth"], nle.ModelError, "weights.pth"),
    "model is no bundle": (["good.png", "--model", "folder"], nle.ModelError, "bundle.json"),
    "model of another size": (["good.png", "--model", "net.onnx"], nle.ConfigError, "32"),
    "layer missing": (["good.png", "--layer", "featurez"], nle.LayerNotFoundError, "features"),
    "layer is not 4-D": (["good.png", "--layer", "flat"], nle.ModelError, "flat"),
    "labels too few": (["good.png", "--labels", "two.txt"], nle.InputError, "3 classes"),
    "labels missing": (["good.png", "--labels", "nowhere.txt"], nle.InputError, "nowhere.txt"),
    "labels not UTF-8": (["good.png", "--labels", "latin.txt"], nle.InputError, "UTF-8"),
    "concepts missing": (["good.png", "--concepts", "nowhere.csv"], nle.ConceptsError, "nowhere.csv"),
    "concepts too few": (["good.png", "--concepts", "short.csv"], nle.ConceptsError, "6 neurons"),
    "concepts of another layer": (["good.png", "--concepts", "other.csv"], nle.ConceptsError, "layer9"),
    "concepts without numbers": (["good.png", "--concepts", "broken.csv"], nle.ConceptsError, "zero"),
    "concepts with other columns": (["good.png", "--concepts", "columns.csv"], nle.ConceptsError, "columns"),
    "concepts not JSON": (["good.png", "--concepts", "broken.json"], nle.ConceptsError, "JSON"),
    "verbalizer missing": (["good.png", "--verbalizer", "nowhere.gguf"], nle.VerbalizerError, "nowhere.gguf"),
    "verbalizer is text": (["good.png", "--verbalizer", "text.gguf"], nle.VerbalizerError, "text.gguf"),
    "verbalizer is empty": (["good.png", "--verbalizer", "empty.gguf"], nle.VerbalizerError, "empty.gguf"),
    "verbalizer is cut": (["good.png", "--verbalizer", "cut.gguf"], nle.VerbalizerError, "cut.gguf"),
    "verbalizer unknown": (["good.png", "--verbalizer", "parrot"], nle.ConfigError, "parrot"),
    "target unknown": (["good.png", "--target", "lion"], nle.InputError, "lion"),
    "target out of range": (["good.png", "--target", "3"], nle.InputError, "3"),
    "versus is the target": (["good.png", "--target", "dog", "--versus", "dog"], nle.InputError, "versus"),
    "top_k is zero": (["good.png", "--top-k", "0"], nle.ConfigError, "top_k"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_from_the_command_line(here, monkeypatch, name):
    monkeypatch.chdir(here)
    arguments, kind, named = COMMANDS[name]
    arguments = ["explain", *arguments] + ([] if "--model" in arguments else ["--model", "bundle"])
    before = sorted(here.rglob("*"))
    done = CliRunner().invoke(app, arguments)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    assert "`" in lines[0]
    assert ";" in lines[0], "a remedy follows"
    assert named in lines[0]
    assert done.exit_code == (2 if kind is nle.ConfigError else 1)
    assert done.stdout == ""
    assert sorted(here.rglob("*")) == before, "nothing is left behind"
    debugged = CliRunner().invoke(app, ["--debug", *arguments])
    assert isinstance(debugged.exception, kind)
    assert "\n" not in str(debugged.exception)


def colors(**options):
    return nle.Explainer(Colors(), preprocess=preprocess(), verbalizer="template", **options)


class NanColors(Colors):
    def activations(self, images):
        return super().activations(images) * np.float32("nan")


class WrongShape(Colors):
    def logits(self, activations):
        return super().logits(activations)[:, :, None]


class WrongGradients(Colors):
    def gradients(self, activations, class_index, versus=None):
        return super().gradients(activations, class_index, versus)[:, :3]


class Failing(Colors):
    def activations(self, images):
        raise ZeroDivisionError("inside the user's code")


CALLS = {
    "floats as a picture": (lambda: colors()(np.zeros((8, 8, 3), np.float32)), nle.InputError),
    "five channels": (lambda: colors()(np.zeros((8, 8, 5), np.uint8)), nle.InputError),
    "an empty array": (lambda: colors()(np.zeros((0, 8, 3), np.uint8)), nle.InputError),
    "a number as a picture": (lambda: colors()(7), nle.InputError),
    "None as a picture": (lambda: colors()(None), nle.InputError),
    "bytes of nothing": (lambda: colors()(b""), nle.InputError),
    "a target between classes": (lambda: colors()(scene(), target=1.5), nle.InputError),
    "a negative target": (lambda: colors()(scene(), target=-1), nle.InputError),
    "too few targets": (lambda: colors().batch([scene(), scene()], targets=[0]), nle.InputError),
    "no such neuron": (lambda: colors().mask(scene(), [8]), nle.InputError),
    "a network of NaN": (lambda: nle.Explainer(NanColors(), preprocess=preprocess())(scene()), nle.ModelError),
    "logits of a wrong shape": (lambda: nle.Explainer(WrongShape(), preprocess=preprocess())(scene()), nle.ModelError),
    "gradients of a wrong shape": (
        lambda: nle.Explainer(WrongGradients(), preprocess=preprocess())(scene()),
        nle.ModelError,
    ),
    "a model of no kind": (lambda: nle.Explainer(object()), nle.ModelError),
    "a threshold of 1.5": (lambda: nle.Config(threshold=1.5), nle.ConfigError),
    "a threshold of NaN": (lambda: nle.Config(threshold=float("nan")), nle.ConfigError),
    "a deviation of zero": (lambda: nle.Preprocess(std=(1, 0, 1)), nle.ConfigError),
    "a crop larger than the picture": (lambda: nle.Preprocess(size=224, resize=200), nle.ConfigError),
    "a quality of infinity": (
        lambda: nle.Concepts.from_names(["a"], layer="x", quality=[float("inf")]),
        nle.ConceptsError,
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_from_python(name):
    call, kind = CALLS[name]
    with pytest.raises(kind) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    assert "`" in message
    assert "must" in message or "cannot" in message
    assert ";" in message, "a remedy follows"


def test_errors_inside_a_users_classifier_are_the_users():
    """A bug in code that the user wrote surfaces as it is, with its own traceback."""
    with pytest.raises((ZeroDivisionError, nle.BackendError)) as caught:
        nle.Explainer(Failing(), preprocess=preprocess())(scene())
    error = caught.value
    assert isinstance(error, ZeroDivisionError) or isinstance(error.__cause__, ZeroDivisionError)
