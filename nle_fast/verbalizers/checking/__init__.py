"""The check: reads a text, whoever wrote it, and compares what it claims with a meaning representation.

`reading` goes through the text with `matching` (names and words), `numbers`, `figures` (places, and what numbers are
of) and `markers` (for or against); what it notes are `claims`, and `comparing` (evidence) and `whole` (all else) hold
them against the facts. It does not know the grammar: a mistake there is not excused by the same mistake here.
"""

from __future__ import annotations

from nle_fast.verbalizers.checking.comparing import Report, check

__all__ = ["Report", "check"]
