"""A lattice as a grammar of llama.cpp, for the peer that decodes under it token by token."""

from __future__ import annotations

from nle_fast.verbalizers.grammar.lattice import Choice, Lattice, Nodes

__all__ = ["grammar_of"]


def grammar_of(lattice: Lattice) -> str:
    """GBNF that accepts the texts of a lattice and nothing else.

    Every choice becomes a rule with one alternative per option, every segment a quoted string; a choice that several
    paths share is one rule.
    """
    rules: dict[int, str] = {}
    lines: list[str] = []

    def sequence(nodes: Nodes) -> str:
        return " ".join(rule(node) if isinstance(node, Choice) else _quoted(node.text) for node in nodes) or '""'

    def rule(choice: Choice) -> str:
        if id(choice) not in rules:
            rules[id(choice)] = f"c{len(rules)}"
            options = " | ".join(sequence(option) for option in choice.options)
            lines.append(f"{rules[id(choice)]} ::= {options}")
        return rules[id(choice)]

    return "\n".join([f"root ::= {sequence(lattice.nodes)}", *lines]) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
