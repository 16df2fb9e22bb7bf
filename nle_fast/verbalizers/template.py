"""The template verbalizer: deterministic, and right by construction."""

from __future__ import annotations

from nle_fast.schema import Meaning, Utterance
from nle_fast.verbalizers.grammar import lattice_of

__all__ = ["TemplateVerbalizer"]


class TemplateVerbalizer:
    r"""Says every fact once and nothing else, always in the same words: the first path of the lattice.

    Example:
        >>> from nle_fast.schema import Evidence, Meaning, Prediction
        >>> stripes = Evidence(431, "Stripes", None, 6.0, 0.6, True, ("center", "left"), ())
        >>> meaning = Meaning(Prediction(340, "zebra", 0.98, 12.0), None, (stripes,), 0.6, "layer4", "plain")
        >>> print(TemplateVerbalizer().verbalize(meaning).text.replace(". ", ".\n"))
        The network's answer is zebra, mainly because of stripes in the center and on the left.
        This makes up 60% of the evidence for it.
    """

    name = "template"

    def verbalize(self, meaning: Meaning) -> Utterance:
        """The text of a meaning representation, in its style.

        Raises:
            VerbalizerError: A share is not finite, or a position is not one of the known names.
        """
        text, spans = lattice_of(meaning).first()
        return Utterance(text, spans, self.name)
