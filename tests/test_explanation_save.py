"""Saving explanations: whole or not at all."""

from __future__ import annotations

import dataclasses
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from explanation_cases import example, photo
from PIL import Image

from nle_fast.errors import InputError
from nle_fast.explanation import Explanation


def test_save_writes_all(tmp_path: Path) -> None:
    explanation = example(photo())
    folder = explanation.save(tmp_path / "a" / "b")
    assert sorted(path.name for path in folder.iterdir()) == ["explanation.json", "picture.png", "text.txt"]
    assert Explanation.from_json((folder / "explanation.json").read_bytes()) == explanation
    assert (folder / "text.txt").read_text(encoding="utf-8") == explanation.text + "\n"
    with Image.open(folder / "picture.png") as written:
        assert np.array_equal(np.asarray(written), np.asarray(explanation.draw()))
    assert [path.name for path in folder.parent.iterdir()] == ["b"]


def test_save_without_picture_and_into_an_empty_folder(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert example().save(str(folder)) == folder
    assert sorted(path.name for path in folder.iterdir()) == ["explanation.json", "text.txt"]


@pytest.mark.parametrize("name", ["full", "file"])
def test_save_refuses_what_is_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match="`folder` must be new or empty"):
        example(photo()).save(tmp_path / name)
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "full" / "diary.txt").read_text() == "mine"


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, OSError("disk full")])
@pytest.mark.parametrize("step", ["draw", "to_json", "write_text", "rename"])
@pytest.mark.parametrize("there", [False, True])
def test_a_failure_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Any, step: str, there: bool
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise error

    folder = tmp_path / "new" / "deeper"
    if there:
        folder.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(Explanation if step in ("draw", "to_json") else Path, step, fail)
    with pytest.raises(InputError if isinstance(error, OSError) else error):
        example(photo()).save(folder)
    monkeypatch.undo()
    assert sorted(tmp_path.rglob("*")) == before
    example(photo()).save(folder)


def test_what_json_cannot_hold_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="provenance"):
        example(photo(), provenance={"a": math.nan}).save(tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_a_parent_that_is_a_file_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="`folder` must be writable"):
        example(photo()).save(tmp_path / "file" / "x")


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_the_folder_has_the_usual_permissions(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    assert example().save(tmp_path / "saved").stat().st_mode == plain.stat().st_mode


def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    for name in ("n" * 250, "é" * 125):
        assert sorted(path.name for path in example().save(tmp_path / name).iterdir())[-1] == "text.txt"
    assert len(list(tmp_path.iterdir())) == 2


def test_what_another_process_saved_meanwhile_is_kept_and_named(tmp_path: Path, monkeypatch) -> None:
    folder, rename = tmp_path / "x", Path.rename

    def overtaken(partial: Path, target: Path) -> Path:
        target.mkdir()
        (target / "theirs").touch()
        return rename(partial, target)

    monkeypatch.setattr(Path, "rename", overtaken)
    with pytest.raises(InputError, match="`folder` must be new or empty"):
        example().save(folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["x", "theirs"]


@pytest.mark.parametrize("folder", [None, 5, b"x"])
def test_what_is_no_path_is_no_folder(folder: object) -> None:
    with pytest.raises(InputError, match="`folder` must be a path"):
        example().save(folder)  # type: ignore[arg-type]


def test_strange_texts_are_saved(tmp_path: Path) -> None:
    folder = dataclasses.replace(example(photo()), text="\ud800 漢字 \x00\r\n").save(tmp_path / "x")
    assert Explanation.from_json((folder / "explanation.json").read_text()).text == "\ud800 漢字 \x00\r\n"
