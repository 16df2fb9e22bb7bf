"""Networks that torchvision and timm know by name: the module, its preprocessing and its labels.

Neither package is needed by nle_fast; they are asked where they are installed.
"""

from __future__ import annotations

import importlib
import math
import os
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from nle_fast.errors import BackendError, ConfigError, MissingExtraError, ModelError

__all__ = ["KnownNetwork", "open_known"]

#: Two networks normalise their input inside, where their published weights expect it.
_AS_TRAINED = {"googlenet": {"transform_input": True}, "inception_v3": {"transform_input": True}}


class KnownNetwork(NamedTuple):
    """What a package knows about a network.

    Attributes:
        name: What the package calls it.
        module: A `torch.nn.Module` in eval mode, with its weights.
        preprocess: Options of `nle_fast.Preprocess`.
        labels: In the order of the logits, or None.
    """

    name: str
    module: Any
    preprocess: dict[str, Any]
    labels: list[str] | None


def open_known(name: str, weights: str | os.PathLike[str] | None = None) -> KnownNetwork:
    """Ask a package for a network.

    Args:
        name: `"torchvision:resnet50"`, with `.IMAGENET1K_V1` for other weights than the package's default, or
            `"timm:resnet50.a1_in1k"`.
        weights: The network's saved state, `.safetensors` or what `torch.save` wrote; it is read as tensors, never as
            code. None: the package's own weights, which it may fetch from the network.

    Raises:
        ConfigError: `name` is of another form, or the preprocessing is none that a bundle can hold.
        MissingExtraError: The package is not installed.
        ModelError: The package knows no such network, or the state is missing, unreadable or of another network.
        BackendError: The package failed, for instance to fetch its weights.
    """
    package, _, rest = name.partition(":")
    if package not in _PACKAGES or not rest:
        raise ConfigError(
            f"`from` must be torchvision:NAME or timm:NAME, got '{name}'; write for instance torchvision:resnet50."
        )
    try:
        module = importlib.import_module(package)
    except Exception as error:  # torchvision that does not fit torch raises RuntimeError
        raise MissingExtraError(
            f"`from` must name an installed package, got '{package}' ({error}); run pip install {package}."
        ) from error
    known = _PACKAGES[package](module, rest, weights is None)
    if weights is not None:
        _load_state(known.module, Path(weights))
    known.module.eval()
    return known


def _from_torchvision(package: Any, name: str, pretrained: bool) -> KnownNetwork:
    models = importlib.import_module("torchvision.models")
    architecture, _, tag = name.partition(".")
    near_names = models.list_models(module=models)
    if architecture not in near_names:
        raise _unknown("torchvision", architecture, near_names)
    choices = {one.name: one for one in models.get_model_weights(architecture)}
    if tag and tag not in choices:
        raise _unknown(f"torchvision:{architecture}", tag, list(choices))
    chosen = choices[tag] if tag else models.get_model_weights(architecture).DEFAULT
    preset = chosen.transforms()
    options = {
        "size": _side(preset.crop_size),
        "resize": _side(preset.resize_size),
        "interpolation": _interpolation(str(getattr(preset.interpolation, "value", preset.interpolation))),
        "mean": tuple(preset.mean),
        "std": tuple(preset.std),
    }
    extra = {} if pretrained else _AS_TRAINED.get(architecture, {})
    module = _made(models.get_model, architecture, weights=chosen if pretrained else None, **extra)
    labels = chosen.meta.get("categories")
    return KnownNetwork(architecture, module, options, None if labels is None else list(labels))


def _from_timm(package: Any, name: str, pretrained: bool) -> KnownNetwork:
    data = importlib.import_module("timm.data")
    if name.partition(".")[0] not in (names := package.list_models()):
        raise _unknown("timm", name, names)
    module = _made(package.create_model, name, pretrained=pretrained)
    found = data.resolve_model_data_config(module)
    if found.get("crop_mode", "center") != "center":
        raise ConfigError(
            f"`from` must name a network that sees a centre crop, got timm:{name}, crop mode {found['crop_mode']!r}; "
            "export it to ONNX and describe its preprocessing."
        )
    size = _side(found["input_size"][1:])
    options = {
        "size": size,
        "resize": math.floor(size / found["crop_pct"]),
        "interpolation": _interpolation(found["interpolation"]),
        "mean": tuple(found["mean"]),
        "std": tuple(found["std"]),
    }
    subset = data.infer_imagenet_subset(module)
    labels = None
    if subset:
        info = data.ImageNetInfo(subset)
        labels = [info.index_to_description(at) for at in range(info.num_classes())]
    return KnownNetwork(name, module, options, labels)


_PACKAGES = {"torchvision": _from_torchvision, "timm": _from_timm}


def _made(maker: Any, *args: Any, **options: Any) -> Any:
    try:
        return maker(*args, **options)
    except Exception as error:  # URLError, RuntimeError, … whatever the package's download trips over
        reason = " ".join(str(error).split())[:200]
        raise BackendError(
            f"`from` must name a network that its package can make, got {args[0]} ({type(error).__name__}: {reason}); "
            "pass its saved state as `weights`."
        ) from error


def _unknown(where: str, name: str, names: list[str]) -> ModelError:
    near = get_close_matches(name, names, n=3, cutoff=0.4) or names[:3]
    return ModelError(f"`from` must name a network of {where}, got '{name}'; did you mean {' or '.join(near)}?")


def _side(sizes: Any) -> int:
    sides = {int(size) for size in sizes} if hasattr(sizes, "__iter__") else {int(sizes)}
    if len(sides) > 1:
        raise ConfigError(f"`from` must name a network with a square input, got {list(sizes)}; export it to ONNX.")
    return sides.pop()


def _interpolation(name: str) -> str:
    return {"nearest-exact": "nearest"}.get(name, name)


def _load_state(module: Any, path: Path) -> None:
    """Put a saved state into a module; only tensors are read, so a file from a stranger cannot run code."""
    import torch

    if not os.path.isfile(path):
        raise ModelError(f"`weights` must be a file, got '{path}' (no such file); check the path.")
    try:
        if path.suffix.lower() == ".safetensors":
            state = importlib.import_module("safetensors.torch").load_file(str(path))
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except ImportError as error:
        raise MissingExtraError(
            f"`weights` must be readable, got '{path}' without the package safetensors; run pip install safetensors."
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split())[:120]
        raise ModelError(
            f"`weights` must hold tensors and nothing else, got '{path}' ({type(error).__name__}: {reason}); save "
            "module.state_dict()."
        ) from error
    for wrapper in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    if not isinstance(state, dict) or not all(torch.is_tensor(value) for value in state.values()):
        raise ModelError(f"`weights` must be a state dict, got '{path}' of another kind; save module.state_dict().")
    try:
        module.load_state_dict({str(key).removeprefix("module."): value for key, value in state.items()})
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"`weights` must be those of this network, got '{path}' ({reason}); name the network that they belong to."
        ) from error
