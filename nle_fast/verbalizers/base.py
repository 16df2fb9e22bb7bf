"""What every verbalizer is: meaning representation in, text out."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from nle_fast.schema import Meaning, Utterance

__all__ = ["Verbalizer"]


@runtime_checkable
class Verbalizer(Protocol):
    """Turns a meaning representation into text that says each of `meaning.facts` once, and nothing else.

    Whatever it returns is checked before anyone reads it (see `nle_fast.verbalizers.speak`), so a verbalizer may be
    careless, but a careless one is replaced by the template.

    It may also have a method `batch(meanings)` that writes several texts together, and returns in the place of one
    that it could not write the `VerbalizerError` that says why.

    Attributes:
        name: Short name for the provenance, e.g. `"template"`.

    Example:
        >>> class Shout:
        ...     name = "shout"
        ...     def verbalize(self, meaning):
        ...         return f"The network's answer is {meaning.target.label}."
        >>> isinstance(Shout(), Verbalizer)
        True
    """

    @property
    def name(self) -> str:
        """Short name for the provenance."""

    def verbalize(self, meaning: Meaning) -> Utterance | str:
        """Words for a meaning representation.

        Returns:
            The text; an `Utterance` where the verbalizer knows which words say which fact.

        Raises:
            VerbalizerError: It cannot; the template then speaks, and the reason is recorded.
        """
