from __future__ import annotations

import io
import json
import sys

import numpy as np
import pytest
from fakes import scene, write_bundle_of
from PIL import Image
from typer.testing import CliRunner

from nle_fast.bundle import read_bundle
from nle_fast.cli import app
from nle_fast.commands.progress import stage_bars
from nle_fast.dissect import responses


def write_masks(folder, count: int = 24):
    """Pictures with a bright red block or none, and masks that say where."""
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    generator = np.random.default_rng(0)
    images = []
    for at in range(count):
        picture, mask = scene(at), np.ones((64, 96), np.uint8)
        if at % 2:
            left, top = generator.integers(20, 44), generator.integers(4, 36)
            picture[top : top + 24, left : left + 24] = (250, 10, 10)
            mask[top : top + 24, left : left + 24] = 2
        Image.fromarray(picture).save(folder / "images" / f"{at}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{at}.png")
        images.append({"file": f"images/{at}.png", "mask": f"masks/{at}.png", "source": "blocks"})
    concepts = [{"id": 1, "name": "ground", "category": "scene"}, {"id": 2, "name": "red block", "category": "part"}]
    sources = {"blocks": {"concept_ids": [1, 2], "zero_means": "negative"}}
    (folder / "index.json").write_text(json.dumps({"concepts": concepts, "sources": sources, "images": images}))
    return folder


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dissect")
    write_bundle_of(folder / "bundle")
    write_masks(folder / "masks")
    (folder / "empty").mkdir()
    (folder / "broken.json").write_text("{")
    (folder / "one.csv").write_text("file,name\nmasks/images/0.png,only\n")
    broken = write_masks(folder / "wrong id", 8)
    Image.fromarray(np.full((64, 96), 9, np.uint8)).save(broken / "masks" / "3.png")
    (write_masks(folder / "no mask", 8) / "masks" / "3.png").unlink()
    (write_masks(folder / "no picture", 8) / "images" / "3.png").write_text("no picture")
    (folder / "file").write_text("")
    (folder / "done").mkdir()
    (folder / "done" / "concepts.json").write_text("{}")
    return folder


@pytest.fixture
def at(here, monkeypatch):
    monkeypatch.chdir(here)
    return here


def run(*arguments):
    return CliRunner().invoke(app, ["dissect", *map(str, arguments), "--threads", "1"])


def test_words_a_record_and_a_report(at, tmp_path):
    done = run("--model", "bundle", "--masks", "masks", "--out", tmp_path / "words", "--report")
    assert done.exit_code == 0, done.stderr
    assert done.stderr == "", "no bars where nobody watches"
    files = sorted(path.name for path in (tmp_path / "words").iterdir())
    assert files == ["concepts.json", "dissection.json", "report.html"], "the cache is gone"
    record = json.loads((tmp_path / "words" / "dissection.json").read_text())
    summary = record["summary"]
    rows = [" ".join(line.split()) for line in done.stdout.splitlines()]
    counts = f"{summary['named']} {summary['share_named']:.1%} {summary['confirmed']}"
    quality = "" if summary["mean_quality"] is None else f" {summary['mean_quality']:.3f}"
    assert f"masks alone 24 2 {counts}{quality}" in rows
    assert f"all together {counts}{quality}" in rows
    assert "".join(done.stdout.split()).endswith("report.html")
    packed = CliRunner().invoke(
        app, ["bundle", "--model", "bundle", "--concepts", f"{tmp_path}/words/concepts.json", "--out", f"{tmp_path}/b"]
    )
    assert packed.exit_code == 0, packed.stderr
    assert read_bundle(tmp_path / "b").concepts.names == tuple(neuron["name"] for neuron in record["neurons"])


class Stopping:
    """Reads pictures until a person presses Ctrl-C."""

    def __init__(self, after: int | None) -> None:
        self.after, self.read = after, []
        self._load = responses.load_picture

    def __call__(self, path):
        if len(self.read) == self.after:
            raise KeyboardInterrupt
        self.read.append(path)
        return self._load(path)


def test_a_stopped_run_says_so_and_goes_on(at, tmp_path, monkeypatch):
    arguments = ("--model", "bundle", "--masks", "masks", "--out", tmp_path / "words", "--batch", "4")
    first, second = Stopping(10), Stopping(None)
    monkeypatch.setattr(responses, "load_picture", first)
    done = run(*arguments)
    assert done.exit_code == 130
    assert done.stderr == f"stopped: the same command goes on from '{tmp_path / 'words' / '.cache'}'.\n"
    assert [path.name for path in (tmp_path / "words").iterdir()] == [".cache"]
    monkeypatch.setattr(responses, "load_picture", second)
    assert run(*arguments).exit_code == 0
    assert len(second.read) == 24 - 8, "two batches of four are not read again"
    assert sorted(path.name for path in (tmp_path / "words").iterdir()) == ["concepts.json", "dissection.json"]
    whole = run("--model", "bundle", "--masks", "masks", "--out", tmp_path / "whole", "--batch", "4")
    assert whole.exit_code == 0
    stopped, unbroken = (json.loads((tmp_path / name / "dissection.json").read_text()) for name in ("words", "whole"))
    assert stopped == unbroken


def test_a_run_that_is_stopped_at_once_leaves_nothing(at, tmp_path, monkeypatch):
    def stop(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("nle_fast.dissect.dissect", stop)
    done = run("--model", "bundle", "--masks", "masks", "--out", tmp_path / "words")
    assert done.exit_code == 130
    assert done.stderr == "stopped: nothing is written.\n"
    assert not list(tmp_path.iterdir())


def test_a_cache_of_ones_own_is_kept(at, tmp_path):
    done = run("--model", "bundle", "--masks", "masks", "--out", tmp_path / "words", "--cache", tmp_path / "kept")
    assert done.exit_code == 0, done.stderr
    assert list((tmp_path / "kept").iterdir())


BAD = {
    "no source": ([], 2, "`masks`"),
    "no index": (["--masks", "empty"], 1, "index.json"),
    "an unknown id": (["--masks", "wrong id"], 1, "9"),
    "a missing mask": (["--masks", "no mask"], 1, "3.png"),
    "a broken picture": (["--masks", "no picture"], 1, "3.png"),
    "no such layer": (["--masks", "masks", "--layer", "featurez"], 1, "features"),
    "no such model": (["--masks", "masks", "--model", "nowhere"], 1, "nowhere"),
    "classes missing": (["--labelled", "nowhere"], 1, "nowhere"),
    "one class": (["--labelled", "one.csv"], 1, "two classes"),
    "hypernyms broken": (["--labelled", "masks", "--hypernyms", "broken.json"], 1, "`hypernyms`"),
    "encoder without a description": (["--masks", "masks", "--encoder", "empty"], 1, "encoder.json"),
    "no pictures": (["--masks", "masks", "--pictures", "empty"], 1, "`pictures`"),
    "out is a file": (["--masks", "masks", "--out", "file"], 1, "`out`"),
    "out has results": (["--masks", "masks", "--out", "done"], 1, "concepts.json"),
    "a quality above 1": (["--masks", "masks", "--min-quality", "2"], 2, "`min_quality`"),
    "four words": (["--masks", "masks", "--max-words", "4"], 2, "`max_words`"),
    "no JSON": (["--masks", "masks", "--preprocess", "{"], 2, "`preprocess`"),
    "another size": (["--masks", "masks", "--preprocess", '{"size": 224}'], None, "32"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_use_is_one_line_and_leaves_no_results(at, tmp_path, name):
    arguments, status, named = BAD[name]
    out = [] if "--out" in arguments else ["--out", tmp_path / "words"]
    before = sorted(at.rglob("*"))
    done = run(*([] if "--model" in arguments else ["--model", "bundle"]), *arguments, *out)
    assert done.exit_code == status or (status is None and done.exit_code in (1, 2)), done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: `")
    assert named in line
    assert ";" in line, "a remedy follows"
    assert sorted(at.rglob("*")) == before
    left = [path.name for path in tmp_path.glob("words/*")]
    assert left in ([], [".cache"])


def test_a_bar_per_stage_where_a_person_watches(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with stage_bars({"read": "the network looks"}) as progress:
        progress("read", 3, 10)
        progress("other", 2, 2)
    assert "the network looks" in screen.getvalue()
    assert "3/10" in screen.getvalue()
    assert "other" in screen.getvalue()
