"""Files that appear whole or not at all, and arrays on disk that are read only if they are whole."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nle_fast.errors import InputError

__all__ = ["check_room", "map_array", "write_whole"]


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
    except ValueError:  # before anything was written: half a surrogate pair, or a name that no file system takes
        raise
    except BaseException:  # Ctrl-C as well
        draft.unlink(missing_ok=True)
        raise


def check_room(folder: Path, needed: int, remedy: str) -> None:
    """Refuse what would fill the disk, which would kill the process as it writes to a memory map.

    Args:
        folder: The cache.
        needed: Bytes.
        remedy: What to do instead.

    Raises:
        InputError: There is less room.
    """
    if needed > shutil.disk_usage(folder).free:
        raise InputError(f"`cache` must have {needed / 1e9:.1f} GB free, got less at '{folder}'; {remedy}.")


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
