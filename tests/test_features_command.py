"""`nle-fast features`: a file, a summary, one line per error, and a cache that a stopped run goes on from."""

from __future__ import annotations

import pytest
from fakes import scene, write_bundle_of
from PIL import Image
from typer.testing import CliRunner

from nle_fast.classifiers.features import Features
from nle_fast.cli import app
from nle_fast.commands.features import _table

QUICK = ("--steps", "10", "--views", "1", "--active", "2", "--size", "4")


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("features")
    write_bundle_of(folder / "bundle")
    (folder / "photos").mkdir()
    for at in range(12):
        Image.fromarray(scene(at)).save(folder / "photos" / f"{at}.png")
    (folder / "few").mkdir()
    (folder / "labels.txt").write_text("only\n")
    (folder / "there.safetensors").write_bytes(b"")
    return folder


def run(here, *arguments):
    given = ["features", "--model", str(here / "bundle"), "--pictures", str(here / "photos"), *arguments]
    return CliRunner().invoke(app, given)


def test_it_writes_features_and_says_what_they_explain(here, tmp_path):
    done = run(here, "--out", str(tmp_path / "f.safetensors"), *QUICK)
    assert done.exit_code == 0, done.output
    assert "4 features from" in done.output
    assert "channels" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["f.safetensors"]
    found = Features.load(tmp_path / "f.safetensors")
    assert len(found) == 4
    assert found.record["options"]["active"] == 2


def test_a_stopped_run_keeps_its_cache(here, tmp_path, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("nle_fast.features.learning.train", interrupt)
    done = run(here, "--out", str(tmp_path / "f.safetensors"), *QUICK)
    assert done.exit_code == 130
    assert [path.name for path in tmp_path.iterdir()] == [".f.safetensors.cache"]
    monkeypatch.undo()
    assert run(here, "--out", str(tmp_path / "f.safetensors"), *QUICK).exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["f.safetensors"]


@pytest.mark.parametrize(
    ("arguments", "status", "named"),
    [
        (["--out", "{}/there.safetensors"], 1, "`out`"),
        (["--out", "{}/f.npz"], 1, "`out`"),
        (["--out", "{}/f.safetensors", "--active", "0"], 2, "`active`"),
        (["--out", "{}/f.safetensors", "--labels", "{}/labels.txt"], 1, "`labels`"),
        (["--out", "{}/f.safetensors", "--pictures", "{}/nowhere"], 1, "nowhere"),
        (["--out", "{}/f.safetensors", "--layer", "no such"], 1, "no such"),
        (["--out", "{}/f.safetensors", "--hierarchy", "{}/labels.txt"], 1, "`hierarchy`"),
    ],
)
def test_errors_are_one_line(here, arguments, status, named):
    done = run(here, *(text.format(here) for text in arguments))
    assert done.exit_code == status, done.output
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: ")
    assert named in line
    assert ";" in line
    assert not (here / "f.safetensors").exists()


def test_a_run_that_fails_leaves_no_folder(here, tmp_path):
    out = tmp_path / "new" / "folder" / "f.safetensors"
    assert run(here, "--out", str(out), "--pictures", str(here / "nowhere")).exit_code == 1
    assert not list(tmp_path.iterdir())
    assert run(here, "--out", str(out), *QUICK).exit_code == 0
    assert out.is_file()


def test_a_logit_that_rises_has_one_sign():
    figures = {"five": 0.5, "all": 0.7, "r2": 0.3, "same_winner": 0.6, "flips": 0.0}
    rows = {"features": figures | {"drop": -0.33}, "channels": figures | {"drop": 1.5}}
    assert list(_table(rows, 9).columns[5].cells) == ["+0.33", "−1.50"]
