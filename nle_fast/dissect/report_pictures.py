"""The photos of a report: each once, cropped to what the network saw, as small as the page's bound asks."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from nle_fast.dissect.responses import Progress
from nle_fast.errors import InputError
from nle_fast.preprocess import load_picture

__all__ = ["MAX_BYTES", "Rung", "Thumbnails", "make_thumbnails"]

#: Bound on the photos of one page, as base64: browsers open this from a disk without a pause.
MAX_BYTES = 40_000_000

#: Pictures that the size of all is guessed from.
SAMPLE = 24


class Rung(NamedTuple):
    """How much of the photos a page shows: pixels per side, JPEG quality, pictures per neuron."""

    side: int
    quality: int
    shown: int


#: Tried in this order until the photos fit.
LADDER = (
    Rung(192, 74, 9),
    Rung(160, 70, 9),
    Rung(128, 66, 9),
    Rung(96, 60, 9),
    Rung(96, 60, 6),
    Rung(96, 60, 3),
    Rung(96, 50, 1),
)


@dataclass(frozen=True)
class Thumbnails:
    """Photos as they stand in the page.

    Attributes:
        data: Base64 of the JPEG of each picture that is shown, by its index in the record.
        rung: How they were made.
    """

    data: dict[int, str]
    rung: Rung

    @property
    def size(self) -> int:
        """Bytes of all of them in the page."""
        return sum(map(len, self.data.values()))


def make_thumbnails(
    record: dict[str, Any], *, max_bytes: int = MAX_BYTES, progress: Progress | None = None
) -> Thumbnails:
    """The photos that the exemplars of a record show.

    Args:
        record: A dissection's record.
        max_bytes: Bound on `Thumbnails.size`.
        progress: Called with ("report", done, total).

    Returns:
        The largest photos, and the most per neuron, that keep to the bound.

    Raises:
        InputError: A photo is missing, is not the one that was dissected, or all of them are too many for any page.
    """
    for rung in LADDER:
        wanted = sorted(
            {shown["picture"] for neuron in record["neurons"] for shown in neuron["exemplars"][: rung.shown]}
        )
        sample = wanted[:: max(1, len(wanted) // SAMPLE)]
        guess = sum(len(_thumbnail(record["pictures"][at], rung)) for at in sample) / max(1, len(sample))
        if guess * len(wanted) > max_bytes:
            continue
        found = Thumbnails(_all(record["pictures"], wanted, rung, progress), rung)
        if found.size <= max_bytes:
            return found
    raise InputError(
        f"`record` must show photos that fit into {max_bytes / 1e6:.0f} MB, got {len(wanted)} at one per neuron; "
        "dissect a layer with fewer neurons, or use fewer pictures."
    )


def _all(
    pictures: Sequence[dict[str, Any]], wanted: Sequence[int], rung: Rung, progress: Progress | None
) -> dict[int, str]:
    found = {}
    for done, at in enumerate(wanted, 1):
        found[at] = _thumbnail(pictures[at], rung)
        if progress is not None:
            progress("report", done, len(wanted))
    return found


def _thumbnail(entry: dict[str, Any], rung: Rung) -> str:
    """What the network saw of one picture, as base64 of a JPEG; never larger than the original."""
    from PIL import Image

    path = Path(entry["path"])
    picture = load_picture(path)
    if list(picture.size) != list(entry["size"]):
        raise InputError(
            f"`record` must be of the pictures that are there, got '{path}' of {picture.size[0]} × {picture.size[1]} "
            f"where {entry['size'][0]} × {entry['size'][1]} was dissected; dissect again."
        )
    left, top, right, bottom = entry["window"]
    side = max(1, min(rung.side, round(right - left)))
    seen = picture.resize((side, side), Image.Resampling.BICUBIC, box=(left, top, right, bottom), reducing_gap=3)
    buffer = io.BytesIO()
    seen.save(buffer, "JPEG", quality=rung.quality, optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
