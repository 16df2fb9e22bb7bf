"""Exact tokens of any GGUF vocabulary: read back piece by piece, they give the text again."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterable, Iterator
from typing import Any

from nle_fast.verbalizers.llama.prompt import Piece

__all__ = ["LlamaTokens"]

_WORDS = re.compile(r" ?[^ ]+| +")
_REMEMBERED = 2048  # words, half a megabyte; names come and go, so all are forgotten when there are more
_SENTINEL = "\n"


class LlamaTokens:
    """The vocabulary of a model that llama.cpp has loaded.

    Text is tokenized word by word, each with the space before it, and every word is remembered: no tokenizer in use
    joins letters across a space. A vocabulary that puts a space before a text on its own, or takes spaces away, is
    led around that: the first way of asking whose tokens give the word back is taken.

    Args:
        vocab: llama.cpp's pointer.
    """

    def __init__(self, vocab: Any) -> None:
        import llama_cpp

        self._llama, self._vocab = llama_cpp, vocab
        self._words: dict[str, list[int]] = {}
        self._markers: dict[str, list[int]] = {}
        self._pieces: dict[int, bytes] = {}
        self.size: int = llama_cpp.llama_vocab_n_tokens(vocab)
        #: What a prompt begins with: the token for it, where the model was trained with one.
        self.begin: list[int] = [llama_cpp.llama_vocab_bos(vocab)] if llama_cpp.llama_vocab_get_add_bos(vocab) else []
        self._sentinel = self._tokenize(_SENTINEL)

    def text(self, text: str) -> list[int]:
        """Tokens of a text that goes on where another one ended; special tokens are never read from it."""
        found: list[int] = []
        for word in _WORDS.findall(text):
            tokens = self._words.get(word)
            if tokens is None:
                if len(self._words) >= _REMEMBERED:
                    self._words.clear()
                tokens = self._words[word] = self._exact(word)
            found += tokens
        return found

    def prompt(self, pieces: Iterable[Piece]) -> list[int]:
        """Tokens of a prompt; in markers, and nowhere else, special tokens are read."""
        return [
            token for piece in pieces for token in (self._marker(piece.text) if piece.marker else self.text(piece.text))
        ]

    def piece(self, token: int) -> bytes:
        """What a token says, in UTF-8; nothing where it is a special one."""
        known = self._pieces.get(token)
        if known is None:
            room = ctypes.create_string_buffer(64)
            count = self._llama.llama_token_to_piece(self._vocab, token, room, len(room), 0, False)
            if count < 0:
                room = ctypes.create_string_buffer(-count)
                count = self._llama.llama_token_to_piece(self._vocab, token, room, len(room), 0, False)
            known = self._pieces[token] = room.raw[:count]
        return known

    def ends(self, token: int) -> bool:
        """Whether a token ends the text."""
        return bool(self._llama.llama_vocab_is_eog(self._vocab, token))

    def _exact(self, word: str) -> list[int]:
        wanted = word.encode("utf-8", errors="replace")
        first: list[int] | None = None
        for tokens in self._ways(word):
            if b"".join(map(self.piece, tokens)) == wanted:
                return tokens
            first = tokens if first is None else first
        return first or []  # characters that the vocabulary lacks

    def _ways(self, word: str) -> Iterator[list[int]]:
        """Ways of asking for the tokens of a word, the most natural first."""
        yield self._tokenize(word)
        if word.startswith(" "):
            yield self._tokenize(word[1:])
        after = self._tokenize(_SENTINEL + word)
        if after[: len(self._sentinel)] == self._sentinel:
            yield after[len(self._sentinel) :]
        yield [token for letter in word for token in self._tokenize(letter)]

    def _marker(self, text: str) -> list[int]:
        tokens = self._markers.get(text)
        if tokens is None:
            if len(self._markers) >= _REMEMBERED:
                self._markers.clear()
            tokens = self._markers[text] = self._tokenize(text, special=True)
        return tokens

    def _tokenize(self, text: str, *, special: bool = False) -> list[int]:
        data = text.encode("utf-8", errors="replace")
        room = (ctypes.c_int32 * (len(data) + 2))()
        count = self._llama.llama_tokenize(self._vocab, data, len(data), room, len(room), False, special)
        if count < 0:
            room = (ctypes.c_int32 * -count)()
            count = self._llama.llama_tokenize(self._vocab, data, len(data), room, len(room), False, special)
        return list(room[:count])
