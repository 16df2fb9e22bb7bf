"""All that can only be shown on a GPU, in one go: values, bandwidth, ratios, latency, a whole network.

    bash benches/gpu_session.sh                                                  on a machine with a GPU
    TRITON_INTERPRET=1 python benches/bench_gpu.py --dry-run                     the same steps, small, without one

Needs torch and Triton. JSON goes to $OUT/gpu.json, else to benches/results/gpu.json. A step that fails says so in the
JSON and in the exit code, and the others still run. Times are medians; device times come from CUDA graphs of many
launches over inputs that together are several times the cache.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import os
import platform
import sys
import traceback
from functools import partial
from importlib import metadata
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
import triton
import triton.language as tl
from from_tree import ROOT, WITHOUT_CORE
from gpu_clock import ON_GPU, copy_bandwidth, device_ms, graph_of, wall_ms

from nle_fast.kernels import score_neurons as module
from nle_fast.kernels import sizes as sizes_module
from nle_fast.kernels.sizes import launch_bytes, launch_sizes
from nle_fast.ops import reference

DEVICE = torch.device("cuda" if ON_GPU else "cpu")
SIGNS = {"supporting": (True, False), "opposing": (False, True), "both": (True, True)}
K = 10
#: (N, C, H, W): batch 1 and many, one of each, odd, large maps, more neurons than are held at once.
SHAPES = [
    (1, 2048, 7, 7), (64, 2048, 7, 7), (300, 1280, 7, 7), (2, 33, 5, 7), (1, 1, 1, 1), (3, 64, 56, 56),
    (1, 64, 112, 112), (2, 9000, 2, 2), (1500, 96, 4, 4),
]  # fmt: skip
SMALL = [(1, 40, 3, 3), (2, 33, 5, 7)]


def made(seed, shape, constant, dtype, *, exact=False, channels_last=False):
    """Activations and gradients; `exact`: on a grid of 1/8, so that sums have no rounding and ties are common."""
    generator = torch.Generator().manual_seed(seed)
    place = shape[:2] if constant else shape
    if exact:
        pair = (torch.randint(-low, 16, size, generator=generator) / 8 for low, size in ((12, shape), (13, place)))
    else:
        pair = (torch.randn(size, generator=generator) for size in (shape, place))
    activations, gradients = (one.to(DEVICE, dtype) for one in pair)
    if channels_last:
        activations = activations.contiguous(memory_format=torch.channels_last)
        gradients = gradients if constant else gradients.contiguous(memory_format=torch.channels_last)
    return activations, gradients


def scored(activations, gradients, k, reduce="sum", sign="supporting"):
    supporting, opposing = SIGNS[sign]
    options = {"maximum": reduce == "max", "supporting": supporting, "opposing": opposing}
    return module.score_neurons(activations, gradients, k, **options)


def check_values(quick):
    """Every path against the NumPy definition: exactly where it can be, within rounding elsewhere."""
    worst, checked = {}, 0
    # A kernel is compiled for each, so that the 16-bit ones take turns.
    halves = (torch.float16, torch.bfloat16)
    ways = [
        (shape, dtype, constant)
        for number, shape in enumerate(SMALL if quick else SHAPES)
        for dtype, constant in ((torch.float32, False), (torch.float32, True), (halves[number % 2], number % 4 > 1))
    ]
    for number, (shape, dtype, constant) in enumerate(ways):
        reduce, sign = ("sum", "max")[number % 2], list(SIGNS)[number % 3]
        k = min(shape[1], (5, 40, 1)[number % 3])
        for exact, channels_last in ((True, False), (False, True)):
            pair = made(number, shape, constant, dtype, exact=exact, channels_last=channels_last)
            plain = [one.float().cpu().numpy() for one in pair]
            values, neurons, maps, total, bad = scored(*pair, k, reduce, sign)
            expected = reference.score_neurons(*plain, k, reduce, sign)
            assert (bad == -1).all()
            checked += 1
            np.testing.assert_array_equal(maps, plain[0][np.arange(len(maps))[:, None], neurons])
            relevance = np.abs(plain[0] * (plain[1][:, :, None, None] if constant else plain[1]))
            scale = relevance.sum((2, 3)).max(axis=1, keepdims=True) + 1e-30
            error = float((np.abs(values - expected[0]) / scale).max())
            total_error = float((np.abs(total - expected[3]) / (relevance.sum((1, 2, 3)) + 1e-30)).max())
            if exact and dtype == torch.float32:
                np.testing.assert_array_equal(values, expected[0])
                np.testing.assert_array_equal(neurons, expected[1])
            name = str(dtype).removeprefix("torch.")
            worst[name] = max(worst.get(name, 0.0), error, total_error)
            assert max(error, total_error) <= (1e-5 if dtype == torch.float32 else 1e-2), (shape, dtype, reduce, sign)
    return {"checked": checked, "largest error relative to the sum of |A · G|": worst}


def check_rules(quick):
    """Ties, −0, NaN and infinity; the same bits from every run, every stream and every replay of a graph."""
    shape = (2, 300, 2, 2) if quick else (64, 2048, 7, 7)
    activations, gradients = made(0, shape, False, torch.float32)
    weights = torch.zeros(shape[:2], device=DEVICE)
    weights[0, 50], weights[0, [70, 90]], weights[0, [71, 91]] = -0.0, 1.0, -1.0
    ties = scored(torch.ones_like(activations), weights, 6, sign="both")[1][0].tolist()
    assert ties == [70, 90, 0, 1, 2, 3, 71, 91, 0, 1, 2, 3], ties
    for value, reduce in itertools.product((float("nan"), float("inf"), -float("inf")), ("sum", "max")):
        for which, constant in ((0, False), (1, False), (1, True)):
            pair = [activations.clone(), gradients[:, :, 0, 0].clone() if constant else gradients.clone()]
            pair[which][1, 177] = value
            bad = scored(*pair, 3, reduce)[4].tolist()
            assert bad == [-1, 177] + [-1] * (shape[0] - 2), (value, reduce, which, constant)
    runs = 3 if quick else 200
    first = scored(activations, gradients, K, "max", "both")
    for _ in range(runs):
        for one, other in zip(first, scored(activations, gradients, K, "max", "both"), strict=True):
            np.testing.assert_array_equal(one, other)
    arrived = torch.zeros(shape[0], dtype=torch.int32, device=DEVICE)
    replay = graph_of([lambda: module.launch(activations, gradients, K, arrived=arrived)[0]])
    if ON_GPU:
        for seed in range(20):
            fresh = made(seed, shape, False, torch.float32)
            activations.copy_(fresh[0])
            gradients.copy_(fresh[1])
            replayed = module.to_host(replay()[0])
            np.testing.assert_array_equal(replayed, module.to_host(module.launch(*fresh, K)[0]))
        streams = [torch.cuda.Stream() for _ in range(4)]
        found = []
        torch.cuda.synchronize()
        for stream in streams * 10:
            with torch.cuda.stream(stream):
                found.append(module.launch(activations, gradients, K)[0])
        torch.cuda.synchronize()
        assert all(torch.equal(found[0], one) for one in found)
    return {"runs with equal bits": runs}


def torch_way(activations, gradients, k=K):
    weights = gradients[:, :, None, None] if gradients.ndim == 2 else gradients
    values, neurons = (activations * weights).sum((2, 3)).topk(k, dim=1)
    return values, neurons, activations.gather(1, neurons[:, :, None, None].expand(-1, -1, *activations.shape[2:]))


def input_sets(shape, constant, dtype):
    """As many inputs as are together four times the cache, at most 16 GB."""
    one = int(np.prod(shape)) * torch.finfo(dtype).bits // 8 * (1 if constant else 2)
    cache = torch.cuda.get_device_properties(DEVICE).L2_cache_size if ON_GPU else 0
    return [made(seed, shape, constant, dtype) for seed in range(max(1, min(64, -(-4 * cache // one))))]


def bench_throughput(quick):
    """Batches: share of the copy bandwidth, and the same work by torch, eager and compiled."""
    bandwidth = copy_bandwidth(1 << (16 if quick else 28))
    rows = []
    for batch, dtype, constant in itertools.product(
        (2,) if quick else (64, 256), (torch.float32, torch.float16), (False, True)
    ):
        shape = (batch, 70 if quick else 2048, 7, 7)
        pairs = input_sets(shape, constant, dtype)
        ours = device_ms([partial(module.launch, *pair, K) for pair in pairs])
        eager = device_ms([partial(torch_way, *pair) for pair in pairs])
        row = {"shape": shape, "dtype": str(dtype), "constant": constant, "ms": ours, "torch_eager_ms": eager}
        if ON_GPU:
            torch._dynamo.reset()
            quicker = torch.compile(torch_way)
            row["torch_compile_ms"] = device_ms([partial(quicker, *pair) for pair in pairs])
            row["ratio_to_torch_compile"] = row["torch_compile_ms"] / ours
        sizes = launch_sizes(batch, shape[1], 49, K, module.multiprocessors(pairs[0][0].device))
        bits = torch.finfo(dtype).bits // 8
        layout = module.Layout(batch, K, 7, 7)
        flags = {"constant": constant, "maximum": False, "supporting": True, "opposing": False}
        moved = launch_bytes(layout, sizes, shape[1], bits, bits, **flags)
        row |= {"ratio_to_torch_eager": eager / ours, "GB/s": (moved.inputs + moved.output) / ours / 1e6}
        row["share_of_copy_bandwidth"] = row["GB/s"] / bandwidth
        rows.append(row)
    return {"copy GB/s": bandwidth, "rows": rows}


def bench_cuts(quick):
    """Other sizes of programs than `launch_sizes` chooses: what a later edit of its constants should rest on."""
    rows = []
    shapes = [(2, 70, 7, 7)] if quick else [(1, 2048, 7, 7), (64, 2048, 7, 7), (256, 2048, 7, 7), (8, 256, 56, 56)]
    values, waves = dict(sizes_module.VALUES), sizes_module.WAVES
    try:
        for shape, dtype in itertools.product(shapes, (torch.float32, torch.float16)):
            pairs = input_sets(shape, False, dtype)
            for sizes_module.VALUES["sum"], sizes_module.WAVES in itertools.product((8, 16, 32), (1, 2, 4, 8)):
                ms = device_ms([partial(module.launch, *pair, K) for pair in pairs], rounds=7)
                chosen = {"values": sizes_module.VALUES["sum"], "waves": sizes_module.WAVES}
                rows.append({"shape": shape, "dtype": str(dtype), **chosen, "ms": ms})
    finally:
        sizes_module.VALUES.update(values)
        sizes_module.WAVES = waves
    return {"chosen": {"values": values["sum"], "waves": waves}, "rows": rows}


@triton.jit
def empty_kernel(p_nothing, N: tl.constexpr):
    tl.store(p_nothing, N)


def bench_latency(quick):
    """One picture: beside an empty launch, on the device and on the host's clock, and the ways of torch."""
    shape = (1, 70 if quick else 2048, 7, 7)
    nothing = torch.zeros(1, dtype=torch.int32, device=DEVICE)
    rows = []
    for constant in (False, True):
        pair = made(0, shape, constant, torch.float32)
        output, _ = module.launch(*pair, K)
        ways = {
            "empty": lambda: empty_kernel[(1,)](nothing, 1),
            "nle_fast": partial(module.launch, *pair, K, output=output),
            "torch_eager": partial(torch_way, *pair),
        }
        device = {who: device_ms([way], least=100) for who, way in ways.items()}
        wall = {who: wall_ms(way) for who, way in ways.items()}
        graphs = {who: wall_ms(graph_of([way])) for who, way in ways.items()}
        row = {"shape": shape, "constant": constant, "device_ms": device, "launched_ms": wall, "replayed_ms": graphs}
        for name, times in (("device", device), ("launched", wall), ("replayed", graphs)):
            row[f"ratio_to_empty_{name}"] = times["nle_fast"] / times["empty"]
        rows.append(row | {"to_host_ms": wall_ms(lambda pair=pair: scored(*pair, K))})
    return {"rows": rows}


def bench_network(quick):
    """ResNet-50: what one look, with one copy and one wait, takes beside the graph of its plain forward."""
    from nle_fast.classifiers import looking
    from nle_fast.classifiers.torch.model import TorchClassifier
    from nle_fast.timing import Laps

    if quick:
        from architectures import build

        model, layer = build("resnet18")
        side = 64
    else:
        from torchvision.models import resnet50

        torch.manual_seed(0)
        model, layer, side = resnet50().eval(), "layer4", 224
    rows = []
    for batch, dtype in ((1, torch.float32), (1, torch.float16), (8, torch.float16), (64, torch.float16)):
        if quick and (batch > 1 or dtype != torch.float32):
            continue
        network = model.to(DEVICE, dtype)
        if dtype == torch.float16:
            network = network.to(memory_format=torch.channels_last)
        classifier = TorchClassifier(network, layer, input_size=(side, side))
        pictures = torch.randn(batch, 3, side, side, device=DEVICE, dtype=dtype)
        with torch.inference_mode():
            forward = graph_of([lambda network=network, pictures=pictures: network(pictures)])

        def plain(forward=forward):
            return forward()[0].float().cpu()

        def explained(classifier=classifier, pictures=pictures, batch=batch):
            return looking.look(classifier, pictures, None, None, K, "sum", "supporting", Laps(batch))

        for _ in range(4):
            explained()
        graphs = [graphed.reason for work in classifier.look._works.values() for graphed in work] if ON_GPU else []
        # In turn, so that a change of clock hits both alike.
        rounds = [(wall_ms(plain, 30), wall_ms(explained, 30)) for _ in range(1 if quick else 9)]
        forward_ms, explained_ms = (float(np.median(column)) for column in zip(*rounds, strict=True))
        rows.append({
            "batch": batch, "dtype": str(dtype), "closed_form": classifier.closed_form, "not captured because": graphs,
            "forward_ms": forward_ms, "explained_ms": explained_ms,
            "ratio": float(np.median([two / one for one, two in rounds])),
        })  # fmt: skip
    return {"rows": rows}


STEPS = {
    "values": check_values,
    "rules": check_rules,
    "latency": bench_latency,
    "network": bench_network,
    "throughput": bench_throughput,
    "cuts": bench_cuts,
}


def machine():
    """Where and with what."""
    installed = {distribution.metadata["Name"]: distribution.version for distribution in metadata.distributions()}
    versions = {name: installed.get(name) for name in ("torch", "triton", "numpy", "torchvision")}
    found = {"date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(), "versions": versions}
    if ON_GPU:
        about = torch.cuda.get_device_properties(0)
        found |= {"gpu": about.name, "multiprocessors": about.multi_processor_count, "L2_bytes": about.L2_cache_size}
    return found | {"cpu": platform.processor(), "without": WITHOUT_CORE}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--dry-run", action="store_true", help="small, also without a GPU; times mean nothing")
    asked = parser.parse_args()
    if not ON_GPU and not asked.dry_run:
        print("skipped: no CUDA device; with TRITON_INTERPRET=1 and --dry-run the steps run without one")
        return 0
    found, failed = machine(), []
    path = Path(os.environ.get("OUT", ROOT / "benches/results")) / "gpu.json"
    for step in asked.only:
        start = perf_counter()
        try:
            found[step] = STEPS[step](asked.dry_run)
        except Exception:
            found[step] = {"failed": traceback.format_exc()}
            failed.append(step)
        found[step]["seconds"] = round(perf_counter() - start, 1)
        print(step, json.dumps(found[step], default=str), flush=True)
        if not asked.dry_run:  # after each step: a session that is cut off leaves what it has
            path.write_text(json.dumps(found, indent=1, default=str) + "\n")
    print(f"failed: {', '.join(failed)}" if failed else "all steps done")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
