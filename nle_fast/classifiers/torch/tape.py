"""Records a network's forward pass as a list of operators, and plays back the part after one tensor.

While a network runs once, every operator that reaches torch's dispatcher is written down with the values it read and
made. Values are numbered, and an in-place operator gives its tensor, and every view of it, a new number; so "what do
the logits depend on" is a walk through numbers, whatever the network's Python code looks like.

The *head* of a value is all that must be computed again to get from it to the logits. If that walk reaches the picture,
something by-passes the value: it is not a cut. Two recordings, of two and of three pictures, tell which whole numbers
are batch sizes. Weights are kept by reference: the head always computes with the weights as they are.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

__all__ = ["Head", "NotACutError", "Op", "PerPicture", "Recording", "Ref", "UnlikeError", "leaves"]


class NotACutError(Exception):
    """Something computed from the picture reaches the logits without passing through the value."""


class UnlikeError(Exception):
    """Two recordings of one network differ in more than the batch size."""


@dataclass(frozen=True)
class Ref:
    """A tensor made on the tape, by its number."""

    value: int


@dataclass(frozen=True)
class PerPicture:
    """A whole number that is `factor` times the number of pictures."""

    factor: int


@dataclass(frozen=True)
class Op:
    """One call of an operator.

    Attributes:
        func: The operator, e.g. `torch.ops.aten.addmm.default`.
        args: Positional arguments; tensors made on the tape are `Ref`, others stand for themselves.
        kwargs: Keyword arguments, likewise.
        made: Number of each tensor in the result, in order; None for one that was known before.
        renamed: After → before, for tensors that the operator wrote to, and their views.
        foreign: It wrote to a tensor from outside the tape, such as a buffer of the network.
    """

    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    made: tuple[int | None, ...] = ()
    renamed: dict[int, int] = field(default_factory=dict)
    foreign: bool = False

    @property
    def reads(self) -> set[int]:
        """Numbers of the values among the arguments."""
        return {leaf.value for leaf in leaves((self.args, self.kwargs)) if isinstance(leaf, Ref)}

    @property
    def results(self) -> list[int]:
        """Numbers of all values that exist only after this operator."""
        return [value for value in self.made if value is not None] + list(self.renamed)


class Recording(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Use as a context around one forward pass; `picture` is the network's input.

    Attributes:
        ops: The operators, in order.
        picture: Number of the input.
        writes_picture: Does the network write to its input?
    """

    def __init__(self, picture: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.ops: list[Op] = []
        self.writes_picture = False
        self._numbers: Any = WeakTensorKeyDictionary()
        self._count = 0
        self._storage = _storage(picture)
        self.picture = self._number(picture)

    def number(self, tensor: Tensor) -> int | None:
        """The number under which `tensor` is known at this moment, or None."""
        found = self._numbers.get(tensor)
        return None if found is None else int(found)

    def _number(self, tensor: Tensor) -> int:
        self._numbers[tensor] = self._count
        self._count += 1
        return self._count - 1

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operator and write it down."""
        kwargs = kwargs or {}
        named_args = tuple(map_leaves(self._refer, arg) for arg in args)
        named_kwargs = {key: map_leaves(self._refer, value) for key, value in kwargs.items()}
        result = func(*args, **kwargs)

        renamed: dict[int, int] = {}
        foreign = False
        written = list(_written(func, args, kwargs)) if func._schema.is_mutable else []
        for tensor in written:
            foreign = foreign or self.number(tensor) is None
            storage = _storage(tensor)
            self.writes_picture = self.writes_picture or storage == self._storage
            for alias, before in list(self._numbers.items()):
                if alias is tensor or (storage is not None and _storage(alias) == storage):
                    renamed[self._number(alias)] = before
            if self.number(tensor) is None:  # What reads it from now on leads back to this operator.
                outside = self._number(tensor)
                renamed[outside] = outside
        made = []
        for leaf in leaves(result):
            if isinstance(leaf, Tensor):
                known = any(leaf is other for other in written) or self.number(leaf) is not None
                made.append(None if known else self._number(leaf))
        self.ops.append(Op(func, named_args, named_kwargs, tuple(made), renamed, foreign))
        return result

    def _refer(self, leaf: Any) -> Any:
        number = self.number(leaf) if isinstance(leaf, Tensor) else None
        return leaf if number is None else Ref(number)

    def maker(self, value: int) -> Op | None:
        """The operator that a value came from."""
        return next((op for op in self.ops if value in op.made), None)

    def leading_to(self, output: int) -> set[int]:
        """All values that `output` was computed from, and itself."""
        found = {output}
        for op in reversed(self.ops):
            wanted = found.intersection(op.results)
            if wanted:
                found |= op.reads | {op.renamed[value] for value in wanted if value in op.renamed}
        return found

    def head(self, entry: int, output: int) -> list[Op]:
        """The operators, in order, that compute `output` from `entry` and the weights alone.

        Raises:
            NotACutError: The picture reaches `output` without passing through `entry`, or `entry` does not reach it.
        """
        chosen, needed, used = leading(self.ops, entry, output)
        if self.picture in needed - {entry} or not used:
            raise NotACutError
        return chosen


def leading(ops: list[Op], entry: int, output: int) -> tuple[list[Op], set[int], bool]:
    """The operators, in order, that compute `output` from `entry`; what else they need; whether `entry` is used."""
    needed, chosen, used = {output}, [], False
    for op in reversed(ops):
        if entry in needed:
            needed.discard(entry)
            used = True
        wanted = needed.intersection(op.results)
        if wanted:
            needed -= wanted
            needed |= op.reads | {op.renamed[value] for value in wanted if value in op.renamed}
            chosen.append(op)
    return chosen[::-1], needed, used or entry in needed


class Head:
    """What comes after one tensor: plays back for any number of pictures, on the weights as they are now.

    Args:
        small: The operators of a recording of two pictures.
        large: The same of three pictures.
        ends: (entry, output) of each recording.

    Raises:
        UnlikeError: The recordings differ in more than the batch size, or the head writes to the network's own tensors.
    """

    def __init__(self, small: list[Op], large: list[Op], ends: tuple[tuple[int, int], tuple[int, int]]) -> None:
        if len(small) != len(large):
            raise UnlikeError("the number of operators depends on the pictures")
        first, second = _Renumber(ends[0]), _Renumber(ends[1])
        pairs = zip((first(op) for op in small), (second(op) for op in large), strict=True)
        self.ops = [_merge_ops(one, two) for one, two in pairs]
        self.entry, self.output = 0, first.output()
        if self.output != second.output():
            raise UnlikeError("the logits come from different operators")
        if any(op.foreign for op in self.ops):
            raise UnlikeError("it writes to the network's own tensors")
        self._mutates = any(op.renamed for op in self.ops)
        self._last_use = self._uses()

    def changed(self, ops: Mapping[int, Op]) -> Head:
        """This head with other operators in some places; each reads and makes the values of the one before it."""
        head = copy.copy(self)
        head.ops = [ops.get(index, op) for index, op in enumerate(self.ops)]
        return head

    def part(self, entry: int, output: int) -> Head | None:
        """The stretch from one value to another; None where it needs more than `entry`."""
        ops, needed, used = leading(self.ops, entry, output)
        if needed - {entry} or not used:
            return None
        head = copy.copy(self)
        head.ops, head.entry, head.output = ops, entry, output
        head._mutates = any(op.renamed for op in ops)
        head._last_use = head._uses()
        return head

    def _uses(self) -> list[list[int]]:
        """For each operator the values that nothing needs after it."""
        seen = {self.output}
        dead: list[list[int]] = []
        for op in reversed(self.ops):
            touched = op.reads.union(op.results, op.renamed.values())
            dead.append([value for value in touched if value not in seen])
            seen |= touched
        return dead[::-1]

    def __call__(self, activations: Tensor, watch: Callable[[Op, list[Any], Any], None] | None = None) -> Tensor:
        """Compute the output from `activations` (N, C, H, W), which are not written to.

        `watch` is called after each operator with the operator, its arguments and its result.
        """
        count = activations.shape[0]
        values = {self.entry: activations.clone() if self._mutates else activations}

        def fill(leaf: Any) -> Any:
            if type(leaf) is Ref:
                return values[leaf.value]
            return leaf.factor * count if type(leaf) is PerPicture else leaf

        for op, dead in zip(self.ops, self._last_use, strict=True):
            args = [map_leaves(fill, arg) for arg in op.args]
            result = op.func(*args, **{key: map_leaves(fill, value) for key, value in op.kwargs.items()})
            for after, before in op.renamed.items():
                if before in values:  # views that the head does not use were never made
                    values[after] = values[before]
            if isinstance(result, Tensor):
                if op.made[0] is not None:
                    values[op.made[0]] = result
            else:
                tensors = (leaf for leaf in leaves(result) if isinstance(leaf, Tensor))
                values.update((name, leaf) for name, leaf in zip(op.made, tensors, strict=False) if name is not None)
            if watch is not None:
                watch(op, args, result)
            del args, result
            for value in dead:
                values.pop(value, None)
        return values[self.output]


class _Renumber:
    """Numbers values by first appearance, the entry being 0, so that two recordings can be compared."""

    def __init__(self, ends: tuple[int, int]) -> None:
        self._names = {ends[0]: 0}
        self._end = ends[1]

    def _name(self, value: int) -> int:
        return self._names.setdefault(value, len(self._names))

    def output(self) -> int:
        return self._name(self._end)

    def __call__(self, op: Op) -> Op:
        def rename(leaf: Any) -> Any:
            return Ref(self._name(leaf.value)) if isinstance(leaf, Ref) else leaf

        return replace(
            op,
            args=tuple(map_leaves(rename, arg) for arg in op.args),
            kwargs={key: map_leaves(rename, value) for key, value in op.kwargs.items()},
            renamed={self._name(after): self._name(before) for after, before in op.renamed.items()},
            made=tuple(None if value is None else self._name(value) for value in op.made),
        )


def _merge_ops(one: Op, two: Op) -> Op:
    if one.func is not two.func or one.kwargs.keys() != two.kwargs.keys() or len(one.args) != len(two.args):
        raise UnlikeError(f"`{one.func}` for two pictures is `{two.func}` for three")
    try:
        args = tuple(_merge(a, b) for a, b in zip(one.args, two.args, strict=True))
        kwargs = {key: _merge(one.kwargs[key], two.kwargs[key]) for key in one.kwargs}
    except UnlikeError as err:
        raise UnlikeError(
            f"an argument of `{one.func}` depends on the pictures or cannot be known not to: {err}"
        ) from None
    return replace(one, args=args, kwargs=kwargs, foreign=one.foreign or two.foreign)


def _merge(one: Any, two: Any) -> Any:
    """The argument that stands for `one` with two pictures and for `two` with three."""
    if isinstance(one, (list, tuple)) and isinstance(two, (list, tuple)) and len(one) == len(two):
        merged = [_merge(a, b) for a, b in zip(one, two, strict=True)]
        return merged if isinstance(one, list) else tuple(merged)
    if isinstance(one, Tensor) and isinstance(two, Tensor):
        if one is two or (one.shape == two.shape and one.dtype == two.dtype and torch.equal(one, two)):
            return one
        raise UnlikeError("a tensor made outside torch")
    if type(one) is int and type(two) is int and one != two and 3 * one == 2 * two:
        return PerPicture(one // 2)
    if one is two or (type(one) is type(two) and _equal(one, two)):
        return one
    raise UnlikeError(f"{one!r} for two, {two!r} for three")


def _equal(one: Any, two: Any) -> bool:
    try:
        return bool(one == two)
    except NotImplementedError:  # as the packed weights of quantized layers say
        raise UnlikeError(f"{type(one).__name__} cannot be compared") from None


def map_leaves(change: Callable[[Any], Any], item: Any) -> Any:
    """`item` with `change` applied to every leaf of its lists and tuples."""
    if type(item) is list or type(item) is tuple:
        return type(item)(map_leaves(change, part) for part in item)
    return change(item)


def leaves(item: Any) -> Iterator[Any]:
    """What the lists, tuples and dictionaries of `item` hold, in order."""
    if isinstance(item, (list, tuple)):
        for part in item:
            yield from leaves(part)
    elif isinstance(item, Mapping):
        yield from leaves(list(item.values()))
    else:
        yield item


def _written(func: Any, args: Iterable[Any], kwargs: Mapping[str, Any]) -> Iterator[Tensor]:
    """The tensors that an operator writes to, by its schema."""
    schema = func._schema.arguments
    for argument, value in [*zip(schema, args, strict=False), *((a, kwargs.get(a.name)) for a in schema)]:
        if argument.alias_info is not None and argument.alias_info.is_write:
            yield from (leaf for leaf in leaves(value) if isinstance(leaf, Tensor))


def _storage(tensor: Tensor) -> int | None:
    try:
        return int(tensor.untyped_storage()._cdata)
    except (RuntimeError, NotImplementedError):  # sparse and opaque tensors have none
        return None
