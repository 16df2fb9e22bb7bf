"""Networks for the benches: real architectures with random weights, so that nothing needs to be downloaded."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
from real_networks import MobileNetV2, SqueezeNet

__all__ = ["NETWORKS", "build"]


def unit(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution that keeps the size (at stride 1), and batch norm."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))


class Residual(nn.Module):
    """Units with ReLU between them, and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int, units: list[nn.Module]) -> None:
        super().__init__()
        steps: list[nn.Module] = []
        for step in units:
            steps += [step, nn.ReLU()]
        self.units = nn.Sequential(*steps[:-1])
        self.shortcut = nn.Identity() if (inputs, stride) == (outputs, 1) else unit(inputs, outputs, 1, stride)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.units(x) + self.shortcut(x))


def basic(inputs: int, width: int, stride: int) -> Residual:
    """Two 3 × 3 convolutions."""
    return Residual(inputs, width, stride, [unit(inputs, width, 3, stride), unit(width, width, 3)])


def bottleneck(inputs: int, width: int, stride: int) -> Residual:
    """1 × 1, 3 × 3, 1 × 1 with four times the channels."""
    units = [unit(inputs, width, 1), unit(width, width, 3, stride), unit(width, 4 * width, 1)]
    return Residual(inputs, 4 * width, stride, units)


class ResNet(nn.Module):
    """ResNet (He et al., CVPR 2016)."""

    def __init__(self, block: Callable[[int, int, int], Residual], growth: int, depths: tuple[int, ...]) -> None:
        super().__init__()
        self.stem = nn.Sequential(unit(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        blocks, channels = [], 64
        for stage, depth in enumerate(depths):
            for i in range(depth):
                width = 64 << stage
                blocks.append(block(channels, width, 2 if stage and not i else 1))
                channels = growth * width
        self.layers = nn.Sequential(*blocks)
        self.pool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(channels, 1000)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.pool(self.layers(self.stem(images))).flatten(1))


class Dense(nn.Module):
    """One layer of a dense block: what it makes is appended to what it saw."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.steps = nn.Sequential(
            nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, 128, 1, bias=False),
            nn.BatchNorm2d(128), nn.ReLU(), nn.Conv2d(128, 32, 3, padding=1, bias=False),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.steps(x)], 1)


class DenseNet121(nn.Module):
    """DenseNet-121 (Huang et al., CVPR 2017)."""

    def __init__(self) -> None:
        super().__init__()
        steps: list[nn.Module] = [unit(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
        channels = 64
        for stage, depth in enumerate((6, 12, 24, 16)):
            if stage:
                halve = nn.Conv2d(channels, channels // 2, 1, bias=False)
                steps += [nn.BatchNorm2d(channels), nn.ReLU(), halve, nn.AvgPool2d(2)]
                channels //= 2
            for _ in range(depth):
                steps.append(Dense(channels))
                channels += 32
        self.features = nn.Sequential(*steps, nn.BatchNorm2d(channels), nn.ReLU())
        self.pool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(channels, 1000)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.pool(self.features(images)).flatten(1))


class Inverted(nn.Module):
    """EfficientNet's block: expand, filter each channel, squeeze and excite, project; with a shortcut where it fits."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.expand = nn.Sequential(unit(inputs, hidden, 1), nn.SiLU()) if expansion > 1 else nn.Identity()
        self.filter = nn.Sequential(unit(hidden, hidden, kernel, stride, hidden), nn.SiLU())
        self.squeeze = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(hidden, inputs // 4, 1), nn.SiLU(), nn.Conv2d(inputs // 4, hidden, 1),
            nn.Sigmoid(),
        )  # fmt: skip
        self.project = unit(hidden, outputs, 1)
        self.shortcut = (inputs, stride) == (outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.filter(self.expand(x))
        y = self.project(y * self.squeeze(y))
        return x + y if self.shortcut else y


class EfficientNetB0(nn.Module):
    """EfficientNet-B0 (Tan and Le, ICML 2019)."""

    def __init__(self) -> None:
        super().__init__()
        steps: list[nn.Module] = [unit(3, 32, 3, 2), nn.SiLU()]
        channels = 32
        rows = [
            (1, 16, 1, 3, 1), (6, 24, 2, 3, 2), (6, 40, 2, 5, 2), (6, 80, 3, 3, 2), (6, 112, 3, 5, 1),
            (6, 192, 4, 5, 2), (6, 320, 1, 3, 1),
        ]  # fmt: skip
        for expansion, outputs, depth, kernel, stride in rows:
            for i in range(depth):
                steps.append(Inverted(channels, outputs, expansion, kernel, 1 if i else stride))
                channels = outputs
        self.features = nn.Sequential(*steps, unit(channels, 1280, 1), nn.SiLU())
        self.pool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(1280, 1000)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.pool(self.features(images)).flatten(1))


#: Name → (constructor, layer that is explained).
NETWORKS = {
    "mobilenet_v2": (MobileNetV2, "act"),
    "squeezenet1_1": (SqueezeNet, "features"),
    "resnet18": (lambda: ResNet(basic, 1, (2, 2, 2, 2)), "layers"),
    "resnet50": (lambda: ResNet(bottleneck, 4, (3, 4, 6, 3)), "layers"),
    "densenet121": (DenseNet121, "features"),
    "efficientnet_b0": (EfficientNetB0, "features"),
}


def build(name: str) -> tuple[nn.Module, str]:
    """A network in eval mode with seeded random weights, and its target layer."""
    constructor, layer = NETWORKS[name]
    torch.manual_seed(0)
    network = constructor().eval()
    with torch.no_grad():
        # Noise fades in a deep network of random weights; statistics of one batch keep the logits apart.
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None
                module.train()
        network(torch.randn(4, 3, 224, 224))
    return network.eval(), layer
