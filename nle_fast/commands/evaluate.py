"""`nle-fast evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nle_fast.commands.common import one_line, one_line_errors, preprocess_from
from nle_fast.commands.options import (
    Concepts,
    Debug,
    Device,
    Features,
    Labels,
    Layer,
    Model,
    Neurons,
    Preprocess,
    features_from,
)

__all__ = ["evaluate"]

_STAGES = {
    "mask": "masking neurons",
    "pixels": "deleting and inserting pixels",
    "point": "pointing at masks",
    "intervene": "taking parts away",
}


def evaluate(
    report: Annotated[Path, typer.Option(help="HTML page to write; the numbers go beside it, as .json.")],
    model: Model = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of pictures; scenes of the drawn world for the embedded network.")
    ] = None,
    layer: Layer = None,
    labels: Labels = None,
    concepts: Concepts = None,
    features: Features = None,
    neurons: Neurons = False,
    preprocess: Preprocess = None,
    hypernyms: Annotated[
        Path | None, typer.Option(help="More general words for the classes, .json; for the plausible control.")
    ] = None,
    top_k: Annotated[int, typer.Option(help="How many neurons are named and masked.")] = 5,
    limit: Annotated[int, typer.Option(help="Pictures at most; of the drawn world as many.")] = 200,
    pixel_pictures: Annotated[int, typer.Option(help="Pictures for the pixel curves; 0: none.")] = 40,
    scenes: Annotated[int, typer.Option(help="Scenes for interventions, in the drawn world; 0: none.")] = 500,
    draws: Annotated[int, typer.Option(help="Random sets of neurons per picture.")] = 20,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    device: Device = None,
    debug: Debug = False,
) -> None:
    """Measure how faithful explanations are: by masking, by pixels, and by taking parts away, beside controls."""
    with one_line_errors(debug, interrupted="nothing is written; run it again with a smaller --limit."):
        from nle_fast.bundle import DEFAULT_BUNDLE, read_bundle
        from nle_fast.commands.progress import stage_bars
        from nle_fast.explainer import Explainer
        from nle_fast.faithfulness import evaluate as record
        from nle_fast.faithfulness.evaluate import (
            EvaluateOptions,
            find_pictures,
            numbers_beside,
            write_page,
            write_record,
        )
        from nle_fast.faithfulness.masking import MaskingOptions
        from nle_fast.faithfulness.pixels import PixelOptions
        from nle_fast.faithfulness.plausible import read_hypernyms
        from nle_fast.faithfulness.report import report_html

        numbers = numbers_beside(report)
        options = EvaluateOptions(
            masking=MaskingOptions(k=top_k, draws=draws, seed=seed),
            pixels=PixelOptions(k=top_k, seed=seed),
            pixel_pictures=pixel_pictures,
            scenes=scenes,
            limit=limit,
        )
        pictures = None if data is None else find_pictures(data, limit)
        network = DEFAULT_BUNDLE if model is None else model
        explainer = Explainer(
            network,
            layer=layer,
            labels=labels,
            concepts=concepts,
            features=features_from(features, neurons),
            preprocess=preprocess_from(preprocess),
            verbalizer="template",
            device=device,
        )
        general = None if hypernyms is None else read_hypernyms(hypernyms, explainer.labels.names)
        file = read_bundle(network).model if network.is_dir() else network
        with stage_bars(_STAGES) as progress:
            found = record(explainer, pictures, options, model=file, hypernyms=general, progress=progress)
        write_record(found, numbers)
        write_page(report, report_html(found))
        for line in _lines(found["masking"]):
            typer.echo(line)
        typer.echo(one_line(f"{report} · {numbers}"))


def _lines(masking: dict[str, Any]) -> list[str]:
    """The headline: what masking does beside each control."""
    from nle_fast.faithfulness.statistics import interval_text

    kind = next(iter(masking["ratios"]))
    lines = []
    for name, measures in masking["ratios"][kind].items():
        value, low, high = interval_text(measures["logit_drop"], "{:.2f}".format)
        lines.append(f"logit drop, explanation over {name}: {value} × [{low}, {high}]")
    return lines
