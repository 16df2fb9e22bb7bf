"""What is measured becomes a record, a page and lines: `evaluate` and the commands."""

from __future__ import annotations

import json

import pytest
from fakes import scene, write_bundle_of

import nle_fast as nle
from nle_fast.faithfulness import EvaluateOptions, MaskingOptions, PixelOptions, evaluate, report_html
from nle_fast.faithfulness.evaluate import find_pictures, write_record


def test_a_record_is_written_whole_and_shown(tmp_path):
    folder = write_bundle_of(tmp_path / "bundle")
    explainer = nle.Explainer.load(folder, verbalizer="template")
    options = EvaluateOptions(MaskingOptions(k=2, ks=(1, 2), draws=2), PixelOptions(k=2, steps=2), pixel_pictures=1)
    told = []
    record = evaluate(
        explainer, [scene(1), scene(2)], options, progress=lambda stage, done, total: told.append((stage, done, total))
    )
    assert ("mask", 2, 2) in told
    assert ("pixels", 1, 1) in told
    assert "interventions" not in record, "this network does not know the world"
    write_record(record, tmp_path / "a" / "record.json")
    assert json.loads((tmp_path / "a" / "record.json").read_text()) == json.loads(json.dumps(record))
    page = report_html(record)
    assert page.count("<svg") == 5
    assert "http" not in page.replace("http-equiv", ""), "nothing from outside"
    assert "plausible" not in page, "there are no words here"
    with pytest.raises(nle.InputError, match="pass a folder"):
        evaluate(explainer)
    with pytest.raises(nle.InputError, match="writable"):
        write_record(record, "/proc/none/record.json")
    with pytest.raises(nle.ConfigError, match="scenes"):
        EvaluateOptions(scenes=-1)
    with pytest.raises(nle.ConfigError, match="limit"):
        EvaluateOptions(limit=0)


def test_the_limit_holds_for_drawn_scenes_too():
    options = EvaluateOptions(MaskingOptions(draws=2), pixel_pictures=0, scenes=0, limit=3)
    record = evaluate(nle.Explainer.default(verbalizer="template"), options=options)
    assert record["data"]["world"]["scenes"] == record["masking"]["count"] == 3


def test_pictures_are_found_in_folders(tmp_path):
    from PIL import Image

    for name in ("b/2.png", "a/1.JPG", "3.bmp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    (tmp_path / "note.txt").write_text("no picture")
    assert [path.name for path in find_pictures(tmp_path)] == ["3.bmp", "1.JPG", "2.png"]
    assert len(find_pictures(tmp_path, 2)) == 2
    with pytest.raises(nle.InputError, match="no such folder"):
        find_pictures(tmp_path / "none")


# --- commands


def test_explain_without_and_certified(tmp_path):
    from PIL import Image
    from typer.testing import CliRunner

    from nle_fast.cli import app

    concepts = nle.Concepts.from_names(["dog face", "grass", "sky", None, "a dog", "wall"], layer="features")
    folder = write_bundle_of(tmp_path / "bundle", layer="features", concepts=concepts)
    photo = tmp_path / "photo.png"
    Image.fromarray(scene(1)).save(photo)
    options = ["explain", str(photo), "--model", str(folder), "--verbalizer", "template"]
    done = CliRunner().invoke(app, [*options, "--without", "dog", "--certify", "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    nle.Explanation.from_dict(document)
    assert document["provenance"]["without"]["neurons"] == [0, 4]
    assert document["certificate"]["draws"] == 16
    explainer = nle.Explainer.load(folder, verbalizer="template")
    assert document["provenance"]["without"]["prediction"]["logit"] == pytest.approx(
        explainer.mask(photo, [0, 4]).logit
    )
    told = CliRunner().invoke(app, [*options, "--without", "dog face", "--out", str(tmp_path / "out")])
    assert "Without “dog face” (neuron 0)" in told.stdout
    wrong = CliRunner().invoke(app, [*options, "--without", "cat"])
    assert wrong.exit_code == 1
    assert "`without` must name a concept" in wrong.stderr


def test_evaluate_writes_a_page_and_its_numbers(tmp_path):
    from PIL import Image
    from typer.testing import CliRunner

    from nle_fast.cli import app

    folder = write_bundle_of(tmp_path / "bundle")
    (tmp_path / "photos").mkdir()
    for seed in range(3):
        Image.fromarray(scene(seed)).save(tmp_path / "photos" / f"{seed}.png")
    page = tmp_path / "page.html"
    options = ["evaluate", "--model", str(folder), "--report", str(page), "--draws", "2", "--top-k", "2"]
    done = CliRunner().invoke(
        app, [*options, "--data", str(tmp_path / "photos"), "--pixel-pictures", "1", "--limit", "2"]
    )
    assert done.exit_code == 0, done.output
    assert "explanation over random" in done.stdout
    record = json.loads((tmp_path / "page.json").read_text())
    assert record["masking"]["count"] == 2
    assert record["masking"]["options"]["draws"] == 2
    assert page.read_text().startswith("<!doctype html>")
    none = CliRunner().invoke(
        app, [*options[:3], "--report", str(tmp_path / "none.html"), "--data", str(tmp_path / "x")]
    )
    assert none.exit_code == 1
    assert not (tmp_path / "none.html").exists()
