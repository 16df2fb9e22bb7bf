"""The result: what was said, about what, and where it comes from; as JSON, HTML, and a picture.

Explanation ─► to_dict / to_json ─► from_dict / from_json      (all but the picture; of `nle-fast/1`, too)
            ─► draw(), _repr_html_(), save(folder)
            ─► certify()      (asks the explainer that made it)
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from nle_fast.certificate import Certificate
from nle_fast.draw import draw_explanation, explanation_html
from nle_fast.errors import InputError
from nle_fast.schema import Evidence, Meaning, Prediction, Span
from nle_fast.written import SCHEMA, TOLD, answer_of, as_first, checked_version, plainly, read_meaning, schema

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["SCHEMA", "Explanation", "schema"]


class Certifier(Protocol):
    """What can measure an explanation on its picture: the explainer that made it."""

    def certificate_of(self, explanation: Explanation, /) -> Certificate:
        """Read the picture again and mask what the explanation names."""


class _Made:
    """Keeps who made an explanation, outside its fields: it is no part of what is equal, copied, pickled or written."""

    __slots__ = ("_certifier",)


@dataclass(frozen=True, slots=True, repr=False)
class Explanation(_Made):
    """One picture's explanation.

    Two explanations are equal when they say the same from the same origin: the times taken and the pixels do not count.

    Attributes:
        text: One or more sentences.
        spans: Where the text says each fact, sorted by start.
        prediction: The winner, whichever class is explained.
        target: The class that is explained: the winner unless another was asked for.
        versus: The class it is compared with, or None.
        evidence: Supporting by falling score, then opposing by rising score; colors and numbers follow the index.
        coverage: Share of all support that the told supporting evidence makes up, in [0, 1].
        timings: Stage → milliseconds.
        provenance: Where it comes from: `versions` (package → version), `network` (its name), `model` (fingerprint of
            network and layer, or None), `layer`, `config` (option → value), `picture` (`size`: [width, height];
            `window`: [left, top, right, bottom] of what the classifier saw, in pixels of the picture), `verbalizer`
            (`asked`, `used`, and in `note` why these differ); more keys may come.
        meaning: The meaning representation that the text was checked against; agrees with the four fields above. That
            of an explanation read from `nle-fast/1` has `language` 1, and is written as that again.
        picture: The upright RGB picture; None after reading back from JSON.
        certificate: What masking the named neurons does to this picture; None unless asked for.

    Raises:
        InputError: `target`, `versus`, `evidence` or `coverage` is not the meaning representation's, or its `winner`
            does not tell whether `target` is `prediction`, or its `answer` is not `prediction` where it is not.
    """

    text: str
    spans: tuple[Span, ...]
    prediction: Prediction
    target: Prediction
    versus: Prediction | None
    evidence: tuple[Evidence, ...]
    coverage: float
    timings: Mapping[str, float] = field(compare=False)
    provenance: Mapping[str, Any] = field(hash=False)
    meaning: Meaning
    picture: Image | None = field(default=None, compare=False)
    certificate: Certificate | None = None

    def __post_init__(self) -> None:
        for name in ("target", "versus", "evidence", "coverage"):
            if getattr(self, name) != getattr(self.meaning, name):
                raise InputError(f"`{name}` must be that of `meaning`, got another; change both together.")
        if self.meaning.winner != (self.target.index == self.prediction.index):
            raise InputError(
                f"`meaning.winner` must tell whether `target` is `prediction`, got {self.meaning.winner} for classes "
                f"{self.target.index} and {self.prediction.index}; change both together."
            )
        if self.meaning.answer != answer_of(self.meaning.winner, self.prediction, self.meaning.language):
            raise InputError(
                f"`meaning.answer` must be `prediction` where another class is explained, and else None, got "
                f"{self.meaning.answer}; change both together."
            )

    @property
    def runner_up(self) -> Prediction | None:
        """The class next to the network's answer; None where it knows only one, or `nle-fast/1` did not say."""
        return self.meaning.runner_up

    @property
    def unexplained(self) -> float:
        """Share of what no feature explains, signed, in units of all support; 0 without features."""
        return self.meaning.unexplained

    @property
    def _drawn(self) -> tuple[Evidence, ...]:
        """The evidence with the regions that are outlined: not those of pieces that the text only counts."""
        counted = self.meaning.counted
        return tuple(
            dataclasses.replace(item, regions=()) if rank in counted else item
            for rank, item in enumerate(self.evidence)
        )

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        against = f", versus={self.versus.label!r}" if self.versus is not None else ""
        return (
            f"Explanation({self.target.label!r}, probability={self.target.probability:.3f}{against}, "
            f"evidence={len(self.evidence)}, coverage={self.coverage:.2f}, text={self.text!r})"
        )

    def _repr_html_(self) -> str:
        """Picture, text and table for notebooks: one `<div>` that needs nothing from outside."""
        return explanation_html(
            self.picture, self._drawn, self.text, self.spans, target=self.target, versus=self.versus
        )

    def certify(self) -> Explanation:
        """The same explanation with its certificate: masking the named neurons, beside random ones, on this picture.

        The explainer reads the picture again, one forward more, since activations are not kept with explanations;
        `explainer(picture, certify=True)` measures while it has them.

        Raises:
            InputError: It has no picture or does not know its explainer: it was read from JSON, pickled, or changed.
        """
        if self.certificate is not None:
            return self
        certifier = getattr(self, "_certifier", None)
        if certifier is None or self.picture is None:
            raise InputError(
                "`certify` must be asked of an explanation as its explainer gave it, got one without picture or "
                "explainer; call explainer(picture, certify=True) and keep its JSON."
            )
        return dataclasses.replace(self, certificate=certifier.certificate_of(self)).made_by(certifier)

    def made_by(self, certifier: Certifier) -> Explanation:
        """Itself, after noting who can certify it."""
        object.__setattr__(self, "_certifier", certifier)
        return self

    def draw(self, *, longest: int = 1600, font: str | os.PathLike[str] | None = None) -> Image:
        """The picture with the regions outlined and numbered, the text below in the same colors.

        Args:
            longest: Longest side of the picture in the drawing, in pixels, ≥ 480.
            font: A font file, for labels in scripts that the built-in Latin font lacks.

        Returns:
            A new RGB picture.

        Raises:
            InputError: The explanation has no picture (it was read from JSON), or an argument cannot be used.
        """
        if self.picture is None:
            raise InputError(
                "`picture` must be there to draw on, got None: JSON does not carry it; "
                "set it with dataclasses.replace(explanation, picture=...)."
            )
        return draw_explanation(self.picture, self._drawn, self.text, self.spans, longest=longest, font=font)

    def to_dict(self) -> dict[str, Any]:
        """All but the picture, as dicts, lists, strings, numbers, bools and None; keeps to `schema(meaning.language)`.

        Raises:
            InputError: A number is not finite, or `provenance` holds what JSON cannot, or `meaning` has language 1 and
                facts that it had no words for.
        """
        meaning = self.meaning
        whole = {
            "schema": f"nle-fast/{meaning.language}",
            "text": self.text,
            "prediction": self.prediction,
            "target": self.target,
            "runner_up": meaning.runner_up,
            "versus": self.versus,
            "coverage": self.coverage,
            "unexplained": meaning.unexplained,
            "evidence": self.evidence,
            "spans": self.spans,
            "meaning": {name: getattr(meaning, name) for name in ("layer", "style", *TOLD)},
            "timings": self.timings,
            "provenance": self.provenance,
            "certificate": self.certificate,
        }
        plain = {name: plainly(value, name) for name, value in whole.items()}
        if self.certificate is not None:
            plain["certificate"]["text"] = self.certificate.text
        return plain if meaning.language > 1 else as_first(plain, meaning)

    def to_json(self, indent: int | None = None) -> str:
        """`to_dict` as JSON in plain ASCII, which every terminal and file carries.

        Args:
            indent: Spaces per level; None: one line.

        Raises:
            InputError: As for `to_dict`.
        """
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Explanation:
        """Read back what `to_dict` gave, now or in version 1; the picture is None.

        Raises:
            InputError: The data do not keep to the `schema` of their version, or it is a later one; the message names
                the first place.
        """
        meaning = read_meaning(data, checked_version(data))
        return cls(
            text=data["text"],
            spans=tuple(Span(**span) for span in data["spans"]),
            prediction=Prediction(**data["prediction"]),
            target=meaning.target,
            versus=meaning.versus,
            evidence=meaning.evidence,
            coverage=meaning.coverage,
            timings=dict(data["timings"]),
            provenance=dict(data["provenance"]),
            meaning=meaning,
            certificate=_certificate(data["certificate"]),
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> Explanation:
        """Read back what `to_json` or `save` wrote; the picture is None.

        Raises:
            InputError: It is not JSON, or not of this schema.
        """
        try:
            data = json.loads(text)
        # JSON nested thousands deep, as only a stranger writes it, exhausts the parser's stack.
        except (TypeError, ValueError, RecursionError) as error:
            got = text[:40] if isinstance(text, (str, bytes, bytearray)) else text
            raise InputError(f"`text` must be JSON, got {got!r}: {error}; read explanation.json.") from error
        return cls.from_dict(data)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write explanation.json, text.txt and, if the picture is there, picture.png into a new folder.

        All is written beside it first and moved in one step: the folder appears whole or not at all, and after an
        error nothing is left.

        Args:
            folder: Must not exist, or be an empty folder; its parents are made.

        Returns:
            The folder, as an absolute path.

        Raises:
            InputError: The folder has something in it, is a file, or cannot be written.
        """
        if not isinstance(folder, (str, os.PathLike)):
            raise InputError(f"`folder` must be a path, got {folder!r}; give the name of a new folder.")
        folder = Path(os.path.abspath(folder))
        there = True
        try:
            folder.lstat()
            vacant = folder.is_dir() and next(folder.iterdir(), None) is None
        except FileNotFoundError:
            there, vacant = False, True
        except (OSError, ValueError) as error:  # a name that no file system takes, or a folder that may not be read
            raise InputError(f"`folder` must be writable, got {str(folder)!r}: {error}; give another.") from error
        if not vacant:
            raise _taken(folder)
        missing = [parent for parent in folder.parents if not parent.exists()]
        # Not the whole name, which may be as long as the file system allows.
        partial = folder.parent / f".{folder.name[:40]}.{secrets.token_hex(4)}.partial"
        try:
            partial.mkdir(parents=True)
            if self.picture is not None:
                self.draw().save(partial / "picture.png")
            (partial / "text.txt").write_text(self.text + "\n", encoding="utf-8", errors="replace", newline="\n")
            (partial / "explanation.json").write_text(self.to_json(indent=2) + "\n", encoding="ascii", newline="\n")
            if there:
                folder.rmdir()
            partial.rename(folder)
        except BaseException as error:
            shutil.rmtree(partial, ignore_errors=True)
            with contextlib.suppress(OSError):
                if there:
                    folder.mkdir(exist_ok=True)
                for parent in missing:
                    parent.rmdir()
            if isinstance(error, OSError) and error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                raise _taken(folder) from error
            if isinstance(error, OSError):
                raise InputError(f"`folder` must be writable, got {str(folder)!r}: {error}; give another.") from error
            raise
        return folder


def _taken(folder: Path) -> InputError:
    return InputError(f"`folder` must be new or empty, got {str(folder)!r}; give another name or remove it.")


def _certificate(data: Mapping[str, Any] | None) -> Certificate | None:
    if data is None:
        return None
    figures = {name: value for name, value in data.items() if name != "text"}
    return Certificate(**{**figures, "neurons": tuple(data["neurons"])})
