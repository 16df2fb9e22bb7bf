"""The command line: `nle-fast explain`, `nle-fast doctor`.

Exit status: 0 done, 1 failed, 2 bad use. One line on stderr per error; a traceback only with --debug.
"""

from __future__ import annotations

import errno
import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nle_fast.errors import ConfigError, InputError, NleError, NleWarning
from nle_fast.version import __version__

if TYPE_CHECKING:
    from nle_fast.explanation import Explanation

__all__ = ["main"]

app = typer.Typer(
    name="nle-fast",
    help="Explains in plain words why a CNN classified a picture as it did.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_debug = False

_Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


class _Style(str, Enum):
    plain = "plain"
    expert = "expert"
    short = "short"


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nle-fast {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: _Debug = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    global _debug
    _debug = debug


@app.command()
def explain(
    pictures: Annotated[list[Path], typer.Argument(metavar="PICTURE...", help="Picture files.", show_default=False)],
    model: Annotated[
        Path | None, typer.Option(help="A bundle's folder, or an .onnx file; the embedded network if not given.")
    ] = None,
    layer: Annotated[str | None, typer.Option(help="Layer whose neurons explain; the last one if not given.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Class names, one per line.")] = None,
    concepts: Annotated[Path | None, typer.Option(help="Words for the neurons, .csv or .json.")] = None,
    verbalizer: Annotated[str, typer.Option(help="llama, template, or the path of a .gguf file.")] = "llama",
    target: Annotated[str | None, typer.Option(help="Explain this class (label or index), not the winner.")] = None,
    versus: Annotated[str | None, typer.Option(help="Why not this class (label or index)?")] = None,
    style: Annotated[_Style, typer.Option(help="How the text sounds.")] = _Style.plain,
    top_k: Annotated[int, typer.Option(help="How many neurons to name.")] = 5,
    against: Annotated[bool, typer.Option("--against", help="Also name what speaks against the class.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one line per picture; write no files.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results, one folder per picture (explanations/ if not given).")
    ] = None,
    debug: _Debug = False,
) -> None:
    """Explain pictures: prints the text, and saves the picture with its regions, the text and the JSON."""
    failed = False
    with _one_line_errors(debug):
        from nle_fast.bundle import DEFAULT_BUNDLE
        from nle_fast.config import Config
        from nle_fast.explainer import Explainer

        explainer = Explainer(
            DEFAULT_BUNDLE if model is None else model,
            layer=layer,
            labels=labels,
            concepts=concepts,
            verbalizer=verbalizer,
            config=Config(top_k=top_k, against=against, style=style.value),
        )
        folder = Path("explanations") if out is None and not as_json else out
        for picture in _with_progress(pictures):
            try:
                explanation = explainer(picture, target=_class(target), versus=_class(versus))
                saved = None if folder is None else _save(explanation, folder, picture)
            # One bad picture among many must not cost the others.
            except InputError as error:
                if _debug or len(pictures) == 1:
                    raise
                _print_error(error)
                failed = True
                continue
            if as_json:
                typer.echo(explanation.to_json())
            else:
                _print_explanation(explanation, picture, saved)
    if failed:
        raise typer.Exit(1)


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False, debug: _Debug = False) -> None:
    """Show versions and devices, what is missing, and how to get it."""
    with _one_line_errors(debug):
        from nle_fast.doctor import examine

        checks = examine()
        if as_json:
            typer.echo(json.dumps([check.to_dict() for check in checks], indent=2))
        else:
            from rich.console import Console
            from rich.table import Table

            console = Console()
            signs = {"ok": "✓", "missing": "✗", "absent": "–"} if console.encoding.startswith("utf") else {}
            colors = {"ok": "[green]", "missing": "[red]", "absent": "[dim]"}
            table = Table("", "what", "found", "remedy", title=f"nle-fast {__version__}", title_justify="left")
            for check in checks:
                table.add_row(colors[check.state] + signs.get(check.state, check.state), *check.row())
            console.print(table)
    if any(check.state == "missing" for check in checks):
        raise typer.Exit(1)


def main() -> None:
    """Entry point of `nle-fast`."""
    warnings.showwarning = _show_warning
    for stream in (sys.stdout, sys.stderr):
        # A terminal without Unicode (LC_ALL=C) gets question marks rather than nothing.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if len(sys.argv) == 1:
        app(["--help"], standalone_mode=False)
        sys.exit(2)
    try:
        status = app(standalone_mode=False)
    except Exception as error:
        # Typer's errors of bad use; their classes lie in click, or in Typer's own copy of it.
        if not hasattr(error, "format_message"):
            raise
        command = getattr(getattr(error, "ctx", None), "command_path", "nle-fast")
        _print_error(f"{error.format_message().rstrip('.')}; see {command} --help.")
        status = getattr(error, "exit_code", 2)
    sys.exit(status)


def _class(name: str | None) -> str | int | None:
    """A class as typed: digits are an index."""
    return int(name) if name is not None and name.isdecimal() else name


def _save(explanation: Explanation, folder: Path, picture: Path) -> Path:
    """Save into a new folder named after the picture; an earlier result is kept."""
    names = (picture.stem if i == 1 else f"{picture.stem}-{i}" for i in count(1))
    new = next(folder / name for name in names if not (folder / name).exists())
    explanation.save(new)
    return new


def _print_explanation(explanation: Explanation, picture: Path, saved: Path | None) -> None:
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
    console.print(_line(picture.name), markup=False, style="bold", soft_wrap=True)
    text = (
        rich_text(explanation.text, explanation.spans, explanation.evidence)
        if console.is_terminal
        else explanation.text
    )
    console.print(text, markup=False, soft_wrap=not console.is_terminal)
    for line in filter(None, footer):
        console.print(_line(line), markup=False, style="dim", soft_wrap=True)


def _with_progress(pictures: list[Path]) -> Iterator[Path]:
    """The pictures, with a progress bar on stderr where a person watches many."""
    if len(pictures) < 3 or not sys.stderr.isatty():
        yield from pictures
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(pictures, "explaining", console=Console(stderr=True), transient=True)


@contextmanager
def _one_line_errors(debug: bool) -> Iterator[None]:
    """Turn errors into one line on stderr and an exit status."""
    global _debug
    _debug = _debug or debug
    try:
        yield
    except Exception as error:
        # A reader that has seen enough (`| head -1`) is no error; typer ends quietly then.
        if _debug or (isinstance(error, OSError) and error.errno == errno.EPIPE):
            raise
        if isinstance(error, (NleError, OSError)):
            _print_error(error)
        else:
            _print_error(f"unexpected {type(error).__name__}: {error}; please report it with what --debug shows.")
        raise typer.Exit(2 if isinstance(error, ConfigError) else 1) from None


def _print_error(error: object, kind: str = "error") -> None:
    line = " ".join(_line(error).split())
    print(f"{kind}: {line}", file=sys.stderr)


def _line(text: object) -> str:
    """One line in which nothing steers a terminal: names of files may hold anything."""
    from nle_fast.draw.phrases import printable

    return printable(" ".join(str(text).splitlines()))


def _show_warning(message: Any, category: Any, *args: Any, **kwargs: Any) -> None:
    if issubclass(category, NleWarning):
        _print_error(message, "warning")
