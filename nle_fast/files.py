"""Files that appear whole or not at all, and arrays on disk that are read only if they are whole."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["map_array", "write_whole"]


def write_whole(path: Path, content: str | bytes) -> None:
    """Write bytes, or a text in UTF-8; meanwhile the earlier file is seen, and a failure leaves no trace.

    Raises:
        OSError: The path cannot be written.
        UnicodeEncodeError: The text holds half a surrogate pair.
    """
    draft = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}.partial")
    try:
        draft.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        draft.replace(path)
    except (OSError, UnicodeEncodeError):
        draft.unlink(missing_ok=True)
        raise


def map_array(path: Path, mode: Literal["r", "r+"] = "r") -> NDArray[Any]:
    """A `.npy` file as a memory map.

    Raises:
        OSError: There is no such file, or it cannot be read.
        ValueError: It is no array, or cut off.
    """
    try:
        # Always so first: opened for writing, a file that was cut off would be filled up with zeros.
        found: NDArray[Any] = np.load(path, mmap_mode="r")
    except EOFError as error:
        raise ValueError(f"'{path}' is empty") from error
    return found if mode == "r" else np.load(path, mmap_mode=mode)
