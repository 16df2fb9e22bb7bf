"""What import-linter cannot see: the compiled extension has one door."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "nle_fast"


def imports(path: Path) -> set[str]:
    """Every module that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


def test_only_ops_opens_the_extension():
    users = {path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py") if "nle_fast._core" in imports(path)}
    assert users == {"ops"}


def test_only_the_llama_verbalizer_opens_llama_cpp():
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if any(name.split(".")[0] == "llama_cpp" for name in imports(path))
    }
    assert all(user.startswith("verbalizers/llama/") for user in users)


def test_files_are_short():
    long = {path.name: n for path in PACKAGE.rglob("*.py") if (n := len(path.read_text().splitlines())) > 400}
    assert not long
