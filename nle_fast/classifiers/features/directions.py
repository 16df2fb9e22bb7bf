"""Features of one layer: learned directions, and how activations are read through them.

With a(p) the activations at a position p, D the directions, E and e the encoder, μ the mean activation:

    u(p) = the k largest of relu(E (a(p) − μ) + e), the others zero       codes
    r(p) = a(p) − Dᵀ u(p)                                                 rest: what no feature explains, μ included
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.errors import FeaturesError
from nle_fast.files import write_whole

__all__ = ["FEATURES_SCHEMA", "Features"]

Floats = NDArray[np.float32]

FEATURES_SCHEMA = "nle-fast-features/1"

#: Directions that are not of unit length make codes that cannot be compared.
UNIT = 1e-3

_ARRAYS = ("decoder", "encoder", "bias", "mean")


@dataclass(frozen=True, eq=False)
class Features:
    """Learned directions of one layer of one network; immutable, may be shared by threads.

    Args:
        layer: Name of the layer, as `classifier.layer` gives it.
        decoder: (K, C) float32, the directions, each of unit length.
        encoder: (K, C) float32.
        bias: (K,) float32.
        mean: (C,) float32, the mean activation over positions and pictures.
        active: k, the most codes that are not zero at a position, 1 … K.
        fingerprint: Of network and layer, as `classifier.fingerprint` gives it; None: not known.
        record: How they were learned and what was measured, as JSON has it.
        words: A table of concepts for them, as its JSON has it; None: they have no words.

    Raises:
        FeaturesError: Shapes that do not fit each other, a number that is not finite, a direction of another length, or
            a record or words that are no objects.

    Example:
        >>> one = np.eye(2, 3, dtype=np.float32)
        >>> features = Features("layer", one, one, np.zeros(2, np.float32), np.zeros(3, np.float32), active=1)
        >>> len(features), features.num_channels
        (2, 3)

    Source: sparse autoencoders with top-k codes (Makhzani and Frey, 2014; Gao et al., 2024), here of a CNN's positions.
    """

    layer: str
    decoder: Floats
    encoder: Floats
    bias: Floats
    mean: Floats
    active: int
    fingerprint: str | None = None
    record: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.layer, str) or not self.layer:
            raise FeaturesError(f"`layer` must be a layer's name, got {self.layer!r}; see `classifier.layer`.")
        shape = _array("decoder", self.decoder).shape
        if len(shape) != 2 or 0 in shape:
            raise FeaturesError(f"`decoder` must be (K, C), got {shape}; give one direction per row.")
        expected = {"decoder": shape, "encoder": shape, "bias": shape[:1], "mean": shape[1:]}
        for name, wanted in expected.items():
            given = _array(name, getattr(self, name))
            fits = given.shape == wanted and given.dtype.kind == "f"
            with np.errstate(over="ignore"):  # a number that is too large for float32 is as one that is not finite
                array = np.array(given, np.float32, order="C") if fits else given
            if not fits or not np.isfinite(array).all():
                raise FeaturesError(
                    f"`{name}` must be finite floating point {wanted}, got {given.dtype} of shape {given.shape}"
                    f"{' with other values' if fits else ''}; learn the features anew."
                )
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        lengths = np.linalg.norm(self.decoder, axis=1)
        if np.abs(lengths - 1).max() > UNIT:
            row = int(np.abs(lengths - 1).argmax())
            raise FeaturesError(
                f"`decoder` must have rows of length 1, got {lengths[row]:.4g} in row {row}; divide each by its length."
            )
        count = self.active
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or not 1 <= count <= shape[0]:
            raise FeaturesError(f"`active` must be a whole number from 1 to {shape[0]}, got {count!r}; change it.")
        if not isinstance(self.fingerprint, str | None):
            raise FeaturesError(f"`fingerprint` must be text or None, got {self.fingerprint!r}; leave it out.")
        for name, about in (("record", self.record), ("words", {} if self.words is None else self.words)):
            if not isinstance(about, Mapping):
                raise FeaturesError(f"`{name}` must be an object as JSON has it, got {about!r:.80}; leave it out.")

    def __len__(self) -> int:
        return len(self.decoder)

    @property
    def num_channels(self) -> int:
        """C, the channels of the layer."""
        return int(self.decoder.shape[1])

    @property
    def better_reading(self) -> str:
        """What explanations had better name: `"features"`, or `"neurons"` where those won when they were learned."""
        readings = self.record.get("readings")
        return "neurons" if isinstance(readings, Mapping) and readings.get("better") == "neurons" else "features"

    @cached_property
    def offset(self) -> Floats:
        """(K,) float32: projections are `encoder` · activations + `offset`."""
        return (self.bias - self.encoder.astype(np.float64) @ self.mean.astype(np.float64)).astype(np.float32)

    @cached_property
    def digest(self) -> str:
        """blake2b (16 bytes, hexadecimal) of all that the codes depend on."""
        made = blake2b(f"{self.layer}\0{self.active}".encode(), digest_size=16)
        for name in _ARRAYS:
            made.update(getattr(self, name).tobytes())
        return made.hexdigest()

    def with_words(self, words: Mapping[str, Any] | None) -> Features:
        """The same features with a table of concepts, as its JSON has it, or without any."""
        return replace(self, words=words)

    def at_layer(self, layer: str, *, fingerprint: str | None = None) -> Features:
        """The same features for the same layer under another name, for instance in an ONNX export of the network."""
        return replace(self, layer=layer, fingerprint=fingerprint)

    def check_fits(self, *, layer: str, num_neurons: int, fingerprint: str | None) -> None:
        """Refuse features that were learned on something else.

        Args:
            layer: Name of the classifier's layer.
            num_neurons: Number of its channels.
            fingerprint: Its fingerprint; None when it has none.

        Raises:
            FeaturesError: Layer, number of channels or fingerprint differ.
        """
        if self.layer != layer:
            raise FeaturesError(
                f"`features` must be for layer '{layer}', got features of '{self.layer}'; choose that layer, or, if it "
                f"is the same layer under another name, pass `features.at_layer('{layer}')`."
            )
        if self.num_channels != num_neurons:
            raise FeaturesError(
                f"`features` must be directions of the {num_neurons} channels of layer '{layer}', got "
                f"{self.num_channels}; learn features of this network."
            )
        if self.fingerprint is not None and fingerprint is not None and self.fingerprint != fingerprint:
            raise FeaturesError(
                f"`features` must be learned on this network, got features of the fingerprint {self.fingerprint} where "
                f"the network has {fingerprint}; learn them anew, its weights have changed."
            )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a `.safetensors` file; it appears whole or not at all.

        Raises:
            FeaturesError: The path ends otherwise or cannot be written, or record or words are no JSON.
        """
        from safetensors.numpy import save

        path = _path(path)
        try:
            about = {
                "schema": FEATURES_SCHEMA,
                "about": json.dumps(
                    {
                        "layer": self.layer,
                        "active": int(self.active),
                        "model": self.fingerprint,
                        "record": dict(self.record),
                        "words": None if self.words is None else dict(self.words),
                    },
                    ensure_ascii=False,
                    allow_nan=False,
                ),
            }
            whole = save({name: getattr(self, name) for name in _ARRAYS}, about)
        except (TypeError, ValueError, RecursionError) as error:
            raise FeaturesError(
                f"`layer`, `record` and `words` must be JSON, got {error}; use numbers and texts."
            ) from error
        try:
            write_whole(path, whole)
        except (OSError, ValueError) as error:  # the latter of a name with a zero in it
            reason = getattr(error, "strerror", error)
            raise FeaturesError(f"`path` must be writable, got '{path}' ({reason}); choose another.") from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Features:
        """Read what `save` has written; nothing in it can run.

        Raises:
            FeaturesError: The file is missing, broken, cut off, or holds something else.
        """
        from safetensors import SafetensorError, safe_open

        path = _path(path)
        if not os.path.isfile(path):  # unlike Path.is_file, also of names that no file system takes
            raise FeaturesError(f"`features` must be an existing file, got '{path}' (no such file); check the path.")
        try:
            with safe_open(path, framework="numpy") as file:
                said = file.metadata() or {}
                if said.get("schema") != FEATURES_SCHEMA:
                    raise FeaturesError(
                        f"`features` must carry the schema {FEATURES_SCHEMA}, got '{path}' with "
                        f"{said.get('schema')!r}; make it with nle-fast features."
                    )
                about = json.loads(said["about"])
                arrays = {name: file.get_tensor(name) for name in _ARRAYS}
            made = {"layer": about["layer"], "active": about["active"], "fingerprint": about.get("model")}
            return cls(**arrays, **made, record=about.get("record", {}), words=about.get("words"))
        except FeaturesError as error:
            raise error if str(path) in str(error) else FeaturesError(f"{error} In '{path}'.") from error
        except (SafetensorError, OSError, KeyError, TypeError, ValueError, RecursionError) as error:
            reason = " ".join(str(error).split())[:120]
            raise FeaturesError(
                f"`features` must be a whole .safetensors file, got '{path}' ({type(error).__name__}: {reason}); "
                "make it anew with nle-fast features."
            ) from error


def _array(name: str, value: object) -> NDArray[Any]:
    try:
        return np.asarray(value)
    except ValueError as error:  # rows of several lengths
        raise FeaturesError(f"`{name}` must be one array, got {error}; learn the features anew.") from error


def _path(path: object) -> Path:
    if not isinstance(path, (str, os.PathLike)):
        raise FeaturesError(f"`path` must be the path of a .safetensors file, got {path!r}; give one.")
    found = Path(path)
    if found.suffix.lower() != ".safetensors":
        raise FeaturesError(f"`path` must end in .safetensors, got '{found}'; features are kept in such a file.")
    return found
