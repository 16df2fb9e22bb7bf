"""Progress bars on stderr, one per stage, where a person watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

__all__ = ["stage_bars"]


@contextmanager
def stage_bars(titles: Mapping[str, str]) -> Iterator[Callable[[str, int, int], None]]:
    """A callback (stage, done, total) that draws a bar per stage; it draws nothing where stderr is no terminal.

    Args:
        titles: What people call each stage; other stages go by their own name.
    """
    if not sys.stderr.isatty():
        yield lambda stage, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(titles.get(stage, stage), total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield show
