"""A dual encoder: pictures and words in one space, as two ONNX files that the user brings.

    encoder.json  {"schema": "nle-fast-encoder/1", "image": "image.onnx", "preprocess": {…}, "words": "words.txt",
                   "embeddings": "words.npy"}                       (W, D) one row per word, or instead of it
                  {…, "text": "text.onnx", "tokens": "tokens.npy"}  (W, T) token ids, one row per word

`image.onnx` takes the preprocessed pictures (N, 3, h, w) and gives (N, D); `text.onnx` takes token ids (N, T) and gives
(N, D). Both have one input; the first output counts. `preprocess` is as in a bundle. The lengths of the vectors do not
matter. Words are one per line, in the order of the rows.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.classifiers.onnx.encoder import open_encoder
from nle_fast.dissect.probe import Word
from nle_fast.dissect.responses import Progress, digest_of
from nle_fast.errors import InputError
from nle_fast.preprocess import Preprocess, load_picture

__all__ = ["ENCODER_SCHEMA", "DualEncoder"]

ENCODER_SCHEMA = "nle-fast-encoder/1"


class DualEncoder:
    """An encoder's folder; see the module.

    Args:
        folder: Where `encoder.json` lies, with the files that it names.
        device: As for a classifier.

    Raises:
        InputError: A file is missing, outside the folder or of another shape.
        ConfigError: The preprocessing has an option out of its range.
        BackendError: ONNX Runtime cannot open or run an encoder.

    Source: the interface of Oikarinen and Weng, CLIP-Dissect, ICLR 2023.
    """

    name = "encoder"

    def __init__(self, folder: str | os.PathLike[str], device: object = None) -> None:
        self.folder, self._device = Path(folder), device
        manifest = self.folder / "encoder.json"
        if not manifest.is_file():
            raise InputError(
                f"`encoder` must be a folder with encoder.json, got '{folder}' without it; check the path."
            )
        try:
            document: Any = json.loads(manifest.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"`encoder` must have a readable encoder.json, got '{manifest}' ({error}).") from error
        if not isinstance(document, dict) or document.get("schema") != ENCODER_SCHEMA:
            raise InputError(f'`encoder` must carry "schema": "{ENCODER_SCHEMA}", got \'{manifest}\' without it.')
        self._document = document
        self._image = self._file("image")
        options = document.get("preprocess", {})
        if not isinstance(options, dict):
            raise InputError(f"`encoder` must give preprocess as an object, got {options!r} in '{manifest}'; mend it.")
        self.preprocess = Preprocess.from_dict(options)
        lines = self._file("words").read_text(encoding="utf-8").splitlines()
        texts = [" ".join(line.split()) for line in lines]
        if not texts or not all(texts):
            raise InputError(f"`encoder` must have one word per line, got an empty line in '{self._file('words')}'.")
        #: W words.
        self.words = tuple(Word(text) for text in texts)
        self._embeddings = self._word_vectors()

    def similarities(
        self, paths: Sequence[Path], cache: Path, *, batch: int = 16, progress: Progress | None = None
    ) -> NDArray[np.float32]:
        """Cosine similarity (P, W) of pictures and words; goes on with the vectors that the cache holds.

        Raises:
            InputError: A picture cannot be read, or vectors of pictures and words have different lengths.
        """
        files = [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in paths]
        stat = self._image.stat()
        asked = [ENCODER_SCHEMA, str(self._image.resolve()), stat.st_size, stat.st_mtime_ns, batch]
        folder = cache / f"encoder-{digest_of([asked, self.preprocess.to_dict(), files])}"
        folder.mkdir(parents=True, exist_ok=True)
        encode = None
        parts = []
        for start in range(0, len(paths), batch):
            block = folder / f"{start // batch:06}.npy"
            if not block.is_file():
                encode = encode or open_encoder(self._image, self._device)
                pictures = self.preprocess([load_picture(path) for path in paths[start : start + batch]])
                draft = block.with_suffix(".draft")
                with draft.open("wb") as opened:
                    np.save(opened, _vectors(encode(pictures), len(pictures), self._image))
                draft.replace(block)
            parts.append(np.load(block))
            if progress is not None:
                progress("encode", min(start + batch, len(paths)), len(paths))
        images = np.concatenate(parts)
        if images.shape[1] != self._embeddings.shape[1]:
            raise InputError(
                f"`encoder` must put pictures and words into one space, got {images.shape[1]} numbers per picture and "
                f"{self._embeddings.shape[1]} per word; use the two halves of one encoder."
            )
        similar: NDArray[np.float32] = _unit(images) @ _unit(self._embeddings).T
        return similar

    def _word_vectors(self) -> NDArray[np.float32]:
        if "embeddings" in self._document:
            path = self._file("embeddings")
            vectors = _vectors(_load(path), len(self.words), path)
        else:
            path = self._file("text")
            tokens = _load(self._file("tokens"))
            if tokens.ndim != 2 or tokens.dtype.kind not in "iu" or len(tokens) != len(self.words):
                raise InputError(
                    f"`tokens` must be {len(self.words)} rows of whole numbers, one per word, got {tokens.dtype} "
                    f"{tokens.shape}; tokenize each line of the words."
                )
            encode = open_encoder(path, self._device)
            parts = [encode(tokens[start : start + 64]) for start in range(0, len(tokens), 64)]
            vectors = _vectors(np.concatenate(parts), len(self.words), path)
        return vectors

    def _file(self, key: str) -> Path:
        name = self._document.get(key)
        path = self.folder / str(name)
        if not isinstance(name, str) or not path.resolve().is_relative_to(self.folder.resolve()) or not path.is_file():
            raise InputError(f"`encoder` must hold its {key}, got {name!r} in '{self.folder}'; add the file.")
        return path


def _load(path: Path) -> NDArray[Any]:
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (OSError, ValueError) as error:
        raise InputError(
            f"`encoder` must have arrays as .npy, got '{path}' ({error}); save it with numpy.save."
        ) from error


def _vectors(array: NDArray[Any], count: int, path: Path) -> NDArray[np.float32]:
    if array.ndim != 2 or len(array) != count or array.dtype.kind != "f" or not np.isfinite(array).all():
        raise InputError(
            f"`encoder` must give {count} finite vectors (N, D), got {array.dtype} {array.shape} from '{path}'; "
            "export the encoder with its projection as the first output."
        )
    return array.astype(np.float32)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit
