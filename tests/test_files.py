"""Files that appear whole or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from nle_fast.errors import InputError
from nle_fast.files import check_room, map_array, write_whole


def test_a_file_is_replaced(tmp_path):
    path = tmp_path / "a.json"
    for text in ("[1, 2]\n", "“é”\n", ""):
        write_whole(path, text)
        assert path.read_bytes() == text.encode()
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_earlier_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_whole(path, "earlier")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "later \ud800")
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "missing" / "a.json", "later")
    with pytest.raises(NotADirectoryError):
        write_whole(path / "b.json", "later")

    def full(self, content):
        Path.write_text(self, content[:3].decode())
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"later")
    assert path.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_names_as_long_as_the_system_takes_and_many_writers_at_once(tmp_path):
    path = tmp_path / ("n" * 250 + ".json")
    texts = [str(n) * 10_000 for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: write_whole(path, text), texts * 5))
    assert path.read_text() in texts
    assert list(tmp_path.iterdir()) == [path]


def test_ctrl_c_leaves_nothing(tmp_path, monkeypatch):
    def stop(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a.json", "text")
    assert not list(tmp_path.iterdir())


def test_an_array_is_read_only_if_it_is_whole(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.arange(1000))
    assert map_array(path, "r+").sum() == 499_500
    held = path.read_bytes()
    for length in (0, 10, 200, len(held) - 1):
        path.write_bytes(held[:length])
        with pytest.raises(ValueError, match=r"."):
            map_array(path, "r+")
        assert path.stat().st_size == length, "it was not filled up"


def test_a_disk_that_is_too_small_is_refused(tmp_path):
    check_room(tmp_path, 0, "choose another")
    with pytest.raises(InputError, match=r"GB free.*choose another"):
        check_room(tmp_path, 10**18, "choose another")
