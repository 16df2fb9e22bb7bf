"""Stand-ins for torchvision and timm, written into a folder: the few names that nle_fast asks them for.

Checked on 2026-11-23 against torchvision 0.29.2 and timm 1.0.31.
"""

from __future__ import annotations

import sys

import pytest

NETWORK = """
import torch


class Net(torch.nn.Sequential):
    def __init__(self):
        super().__init__(
            torch.nn.Conv2d(3, 6, 3, 2), torch.nn.BatchNorm2d(6), torch.nn.ReLU(),
            torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(6, 3),
        )
"""

TORCHVISION = """
import enum
from types import SimpleNamespace

ASKED = []


class InterpolationMode(enum.Enum):
    BICUBIC = "bicubic"


def transforms(resize):
    return SimpleNamespace(
        crop_size=[32], resize_size=[resize], mean=[0.5, 0.4, 0.3], std=[0.2, 0.2, 0.2],
        interpolation=InterpolationMode.BICUBIC,
    )


class Net_Weights(enum.Enum):
    V1 = 36
    V2 = 40
    DEFAULT = V2

    @property
    def meta(self):
        return {"categories": ["cat", "dog, hound", "bird"]}

    def transforms(self):
        return transforms(self.value)


def list_models(module=None):
    return ["net", "other"]


def get_model_weights(name):
    return Net_Weights


def get_model(name, weights=None, **options):
    ASKED.append((name, weights, options))
    if weights is not None:
        raise OSError("no network to fetch weights from")
    return Net()
"""

TIMM = """
class ImageNetInfo:
    def __init__(self, subset):
        assert subset == "imagenet-3"

    def num_classes(self):
        return 3

    def index_to_description(self, index, detailed=False):
        return ["cat", "dog", "bird"][index]


CROP = ["center"]


def infer_imagenet_subset(module):
    return "imagenet-3"


def resolve_model_data_config(module):
    return {
        "input_size": (3, 32, 32), "interpolation": "bicubic", "mean": (0.5, 0.4, 0.3), "std": (0.2, 0.2, 0.2),
        "crop_pct": 0.9, "crop_mode": CROP[0],
    }
"""


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Both packages, importable for one test."""
    site = tmp_path / "site"
    files = {
        "torchvision/__init__.py": "",
        "torchvision/models.py": NETWORK + TORCHVISION,
        "timm/__init__.py": NETWORK
        + "\n\ndef list_models():\n    return ['net']\n\n\ndef create_model(name, pretrained):\n    return Net()\n",
        "timm/data.py": TIMM,
    }
    for name, text in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    monkeypatch.syspath_prepend(str(site))
    for name in ("torchvision", "torchvision.models", "timm", "timm.data"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield site
    for name in ("torchvision", "torchvision.models", "timm", "timm.data"):
        sys.modules.pop(name, None)
