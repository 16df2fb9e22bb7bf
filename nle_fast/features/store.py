"""Activations of crops of pictures on disk, read once, so that a stopped run goes on where it was.

    <cache>/<16 hexadecimal digits>/store.json   what was asked: network, layer, preprocessing, pictures, views
                                    maps.npy     (crops, positions, C) float16, activation / 2^exponent
                                    done/000007  the eighth block of pictures is whole

The pictures may be millions: of more than fit into the stated bound a sample is drawn, and memory holds one batch.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers import Classifier, check_activations
from nle_fast.classifiers.base import as_numpy
from nle_fast.dissect.responses import Progress, digest_of
from nle_fast.errors import InputError, ModelError
from nle_fast.files import check_room, map_array
from nle_fast.preprocess import Preprocess, load_picture

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Store", "crop_of", "read_store"]

#: Pictures between two marks.
BLOCK = 16

SMALLER = "choose another folder, fewer pictures or a smaller `store_gigabytes`"

#: Side of a crop, as a share of the picture's short side.
CLOSEST, WIDEST = 0.55, 1.0

#: The first block's largest activation is scaled to about this: later ones may be 64 times as large in float16.
FIRST_PEAK = 1024.0


@dataclass(frozen=True)
class Store:
    """Activations of `views` crops of each of P pictures.

    Attributes:
        maps: (P · views, positions, C) float16; times 2^`exponent` these are the activations, to 11 bits.
        exponent: See `maps`.
        shape: (H, W), whose product is the positions.
        views: Crops per picture; crop n is view n % views of picture n // views, and view 0 is the classifier's own.
    """

    maps: NDArray[np.float16]
    exponent: int
    shape: tuple[int, int]
    views: int

    def __len__(self) -> int:
        return len(self.maps)

    def rows(self, crops: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """(crops, positions, C) float32, the activations as they came."""
        picked = self.maps[np.asarray(crops)]  # one copy, from disk
        found: NDArray[np.float32] = picked.astype(np.float32) * np.float32(2.0**self.exponent)
        return found

    def batches(self, count: int = 32) -> Iterator[NDArray[np.float32]]:
        """All crops as activations (n, C, H, W), at most `count` at a time."""
        for at in range(0, len(self), count):
            rows = self.rows(np.arange(at, min(at + count, len(self))))
            yield np.ascontiguousarray(rows.swapaxes(1, 2).reshape(len(rows), -1, *self.shape))

    def centres(self, pictures: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """(pictures, positions, C) float32 of what the classifier itself sees of these pictures."""
        return self.rows(np.asarray(pictures, np.int64) * self.views)


def crop_of(picture: Image.Image, view: int, name: str, seed: int, preprocess: Preprocess) -> NDArray[np.float32]:
    """View 0: the picture as the classifier sees it. Others: a random square, mirrored every second time.

    The square's side is 55 to 100 % of the short side, anywhere in the picture; it depends on `name`, `view` and `seed`
    alone.
    """
    if view == 0:
        return preprocess([picture])
    chance = random.Random(f"{seed} {view} {name}")
    width, height = picture.size
    side = max(1, round(min(width, height) * chance.uniform(CLOSEST, WIDEST)))
    left, top = chance.randint(0, width - side), chance.randint(0, height - side)
    part = picture.crop((left, top, left + side, top + side))
    if chance.random() < 0.5:
        from PIL import Image

        part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    options = preprocess.to_dict() | {"resize": preprocess.size}
    return Preprocess.from_dict(options)([part])


def read_store(
    classifier: Classifier,
    preprocess: Preprocess,
    paths: Sequence[Path],
    cache: Path,
    *,
    views: int,
    seed: int = 0,
    progress: Progress | None = None,
) -> Store:
    """Run the network over the crops of the pictures once, or go on with what the cache holds.

    Args:
        classifier: Whose layer is read.
        preprocess: Makes its input.
        paths: The pictures.
        cache: Folder; made if it is not there.
        views: Crops per picture, ≥ 1.
        seed: Places the crops.
        progress: Called with ("read", pictures done, pictures).

    Raises:
        InputError: A picture cannot be read (the message names it), or the cache cannot be written.
        ModelError: The network's activations are not finite, or change their shape.
    """
    asked = {
        "schema": "nle-fast-crops/1",
        "model": getattr(classifier, "fingerprint", None) or _unnamed(classifier, preprocess, paths[0]),
        "layer": classifier.layer,
        "preprocess": preprocess.to_dict(),
        "views": views,
        "seed": seed,
        "pictures": [[str(path), *_stamp(path)] for path in paths],
    }
    folder = cache / digest_of(asked)
    try:
        (folder / "done").mkdir(parents=True, exist_ok=True)
        return _Filling(classifier, preprocess, paths, folder, asked, views, seed).run(progress)
    except OSError as error:
        raise InputError(f"`cache` must be a writable folder, got '{cache}' ({error}); choose another.") from error


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of a picture: another one under the same name is another picture."""
    try:
        found = path.stat()
    except OSError as error:
        raise InputError(
            f"`pictures` must be readable files, got '{path}' ({error.strerror}); check the path."
        ) from error
    return found.st_size, found.st_mtime_ns


def _unnamed(classifier: Classifier, preprocess: Preprocess, path: Path) -> str:
    """A classifier without a fingerprint is told from others by what it makes of the first picture."""
    activations = as_numpy(classifier.activations(preprocess([load_picture(path)])))
    return digest_of(activations.astype(np.float64).ravel()[:4096].tolist())


class _Filling:
    def __init__(
        self,
        classifier: Classifier,
        preprocess: Preprocess,
        paths: Sequence[Path],
        folder: Path,
        asked: dict[str, Any],
        views: int,
        seed: int,
    ) -> None:
        self._classifier, self._preprocess, self._paths = classifier, preprocess, paths
        self._folder, self._asked, self._views, self._seed = folder, asked, views, seed
        self._maps: NDArray[np.float16] | None = None
        self._exponent, self._shape = 0, (0, 0)

    def run(self, progress: Progress | None) -> Store:
        self._resume()
        for block, start in enumerate(range(0, len(self._paths), BLOCK)):
            mark = self._folder / "done" / f"{block:06}"
            if self._maps is None or not mark.is_file():
                self._read(start)
                mark.touch()
            if progress is not None:
                progress("read", min(start + BLOCK, len(self._paths)), len(self._paths))
        maps = map_array(self._folder / "maps.npy")
        return Store(maps, self._exponent, self._shape, self._views)

    def _resume(self) -> None:
        """Take up what the folder holds; what is not whole there is begun anew."""
        try:
            kept = json.loads((self._folder / "store.json").read_text(encoding="utf-8"))
            maps = map_array(self._folder / "maps.npy", "r+")
            exponent, shape = int(kept["exponent"]), (int(kept["shape"][0]), int(kept["shape"][1]))
        except (OSError, ValueError, KeyError, IndexError, TypeError):
            return
        if maps.ndim == 3 and maps.shape[:2] == (len(self._paths) * self._views, shape[0] * shape[1]):
            self._maps, self._exponent, self._shape = maps, exponent, shape

    def _read(self, start: int) -> None:
        paths = self._paths[start : start + BLOCK]
        crops = []
        for path in paths:
            picture = load_picture(path)
            crops += [crop_of(picture, view, path.name, self._seed, self._preprocess) for view in range(self._views)]
        rows: list[NDArray[np.float32]] = []
        for at in range(0, len(crops), BLOCK):
            images = np.concatenate(crops[at : at + BLOCK])
            raw = self._classifier.activations(images)
            height, width = check_activations(raw, len(images), int(self._classifier.num_neurons))[2:]
            if self._maps is None:
                self._create(as_numpy(raw), (height, width))
            if (height, width) != self._shape:
                raise ModelError(
                    f"`model` must give maps of one size, got {(height, width)} after {self._shape}; use a "
                    "preprocessing that crops to one size."
                )
            rows.append(as_numpy(raw).astype(np.float32).reshape(len(images), -1, height * width).swapaxes(1, 2))
        found = np.concatenate(rows) * np.float32(2.0**-self._exponent)
        if not np.isfinite(found).all() or np.abs(found).max() > np.finfo(np.float16).max:
            raise ModelError(
                f"`model` must give finite activations of one order of magnitude, got others among the pictures from "
                f"'{paths[0]}'; check its weights, or leave that picture out."
            )
        assert self._maps is not None
        self._maps[start * self._views : start * self._views + len(found)] = found
        self._maps.flush()  # type: ignore[attr-defined]

    def _create(self, first: NDArray[Any], shape: tuple[int, int]) -> None:
        (self._folder / "store.json").unlink(missing_ok=True)
        for mark in (self._folder / "done").iterdir():
            mark.unlink()
        peak = float(np.abs(first).max())
        finite = math.isfinite(peak) and peak > 0
        self._exponent, self._shape = math.ceil(math.log2(peak / FIRST_PEAK)) if finite else 0, shape
        form = (len(self._paths) * self._views, shape[0] * shape[1], first.shape[1])
        check_room(self._folder, 2 * math.prod(form), SMALLER)
        self._maps = np.lib.format.open_memmap(self._folder / "maps.npy", "w+", np.float16, form)
        # Last: a folder with a manifest has all its arrays.
        draft = self._folder / "store.json.draft"
        draft.write_text(json.dumps(self._asked | {"exponent": self._exponent, "shape": list(shape)}), encoding="utf-8")
        draft.replace(self._folder / "store.json")
