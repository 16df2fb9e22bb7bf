"""ONNX files of many kinds, and those that must be refused with a clear error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from classifier_contract import check_classifier, scores
from networks import pictures
from onnx import helper
from onnx_cases import CHANNELS, CLASSES, SIZE, Builder, class_maps, network, random, save
from onnx_exports import BY_NAME, close, exported, plain, reference, tensor_of

from nle_fast.classifiers.onnx.model import OnnxClassifier
from nle_fast.errors import InputError, LayerNotFoundError, ModelError, NleWarning

# ---- kinds of files


@pytest.mark.parametrize("name", ["resnet", "mobilenet_v3", "alexnet"])
def test_float16(name: str, tmp_path: Path) -> None:
    case, source = BY_NAME[name], exported(name)
    proto = onnx.load(str(source))
    for tensor in proto.graph.initializer:
        half(tensor)
    for node in proto.graph.node:
        for attribute in node.attribute:
            if attribute.name == "value":
                half(attribute.t)
    del proto.graph.value_info[:]
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    path = tmp_path / "half.onnx"
    onnx.save(proto, str(path))
    classifier, exact = OnnxClassifier(path), OnnxClassifier(source)
    x = pictures(case).numpy()
    reading, wanted = classifier.read(x), exact.read(x)
    assert {array.dtype for array in reading[:3]} == {np.dtype(np.float32)}
    assert classifier.closed_form == exact.closed_form
    close(reading.logits, wanted.logits, 2e-2)
    close(scores(reading), scores(exact.read(x, reading.class_index)), 5e-2)
    check_classifier(classifier, x, rtol=2e-2)


def half(tensor: onnx.TensorProto) -> None:
    if tensor.data_type == onnx.TensorProto.FLOAT:
        array = onnx.numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))


def test_external_data(tmp_path: Path) -> None:
    case = BY_NAME["resnet"]
    inside = exported("resnet")
    outside = tmp_path / "model.onnx"
    onnx.save(
        onnx.load(str(inside)), str(outside), save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    x = pictures(case).numpy()
    classifier = OnnxClassifier(outside)
    close(classifier.read(x).logits, OnnxClassifier(inside).read(x).logits, 1e-6)
    first = classifier.fingerprint
    data = tmp_path / "weights.bin"
    content = bytearray(data.read_bytes())
    content[1000] ^= 1
    data.write_bytes(bytes(content))
    assert OnnxClassifier(outside).fingerprint != first
    data.write_bytes(bytes(content[:100]))
    with pytest.raises(ModelError, match=r"model\.onnx"):
        OnnxClassifier(outside)
    data.unlink()
    with pytest.raises(ModelError, match="external data"):
        OnnxClassifier(outside)


def test_fingerprint_follows_weights_and_layer(tmp_path: Path) -> None:
    path = exported("resnet")
    classifier = OnnxClassifier(path)
    assert classifier.fingerprint == OnnxClassifier(path).fingerprint
    assert len(bytes.fromhex(classifier.fingerprint)) == 16
    inner = tensor_of(path, BY_NAME["resnet"], "layer2")
    assert OnnxClassifier(path, inner).fingerprint != classifier.fingerprint
    proto = onnx.load(str(path))
    weights = proto.graph.initializer[0]
    changed = onnx.numpy_helper.to_array(weights) * np.float32(1.01)
    weights.CopyFrom(onnx.numpy_helper.from_array(changed, weights.name))
    onnx.save(proto, str(tmp_path / "changed.onnx"))
    assert OnnxClassifier(tmp_path / "changed.onnx").fingerprint != classifier.fingerprint


def test_opset_before_nine_is_converted_and_said_so(tmp_path: Path) -> None:
    path = network(tmp_path / "model.onnx", lambda g, a: g("Relu", a), CHANNELS * 56, 9)
    proto = onnx.load(str(path))
    proto.opset_import[0].version = 8
    gemm = proto.graph.node[-1]
    assert gemm.op_type == "Gemm"
    onnx.save(proto, str(path))
    with pytest.warns(NleWarning, match="from opset 8 to 16"):
        classifier = OnnxClassifier(path, "a")
    close(classifier.read(random(2, 3, *SIZE)).logits, reference(path, random(2, 3, *SIZE)))


def test_weights_listed_as_inputs(tmp_path: Path) -> None:
    path = network(tmp_path / "model.onnx", plain, CHANNELS * 56, 9)
    proto = onnx.load(str(path))
    for tensor in proto.graph.initializer:
        proto.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    onnx.save(proto, str(path))
    check_classifier(OnnxClassifier(path, "a"), random(2, 3, *SIZE))


def test_softmax_is_stepped_over_and_probabilities_beside_logits_do_no_harm(tmp_path: Path) -> None:
    for extra in ("Softmax", "LogSoftmax"):
        g = Builder()
        g("Conv", "picture", g.const(random(CHANNELS, 3, 3, 3)), name="a")
        pooled = g("Flatten", g("GlobalAveragePool", g("Relu", "a", name="b")))
        g("Gemm", pooled, g.const(random(CHANNELS, CLASSES)), name="logits")
        g("Identity", g(extra, "logits", axis=1), name="p")
        x = random(2, 3, *SIZE)
        wanted = reference(save(g, tmp_path / "l.onnx"), x)
        for outputs in (["p"], ["p", "logits"]):
            path = save(g, tmp_path / "p.onnx", outputs={name: ["n", CLASSES] for name in outputs})
            classifier = OnnxClassifier(path)
            assert classifier.closed_form
            close(classifier.read(x).logits, wanted, 1e-6)


def test_class_maps_are_not_the_default_but_may_be_named(tmp_path: Path) -> None:
    g = Builder()
    g("Conv", "picture", g.const(random(CHANNELS, 3, 3, 3)), name="a")
    maps = class_maps(g, "a")
    g("Flatten", g("GlobalAveragePool", maps), name="logits")
    path = save(g, tmp_path / "model.onnx")
    assert OnnxClassifier(path).layer == "a"
    own = OnnxClassifier(path, maps)
    assert own.num_neurons == own.num_classes == CLASSES
    check_classifier(own, random(2, 3, *SIZE))


# ---- refusals


def test_layer_errors() -> None:
    path = exported("resnet")
    last = OnnxClassifier(path).layer
    with pytest.raises(LayerNotFoundError, match="nearest names are") as caught:
        OnnxClassifier(path, last[:-1] + "x")
    assert repr(last) in str(caught.value)
    for name in ("fc.weight", "picture", ""):
        with pytest.raises(LayerNotFoundError, match="nearest names are '"):
            OnnxClassifier(path, name)
    with pytest.raises(ModelError, match=r"must be an activation \(N, C, H, W\).*nearest such layers are '"):
        OnnxClassifier(path, "logits")


@pytest.mark.parametrize(
    "content", [b"", b"not a network", b"\x08\x07", b"\x80" * 400], ids=["empty", "text", "header", "noise"]
)
def test_files_that_are_no_network(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"`model` must be an ONNX .*broken\.onnx.*; .*again"):
        OnnxClassifier(path)


def test_truncated_file(tmp_path: Path) -> None:
    content = exported("resnet").read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        path = tmp_path / "cut.onnx"
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(ModelError, match=r"cut\.onnx") as caught:
            OnnxClassifier(path)
        assert caught.value.__cause__ is not None


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no file"):
        OnnxClassifier(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="a folder"):
        OnnxClassifier(tmp_path)


def change(path: Path, edit: Any) -> Path:
    proto = onnx.load(str(path))
    edit(proto)
    onnx.save(proto, str(path))
    return path


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda m: setattr(m, "ir_version", 99), "IR version"),
        (lambda m: setattr(m.opset_import[0], "version", 99), "ONNX Runtime|opset"),
        (lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", 2), "float32 or float16"),
        (lambda m: m.graph.input[0].type.tensor_type.shape.dim.pop(), "float32 or float16"),
        (lambda m: m.graph.input.append(helper.make_tensor_value_info("age", 1, [1])), "one input.*picture, age"),
        (lambda m: m.graph.output.append(helper.make_tensor_value_info("a_flat", 1, ["n", 9])), "exactly one output"),
        (lambda m: m.graph.node[1].input.__setitem__(0, "nowhere"), "nothing computes.*nowhere"),
        (lambda m: setattr(m.graph.node[1], "op_type", "Relux"), "ONNX Runtime .* cannot open"),
        (lambda m: m.graph.input[0].type.tensor_type.shape.dim[2].__setattr__("dim_value", 9), "ONNX Runtime"),
    ],
    ids=["ir", "opset", "uint8", "3-D", "inputs", "outputs", "wires", "operator", "size"],
)
def test_networks_that_cannot_be_explained(edit: Any, message: str, tmp_path: Path) -> None:
    def body(g: Builder, a: str) -> str:
        g("Flatten", a, name="a_flat")
        return plain(g, a)

    path = change(network(tmp_path / "odd.onnx", body, CHANNELS * 56), edit)
    with pytest.raises(ModelError, match=rf"(?=.*odd\.onnx).*({message}).*; ") as caught:
        OnnxClassifier(path)
    assert "\n" not in str(caught.value)


def test_network_without_spatial_activations(tmp_path: Path) -> None:
    g = Builder()
    g("Gemm", g("Flatten", "picture"), g.const(random(168, CLASSES)), name="logits")
    with pytest.raises(ModelError, match="no 4-D activation"):
        OnnxClassifier(save(g, tmp_path / "model.onnx"))


def test_arrays_that_do_not_fit() -> None:
    classifier = OnnxClassifier(exported("resnet"))
    x = pictures(BY_NAME["resnet"]).numpy()
    for call in (classifier.activations, classifier.read):
        with pytest.raises(InputError, match=r"`images` must be \(N, 3, 32, 32\).*height 32 and width 32"):
            call(x[:, :, :30])
        with pytest.raises(InputError, match="`images` must be"):
            call(x[0])
    activations = classifier.activations(x)
    for wrong in (activations[0], activations[:, 1:], activations[:0], activations.astype(int)):
        for call in (classifier.logits, lambda a: classifier.gradients(a, [0, 1, 2])):
            with pytest.raises(InputError, match=r"`activations` must be floating point \(N, 32, 8, 8\)"):
                call(wrong)
    with pytest.raises(InputError, match="`target` must lie in 0 … 9"):
        classifier.gradients(activations, [0, 1, 10])
    close(classifier.activations(torch.from_numpy(x)), activations, 1e-7)
