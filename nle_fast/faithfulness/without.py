"""What a network would say if it could not see something, for people who name it in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from nle_fast.concepts import Concepts
from nle_fast.errors import InputError
from nle_fast.explainer import Explainer
from nle_fast.explanation import Explanation
from nle_fast.faithfulness.plausible import word_stems
from nle_fast.schema import Prediction

__all__ = ["Without", "look_without", "neurons_seeing"]


@dataclass(frozen=True, slots=True)
class Without:
    """What the network says of a picture when it cannot see something.

    Attributes:
        words: What it cannot see.
        neurons: The neurons whose concepts say so; they are zeroed.
        prediction: The winner then.
        target: The explained class then.
        before: The explained class as it was.
    """

    words: str
    neurons: tuple[int, ...]
    prediction: Prediction
    target: Prediction
    before: Prediction

    def __str__(self) -> str:
        which = "neuron" if len(self.neurons) == 1 else "neurons"
        seen = f"Without “{self.words}” ({which} {', '.join(map(str, self.neurons))}), "
        change = f"{self.target.label} goes from {_percent(self.before)} to {_percent(self.target)}"
        if self.prediction.index == self.target.index:
            return f"{seen}{change} and is the answer."
        return f"{seen}the answer is {self.prediction.label} ({_percent(self.prediction)}); {change}."


def look_without(explainer: Explainer, explanation: Explanation, words: str) -> Without:
    """The explanation's picture again, without the neurons whose concepts say these words.

    Args:
        explainer: The one that explained.
        explanation: With its picture.
        words: One thing, as `neurons_seeing` takes it.

    Raises:
        InputError: No neuron has these words, or the explanation has no picture.
    """
    neurons = neurons_seeing(explainer.concepts, words)
    if explanation.picture is None:
        raise InputError("`explanation` must have its picture, got one read from JSON; explain the picture again.")
    winner, target = (
        explainer.mask(explanation.picture, neurons, target=index) for index in (None, explanation.target.index)
    )
    return Without(words, neurons, winner, target, explanation.target)


def _percent(prediction: Prediction) -> str:
    return f"{100 * prediction.probability:.1f} %"


def neurons_seeing(concepts: Concepts | None, words: str) -> tuple[int, ...]:
    """The neurons whose trusted concept says all of these words: "dog" finds "dog face", "bars" finds "barred wing".

    A name that has no words in it ("7") is found by itself.

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
    if not isinstance(words, str):
        raise InputError(f"`without` must name a concept of the network, got {words!r}; give one thing as text.")
    wanted, whole = set(word_stems(words)), words.strip().casefold()
    names = {n: c.name for n, c in enumerate(concepts) if c.trusted and c.name is not None}
    found = tuple(
        n for n, name in names.items() if name.casefold() == whole or (wanted and wanted <= set(word_stems(name)))
    )
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
