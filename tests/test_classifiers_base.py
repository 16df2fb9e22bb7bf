"""The protocol itself: classifiers made by users from plain NumPy, and what `open_classifier` accepts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from classifier_contract import check_classifier, scores

from nle_fast import classifiers
from nle_fast.classifiers import Classifier, Reading, open_classifier, read
from nle_fast.classifiers.base import as_numpy
from nle_fast.errors import InputError, LayerNotFoundError, ModelError


class Plain:
    """What a user may write: 2 × 2 average pooling to C maps, ReLU, mean, one weight. Knows nothing of ours."""

    layer = "maps"
    num_neurons = 6
    num_classes = 4

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.mix = rng.normal(size=(6, 3)).astype(np.float32)
        self.weight = rng.normal(size=(4, 6)).astype(np.float32)

    def activations(self, images: np.ndarray) -> np.ndarray:
        n, _, h, w = images.shape
        small = images.reshape(n, 3, h // 2, 2, w // 2, 2).mean((3, 5))
        return np.maximum(np.einsum("cd,ndhw->nchw", self.mix, small), 0)

    def logits(self, activations: np.ndarray) -> np.ndarray:
        return activations.mean((2, 3)) @ self.weight.T

    def gradients(
        self, activations: np.ndarray, class_index: np.ndarray, versus: np.ndarray | None = None
    ) -> np.ndarray:
        rows = self.weight[class_index]
        if versus is not None:
            assert (versus >= 0).all(), "a user's classifier must not be given our -1"
            rows = rows - self.weight[versus]
        return rows / activations[0, 0].size


class Full(Plain):
    """Returns gradients of full shape."""

    def gradients(
        self, activations: np.ndarray, class_index: np.ndarray, versus: np.ndarray | None = None
    ) -> np.ndarray:
        rows = super().gradients(activations, class_index, versus)
        return np.broadcast_to(rows[:, :, None, None], activations.shape)


IMAGES = np.random.default_rng(1).normal(size=(3, 3, 8, 10)).astype(np.float32)


@pytest.mark.parametrize("kind", [Plain, Full])
def test_a_users_classifier_keeps_the_contract(kind: type[Plain]) -> None:
    check_classifier(kind(), IMAGES)


def test_scores_of_a_users_classifier_add_up_to_the_logit() -> None:
    reading = read(Plain(), IMAGES)
    np.testing.assert_allclose(scores(reading).sum(1), reading.logits.max(1), rtol=1e-5)


def test_equal_logits_go_to_the_lowest_class() -> None:
    class Even(Plain):
        def logits(self, activations: np.ndarray) -> np.ndarray:
            return np.zeros((len(activations), 4))

    assert read(Even(), IMAGES).class_index.tolist() == [0, 0, 0]


def test_a_joint_read_is_used_and_checked() -> None:
    class Joint(Plain):
        calls = 0

        def read(self, images: Any, target: Any, versus: Any) -> Any:
            self.calls += 1
            activations = self.activations(images)
            chosen = np.zeros(len(images), np.int64) if target is None else target
            return self.logits(activations), activations, self.gradients(activations, chosen), chosen

    joint = Joint()
    reading = read(joint, IMAGES, target=[1, 2, 3])
    assert joint.calls == 1
    assert isinstance(reading, Reading)
    assert reading.class_index.tolist() == [1, 2, 3]
    joint.read = lambda *_: None
    with pytest.raises(ModelError, match=r"`classifier\.read` must return"):
        read(joint, IMAGES)


@pytest.mark.parametrize(
    ("member", "wrong", "message"),
    [
        ("logits", lambda a: a.mean((2, 3)), r"`classifier\.logits` must return \(3, 4\).*got \(3, 6\)"),
        ("logits", lambda a: np.full((3, 4), np.inf), "must give finite logits"),
        (
            "activations",
            lambda x: np.zeros((3, 6)),
            r"`classifier\.activations` must return \(3, 6, H, W\).*got \(3, 6\)",
        ),
        ("activations", lambda x: np.zeros((3, 5, 2, 2)), "num_neurons=6"),
        ("gradients", lambda a, c: np.zeros((3, 6, 1, 1)), r"`classifier\.gradients` must return .*got \(3, 6, 1, 1\)"),
        ("gradients", lambda a, c: None, "got NoneType"),
    ],
)
def test_a_classifier_that_breaks_the_protocol_is_told_so(member: str, wrong: Any, message: str) -> None:
    classifier = Plain()
    if member == "activations":
        classifier.logits = lambda a: np.zeros((3, 4))
        classifier.gradients = lambda a, c: np.zeros((3, 6))
    setattr(classifier, member, wrong)
    with pytest.raises(ModelError, match=message):
        read(classifier, IMAGES)


def test_pictures_that_are_not_finite_are_blamed_on_the_pictures() -> None:
    with pytest.raises(InputError, match="`images` must be finite"):
        read(Plain(), np.full_like(IMAGES, np.nan))


def test_as_numpy_takes_tensors_of_any_precision() -> None:
    torch = pytest.importorskip("torch")
    value = torch.ones(2, dtype=torch.bfloat16, requires_grad=True)
    assert as_numpy(value).dtype == np.float32
    assert as_numpy(value.detach().half()).dtype == np.float16
    assert as_numpy([1, 2]).tolist() == [1, 2]


def test_pictures_may_have_their_colors_last() -> None:
    class ColorsLast(Plain):
        def activations(self, images: np.ndarray) -> np.ndarray:
            return super().activations(np.moveaxis(images, 3, 1))

    np.testing.assert_array_equal(
        read(ColorsLast(), np.moveaxis(IMAGES, 1, 3)).activations, read(Plain(), IMAGES).activations
    )


def test_open_classifier_takes_ready_ones_and_modules() -> None:
    torch = pytest.importorskip("torch")
    ready = Plain()
    assert open_classifier(ready) is ready
    assert open_classifier(ready, layer="maps") is ready
    with pytest.raises(InputError, match=r"`layer` must be None or 'maps'"):
        open_classifier(ready, layer="other")
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 5, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(5, 3)
    )
    opened = open_classifier(module, input_size=(8, 12))
    assert isinstance(opened, Classifier)
    assert opened.layer == "0"
    with pytest.raises(LayerNotFoundError):
        open_classifier(module, layer="9", input_size=(8, 12))


@pytest.mark.parametrize("name", ["net.pth", "net.pt", "net.safetensors", "net.h5", "net.txt", "net"])
def test_open_classifier_refuses_other_files(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x80\x02")
    for path in (tmp_path / name, str(tmp_path / name)):
        with pytest.raises(ModelError, match="ONNX"):
            open_classifier(path)


def test_open_classifier_names_what_it_was_given(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"\.pth file holds weights, not a network.*build the module"):
        open_classifier("weights.pth")
    with pytest.raises(ModelError, match=r"nothing\.onnx.*does not exist"):
        open_classifier(tmp_path / "nothing.onnx")
    with pytest.raises(ModelError, match="a folder"):
        open_classifier(tmp_path)
    with pytest.raises(ModelError, match="got dict without layer, num_neurons"):
        open_classifier({"weight": 1})
    with pytest.raises(ModelError, match="got int"):
        open_classifier(3)
    with pytest.raises(ModelError, match="without an instance"):
        open_classifier(Plain)


def test_importing_the_package_loads_no_engine() -> None:
    code = (
        "import sys, nle_fast.classifiers as c; "
        "print([m for m in ('torch', 'onnx', 'onnxruntime', 'triton') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_all_is_sorted_and_there() -> None:
    assert classifiers.__all__ == sorted(classifiers.__all__)
    assert all(hasattr(classifiers, name) for name in classifiers.__all__)
