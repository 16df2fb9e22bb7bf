from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import scene, write_bundle_of, write_onnx
from jsonschema import Draft202012Validator
from PIL import Image
from typer.testing import CliRunner

from nle_fast.cli import app
from nle_fast.explanation import schema


def run(*arguments, cwd=None, **environment):
    command = [sys.executable, "-m", "nle_fast", *map(str, arguments)]
    environment = os.environ | environment
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, env=environment)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    write_bundle_of(folder / "bundle")
    for seed in range(3):
        Image.fromarray(scene(seed)).save(folder / f"photo{seed}.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much of a picture")
    return folder


def test_explain_prints_a_text_and_saves_a_picture(folder):
    done = run("explain", "photo0.png", "--model", "bundle", cwd=folder)
    assert done.returncode == 0, done.stderr
    saved = folder / "explanations" / "photo0"
    text = (saved / "text.txt").read_text().strip()
    assert " ".join(text.split()) in " ".join(done.stdout.split())
    assert Image.open(saved / "picture.png").size[0] >= 96
    assert json.loads((saved / "explanation.json").read_text())["schema"] == "nle-fast/2"
    again = run("explain", "photo0.png", "--model", "bundle", cwd=folder)
    assert again.returncode == 0
    assert (folder / "explanations" / "photo0-2" / "picture.png").is_file(), "an earlier result is kept"


def test_a_name_that_another_process_takes_meanwhile_is_left_to_it(folder, tmp_path, monkeypatch):
    exists, unseen = Path.exists, iter([True])
    ours = tmp_path / "photo0"
    ours.mkdir()
    (ours / "theirs").touch()
    # As if the other process had made it right after this one looked.
    monkeypatch.setattr(Path, "exists", lambda path: exists(path) and not (path == ours and next(unseen, False)))
    said = CliRunner().invoke(app, ["explain", str(folder / "photo0.png"), "--out", str(tmp_path)])
    assert said.exit_code == 0, said.output
    assert [path.name for path in ours.iterdir()] == ["theirs"]
    assert (tmp_path / "photo0-2" / "text.txt").is_file()


def test_json_is_valid_and_one_line_a_picture(folder):
    done = run(
        "explain", "photo0.png", "photo1.png", "--model", "bundle", "--json",
        "--target", "dog", "--versus", "2", "--style", "expert", "--top-k", "2", "--against", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.strip().splitlines()
    assert len(lines) == 2
    for line in lines:
        document = json.loads(line)
        Draft202012Validator(schema()).validate(document)
        assert document["target"]["label"] == "dog"
        assert document["versus"]["label"] == "bird"
        assert document["provenance"]["config"]["style"] == "expert"


def test_an_onnx_file_with_options(folder, tmp_path):
    model = write_onnx(tmp_path / "net.onnx", size=224)
    (tmp_path / "labels.txt").write_text("one\ntwo\nthree\n")
    out = tmp_path / "results"
    done = run(
        "explain", folder / "photo2.png", "--model", model, "--layer", "features",
        "--labels", tmp_path / "labels.txt", "--verbalizer", "template", "--out", out,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (out / "photo2" / "explanation.json").is_file()


def test_one_bad_picture_does_not_cost_the_others(folder, tmp_path):
    done = run("explain", "broken.jpg", "photo1.png", "missing.png", "--model", "bundle", "--out", tmp_path, cwd=folder)
    assert done.returncode == 1
    errors = done.stderr.strip().splitlines()
    assert len(errors) == 2
    assert "broken.jpg" in errors[0]
    assert "missing.png" in errors[1]
    assert (tmp_path / "photo1" / "text.txt").is_file()


@pytest.mark.parametrize(
    ("arguments", "status", "named"),
    [
        (["missing.png", "--model", "bundle"], 1, "missing.png"),
        (["broken.jpg", "--model", "bundle"], 1, "broken.jpg"),
        (["photo0.png", "--model", "nowhere"], 1, "nowhere"),
        (["photo0.png", "--model", "broken.jpg"], 1, "broken.jpg"),
        (["photo0.png", "--model", "bundle", "--layer", "featurez"], 1, "features"),
        (["photo0.png", "--model", "bundle", "--labels", "broken.jpg"], 1, "labels"),
        (["photo0.png", "--model", "bundle", "--concepts", "none.csv"], 1, "none.csv"),
        (["photo0.png", "--model", "bundle", "--verbalizer", "none.gguf"], 1, "none.gguf"),
        (["photo0.png", "--model", "bundle", "--target", "lion"], 1, "lion"),
        (["photo0.png", "--model", "bundle", "--versus", "17"], 1, "17"),
        (["photo0.png", "--model", "bundle", "--top-k", "0"], 2, "top_k"),
    ],
)
def test_errors_are_one_line_and_a_status(folder, arguments, status, named):
    done = run("explain", *arguments, cwd=folder)
    assert done.returncode == status
    assert len(done.stderr.strip().splitlines()) == 1
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_bad_use_is_two_and_debug_shows_the_traceback(folder):
    assert run("explain").returncode == 2
    assert run("explian").returncode == 2
    assert run("explain", "photo0.png", "--model", "bundle", "--style", "poem", cwd=folder).returncode == 2
    for arguments in (
        ["--debug", "explain", "missing.png", "--model", "bundle"],
        ["explain", "missing.png", "--model", "bundle", "--debug"],
    ):
        debug = run(*arguments, cwd=folder)
        assert debug.returncode == 1
        assert "Traceback" in debug.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["explain"],
        ["explian"],
        ["explain", "--model", "bundle"],
        ["explain", "photo0.png", "--model", "bundle", "--style", "poem"],
        ["explain", "photo0.png", "--model", "bundle", "--colour"],
        ["doctor", "--top-k", "x"],
    ],
)
def test_bad_use_is_one_line_too(folder, arguments):
    done = run(*arguments, cwd=folder)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: ")
    assert "--help" in done.stderr


def test_no_arguments_give_the_help():
    done = run()
    assert done.returncode == 2
    assert "explain" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("command", ["explain", "doctor"])
def test_a_terminal_without_unicode(folder, tmp_path, command):
    arguments = ["photo0.png", "--model", "bundle", "--out", tmp_path, "--style", "expert"]
    done = run(command, *(arguments if command == "explain" else ()), cwd=folder, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.isascii()
    assert ("(probability" if command == "explain" else "ok") in done.stdout


def test_names_of_files_do_not_steer_the_terminal(folder, tmp_path):
    name = "a\x1b]0;title\x07\x1b[2J\nb.png"
    (tmp_path / name).write_bytes((folder / "photo0.png").read_bytes())
    arguments = ["explain", name, f"missing {name}", "--model", folder / "bundle", "--out", "out"]
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert "\x1b" not in done.stdout + done.stderr
    assert "\x07" not in done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert len(done.stdout.splitlines()) == 5


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full, a device that is always full")
def test_a_full_disk_is_one_line(folder):
    command = [sys.executable, "-m", "nle_fast", "explain", "photo0.png", "--model", "bundle", "--json"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=folder, timeout=120)
    assert done.returncode == 1
    assert "space" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_version_and_doctor():
    assert run("--version").stdout.startswith("nle-fast ")
    done = run("doctor", "--json")
    checks = {check["what"]: check for check in json.loads(done.stdout)}
    assert checks["PyTorch"]["state"] == "ok"
    assert checks["C++ extension"]["state"] == "ok"
    assert checks["llama.cpp"]["state"] == "ok"
    assert done.returncode == 0
    assert "ONNX Runtime" in run("doctor").stdout


def test_ctrl_c_is_one_line_and_130(folder, monkeypatch):
    def stop(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("nle_fast.explainer.Explainer.__init__", stop)
    done = CliRunner().invoke(app, ["explain", str(folder / "photo0.png")])
    assert done.exit_code == 130
    assert done.stderr.splitlines() == ["stopped: nothing more is written."]
