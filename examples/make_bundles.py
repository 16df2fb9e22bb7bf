"""Turn each network of ../shared/data into a bundle: one folder that `Explainer.load` and `nle-fast --model` open.

python examples/make_bundles.py [--data ../shared/data] [--out scratch/bundles]
nle-fast explain PHOTO --model scratch/bundles/mobilenet_v2
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import torch
from real_networks import load_network

from nle_fast import Preprocess, write_bundle

CIFAR = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def make_bundles(data: Path, out: Path) -> list[Path]:
    """Write the three bundles into `out`, replacing earlier ones; returns their folders."""
    networks, labels = data / "networks", data / "labels"
    for name in ("mobilenet_v2", "squeezenet1_1", "cifar_resnet"):
        shutil.rmtree(out / name, ignore_errors=True)
    half = (0.5, 0.5, 0.5)
    mobilenet = write_bundle(
        out / "mobilenet_v2",
        networks / "mobilenet_v2" / "model.onnx",
        labels=labels / "imagenet_labels_1001.txt",
        preprocess=Preprocess(mean=half, std=half),
        name="MobileNetV2",
    )
    squeezenet = write_bundle(
        out / "squeezenet1_1",
        networks / "squeezenet1_1" / "model.onnx",
        labels=labels / "imagenet_labels_1000.txt",
        name="SqueezeNet 1.1",
    )
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "resnet20.onnx"
        torch.onnx.export(
            load_network("cifar_resnet", data),
            (torch.zeros(1, 3, 32, 32),),
            model,
            input_names=["images"],
            output_names=["logits"],
            dynamic_axes={"images": {0: "n"}, "logits": {0: "n"}},
            dynamo=False,
        )
        cifar = write_bundle(
            out / "cifar_resnet", model, labels=CIFAR, preprocess=Preprocess(size=32, resize=32), name="ResNet-20"
        )
    return [mobilenet, squeezenet, cifar]


if __name__ == "__main__":
    here = Path(__file__).parents[1]
    parser = argparse.ArgumentParser(description="Make a bundle of each network in ../shared/data.")
    parser.add_argument("--data", type=Path, default=here.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=here / "scratch" / "bundles")
    options = parser.parse_args()
    for bundle in make_bundles(options.data, options.out):
        print(bundle)
