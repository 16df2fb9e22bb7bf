from __future__ import annotations

import numpy as np
import pytest

from nle_fast.errors import InputError
from nle_fast.labels import Labels

NAMES = ["tench, Tinca tinca", "crane", "crane, lifting device", "Lion, king of beasts", "3"]


def test_finds_by_label_part_of_label_and_index():
    labels = Labels(NAMES, 5)
    assert labels.find("tench", "target") == 0
    assert labels.find("  LION ", "target") == 3
    assert labels.find("king of beasts", "target") == 3
    assert labels.find(np.int64(2), "target") == 2
    assert labels.find("3", "target") == 4
    assert labels.find("crane", "target") == 1, "the whole label counts before a part of one"


def test_find_all():
    assert Labels(NAMES, 5).find_all(["tench", None, 2], "targets", 3) == [0, -1, 2]
    assert Labels(NAMES, 5).find_all(None, "targets", 2) == [-1, -1]
    for targets in (["tench"], "tench"):
        with pytest.raises(InputError, match="`targets`"):
            Labels(NAMES, 5).find_all(targets, "targets", 3)


def test_reads_a_file_and_numbers_without_one(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("a\nb\n\n", encoding="utf-8")
    assert Labels(path, 2).names == ("a", "b")
    assert Labels(str(path), 2).names == ("a", "b")
    assert Labels(None, 2).names == ("class 0", "class 1")


@pytest.mark.parametrize("target", ["lyon", 5, -1, 1.5, True, object()])
def test_no_such_class(target):
    with pytest.raises(InputError, match="`versus` must"):
        Labels(NAMES, 5).find(target, "versus")


def test_says_the_nearest_and_the_ambiguous():
    with pytest.raises(InputError, match="lion"):
        Labels(NAMES, 5).find("lyon", "target")
    with pytest.raises(InputError, match=r"1 .a, x.*2 .b, x"):
        Labels(["0", "a, x", "b, x"], 3).find("x", "target")


def test_bad_labels(tmp_path):
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    for labels in (
        ["a"],
        ["a", ""],
        ["a", 3],
        ["a", "b\x1b[31m"],
        tmp_path,
        tmp_path / "no.txt",
        tmp_path / "latin.txt",
    ):
        with pytest.raises(InputError, match="`labels` must"):
            Labels(labels, 2)
