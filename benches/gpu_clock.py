"""Device time of work on a GPU; on the CPU, for a dry run under Triton's interpreter, the time of one run."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from time import perf_counter

import torch

__all__ = ["copy_bandwidth", "device_ms", "graph_of", "wall_ms"]

Work = Callable[[], object]
ON_GPU = torch.cuda.is_available()


def graph_of(works: Sequence[Work]) -> Work:
    """All `works` one after the other as one CUDA graph, so that no launch from the host stands between them."""
    if not ON_GPU:
        return lambda: [work() for work in works]
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for work in works:
            work()
    torch.cuda.current_stream().wait_stream(side)
    graph, kept = torch.cuda.CUDAGraph(), []
    with torch.cuda.graph(graph, stream=side):
        kept.extend(work() for work in works)

    def replay() -> object:
        graph.replay()
        return kept

    return replay


def device_ms(works: Sequence[Work], least: int = 20, rounds: int = 25) -> float:
    """Median time of one of `works`, which do the same on other data, so that the cache does not hold it all."""
    if not ON_GPU:
        return 1000 * _seconds(works[0])
    repeated = [works[i % len(works)] for i in range(max(least, len(works)))]
    replay = graph_of(repeated)
    for _ in range(3):
        replay()
    times = []
    for _ in range(rounds):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        replay()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / len(repeated))
    return statistics.median(times)


def wall_ms(work: Work, rounds: int = 200) -> float:
    """Median time on the host's clock, until the GPU is done."""
    times = []
    for i in range(rounds + 10 if ON_GPU else 1):
        _wait()
        seconds = _seconds(work)
        if i >= 10 or not ON_GPU:
            times.append(1000 * seconds)
    return statistics.median(times)


def copy_bandwidth(count: int) -> float:
    """GB/s of a copy on the device, bytes read and written, of as many float32 as are larger than any cache."""
    source = torch.rand(count, device="cuda" if ON_GPU else "cpu")
    target = torch.empty_like(source)
    return 2 * source.nbytes / device_ms([lambda: target.copy_(source)], least=10) / 1e6


def _seconds(work: Work) -> float:
    start = perf_counter()
    work()
    _wait()
    return perf_counter() - start


def _wait() -> None:
    if ON_GPU:
        torch.cuda.synchronize()
