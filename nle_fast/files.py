"""Files that appear whole or not at all."""

from __future__ import annotations

import secrets
from pathlib import Path

__all__ = ["write_whole"]


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
