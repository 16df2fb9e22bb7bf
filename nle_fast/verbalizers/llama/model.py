"""A GGUF model and the contexts of llama.cpp that read with it."""

from __future__ import annotations

import ctypes
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from nle_fast.errors import MissingExtraError, VerbalizerError
from nle_fast.verbalizers.llama.tokens import LlamaTokens

__all__ = ["BATCH", "Context", "Row", "Weights", "look_at"]

#: Tokens that one call of llama.cpp reads at most.
BATCH = 256

_MAGIC = b"GGUF"
_heard = threading.local()  # said: what llama.cpp says in this thread, where it is listened to
_LONGEST = 2048  # tokens of context, unless the user asks for another number
_MEMORY = 8 << 20  # bytes of keys and values that may be kept for texts side by side
_SMALL = 50_000_000  # weights
_CONTEXTS = 4
# Sums over the cells of a context depend on what else lies in it. Beside others, differences of logits in 2,000 texts
# moved by 0.0018 at most where the weights are floats, and by 0.03 where activations are rounded to 8 bits.
_NOISE, _NOISE_QUANTIZED = 0.005, 0.1
_FLOATS = ("0", "1", "32")  # kinds of file: float32, float16, bfloat16


class Row(NamedTuple):
    """Tokens of one sequence, in a call; `last`: whether logits are wanted after the last of them."""

    sequence: int
    position: int
    tokens: Sequence[int]
    last: bool


class Weights:
    """A model, loaded; any number of contexts may read with it.

    Args:
        path: A .gguf file that `look_at` has looked at.
        context: Tokens of one text and its prompt; None: what the model was trained with, at most 2048.
        threads: Of every call; None: one with models below 50 million weights, else half the cores. Waiting threads
            spin, so as many as there are cores would crawl beside any other work.

    Attributes:
        tokens: The vocabulary.
        context: Tokens of one text and its prompt.
        threads: Of every call.
        contexts: So many are worth having side by side, each with its own thread; only small models gain by that.
        prompt: The kind of prompt that the model was made for ("compact/1"); None: any text.
        chat_template: Of an instruct model, else None.
        noise: Logits nearer to each other than this may change places when other texts are read in the same call.

    Raises:
        VerbalizerError: Truncated, of an unknown kind, or no model that writes text.
        MissingExtraError: llama-cpp-python is not installed.
    """

    def __init__(self, path: Path, context: int | None, threads: int | None) -> None:
        self._llama, self.path = _llama_cpp(path), path
        with _log() as said:
            self._llama.llama_backend_init()
            self.pointer: Any = self._llama.llama_model_load_from_file(
                os.fsencode(path), self._llama.llama_model_default_params()
            )
        if not self.pointer:
            raise _broken(path, said)
        try:
            self._look(context, threads)
        except BaseException:
            self.close()
            raise

    def _look(self, context: int | None, threads: int | None) -> None:
        llama, model = self._llama, self.pointer
        vocab = llama.llama_model_get_vocab(model)
        if llama.llama_model_has_encoder(model) or not llama.llama_model_has_decoder(model):
            raise _unfit(self.path, "it reads texts, but does not go on with them")
        kind, tokens = llama.llama_vocab_type(vocab), range(llama.llama_vocab_n_tokens(vocab))
        if kind == llama.LLAMA_VOCAB_TYPE_NONE:
            raise _unfit(self.path, "it has no vocabulary")
        byte = llama.LLAMA_TOKEN_ATTR_BYTE
        if kind == llama.LLAMA_VOCAB_TYPE_SPM and not any(llama.llama_vocab_get_attr(vocab, i) & byte for i in tokens):
            raise _unfit(self.path, "its vocabulary lacks the bytes, and llama.cpp ends the process without them")
        self.context: int = context or min(llama.llama_model_n_ctx_train(model) or _LONGEST, _LONGEST)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        small = llama.llama_model_n_params(model) < _SMALL
        self.threads: int = threads or (1 if small else max(1, cores // 2))
        self.contexts: int = max(1, min(cores // self.threads, _CONTEXTS)) if small else 1
        per_token = 4 * llama.llama_model_n_layer(model) * llama.llama_model_n_embd(model)  # an upper bound
        self.cells: int = max(self.context, min(4 * self.context, _MEMORY // max(per_token, 1)))
        self.tokens = LlamaTokens(vocab)
        self.prompt = self._metadata("nle_fast.prompt")
        self.noise: float = _NOISE if self._metadata("general.file_type") in _FLOATS else _NOISE_QUANTIZED
        template = llama.llama_model_chat_template(model, None)
        self.chat_template = None if template is None else template.decode("utf-8", errors="replace")

    def close(self) -> None:
        """Frees the memory; may be called twice."""
        with _log():
            if self.pointer:
                self._llama.llama_model_free(self.pointer)
        self.pointer = None

    def _metadata(self, key: str) -> str | None:
        room = ctypes.create_string_buffer(256)
        count = self._llama.llama_model_meta_val_str(self.pointer, key.encode(), room, len(room))
        return None if count < 0 else room.value.decode("utf-8", errors="replace")


class Context:
    """Reads tokens with a model; for one thread.

    Args:
        weights: The model.
        sequences: Number of sequences that are kept apart.

    Attributes:
        stop: Ends a call.

    Raises:
        VerbalizerError: llama.cpp cannot make a context, or the model does not write text.
    """

    def __init__(self, weights: Weights, sequences: int) -> None:
        import llama_cpp

        from nle_fast.ops import StopFlag

        self._llama, self.weights = llama_cpp, weights
        self.stop = StopFlag()
        options = llama_cpp.llama_context_default_params()
        options.n_ctx, options.n_seq_max = weights.cells, sequences
        options.n_batch = options.n_ubatch = BATCH
        options.n_threads = options.n_threads_batch = weights.threads
        options.pooling_type = llama_cpp.LLAMA_POOLING_TYPE_NONE
        options.embeddings, options.no_perf, options.kv_unified = False, True, True
        # On a CPU, flash attention reads fewer than 64 tokens cell by cell: texts took 1.4 times as long with it.
        options.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        options.abort_callback = llama_cpp.ggml_abort_callback(self.stop.function)
        options.abort_callback_data = self.stop.data
        with _log() as said:
            self._pointer: Any = llama_cpp.llama_init_from_model(weights.pointer, options)
        if not self._pointer:
            raise _broken(weights.path, said)
        self._memory = llama_cpp.llama_get_memory(self._pointer)
        if not self._memory:
            self.close()
            raise _unfit(weights.path, "it reads texts, but does not go on with them")
        self._make_batch()

    def _make_batch(self) -> None:
        """The arrays of a call, made once; the pointers into `sequences` never change."""
        number, pointer = ctypes.c_int32, ctypes.POINTER(ctypes.c_int32)
        self._ids, self._positions, self._sequences = ((number * BATCH)() for _ in range(3))
        self._wanted = (ctypes.c_int8 * BATCH)()
        self._ones = (number * BATCH)(*[1] * BATCH)
        size = ctypes.sizeof(number)
        self._pointers = (pointer * BATCH)(
            *(ctypes.cast(ctypes.addressof(self._sequences) + size * i, pointer) for i in range(BATCH))
        )
        self._batch = self._llama.llama_batch(
            0, self._ids, None, self._positions, self._ones, self._pointers, self._wanted
        )

    def read(self, rows: Sequence[Row]) -> bool:
        """Reads the tokens of all rows in one call, at most `BATCH` together.

        Returns:
            Whether it was done; False where `stop` ended it, then nothing of the call is kept.

        Raises:
            VerbalizerError: llama.cpp failed; what the sequences hold is not known any more.
        """
        at = 0
        for sequence, position, tokens, last in rows:
            count = len(tokens)
            end = at + count
            self._ids[at:end] = list(tokens)
            self._positions[at:end] = list(range(position, position + count))
            self._sequences[at:end] = [sequence] * count
            self._wanted[at:end] = [0] * count
            self._wanted[end - 1] = last
            at = end
        self._batch.n_tokens = at
        _hush()
        status = self._llama.llama_decode(self._pointer, self._batch)
        if status not in (0, 2):
            raise VerbalizerError(
                f"`verbalizer` must run without error, but llama.cpp failed on {self.weights.path.name} "
                f"(status {status}); use another model, or verbalizer='template'."
            )
        return bool(status == 0)

    def logits(self, token: int) -> Any:
        """Pointer to the logits after a token of the last call, counted over all its rows."""
        return self._llama.llama_get_logits_ith(self._pointer, token)

    def copy(self, source: int, target: int) -> None:
        """Lets another, empty sequence begin with all that this one holds; nothing is computed."""
        self._llama.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def remove(self, sequence: int) -> None:
        """Empties a sequence."""
        self._llama.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def clear(self) -> None:
        """Empties all sequences."""
        self._llama.llama_memory_clear(self._memory, False)

    def close(self) -> None:
        """Frees the memory; may be called twice."""
        with _log():
            if self._pointer:
                self._llama.llama_free(self._pointer)
        self._pointer = None


def look_at(path: Path) -> None:
    """Refuses what is plainly no model, before llama.cpp sees it.

    Raises:
        VerbalizerError: No such file, a folder, unreadable, empty, cut within its first bytes, or not GGUF.
    """
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


def _llama_cpp(path: Path) -> Any:
    try:
        import llama_cpp
    except ImportError as error:
        raise MissingExtraError(
            f"`verbalizer` needs llama-cpp-python to run {path}, and it cannot be imported ({error}); "
            "run `pip install llama-cpp-python`, or use verbalizer='template'."
        ) from error
    return llama_cpp


def _broken(path: Path, said: list[str]) -> VerbalizerError:
    why = next((line for line in said if "error" in line or "fail" in line), "it gave no reason")
    return VerbalizerError(
        f"`verbalizer` must be a complete GGUF model that llama.cpp can run, got {path} ({why.strip()}); "
        "the file may be truncated or of a newer kind: download it again, or use verbalizer='template'."
    )


def _unfit(path: Path, why: str) -> VerbalizerError:
    return VerbalizerError(
        f"`verbalizer` must be a model that writes text, got {path} ({why}); "
        "give another .gguf file, or use verbalizer='template'."
    )


@contextmanager
def _log() -> Iterator[list[str]]:
    """What llama.cpp says in this thread goes into a list instead of to stderr."""
    from llama_cpp import llama_log_set

    _hush()
    said: list[str] = []
    _heard.said = said
    llama_log_set(_listener(), ctypes.c_void_p(0))
    try:
        yield said
    finally:
        _heard.said = None


@lru_cache(maxsize=1)
def _listener() -> Any:
    """Notes what is said in a thread that listens, and hands the rest to llama_cpp.

    There is one for all threads, and it is never given up: llama.cpp has one listener, which another thread may be
    about to call when this one is done.
    """
    from llama_cpp import _logger, llama_log_callback

    @llama_log_callback  # type: ignore[untyped-decorator]
    def note(level: int, text: bytes, user_data: Any) -> None:
        said: list[str] | None = getattr(_heard, "said", None)
        if said is None:
            _logger.llama_log_callback(level, text, user_data)
        else:
            said.append(text.decode("utf-8", errors="replace"))

    return note


def _hush() -> None:
    """Keeps off stderr what llama.cpp says of calls that we end, unless llama_cpp was asked for more than errors."""
    from llama_cpp._logger import logger

    if logger.level in (logging.NOTSET, logging.ERROR):  # llama_cpp's own levels: all, and errors
        logger.setLevel(logging.CRITICAL)
