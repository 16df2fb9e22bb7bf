"""The activations of a store in the coordinates of learning, on disk, so that a step reads what it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nle_fast.dissect.responses import Progress, digest_of
from nle_fast.errors import InputError
from nle_fast.features.sight import Sight
from nle_fast.features.store import Store
from nle_fast.files import map_array

__all__ = ["Seen", "read_seen"]

Floats = NDArray[np.float32]

#: Crops that are turned at a time.
BLOCK = 64


@dataclass(frozen=True)
class Seen:
    """Coordinates of every crop.

    Attributes:
        maps: (crops, positions, d) float16; times `scale` these are the coordinates.
        scale: Of all of them.
    """

    maps: NDArray[np.float16]
    scale: float

    def __len__(self) -> int:
        return len(self.maps)

    def rows(self, crops: Sequence[int] | NDArray[np.int64]) -> Floats:
        """(crops, positions, d) float32."""
        found: Floats = self.maps[np.asarray(crops)].astype(np.float32) * np.float32(self.scale)
        return found


def read_seen(store: Store, sight: Sight, folder: Path, *, progress: Progress | None = None) -> Seen:
    """Turn all crops once, or take up what the folder holds: it appears whole or not at all.

    Args:
        store: The activations.
        sight: The coordinates.
        folder: For the file.
        progress: Called with ("look", crops done, crops).

    Raises:
        InputError: The folder cannot be written.
    """
    import torch

    form = (*store.maps.shape[:2], len(sight.plain))
    asked = [*form, *sight.mean.astype(np.float64).tolist(), *sight.plain.astype(np.float64).tolist()]
    path = folder / f"seen-{digest_of(asked)}.npy"
    scale = _scale(store, sight)
    try:
        if (kept := _kept(path, form)) is None:
            draft = path.with_suffix(".draft.npy")
            maps = np.lib.format.open_memmap(draft, "w+", np.float16, form)
            read, mean = torch.from_numpy(sight.read / scale), torch.from_numpy(sight.mean)
            for at in range(0, len(store), BLOCK):
                rows = torch.from_numpy(store.rows(np.arange(at, min(at + BLOCK, len(store)))))
                maps[at : at + len(rows)] = ((rows - mean) @ read).clamp(-6e4, 6e4).half().numpy()
                if progress is not None:
                    progress("look", at + len(rows), len(store))
            maps.flush()
            del maps
            draft.replace(path)
            kept = map_array(path)
        return Seen(kept, scale)
    except OSError as error:
        raise InputError(f"`cache` must be a writable folder, got '{folder}' ({error}); choose another.") from error


def _kept(path: Path, form: tuple[int, ...]) -> NDArray[np.float16] | None:
    """What the folder holds; None where it is not there or not whole."""
    try:
        found = map_array(path)
    except (OSError, ValueError):
        return None
    return found if found.shape == form and found.dtype == np.float16 else None


def _scale(store: Store, sight: Sight) -> float:
    """A power of two with which the first crops' coordinates peak near 64."""
    rows = store.rows(np.arange(min(8, len(store))))
    peak = float(np.abs((rows - sight.mean).reshape(-1, rows.shape[2]) @ sight.read).max())
    return 2.0 ** round(float(np.log2(peak / 64))) if peak > 0 else 1.0
