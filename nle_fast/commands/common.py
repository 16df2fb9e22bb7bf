"""What every command shares: errors as one line and an exit status, and text that cannot steer a terminal."""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from nle_fast.errors import ConfigError, NleError, NleWarning

if TYPE_CHECKING:
    from nle_fast.preprocess import Preprocess

__all__ = ["debugging", "one_line", "one_line_errors", "preprocess_from", "print_error", "show_warning"]

#: As a shell reports a program that Ctrl-C ended.
INTERRUPTED = 130

_debug = False


def debugging(wanted: bool | None = None) -> bool:
    """Whether tracebacks are shown from now on; None asks only."""
    global _debug
    _debug = _debug if wanted is None else wanted
    return _debug


@contextmanager
def one_line_errors(
    debug: bool, *, interrupted: str | Callable[[], str] = "nothing more is written."
) -> Iterator[None]:
    """Turn errors into one line on stderr and an exit status: 1 failed, 2 bad use, 130 stopped by Ctrl-C.

    Args:
        debug: Show the traceback instead.
        interrupted: What to say after Ctrl-C, or what finds it out: above all, whether the work done so far is kept.
    """
    debugging(debugging() or debug)
    try:
        yield
    except KeyboardInterrupt:
        print_error(interrupted if isinstance(interrupted, str) else interrupted(), "stopped")
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:
        # A reader that has seen enough (`| head -1`) is no error; typer ends quietly then.
        if debugging() or (isinstance(error, OSError) and error.errno == errno.EPIPE):
            raise
        if isinstance(error, (NleError, OSError)):
            print_error(error)
        else:
            print_error(f"unexpected {type(error).__name__}: {error}; please report it with what --debug shows.")
        raise typer.Exit(2 if isinstance(error, ConfigError) else 1) from None


def print_error(error: object, kind: str = "error") -> None:
    """One line on stderr."""
    line = " ".join(one_line(error).split())
    print(f"{kind}: {line}", file=sys.stderr)


def one_line(text: object) -> str:
    """One line in which nothing steers a terminal: names of files may hold anything."""
    from nle_fast.draw.phrases import printable

    return printable(" ".join(str(text).splitlines()))


def preprocess_from(text: str | None) -> Preprocess | None:
    """The preprocessing that a user gives as JSON or as the path of a .json file; None stays None.

    Raises:
        ConfigError: It is no JSON object, or an option in it is unknown or out of its range.
    """
    if text is None:
        return None
    from nle_fast.preprocess import Preprocess

    try:
        options = json.loads(text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"`preprocess` must be JSON or a .json file, got '{text[:80]}' ({error}); "
            'write for instance \'{"size": 224, "resize": 256}\'.'
        ) from error
    if not isinstance(options, dict):
        raise ConfigError(f"`preprocess` must be a JSON object, got '{text[:80]}'; put its options in braces.")
    return Preprocess.from_dict(options)


def show_warning(message: Any, category: Any, *args: Any, **kwargs: Any) -> None:
    """For `warnings.showwarning`: the engine's own warnings as one line, those of other packages not at all."""
    if issubclass(category, NleWarning):
        print_error(message, "warning")
