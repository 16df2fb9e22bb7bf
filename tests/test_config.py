from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from nle_fast.config import Config
from nle_fast.errors import ConfigError


def test_paper_is_the_published_setting():
    paper = Config.paper()
    assert (paper.top_k, paper.score, paper.threshold, paper.position_rule) == (10, "max", 0.5, "any")


def test_numpy_numbers_are_plain_numbers():
    config = Config(top_k=np.int64(3), threshold=np.float32(0.25), connectivity=np.int8(8))
    assert json.dumps(dataclasses.asdict(config))
    assert config == Config(top_k=3, threshold=0.25)


def test_config_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().top_k = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    "option",
    [
        {"top_k": 0},
        {"top_k": -1},
        {"top_k": 2.5},
        {"top_k": True},
        {"top_k": "5"},
        {"score": "mean"},
        {"threshold": 0.0},
        {"threshold": 1.0},
        {"threshold": float("nan")},
        {"threshold": "half"},
        {"connectivity": 6},
        {"connectivity": True},
        {"connectivity": 8.0},
        {"min_area": -0.1},
        {"min_area": 1.0},
        {"against": 1},
        {"style": "poem"},
        {"style": ["plain"]},
        {"position_rule": "most"},
        {"certain": 1.5},
        {"quite_sure": -0.1},
        {"thinks": True},
        {"hesitates": float("nan")},
        {"hesitates": "often"},
    ],
)
def test_bad_option_is_named_with_its_value_and_a_remedy(option):
    with pytest.raises(ConfigError) as error:
        Config(**option)
    (name, value) = next(iter(option.items()))
    assert f"`{name}`" in str(error.value)
    assert repr(value) in str(error.value)
    assert ";" in str(error.value)


def test_the_words_for_certainty_are_ordered():
    assert (Config().certain, Config().quite_sure, Config().thinks, Config().hesitates) == (0.95, 0.8, 0.5, 0.6)
    assert Config(certain=1, quite_sure=np.float32(0.5), thinks=0.5, hesitates=0).certain == 1.0
    assert json.loads(json.dumps(dataclasses.asdict(Config(thinks=np.float64(0.25)))))["thinks"] == 0.25
    for wrong in ({"quite_sure": 0.99}, {"thinks": 0.9}, {"certain": 0.3}):
        with pytest.raises(ConfigError, match="must fall in this order"):
            Config(**wrong)
