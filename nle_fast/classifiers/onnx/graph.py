"""An ONNX file as a graph: what computes what, which values are constant, and how to cut a piece out of it."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper
from onnx.external_data_helper import load_external_data_for_model, uses_external_data

from nle_fast.classifiers.onnx.session import one_line
from nle_fast.errors import ModelError, NleWarning

__all__ = ["VALUE_FREE", "Graph", "Shape", "attributes", "converted", "file_fingerprint", "read_model", "reads"]

Array = NDArray[Any]
Shape = tuple[int | None, ...]  # None: differs from run to run, as the number of pictures does
OLDEST_OPSET = 9
MAX_INPUT = 1 << 27  # 512 MiB in float32: a file of a few bytes must not use up all memory
VALUE_FREE = frozenset({"Shape", "Size"})  # Their result depends on the size of the picture, not on the picture.


def read_model(path: str | os.PathLike[str]) -> ModelProto:
    """The network in a file, with its external data and its local functions written out.

    Raises:
        ModelError: No such file, not ONNX, truncated, external data missing, or more than one default opset.
    """
    file = Path(path)
    if not os.path.isfile(file):
        kind = "a folder" if os.path.isdir(file) else "no file"
        raise ModelError(f"`model` must be an ONNX file, got {file}, which is {kind}; check the path.")
    try:
        model = onnx.load(str(file), load_external_data=False)
    except Exception as error:
        raise ModelError(
            f"`model` must be an ONNX file, got {file}, which cannot be parsed: {one_line(error)}; "
            "it may be truncated or of another format: download or export it again."
        ) from error
    if not model.graph.node or not model.ir_version:
        raise ModelError(f"`model` must be an ONNX network, got {file} without operators; export it again.")
    if model.ir_version > onnx.IR_VERSION:
        raise ModelError(
            f"`model` must have an IR version up to {onnx.IR_VERSION}, got {model.ir_version} in {file}; "
            "upgrade onnx and onnxruntime, or export for an older opset."
        )
    try:
        load_external_data_for_model(model, str(file.parent))
    except Exception as error:
        raise ModelError(
            f"`model` must come with its external data, got {file}, whose weights cannot be read: {one_line(error)}; "
            "keep the data files beside the .onnx file."
        ) from error
    for tensor in model.graph.initializer:
        if any(extent < 0 for extent in tensor.dims):
            raise ModelError(
                f"`model` must have weights of possible shapes, got {tuple(tensor.dims)} for {tensor.name!r} "
                f"in {file}; export it again."
            )
    if model.functions:
        from onnx.inliner import inline_local_functions

        model = inline_local_functions(model)
    if _opset(model) < OLDEST_OPSET:
        model = converted(model, 16, str(file))
    return model


def _opset(model: ModelProto) -> int:
    return next((int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 1)


def converted(model: ModelProto, opset: int, source: str) -> ModelProto:
    """The same network at a newer opset.

    Raises:
        ModelError: onnx.version_converter cannot convert it.
    """
    from onnx.version_converter import convert_version

    try:
        newer = convert_version(model, opset)
    except Exception as error:
        raise ModelError(
            f"`model` must be convertible to opset {opset}, got {source} with opset {_opset(model)}: "
            f"{one_line(error)}; export it again with opset {opset} or newer."
        ) from error
    message = f"{source} was converted in memory from opset {_opset(model)} to {opset}, which its gradient needs."
    warnings.warn(message, NleWarning, stacklevel=4)
    return newer


def file_fingerprint(path: str | os.PathLike[str], *salt: str) -> str:
    """blake2b (16 bytes, hexadecimal) over the bytes of the file, of its external data, and `salt`."""
    digest = blake2b(digest_size=16)
    file = Path(path)
    model = onnx.load(str(file), load_external_data=False)
    entries = [
        entry for tensor in model.graph.initializer if uses_external_data(tensor) for entry in tensor.external_data
    ]
    others = sorted({entry.value for entry in entries if entry.key == "location"})
    for part in (file, *(file.parent / other for other in others)):
        with part.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    for text in salt:
        digest.update(b"\0" + text.encode())
    return digest.hexdigest()


def attributes(node: NodeProto) -> dict[str, Any]:
    """The attributes of a node as Python values; texts as `str`."""
    values = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in values.items()}


def reads(node: NodeProto) -> set[str]:
    """Names of the tensors that a node reads, those of its sub-graphs included."""
    names = set(node.input)
    for attribute in node.attribute:
        bodies = [attribute.g] if attribute.type == AttributeProto.GRAPH else list(attribute.graphs)
        for body in bodies:
            own = {value.name for value in (*body.input, *body.initializer)}
            own.update(name for inner in body.node for name in inner.output)
            names.update(name for inner in body.node for name in reads(inner) if name not in own)
            names.update(value.name for value in body.output if value.name not in own)
    names.discard("")
    return names


class Graph:
    """A parsed network with one picture as its input.

    Attributes:
        source: The path, for messages.
        model: The file's content.
        opset: Version of the default operator set.
        nodes: In an order in which they can be run.
        producer: Tensor → the node that computes it.
        initializers: Tensor → stored weights.
        picture: Name of the input; `picture_shape` its declared shape, `picture_dtype` its type.
        dependent: Names of the tensors whose values depend on the picture.
        shapes: Tensor → shape, set by `probe.measure`.

    Raises:
        ModelError: The network has several inputs, or one that is not a 4-D float32 or float16 batch.
    """

    def __init__(self, model: ModelProto, source: str) -> None:
        self.source = source
        self.model = model
        self.opset = _opset(model)
        self.initializers: dict[str, TensorProto] = {tensor.name: tensor for tensor in model.graph.initializer}
        self.nodes = _sorted(model.graph, set(self.initializers), source)
        self.producer = {name: node for node in self.nodes for name in node.output if name}
        self.picture, self.picture_shape, self.picture_dtype = self._picture()
        self.dependent = self.depends_on(self.picture)
        self.shapes: dict[str, Shape] = {}
        self._dtypes = self._types()
        self._constants: dict[str, Array | None] = {}

    @property
    def channels_last(self) -> bool:
        """Are the pictures (N, height, width, 3)?"""
        return self.picture_shape[3] == 3 and self.picture_shape[1] != 3

    @property
    def picture_size(self) -> Shape:
        """(height, width) as the file declares them."""
        return self.picture_shape[1:3] if self.channels_last else self.picture_shape[2:]

    def is_tensor(self, name: str) -> bool:
        """Is it a plain tensor, as far as is known, and not a sequence or an optional value?"""
        return name not in self._untyped

    def _picture(self) -> tuple[str, Shape, np.dtype[Any]]:
        inputs = [value for value in self.model.graph.input if value.name not in self.initializers]
        if len(inputs) != 1:
            raise ModelError(
                f"`model` must have one input, the picture, got {len(inputs)} in {self.source}: "
                f"{', '.join(value.name for value in inputs)}; export it with the others fixed."
            )
        tensor = inputs[0].type.tensor_type
        kind = TensorProto.DataType.Name(tensor.elem_type)
        dims = tuple(int(dim.dim_value) if dim.dim_value > 0 else None for dim in tensor.shape.dim)
        if kind not in ("FLOAT", "FLOAT16") or len(dims) != 4:
            raise ModelError(
                f"`model` must read pictures (N, 3, height, width) in float32 or float16, got input "
                f"{inputs[0].name!r} of type {kind} and shape {dims} in {self.source}; export a float network, "
                "and leave its normalization to Preprocess."
            )
        if math.prod(extent or 1 for extent in dims) > MAX_INPUT:
            raise ModelError(
                f"`model` must read at most {MAX_INPUT:,} numbers at a time, got input {inputs[0].name!r} of shape "
                f"{dims} in {self.source}; export it for smaller pictures, or fewer."
            )
        return inputs[0].name, dims, helper.tensor_dtype_to_np_dtype(tensor.elem_type)

    def _types(self) -> dict[str, int]:
        """Element types; the shapes that inference gives are not used, as they are not always complete."""
        try:
            graph = onnx.shape_inference.infer_shapes(self.model).graph
        except Exception:  # Inference is a help: what it does not know is taken to be of the picture's type.
            graph = self.model.graph
        values = [*graph.value_info, *graph.output, *graph.input]
        self._untyped = {value.name for value in values if not value.type.HasField("tensor_type")}
        types = {value.name: int(value.type.tensor_type.elem_type) for value in values}
        types.update({name: int(tensor.data_type) for name, tensor in self.initializers.items()})
        return {name: kind for name, kind in types.items() if kind}

    def dtype(self, name: str) -> np.dtype[Any]:
        """The element type of a tensor; the picture's where it is not known."""
        kind = self._dtypes.get(name)
        return self.picture_dtype if kind is None else helper.tensor_dtype_to_np_dtype(kind)

    def is_float(self, name: str) -> bool:
        """Does the tensor hold floating point numbers?"""
        return bool(np.issubdtype(self.dtype(name), np.floating))

    def depends_on(self, name: str) -> set[str]:
        """`name` and every tensor whose values depend on the values of `name`."""
        found = {name}
        for node in self.nodes:
            if node.op_type not in VALUE_FREE and not found.isdisjoint(reads(node)):
                found.update(output for output in node.output if output)
        return found

    def ancestors(self, names: Iterable[str], stop: str = "") -> set[str]:
        """`names` and every tensor that they are computed from, not looking behind `stop`."""
        found: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                if name != stop and name in self.producer:
                    todo.extend(reads(self.producer[name]))
        return found

    def constant(self, name: str) -> Array | None:
        """The value of a tensor that is the same for every picture, or None."""
        if name not in self._constants:
            self._constants[name] = self._fold(name)
        return self._constants[name]

    def _fold(self, name: str) -> Array | None:
        if name in self.initializers:
            return numpy_helper.to_array(self.initializers[name])
        node = self.producer.get(name)
        if node is None or name in self.dependent or len(node.output) != 1 or node.op_type.startswith("Random"):
            return None
        if node.op_type == "Shape" and node.input[0] in self.shapes:
            settings = attributes(node)
            bounds = slice(settings.get("start", 0), settings.get("end"))
            shape = self.shapes[node.input[0]][bounds]
            return None if None in shape else np.array(shape, dtype=np.int64)
        values = {read: self.constant(read) for read in reads(node)}
        known = {read: value for read, value in values.items() if value is not None}
        if len(known) != len(values):
            return None
        from onnx.reference import ReferenceEvaluator

        try:
            infos = [ValueInfoProto(name=read) for read in known]
            graph = helper.make_graph([node], "constant", infos, [ValueInfoProto(name=name)])
            model = helper.make_model(graph, opset_imports=list(self.model.opset_import))
            results: Any = ReferenceEvaluator(model).run(None, known)
        except Exception:  # An operator that onnx cannot evaluate is no constant to us; ONNX Runtime still runs it.
            return None
        return np.asarray(results[0])

    def cut_out(
        self,
        nodes: Sequence[NodeProto],
        weights: Iterable[TensorProto],
        inputs: Sequence[ValueInfoProto],
        outputs: Sequence[ValueInfoProto],
    ) -> ModelProto:
        """The part of `nodes` that `outputs` need, as a network of its own."""
        needed = {value.name for value in outputs}
        kept: list[NodeProto] = []
        given = {value.name for value in inputs}
        for node in reversed(nodes):
            if not needed.isdisjoint(output for output in node.output if output not in given):
                kept.append(node)
                needed |= reads(node)
        stored = {**self.initializers, **{tensor.name: tensor for tensor in weights}}
        initializers = [tensor for name, tensor in stored.items() if name in needed and name not in given]
        graph = helper.make_graph(kept[::-1], "nle_fast", inputs, outputs, initializers)
        model = helper.make_model(graph, opset_imports=list(self.model.opset_import), producer_name="nle_fast")
        model.ir_version = max(self.model.ir_version, 4)  # from 4 on, weights need not be inputs
        return model

    def picture_info(self, batch: int | None) -> ValueInfoProto:
        """The declaration of the input for a fixed number of pictures, or for any (None)."""
        shape = (batch or "nle_fast_N", *self.picture_shape[1:])
        return helper.make_tensor_value_info(self.picture, helper.np_dtype_to_tensor_dtype(self.picture_dtype), shape)

    def info(self, name: str) -> ValueInfoProto:
        """The declaration of any tensor as an input or output; what varies is left open."""
        kind = helper.np_dtype_to_tensor_dtype(self.dtype(name))
        return helper.make_tensor_value_info(name, kind, self.shapes.get(name))


def _sorted(graph: GraphProto, known: set[str], source: str) -> list[NodeProto]:
    """The nodes in an order in which they can be run; the file's own order where that is one."""
    known = known | {value.name for value in graph.input}
    known.update(tensor.values.name for tensor in graph.sparse_initializer)
    todo, order = list(graph.node), []
    while todo:
        waiting = []
        for node in todo:
            if reads(node) <= known:
                order.append(node)
                known.update(node.output)
            else:
                waiting.append(node)
        if len(waiting) == len(todo):
            missing = sorted(reads(todo[0]) - known)
            raise ModelError(
                f"`model` must be complete, got {source}, where nothing computes {missing}; export it again."
            )
        todo = waiting
    return order
