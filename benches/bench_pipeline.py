"""What stands around the network: the package's import, preprocessing, text; each beside what it is compared with.

`make bench` runs this and writes benches/results/stages.json, the tables and the plots.
"""

from __future__ import annotations

import subprocess
import sys
from time import perf_counter

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from nle_fast import Preprocess
from nle_fast.preprocess import IMAGENET_MEAN, IMAGENET_STD
from nle_fast.schema import Evidence, Meaning, Prediction
from nle_fast.timing import Laps
from nle_fast.verbalizers import check, open_verbalizer, speak

HEAVY = ("torch", "triton", "onnx", "onnxruntime", "llama_cpp", "cv2", "scipy", "jsonschema", "PIL", "numpy", "rich")


def test_import(side_by_side):
    """Each in an interpreter of its own; the bare interpreter is part of both."""
    program = f"import sys, nle_fast; print([name for name in {HEAVY} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"

    def run(line):
        subprocess.run([sys.executable, "-c", line], check=True)

    ways = {
        "python, import nle_fast": lambda: run("import nle_fast"),
        "python, import numpy": lambda: run("import numpy"),
        "python alone": lambda: run("pass"),
    }
    side_by_side("start of a program", ways, 15)


def photos(count):
    """Pictures of 500 × 375, smooth enough to be pictures."""
    coarse = np.random.default_rng(0).integers(0, 256, (count, 25, 34, 3), np.uint8)
    return [Image.fromarray(part).resize((500, 375), Image.Resampling.BICUBIC) for part in coarse]


@pytest.mark.parametrize("count", [1, 8])
def test_preprocess(side_by_side, count):
    pictures, ours = photos(count), Preprocess()
    torch.set_num_threads(1)
    mean, std = (np.array(values) for values in (IMAGENET_MEAN, IMAGENET_STD))
    torch_mean, torch_std = (torch.tensor(values).view(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))

    def idiom():
        """As most scripts write it: resize, crop, divide, normalise, transpose."""
        batch = []
        for picture in pictures:
            small = picture.resize((341, 256), Image.Resampling.BILINEAR).crop((58, 16, 282, 240))
            batch.append((((np.asarray(small) / 255) - mean) / std).transpose(2, 0, 1).astype(np.float32))
        return np.stack(batch)

    def by_torch():
        """Tensors first, torch's antialiased resize: as torchvision does it on tensors."""
        batch = []
        for picture in pictures:
            pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]
            small = F.interpolate(pixels, (256, 341), mode="bilinear", antialias=True)[0, :, 16:240, 58:282]
            batch.append((small.float().div_(255) - torch_mean) / torch_std)
        return torch.stack(batch)

    def resize_alone():
        return [p.resize((224, 224), Image.Resampling.BILINEAR, box=ours.window(p.size)) for p in pictures]

    assert np.abs(ours(pictures) - idiom()).max() < 0.1  # one rounding to whole numbers more, in the idiom
    assert np.abs(ours(pictures) - by_torch().numpy()).max() < 0.1
    ways = {
        "nle_fast": lambda: ours(pictures), "Pillow + NumPy idiom": idiom, "torch": by_torch,
        "Pillow's resize alone": resize_alone,
    }  # fmt: skip
    side_by_side(f"preprocess {count} × 500 × 375 to 224 × 224", ways, 60 if count == 1 else 20)


def test_text(side_by_side):
    items = [
        Evidence(rank, name, None, 1.0, 0.2 - 0.05 * rank, True, ("left", "top")[: 1 + rank % 2], ())
        for rank, name in enumerate(["stripes", "dog faces", "rounded edges in pictures"])
    ]
    meaning = Meaning(Prediction(1, "zebra", 0.9, 9.0), None, tuple(items), 0.45, "layer4", "plain")
    verbalizer = open_verbalizer("template")
    assert check(speak(verbalizer, meaning).text, meaning)
    side_by_side("text of 3 pieces of evidence, template, checked", {"nle_fast": lambda: speak(verbalizer, meaning)})


def test_stage_timings(side_by_side):
    """What the stopwatch itself costs: six laps, as one explanation has."""

    def laps():
        watch = Laps(1)
        for stage in ("preprocess", "classify", "score", "regions", "meaning", "verbalize"):
            watch.end(stage)
        return watch.timings()

    start = perf_counter()
    total = laps()["total"]
    assert 0 < total <= 1000 * (perf_counter() - start)
    side_by_side("stage timings of one explanation", {"nle_fast": laps})
