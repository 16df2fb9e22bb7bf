"""How a language model writes: which tokens it reads next, and between which tokens its logits choose.

A writer is a generator: it yields a `Step`, gets the token that the model prefers, and returns when nothing is left to
choose. It knows neither llama.cpp nor threads; whoever runs it may run several side by side in one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import NamedTuple, Protocol

from nle_fast.schema import Span, Utterance
from nle_fast.verbalizers.grammar.lattice import Walk
from nle_fast.verbalizers.llama.prompt import Piece

__all__ = ["Step", "Steps", "Tell", "Tokens", "Writer", "write_freely", "write_path"]


class Step(NamedTuple):
    """What a writer asks of the model.

    Attributes:
        tokens: To be read first, at least one.
        among: The tokens between which the logits after them choose, at least two; None: all that there are.
    """

    tokens: Sequence[int]
    among: Sequence[int] | None


#: Gets the token chosen at each step; returns what was written.
Steps = Generator[Step, int, Utterance]

#: Is told the text and the spans as far as they are certain, each time that they grow.
Tell = Callable[[str, tuple[Span, ...]], None]


class Tokens(Protocol):
    """The vocabulary of a model."""

    def text(self, text: str) -> list[int]:
        """Tokens of a text that goes on where another one ended; special tokens are never read from it."""

    def prompt(self, pieces: Iterable[Piece]) -> list[int]:
        """Tokens of a prompt."""

    def piece(self, token: int) -> bytes:
        """What a token says, in UTF-8; part of a character in the worst case."""

    def ends(self, token: int) -> bool:
        """Whether a token ends the text."""


#: Makes the steps of one text from its prompt's tokens; is called again when the text must be written anew.
Writer = Callable[[Tokens, list[int]], Steps]


def write_path(
    walk: Walk, name: str, tokens: Tokens, prompt: list[int], lead: str = "", tell: Tell | None = None
) -> Steps:
    """One path through a lattice: the model chooses at the branchings, and reads what is forced in between.

    At a branching only the first tokens that differ are compared: the options' tokens are a trie, and at each of its
    forks the child with the highest logit is taken. What follows the last branching is never read.

    Args:
        walk: A cursor at the beginning of a lattice.
        name: Of the verbalizer, for the utterance.
        tokens: The model's vocabulary. Options that it cannot tell apart: the first is taken.
        prompt: Tokens to read first.
        lead: What stands between the prompt and the text, such as a space.
        tell: Is told the text so far at every branching, and at the end.

    Returns:
        Text and spans, both from the walk; tokens only help to choose.
    """
    start = walk.forced()
    waiting = prompt + tokens.text(lead + start if start else "")
    while walk.options:
        if tell is not None:
            tell(walk.text, walk.spans)
        before = "" if walk.text else lead
        ways = [tokens.text(before + option) for option in walk.options]
        left, at = list(range(len(ways))), 0
        while len(left) > 1:
            children: dict[int, list[int]] = {}
            for way in left:
                if at == len(ways[way]):  # a vocabulary without these characters
                    children = {}
                    break
                children.setdefault(ways[way][at], []).append(way)
            if not children:
                left = left[:1]
            elif len(children) == 1:
                waiting.append(ways[left[0]][at])
                at += 1
            else:
                token = yield Step(waiting, list(children))
                waiting, left, at = [token], children[token], at + 1
        waiting += ways[left[0]][at:]
        walk.take(left[0])
    if tell is not None:
        tell(walk.text, walk.spans)
    return Utterance(walk.text, walk.spans, name)


def write_freely(name: str, tokens: Tokens, prompt: list[int], max_tokens: int) -> Steps:
    """The most likely token, again and again, up to the end of the first line that is not empty.

    Args:
        name: Of the verbalizer, for the utterance.
        tokens: The model's vocabulary.
        prompt: Tokens to read first.
        max_tokens: At most so many tokens are written.
    """
    written, waiting = bytearray(), prompt
    for _ in range(max_tokens):
        token = yield Step(waiting, None)
        if tokens.ends(token):
            break
        written += tokens.piece(token)
        if b"\n" in written.strip():
            break
        waiting = [token]
    lines = written.decode("utf-8", errors="ignore").strip().split("\n")
    return Utterance(lines[0].strip(), (), name)
