"""A torch module as an ONNX file: a bundle holds no pickled modules, which could run code when they are opened."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from nle_fast.errors import BackendError, InputError, ModelError

__all__ = ["save_onnx"]

OPSET = 17

#: Largest difference between the module's logits and the file's, as a share of the largest logit.
TOLERANCE = 1e-3


def save_onnx(module: Any, path: str | os.PathLike[str], side: int) -> Path:
    """Write a module as an ONNX file that takes any number of pictures, and run the file once against the module.

    Args:
        module: A `torch.nn.Module` from pictures (N, 3, side, side) to logits (N, K); left as it was.
        path: The `.onnx` file.
        side: Pixels per side of its input.

    Returns:
        The path.

    Raises:
        InputError: `module` is no torch module.
        BackendError: The module cannot be exported; torch's error is the cause.
        ModelError: The file does not compute what the module does.
    """
    import onnxruntime
    import torch

    if not isinstance(module, torch.nn.Module):
        raise InputError(f"`module` must be a torch.nn.Module, got {type(module).__name__}; pass the network itself.")
    path = Path(path)
    training = {name: part.training for name, part in module.named_modules()}
    first = next(module.parameters(), torch.zeros(1))
    pictures = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0)).to(first.device)
    try:
        module.eval()
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # The tracer warns of each Python number that it fixes.
            expected = module(pictures).float().cpu().numpy()
            torch.onnx.export(
                module,
                (pictures,),
                str(path),
                input_names=["images"],
                output_names=["logits"],
                dynamic_axes={"images": {0: "n"}, "logits": {0: "n"}},
                opset_version=OPSET,
                dynamo=False,
            )
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        # One picture, where two were exported: the number of pictures must not be fixed in the file.
        found = [session.run(None, {"images": pictures[at : at + 1].cpu().numpy()})[0] for at in range(2)]
    except Exception as error:  # torch raises whatever the module and its tracer trip over
        reason = " ".join(str(error).split())[:200]
        raise BackendError(
            f"`model` must be a module that torch exports to ONNX, got {type(module).__name__} ({reason}); export it "
            "yourself and pass the .onnx file."
        ) from error
    finally:
        for name, part in module.named_modules():
            part.training = training[name]
    difference = float(np.abs(np.concatenate(found) - expected).max())
    if not difference <= TOLERANCE * float(np.abs(expected).max()) + 1e-6:
        raise ModelError(
            f"`model` must compute the same in ONNX, got logits that differ by {difference:.3g}; export it "
            "yourself and pass the .onnx file."
        )
    return path
