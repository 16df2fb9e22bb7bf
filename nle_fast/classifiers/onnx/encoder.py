"""Encoders as ONNX files: one input, and vectors as the first output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers.onnx.graph import read_model
from nle_fast.classifiers.onnx.session import Session
from nle_fast.errors import ModelError

__all__ = ["open_encoder"]

#: What a graph's input may hold, as ONNX numbers it.
_KINDS = {1: np.float32, 6: np.int32, 7: np.int64}


def open_encoder(path: Path, device: object = None) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """A function from a batch of inputs to a batch of vectors (N, D).

    Raises:
        ModelError: The file is no ONNX graph with one float32, int32 or int64 input.
        BackendError: ONNX Runtime cannot open it; running it raises the same when it fails.
    """
    model = read_model(path)
    weights = {initializer.name for initializer in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    kinds = [_KINDS.get(value.type.tensor_type.elem_type) for value in inputs]
    if len(inputs) != 1 or kinds[0] is None:
        raise ModelError(
            f"`encoder` must have one input, of float32, int32 or int64, got {len(inputs)} in '{path}'; "
            "export it with the pictures, or the token ids, as its only input."
        )
    session, name, kind = Session(model, str(path), device), inputs[0].name, kinds[0]

    def encode(batch: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(session.run({name: batch.astype(kind, copy=False)})[0])

    return encode
