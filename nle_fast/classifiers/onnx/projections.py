"""What features make of a layer, as operators behind the network: one run gives their projections, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, helper, numpy_helper

from nle_fast.classifiers.onnx.gradients import GRADIENT

if TYPE_CHECKING:
    from nle_fast.classifiers.features import Features

__all__ = ["ALONG", "PROJECTIONS", "with_projections"]

#: `encoder` · activations + `offset`, and `decoder` · gradients; (N, K, H, W).
PROJECTIONS, ALONG = "nle_fast.projections", "nle_fast.along"


def with_projections(
    model: ModelProto, layer: str, kind: np.dtype[Any], shape: Sequence[int | None], features: Features
) -> ModelProto:
    """A network with the encoder of features at its layer, and the decoder at its gradient where it gives one.

    Args:
        model: Gives the layer's output; is added to.
        layer: Name of the layer.
        kind: What it is computed in.
        shape: (N, any, H, W) of its output; None where it is open.
        features: Of this layer.
    """
    graph = model.graph
    sizes = [shape[0], len(features), *shape[2:]]

    def add(source: str, made: str, **weights: NDArray[np.float32]) -> None:
        names = [f"{made}.{name}" for name in weights]
        given = zip(names, weights.values(), strict=True)
        graph.initializer.extend(numpy_helper.from_array(weight.astype(kind), name) for name, weight in given)
        graph.node.append(helper.make_node("Conv", [source, *names], [made]))
        graph.output.append(helper.make_tensor_value_info(made, helper.np_dtype_to_tensor_dtype(kind), sizes))

    add(layer, PROJECTIONS, encoder=features.encoder[:, :, None, None], offset=features.offset)
    if any(output.name == GRADIENT for output in graph.output):
        add(GRADIENT, ALONG, decoder=features.decoder[:, :, None, None])
    return model
