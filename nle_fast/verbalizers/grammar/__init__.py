"""The grammar: every acceptable text of a meaning representation, as a lattice.

`lattice` is the graph and the walk through it; `lists`, `places` and `clauses` make the parts of a sentence, `answers`
how a text begins, `amounts` how much is told; `styles` is what the styles share, `plain` the longest style, `many` what
is said of many pictures, and `sentences` puts a text together.
"""

from __future__ import annotations

from nle_fast.verbalizers.grammar.sentences import lattice_of

__all__ = ["lattice_of"]
