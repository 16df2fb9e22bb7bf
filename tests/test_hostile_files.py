"""Files from strangers: each is refused with one of the engine's errors, quickly, and reaches nothing outside."""

from __future__ import annotations

import io
import json

import numpy as np
import onnx
import pytest
from fakes import scene, write_bundle_of, write_onnx
from onnx import TensorProto, helper
from PIL import Image

import nle_fast as nle


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_a_truncated_file_that_pillow_opened_is_an_input_error(kind):
    data = encoded(Image.fromarray(scene()), kind)
    with pytest.raises(nle.InputError, match="PIL image"):
        nle.load_picture(Image.open(io.BytesIO(data[: len(data) * 2 // 3])))


def test_a_closed_file_is_an_input_error(tmp_path):
    Image.fromarray(scene()).save(tmp_path / "p.png")
    image = Image.open(tmp_path / "p.png")
    image.close()
    with pytest.raises(nle.InputError, match="PIL image"):
        nle.load_picture(image)


def test_postscript_is_not_run(monkeypatch):
    from PIL import EpsImagePlugin

    def run(*args, **options):
        pytest.fail("Ghostscript was called")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", run)
    data = encoded(Image.fromarray(scene()), "EPS")
    for picture in (data, Image.open(io.BytesIO(data))):
        with pytest.raises(nle.InputError, match="EPS"):
            nle.load_picture(picture)


def test_gray_with_premultiplied_alpha():
    assert nle.load_picture(Image.new("La", (4, 3), (0, 0))).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("name", ["x" * 5000, "nul\0.png"])
def test_a_name_that_no_file_system_takes_is_no_picture(name):
    with pytest.raises(nle.InputError, match="no such file"):
        nle.load_picture(name)


@pytest.mark.parametrize("options", [{"size": 10**9}, {"size": 32, "resize": 10**400}])
def test_preprocessing_to_gigabytes_is_refused(options):
    with pytest.raises(nle.ConfigError, match="at most"):
        nle.Preprocess.from_dict(options)


@pytest.mark.parametrize(
    "change",
    [
        {"model": "nul\0"},
        {"model": "x" * 5000},
        {"model": "../bundle.onnx"},
        {"model": "/etc/passwd"},
        {"labels": "circle"},
        {"layer": 5},
        {"layer": ["features"]},
        {"preprocess": {"size": 10**9}},
    ],
)
def test_a_hostile_manifest_is_refused(tmp_path, change):
    folder = write_bundle_of(tmp_path / "bundle")
    (folder / "circle").symlink_to("circle")
    manifest = json.loads((folder / "bundle.json").read_text()) | change
    (folder / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises((nle.ModelError, nle.ConfigError)):
        nle.Explainer.load(folder)


def test_deep_nesting_is_refused(tmp_path):
    folder = write_bundle_of(tmp_path / "bundle")
    for text in ("[" * 100_000, '{"a":' * 100_000):
        (folder / "bundle.json").write_text(text)
        with pytest.raises(nle.ModelError, match="readable"):
            nle.Explainer.load(folder)
        (tmp_path / "c.json").write_text(text)
        with pytest.raises(nle.ConceptsError, match="JSON"):
            nle.Concepts.load(tmp_path / "c.json")


def test_a_header_without_end_is_refused(tmp_path):
    (tmp_path / "c.csv").write_text("a" * 200_000)
    with pytest.raises(nle.ConceptsError, match="CSV"):
        nle.Concepts.load(tmp_path / "c.csv")


@pytest.mark.parametrize("shape", [(1, 3, 20_000, 20_000), (100_000, 3, 64, 64), (1, 3, 2**31, 2**31)])
def test_an_enormous_input_is_refused_before_it_is_made(tmp_path, shape):
    model = onnx.load(write_onnx(tmp_path / "net.onnx"))
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("images", TensorProto.FLOAT, shape))
    onnx.save(model, tmp_path / "net.onnx")
    with pytest.raises(nle.ModelError, match="smaller"):
        nle.OnnxClassifier(tmp_path / "net.onnx")


def test_impossible_shapes_of_weights_are_refused(tmp_path):
    model = onnx.load(write_onnx(tmp_path / "net.onnx"))
    model.graph.initializer[0].dims[0] = -6
    onnx.save(model, tmp_path / "net.onnx")
    with pytest.raises(nle.ModelError, match="shapes"):
        nle.OnnxClassifier(tmp_path / "net.onnx")


@pytest.mark.parametrize("place", ["../secret.bin", "/etc/passwd", "link.bin"])
def test_weights_outside_the_folder_are_not_read(tmp_path, place):
    (tmp_path / "secret.bin").write_bytes(np.zeros(6 * 27, np.float32).tobytes())
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link.bin").symlink_to("../secret.bin")
    model = onnx.load(write_onnx(folder / "net.onnx"))
    kernel = model.graph.initializer[0]
    kernel.ClearField("raw_data")
    kernel.data_location = TensorProto.EXTERNAL
    kernel.external_data.add(key="location", value=place)
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(nle.ModelError, match="external data"):
        nle.OnnxClassifier(folder / "net.onnx")


def test_a_network_that_fails_is_told_in_one_place(tmp_path, capfd):
    model = onnx.load(write_onnx(tmp_path / "net.onnx"))
    flat = next(node for node in model.graph.node if node.op_type == "Flatten")
    flat.op_type = "Reshape"
    flat.input.append("seven")
    model.graph.initializer.append(helper.make_tensor("seven", TensorProto.INT64, [2], [7, 7]))
    onnx.save(model, tmp_path / "net.onnx")
    with pytest.raises(nle.ModelError):
        nle.OnnxClassifier(tmp_path / "net.onnx")
    assert capfd.readouterr().err == "", "ONNX Runtime writes nothing itself"
