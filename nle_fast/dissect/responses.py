"""The one pass: what every neuron does on every picture, kept on disk so that a stopped run goes on where it was.

    <cache>/<16 hexadecimal digits>/set.json     what was asked: network, layer, preprocessing, pictures
                                    maps.npy     (P, C, H, W) float16, activation / 2^exponent
                                    mean.npy     (P, C) float32, and max.npy: of the activations as they came
                                    untrained.npy  (P, 2, U) float32, mean and max of untrained neurons
                                    sizes.npy    (P, 2) int64, width and height of each picture
                                    answers.npy  (P,) int64, the network's own answers, where they were asked for
                                    done/000007  the eighth batch is whole

Another network, layer, preprocessing or list of pictures has another folder. A batch without its mark is read again.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers import Classifier, check_activations, num_channels, of_neurons
from nle_fast.classifiers.base import as_numpy, check_logits
from nle_fast.dissect.untrained import UNTRAINED, untrained_responses
from nle_fast.errors import InputError, ModelError
from nle_fast.files import map_array
from nle_fast.preprocess import Preprocess, load_picture

__all__ = ["Progress", "Responses", "digest_of", "read_responses"]

#: Told of each step: stage, done, total.
Progress = Callable[[str, int, int], None]

#: The first batch's largest activation is scaled to about this: later ones may be 64 times as large in float16.
FIRST_PEAK = 1024.0


@dataclass(frozen=True)
class Responses:
    """What a network's neurons do on P pictures.

    Attributes:
        maps: (P, C, H, W) float16; times 2^`exponent` these are the activations, to 11 bits.
        exponent: See `maps`.
        means: (P, C) float32, mean over the positions.
        peaks: (P, C) float32, maximum over the positions.
        untrained: (P, 2, U) float32, mean and maximum of neurons that never learned anything; see `untrained`.
        sizes: (P, 2) width and height of the pictures.
        answers: (P,) the network's own answers; None where they were not asked for.
    """

    maps: NDArray[np.float16]
    exponent: int
    means: NDArray[np.float32]
    peaks: NDArray[np.float32]
    untrained: NDArray[np.float32]
    sizes: NDArray[np.int64]
    answers: NDArray[np.int64] | None = None

    @property
    def scale(self) -> float:
        """What a kept value is multiplied with to be an activation."""
        return 2.0**self.exponent


def digest_of(document: Any) -> str:
    """16 hexadecimal digits that tell this JSON document from others."""
    return hashlib.blake2b(json.dumps(document, sort_keys=True).encode(), digest_size=8).hexdigest()


def read_responses(
    classifier: Classifier,
    preprocess: Preprocess,
    paths: Sequence[Path],
    cache: Path,
    *,
    batch: int = 16,
    answers: bool = False,
    progress: Progress | None = None,
) -> Responses:
    """Run the network over the pictures once, or go on with what the cache holds.

    Args:
        classifier: Whose layer is read.
        preprocess: Makes its input.
        paths: The pictures.
        cache: Folder; made if it is not there.
        batch: Pictures at a time.
        answers: Also keep what the network answers; the head then runs, too.
        progress: Called with ("read", done, total).

    Raises:
        InputError: A picture cannot be read, or the cache cannot be written.
        ModelError: The network fails, or its activations are not finite or change their shape.
    """
    asked = {
        "schema": "nle-fast-responses/1",
        "model": getattr(classifier, "fingerprint", None) or _unnamed(classifier, preprocess, paths[0]),
        "layer": classifier.layer,
        "preprocess": preprocess.to_dict(),
        "batch": batch,
        **({"answers": True} if answers else {}),
        "pictures": [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in paths],
    }
    folder = cache / digest_of(asked)
    try:
        (folder / "done").mkdir(parents=True, exist_ok=True)
        return _Pass(classifier, preprocess, paths, folder, asked, batch).run(progress)
    except OSError as error:
        raise InputError(f"`cache` must be a writable folder, got '{cache}' ({error}); choose another.") from error


def _unnamed(classifier: Classifier, preprocess: Preprocess, path: Path) -> str:
    """A classifier without a fingerprint is told from others by what it makes of the first picture."""
    activations = as_numpy(classifier.activations(preprocess([load_picture(path)])))
    return hashlib.blake2b(activations.tobytes(), digest_size=8).hexdigest()


class _Pass:
    def __init__(
        self,
        classifier: Classifier,
        preprocess: Preprocess,
        paths: Sequence[Path],
        folder: Path,
        asked: dict[str, Any],
        batch: int,
    ) -> None:
        self._classifier, self._preprocess, self._paths = classifier, preprocess, paths
        self._folder, self._asked, self._batch = folder, asked, batch
        self._names = (*_NAMES, "answers") if asked.get("answers") else _NAMES
        self._arrays: dict[str, NDArray[Any]] = {}
        self._exponent = 0

    def run(self, progress: Progress | None) -> Responses:
        self._resume()
        starts = range(0, len(self._paths), self._batch)
        for block, start in enumerate(starts):
            mark = self._folder / "done" / f"{block:06}"
            if not (self._arrays and mark.is_file()):
                self._read(start)
                mark.touch()
            if progress is not None:
                progress("read", min(start + self._batch, len(self._paths)), len(self._paths))
        found = {name: map_array(self._folder / f"{name}.npy") for name in self._names}
        small = {name: np.array(found[name]) for name in self._names if name != "maps"}
        means, peaks = small["mean"], small["max"]
        answers = small.get("answers")
        return Responses(found["maps"], self._exponent, means, peaks, small["untrained"], small["sizes"], answers)

    def _resume(self) -> None:
        """Take up what the folder holds; what is not whole there is begun anew."""
        try:
            exponent = int(json.loads((self._folder / "set.json").read_text(encoding="utf-8"))["exponent"])
            arrays = {name: map_array(self._folder / f"{name}.npy", "r+") for name in self._names}
        except (OSError, ValueError, KeyError, TypeError):
            return
        if all(len(array) == len(self._paths) for array in arrays.values()):
            self._exponent, self._arrays = exponent, arrays

    def _read(self, start: int) -> None:
        opened = [load_picture(path) for path in self._paths[start : start + self._batch]]
        raw = self._classifier.activations(self._preprocess(opened))
        check_activations(raw, len(opened), num_channels(self._classifier))
        activations = as_numpy(of_neurons(self._classifier, raw)).astype(np.float32, copy=False)
        if not np.isfinite(activations).all():
            raise ModelError(
                f"`model` must give finite activations, got NaN or infinity among the pictures from "
                f"'{self._paths[start]}'; check its weights."
            )
        if not self._arrays:
            self._create(activations)
        if activations.shape[1:] != self._arrays["maps"].shape[1:]:
            raise ModelError(
                f"`model` must give maps of one size, got {activations.shape[1:]} after "
                f"{self._arrays['maps'].shape[1:]}; use a preprocessing that crops to one size."
            )
        kept = activations * np.float32(2.0**-self._exponent)
        if np.abs(kept).max() > np.finfo(np.float16).max:
            raise ModelError(
                f"`model` must give activations of one order of magnitude, got {np.abs(activations).max():.3g} at "
                f"'{self._paths[start]}'; leave that picture out."
            )
        stop = start + len(opened)
        self._arrays["maps"][start:stop] = kept
        self._arrays["mean"][start:stop] = activations.mean((2, 3), dtype=np.float64)
        self._arrays["max"][start:stop] = activations.max((2, 3))
        windows = [self._preprocess.window(picture.size) for picture in opened]
        self._arrays["untrained"][start:stop] = np.stack(untrained_responses(opened, windows), 1)
        if "answers" in self._arrays:
            logits = check_logits(self._classifier.logits(raw), len(opened), int(self._classifier.num_classes))
            self._arrays["answers"][start:stop] = logits.argmax(1)
        self._arrays["sizes"][start:stop] = [picture.size for picture in opened]
        for array in self._arrays.values():
            array.flush()  # type: ignore[attr-defined]

    def _create(self, first: NDArray[np.float32]) -> None:
        (self._folder / "set.json").unlink(missing_ok=True)
        for mark in (self._folder / "done").iterdir():
            mark.unlink()
        count, shape = len(self._paths), first.shape[1:]
        peak = float(np.abs(first).max())
        self._exponent = math.ceil(math.log2(peak / FIRST_PEAK)) if peak > 0 else 0
        forms: dict[str, tuple[type, tuple[int, ...]]] = {
            "maps": (np.float16, (count, *shape)),
            "mean": (np.float32, (count, shape[0])),
            "max": (np.float32, (count, shape[0])),
            "untrained": (np.float32, (count, 2, UNTRAINED)),
            "sizes": (np.int64, (count, 2)),
            "answers": (np.int64, (count,)),
        }
        forms = {name: forms[name] for name in self._names}
        needed = sum(np.dtype(kind).itemsize * math.prod(form) for kind, form in forms.values())
        if needed > shutil.disk_usage(self._folder).free:  # a full disk would kill the process as it writes
            raise InputError(
                f"`cache` must have {needed / 1e9:.1f} GB free for {count} pictures, got less at '{self._folder}'; "
                "choose another folder or fewer pictures."
            )
        self._arrays = {
            name: np.lib.format.open_memmap(self._folder / f"{name}.npy", "w+", kind, form)
            for name, (kind, form) in forms.items()
        }
        # Last: a folder with a manifest has all its arrays.
        draft = self._folder / "set.json.draft"
        draft.write_text(json.dumps(self._asked | {"exponent": self._exponent}), encoding="utf-8")
        draft.replace(self._folder / "set.json")


_NAMES = ("maps", "mean", "max", "untrained", "sizes")
