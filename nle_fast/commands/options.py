"""Options that several commands share, with one help text each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from nle_fast.errors import ConfigError

__all__ = [
    "Concepts",
    "Debug",
    "Device",
    "Features",
    "Labels",
    "Layer",
    "Model",
    "Neurons",
    "Preprocess",
    "Verbalizer",
    "features_from",
]

Model = Annotated[
    Path | None, typer.Option(help="A bundle's folder, or an .onnx file; the embedded network if not given.")
]
Layer = Annotated[str | None, typer.Option(help="Layer whose neurons explain; the last one if not given.")]
Labels = Annotated[Path | None, typer.Option(help="Class names, one per line.")]
Concepts = Annotated[Path | None, typer.Option(help="Words for the neurons, .csv or .json.")]
Features = Annotated[
    Path | None, typer.Option(help="Learned directions of the layer, a .safetensors file; the bundle's if not given.")
]
Neurons = Annotated[bool, typer.Option("--neurons", help="The layer's own neurons, although the bundle has features.")]
Preprocess = Annotated[
    str | None, typer.Option(help="The network's preprocessing, as JSON or a .json file; the bundle's if not given.")
]
Verbalizer = Annotated[str, typer.Option(help="llama, template, or the path of a .gguf file.")]
Device = Annotated[str | None, typer.Option(help="Where the network runs, such as cuda.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def features_from(features: Path | None, neurons: bool) -> Path | Literal[False] | None:
    """What `--features` and `--neurons` mean for `Explainer`.

    Raises:
        ConfigError: Both were given.
    """
    if neurons and features is not None:
        raise ConfigError("`--neurons` must not come with `--features`, got both; leave one of them out.")
    return False if neurons else features
