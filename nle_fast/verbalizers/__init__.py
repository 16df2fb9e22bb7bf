"""From meaning representation to text: verbalizers, and the check that every text passes.

open_verbalizer("template" | "llama" | "model.gguf" | object) ─► Verbalizer
speak(verbalizer, meaning) ─► Utterance that says each fact once and nothing else
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from nle_fast.errors import ConfigError, UnsupportedClaimError, VerbalizerCancelled, VerbalizerError
from nle_fast.schema import Meaning, Span, Utterance
from nle_fast.verbalizers.base import Verbalizer
from nle_fast.verbalizers.checking import Report, check
from nle_fast.verbalizers.template import TemplateVerbalizer

__all__ = [
    "Report",
    "TemplateVerbalizer",
    "Verbalizer",
    "check",
    "name_of",
    "open_verbalizer",
    "speak",
    "speak_all",
]


def open_verbalizer(spec: str | os.PathLike[str] | Verbalizer) -> Verbalizer:
    """The verbalizer that a user asked for.

    Args:
        spec: "template"; "llama", the embedded language model; the path of a .gguf file; or an object with a method
            `verbalize(meaning)`.

    Raises:
        ConfigError: None of these.
        VerbalizerError: The .gguf file is missing, a folder, empty, truncated, or not GGUF.

    Example:
        >>> open_verbalizer("template").name
        'template'
    """
    if not isinstance(spec, (str, os.PathLike)):
        if callable(getattr(spec, "verbalize", None)) and not isinstance(spec, type):
            return spec
        raise _unknown(spec)
    if spec == "template":
        return TemplateVerbalizer()
    if spec == "llama":
        from nle_fast.verbalizers.llama import Llama

        return Llama()
    path = os.fspath(spec)
    if isinstance(path, str) and (
        isinstance(spec, os.PathLike) or path.lower().endswith(".gguf") or os.path.exists(path)
    ):
        from nle_fast.verbalizers.llama import Llama

        return Llama(path)
    raise _unknown(spec)


def speak(verbalizer: Verbalizer, meaning: Meaning) -> Utterance:
    """A checked text. Where the verbalizer fails or says something else, the template speaks, and `note` says why.

    Errors of a verbalizer other than `VerbalizerError` are bugs and pass through.

    Args:
        verbalizer: Any verbalizer.
        meaning: What to say.

    Returns:
        Text and spans; every fact has at least one span. `verbalizer` names what wrote the text.

    Raises:
        VerbalizerCancelled: The verbalizer was told to stop; that is the caller's wish, so nobody else speaks.
        UnsupportedClaimError: The template itself does not pass the check.
        VerbalizerError: The verbalizer returned neither text nor an utterance, or a number in `meaning` is not finite.
    """
    return _checked(verbalizer, _one(verbalizer, meaning), meaning)


def speak_all(verbalizer: Verbalizer, meanings: Sequence[Meaning]) -> list[Utterance]:
    """`speak` for several meaning representations; written together where the verbalizer has a method `batch`.

    Args:
        verbalizer: Any verbalizer.
        meanings: What to say.

    Returns:
        A text for each, in their order.

    Raises:
        VerbalizerError: As for `speak`, or `batch` did not return one text for each.
    """
    batch = getattr(verbalizer, "batch", None)
    if batch is None or len(meanings) < 2:
        return [speak(verbalizer, meaning) for meaning in meanings]
    try:
        said = list(batch(meanings))
    except VerbalizerCancelled:
        raise
    except VerbalizerError as error:
        said = [error] * len(meanings)
    if len(said) != len(meanings):
        raise VerbalizerError(
            f"`batch` must return one text for each of {len(meanings)} meaning representations, got {len(said)} "
            f"from {name_of(verbalizer)}; return them in their order."
        )
    return [_checked(verbalizer, text, meaning) for text, meaning in zip(said, meanings, strict=True)]


def name_of(verbalizer: Verbalizer) -> str:
    """Its name for the provenance; that of its class where it has none."""
    return str(getattr(verbalizer, "name", type(verbalizer).__name__))


def _one(verbalizer: Verbalizer, meaning: Meaning) -> Utterance | str | VerbalizerError:
    try:
        return verbalizer.verbalize(meaning)
    except VerbalizerCancelled:
        raise
    except VerbalizerError as error:
        return error


def _checked(verbalizer: Verbalizer, said: Any, meaning: Meaning) -> Utterance:
    """What a verbalizer said, or the template in its place."""
    name = name_of(verbalizer)
    if isinstance(said, VerbalizerError):
        if isinstance(verbalizer, TemplateVerbalizer):
            raise said
        return _template(meaning, f"{name} could not speak: {said}")
    if isinstance(said, str):
        said = Utterance(said, (), name)
    if not isinstance(said, Utterance) or not isinstance(said.text, str):
        raise VerbalizerError(
            f"`verbalize` must return str or Utterance, got {type(said).__name__} from {name}; return the text."
        )
    report = check(said.text, meaning)
    if report.ok:
        spans = said.spans if _whole(said, meaning) else report.spans
        return Utterance(said.text, _sorted(spans), said.verbalizer or name, said.note or "")
    if isinstance(verbalizer, TemplateVerbalizer):
        raise _unsupported(said.text, report)
    return _template(meaning, f"{name} was not used: its text {report}")


def _template(meaning: Meaning, note: str) -> Utterance:
    said = TemplateVerbalizer().verbalize(meaning)
    report = check(said.text, meaning)
    if not report.ok:
        raise _unsupported(said.text, report)
    return Utterance(said.text, said.spans, said.verbalizer, note)


def _whole(said: Utterance, meaning: Meaning) -> bool:
    """Whether the spans given lie in the text and cover exactly the facts."""
    inside = all(0 <= span.start < span.end <= len(said.text) for span in said.spans)
    return inside and {span.fact for span in said.spans} == {fact.id for fact in meaning.facts}


def _sorted(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    return tuple(sorted(spans, key=lambda span: (span.start, span.end, span.fact)))


def _unsupported(text: str, report: Report) -> UnsupportedClaimError:
    return UnsupportedClaimError(
        f"`text` must say each fact once and nothing else, but the template {report} ({text!r}); "
        "please report the concepts and labels."
    )


def _unknown(spec: object) -> ConfigError:
    return ConfigError(
        f"`verbalizer` must be 'llama', 'template', the path of a .gguf file, or an object with "
        f"verbalize(meaning), got {spec!r}; choose one of them."
    )
