"""Files that appear whole or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nle_fast.files import write_whole


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
