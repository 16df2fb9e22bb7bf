"""Scoring and regions, each beside its peers doing the same work in the same run; the results are compared first.

`make bench` runs this and writes benches/results/stages.json, the tables and the plots.
"""

from __future__ import annotations

import cv2
import numpy as np
import peers
import pytest
import torch

from nle_fast import ops

K = 10

pytestmark = pytest.mark.usefixtures("one_thread_each")


def score_ways(shape, k=K, dtype=torch.float32, constant=False):
    """Ours, torch eager and a copy of the bytes that must be read."""
    generator = torch.Generator().manual_seed(0)
    activations = torch.rand(shape, generator=generator).to(dtype)
    gradients = torch.randn(shape[:2] if constant else shape, generator=generator).to(dtype)
    wide = gradients[:, :, None, None] if constant else gradients
    sources = [activations] if constant else [activations, gradients]
    targets = [torch.empty_like(source) for source in sources]

    def by_us():
        return ops.score_neurons(activations, gradients, k, threads=1)

    def by_torch():
        return (activations * wide).sum((2, 3)).topk(k)

    def copy():
        for source, target in zip(sources, targets, strict=True):
            target.copy_(source)

    exact = (activations.double() * wide.double()).sum((2, 3)).topk(k)
    np.testing.assert_allclose(by_us().values, exact.values.numpy(), rtol=1e-4)
    np.testing.assert_array_equal(by_us().neurons, exact.indices.numpy())
    if dtype is torch.float32:
        np.testing.assert_allclose(by_us().values, by_torch()[0].numpy(), rtol=1e-4)
    return {"nle_fast": by_us, "torch eager (a*g).sum((2,3)).topk(k)": by_torch, "copy of the same bytes": copy}


CASES = [
    ((1, 512, 7, 7), torch.float32, False),
    ((1, 512, 7, 7), torch.float32, True),
    ((1, 512, 7, 7), torch.bfloat16, False),
    ((1, 2048, 7, 7), torch.float32, False),
    ((1, 2048, 7, 7), torch.float32, True),
    ((1, 512, 13, 13), torch.float32, False),
    ((8, 2048, 7, 7), torch.float32, False),
    ((64, 2048, 7, 7), torch.float32, False),
    ((64, 2048, 7, 7), torch.float32, True),
    ((64, 2048, 7, 7), torch.float16, False),
]


@pytest.mark.parametrize(("shape", "dtype", "constant"), CASES, ids=str)
def test_score(side_by_side, shape, dtype, constant):
    name = "(N, C) gradients" if constant else "full gradients"
    group = f"score {' × '.join(map(str, shape))}, {str(dtype).removeprefix('torch.')}, {name}"
    side_by_side(group, score_ways(shape, dtype=dtype, constant=constant), 40 if shape[0] > 1 else 100)


@pytest.mark.parametrize("neurons", [128, 256, 512, 1024, 2048])
def test_score_grows_with_neurons(side_by_side, neurons):
    ways = score_ways((1, neurons, 7, 7))
    side_by_side(f"score 1 × {neurons} × 7 × 7, growth", ways, 50, plot="scoring, neurons of 7 × 7", x=neurons)


@pytest.mark.parametrize("side", [4, 7, 14, 28, 56])
def test_score_grows_with_the_map(side_by_side, side):
    ways = score_ways((1, 256, side, side))
    side_by_side(f"score 1 × 256 × {side} × {side}, growth", ways, 50, plot="scoring, map side of 256 neurons", x=side)


@pytest.mark.parametrize("k", [1, 5, 10, 50, 200])
def test_score_grows_with_k(side_by_side, k):
    ways = score_ways((1, 2048, 7, 7), k)
    side_by_side(f"score 1 × 2048 × 7 × 7, k = {k}, growth", ways, 50, plot="scoring, k of 2048 neurons", x=k)


def networks_maps(count=K, side=7):
    """Maps as networks make them: smooth, cut off at zero."""
    noise = np.random.default_rng(0).standard_normal((count, side, side)).astype(np.float32)
    return np.stack([np.maximum(cv2.GaussianBlur(plane, (3, 3), 0), 0) for plane in noise])


def rough_maps(count=K, side=7):
    """Independent values: several regions in each map, the harder case."""
    return np.random.default_rng(0).random((count, side, side)).astype(np.float32) ** 3


def region_ways(maps, size, names=tuple(peers.REGION_PEERS)):
    def by_us():
        return ops.find_regions(maps, size, threads=1)

    ours = by_us()
    ways = {"nle_fast": by_us, "OpenCV components alone": lambda: peers.opencv_components(maps, size)}
    assert peers.opencv_components(maps, size) == [len(regions) for regions in ours]
    for name in names:
        find = peers.REGION_PEERS[name]
        theirs = find(maps, size)
        assert [len(regions) for regions in theirs] == [len(regions) for regions in ours]
        largest = [max(regions, key=lambda region: region["area"]) for regions in theirs]
        np.testing.assert_allclose(
            [regions[0].peak for regions in ours], [region["peak"] for region in largest], rtol=1e-2
        )
        ways[name] = lambda find=find: find(maps, size)
    return ways


@pytest.mark.parametrize("size", [(224, 224), (640, 640)], ids=lambda size: f"{size[0]}px")
@pytest.mark.parametrize("kind", ["smooth", "rough"])
def test_regions(side_by_side, kind, size):
    maps = networks_maps() if kind == "smooth" else rough_maps()
    ways = region_ways(maps, size)
    group = f"regions of {K} {kind} maps 7 × 7 in {size[0]} × {size[1]}"
    # Laps as long as OpenCV's one call: what is timed is each way, not the caches that the way before it left.
    side_by_side(group, ways, 60 if size[0] < 500 else 20, lap_ms=3)


@pytest.mark.parametrize("side", [112, 224, 448, 896, 1792])
def test_regions_grow_with_the_picture(side_by_side, side):
    ways = region_ways(networks_maps(), (side, side), ("OpenCV, same fields",))
    side_by_side(f"regions in {side} × {side}, growth", ways, 10, plot="regions of 10 maps, picture side", x=side)


@pytest.mark.parametrize("side", [4, 7, 14, 28])
def test_regions_grow_with_the_map(side_by_side, side):
    ways = region_ways(networks_maps(side=side), (224, 224), ("OpenCV, same fields",))
    side_by_side(
        f"regions of maps {side} × {side}, growth", ways, 20, plot="regions of 10 maps in 224², map side", x=side
    )


@pytest.mark.parametrize("k", [1, 5, 10, 50])
def test_regions_grow_with_k(side_by_side, k):
    ways = region_ways(networks_maps(k), (224, 224), ("OpenCV, same fields",))
    side_by_side(f"regions of {k} maps, growth", ways, 20, plot="regions in 224², number of maps", x=k)
