"""`nle-fast bench`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nle_fast.commands.common import one_line_errors, preprocess_from
from nle_fast.commands.options import Debug, Layer, Model, Verbalizer
from nle_fast.errors import ConfigError

if TYPE_CHECKING:
    from nle_fast.speed import Speed

__all__ = ["bench"]


def bench(
    pictures: Annotated[
        list[Path] | None, typer.Argument(metavar="[PICTURE...]", help="Picture files; drawn samples if not given.")
    ] = None,
    model: Model = None,
    layer: Layer = None,
    preprocess: Annotated[str | None, typer.Option(help="Of an .onnx file: JSON, or a .json file.")] = None,
    verbalizer: Verbalizer = "llama",
    device: Annotated[str | None, typer.Option(help="cpu, cuda, …; cpu if not given.")] = None,
    batch: Annotated[str, typer.Option(help="Pictures per call, with commas.")] = "1,8",
    rounds: Annotated[int, typer.Option(help="How often each is measured.", min=1)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: Debug = False,
) -> None:
    """Measure an explanation on this machine, stage by stage, beside the network's plain forward."""
    with one_line_errors(debug):
        sizes = _sizes(batch)
        from nle_fast.bundle import DEFAULT_BUNDLE
        from nle_fast.explainer import Explainer
        from nle_fast.speed import machine, measure_speed

        explainer = Explainer(
            DEFAULT_BUNDLE if model is None else model,
            layer=layer,
            preprocess=preprocess_from(preprocess),
            verbalizer=verbalizer,
            device=device,
        )
        samples = sorted(Path(__file__).parents[1].glob("samples/*.jpg"))
        found = list(measure_speed(explainer, pictures or samples, sizes, rounds))
        about = {"network": explainer.name, "layer": explainer.classifier.layer, **machine()}
        if as_json:
            typer.echo(json.dumps(about | {"speeds": [speed.to_dict() for speed in found]}, indent=2))
        else:
            _print(f"{explainer.name}, {explainer.classifier.layer}", found)


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError:
        sizes = []
    if not sizes or min(sizes) < 1:
        raise ConfigError(f"`batch` must be whole numbers of at least 1, with commas, got '{text[:80]}'; write 1,8.")
    return sizes


def _print(title: str, found: list[Speed]) -> None:
    from rich.console import Console
    from rich.table import Table

    from nle_fast.commands.common import one_line

    table = Table("ms per picture, median", title=one_line(title), title_justify="left")
    for speed in found:
        table.add_column(f"batch {speed.batch}", justify="right")
    for stage in found[0].stages_ms:
        table.add_row(stage, *(f"{speed.stages_ms[stage]:.3f}" for speed in found))
    table.add_section()
    table.add_row("whole explanation", *(f"{speed.total_ms:.3f}" for speed in found))
    table.add_row("95th percentile", *(f"{speed.p95_ms:.3f}" for speed in found))
    if found[0].forward_ms is not None:
        table.add_row("plain forward", *(f"{speed.forward_ms:.3f}" for speed in found))
        table.add_row("whole / plain forward", *(f"{speed.ratio:.2f} ×" for speed in found))
    Console().print(table)
