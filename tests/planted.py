"""Pictures of known things, as masks or in a folder per class, and a network whose neurons were made to see them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from nle_fast import Preprocess

SIZE, SIDE = 64, 16
PREPROCESS = Preprocess(size=SIZE, resize=SIZE, mean=(0.5, 0.5, 0.5), std=(1, 1, 1))

_COLORS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "yellow": (1, 1, 0), "purple": (1, 0, 1)}
_Y, _X = np.mgrid[:SIDE, :SIDE]


def _things() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Per name its patch (SIDE, SIDE, 3) in 0 … 1, and where in the patch it is."""
    whole = np.ones((SIDE, SIDE), bool)
    found = {name: (np.broadcast_to(np.array(rgb, float), (SIDE, SIDE, 3)), whole) for name, rgb in _COLORS.items()}
    gray = {
        "horizontal bar": abs(_Y - 7.5) < 2,
        "vertical bar": abs(_X - 7.5) < 2,
        "rising bar": abs(_X + _Y - 15) < 3,
        "falling bar": abs(_X - _Y) < 3,
        "disc": (_X - 7.5) ** 2 + (_Y - 7.5) ** 2 < 50,
    }
    found |= {name: (np.repeat(inside[..., None], 3, 2) * 0.5 + 0.5, inside) for name, inside in gray.items()}
    for name, on in {
        "checks": (_X // 2 + _Y // 2) % 2,
        "stripes": _X // 2 % 2,
        "dots": (_X % 4 < 2) & (_Y % 4 < 2),
    }.items():
        found[name] = (np.repeat(on[..., None].astype(float), 3, 2), whole)
    return found


THINGS = _things()
GENERAL = dict.fromkeys(_COLORS, "colored square") | {
    name: "bar" if name.endswith("bar") else "texture" if name in ("checks", "stripes", "dots") else "round thing"
    for name in THINGS
    if name not in _COLORS
}


def draw(names: list[str], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture (SIZE, SIZE, 3) uint8 with these things on noisy gray, and the number of each pixel's thing, from 1."""
    rng = np.random.default_rng(seed)
    picture, mask = np.full((SIZE, SIZE, 3), 0.5), np.zeros((SIZE, SIZE), np.uint8)
    cells = rng.permutation(9)[: len(names)]
    for name, cell in zip(names, cells, strict=True):
        patch, inside = THINGS[name]
        # Even places, so that a texture has the same phase everywhere.
        top, left = (int(20 * at + 2 * rng.integers(0, 3)) for at in divmod(int(cell), 3))
        area = slice(top, top + SIDE), slice(left, left + SIDE)
        picture[area][inside], mask[area][inside] = patch[inside], 1 + list(THINGS).index(name)
    noisy = picture + rng.normal(0, 0.03, picture.shape)
    return (noisy.clip(0, 1) * 255).astype(np.uint8), mask


def write_masks(folder: Path, count: int = 160) -> Path:
    """A folder with `index.json`: `count` pictures of two things each."""
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    rng = np.random.default_rng(0)
    names = list(THINGS)
    images = []
    for n in range(count):
        chosen = [names[n % len(names)], names[(n + 1 + int(rng.integers(0, len(names) - 1))) % len(names)]]
        picture, mask = draw(chosen, n)
        Image.fromarray(picture).save(folder / "images" / f"{n}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{n}.png")
        images.append({"file": f"images/{n}.png", "mask": f"masks/{n}.png", "source": "drawn"})
    concepts = [{"id": i, "name": name, "category": GENERAL[name]} for i, name in enumerate(names, 1)]
    sources = {"drawn": {"concept_ids": [concept["id"] for concept in concepts], "zero_means": "negative"}}
    write_index(folder, {"concepts": concepts, "sources": sources, "images": images})
    return folder


def write_index(folder: Path, document: object) -> None:
    (folder / "index.json").write_text(json.dumps(document))


def edit_index(folder: Path, change: Callable[[dict], object]) -> None:
    document = json.loads((folder / "index.json").read_text())
    change(document)
    write_index(folder, document)


def write_classes(folder: Path, each: int = 12) -> tuple[Path, Path]:
    """A folder per class with pictures of one thing, and the JSON of more general words."""
    for at, name in enumerate(THINGS):
        (folder / "classes" / name).mkdir(parents=True)
        for n in range(each):
            Image.fromarray(draw([name], 1000 * (at + 1) + n)[0]).save(folder / "classes" / name / f"{n:02}.png")
    general = [
        {"wnid": f"n{at}", "names": [name], "hypernyms": [{"wnid": "n", "name": GENERAL[name]}]}
        for at, name in enumerate(THINGS)
    ]
    (folder / "general.json").write_text(json.dumps(general))
    return folder / "classes", folder / "general.json"


def planted_network(copies: int = 3, seed: int = 0) -> tuple[nn.Module, list[str]]:
    """A network with `copies` neurons for each thing, their weights 10 % off, and the name of each neuron's thing."""
    rng = np.random.default_rng(seed)
    templates, names = [], []
    for name, (patch, inside) in THINGS.items():
        ideal = np.where(inside[..., None], patch, 0.5) - 0.5
        if name in _COLORS:  # a small patch anywhere inside
            ideal = np.pad(ideal[:6, :6], ((5, 5), (5, 5), (0, 0)))
            ideal = ideal - ideal.mean(2, keepdims=True)
        else:
            ideal = ideal - ideal.mean()
        for _ in range(copies):
            noisy = ideal * (1 + 0.1 * rng.normal(size=ideal.shape))
            templates.append((noisy / np.linalg.norm(noisy)).transpose(2, 0, 1))
            names.append(name)
    convolution = nn.Conv2d(3, len(names), SIDE, padding=SIDE // 2)
    model = nn.Sequential(
        convolution,
        nn.ReLU(),
        nn.MaxPool2d(4, ceil_mode=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(len(names), 4),
    )
    with torch.no_grad():
        convolution.weight.copy_(torch.from_numpy(np.stack(templates)).float())
        convolution.bias.zero_()
        alone = torch.from_numpy(PREPROCESS([Image.fromarray(draw([name], 5)[0]) for name in THINGS]))
        peaks = convolution(alone).amax((2, 3))
        for neuron, name in enumerate(names):
            own = list(THINGS).index(name)
            others = torch.cat([peaks[:own, neuron], peaks[own + 1 :, neuron]]).max()
            # Fires for its own thing alone; how surely depends on how like it the next one is.
            convolution.bias[neuron] = -(0.5 * peaks[own, neuron] + 0.5 * others)
    return model.eval(), names


def random_network(neurons: int = 64, seed: int = 0) -> nn.Module:
    """Three convolutions as they are before any training."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 24, 5, 2, 2), nn.ReLU(), nn.Conv2d(24, 48, 3, 2, 1), nn.ReLU(), nn.Conv2d(48, neurons, 3, 1, 1),
        nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(neurons, 4),
    ).eval()  # fmt: skip
