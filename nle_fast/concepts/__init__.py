"""Words for neurons, with a measured quality: `Concepts` is one table for one layer."""

from nle_fast.concepts.concept import Concept, Words
from nle_fast.concepts.table import BARS, Concepts, open_concepts, words_of

__all__ = ["BARS", "Concept", "Concepts", "Words", "open_concepts", "words_of"]
