"""Exports of the test networks to ONNX, and what torch and Captum say about the same networks."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import torch
from networks import CASES, Case, build, pictures
from onnx_cases import Builder

__all__ = ["BY_NAME", "captum_scores", "close", "exported", "plain", "reference", "tensor_of", "torch_logits"]

BY_NAME = {case.name: case for case in CASES}


@cache
def folder() -> Path:
    """A scratch folder that goes when the tests end."""
    path = tempfile.mkdtemp(prefix="nle_fast_exports_")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


@cache
def exported(name: str, dynamo: bool = False) -> Path:
    """The network of the case `name` as ONNX, for any number of pictures."""
    case, file = BY_NAME[name], folder() / f"{name}_{dynamo}.onnx"
    names: dict[str, Any] = {"input_names": ["picture"], "output_names": ["logits"]}
    if dynamo:
        names["dynamic_shapes"] = ({0: torch.export.Dim("n", min=1, max=64)},)
    else:
        names["dynamic_axes"] = {"picture": {0: "n"}, "logits": {0: "n"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(build(case), (pictures(case),), str(file), dynamo=dynamo, verbose=False, **names)
    return file


def tensor_of(path: Path, case: Case, module: str) -> str:
    """The ONNX tensor that has the values of a torch module's output (the last one, where it is called twice)."""
    model, found = build(case), {}
    model.get_submodule(module).register_forward_hook(lambda _m, _i, out: found.update(out=out.clone()))
    x = pictures(case)
    with torch.inference_mode():
        model(x)
    wanted = found["out"].numpy()
    proto = onnx.load(str(path))
    names = [name for node in proto.graph.node for name in node.output]
    del proto.graph.output[:]
    proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    session = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    values = dict(zip(names, session.run(None, {session.get_inputs()[0].name: x.numpy()}), strict=True))
    return [
        name
        for name, value in values.items()
        if np.shape(value) == wanted.shape and np.allclose(value, wanted, rtol=1e-3, atol=1e-4)
    ][-1]


def captum_scores(case: Case, module: str, target: np.ndarray) -> np.ndarray:
    from captum.attr import LayerGradientXActivation

    model = build(case)
    layer = model.get_submodule(module)
    logits = torch.nn.Sequential(*model.head[:-1]) if case.name == "probabilities" else None
    forward = (lambda x: logits(model.features(x))) if logits is not None else model
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = LayerGradientXActivation(forward, layer).attribute(pictures(case), target=torch.tensor(target))
    result = result[-1] if isinstance(result, tuple) else result
    return result.detach().double().sum((2, 3)).numpy()


def torch_logits(case: Case) -> np.ndarray:
    model = build(case)
    with torch.inference_mode():
        x = pictures(case)
        if case.name == "probabilities":
            return torch.nn.Sequential(*model.head[:-1])(model.features(x)).numpy()
        return model(x).numpy()


def close(actual: np.ndarray, wanted: np.ndarray, tolerance: float = 1e-4) -> None:
    np.testing.assert_allclose(actual, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())


def reference(path: Path, images: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"picture": images[i : i + 1]})[0] for i in range(len(images))])


def plain(g: Builder, a: str) -> str:
    return g("Relu", g("Sub", a, g.const(1)))
