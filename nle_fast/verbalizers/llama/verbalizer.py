"""A language model as verbalizer: it chooses a path through the lattice, or writes freely and is checked."""

from __future__ import annotations

import math
import os
import queue
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Literal, TypeAlias, get_args

from nle_fast.errors import ConfigError, VerbalizerCancelled, VerbalizerError, VerbalizerTimeout
from nle_fast.schema import Meaning, Span, Utterance
from nle_fast.verbalizers.checking import check
from nle_fast.verbalizers.grammar import lattice_of
from nle_fast.verbalizers.llama.decoding import Steps, Tell, Tokens, write_freely, write_path
from nle_fast.verbalizers.llama.engine import POLL_S, Cancel, LlamaEngine
from nle_fast.verbalizers.llama.flight import Job, Task
from nle_fast.verbalizers.llama.model import Weights
from nle_fast.verbalizers.llama.prompt import PROMPT, Piece, compact
from nle_fast.verbalizers.llama.prompt_text import chat_prompt, text_prompt

__all__ = ["EMBEDDED", "Llama", "Mode"]

#: The language model in the package.
EMBEDDED = Path(__file__).with_name("embedded.gguf")

Mode: TypeAlias = Literal["lattice", "free"]
_Said: TypeAlias = "Utterance | VerbalizerError"


class Llama:
    """A GGUF model, run in this process by llama.cpp; may be shared by threads, which share its calls.

    `"lattice"`: the grammar knows every acceptable text of the meaning representation, and the model's probabilities
    choose among them. At a branching, the first tokens that differ are compared; what is forced in between is read in
    one call. Any model then says each fact once and nothing else; how well it reads is the model's part.

    `"free"`, for large instruct models: the model writes what it likes, greedily, in its own chat template. What it
    wrote is checked; after a failed check it is asked once more, with its mistakes named, and then it goes through the
    lattice, and `note` says so.

    The same meaning gives the same text, alone or beside others: what came near a tie beside others is written again
    alone. Exact ties go to the option that stands first in the lattice.

    Args:
        path: A .gguf file; None: the embedded model, which all verbalizers of a process share, and which is loaded
            when the first text is asked for.
        mode: How it writes.
        max_tokens: Of a free text, ≥ 1.
        timeout_s: Time for one text in seconds, waiting for others included, > 0.
        threads: For decoding, ≥ 1; None: by the size of the model, see `Weights`.
        context: Tokens of one text and its prompt, ≥ 1; None: what the model was trained with, at most 2048.

    Raises:
        ConfigError: An option is out of its range.
        VerbalizerError: The file is missing, a folder, empty, truncated, not GGUF, or no model that writes text.
        MissingExtraError: llama-cpp-python is not installed.

    Example:
        >>> from nle_fast.schema import Evidence, Prediction
        >>> stripes = Evidence(431, "Stripes", None, 6.0, 0.6, True, ("center", "left"), ())
        >>> meaning = Meaning(Prediction(340, "zebra", 0.98, 12.0), None, (stripes,), 0.6, "layer4", "plain")
        >>> with Llama() as verbalizer:
        ...     check(verbalizer.verbalize(meaning).text, meaning).ok
        True
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        mode: Mode = "lattice",
        max_tokens: int = 256,
        timeout_s: float = 20.0,
        threads: int | None = None,
        context: int | None = None,
    ) -> None:
        if mode not in get_args(Mode):
            raise ConfigError(f"`mode` must be 'lattice' or 'free', got {mode!r}; choose one of them.")
        for option, value in (("max_tokens", max_tokens), ("threads", threads), ("context", context)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ConfigError(f"`{option}` must be a whole number of at least 1, got {value!r}; give a larger one.")
        if isinstance(timeout_s, bool) or not isinstance(timeout_s, (int, float)) or not 0 < timeout_s < math.inf:
            raise ConfigError(
                f"`timeout_s` must be a positive number of seconds, got {timeout_s!r}; give a larger one."
            )
        self.path = EMBEDDED if path is None else Path(path)
        self.mode: Mode = mode
        self.max_tokens = max_tokens
        self.timeout_s = timeout_s
        self._own = path is not None or threads is not None or context is not None
        self._engine: LlamaEngine | None = (
            LlamaEngine(self.path, context=context, threads=threads) if self._own else _shared_engine()
        )

    @property
    def name(self) -> str:
        """The word "llama"; for a file that is not the embedded one, also the file's name."""
        return "llama" if self.path == EMBEDDED else f"llama:{self.path.name}"

    def verbalize(self, meaning: Meaning, *, cancel: Cancel | None = None) -> Utterance:
        """The text of a meaning representation.

        Args:
            meaning: What to say.
            cancel: Such as a `threading.Event`; once it is set, this returns within 5 ms by raising.

        Returns:
            Text and spans, in free mode only what passed the check. `note` tells what went before, where something did.

        Raises:
            VerbalizerTimeout: `timeout_s` passed.
            VerbalizerCancelled: `cancel` was set.
            VerbalizerError: The prompt does not fit into the context, llama.cpp failed, `close` was called, or a share
                is not finite.
        """
        said = self.batch([meaning], cancel=cancel)[0]
        if isinstance(said, VerbalizerError):
            raise said
        return said

    def batch(self, meanings: Sequence[Meaning], *, cancel: Cancel | None = None) -> list[Utterance | VerbalizerError]:
        """Texts that are written together, in the order of the meaning representations.

        Args:
            meanings: What to say.
            cancel: Ends all of them.

        Returns:
            In the place of a text that could not be written, the `VerbalizerError` that says why. The time limit of
            all together is `timeout_s` for each.

        Raises:
            VerbalizerCancelled: `cancel` was set.
            VerbalizerError: `close` was called, or the model cannot be loaded.
        """
        deadline = time.perf_counter() + self.timeout_s * max(len(meanings), 1)
        if self.mode == "free":
            return self._free(meanings, deadline, cancel)
        order = sorted(range(len(meanings)), key=lambda i: _length(meanings[i]), reverse=True)
        said = self._write([partial(self._path, meanings[i], None) for i in order], deadline, cancel)
        return [text for _, text in sorted(zip(order, said, strict=True), key=lambda pair: pair[0])]

    def stream(self, meaning: Meaning, *, cancel: Cancel | None = None) -> Iterator[tuple[str, tuple[Span, ...]]]:
        """The same text in pieces, each as soon as it is certain.

        Args:
            meaning: What to say.
            cancel: As for `verbalize`; closing the iterator also ends the text.

        Yields:
            The next words, and the spans that end in them, in characters of the whole text. In free mode, all at once.

        Raises:
            VerbalizerError: As for `verbalize`, at any piece.
        """
        if self.mode == "free":
            said = self.verbalize(meaning, cancel=cancel)
            yield said.text, said.spans
            return
        engine, pieces = self._open(), _Pieces()
        deadline = time.perf_counter() + self.timeout_s
        (job,) = engine.start([self._path(meaning, pieces.tell, engine.weights())], deadline)
        try:
            while True:
                done = job.done.is_set()  # before the look at the pieces: none comes after it
                engine.check(job, cancel)
                if piece := pieces.take(0 if done else POLL_S):
                    yield piece
                elif done:
                    break
            engine.wait(job)
        finally:
            engine.drop([job])

    def close(self) -> None:
        """Lets go of the model, which is freed once no other verbalizer shares it; may be called twice."""
        engine, self._engine = self._engine, None
        if engine is not None and self._own:
            engine.close()

    def __enter__(self) -> Llama:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> LlamaEngine:
        if self._engine is None:
            raise VerbalizerError(f"`verbalizer` must be open, but {self.path.name} was closed; make a new one.")
        return self._engine

    def _write(self, tasks: Sequence[_Make], deadline: float, cancel: Cancel | None) -> list[_Said]:
        """Writes together what can be made into tasks; an error stands where a text could not be written."""
        engine = self._open()
        jobs: list[Job | VerbalizerError] = []
        try:
            for make in tasks:  # the first is being written while the next is made
                task = _made(make, engine.weights())
                jobs += engine.start([task], deadline) if isinstance(task, Task) else [task]
            return [job if isinstance(job, VerbalizerError) else _result(engine, job, cancel) for job in jobs]
        except BaseException:
            engine.drop([job for job in jobs if isinstance(job, Job)])
            raise

    def _path(self, meaning: Meaning, tell: Tell | None, model: Weights) -> Task:
        """A path through the lattice, which is built when the text is begun: of a batch, while others are written."""
        name = self.name
        beginning, prompt = ((), compact(meaning)) if model.prompt == PROMPT else text_prompt(meaning)
        lead = " " if beginning else ""

        def write(tokens: Tokens, read: list[int]) -> Steps:
            return write_path(lattice_of(meaning).walk(), name, tokens, read, lead, tell)

        return Task(beginning, prompt, write)

    def _text(self, meaning: Meaning, mistakes: Sequence[str], model: Weights) -> Task:
        """A free text."""
        name, longest, mistake = self.name, self.max_tokens, mistakes[-1] if mistakes else ""
        beginning: tuple[Piece, ...] = ()
        if model.prompt == PROMPT:
            prompt = compact(meaning)
        elif model.chat_template is None:
            beginning, prompt = text_prompt(meaning, mistake)
        else:
            beginning, prompt = chat_prompt(meaning, model.chat_template, mistake)
        return Task(beginning, prompt, lambda tokens, read: write_freely(name, tokens, read, longest))

    def _free(self, meanings: Sequence[Meaning], deadline: float, cancel: Cancel | None) -> list[_Said]:
        """Free texts; for those that fail the check a second one, and then a path through the lattice."""
        found: dict[int, _Said] = {}
        mistakes: list[list[str]] = [[] for _ in meanings]
        left = list(range(len(meanings)))
        for _ in range(2):
            tasks = [partial(self._text, meanings[i], mistakes[i]) for i in left]
            for i, said in zip(left, self._write(tasks, deadline, cancel), strict=True):
                if isinstance(said, VerbalizerTimeout):
                    found[i] = said
                elif isinstance(said, VerbalizerError):
                    mistakes[i].append(f"was not written: {said}")
                elif (report := check(said.text, meanings[i])).ok:
                    note = f"second try; the first {mistakes[i][0]}" if mistakes[i] else ""
                    found[i] = Utterance(said.text, report.spans, said.verbalizer, note)
                else:
                    mistakes[i].append(str(report))
            left = [i for i in left if i not in found]
        tasks = [partial(self._path, meanings[i], None) for i in left]
        for i, said in zip(left, self._write(tasks, deadline, cancel), strict=True):
            if isinstance(said, Utterance):
                note = (
                    f"no free text passed: the first {mistakes[i][0]}; the second {mistakes[i][1]}; the lattice spoke"
                )
                said = Utterance(said.text, said.spans, said.verbalizer, note)
            found[i] = said
        return [found[i] for i in range(len(meanings))]


#: Makes a task for the model that will write it.
_Make: TypeAlias = Callable[[Weights], Task]


class _Pieces:
    """Passes a text on in pieces, from the thread that writes it to the one that reads it."""

    def __init__(self) -> None:
        self._pieces: queue.SimpleQueue[tuple[str, tuple[Span, ...]]] = queue.SimpleQueue()
        self._told = 0

    def tell(self, text: str, spans: tuple[Span, ...]) -> None:
        """What is certain of the text; a text that is begun again tells the same again."""
        if len(text) > self._told:
            start, self._told = self._told, len(text)
            self._pieces.put((text[start:], tuple(span for span in spans if span.end > start)))

    def take(self, timeout_s: float) -> tuple[str, tuple[Span, ...]] | None:
        """The next piece; None where none comes in time."""
        try:
            return self._pieces.get(timeout=timeout_s)
        except queue.Empty:
            return None


def _length(meaning: Meaning) -> int:
    """About how long its text will be; the longest first keeps all threads busy to the end."""
    return (1 + len(meaning.evidence)) * {"short": 1, "plain": 2, "expert": 3}[meaning.style]


def _made(make: _Make, model: Weights) -> Task | VerbalizerError:
    try:
        return make(model)
    except VerbalizerError as error:
        return error


def _result(engine: LlamaEngine, job: Job, cancel: Cancel | None) -> _Said:
    try:
        return engine.wait(job, cancel)
    except VerbalizerCancelled:
        raise
    except VerbalizerError as error:
        return error


_shared: weakref.ref[LlamaEngine] | None = None
_sharing = threading.Lock()


def _shared_engine() -> LlamaEngine:
    """The engine of the embedded model, one for all who use it now; not loaded before the first text."""
    global _shared
    with _sharing:
        engine = None if _shared is None else _shared()
        if engine is None:
            engine = LlamaEngine(EMBEDDED, lazy=True)
            _shared = weakref.ref(engine)
        return engine


def _after_fork() -> None:
    """In the child, the lock may be held by a thread that does not exist there."""
    global _sharing
    _sharing = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
