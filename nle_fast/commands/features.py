"""`nle-fast features`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nle_fast.commands.common import one_line, one_line_errors, preprocess_from
from nle_fast.commands.options import Debug, Device, Labels, Model, Preprocess
from nle_fast.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["features"]

_STAGES = {
    "read": "the network looks",
    "look": "in its head's eyes",
    "learn": "learning",
    "measure": "measuring",
    "doubt": "measuring controls",
}

#: Beside the file of results, so that it is on the disk that was chosen for them.
_CACHE = ".{}.cache"


def features(
    pictures: Annotated[list[Path], typer.Option(help="A folder of pictures to learn from; may be given again.")],
    out: Annotated[Path, typer.Option(help="File for the features, .safetensors.")],
    model: Model = None,
    layer: Annotated[str | None, typer.Option(help="Layer that is learned; the last if not given.")] = None,
    size: Annotated[
        int | None, typer.Option(help="How many features; what the head's classes give if not given.")
    ] = None,
    active: Annotated[int | None, typer.Option(help="Features that may be active at a position.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of learning.")] = None,
    views: Annotated[int | None, typer.Option(help="Crops of each picture.")] = None,
    seed: Annotated[int | None, typer.Option(help="Other pictures held out, other crops.")] = None,
    gigabytes: Annotated[float | None, typer.Option(help="Bound of the activations kept on disk.")] = None,
    labels: Labels = None,
    labelled: Annotated[
        Path | None, typer.Option(help="Classes of the pictures, to judge words: a folder per class, or a .csv.")
    ] = None,
    controls: Annotated[
        bool, typer.Option("--controls", help="Also measure every control, and what recurs; five times as long.")
    ] = False,
    hierarchy: Annotated[
        Path | None, typer.Option(help="Groups of the network's classes, .json; WordNet's for ImageNet if not given.")
    ] = None,
    preprocess: Preprocess = None,
    cache: Annotated[
        Path | None, typer.Option(help="Folder in which a stopped run goes on; beside --out, until done, if not given.")
    ] = None,
    device: Device = None,
    debug: Debug = False,
) -> None:
    """Learn directions of a layer from your own pictures, by which explanations say more than by its neurons."""
    kept = out.with_name(_CACHE.format(out.name)) if cache is None else cache

    def stopped() -> str:
        return f"the same command goes on from '{kept}'." if kept.is_dir() else "nothing is written."

    with one_line_errors(debug, interrupted=stopped), _new_folders(out.parent):
        import shutil

        from nle_fast.bundle import DEFAULT_BUNDLE
        from nle_fast.commands.progress import stage_bars
        from nle_fast.features import LearnOptions, learn

        _check(out)
        asked: dict[str, Any] = {
            "size": size,
            "active": active,
            "steps": steps,
            "views": views,
            "seed": seed,
            "store_gigabytes": gigabytes,
        }
        # What is not given keeps the engine's default, which stands in one place.
        options = LearnOptions(**{name: value for name, value in asked.items() if value is not None})
        with stage_bars(_STAGES) as progress:
            found = learn(
                DEFAULT_BUNDLE if model is None else model,
                pictures,
                layer=layer,
                preprocess=preprocess_from(preprocess),
                options=options,
                labels=labels,
                labelled=labelled,
                hierarchy=hierarchy,
                controls=controls,
                cache=kept,
                device=device,
                progress=progress,
            )
            found.save(out)
        if cache is None:
            shutil.rmtree(kept, ignore_errors=True)
        _print_summary(dict(found.record), out)


@contextmanager
def _new_folders(folder: Path) -> Iterator[None]:
    """The folder of results and those above it: what is made for nothing is gone again."""
    new = [above for above in (folder, *folder.parents) if not above.exists()]
    try:
        yield
    finally:
        for made in new:
            if made.is_dir() and not any(made.iterdir()):
                made.rmdir()


def _check(out: Path) -> None:
    """The file of results, tried before minutes of work."""
    if out.suffix != ".safetensors":
        raise InputError(f"`out` must be a .safetensors file, got '{out}'; name it so.")
    if out.exists():
        raise InputError(f"`out` must not exist yet, got '{out}'; choose another name or remove it.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.touch()
        out.unlink()
    except OSError as error:
        raise InputError(f"`out` must be writable, got '{out}' ({error.strerror}); choose another folder.") from error


def _print_summary(record: dict[str, Any], out: Path) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    pictures = record["pictures"]
    title = (
        f"{record['network']}, layer {record['layer']}: {record['size']:,} features from "
        f"{pictures['learned_from']:,} pictures in {record['minutes']:.1f} minutes"
    )
    console.print(one_line(title), markup=False, style="bold", soft_wrap=True)
    if record["held_out"]:
        console.print(_table(record["held_out"] | record.get("controls", {}), pictures["held_out"]))
        readings = record["readings"]
        told = " · ".join(f"{name} {of['told_with_words']:.0%}" for name, of in readings.items() if name != "better")
        console.print(one_line(f"told with words: {told}; better: {readings['better']}"), markup=False, soft_wrap=True)
    console.print(one_line(out), markup=False, style="dim", soft_wrap=True)


def _table(figures: dict[str, dict[str, float | None]], pictures: int) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(f"on {pictures:,} pictures held out", box=box.SIMPLE_HEAD)
    for head in ("five carry", "all carry", "R²", "same winner", "five hidden: logit", "winner changes"):
        table.add_column(head, justify="right")
    for name, of in figures.items():
        shares = [f"{of[key]:.0%}" for key in ("five", "all")]
        whole = ["", ""] if name == "channels" else [f"{of['r2'] or 0:.2f}", f"{of['same_winner']:.0%}"]
        table.add_row(name, *shares, *whole, f"{-(of['drop'] or 0):+.2f}".replace("-", "−"), f"{of['flips']:.0%}")
    return table
