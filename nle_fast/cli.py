"""The command line: `nle-fast explain`, `dissect`, `doctor`, …; each command is a module of `nle_fast.commands`.

Exit status: 0 done, 1 failed, 2 bad use, 130 stopped by Ctrl-C. One line on stderr per error; a traceback only with
--debug.
"""

from __future__ import annotations

import sys
import warnings
from typing import Annotated

import typer

from nle_fast.commands.bench import bench
from nle_fast.commands.bundle import bundle
from nle_fast.commands.common import debugging, print_error, show_warning
from nle_fast.commands.dissect import dissect
from nle_fast.commands.doctor import doctor
from nle_fast.commands.evaluate import evaluate
from nle_fast.commands.explain import explain
from nle_fast.commands.features import features
from nle_fast.commands.options import Debug
from nle_fast.version import __version__

__all__ = ["main"]

app = typer.Typer(
    name="nle-fast",
    help="Explains in plain words why a CNN classified a picture as it did.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

#: In the order of the help.
for command in (explain, dissect, features, bundle, evaluate, bench, doctor):
    app.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nle-fast {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Debug = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    debugging(debug)


def main() -> None:
    """Entry point of `nle-fast`."""
    warnings.showwarning = show_warning
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
        print_error(f"{error.format_message().rstrip('.')}; see {command} --help.")
        status = getattr(error, "exit_code", 2)
    sys.exit(status)
