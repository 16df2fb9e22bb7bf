"""What a network would say if it could not see something, for people who name it in words."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from nle_fast.concepts import Concepts
from nle_fast.errors import InputError
from nle_fast.faithfulness.plausible import word_stems

__all__ = ["neurons_seeing"]


def neurons_seeing(concepts: Concepts | None, words: str) -> tuple[int, ...]:
    """The neurons whose trusted concept says all of these words: "dog" finds "dog face", "bars" finds "barred wing".

    Args:
        concepts: The layer's table.
        words: One thing, in words.

    Returns:
        Channels of the target layer, rising.

    Raises:
        InputError: There is no table, or no neuron with these words; the message names the nearest.

    Example:
        >>> neurons_seeing(Concepts.from_names(["red wing", "sky", "wings"], layer="top"), "wing")
        (0, 2)
    """
    if concepts is None:
        raise InputError(f"`without` must name a concept, got {words!r} for a network without concepts; pass concepts.")
    wanted = set(word_stems(words))
    names = {n: c.name for n, c in enumerate(concepts) if c.trusted and c.name is not None}
    found = tuple(n for n, name in names.items() if wanted and wanted <= set(word_stems(name)))
    if not found:
        near = _nearest(words, names.values())
        raise InputError(f"`without` must name a concept of the network, got {words!r}; {near}.")
    return found


def _nearest(words: str, names: Iterable[str]) -> str:
    known = sorted(set(names))
    near = get_close_matches(words, known, n=3, cutoff=0.4)
    if near:
        return f"did you mean {' or '.join(near)}?".rstrip("?")
    return f"there are {', '.join(known[:5])}, …" if known else "its neurons have no words"
