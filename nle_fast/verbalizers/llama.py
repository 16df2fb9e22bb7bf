"""A language model as verbalizer: free text, checked; one more try with its mistakes named; no third."""

from __future__ import annotations

import math
import os
import time
from functools import lru_cache
from pathlib import Path
from types import TracebackType

from nle_fast.config import Style
from nle_fast.errors import ConfigError, UnsupportedClaimError, VerbalizerError, VerbalizerTimeout
from nle_fast.schema import Evidence, Meaning, Prediction, Utterance
from nle_fast.verbalizers.check import check
from nle_fast.verbalizers.llama_engine import Engine, LlamaEngine
from nle_fast.verbalizers.phrases import names_of, percent
from nle_fast.verbalizers.template import TemplateVerbalizer

__all__ = ["LlamaVerbalizer", "facts_as_text", "prompt_prefix"]


class LlamaVerbalizer:
    """Any GGUF model, run in this process by llama.cpp.

    The prompt is short instructions, one worked example in the style of the meaning representation, and its facts; the
    part before the facts is decoded once per style and kept. Greedy decoding: the same meaning gives the same text.
    What the model writes is checked; after a failed check it is asked once more, with its mistakes named.

    Args:
        path: A .gguf file.
        max_tokens: At most so many tokens per try, ≥ 1.
        timeout_s: Time for one text in seconds, both tries together, > 0. Looked at between decode calls, so a
            large model may overrun it by one call of 32 tokens.
        threads: Threads for decoding, ≥ 1; None: half the cores.
        context: Tokens of context, ≥ 1; None: what the model was trained with, at most 2048.
        engine: Completes the prompts instead of llama.cpp; `path` is then only a name.

    Raises:
        ConfigError: An option is out of its range.
        VerbalizerError: The file is missing, a folder, empty, truncated, or not GGUF.
        MissingExtraError: llama-cpp-python is not installed.

    Example:
        >>> class Parrot:  # stands in for llama.cpp
        ...     def complete(self, prefix, prompt, *, max_tokens, deadline):
        ...         return "The network's answer is zebra."
        ...     def close(self):
        ...         pass
        >>> meaning = Meaning(Prediction(340, "zebra", 0.98, 12.0), None, (), 0.0, "layer4", "plain")
        >>> with LlamaVerbalizer("parrot.gguf", engine=Parrot()) as verbalizer:
        ...     print(verbalizer.verbalize(meaning).text)
        The network's answer is zebra.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_tokens: int = 256,
        timeout_s: float = 20.0,
        threads: int | None = None,
        context: int | None = None,
        engine: Engine | None = None,
    ) -> None:
        for option, value in (("max_tokens", max_tokens), ("threads", threads), ("context", context)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ConfigError(f"`{option}` must be a whole number of at least 1, got {value!r}; give a larger one.")
        if isinstance(timeout_s, bool) or not isinstance(timeout_s, (int, float)) or not 0 < timeout_s < math.inf:
            raise ConfigError(
                f"`timeout_s` must be a positive number of seconds, got {timeout_s!r}; give a larger one."
            )
        self.path = Path(path)
        self.max_tokens = max_tokens
        self.timeout_s = timeout_s
        self._engine: Engine = LlamaEngine(self.path, context=context, threads=threads) if engine is None else engine

    @property
    def name(self) -> str:
        """The word "llama:" and the name of the file."""
        return f"llama:{self.path.name}"

    def verbalize(self, meaning: Meaning) -> Utterance:
        """A text that passed the check, first or second try; `note` tells which mistakes the second try mended.

        Raises:
            UnsupportedClaimError: Both tries said something else than the meaning representation.
            VerbalizerTimeout: `timeout_s` passed.
            VerbalizerError: The prompt does not fit into the context, llama.cpp failed, or `close` was called.
        """
        deadline = time.perf_counter() + self.timeout_s
        prefix, facts = prompt_prefix(meaning.style), facts_as_text(meaning)
        mistakes: list[str] = []
        for _ in range(2):
            again = f"A first text was wrong: it {mistakes[0]}.\n" if mistakes else ""
            try:
                text = self._engine.complete(
                    prefix, f"{facts}{again}Text:", max_tokens=self.max_tokens, deadline=deadline
                )
            except VerbalizerTimeout:
                raise
            except VerbalizerError as error:
                if not mistakes:
                    raise
                mistakes.append(f"was not written: {error}")
                break
            report = check(text, meaning)
            if report.ok:
                note = f"second try; the first {mistakes[0]}" if mistakes else ""
                return Utterance(text, report.spans, self.name, note)
            mistakes.append(str(report))
        raise UnsupportedClaimError(
            f"`text` must say each fact once and nothing else, but {self.name} did not "
            f"(its text {mistakes[0]}; the second {mistakes[1]}); use a larger model, or verbalizer='template'."
        )

    def close(self) -> None:
        """Frees the model; may be called twice."""
        self._engine.close()

    def __enter__(self) -> LlamaVerbalizer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def facts_as_text(meaning: Meaning) -> str:
    """The facts of a meaning representation, one per line, in the words that the text must use.

    Example:
        >>> print(facts_as_text(_example("short")), end="")
        answer: zebra
        for: stripes; where: center, left
        for: a dog face; where: top
        against: grass; where: bottom
    """
    names, kinds = names_of(meaning), {fact.id for fact in meaning.facts}
    decimals = 1 if meaning.style == "expert" else 0
    lines = [f"{'answer' if meaning.winner else 'not the answer'}: {names.target.text}"]
    if "probability" in kinds:
        lines.append(f"probability: {percent(meaning.target.probability, decimals)}")
    if names.versus is not None:
        lines.append(f"rather than: {names.versus.text}")
    if "layer" in kinds:
        lines.append(f"in: {names.layer.text}")
    for rank, (item, name) in enumerate(zip(meaning.evidence, names.concepts, strict=True)):
        line = f"{'for' if item.supports else 'against'}: {f'neuron {item.neuron}' if name is None else name.text}"
        if f"evidence.{rank}.neuron" in kinds:
            line += f"; neuron {item.neuron}"
        if f"evidence.{rank}.share" in kinds:
            line += f"; share {percent(item.share, decimals)}"
        if item.positions:
            line += f"; where: {', '.join(item.positions)}"
        lines.append(line)
    if "coverage" in kinds:
        lines.append(f"together: {percent(meaning.coverage, decimals)} of the evidence for it")
    return "\n".join(lines) + "\n"


@lru_cache(maxsize=8)
def prompt_prefix(style: Style) -> str:
    """Instructions and one worked example: what stands before the facts, the same for every picture."""
    example = _example(style)
    text = TemplateVerbalizer().verbalize(example).text
    return f"Say each fact once, in these words, and nothing else.\n\n{facts_as_text(example)}Text: {text}\n\n"


def _example(style: Style) -> Meaning:
    def item(neuron: int, concept: str, share: float, *positions: str) -> Evidence:
        return Evidence(neuron, concept, None, 10 * share, share, share > 0, positions, ())

    evidence = (
        item(431, "stripes", 0.42, "center", "left"),
        item(12, "dog face", 0.2, "top"),
        item(7, "grass", -0.05, "bottom"),
    )
    return Meaning(Prediction(340, "zebra", 0.92, 12.0), None, evidence, 0.62, "layer4", style)
