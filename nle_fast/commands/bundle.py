"""`nle-fast bundle`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nle_fast.commands.common import one_line, one_line_errors, preprocess_from
from nle_fast.commands.options import Concepts, Debug, Features, Labels, Layer

__all__ = ["bundle"]


def bundle(
    out: Annotated[Path, typer.Option(help="The bundle's folder; must not exist yet.")],
    model: Annotated[Path | None, typer.Option(help="An .onnx file, or the folder of another bundle.")] = None,
    known: Annotated[
        str | None,
        typer.Option("--from", help="A network that a package knows: torchvision:NAME[.WEIGHTS] or timm:NAME."),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Its saved state, .safetensors or .pth; the package's own if not given.")
    ] = None,
    labels: Labels = None,
    concepts: Concepts = None,
    concepts_layer: Annotated[
        str | None, typer.Option(help="What the table calls the layer, if not as the network does.")
    ] = None,
    features: Features = None,
    reading: Annotated[
        str | None, typer.Option(help="What explanations name: features (if there are some) or neurons.")
    ] = None,
    layer: Layer = None,
    preprocess: Annotated[
        str | None,
        typer.Option(help="How pictures become its input, as JSON or a .json file; ImageNet's if not given."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What people call the network.")] = None,
    debug: Debug = False,
) -> None:
    """Put a network and what belongs to it into one folder that --model opens."""
    with one_line_errors(debug, interrupted="nothing is written."):
        from nle_fast.pack import pack_bundle

        folder = pack_bundle(
            out,
            model,
            known=known,
            weights=weights,
            labels=labels,
            preprocess=preprocess_from(preprocess),
            concepts=concepts,
            concepts_layer=concepts_layer,
            features=features,
            reading=reading,
            layer=layer,
            name=name,
        )
        typer.echo(one_line(folder))
