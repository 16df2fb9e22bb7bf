"""`nle-fast explain`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nle_fast.commands.common import debugging, one_line, one_line_errors, print_error
from nle_fast.commands.options import (
    Concepts,
    Debug,
    Features,
    Labels,
    Layer,
    Model,
    Neurons,
    Verbalizer,
    features_from,
)
from nle_fast.errors import InputError

if TYPE_CHECKING:
    from nle_fast.explanation import Explanation

__all__ = ["explain"]


class _Style(str, Enum):
    plain = "plain"
    expert = "expert"
    short = "short"


def explain(
    pictures: Annotated[list[Path], typer.Argument(metavar="PICTURE...", help="Picture files.", show_default=False)],
    model: Model = None,
    layer: Layer = None,
    labels: Labels = None,
    concepts: Concepts = None,
    features: Features = None,
    neurons: Neurons = False,
    verbalizer: Verbalizer = "llama",
    target: Annotated[str | None, typer.Option(help="Explain this class (label or index), not the winner.")] = None,
    versus: Annotated[str | None, typer.Option(help="Why not this class (label or index)?")] = None,
    style: Annotated[_Style, typer.Option(help="How the text sounds.")] = _Style.plain,
    top_k: Annotated[int, typer.Option(help="How many neurons to name.")] = 5,
    against: Annotated[bool, typer.Option("--against", help="Also name what speaks against the class.")] = False,
    certify: Annotated[
        bool, typer.Option("--certify", help="Also measure what masking the named neurons does, beside random ones.")
    ] = False,
    without: Annotated[
        str | None, typer.Option(help='Also: what would it say if it could not see this, such as "dog face"?')
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one line per picture; write no files.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results, one folder per picture (explanations/ if not given).")
    ] = None,
    debug: Debug = False,
) -> None:
    """Explain pictures: prints the text, and saves the picture with its regions, the text and the JSON."""
    failed = False
    with one_line_errors(debug):
        from nle_fast.bundle import DEFAULT_BUNDLE
        from nle_fast.config import Config
        from nle_fast.explainer import Explainer

        explainer = Explainer(
            DEFAULT_BUNDLE if model is None else model,
            layer=layer,
            labels=labels,
            concepts=concepts,
            features=features_from(features, neurons),
            verbalizer=verbalizer,
            config=Config(top_k=top_k, against=against, style=style.value),
        )
        folder = Path("explanations") if out is None and not as_json else out
        for picture in _with_progress(pictures):
            try:
                explanation = explainer(picture, target=_class(target), versus=_class(versus), certify=certify)
                unseen = None
                if without is not None:
                    from nle_fast.faithfulness.without import look_without

                    unseen = look_without(explainer, explanation, without)
                    explanation = replace(explanation, provenance={**explanation.provenance, "without": unseen})
                saved = None if folder is None else _save(explanation, folder, picture)
            # One bad picture among many must not cost the others.
            except InputError as error:
                if debugging() or len(pictures) == 1:
                    raise
                print_error(error)
                failed = True
                continue
            if as_json:
                typer.echo(explanation.to_json())
            else:
                _print_explanation(explanation, picture, saved, unseen)
    if failed:
        raise typer.Exit(1)


def _class(name: str | None) -> str | int | None:
    """A class as typed: digits are an index."""
    return int(name) if name is not None and name.isdecimal() else name


def _save(explanation: Explanation, folder: Path, picture: Path) -> Path:
    """Save into a new folder named after the picture; an earlier result is kept."""
    number = 1
    while True:
        new = folder / (picture.stem if number == 1 else f"{picture.stem}-{number}")
        if not new.exists():
            try:
                explanation.save(new)
            except InputError:
                # Another process may have taken the name since.
                if not new.exists():
                    raise
            else:
                return new
        number += 1


def _print_explanation(explanation: Explanation, picture: Path, saved: Path | None, unseen: object) -> None:
    from rich.console import Console

    from nle_fast.draw import rich_text

    laps = " · ".join(f"{stage} {ms:.1f} ms" for stage, ms in explanation.timings.items())
    footer = [
        f"network: {explanation.provenance['network']}",
        laps,
        explanation.provenance["verbalizer"]["note"],
        str(saved / "picture.png") if saved else "",
    ]
    console = Console(highlight=False)
    # A program that reads along gets the bare text; colors and numbers are for a person's terminal.
    console.print(one_line(picture.name), markup=False, style="bold", soft_wrap=True)
    text = (
        rich_text(explanation.text, explanation.spans, explanation.evidence)
        if console.is_terminal
        else explanation.text
    )
    console.print(text, markup=False, soft_wrap=not console.is_terminal)
    certificate = None if explanation.certificate is None else explanation.certificate.text
    for beside in filter(None, (certificate, unseen)):
        console.print(one_line(beside), markup=False, soft_wrap=not console.is_terminal)
    for line in filter(None, footer):
        console.print(one_line(line), markup=False, style="dim", soft_wrap=True)


def _with_progress(pictures: list[Path]) -> Iterator[Path]:
    """The pictures, with a progress bar on stderr where a person watches many."""
    if len(pictures) < 3 or not sys.stderr.isatty():
        yield from pictures
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(pictures, "explaining", console=Console(stderr=True), transient=True)
