"""One progress bar for all that takes long; plain lines where the output is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Bar", "bar"]


class Bar:
    """A bar that moves on; see `bar`."""

    def __init__(self, title: str, total: int, done: int):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.title, self.total, self.done, self._spoken = title, total, done, 0.0
        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        self._live = Progress(*columns, console=console) if console.is_terminal else None
        if self._live is not None:
            self._live.start()
            self._task = self._live.add_task(title, total=total, completed=done, note="")

    def advance(self, steps: int, note: str = "") -> None:
        """Move on by `steps`."""
        self.done += steps
        if self._live is not None:
            self._live.update(self._task, advance=steps, note=note)
        elif self.done >= self.total or time.monotonic() - self._spoken > 10:
            self._spoken = time.monotonic()
            print(
                f"{time.strftime('%H:%M:%S')} {self.title} {self.done}/{self.total} {note}", file=sys.stderr, flush=True
            )

    def close(self) -> None:
        """Take the bar down."""
        if self._live is not None:
            self._live.stop()


@contextmanager
def bar(title: str, total: int, done: int = 0) -> Iterator[Bar]:
    """A progress bar on the terminal."""
    shown = Bar(title, total, done)
    try:
        yield shown
    finally:
        shown.close()
