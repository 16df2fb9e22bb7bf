"""One llama.cpp context in this process: greedy text after a prompt whose beginning is decoded only once.

llama.cpp is imported when an engine is made. A lock owns the context: one call at a time, from any thread; a call that
does not get it before its deadline times out like a slow model.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from nle_fast.errors import MissingExtraError, VerbalizerError, VerbalizerTimeout

__all__ = ["Engine", "LlamaEngine"]

_MAGIC = b"GGUF"
_LONGEST = 2048  # tokens of context, unless the user asks for another number
_PIECE = 32  # tokens per decode call while reading a prompt; the deadline is looked at in between


class Engine(Protocol):
    """Completes prompts; the seam between `LlamaVerbalizer` and llama.cpp."""

    def complete(self, prefix: str, prompt: str, *, max_tokens: int, deadline: float) -> str:
        """The text that follows `prefix + prompt`, up to the end of its line.

        Args:
            prefix: Beginning that stays the same from call to call.
            prompt: The rest.
            max_tokens: At most so many tokens are written.
            deadline: On the clock of `time.perf_counter`, in seconds.

        Raises:
            VerbalizerTimeout: The deadline passed.
            VerbalizerError: The prompt does not fit, or the model failed.
        """

    def close(self) -> None:
        """Frees the model."""


class LlamaEngine:
    """A GGUF model by path, read with llama.cpp.

    Args:
        path: A .gguf file.
        context: Tokens of context; None: what the model was trained with, at most 2048.
        threads: Threads for decoding; None: half the cores.

    Attributes:
        decoded: Number of tokens that went through the model so far.

    Raises:
        VerbalizerError: No such file, a folder, empty, truncated, or not GGUF.
        MissingExtraError: llama-cpp-python is not installed.
    """

    def __init__(self, path: Path, *, context: int | None = None, threads: int | None = None) -> None:
        _look_at(path)
        try:
            import llama_cpp  # noqa: F401 - a clear error now instead of a strange one below
        except ImportError as error:
            raise MissingExtraError(
                f"`verbalizer` needs llama-cpp-python to run {path}, and it cannot be imported ({error}); "
                "run `pip install llama-cpp-python`, or use verbalizer='template'."
            ) from error
        self._lock = threading.Lock()
        self._path = path
        self._cached: list[int] = []
        self.decoded = 0
        self._model: Any = self._load(context or _LONGEST, threads)
        architecture = self._model.metadata.get("general.architecture", "")
        trained = int(self._model.metadata.get(f"{architecture}.context_length", _LONGEST))
        if context is None and trained < _LONGEST:  # only small models are loaded twice
            self._model.close()
            self._model = self._load(trained, threads)

    def _load(self, context: int, threads: int | None) -> Any:
        from llama_cpp import Llama

        # Waiting threads spin: as many as there are cores would crawl on a machine that does anything else.
        threads = threads or max(1, (os.cpu_count() or 2) // 2)
        with _log() as said:
            try:
                return Llama(
                    str(self._path),
                    n_ctx=context,
                    n_batch=_PIECE,
                    n_threads=threads,
                    n_threads_batch=threads,
                    verbose=False,
                )
            except (ValueError, RuntimeError, OSError, AssertionError) as error:
                why = next((line for line in said if "error" in line or "fail" in line), str(error))
                raise VerbalizerError(
                    f"`verbalizer` must be a complete GGUF model that llama.cpp can run, got {self._path} "
                    f"({why.strip()}); the file may be truncated or of a newer kind: download it again, "
                    "or use verbalizer='template'."
                ) from error

    def complete(self, prefix: str, prompt: str, *, max_tokens: int, deadline: float) -> str:
        """See `Engine.complete`. Greedy, so the same prompt gives the same text."""
        if not self._lock.acquire(timeout=max(0.0, deadline - time.perf_counter())):
            raise VerbalizerTimeout(_too_slow(self._path, "the model was busy with another text"))
        try:
            if self._model is None:
                raise VerbalizerError(f"`verbalizer` must be open, but {self._path.name} was closed; make a new one.")
            # Two calls, so that the tokens of the prefix do not depend on what follows it.
            tokens = self._model.tokenize(prefix.encode(), add_bos=True, special=False)
            tokens += self._model.tokenize(prompt.encode(), add_bos=False, special=False)
            room = self._model.n_ctx() - len(tokens)
            if room < 1:
                raise VerbalizerError(
                    f"`context` must hold the prompt of {len(tokens)} tokens, got {self._model.n_ctx()} with "
                    f"{self._path.name}; use a model with a longer context, or verbalizer='template'."
                )
            self._read(tokens, deadline)
            return self._write(min(max_tokens, room), deadline)
        except VerbalizerError:
            raise
        except (RuntimeError, ValueError, OSError) as error:
            self._cached = []
            raise VerbalizerError(
                f"`verbalizer` must run without error, but llama.cpp failed on {self._path.name} ({error}); "
                "use another model, or verbalizer='template'."
            ) from error
        finally:
            self._lock.release()

    def _read(self, tokens: list[int], deadline: float) -> None:
        """Brings the context to these tokens; what it already holds of their beginning stays."""
        same = 0
        for old, new in zip(self._cached, tokens[:-1], strict=False):  # the last is decoded anew: its logits are needed
            if old != new:
                break
            same += 1
        self._model.n_tokens = same  # `eval` drops what lies behind
        self._cached = tokens[:same]
        for start in range(same, len(tokens), _PIECE):
            self._decode(tokens[start : start + _PIECE], deadline)

    def _write(self, max_tokens: int, deadline: float) -> str:
        written: list[int] = []
        end = self._model.token_eos()
        text = ""
        while len(written) < max_tokens:
            token = int(self._model.sample(temp=0.0, repeat_penalty=1.0))
            if token == end:
                break
            written.append(token)
            text = self._model.detokenize(written).decode("utf-8", errors="ignore")
            if "\n" in text.strip():
                break
            if len(written) < max_tokens:
                self._decode([token], deadline)
        return text.strip().split("\n")[0].strip()

    def _decode(self, tokens: list[int], deadline: float) -> None:
        if time.perf_counter() > deadline:
            raise VerbalizerTimeout(_too_slow(self._path, "the model did not finish"))
        self._model.eval(tokens)
        self._cached += tokens
        self.decoded += len(tokens)

    def close(self) -> None:
        """Frees the model, once a text that is being written is done; may be called twice."""
        with self._lock:
            if self._model is not None:
                self._model.close()
                self._model = None


def _look_at(path: Path) -> None:
    """Refuses what is plainly no model, before llama.cpp sees it."""
    remedy = "give the path of a .gguf file, or use verbalizer='template'."
    if os.path.isdir(path):
        raise VerbalizerError(f"`verbalizer` must be a GGUF file, got the folder {path}; {remedy}")
    try:
        with path.open("rb") as file:
            head = file.read(24)
    except FileNotFoundError:
        raise VerbalizerError(
            f"`verbalizer` must be an existing GGUF file, got {path}, which does not exist; {remedy}"
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise VerbalizerError(f"`verbalizer` must be a readable GGUF file, got {path} ({error}); {remedy}") from error
    if not head:
        raise VerbalizerError(
            f"`verbalizer` must be a GGUF file, got {path}, which is empty; download it again, or {remedy}"
        )
    if not head.startswith(_MAGIC):
        raise VerbalizerError(
            f"`verbalizer` must be a GGUF file, got {path}, which begins with {head[:4]!r} instead of "
            f"{_MAGIC!r}; {remedy}"
        )
    if len(head) < 24:
        raise VerbalizerError(
            f"`verbalizer` must be a complete GGUF file, got {path}, which is truncated; download it again, or {remedy}"
        )


@contextmanager
def _log() -> Iterator[list[str]]:
    """What llama.cpp says goes into a list instead of to stderr."""
    from llama_cpp import _logger, llama_log_callback, llama_log_set

    said: list[str] = []

    @llama_log_callback  # type: ignore[untyped-decorator]
    def note(level: int, text: bytes, user_data: object) -> None:
        said.append(text.decode("utf-8", errors="replace"))

    llama_log_set(note, ctypes.c_void_p(0))
    try:
        yield said
    finally:
        llama_log_set(_logger.llama_log_callback, ctypes.c_void_p(0))


def _too_slow(path: Path, why: str) -> str:
    return (
        f"`timeout_s` must leave time for the text, but {why} in time with {path.name}; "
        "raise it, or use a smaller model."
    )
