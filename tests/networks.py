"""Small, randomly initialised CNNs of many families, for every test that needs a network nobody has tuned to us.

`CASES` lists them with what is known about each: the layer that is found by default, an inner layer that is a proper
cut, and whether the gradient of the head is closed form there. All weights follow from the case's name.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

Activation = Callable[[], nn.Module]

__all__ = ["CASES", "Case", "build", "ids", "pictures", "randomise"]


@dataclass(frozen=True)
class Case:
    """One network and what must be found out about it (torch module names).

    Attributes:
        name, constructor: Its name, also the seed of its weights; and what makes it, from the number of classes.
        size, num_classes: (height, width) of the input; K.
        last: The layer that `layer=None` must find.
        closed_form: Is the gradient at `last` constant over space and independent of the picture?
        inner: An earlier layer that is a proper cut; its gradient is never closed form.
        not_a_cut: A layer that part of the evidence by-passes, or None.
    """

    name: str
    constructor: Callable[[int], nn.Module]
    size: tuple[int, int]
    num_classes: int
    last: str
    closed_form: bool
    inner: str
    not_a_cut: str | None = None


def build(case: Case) -> nn.Module:
    """The network of a case, in eval mode; same case, same weights."""
    state = torch.get_rng_state()
    try:
        torch.manual_seed(zlib.crc32(case.name.encode()))
        return randomise(case.constructor(case.num_classes)).eval()
    finally:
        torch.set_rng_state(state)


def pictures(case: Case, count: int = 3, seed: int = 0) -> Tensor:
    """`count` random preprocessed pictures (count, 3, height, width), smooth enough to excite different neurons."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(count, 3, 6, 6, generator=generator)
    fine = torch.randn(count, 3, *case.size, generator=generator)
    return F.interpolate(coarse, size=case.size, mode="bilinear") + 0.3 * fine


def randomise(model: nn.Module) -> nn.Module:
    """Give every batch norm statistics and weights that matter, and every bias a value."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0.0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.6, 1.4)
            nn.init.normal_(module.bias, 0.1, 0.2)
        elif isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.normal_(module.bias, 0.0, 0.1)
    return model


def conv_bn(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]


class Vgg(nn.Module):
    """Plain convolutions; a linear head with ReLU in it."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 12, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2),
            nn.Conv2d(12, 20, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2),
            nn.Conv2d(20, 32, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        )  # fmt: skip
        self.classifier = nn.Sequential(
            nn.Linear(32 * 4 * 4, 48), nn.ReLU(True), nn.Dropout(), nn.Linear(48, 32), nn.ReLU(True), nn.Dropout(),
            nn.Linear(32, num_classes),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.features(x), 1))


class Block(nn.Module):
    """Basic residual block, ReLU as a function."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv_bn(inputs, outputs, 3, stride)
        self.conv2, self.bn2 = conv_bn(outputs, outputs)
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(*conv_bn(inputs, outputs, 1, stride))

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(out + self.shortcut(x))


class InplaceBlock(Block):
    """As in torchvision: one in-place ReLU module, called twice, and an in-place addition."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, stride)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += self.shortcut(x)
        return self.relu(out)


class ResNet(nn.Module):
    def __init__(self, num_classes: int, block: type[Block] = Block) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv_bn(3, 12)
        self.layer1 = nn.Sequential(block(12, 12))
        self.layer2 = nn.Sequential(block(12, 20, 2))
        self.layer3 = nn.Sequential(block(20, 32, 2), block(32, 32))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(32, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class DenseLayer(nn.Module):
    def __init__(self, inputs: int, growth: int) -> None:
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.conv(F.relu(self.norm(x)))], 1)


class DenseNet(nn.Module):
    """Concatenations; batch norm last, then an in-place ReLU as a function, as torchvision writes it."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential()
        self.features.add_module("conv0", nn.Conv2d(3, 16, 3, 2, 1, bias=False))
        self.features.add_module("dense1", nn.Sequential(DenseLayer(16, 12), DenseLayer(28, 12)))
        self.features.add_module("transition", nn.Sequential(nn.Conv2d(40, 24, 1, bias=False), nn.AvgPool2d(2)))
        self.features.add_module("dense2", nn.Sequential(DenseLayer(24, 12), DenseLayer(36, 12)))
        self.features.add_module("norm5", nn.BatchNorm2d(48))
        self.classifier = nn.Linear(48, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.features(x), inplace=True)
        return self.classifier(torch.flatten(F.adaptive_avg_pool2d(out, (1, 1)), 1))


class Mixed(nn.Module):
    def __init__(self, inputs: int) -> None:  # four parallel branches
        super().__init__()
        self.branch1 = nn.Sequential(*conv_bn(inputs, 8, 1), nn.ReLU())
        self.branch3 = nn.Sequential(*conv_bn(inputs, 8, 1), nn.ReLU(), *conv_bn(8, 12), nn.ReLU())
        self.branch5 = nn.Sequential(*conv_bn(inputs, 4, 1), nn.ReLU(), *conv_bn(4, 8, 5), nn.ReLU())
        self.pool = nn.Sequential(nn.AvgPool2d(3, 1, 1), *conv_bn(inputs, 4, 1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch3(x), self.branch5(x), self.pool(x)], 1)


class Inception(nn.Module):
    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(*conv_bn(3, 16, 3, 2), nn.ReLU(), nn.MaxPool2d(2))
        self.mixed1, self.mixed2 = Mixed(16), Mixed(32)
        self.dropout, self.fc = nn.Dropout(0.4), nn.Linear(32, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.mixed2(self.mixed1(self.stem(x)))
        return self.fc(self.dropout(x.mean(dim=(2, 3))))


class InvertedResidual(nn.Module):
    """MobileNetV2's block: expand, depthwise, project without activation, add."""

    def __init__(
        self, inputs: int, outputs: int, stride: int, expand: int, act: Callable[[], nn.Module], squeeze: bool
    ):
        super().__init__()
        hidden = inputs * expand
        layers = [*conv_bn(inputs, hidden, 1), act(), *conv_bn(hidden, hidden, 3, stride, hidden), act()]
        if squeeze:
            layers.append(SqueezeExcite(hidden))
        self.conv = nn.Sequential(*layers, *conv_bn(hidden, outputs, 1))
        self.add = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.add else self.conv(x)


class SqueezeExcite(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(width, width // 4, 1), nn.Conv2d(width // 4, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        scale = F.hardsigmoid(self.fc2(F.relu(self.fc1(F.adaptive_avg_pool2d(x, 1)))))
        return x * scale


class MobileNetV2(nn.Module):
    def __init__(self, num_classes: int) -> None:
        super().__init__()
        act = partial(nn.ReLU6, inplace=True)
        self.features = nn.Sequential(
            nn.Sequential(*conv_bn(3, 8, 3, 2), act()),
            InvertedResidual(8, 12, 2, 3, act, False),
            InvertedResidual(12, 12, 1, 3, act, False),
            nn.Sequential(*conv_bn(12, 64, 1), act()),
        )
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(64, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        x = F.adaptive_avg_pool2d(self.features(x), (1, 1))
        return self.classifier(torch.flatten(x, 1))


class MobileNetV3(nn.Module):
    """Hard-swish, squeeze-and-excite, and a head of two linear layers with hard-swish between them."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        act = partial(nn.Hardswish, inplace=True)
        self.features = nn.Sequential(
            nn.Sequential(*conv_bn(3, 8, 3, 2), act()),
            InvertedResidual(8, 16, 2, 3, act, True),
            InvertedResidual(16, 16, 1, 2, act, True),
            nn.Sequential(*conv_bn(16, 48, 1), act()),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Linear(48, 64), act(), nn.Dropout(0.2, True), nn.Linear(64, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


class Fire(nn.Module):
    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.squeeze(x))
        return torch.cat([self.relu(self.expand1x1(x)), self.relu(self.expand3x3(x))], 1)


class SqueezeNet(nn.Module):
    """The head is a 1 × 1 convolution, ReLU, average pooling: its maps are one per class, and not the evidence."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, ceil_mode=True),
            Fire(16, 8, 16), Fire(32, 8, 20),
        )  # fmt: skip
        self.classifier = nn.Sequential(
            nn.Dropout(0.5), nn.Conv2d(40, num_classes, 1), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d((1, 1))
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.flatten(self.classifier(self.features(x)), 1)


class NetworkInNetwork(nn.Module):
    """1 × 1 convolution to class maps, average pooling, nothing else: closed form below the class maps."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(*conv_bn(3, 16, 5, 2), nn.ReLU(), nn.Conv2d(16, 24, 3, 2, 1), nn.LeakyReLU(0.1))
        self.to_classes = nn.Conv2d(24, num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.to_classes(self.features(x)).mean((2, 3))


class BatchNormLast(nn.Module):
    """Batch norm after the last convolution and no activation: neurons may be negative."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*conv_bn(3, 16, 3, 2), nn.ReLU(), *conv_bn(16, 32, 3, 2))
        self.pool = nn.AvgPool2d(8)
        self.fc = nn.Linear(32, num_classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.body(x))
        return self.fc(x.view(x.size(0), -1))


class Shared(nn.Module):
    """One convolution and one ReLU that are called three times; weights are shared over depth."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 24, 5, 4, 2)
        self.conv = nn.Conv2d(24, 24, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.Linear(24, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.stem(x))
        x = self.relu(self.conv(x))
        x = self.relu(self.conv(x))
        return self.fc(F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1))


class AlexNet(nn.Module):
    """Max pooling, flatten, dropout before linear layers."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 7, 4, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2),
        )  # fmt: skip
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Linear(32 * 3 * 3, 48), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(48, num_classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.features(x), 1))


class GlobalMax(nn.Module):
    """Global max pooling: the gradient sits at one position per neuron, and depends on the picture."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(*conv_bn(3, 16, 3, 2), nn.ReLU(), *conv_bn(16, 32, 3, 2), nn.ReLU())
        self.fc = nn.Linear(32, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.flatten(F.adaptive_max_pool2d(self.features(x), 1), 1))


class Probabilities(nn.Module):
    """Ends in a softmax; the evidence is for the logits before it."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(*conv_bn(3, 16, 3, 2), nn.ReLU(), *conv_bn(16, 32, 3, 2), nn.ReLU())
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, num_classes), nn.Softmax(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


CASES: tuple[Case, ...] = (
    Case("vgg", Vgg, (32, 32), 10, "features", False, "features.5"),
    Case("resnet", ResNet, (32, 32), 10, "layer3", True, "layer2", "layer3.1.bn2"),
    Case("resnet_inplace", lambda k: ResNet(k, InplaceBlock), (40, 48), 9, "layer3", True, "layer3.0", "layer3.1.bn2"),
    Case("densenet", DenseNet, (32, 32), 8, "features", False, "features.transition", "features.dense2.1.conv"),
    Case("inception", Inception, (48, 48), 12, "mixed2", True, "mixed1", "mixed2.branch3"),
    Case("mobilenet_v2", MobileNetV2, (64, 64), 10, "features", True, "features.2", "features.2.conv"),
    Case("mobilenet_v3", MobileNetV3, (64, 48), 11, "features", False, "features.1", "features.1.conv.6.fc2"),
    Case("squeezenet", SqueezeNet, (47, 47), 10, "features", False, "features.3", "features.4.expand1x1"),
    Case("network_in_network", NetworkInNetwork, (32, 32), 7, "features", True, "features.2"),
    Case("batch_norm_last", BatchNormLast, (32, 32), 10, "body", True, "body.2"),
    Case("shared", Shared, (48, 48), 8, "relu", True, "stem"),
    Case("alexnet", AlexNet, (64, 64), 10, "features", False, "features.2"),
    Case("global_max", GlobalMax, (32, 32), 10, "features", False, "features.2"),
    Case("probabilities", Probabilities, (32, 32), 7, "features", True, "features.2"),
)  # fmt: skip


def ids(case: Case) -> str:
    return case.name
