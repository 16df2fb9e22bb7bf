"""A network cut before its first operator, so that its "activations" are the picture: gradients with respect to pixels.

The same two backends give them, since to them the picture is a layer like any other once something comes before it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from nle_fast.classifiers.base import Classifier
from nle_fast.errors import GradientUnavailableError

__all__ = ["cut_at_picture"]

_PICTURE = "nle_fast.picture"


def cut_at_picture(model: Any, *, input_size: tuple[int, int] = (224, 224)) -> Classifier:
    """The network as a classifier whose three neurons are red, green and blue.

    Args:
        model: A `torch.nn.Module` or the path of an .onnx file.
        input_size: (height, width) of the pictures, for a torch module.

    Raises:
        GradientUnavailableError: Neither of these, or an operator of the network has no gradient here.
    """
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(model, torch.nn.Module):
        from nle_fast.classifiers.torch.model import TorchClassifier

        return TorchClassifier(torch.nn.Sequential(torch.nn.Identity(), model), "0", input_size=input_size)
    if not isinstance(model, (str, os.PathLike)):
        raise GradientUnavailableError(
            "`model` must be a torch.nn.Module or the path of an .onnx file to be read at its pixels, got "
            f"{type(model).__name__}; leave out what needs the gradient of the picture."
        )
    import onnx

    from nle_fast.classifiers.onnx.model import OnnxClassifier

    network = onnx.load(os.fspath(model))
    weights = {tensor.name for tensor in network.graph.initializer}
    picture = next(entry.name for entry in network.graph.input if entry.name not in weights)
    for node in network.graph.node:
        for place, name in enumerate(node.input):
            if name == picture:
                node.input[place] = _PICTURE
    network.graph.node.insert(0, onnx.helper.make_node("Identity", [picture], [_PICTURE]))
    # The classifier reads a file; it has read it when the folder goes.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        onnx.save(network, path)
        return OnnxClassifier(path, _PICTURE)
