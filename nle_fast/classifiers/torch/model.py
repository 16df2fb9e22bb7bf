"""Any torch CNN as a classifier that is cut at one layer; the user's module is never touched.

One look at pictures runs the trunk as it is, without autograd, up to the layer, and then plays back the recorded head:
with autograd for the head alone, or without any when the gradient is a row of the last weight.
"""

from __future__ import annotations

from functools import cached_property, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nle_fast.classifiers.base import Reading, as_numpy, asked_classes, check_classes, check_images
from nle_fast.classifiers.removal import ReluHead
from nle_fast.classifiers.torch.head import backward, final_weight, one_hot, pools_first, relu_convolution, with_graph
from nle_fast.classifiers.torch.layers import find_layer, look_at
from nle_fast.classifiers.torch.rows import Watch, by_autograd
from nle_fast.classifiers.torch.tape import Op
from nle_fast.classifiers.torch.trunk import Trunk, blamed
from nle_fast.classifiers.torch.twin import make_twin, own_buffers, select, share_buffers, weights_digest
from nle_fast.errors import InputError, ModelError
from nle_fast.ops import pooled_gradients

if TYPE_CHECKING:
    from nle_fast.classifiers.torch.look import GpuLook

__all__ = ["TorchClassifier"]


class TorchClassifier:
    """A torch module, cut at one layer.

    The module is read in eval mode through a twin that shares its weights: training flags, `requires_grad`, `.grad`,
    hooks and running statistics stay as they are. Weights that are trained further change what the classifier says,
    but not its `fingerprint`: make a new one then. May be shared by threads.

    Args:
        model: Any `torch.nn.Module` from pictures (N, 3, h, w) to logits (N, K), K ≥ 2; also compiled, frozen, half
            precision. A trailing softmax is stepped over. Not TorchScript.
        layer: Name as in `model.named_modules()`; of a module that is called several times the last
            call that the logits depend on counts. It
            must be a cut: all that reaches the logits passes through it. None: the last one with a 4-D output of more
            than one position that is a cut and not merely the maps of the classes.
        input_size: (height, width) of the pictures.
        output: Where the logits are in a tuple or dict that the module returns: key, index, attribute name, or a tuple
            of these; None: the only (N, K) tensor in it.
        device: Where to run; None: where the module is. On another device the twin has weights of its own.

    Attributes:
        layer: Name of the layer.
        num_neurons: C.
        num_classes: K.
        closed_form: Is the gradient a row of the last weight, so that `gradients` gives (N, C) without autograd?

    Raises:
        LayerNotFoundError: `layer` is no module of the network.
        ModelError: The network cannot be copied or cut there, or it is not clear where its logits are.
        GradientUnavailableError: An operator after the layer has no gradient.
        BackendError: The network failed on pictures of `input_size`, or torch cannot use `device`.
        InputError: `input_size` is not two whole numbers.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5))
        >>> classifier = TorchClassifier(model, input_size=(16, 16))
        >>> classifier.layer, classifier.num_neurons, classifier.num_classes, classifier.closed_form
        ('1', 8, 5, True)
    """

    layer: str
    num_neurons: int
    num_classes: int
    closed_form: bool

    def __init__(
        self,
        model: nn.Module,
        layer: str | None = None,
        *,
        input_size: tuple[int, int] = (224, 224),
        output: Any = None,
        device: torch.device | str | None = None,
    ) -> None:
        if not isinstance(model, nn.Module):
            raise ModelError(f"`model` must be a torch.nn.Module, got {type(model).__name__}; pass the module itself.")
        self._size = _checked_size(input_size)
        with torch.inference_mode(False), torch.no_grad():
            self._twin = make_twin(model, device)
            weights = [*self._twin.parameters(), *self._twin.buffers()]
            typical = next((weight for weight in weights if weight.is_floating_point()), torch.empty(0, device=device))
            self._device, self._dtype = typical.device, typical.dtype
            self._cut(layer, output)

    def _cut(self, name: str | None, output: Any) -> None:
        """Look at the network with 1, 2 and 3 pictures, find the layer, and check that its head can stand alone."""
        one, two, three = (self._noise((count, 3, *self._size)) for count in (1, 2, 3))
        kept = own_buffers(self._twin)
        with blamed(one):
            returned = self._twin(one.clone())
        share_buffers(kept)
        with blamed(two):
            looks = look_at(self._twin, two, output), look_at(self._twin, three, output)
        self._writes_picture = any(look.recording.writes_picture for look in looks)
        found = find_layer(self._twin, name, looks, self._trial)

        self.layer, self.num_neurons, self.num_classes = found.name, found.shape[0], looks[0].num_classes
        self._shape, self._memory_format, self._head = found.shape, found.memory_format, found.head
        self._trunk, self._path = Trunk(self._twin, found), looks[0].path
        expected = select(returned, self._path).reshape(1, -1)
        replayed = found.whole(self._trunk(one)).reshape(1, -1)
        if not bool(expected.isfinite().all()):
            raise ModelError("`model` must give finite logits, got NaN or infinity for noise; check its weights.")
        if not _close(replayed, expected):
            raise ModelError(
                f"The network after `layer` {found.name!r} must depend on the layer's output alone, got other logits "
                "when it was run by itself; take chance and changing state out of the forward pass."
            )
        self._weight = self._closed_form()
        self.closed_form = self._weight is not None
        trial = self._trial(self._shape, self._memory_format)
        self._rows = by_autograd(self._head, self.num_classes, trial)
        on_cpu = self._device.type == "cpu"
        # The end of its own forward pass costs less than to play it back, if it gives logits and not probabilities.
        self._reads_whole = (
            on_cpu
            and looks[0].returned == looks[0].logits
            and self._weight is not None
            and self._weight.dtype == torch.float32
        )
        self._convolution = relu_convolution(self._head, trial) if on_cpu and not self.closed_form else None

    def _closed_form(self) -> Tensor | None:
        """The last weight when the gradient is its row; checked against autograd, which is checked to work."""
        trial = self._trial(self._shape, self._memory_format)
        weight = final_weight(self._head, trial)
        target = torch.tensor([0, self.num_classes - 1], device=self._device)
        logits, leaf = with_graph(self._head, trial)
        exact = backward(self._head, logits, leaf, one_hot(logits, target, None))
        if weight is None:
            return None
        quick = _rows(weight, target, None, leaf)[:, :, None, None].expand_as(exact)
        return weight if _close(quick, exact) else None

    @cached_property
    def fingerprint(self) -> str:
        """Hexadecimal hash of all weights and the layer's name; computed once, when first asked for."""
        return weights_digest(self._twin, self.layer)

    def activations(self, images: Any, /) -> Tensor:
        """Run the network up to the layer.

        Args:
            images: (N, 3, height, width) floating point, NumPy or torch, of `input_size`.

        Returns:
            (N, C, H, W) in the network's precision, on its device.

        Raises:
            InputError: The pictures have another shape.
            BackendError: The network failed.
        """
        with torch.inference_mode(False), torch.no_grad():
            return self._trunk(self._pictures(images))

    def logits(self, activations: Any, /) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Run what comes after the layer, and only that: (N, C, H, W) → (N, K) float32 NumPy, before any softmax.

        Where the head `pools_first`, (N, C, 1, 1), the means of the maps, give the same.
        """
        with torch.inference_mode(False), torch.no_grad():
            return self._float(self._head(self._maps(activations)))

    def gradients(self, activations: Any, class_index: Any, /, versus: Any = None) -> Tensor:
        """Gradient at `activations` of one logit of each picture, or of the difference of two.

        Args:
            activations: (N, C, H, W).
            class_index: (N,) whole numbers in 0 … K - 1.
            versus: (N,) the logits to subtract; -1 or None: none.

        Returns:
            (N, C) when the network has a closed form, else (N, C, H, W); on the network's device.

        Raises:
            InputError: A shape or class is wrong.
        """
        with torch.inference_mode(False), torch.no_grad():
            maps = self._maps(activations)
            target = self._classes("class_index", class_index, len(maps))
            rival = self._classes("versus", versus, len(maps))
            if target is None or bool((target < 0).any()):
                raise InputError("`class_index` must name one class per picture, got none; give indices from 0.")
            if self._weight is not None:
                return _rows(self._weight, target, rival, maps)
            _, inner, leaf = self._rows(maps)
            return self._rows.gradients(inner, leaf, target, rival)

    @property
    def pooled_weight(self) -> NDArray[Any] | None:
        """W (K, C) when every logit is W · (mean of the activations over space) + bias; else None.

        None also where the network is on a GPU, whose head takes less time than to fetch the weights.
        """
        if self._weight is None or self._device.type != "cpu":
            return None
        weight = self._weight.detach()
        return as_numpy(weight).reshape(len(weight), -1).astype(np.float32, copy=False)

    @cached_property
    def pools_first(self) -> bool:
        """Does the head see no more of each map than its mean, so that `logits` also takes means (N, C, 1, 1)?"""
        maps = self._trial(self._shape, self._memory_format)
        with torch.inference_mode(False), torch.no_grad():
            if not pools_first(self._head, maps):
                return False
            try:
                found = self._head(maps.mean((2, 3), keepdim=True))
            except (RuntimeError, IndexError, ValueError):  # made for maps of one size
                return False
            return _close(found, self._head(maps))

    @property
    def relu_head(self) -> ReluHead | None:
        """The weights of a head that is 1 × 1 convolution, ReLU, mean over space, on a CPU; else None."""
        if self._convolution is None:
            return None
        weight, bias = (as_numpy(part.detach()).astype(np.float32, copy=False) for part in self._convolution.args[1:3])
        return ReluHead(weight.reshape(len(weight), -1), bias)

    def read(self, images: Any, target: Any = None, versus: Any = None) -> Reading:
        """Logits, activations and gradients in one pass; see `nle_fast.classifiers.base.read`, which checks more."""
        if self._reads_whole:
            return self._read_whole(images, target, versus)
        return self._read(images, target, versus, None)

    def read_class_maps(self, images: Any, target: Any = None, versus: Any = None) -> tuple[Reading, Tensor | None]:
        """`read`, and where there is a `relu_head` its maps (N, K, H, W) before ReLU, which the forward made anyway."""
        kept: list[Tensor] = []

        def watch(op: Op, args: list[Any], result: Any) -> None:
            if op is self._convolution:
                kept.append(result.clone())  # a ReLU that follows may write to it

        if self._convolution is None:
            return self.read(images, target, versus), None
        return self._read(images, target, versus, watch), kept[0].float() if kept else None

    def _read(self, images: Any, target: Any, versus: Any, watch: Watch | None) -> Reading:
        with torch.inference_mode(False), torch.no_grad():
            maps = self._trunk(self._pictures(images))
            if self._weight is None:
                scores, inner, leaf = self._rows(maps, watch)
            else:
                scores = self._head(maps)
            logits = self._float(scores)
            chosen, rival = self._chosen(logits, target, versus)
            label, other = self._indices(chosen), None if rival is None else self._indices(rival)
            if self._weight is None:
                gradients = self._rows.gradients(inner, leaf, label, other)
            else:
                gradients = _rows(self._weight, label, other, maps)
            return Reading(logits, maps, gradients, chosen)

    def _read_whole(self, images: Any, target: Any, versus: Any) -> Reading:
        """The network's own forward pass to its end; the gradient is read off the weight by NumPy, which is quicker."""
        assert self._weight is not None
        maps, returned = self._trunk.whole(self._pictures(images))
        logits = self._float(select(returned, self._path))
        wanted = asked_classes("target", target, len(logits), self.num_classes)
        rival = asked_classes("versus", versus, len(logits), self.num_classes)
        weight = self._weight.numpy(force=True).reshape(self.num_classes, -1)
        positions = maps.shape[2] * maps.shape[3]
        chosen, rows = pooled_gradients(np.ascontiguousarray(logits), weight, wanted, rival, positions)
        return Reading(logits, maps, torch.from_numpy(rows), chosen)

    def _chosen(
        self, logits: NDArray[np.float32], target: Any, versus: Any
    ) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
        """The classes that gradients are taken of, and those that they are told apart from."""
        winner = logits.argmax(axis=1)
        wanted = check_classes("target", target, len(logits), self.num_classes)
        rival = check_classes("versus", versus, len(logits), self.num_classes)
        return winner if wanted is None else np.where(wanted < 0, winner, wanted), rival

    @cached_property
    def look(self) -> GpuLook | None:
        """`read` and the scoring in one go, with one wait for the GPU; None where the network is not on one."""
        if self._device.type != "cuda" or find_spec("triton") is None:
            return None
        from nle_fast.classifiers.torch.look import GpuLook

        closed = None if self._weight is None else partial(_rows, self._weight)
        weights = [*self._twin.parameters(), *self._twin.buffers()]
        return GpuLook(self._pictures, self._trunk, self._head, closed, weights, self._device)

    def forward(self, images: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Logits (N, K) of the whole network, as who does not explain runs it; for comparing times."""
        pictures = self._pictures(images)
        with blamed(pictures), torch.inference_mode():
            return self._float(select(self._twin(pictures), self._path))

    def _pictures(self, images: Any) -> Tensor:
        check_images(images)
        if tuple(images.shape[2:]) != self._size:
            raise InputError(
                f"`images` must be {self._size[0]} × {self._size[1]} (height × width) like `input_size`, got "
                f"{images.shape[2]} × {images.shape[3]}; resize them, or make a classifier with that input_size."
            )
        pictures = _tensor(images).to(self._device, self._dtype).detach()
        if not self._writes_picture:
            return pictures
        shared = isinstance(images, Tensor) or pictures.data_ptr() == as_numpy(images).ctypes.data
        return pictures.clone() if shared else pictures

    def _maps(self, activations: Any) -> Tensor:
        shape = tuple(getattr(activations, "shape", ()))
        means = shape[1:] == (self.num_neurons, 1, 1) and self.pools_first
        if len(shape) != 4 or (shape[1:] != self._shape and not means) or not shape[0]:
            raise InputError(
                f"`activations` must be (N, {', '.join(map(str, self._shape))}) with N ≥ 1 at layer {self.layer!r}, "
                f"got {shape or type(activations).__name__}; take them from `activations(images)`."
            )
        maps = _tensor(activations).detach().to(self._device, self._dtype)
        return maps.contiguous(memory_format=self._memory_format)

    def _classes(self, name: str, value: Any, count: int) -> Tensor | None:
        classes = check_classes(name, value, count, self.num_classes)
        return None if classes is None else self._indices(classes)

    def _indices(self, classes: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(classes).to(self._device)

    def _float(self, logits: Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
        rows = logits if logits.dtype == torch.float32 else logits.float()
        return np.asarray(rows.numpy(force=True)).reshape(len(logits) if logits.ndim > 1 else 1, -1)

    def _noise(self, shape: tuple[int, ...]) -> Tensor:
        generator = torch.Generator().manual_seed(len(shape) + shape[0])  # the user's generator stays as it is
        return torch.randn(shape, generator=generator, device="cpu", dtype=torch.float32).to(self._device, self._dtype)

    def _trial(self, shape: tuple[int, ...], memory_format: torch.memory_format) -> Tensor:
        """Random activations of two pictures."""
        return self._noise((2, *shape)).contiguous(memory_format=memory_format)


def _rows(weight: Tensor, target: Tensor, versus: Tensor | None, maps: Tensor) -> Tensor:
    """(N, C): what one unit at one position of a neuron adds to the chosen logit, or difference of logits."""
    weight = weight.detach().flatten(1)
    rows = weight[target]
    if versus is not None:
        rows = rows - weight[versus.clamp(min=0)] * (versus >= 0)[:, None]
    return rows.mul_(1 / (maps.shape[2] * maps.shape[3]))  # indexing has copied them


def _close(actual: Tensor, expected: Tensor) -> bool:
    """Equal up to rounding of their precision, relative to the largest value."""
    tolerance = 1e-4 if torch.finfo(expected.dtype).bits >= 32 else 3e-2
    scale = max(float(expected.abs().max()), 1e-12)
    return actual.shape == expected.shape and float((actual - expected).abs().max()) <= tolerance * scale


def _tensor(array: Any) -> Tensor:
    if isinstance(array, Tensor):
        return array
    array = np.asarray(array)
    return torch.from_numpy(array if array.flags.writeable and array.flags.c_contiguous else array.copy())


def _checked_size(size: Any) -> tuple[int, int]:
    values = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    if len(values) != 2 or not all(
        isinstance(v, (int, np.integer)) and not isinstance(v, bool) and v > 0 for v in values
    ):
        raise InputError(f"`input_size` must be (height, width) in pixels, got {size!r}; give two whole numbers.")
    return int(values[0]), int(values[1])
