"""Puts a trained network into the package: the default bundle, and three sample pictures of the world.

    python -m training.classifier.bundle --clean build/clean

Source: this project; every file is made by this repository's own scripts.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from PIL import Image

from nle_fast import Concepts, write_bundle
from nle_fast.world import LABELS, Scene
from training.classifier.inputs import PREPROCESS

__all__ = ["SAMPLES", "make_bundle"]

PACKAGE = Path(__file__).parents[2] / "nle_fast"

#: Name and seed of the sample pictures; none of these seeds is a training scene's.
SAMPLES = {"bird": 38, "butterfly": 25, "balloon": 18}
SAMPLE_SIZE = 512


def make_bundle(clean: Path, package: Path = PACKAGE) -> Path:
    """Write `default/` and `samples/` into the package, replacing earlier ones.

    Args:
        clean: Folder of a finished run with `model.onnx` and `concepts.json`.
        package: Folder of the package.

    Returns:
        The bundle's folder.
    """
    concepts = Concepts.load(clean / "concepts.json")
    bundle, samples = package / "default", package / "samples"
    shutil.rmtree(bundle, ignore_errors=True)
    write_bundle(
        bundle,
        clean / "model.onnx",
        labels=LABELS,
        preprocess=PREPROCESS,
        concepts=concepts,
        layer=concepts.layer,
        name="the network of nle_fast's own drawn world",
    )
    samples.mkdir(exist_ok=True)
    for name, seed in SAMPLES.items():
        Image.fromarray(Scene.random(seed, SAMPLE_SIZE).picture).save(samples / f"{name}.jpg", quality=92)
    return bundle


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Put a trained network into the package.")
    parser.add_argument("--clean", type=Path, required=True, help="folder of a finished run")
    print(make_bundle(parser.parse_args().clean))
