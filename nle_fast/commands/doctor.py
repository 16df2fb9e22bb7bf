"""`nle-fast doctor`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from nle_fast.commands.common import one_line_errors
from nle_fast.commands.options import Debug
from nle_fast.version import __version__

__all__ = ["doctor"]


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False, debug: Debug = False) -> None:
    """Show versions and devices, what is missing, and how to get it."""
    with one_line_errors(debug):
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
