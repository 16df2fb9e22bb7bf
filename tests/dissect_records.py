"""Records of dissections as `nle_fast.dissect` writes them, with pictures on disk."""

from __future__ import annotations

import numpy as np
from fakes import scene
from PIL import Image


def candidate(words: str, source: str = "masks", correlation: float = 0.6, **changes):
    measures = {"correlation": correlation, "auc": 0.9, "iou": 0.2, "pictures": 12}
    return {
        "words": words,
        "category": "part",
        "source": source,
        "propose": measures | {"similarity": None},
        "pick": measures,
        "judge": measures,
        "beats": 0.98,
        "p": 0.0003,
        "quantile": 0.02,
    } | changes


def neuron(number: int, words: tuple[str, ...] = (), exemplars=(), refused: str = "quality", quality: float = 0.61):
    given = [candidate(word, correlation=quality) for word in words]
    return {
        "neuron": number,
        "name": " or ".join(words) or None,
        "quality": quality if words else None,
        "refused": None if words else refused,
        "words": given,
        "grammar": [],
        "beats": 0.98,
        "p": 0.0003,
        "candidates": given or [candidate("<b>tail</b>", correlation=0.1)],
        "threshold": 1.5,
        "exemplars": list(exemplars),
    }


def exemplar(picture: int, peak: float = 2.0):
    return {"picture": picture, "response": 0.5, "peak": peak, "outlines": [[[16, 0], [48, 0], [48, 32], [16, 32]]]}


def record_of(folder, count: int = 4, noise: bool = False):
    """A record of three neurons over `count` pictures of 96 × 64 in `folder`, whose windows are 64 × 64."""
    generator = np.random.default_rng(0)
    pictures = []
    for seed in range(count):
        path = folder / f"photo{seed}.png"
        pixels = generator.integers(0, 256, (64, 96, 3), np.uint8) if noise else scene(seed)
        Image.fromarray(pixels).save(path)
        pictures.append(
            {
                "path": str(path),
                "size": [96, 64],
                "window": [16.0, 0.0, 80.0, 64.0],
                "part": "judge",
                "source": "masks",
            }
        )
    summary = {"named": 2, "share_named": 0.6667, "mean_quality": 0.5, "refused": {"quality": 1}}
    shown = [exemplar(at % count) for at in range(9)]
    return {
        "schema": "nle-fast-dissection/2",
        "network": "Net",
        "model": "0123abcd",
        "layer": "features",
        "num_neurons": 3,
        "versions": {"nle_fast": "0.1.0"},
        "options": {"min_quality": 0.3, "threads": None},
        "response": "mean",
        "parts": {"propose": count, "pick": count, "judge": count},
        "sources": [{"name": "masks", "pictures": count, "words": 7}],
        "pictures": pictures,
        "summary": summary | {"by_source": {"masks": summary}},
        "neurons": [
            neuron(0, ("dog face", "wheel"), shown),
            neuron(1, ("stripes",), [exemplar(0, peak=1.0)], quality=0.39),
            neuron(2),
        ],
    }
