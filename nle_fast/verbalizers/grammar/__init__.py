"""The grammar: every acceptable text of a meaning representation, as a lattice.

`lattice` is the graph and the walk through it, `clauses` the parts of a sentence, `styles` what the styles share,
`plain` the longest style, and `sentences` puts a text together.
"""

from __future__ import annotations

from nle_fast.verbalizers.grammar.sentences import lattice_of

__all__ = ["lattice_of"]
