"""A concept table: for each neuron of one layer its words, and how far to trust them."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nle_fast.concepts import formats
from nle_fast.concepts.concept import Concept, Words
from nle_fast.errors import ConceptsError
from nle_fast.files import write_whole

__all__ = ["BARS", "Concepts", "open_concepts", "words_of"]

#: Where words come from that have a bar of their own, which their quality must exceed.
BARS = {"votes": 0.2, "borrowed": 0.2}

#: A longer description is a mistake in the table, and would not fit any sentence.
MAX_NAME_LENGTH = 200

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]+")


@dataclass(frozen=True)
class Concepts:
    """One name or none per neuron of one layer of one network.

    `concepts[neuron]` is a `Concept`, `len(concepts)` the number of neurons.

    Attributes:
        names: Words, or None, per neuron.
        qualities: Quality, or None, per neuron.
        layer: Layer that the neurons belong to; None where the table does not say.
        model: Fingerprint of network and layer that the table was made for; None where the table does not say.
        min_quality: Names below it are not trusted, so the text does not say them (expert style: only as "loosely").
        sources: Where the words come from, per neuron, see `Concept`; None: nobody says.
        classes: The classes that words by votes name, per neuron, see `Concept`; None: there are none.

    Example:
        >>> concepts = Concepts.from_names(["stripes", None], layer="layer4")
        >>> concepts[0].name, concepts[1].trusted
        ('stripes', False)
    """

    names: tuple[str | None, ...]
    qualities: tuple[float | None, ...]
    layer: str | None
    model: str | None = None
    min_quality: float = 0.0
    sources: tuple[str | None, ...] | None = None
    classes: tuple[tuple[int, ...] | None, ...] | None = None

    def __post_init__(self) -> None:
        names = tuple(_clean(name, neuron) for neuron, name in enumerate(self.names))
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "qualities", tuple(_finite(q, neuron) for neuron, q in enumerate(self.qualities)))
        if not names or len(names) != len(self.qualities):
            raise ConceptsError(
                f"`names` and `quality` must have one entry per neuron, got {len(names)} and {len(self.qualities)}; "
                "use None for a neuron without a name or a quality."
            )
        object.__setattr__(self, "min_quality", _finite(self.min_quality, None) or 0.0)
        object.__setattr__(self, "sources", _per_neuron("sources", self.sources, len(names), _source))
        object.__setattr__(self, "classes", _per_neuron("classes", self.classes, len(names), _indices))
        if self.layer is not None and not isinstance(self.layer, str):
            raise ConceptsError(
                f"`layer` must be a layer's name, got {self.layer!r}; see `explainer.classifier.layer`."
            )

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, neuron: int) -> Concept:
        name, quality = self.names[neuron], self.qualities[neuron]
        source = None if self.sources is None else self.sources[neuron]
        if quality is None or name is None:
            trusted = name is not None
        else:
            trusted = quality > BARS[source] if source in BARS else quality >= self.min_quality
        return Concept(name, quality, trusted, source, None if self.classes is None else self.classes[neuron])

    def __iter__(self) -> Iterator[Concept]:
        return (self[neuron] for neuron in range(len(self)))

    @classmethod
    def from_names(
        cls, names: Sequence[str | None], *, layer: str | None, quality: Sequence[float | None] | None = None
    ) -> Concepts:
        """Make a table of one name, or None, per neuron.

        Args:
            names: In the order of the neurons.
            layer: Name of the layer, as `explainer.classifier.layer` gives it.
            quality: One number, or None, per neuron.

        Raises:
            ConceptsError: The lengths differ, a name is not text or over 200 characters, or a quality is not finite.
        """
        if isinstance(names, str):
            raise ConceptsError(f"`names` must be a sequence of names, got one text {names[:40]!r}; put it in a list.")
        for argument, value in (("names", names), ("quality", () if quality is None else quality)):
            if not isinstance(value, Iterable):
                raise ConceptsError(f"`{argument}` must have one entry per neuron, got {value!r}; put them in a list.")
        names = tuple(names)
        return cls(names, (None,) * len(names) if quality is None else tuple(quality), layer)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, layer: str | None = None) -> Concepts:
        """Read a table: our JSON, or CSV as MILAN, CLIP-Dissect and Network Dissection write it.

        The columns tell the format: `layer,unit,description` (MILAN), with `similarity` (CLIP-Dissect), or
        `unit,category,label,score,…` with units counted from 1 (Network Dissection; names under its published IoU
        bar of 0.04 are not trusted).

        Args:
            path: A `.json` or `.csv` file.
            layer: Which layer, for files that hold several; None: the last one in the file, the deepest.

        Raises:
            ConceptsError: The file is missing, broken, of another format, or has no such layer.
        """
        path = _path(path)
        table = formats.read(path, layer)
        try:
            return cls(**table)
        except ConceptsError as error:
            raise ConceptsError(f"{error} In '{path}'.") from error

    def save(self, path: str | os.PathLike[str], *, kind: str | None = None) -> None:
        """Write the table as JSON, or as a published CSV; the file appears whole or not at all.

        A CSV holds names and qualities, and but for `"netdissect"` the layer; fingerprint and bar stay behind.

        Args:
            path: A `.json` or `.csv` file.
            kind: Of a CSV: `"milan"`, `"clip-dissect"` or `"netdissect"`; None: `"clip-dissect"` where a quality is
                known, else `"milan"`.

        Raises:
            ConceptsError: The path ends otherwise or cannot be written, or there is no such kind.
        """
        path = _path(path)
        if path.suffix.lower() == ".csv":
            kind = kind or ("milan" if all(quality is None for quality in self.qualities) else "clip-dissect")
            if kind not in formats.CSV_FORMATS:
                raise ConceptsError(
                    f"`kind` must be one of {', '.join(formats.CSV_FORMATS)}, got {kind!r}; choose one."
                )
            text = formats.csv_text(self.names, self.qualities, self.layer, kind)
        elif path.suffix.lower() == ".json" and kind is None:
            text = json.dumps(self.to_dict(), ensure_ascii=False, indent=1) + "\n"
        else:
            raise ConceptsError(f"`path` must end in .json, or in .csv, got '{path}'; a `kind` is that of a CSV.")
        try:
            write_whole(path, text)
        except OSError as error:
            raise ConceptsError(f"`path` must be writable, got '{path}' ({error.strerror}); choose another.") from error
        except UnicodeEncodeError as error:
            raise ConceptsError(f"`names` must be text that UTF-8 can hold, got {error}; mend the names.") from error

    @classmethod
    def from_dict(cls, document: Any, *, source: object = "a table") -> Concepts:
        """Read back what `to_dict` gave.

        Args:
            document: As the JSON of a table has it.
            source: What to call it in messages.

        Raises:
            ConceptsError: It is no table.
        """
        return cls(**formats.from_document(document, source))

    def to_dict(self) -> dict[str, Any]:
        """The table as its JSON has it."""
        neurons: list[dict[str, Any]] = [
            {"name": name, "quality": quality} for name, quality in zip(self.names, self.qualities, strict=True)
        ]
        for key, values in (("source", self.sources), ("classes", self.classes)):
            for entry, value in zip(neurons, values or (), strict=False):
                entry |= {} if value is None else {key: value}
        return {
            "schema": formats.JSON_SCHEMA,
            "layer": self.layer,
            "model": self.model,
            "min_quality": self.min_quality,
            "neurons": neurons,
        }

    def at_layer(self, layer: str, *, model: str | None = None) -> Concepts:
        """The same words for the same layer under another name, for instance in an ONNX export of the network."""
        return replace(self, layer=layer, model=model)

    def check_fits(self, *, layer: str, num_neurons: int, model: str | None) -> None:
        """Refuse a table that was made for something else.

        Args:
            layer: Name of the classifier's layer.
            num_neurons: Number of its channels.
            model: Its fingerprint; None when it has none.

        Raises:
            ConceptsError: Layer, number of neurons or fingerprint differ.
        """
        if len(self) != num_neurons:
            raise ConceptsError(
                f"`concepts` must have one entry for each of the {num_neurons} neurons of layer '{layer}', "
                f"got {len(self)}; load the table of this layer."
            )
        if self.layer is not None and self.layer != layer:
            raise ConceptsError(
                f"`concepts` must be for layer '{layer}', got a table for '{self.layer}'; choose that layer, or, if it "
                f"is the same layer under another name, pass `concepts.at_layer('{layer}')`."
            )
        if self.model is not None and model is not None and self.model != model:
            raise ConceptsError(
                f"`concepts` must be made for this network, got a table for the fingerprint {self.model} where the "
                f"network has {model}; name its neurons anew, its weights have changed."
            )


def open_concepts(
    concepts: Concepts | str | os.PathLike[str] | None,
    layer: str,
    num_neurons: int,
    fingerprint: Callable[[], str | None],
) -> Concepts | None:
    """The table for one layer of one network, from a path or as it is; None stays None.

    Args:
        concepts: A table, or the path of one.
        layer: Name of the classifier's layer.
        num_neurons: Number of its channels.
        fingerprint: Gives what tells the network and layer from others; asked only where the table names one.

    Raises:
        ConceptsError: The table is broken or made for something else.
    """
    if isinstance(concepts, (str, os.PathLike)):
        concepts = Concepts.load(concepts, layer=layer)
    if concepts is not None:
        if not isinstance(concepts, Concepts):
            raise ConceptsError(
                f"`concepts` must be Concepts or a table's path, got {type(concepts).__name__}; "
                "make them with Concepts.from_names."
            )
        model = fingerprint() if concepts.model is not None else None
        concepts.check_fits(layer=layer, num_neurons=num_neurons, model=model)
    return concepts


def words_of(concepts: Concepts | None, explained: int | None = None) -> Callable[[int], Words]:
    """From a neuron to what may be said for it.

    Args:
        concepts: The table, if there is one.
        explained: Index of the class that is explained, see `Concept.said_of`.
    """
    if concepts is None:
        return lambda neuron: Words(None, None, None, True)

    def words(neuron: int) -> Words:
        concept = concepts[neuron]
        said = concept.said_of(explained)
        if concept.trusted:
            return Words(said, concept.quality, None, concept.judged)
        return Words(None, concept.quality, said, True)

    return words


def _path(path: object) -> Path:
    if not isinstance(path, (str, os.PathLike)):
        raise ConceptsError(f"`path` must be the path of a .csv or .json file, got {path!r}; give one.")
    return Path(path)


def _clean(name: object, neuron: int) -> str | None:
    if name is None:
        return None
    if not isinstance(name, str):
        raise ConceptsError(f"`names` must be texts or None, got {name!r} for neuron {neuron}; convert it to text.")
    name = " ".join(_UNPRINTABLE.sub(" ", name).split())
    if len(name) > MAX_NAME_LENGTH:
        raise ConceptsError(
            f"`names` must have at most {MAX_NAME_LENGTH} characters, got {len(name)} for neuron {neuron}; shorten it."
        )
    return name or None


def _per_neuron(
    argument: str, values: Sequence[Any] | None, count: int, check: Callable[[object, int], Any]
) -> tuple[Any, ...] | None:
    """One checked entry per neuron; None where no neuron has one, so that equal tables are equal."""
    if values is None:
        return None
    if len(values) != count:
        raise ConceptsError(
            f"`{argument}` must have one entry per neuron, got {len(values)} for {count}; use None for none."
        )
    found = tuple(None if value is None else check(value, neuron) for neuron, value in enumerate(values))
    return None if all(value is None for value in found) else found


def _source(value: object, neuron: int) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 40:
        raise ConceptsError(f"`sources` must be short names or None, got {value!r} for neuron {neuron}; use None.")
    return value


def _indices(value: object, neuron: int) -> tuple[int, ...]:
    whole = isinstance(value, (list, tuple)) and all(type(at) is int and at >= 0 for at in value)
    if not isinstance(value, (list, tuple)) or not whole:
        raise ConceptsError(f"`classes` must be lists of indices or None, got {value!r} for neuron {neuron}; use None.")
    return tuple(value)


def _finite(quality: object, neuron: int | None) -> float | None:
    if quality is None:
        return None
    try:
        number = float(quality)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        where = "`min_quality`" if neuron is None else f"neuron {neuron}"
        raise ConceptsError(f"`quality` must be finite numbers or None, got {quality!r} for {where}; use None.")
    return number
