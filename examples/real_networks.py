"""The three real networks of ../shared/data as plain torch modules, to hold their published weights.

Architectures after their papers: MobileNetV2 (Sandler et al., CVPR 2018), SqueezeNet 1.1 (Iandola et al., 2016) and the
CIFAR ResNet-20 (He et al., CVPR 2016). Parameter names are those of the weight files.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["MobileNetV2", "ResNet20", "SqueezeNet", "load_network"]


class SameConv(nn.Conv2d):
    """Convolution with TensorFlow's "SAME" padding: what is odd goes to the right and the bottom."""

    def forward(self, images: Tensor) -> Tensor:
        padding = []
        for side, kernel, stride in zip(images.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True):
            missing = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            padding += [missing // 2, missing - missing // 2]
        return super().forward(F.pad(images, padding))


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; with a shortcut where the shapes agree."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.expand = nn.Conv2d(inputs, hidden, 1) if expansion > 1 else None
        self.depthwise = SameConv(hidden, hidden, 3, stride, groups=hidden)
        self.project = nn.Conv2d(hidden, outputs, 1)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else F.relu6(self.expand(x))
        y = self.project(F.relu6(self.depthwise(y)))
        return x + y if self.shortcut else y


class MobileNetV2(nn.Module):
    """MobileNetV2 1.0 with batch norm folded into the biases; 1001 classes, the first is background."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv(3, 32, 3, 2)
        rows = [
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        ]
        blocks, inputs = [], 32
        for expansion, outputs, repeats, stride in rows:
            for repeat in range(repeats):
                blocks.append(InvertedResidual(inputs, outputs, expansion, stride if repeat == 0 else 1))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Conv2d(320, 1280, 1)
        self.act = nn.ReLU6()
        self.classifier = nn.Linear(1280, 1001)

    def forward(self, images: Tensor) -> Tensor:
        x = self.blocks(F.relu6(self.stem(images)))
        return self.classifier(self.act(self.head(x)).mean((2, 3)))


class Fire(nn.Module):
    """Squeeze to few channels, expand with 1 × 1 and 3 × 3."""

    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], 1)


class SqueezeNet(nn.Module):
    """SqueezeNet 1.1; 1000 classes."""

    def __init__(self) -> None:
        super().__init__()
        pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 3, 2), nn.ReLU(inplace=True), pool,
            Fire(64, 16, 64), Fire(128, 16, 64), pool,
            Fire(128, 32, 128), Fire(256, 32, 128), pool,
            Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256),
        )  # fmt: skip
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Conv2d(512, 1000, 1), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1)
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images)).flatten(1)


class BasicBlock(nn.Module):
    """Two convolutions and a shortcut that pads missing channels with zeros (option A)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.padding = stride, (outputs - inputs) // 2

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        shortcut = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.padding, self.padding))
        return F.relu(y + shortcut)


class ResNet20(nn.Module):
    """ResNet-20 for CIFAR-10."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(*(BasicBlock(16, 16, 1) for _ in range(3)))
        self.layer2 = nn.Sequential(BasicBlock(16, 32, 2), BasicBlock(32, 32, 1), BasicBlock(32, 32, 1))
        self.layer3 = nn.Sequential(BasicBlock(32, 64, 2), BasicBlock(64, 64, 1), BasicBlock(64, 64, 1))
        self.linear = nn.Linear(64, 10)

    def forward(self, images: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(images)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


def load_network(name: str, folder: Path) -> nn.Module:
    """One of `mobilenet_v2`, `squeezenet1_1`, `cifar_resnet` with its weights, in eval mode.

    Args:
        name: A folder of `networks/`.
        folder: `../shared/data`.
    """
    folder = folder / "networks" / name
    network: nn.Module
    if name == "mobilenet_v2":
        from safetensors.torch import load_file

        network, weights = MobileNetV2(), load_file(folder / "weights_fp16.safetensors")
    elif name == "squeezenet1_1":
        network, weights = SqueezeNet(), torch.load(folder / "weights.pth", weights_only=True)
    else:
        saved = torch.load(folder / "resnet20-12fca82f.th", weights_only=True, map_location="cpu")["state_dict"]
        network, weights = ResNet20(), {key.removeprefix("module."): value for key, value in saved.items()}
    network.load_state_dict(
        {key: value.float() if value.is_floating_point() else value for key, value in weights.items()}
    )
    return network.eval()
