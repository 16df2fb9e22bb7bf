"""ONNX networks as classifiers: exports of the test networks against torch and Captum, batches, threads, devices."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
import torch.utils.dlpack
from classifier_contract import check_classifier, scores
from networks import CASES, Case, ids, pictures
from onnx_cases import CHANNELS, CLASSES, SIZE, Builder, network, random, save
from onnx_exports import BY_NAME, captum_scores, close, exported, plain, reference, tensor_of, torch_logits

from nle_fast.classifiers.base import read
from nle_fast.classifiers.looking import look
from nle_fast.classifiers.onnx.model import OnnxClassifier
from nle_fast.classifiers.onnx.session import Session
from nle_fast.errors import BackendError, ModelError
from nle_fast.timing import Laps

DYNAMO = {"resnet", "densenet", "mobilenet_v3", "squeezenet", "alexnet", "shared"}  # the rest by the old exporter only
EXPORTS = [(case, dynamo) for case in CASES for dynamo in (False, True) if not dynamo or case.name in DYNAMO]


@pytest.mark.parametrize(("case", "dynamo"), EXPORTS, ids=lambda v: v.name if isinstance(v, Case) else f"dynamo={v}")
def test_export_equals_torch_and_captum(case: Case, dynamo: bool) -> None:
    path = exported(case.name, dynamo)
    classifier = OnnxClassifier(path)
    x, wanted = pictures(case).numpy(), torch_logits(case)
    assert classifier.num_classes == case.num_classes
    assert classifier.input_size == case.size
    reading = read(classifier, x)
    close(reading.logits, wanted)
    np.testing.assert_array_equal(reading.class_index, wanted.argmax(1))
    last = tensor_of(path, case, case.last)
    if case.name == "densenet":  # torch has no module for the ReLU after its last batch norm; ONNX has a tensor
        assert classifier.layer != last
        assert classifier.closed_form
        classifier = OnnxClassifier(path, last)
        reading = read(classifier, x)
    else:
        assert classifier.layer == last
    assert classifier.closed_form == case.closed_form
    assert reading.gradients.ndim == (2 if case.closed_form else 4)
    target = np.arange(len(x)) % case.num_classes
    close(scores(read(classifier, x, target)), captum_scores(case, case.last, target))
    check_classifier(classifier, x)
    inner = OnnxClassifier(path, tensor_of(path, case, case.inner))
    assert not inner.closed_form
    close(inner.read(x).logits, wanted)
    close(scores(read(inner, x, target)), captum_scores(case, case.inner, target))
    check_classifier(inner, x)


@pytest.mark.parametrize("case", [case for case in CASES if case.not_a_cut], ids=ids)
def test_layer_that_evidence_by_passes_is_refused(case: Case) -> None:
    path = exported(case.name)
    assert case.not_a_cut is not None
    try:
        tensor = tensor_of(path, case, case.not_a_cut)
    except IndexError:
        pytest.skip(f"{case.not_a_cut} is folded into another operator by the exporter")
    with pytest.raises(ModelError, match=r"everything passes through.*by-passes.*nearest such layers are '") as caught:
        OnnxClassifier(path, tensor)
    advised = str(caught.value).rsplit("are ", 1)[1].rstrip(".").replace("'", "").split(", ")
    for name in advised:
        assert OnnxClassifier(path, name).layer == name


@pytest.mark.parametrize("case", [case for case in CASES if case.closed_form], ids=ids)
def test_scores_and_bias_sum_to_the_logit(case: Case) -> None:
    classifier = OnnxClassifier(exported(case.name))
    reading = classifier.read(pictures(case).numpy())
    bias = classifier.logits(np.zeros_like(reading.activations))
    rows = np.arange(len(reading.logits))
    close(scores(reading).sum(1) + bias[rows, reading.class_index], reading.logits.max(1))


# ---- batches


def frozen(g: Builder, a: str) -> str:
    return g("Reshape", g("Relu", a), g.ints(1, CHANNELS * 56))


@pytest.mark.parametrize("body", [plain, frozen], ids=["declared", "insisted on"])
def test_network_for_one_picture_takes_batches(body: Any, tmp_path: Path) -> None:
    path = network(tmp_path / "model.onnx", body, CHANNELS * 56, batch=1)
    images = random(5, 3, *SIZE)
    classifier = OnnxClassifier(path, "a")
    close(classifier.read(images).logits, reference(path, images))
    check_classifier(classifier, images)


def test_frozen_reshape_in_a_network_that_claims_batches(tmp_path: Path) -> None:
    path = network(tmp_path / "model.onnx", frozen, CHANNELS * 56)
    check_classifier(OnnxClassifier(path, "a"), random(3, 3, *SIZE))


def test_network_for_four_pictures(tmp_path: Path) -> None:
    body = lambda g, a: g("Reshape", g("Relu", a), g.ints(4, CHANNELS * 56))  # noqa: E731
    path = network(tmp_path / "model.onnx", body, CHANNELS * 56, batch=4)
    single = network(tmp_path / "single.onnx", frozen, CHANNELS * 56, batch=1)
    images = random(6, 3, *SIZE)
    for count in (1, 4, 6):
        close(OnnxClassifier(path, "a").read(images[:count]).logits, reference(single, images[:count]))
    check_classifier(OnnxClassifier(path, "a"), images)


def test_size_of_the_picture_asked_behind_the_layer(tmp_path: Path) -> None:
    """`x.size(0)` of the input itself: the head must still run from the activations alone."""

    def body(g: Builder, a: str) -> str:
        count = g("Gather", g("Shape", "picture"), g.ints(0))
        return g("Reshape", g("Relu", a), g("Concat", count, g.ints(-1), axis=0))

    check_classifier(OnnxClassifier(network(tmp_path / "m.onnx", body, CHANNELS * 56), "a"), random(3, 3, *SIZE))


def test_channels_last_input(tmp_path: Path) -> None:
    g = Builder()
    moved = g("Transpose", "picture", perm=[0, 3, 1, 2])
    g("Conv", moved, g.const(random(CHANNELS, 3, 3, 3)), name="a")
    back = g("Transpose", g("Relu", "a", name="b"), perm=[0, 2, 3, 1])
    g("Gemm", g("ReduceMean", back, axes=[1, 2], keepdims=0), g.const(random(CHANNELS, CLASSES)), name="logits")
    path = save(g, tmp_path / "model.onnx", 13, size=(9, 3))
    proto = onnx.load(str(path))
    for i, extent in enumerate((8, 9, 3), 1):
        proto.graph.input[0].type.tensor_type.shape.dim[i].dim_value = extent
    onnx.save(proto, str(path))
    classifier = OnnxClassifier(path)
    assert classifier.input_size == (8, 9)
    assert classifier.layer == "b"
    check_classifier(classifier, random(3, 3, 8, 9))


# ---- threads, devices


def test_threads_get_what_one_gets() -> None:
    case = BY_NAME["squeezenet"]
    classifier = OnnxClassifier(exported("squeezenet"))
    x = pictures(case, 8).numpy()
    wanted = [classifier.read(x[i : i + 1]) for i in range(8)]
    fresh = OnnxClassifier(exported("squeezenet"))
    errors: list[BaseException] = []

    def work(i: int) -> None:
        try:
            for _ in range(5):
                reading = fresh.read(x[i : i + 1])
                for one, other in zip(reading, wanted[i], strict=True):
                    np.testing.assert_array_equal(one, other)
                fresh.logits(fresh.activations(x[i : i + 1]))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_devices() -> None:
    path = exported("resnet")
    assert OnnxClassifier(path, device="cpu").num_neurons == 32
    for device in ("tpu", "cuda:first", "cpu:0"):
        with pytest.raises(BackendError, match="`device` must be"):
            OnnxClassifier(path, device=device)


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="there is a GPU")
def test_missing_gpu_is_an_error_and_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BackendError, match=r"`device` must be one that .*; .*device='cpu'"):
        OnnxClassifier(exported("resnet"), device="cuda")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["resnet", "squeezenet"])
def test_what_stays_on_the_device_for_scoring_is_not_copied(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU, with the CPU as the device: there the outputs are bound, and handed to torch by DLPack."""
    case = BY_NAME[name]
    classifier, images = OnnxClassifier(exported(name)), pictures(case).numpy()
    plain_reading = read(classifier, images)
    copied = look(classifier, images, None, None, 5, "sum", "both", Laps(len(images)))
    monkeypatch.setattr(Session, "shares_gpu", True)
    addresses, from_dlpack = [], torch.utils.dlpack.from_dlpack

    def kept(value: Any) -> torch.Tensor:
        tensor = from_dlpack(value)
        assert tensor.data_ptr() == value.data_ptr()
        addresses.append(tensor.data_ptr())
        return tensor

    monkeypatch.setattr(torch.utils.dlpack, "from_dlpack", kept)
    classifier = OnnxClassifier(exported(name))
    reading = read(classifier, images)
    kinds = [isinstance(field, torch.Tensor) for field in reading]
    assert kinds == [False, True, True, False]
    assert reading.activations.data_ptr() == addresses[0]
    for bound, plainly in zip(reading, plain_reading, strict=True):
        np.testing.assert_array_equal(np.asarray(bound), plainly)
    seen = look(classifier, images, None, None, 5, "sum", "both", Laps(len(images)))
    for one, other in zip(seen.top, copied.top, strict=True):
        np.testing.assert_array_equal(one, other)


# ---- the real networks


@pytest.mark.shared
def test_mobilenet_v2(shared: Path) -> None:
    classifier = OnnxClassifier(shared / "networks/mobilenet_v2/model.onnx")
    assert (classifier.num_neurons, classifier.num_classes, classifier.input_size) == (1280, 1001, (224, 224))
    assert classifier.closed_form
    x = random(2, 3, 224, 224)
    reading = read(classifier, x)
    bias = classifier.logits(np.zeros_like(reading.activations))
    assert np.abs(scores(reading).sum(1) + bias[[0, 1], reading.class_index] - reading.logits.max(1)).max() < 1e-4
    check_classifier(classifier, x)


@pytest.mark.shared
def test_squeezenet(shared: Path) -> None:
    classifier = OnnxClassifier(shared / "networks/squeezenet1_1/model.onnx")
    assert (classifier.num_neurons, classifier.num_classes, classifier.input_size) == (512, 1000, (224, 224))
    assert not classifier.closed_form
    x = random(2, 3, 224, 224)
    reading = read(classifier, x)
    check_classifier(classifier, x)
    # the gradient of the published weights, in float64, straight from the definition of the head
    proto = {
        t.name: onnx.numpy_helper.to_array(t)
        for t in onnx.load(str(shared / "networks/squeezenet1_1/model.onnx")).graph.initializer
    }
    weights, bias = (proto[f"classifier.1.{part}"].astype(np.float64) for part in ("weight", "bias"))
    for activation, gradient, k in zip(reading.activations, reading.gradients, reading.class_index, strict=True):
        row = weights[k, :, 0, 0]
        on = np.tensordot(row, activation.astype(np.float64), 1) + bias[k] > 0
        close(gradient, row[:, None, None] * on / on.size, 1e-5)
