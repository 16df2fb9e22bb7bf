"""A small byte-level BPE vocabulary, learned from words, and its use by the tokenizer of llama.cpp itself.

Training and run time read text with the same code: the corpus is tokenized by llama.cpp too. No token goes across the
border of a word, a digit or a punctuation mark, so a text has the same tokens however it is cut there.
"""

from __future__ import annotations

import ctypes
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from nle_fast.verbalizers.llama.prompt import MARKERS, Piece
from training.verbalizer.gguf import Value, write_gguf

__all__ = ["Tokenizer", "Vocabulary", "learn"]

_WORDS = re.compile(r" ?[^\W\d_]+| ?[\W\d_]")
_NORMAL, _CONTROL = 1, 3
#: What llama.cpp says goes nowhere.
_SILENT = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda level, text, data: None)


def _letters() -> dict[int, str]:
    """GPT-2's printable stand-in for each byte."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    letters = {byte: chr(byte) for byte in printable}
    rest = [byte for byte in range(256) if byte not in letters]
    return letters | {byte: chr(256 + i) for i, byte in enumerate(rest)}


_LETTERS = _letters()


@dataclass(frozen=True)
class Vocabulary:
    """Tokens in the order of their numbers: markers, bytes, and what the merges make.

    Attributes:
        merges: Pairs of tokens that become one, the most frequent first: "Ġs tripes".
    """

    merges: tuple[str, ...]

    @property
    def tokens(self) -> tuple[str, ...]:
        """All tokens, as GGUF files name them."""
        return tuple(dict.fromkeys([*MARKERS, *_LETTERS.values(), *(merge.replace(" ", "") for merge in self.merges)]))

    @property
    def types(self) -> tuple[int, ...]:
        """Per token its type in GGUF files; markers are never read from text."""
        return tuple(_CONTROL if i < len(MARKERS) else _NORMAL for i in range(len(self.tokens)))

    @property
    def markers(self) -> dict[str, int]:
        """Marker → token."""
        return {marker: i for i, marker in enumerate(MARKERS)}

    @property
    def keys(self) -> dict[str, Value]:
        """What a GGUF file says about them."""
        return {
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.pre": "gpt-2",
            "tokenizer.ggml.tokens": self.tokens,
            "tokenizer.ggml.token_type": self.types,
            "tokenizer.ggml.merges": self.merges,
            "tokenizer.ggml.bos_token_id": 0,
            "tokenizer.ggml.eos_token_id": 0,
            "tokenizer.ggml.add_bos_token": False,
            "tokenizer.ggml.add_eos_token": False,
        }

    def save(self, path: Path) -> None:
        """Writes the merges as JSON."""
        path.write_text(json.dumps(self.merges, ensure_ascii=False, indent=0), encoding="utf-8")

    @staticmethod
    def load(path: Path) -> Vocabulary:
        """Reads what `save` wrote."""
        return Vocabulary(tuple(json.loads(path.read_text(encoding="utf-8"))))


def learn(texts: Iterable[str], size: int) -> Vocabulary:
    """Merges the most frequent pair of neighbors inside words, again and again.

    Args:
        texts: What the model will read and write.
        size: Tokens to reach, markers and bytes included. A pair that occurs only once is not merged.
    """
    counts = Counter(word for text in texts for word in _WORDS.findall(text))
    words = [([_LETTERS[byte] for byte in word.encode()], count) for word, count in sorted(counts.items())]
    pairs: Counter[tuple[str, str]] = Counter()
    where: dict[tuple[str, str], set[int]] = {}
    for i, (parts, count) in enumerate(words):
        _note(parts, count, i, pairs, where)
    merges: list[str] = []
    known = set(_LETTERS.values())
    while len(MARKERS) + len(known) < size and pairs:
        pair, count = max(pairs.items(), key=lambda entry: (entry[1], entry[0]))
        if count < 2:
            break
        made = "".join(pair)
        for i in sorted(where[pair]):
            parts, count = words[i]
            _note(parts, -count, i, pairs, where)
            at = 0
            while at < len(parts) - 1:
                if (parts[at], parts[at + 1]) == pair:
                    parts[at : at + 2] = [made]
                at += 1
            _note(parts, count, i, pairs, where)
        del pairs[pair]
        known.add(made)  # there may be two ways to one token
        merges.append(" ".join(pair))
    return Vocabulary(tuple(merges))


def _note(
    parts: list[str], count: int, i: int, pairs: Counter[tuple[str, str]], where: dict[tuple[str, str], set[int]]
) -> None:
    for pair in itertools.pairwise(parts):
        pairs[pair] += count
        where.setdefault(pair, set()).add(i)


class Tokenizer:
    """The tokenizer of llama.cpp with a vocabulary; what it gave once it remembers.

    Args:
        vocabulary: What to read with.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        import llama_cpp

        self._llama, self.vocabulary = llama_cpp, vocabulary
        self._known: dict[str, list[int]] = {}
        with TemporaryDirectory() as folder:
            path = Path(folder, "vocabulary.gguf")
            write_gguf(path, {"general.architecture": "llama", **vocabulary.keys}, {}, "f32")
            llama_cpp.llama_log_set(_SILENT, ctypes.c_void_p(0))
            options = llama_cpp.llama_model_default_params()
            options.vocab_only = True
            self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), options)
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)

    def __del__(self) -> None:
        self._llama.llama_model_free(self._model)

    def text(self, text: str) -> list[int]:
        """Tokens of a text, or of a part that begins with a space or a punctuation mark."""
        known = self._known.get(text)
        if known is None:
            data = text.encode()
            room = (ctypes.c_int32 * (len(data) + 1))()
            count = self._llama.llama_tokenize(self._vocab, data, len(data), room, len(room), False, False)
            known = self._known[text] = list(room[:count])
        return known

    def prompt(self, pieces: Iterable[Piece]) -> list[int]:
        """Tokens of a prompt."""
        markers = self.vocabulary.markers
        return [
            token for piece in pieces for token in ([markers[piece.text]] if piece.marker else self.text(piece.text))
        ]
