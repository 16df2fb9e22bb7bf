"""Derives `nle_fast/dissect/wordnet.json` from WordNet's hypernyms and the words that were written by hand.

python -m training.words.table ../shared/data/labels/imagenet_hypernyms.json [--check]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "nle_fast" / "dissect" / "wordnet.json"

#: Groups of more or fewer classes say too little, or no more than their class.
LEAST, MOST = 2, 450

NOTE = (
    "Classes of ImageNet and their groups, from WordNet 3.0 (Copyright 2006 by Princeton University, all rights "
    "reserved; see wordnet.LICENSE.txt); the words are this project's. Made by training/words/table.py."
)


def rows_of(path: Path, columns: int) -> list[list[str]]:
    """The rows of a hand-made table, without its comments."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    if bad := [row for row in rows if len(row) != columns]:
        raise SystemExit(f"{path.name}: {columns} columns expected in {bad[0]}")
    return rows


def groups_in(classes: list[dict[str, Any]]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Of each WordNet group of 2 to 450 classes its name and members."""
    found: dict[str, tuple[str, list[int]]] = {}
    for index, entry in enumerate(classes):
        for general in entry["hypernyms"]:
            found.setdefault(general["wnid"], (general["name"], []))[1].append(index)
    return {wnid: (name, tuple(of)) for wnid, (name, of) in found.items() if LEAST <= len(of) <= MOST}


def make(classes: list[dict[str, Any]]) -> dict[str, Any]:
    """The table, after checks that the hand-made part is complete and says each thing once."""
    words = rows_of(HERE / "classes.tsv", 3)
    if [row[0] for row in words] != [entry["wnid"] for entry in classes]:
        raise SystemExit("classes.tsv: the classes must be those of the source, in its order")
    there, place = groups_in(classes), {entry["wnid"]: at for at, entry in enumerate(classes)}
    groups: list[dict[str, Any]] = []
    members_seen: dict[tuple[int, ...], dict[str, Any]] = {}
    for wnids, name, count, said in rows_of(HERE / "groups.tsv", 4):
        own = name == "own"
        members = tuple(sorted(place[wnid] for wnid in wnids.split(" "))) if own else there.pop(wnids)[1]
        if len(members) != int(count):
            raise SystemExit(f"groups.tsv: {wnids} ({name}) has {len(members)} classes, not {count}")
        if said == "=":
            if members not in members_seen:
                raise SystemExit(f"groups.tsv: {wnids} ({name}) has the members of no group above it")
            members_seen[members]["wordnet"][wnids] = name
            continue
        if members in members_seen:
            raise SystemExit(f"groups.tsv: {wnids} ({name}) has the members of another group; write =")
        group = {
            "words": None if said == "-" else said,
            "wordnet": {} if own else {wnids: name},
            "members": ranges(members),
        }
        members_seen[members] = group
        groups.append(group)
    if there:
        raise SystemExit(f"groups.tsv lacks {', '.join(there)}")
    texts = [row[2] for row in words if row[2] != "-"] + [group["words"] for group in groups if group["words"]]
    if twice := sorted({text for text in texts if texts.count(text) > 1}):
        raise SystemExit(f"said twice: {', '.join(twice)}")
    return {
        "schema": "nle-fast-words/1",
        "note": NOTE,
        "classes": [
            {"wnid": entry["wnid"], "names": entry["names"], "words": None if row[2] == "-" else row[2]}
            for entry, row in zip(classes, words, strict=True)
        ],
        "groups": groups,
    }


def ranges(members: tuple[int, ...]) -> list[list[int]]:
    """Runs of members as [first, last]."""
    found: list[list[int]] = []
    for member in members:
        if found and found[-1][1] == member - 1:
            found[-1][1] = member
        else:
            found.append([member, member])
    return found


def text_of(document: dict[str, Any]) -> str:
    """JSON with one line per class and group, so that a change shows."""

    def line(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    parts = [f'"{key}":{line(document[key])}' for key in ("schema", "note")]
    for key in ("classes", "groups"):
        lines = ",\n".join(line(entry) for entry in document[key])
        parts += [f'"{key}":[\n{lines}\n]']
    return "{" + ",\n".join(parts) + "}\n"


def main() -> None:
    """Write the table, or with `--check` fail if it is not what the sources give."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hypernyms", type=Path)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    text = text_of(make(json.loads(asked.hypernyms.read_text(encoding="utf-8"))))
    if asked.check:
        sys.exit(0 if TABLE.read_text(encoding="utf-8") == text else f"{TABLE} is not up to date")
    TABLE.write_text(text, encoding="utf-8")
    print(f"{TABLE}: {len(text.encode()) / 1000:.0f} KB")


if __name__ == "__main__":
    main()
