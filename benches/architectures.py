"""Networks for the benches: real architectures with random weights, so that nothing needs to be downloaded."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
from real_networks import MobileNetV2, SqueezeNet

__all__ = ["NETWORKS", "build"]


class Block(nn.Module):
    """Two 3 × 3 convolutions with batch norm, and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class ResNet18(nn.Module):
    """ResNet-18 (He et al., CVPR 2016)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        widths = [(64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)]
        self.layers = nn.Sequential(*(nn.Sequential(Block(i, o, s), Block(o, o, 1)) for i, o, s in widths))
        self.fc = nn.Linear(512, 1000)

    def forward(self, images: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(images))), 3, 2, 1)
        return self.fc(self.layers(x).mean((2, 3)))


#: Name → (constructor, layer that is explained).
NETWORKS = {
    "resnet18": (ResNet18, "layers"),
    "mobilenet_v2": (MobileNetV2, "act"),
    "squeezenet1_1": (SqueezeNet, "features"),
}


def build(name: str) -> tuple[nn.Module, str]:
    """A network in eval mode with seeded random weights, and its target layer."""
    constructor, layer = NETWORKS[name]
    torch.manual_seed(0)
    return constructor().eval(), layer
