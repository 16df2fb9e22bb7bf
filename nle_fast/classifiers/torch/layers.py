"""Looks at a network once, operator by operator, and finds the layer to cut at."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nle_fast.classifiers.torch.head import before_softmax, class_maps
from nle_fast.classifiers.torch.tape import Head, NotACutError, Recording, UnlikeError
from nle_fast.classifiers.torch.twin import select, selector
from nle_fast.errors import LayerNotFoundError, ModelError

__all__ = ["Layer", "Look", "find_layer", "look_at"]

Trial = Callable[[tuple[int, ...], torch.memory_format], Tensor]


@dataclass(frozen=True)
class Mark:
    """One call of a module, where it ended.

    Attributes:
        name: Of the module.
        call: Which call it was, from 1.
        value: Number of its output on the recording; None when it is no tensor or was not computed by torch.
        output: What it returned, in words.
        shape: Of its output without the pictures, (C, H, W) for a layer that can be cut at.
        memory_format: How its output lies in memory.
    """

    name: str
    call: int
    value: int | None
    output: str
    shape: tuple[int, ...]
    memory_format: torch.memory_format

    @property
    def has_maps(self) -> bool:
        """Is the output a 4-D tensor?"""
        return self.value is not None and len(self.shape) == 3


@dataclass(frozen=True)
class Look:
    """One recorded forward pass.

    Attributes:
        recording: Every operator.
        marks: Every call of a module, in the order in which they ended; of modules with a call that the logits depend
            on only those.
        path: Where the logits are in what the network returns.
        num_classes: K.
        returned: Number of the tensor that the network returned there.
        logits: Number of the tensor of logits: the same, or what a trailing softmax was computed from.
    """

    recording: Recording
    marks: tuple[Mark, ...]
    path: tuple[Any, ...]
    num_classes: int
    returned: int
    logits: int

    def last_call(self, name: str) -> Mark | None:
        """Where the last call of a module ended; None when it was not called."""
        return next((mark for mark in reversed(self.marks) if mark.name == name), None)


@dataclass(frozen=True)
class Layer:
    """The layer to cut at.

    Attributes:
        name: Of the module.
        call: Which of its calls, from 1.
        shape: (C, H, W) of its output.
        memory_format: How its output lies in memory.
        head: From there to the logits.
        whole: From there to what the network returns, with a trailing softmax if there is one.
    """

    name: str
    call: int
    shape: tuple[int, ...]
    memory_format: torch.memory_format
    head: Head
    whole: Head


def look_at(twin: nn.Module, pictures: Tensor, output: Any) -> Look:
    """Run the twin on `pictures` and write everything down; its hooks are as before afterwards.

    Raises:
        ModelError: It is not clear where the logits are.
    """
    marks: list[Mark] = []
    calls: Counter[str] = Counter()
    recording = Recording(pictures)

    def marker(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def mark(module: nn.Module, args: Any, result: Any) -> None:
            calls[name] += 1
            marks.append(_mark(name, calls[name], result, recording))

        return mark

    handles = [module.register_forward_hook(marker(name)) for name, module in twin.named_modules() if name]
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # The fused attention has no gradient.
    try:
        with recording:
            result = twin(pictures)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for handle in handles:
            handle.remove()
    path = selector(result, output, len(pictures))
    logits = select(result, path)
    number = recording.number(logits)
    if number is None:
        raise ModelError(
            "`model` must compute its logits with torch, got a tensor made elsewhere; use torch operators."
        )
    leading = recording.leading_to(number)
    useful = {mark.name for mark in marks if mark.value in leading}
    kept = tuple(mark for mark in marks if mark.name not in useful or mark.value in leading)
    return Look(recording, kept, path, int(logits.shape[1]), number, before_softmax(recording, number))


def _mark(name: str, call: int, result: Any, recording: Recording) -> Mark:
    if not isinstance(result, Tensor):
        return Mark(name, call, None, type(result).__name__, (), torch.contiguous_format)
    channels_last = result.ndim == 4 and not result.is_contiguous()
    channels_last = channels_last and result.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    shape = tuple(result.shape)
    return Mark(name, call, recording.number(result), f"a tensor {shape}", shape[1:], layout)


def find_layer(twin: nn.Module, name: str | None, looks: tuple[Look, Look], trial: Trial) -> Layer:
    """The layer called `name`, or the default one.

    Args:
        twin: The network.
        name: Module name; None: the last 4-D output with more than one position that is a cut and not merely class
            maps; of several modules with that output the outermost.
        looks: Recordings of two and of three pictures.
        trial: Makes random activations of a shape (C, H, W) in a memory format.

    Raises:
        LayerNotFoundError: No module has that name.
        ModelError: The layer is never called, has no 4-D output, is not a cut, or its head cannot be played back.
    """
    if name is None:
        return _default(looks, trial)
    modules = dict(twin.named_modules(remove_duplicate=False))
    wanted = name.replace("_orig_mod.", "")  # as a compiled module spells it
    if wanted not in modules:
        wanted = wanted.removeprefix("module.")  # as DataParallel spells it
    if not wanted or wanted not in modules:
        near = difflib.get_close_matches(wanted, filter(None, modules), n=3, cutoff=0.4) or [
            mark.name for mark in looks[0].marks
        ]
        raise LayerNotFoundError(
            f"`layer` must be the name of a module of the network, got {name!r}; "
            f"did you mean {_choice(dict.fromkeys(near[-3:]))}?"
        )
    first = {module: found for found, module in twin.named_modules()}[modules[wanted]]
    mark = looks[0].last_call(first)
    if mark is None:
        raise ModelError(f"`layer` must take part in the forward pass, got {name!r}, which is never called; "
                         f"choose {_nearest(looks, None)}.")  # fmt: skip
    if not mark.has_maps:
        raise ModelError(f"`layer` must have a 4-D output (N, C, H, W), got {name!r} with {mark.output}; "
                         f"choose {_nearest(looks, mark)}.")  # fmt: skip
    try:
        return _cut(looks, mark)
    except NotACutError:
        raise ModelError(
            f"`layer` must be a cut, all that reaches the logits passing through it, got {name!r}, which other "
            f"paths by-pass or which the logits do not depend on; choose {_nearest(looks, mark)}."
        ) from None
    except UnlikeError as err:
        raise _unlike(name, err) from None


def _default(looks: tuple[Look, Look], trial: Trial) -> Layer:
    reason: UnlikeError | None = None
    for mark in _candidates(looks[0]):
        if len(mark.shape) == 3 and mark.shape[1] * mark.shape[2] > 1:
            try:
                layer = _cut(looks, mark)
            except NotACutError:
                continue
            except UnlikeError as err:
                reason = err
                continue
            if mark.shape[0] == looks[0].num_classes and class_maps(layer.head, trial(mark.shape, mark.memory_format)):
                continue
            return layer
    if reason is not None:
        raise _unlike(None, reason)
    raise ModelError(
        "`model` must have a module with a 4-D output (N, C, H, W), H · W > 1, through which all that reaches the "
        "logits passes, got none; is it a CNN? Give its feature maps a module of their own, e.g. torch.nn.Identity()."
    )


def _candidates(look: Look) -> Iterator[Mark]:
    """Last calls of modules with 4-D output, last first; of those with one and the same output the outermost."""
    last = [mark for mark in look.marks if mark.has_maps and mark is look.last_call(mark.name)]
    by_value: dict[int | None, list[Mark]] = {}
    for mark in last:
        by_value.setdefault(mark.value, []).append(mark)
    for marks in reversed(by_value.values()):
        yield min(marks, key=lambda mark: mark.name.count("."))


def _cut(looks: tuple[Look, Look], mark: Mark) -> Layer:
    other = looks[1].last_call(mark.name)
    if other is None or other.call != mark.call or mark.value is None or other.value is None:
        raise UnlikeError(f"`{mark.name}` is not called equally often")

    def head(ends: tuple[int, int]) -> Head:
        entries = mark.value or 0, other.value or 0
        ops = [look.recording.head(entry, end) for look, entry, end in zip(looks, entries, ends, strict=True)]
        return Head(ops[0], ops[1], ((entries[0], ends[0]), (entries[1], ends[1])))

    whole = head((looks[0].returned, looks[1].returned))
    stepped = looks[0].logits != looks[0].returned
    to_logits = head((looks[0].logits, looks[1].logits)) if stepped else whole
    return Layer(mark.name, mark.call, mark.shape, mark.memory_format, to_logits, whole)


def _nearest(looks: tuple[Look, Look], wrong: Mark | None) -> str:
    """Up to three layers that are cuts, nearest to `wrong` in order of execution."""
    order = looks[0].marks
    at = order.index(wrong) if wrong is not None else len(order)
    found: dict[str, None] = {}
    for mark in sorted(_candidates(looks[0]), key=lambda mark: abs(order.index(mark) - at)):
        try:
            looks[0].recording.head(mark.value or 0, looks[0].logits)
        except NotACutError:
            continue
        found[mark.name] = None
        if len(found) == 3:
            break
    return _choice(found)


def _choice(names: Any) -> str:
    return " or ".join(repr(name) for name in names) or "another network: none of its layers is a cut"


def _unlike(name: str | None, err: UnlikeError) -> ModelError:
    where = "its last layers" if name is None else f"`layer` {name!r}"
    return ModelError(
        f"The network after {where} must be the same operators for all pictures, but {err}; "
        "choose a later layer, or export the network to ONNX."
    )
