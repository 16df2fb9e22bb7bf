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


class InvertedV3(nn.Module):
    """MobileNetV3's block: as EfficientNet's, with an activation of its own and squeezing where it says so."""

    def __init__(self, inputs: int, kernel: int, hidden: int, outputs: int, squeeze: bool, act: nn.Module, stride: int):
        super().__init__()
        self.expand = nn.Sequential(unit(inputs, hidden, 1), act) if hidden != inputs else nn.Identity()
        self.filter = nn.Sequential(unit(hidden, hidden, kernel, stride, hidden), act)
        self.squeeze = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(hidden, hidden // 4, 1), nn.ReLU(), nn.Conv2d(hidden // 4, hidden, 1),
            nn.Hardsigmoid(),
        ) if squeeze else None  # fmt: skip
        self.project = unit(hidden, outputs, 1)
        self.shortcut = (inputs, stride) == (outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.filter(self.expand(x))
        if self.squeeze is not None:
            y = y * self.squeeze(y)
        y = self.project(y)
        return x + y if self.shortcut else y


class MobileNetV3Large(nn.Module):
    """MobileNetV3-Large (Howard et al., ICCV 2019): two linear layers after the pooling."""

    def __init__(self) -> None:
        super().__init__()
        relu, swish = nn.ReLU(), nn.Hardswish()
        rows = [
            (3, 16, 16, False, relu, 1), (3, 64, 24, False, relu, 2), (3, 72, 24, False, relu, 1),
            (5, 72, 40, True, relu, 2), (5, 120, 40, True, relu, 1), (5, 120, 40, True, relu, 1),
            (3, 240, 80, False, swish, 2), (3, 200, 80, False, swish, 1), (3, 184, 80, False, swish, 1),
            (3, 184, 80, False, swish, 1), (3, 480, 112, True, swish, 1), (3, 672, 112, True, swish, 1),
            (5, 672, 160, True, swish, 2), (5, 960, 160, True, swish, 1), (5, 960, 160, True, swish, 1),
        ]  # fmt: skip
        steps: list[nn.Module] = [unit(3, 16, 3, 2), swish]
        channels = 16
        for kernel, hidden, outputs, squeeze, act, stride in rows:
            steps.append(InvertedV3(channels, kernel, hidden, outputs, squeeze, act, stride))
            channels = outputs
        self.features = nn.Sequential(*steps, unit(channels, 960, 1), swish)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Sequential(nn.Linear(960, 1280), swish, nn.Linear(1280, 1000))

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.pool(self.features(images)).flatten(1))


class VGG16(nn.Module):
    """VGG-16 (Simonyan and Zisserman, ICLR 2015): nine tenths of its weights come after the last map."""

    def __init__(self) -> None:
        super().__init__()
        steps: list[nn.Module] = []
        channels = 3
        for outputs, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
            for _ in range(depth):
                steps += [nn.Conv2d(channels, outputs, 3, padding=1), nn.ReLU()]
                channels = outputs
            steps.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*steps)
        self.head = nn.Sequential(
            nn.Linear(512 * 49, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000)
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.features(images).flatten(1))


#: Name → (constructor, layer that is explained).
NETWORKS = {
    "mobilenet_v2": (MobileNetV2, "act"),
    "squeezenet1_1": (SqueezeNet, "features"),
    "resnet18": (lambda: ResNet(basic, 1, (2, 2, 2, 2)), "layers"),
    "resnet50": (lambda: ResNet(bottleneck, 4, (3, 4, 6, 3)), "layers"),
    "densenet121": (DenseNet121, "features"),
    "efficientnet_b0": (EfficientNetB0, "features"),
}

#: The same of networks whose heads are more than one linear map.
MORE_HEAD = {"mobilenet_v3_large": (MobileNetV3Large, "features"), "vgg16": (VGG16, "features")}


def build(name: str) -> tuple[nn.Module, str]:
    """A network in eval mode with seeded random weights, and its target layer."""
    constructor, layer = (NETWORKS | MORE_HEAD)[name]
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
