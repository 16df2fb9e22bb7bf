"""How every bench measures: all ways in turn, round by round, in an order that changes, so that a busy moment and the
caches that one way leaves behind hit each of them alike."""

from __future__ import annotations

import random
from collections.abc import Callable
from time import perf_counter

import cv2
import pytest
import torch

Ways = dict[str, Callable[[], object]]

#: A way that is quicker than this is called several times in a row, and its time divided: the clock is no part of it.
LAP_MS = 0.3


def pytest_addoption(parser):
    parser.addoption("--quick", action="store_true", help="a fifth of the rounds, and without the large batches")


@pytest.fixture
def quick(request):
    return request.config.getoption("--quick")


@pytest.fixture
def one_thread_each():
    """One thread each compares the work, not the scheduling; where more are used the group says so."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def side_by_side(benchmark, quick):
    """Run `ways` in turn; the first is also pytest-benchmark's own row.

    The times of all ways go into `extra_info["times_ms"]`, from which `table.py` takes medians and the median of the
    round-by-round ratios; `facts` (what the group is about, for the plots and the summary) go beside them.
    """

    def run(group: str, ways: Ways, rounds: int = 60, lap_ms: float = LAP_MS, **facts: object) -> None:
        repeats = {who: _repeats(way, lap_ms) for who, way in ways.items()}
        times: dict[str, list[float]] = {who: [] for who in ways}
        order, shuffle = list(ways), random.Random(0).shuffle
        for _ in range(max(3, rounds // 5) if quick else rounds):
            shuffle(order)
            for who in order:
                way, count = ways[who], repeats[who]
                start = perf_counter()
                for _ in range(count):
                    way()
                times[who].append(1000 * (perf_counter() - start) / count)
        benchmark.group = group
        benchmark.extra_info |= {"times_ms": times, "facts": facts}
        benchmark.pedantic(next(iter(ways.values())), rounds=1)

    return run


def _repeats(way: Callable[[], object], lap_ms: float) -> int:
    """Calls per lap; finding it out warms the way up."""
    for _ in range(2):
        way()
    start = perf_counter()
    way()
    took = 1000 * (perf_counter() - start)
    return max(1, min(200, round(lap_ms / max(took, 1e-3))))
