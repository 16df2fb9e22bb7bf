"""`nle-fast bench` and `measure_speed`: what is measured, and where it must refuse; never how fast."""

from __future__ import annotations

import json

import pytest
from fakes import Colors, preprocess, scene
from typer.testing import CliRunner

from nle_fast import ConfigError, Explainer
from nle_fast.cli import app
from nle_fast.speed import measure_speed

STAGES = ["preprocess", "classify", "score", "regions", "meaning", "verbalize"]
PICTURE = scene()


def test_stages_add_up_to_the_whole():
    explainer = Explainer.default(verbalizer="template")
    one, three = measure_speed(explainer, [PICTURE], (1, 3), rounds=2)
    assert (one.batch, three.batch, one.rounds) == (1, 3, 2)
    for speed in (one, three):
        assert list(speed.stages_ms) == STAGES
        assert all(took >= 0 for took in speed.stages_ms.values())
        assert 0 < max(speed.stages_ms.values()) <= speed.p95_ms
        assert speed.total_ms <= speed.p95_ms
        assert speed.forward_ms > 0
        assert speed.ratio > 0


def test_a_classifier_of_ones_own_has_no_plain_forward():
    (speed,) = measure_speed(Explainer(Colors(), preprocess=preprocess(), verbalizer="template"), [PICTURE], rounds=1)
    assert speed.forward_ms is None
    assert speed.ratio is None


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"batches": (1, 0)}, {"pictures": []}])
def test_nothing_to_measure(wrong):
    options = {"pictures": [PICTURE], "batches": (1,), "rounds": 1} | wrong
    with pytest.raises(ConfigError, match="must be at least 1, got 0"):
        list(measure_speed(Explainer(Colors(), preprocess=preprocess(), verbalizer="template"), **options))


def test_the_command():
    run = CliRunner().invoke
    options = ["bench", "--verbalizer", "template", "--rounds", "1"]
    done = run(app, [*options, "--batch", "1,2", "--json"])
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert [speed["batch"] for speed in found["speeds"]] == [1, 2]
    assert found["versions"]["nle_fast"]
    table = run(app, [*options, "--batch", "1"]).stdout
    assert all(word in table for word in [*STAGES, "plain forward", "whole explanation"])


@pytest.mark.parametrize("batch", ["", "one", "1,0", "2.5"])
def test_batches_that_are_none(batch):
    done = CliRunner().invoke(app, ["bench", "--batch", batch])
    assert done.exit_code == 2
    assert "`batch` must be whole numbers" in done.stderr
