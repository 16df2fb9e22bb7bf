"""`nle-fast dissect`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nle_fast.commands.common import one_line, one_line_errors, preprocess_from
from nle_fast.commands.options import Debug, Device, Labels, Model, Preprocess
from nle_fast.errors import ConfigError, InputError

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["dissect"]

_STAGES = {
    "read": "the network looks",
    "encode": "the encoder looks",
    "masks": "masks and maps",
    "witness": "the witness looks",
    "name": "names",
    "report": "photos of the report",
}
_SOURCES = {
    "masks": "masks",
    "labelled": "labelled pictures",
    "encoder": "dual encoder",
    "votes": "votes",
    "borrowed": "another network",
}

#: Inside the folder of results, so that it is on the disk that was chosen for them.
_CACHE = ".cache"


class _Response(str, Enum):
    mean = "mean"
    max = "max"


def dissect(
    out: Annotated[Path, typer.Option(help="Folder for concepts.json, dissection.json and the report.")],
    model: Model = None,
    layer: Annotated[str | None, typer.Option(help="Layer whose neurons are named; the last if not given.")] = None,
    features: Annotated[
        Path | None, typer.Option(help="Learned directions of the layer that are named in their place, .safetensors.")
    ] = None,
    masks: Annotated[
        Path | None, typer.Option(help="Pictures with concepts per pixel: a folder with index.json.")
    ] = None,
    labelled: Annotated[
        Path | None, typer.Option(help="Pictures with classes: a folder with one folder per class, or a .csv.")
    ] = None,
    hypernyms: Annotated[Path | None, typer.Option(help="More general words for the classes, .json.")] = None,
    encoder: Annotated[Path | None, typer.Option(help="A dual encoder: a folder with encoder.json.")] = None,
    votes: Annotated[
        bool, typer.Option("--votes", help="Also name neurons by the classes that they speak for; pictures only judge.")
    ] = False,
    hierarchy: Annotated[
        Path | None, typer.Option(help="Groups of the network's classes, .json; WordNet's for ImageNet if not given.")
    ] = None,
    labels: Labels = None,
    witness: Annotated[
        Path | None, typer.Option(help="A network that knows more things, whose words are borrowed: a bundle or .onnx.")
    ] = None,
    witness_labels: Annotated[Path | None, typer.Option(help="Its class names, one per line.")] = None,
    witness_preprocess: Annotated[str | None, typer.Option(help="Its preprocessing, as --preprocess.")] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="A folder of further pictures, for the encoder, votes and the witness.")
    ] = None,
    preprocess: Preprocess = None,
    cache: Annotated[
        Path | None, typer.Option(help="Folder in which a stopped run goes on; inside --out, until done, if not given.")
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Also write report.html, with pictures, for people.")
    ] = False,
    response: Annotated[_Response | None, typer.Option(help="What a neuron says about a picture.")] = None,
    min_quality: Annotated[float | None, typer.Option(help="Correlation that a name must reach.")] = None,
    max_words: Annotated[int | None, typer.Option(help="Words that a name may join, 1 to 3.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another way to split the pictures into thirds.")] = None,
    batch: Annotated[int | None, typer.Option(help="Pictures per run of the network.")] = None,
    threads: Annotated[
        int | None, typer.Option(help="CPU threads of what is counted; one per core if not given.")
    ] = None,
    device: Device = None,
    debug: Debug = False,
) -> None:
    """Name the neurons of a layer from your own pictures, and measure how good each name is."""
    kept = out / _CACHE if cache is None else cache

    def stopped() -> str:
        return f"the same command goes on from '{kept}'." if kept.is_dir() else "nothing is written."

    with one_line_errors(debug, interrupted=stopped), _results(out):
        from nle_fast.bundle import DEFAULT_BUNDLE
        from nle_fast.commands.progress import stage_bars
        from nle_fast.dissect import DissectOptions, Witness
        from nle_fast.dissect import dissect as name_neurons
        from nle_fast.dissect.report import write_report

        asked: dict[str, Any] = {
            "response": None if response is None else response.value,
            "min_quality": min_quality,
            "max_words": max_words,
            "seed": seed,
            "batch": batch,
            "threads": threads,
        }
        # What is not given keeps the engine's default, which stands in one place.
        options = DissectOptions(**{name: value for name, value in asked.items() if value is not None})
        other = None
        if witness is not None:
            other = Witness(witness, witness_labels, preprocess_from(witness_preprocess), device=device)
        elif witness_labels is not None or witness_preprocess is not None:
            raise ConfigError("`witness` must be given with its labels or preprocessing, got none; name the network.")
        further = () if pictures is None else _pictures_in(pictures)
        with stage_bars(_STAGES) as progress:
            dissection = name_neurons(
                DEFAULT_BUNDLE if model is None else model,
                layer=layer,
                features=False if features is None else features,
                preprocess=preprocess_from(preprocess),
                masks=masks,
                labelled=labelled,
                hypernyms=hypernyms,
                encoder=encoder,
                votes=votes,
                hierarchy=hierarchy,
                labels=labels,
                witness=other,
                pictures=further,
                cache=kept,
                options=options,
                device=device,
                progress=progress,
            )
            dissection.save(out)
            written = [out / "concepts.json", out / "dissection.json"]
            if report:
                written.append(write_report(dissection.record, out / "report.html", progress=progress))
        if cache is None:
            shutil.rmtree(kept, ignore_errors=True)
        _print_summary(dissection.record, written)


@contextmanager
def _results(out: Path) -> Iterator[None]:
    """The folder of results, tried before hours of work; gone again when nothing came into it."""
    if (
        there := next((name for name in ("dissection.json", "concepts.json") if (out / name).exists()), None)
    ) is not None:
        raise InputError(f"`out` must not hold results yet, got '{out}' with {there}; choose another or remove them.")
    new = not out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / ".nle-fast").touch()
        (out / ".nle-fast").unlink()
    except OSError as error:
        raise InputError(f"`out` must be a writable folder, got '{out}' ({error.strerror}); choose another.") from error
    try:
        yield
    finally:
        if new and not any(out.iterdir()):
            out.rmdir()


def _pictures_in(folder: Path) -> list[Path]:
    from nle_fast.dissect.labelled import SUFFIXES

    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise InputError(f"`pictures` must be a folder of pictures, got '{folder}' without any; check the path.")
    return found


def _print_summary(record: dict[str, Any], written: list[Path]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    title = f"{record['network']}, layer {record['layer']}: {record['num_neurons']:,} neurons"
    console.print(one_line(title), markup=False, style="bold", soft_wrap=True)
    console.print(_summary(record))
    readings = record["readings"]
    if readings is not None and None not in readings.values():
        shares = {name: f"{share:.0%}" for name, share in readings.items()}
        more = max(readings, key=readings.__getitem__)
        said = f"told with words by votes: features {shares['features']}, the layer's own neurons {shares['neurons']}"
        console.print(one_line(f"{said}; the {more} say more"), markup=False, soft_wrap=True)
    refused = record["summary"]["refused"]
    if refused:
        reasons = ", ".join(f"{count:,} for {reason}" for reason, count in refused.items())
        console.print(one_line(f"refused: {reasons}"), markup=False, style="dim", soft_wrap=True)
    for path in written:
        console.print(one_line(path), markup=False, style="dim", soft_wrap=True)


def _summary(record: dict[str, Any]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table("words from", box=box.SIMPLE_HEAD)
    for head in ("pictures", "words", "named", "share", "confirmed", "mean quality"):
        table.add_column(head, justify="right")

    def add(name: str, pictures: str, words: str, of: dict[str, Any], style: str = "") -> None:
        quality = "" if of["mean_quality"] is None else f"{of['mean_quality']:.3f}"
        counts = f"{of['named']:,}", f"{of['share_named']:.1%}", f"{of['confirmed']:,}"
        table.add_row(name, pictures, words, *counts, quality, style=style)

    summary = record["summary"]
    for source in record["sources"]:
        name = f"{_SOURCES.get(source['name'], source['name'])} alone"
        add(name, f"{source['pictures']:,}", f"{source['words']:,}", summary["by_source"][source["name"]])
    add("all together", "", "", summary, "bold")
    return table
