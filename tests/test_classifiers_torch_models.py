"""TorchClassifier on networks as users have them: compiled, half precision, in training mode, with odd results; and
its word that nothing of theirs is changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from classifier_contract import check_classifier, scores
from networks import CASES, Case, build, ids, pictures
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

from nle_fast.classifiers.base import read
from nle_fast.classifiers.torch.model import TorchClassifier
from nle_fast.errors import BackendError, GradientUnavailableError, InputError, LayerNotFoundError, ModelError

RESNET = next(case for case in CASES if case.name == "resnet_inplace")
VGG = next(case for case in CASES if case.name == "vgg")


class Wrapped(nn.Module):
    """The residual network, with something done before or after it."""

    def __init__(self, change: Callable[[nn.Module, Tensor], Any]) -> None:
        super().__init__()
        self.net, self.change = build(RESNET), change

    def forward(self, x: Tensor) -> Any:
        return self.change(self.net, x)


def make(model: nn.Module, layer: str | None = None, case: Case = RESNET, **options: Any) -> TorchClassifier:
    return TorchClassifier(model, layer, input_size=case.size, **options)


def wrapped(change: Callable[[nn.Module, Tensor], Any], **options: Any) -> TorchClassifier:
    return make(Wrapped(change), **options)


def images(case: Case = RESNET, count: int = 3) -> np.ndarray:
    return pictures(case, count).numpy()


def same(one: TorchClassifier, two: TorchClassifier, rtol: float = 1e-4) -> None:
    """Both read the same evidence."""
    first, second = read(one, images()), read(two, images())
    np.testing.assert_allclose(first.logits, second.logits, rtol=rtol, atol=rtol * np.abs(second.logits).max())
    expected = scores(second)
    np.testing.assert_allclose(scores(first), expected, rtol=rtol, atol=rtol * np.abs(expected).max())


def state_of(model: nn.Module) -> dict[str, Any]:
    """All of a module that must not change."""
    state: dict[str, Any] = {}
    for name, module in model.named_modules():
        hooks = {key: dict(value) for key, value in vars(module).items() if key.endswith("_hooks")}
        state[name] = (module.training, hooks, sorted(vars(module)))
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        grad = None if tensor.grad is None else tensor.grad.clone().numpy().tobytes()
        state["tensor " + name] = (
            id(tensor), tensor._version, tensor.requires_grad, grad, tensor.detach().numpy().tobytes()
        )  # fmt: skip
    state["random"] = torch.get_rng_state().numpy().tobytes()
    state["modes"] = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
    state["attention"] = torch.backends.mha.get_fastpath_enabled()
    return state


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_the_users_model_stays_as_it_is(case: Case) -> None:
    model = build(case)
    model(pictures(case)).sum().backward()
    model.train()
    next(model.children()).eval()
    next(model.parameters()).requires_grad_(False)
    model.register_forward_hook(lambda *_: None)
    before = state_of(model)
    for layer in (None, case.inner):
        classifier = make(model, layer, case)
        read(classifier, images(case))
        read(classifier, images(case), target=np.array([0, 1, 2]))
        classifier.gradients(classifier.activations(images(case)), np.array([0, 1, 2]), np.array([1, -1, 0]))
        assert classifier.fingerprint
    assert state_of(model) == before


def test_the_users_model_stays_as_it_is_after_an_error() -> None:
    def fail(net: nn.Module, x: Tensor) -> Tensor:
        hidden = net.layer1(torch.relu(net.bn1(net.conv1(x))))
        if x.max() > 50:
            raise ValueError("too bright")
        return net.fc(net.avgpool(net.layer3(net.layer2(hidden))).flatten(1))

    model = Wrapped(fail).train()
    before = state_of(model)
    classifier = make(model)
    good = read(classifier, images())
    with pytest.raises(BackendError, match=r"\(3, 3, 40, 48\).*ValueError: too bright") as caught:
        read(classifier, images() + 100)
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(BackendError, match="input_size"):
        TorchClassifier(build(VGG), input_size=(50, 50))
    with pytest.raises(ModelError):
        make(model, "net.layer3.1.bn2")
    assert state_of(model) == before
    np.testing.assert_array_equal(read(classifier, images()).logits, good.logits)


def test_training_mode_is_read_in_eval_mode() -> None:
    same(make(build(RESNET).train()), make(build(RESNET)))


@pytest.mark.parametrize("layer", [None, "layer2"])
def test_frozen_weights_and_ambient_modes(layer: str | None) -> None:
    frozen = make(build(RESNET).requires_grad_(False), layer)
    same(frozen, make(build(RESNET), layer))
    for ambient in (torch.no_grad, torch.inference_mode):
        with ambient():
            same(make(build(RESNET), layer), frozen)
            born = build(RESNET)
        same(make(born, layer), frozen)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("layer", ["net.layer3", "net.layer2"])
def test_a_forward_pass_that_switches_gradients_off(mode: Any, layer: str) -> None:
    same(wrapped(mode()(lambda net, x: net(x)), layer=layer), make(build(RESNET), layer.removeprefix("net.")))


def test_compiled_modules() -> None:
    plain = make(build(RESNET), "layer3.0")
    whole = make(torch.compile(build(RESNET), backend="eager"), "layer3.0")
    assert whole.fingerprint == plain.fingerprint
    same(whole, plain)
    part = build(RESNET)
    part.layer3 = torch.compile(part.layer3, backend="eager")
    same(make(part, "layer3._orig_mod.0"), plain)
    part.compile(backend="eager")
    same(make(part, "layer3.0"), plain)
    same(make(nn.DataParallel(build(RESNET)), "layer3.0"), plain)


@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float16, 1e-2), (torch.bfloat16, 5e-2), (torch.float64, 1e-4)])
@pytest.mark.parametrize("layer", ["layer3", "layer2"])
def test_other_precisions(dtype: torch.dtype, rtol: float, layer: str) -> None:
    classifier = make(build(RESNET).to(dtype), layer)
    check_classifier(classifier, images(), rtol=rtol)
    reading = read(classifier, images())
    assert reading.logits.dtype == np.float32
    assert reading.activations.dtype == reading.gradients.dtype == dtype
    exact = read(make(build(RESNET), layer), images())
    error = np.abs(scores(reading) - scores(exact)).max() / np.abs(scores(exact)).max()
    assert error < 4 * rtol


@pytest.mark.parametrize("layer", ["layer3", "layer2"])
def test_channels_last(layer: str) -> None:
    classifier = make(build(RESNET).to(memory_format=torch.channels_last), layer)
    assert classifier.closed_form is (layer == "layer3")
    check_classifier(classifier, images())
    same(classifier, make(build(RESNET), layer))


def test_logits_inside_tuples_and_dicts() -> None:
    plain = make(build(RESNET))
    same(wrapped(lambda net, x: (net(x), net.conv1(x))), plain)
    same(wrapped(lambda net, x: {"logits": net(x), "size": 3, "features": [net.conv1(x)]}), plain)
    same(wrapped(lambda net, x: net(x)[:, :, None, None]), plain)
    same(wrapped(lambda net, x: net(x).squeeze()), plain)  # one picture comes back as (K,)
    two = lambda net, x: {"main": net(x), "extra": (2 * net(x), None)}  # noqa: E731
    same(wrapped(two, output="main"), plain)
    doubled = wrapped(two, output=("extra", 0))
    np.testing.assert_allclose(read(doubled, images()).logits, 2 * read(plain, images()).logits, rtol=1e-5)
    with pytest.raises(ModelError, match=r"several: 'main': .*\(2, 9\).*TorchClassifier\(model, output='main'\)"):
        wrapped(two)
    with pytest.raises(ModelError, match=r"`output` must name a part .* got 'other'.*main"):
        wrapped(two, output="other")
    with pytest.raises(ModelError, match=r"`output` must name logits .* got NoneType"):
        wrapped(two, output=("extra", 1))
    for few in (lambda net, x: net(x)[:, :1], lambda net, x: net(x).argmax(1), lambda net, x: None):
        with pytest.raises(ModelError, match="K ≥ 2"):
            wrapped(few)


def test_softmax_is_stepped_over() -> None:
    plain = make(build(RESNET))
    same(wrapped(lambda net, x: net(x).softmax(1)), plain)
    same(wrapped(lambda net, x: torch.log_softmax(net(x), -1)), plain)


def test_a_network_that_writes_to_its_input_or_its_buffers() -> None:
    class Counter(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = build(RESNET)
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            return self.net(x.sub_(0.5).mul_(2))

    model = Counter()
    check_classifier(make(model), images())
    tensor = torch.from_numpy(images())
    make(model).activations(tensor)
    np.testing.assert_array_equal(tensor.numpy(), images())
    assert model.calls == 0


def test_reparametrised_weights() -> None:
    for layer in (None, "layer2"):
        model = build(RESNET)
        prune.l1_unstructured(model.layer3[1].conv2, "weight", 0.3)
        prune.l1_unstructured(model.fc, "weight", 0.3)
        parametrizations.weight_norm(model.layer3[0].conv1)
        parametrizations.spectral_norm(model.conv1)
        model(torch.from_numpy(images()))  # leaves tensors that deepcopy refuses
        check_classifier(make(model, layer), images())


def test_weights_are_shared_and_followed() -> None:
    model = build(RESNET)
    classifier = make(model)
    assert classifier.closed_form
    with torch.no_grad():
        model.fc.weight.mul_(3)
        model.bn1.running_mean.add_(1)
    same(classifier, make(model))


def test_fingerprint_names_weights_and_layer() -> None:
    one = make(build(RESNET)).fingerprint
    assert len(one) == 32
    assert make(build(RESNET)).fingerprint == one
    assert make(build(RESNET), "layer2").fingerprint != one
    changed = build(RESNET)
    changed.bn1.running_mean[0] += 1
    assert make(changed).fingerprint != one


def test_attention_pooling_and_tensors_filled_in_place() -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.conv, self.token = nn.Conv2d(3, 16, 4, 4), nn.Parameter(torch.randn(1, 1, 16))
            self.attention, self.fc = nn.MultiheadAttention(16, 2, batch_first=True), nn.Linear(16, 5)

        def forward(self, x: Tensor) -> Tensor:
            x = self.conv(x)
            tokens = x.new_empty(x.shape[0], 1 + x.shape[2:].numel(), 16)
            tokens[:, :1] = self.token
            tokens[:, 1:] = x.flatten(2).transpose(1, 2)
            return self.fc(self.attention(tokens, tokens, tokens)[0][:, 0])

    classifier = TorchClassifier(Attention().eval(), input_size=(24, 24))
    assert classifier.layer == "conv"
    check_classifier(classifier, np.random.default_rng(0).normal(size=(3, 3, 24, 24)).astype(np.float32))


def test_by_passes_are_seen() -> None:
    with pytest.raises(ModelError, match="through which all that reaches the logits passes, got none"):
        wrapped(lambda net, x: net(x) + x.mean((1, 2, 3))[:, None])
    chunked = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), ShuffleUnit(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)
    )
    assert TorchClassifier(chunked, input_size=(16, 16)).layer == "2"
    with pytest.raises(ModelError, match="cut"):
        TorchClassifier(chunked, "2.keep", input_size=(16, 16))


class ShuffleUnit(nn.Module):
    """Half of the channels go through unchanged, as in ShuffleNetV2."""

    def __init__(self) -> None:
        super().__init__()
        self.keep, self.conv = nn.Identity(), nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        one, two = x.chunk(2, dim=1)
        return torch.cat([self.keep(one), self.conv(two)], 1)


def test_heads_that_cannot_stand_alone() -> None:
    with pytest.raises(ModelError, match="chance"):
        wrapped(lambda net, x: net(x) + torch.rand(1))
    with pytest.raises(ModelError, match="same operators for all pictures"):
        wrapped(lambda net, x: net(x) * (1 + x.mean().item()))
    with pytest.raises(GradientUnavailableError, match=r"aten\.detach"):
        wrapped(lambda net, x: net(x).detach())


def test_quantized_heads_are_refused_in_our_words() -> None:
    quantized = torch.ao.quantization.quantize_dynamic(build(VGG), {nn.Linear})
    with pytest.raises(ModelError, match=r"quantized.linear_dynamic.*export the network to ONNX"):
        make(quantized, case=VGG)


def test_layers_that_cannot_be_cut_at() -> None:
    with pytest.raises(LayerNotFoundError, match="did you mean 'layer3'"):
        make(build(RESNET), "layer_3")
    with pytest.raises(LayerNotFoundError, match="did you mean"):
        make(build(RESNET), "")
    with pytest.raises(ModelError, match=r"4-D output .* 'fc' with a tensor \(2, 9\); choose 'avgpool'"):
        make(build(RESNET), "fc")
    idle = build(RESNET)
    idle.idle = nn.Conv2d(3, 3, 1)
    with pytest.raises(ModelError, match="never called; choose 'avgpool' or 'layer3'"):
        make(idle, "idle")
    with pytest.raises(ModelError, match="is it a CNN"):
        TorchClassifier(nn.Sequential(nn.Flatten(), nn.Linear(300, 5)), input_size=(10, 10))


def test_models_that_cannot_be_read() -> None:
    with pytest.warns(DeprecationWarning, match="script"):
        scripted = torch.jit.script(build(VGG))
    with pytest.raises(ModelError, match=r"TorchScript.*ONNX"):
        make(scripted, case=VGG)
    with pytest.raises(ModelError, match="lazy"):
        make(nn.Sequential(nn.LazyConv2d(3, 3)))
    with pytest.raises(ModelError, match="meta"):
        make(build(RESNET).to("meta"))
    uncopyable = build(RESNET)
    uncopyable.lock = (part for part in ())
    with pytest.raises(ModelError, match="copyable"):
        make(uncopyable)
    broken = build(RESNET)
    broken.fc.bias.data[0] = torch.nan
    with pytest.raises(ModelError, match="NaN"):
        make(broken)
    with pytest.raises(ModelError, match=r"torch\.nn\.Module, got OrderedDict"):
        make(build(RESNET).state_dict())
    for size in (224, (0, 3), (3.5, 3), "32"):
        with pytest.raises(InputError, match="input_size"):
            TorchClassifier(build(RESNET), input_size=size)


def test_device() -> None:
    model = build(RESNET)
    same(make(model, device="cpu"), make(model))
    assert make(model, device="cpu")._twin.fc.weight is model.fc.weight
    before = state_of(model)
    for device in ("meta", "nonsense", 3.5):
        with pytest.raises(BackendError):
            make(model, device=device)
    assert state_of(model) == before


def test_arrays_that_do_not_fit() -> None:
    classifier = make(build(RESNET))
    with pytest.raises(InputError, match=r"40 × 48 \(height × width\).*got 48 × 40"):
        classifier.activations(np.zeros((1, 3, 48, 40), np.float32))
    with pytest.raises(InputError, match="activations"):
        classifier.logits(np.zeros((1, 32, 3, 3), np.float32))
    activations = classifier.activations(images())
    for wrong in ([0, 0], [0, 0, 9], [-1, 0, 0], None):
        with pytest.raises(InputError, match="class_index"):
            classifier.gradients(activations, wrong)
    with pytest.raises(InputError, match="finite"):
        read(classifier, np.full((1, 3, *RESNET.size), np.nan, np.float32))
