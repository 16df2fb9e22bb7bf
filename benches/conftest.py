"""How every bench measures: all ways in turn, round by round, so that a busy moment hits each of them alike."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import pytest

Ways = dict[str, Callable[[], object]]


@pytest.fixture
def side_by_side(benchmark):
    """Run `ways` in turn; the way called "nle_fast" is also pytest-benchmark's own row.

    The times of all ways go into `extra_info["times_ms"]`, from which `table.py` takes medians and the median of the
    round-by-round ratios.
    """

    def run(group: str, ways: Ways, rounds: int = 60) -> None:
        for way in ways.values():
            for _ in range(3):
                way()
        times: dict[str, list[float]] = {who: [] for who in ways}
        for _ in range(rounds):
            for who, way in ways.items():
                start = perf_counter()
                way()
                times[who].append(1000 * (perf_counter() - start))
        benchmark.group = group
        benchmark.extra_info["times_ms"] = times
        benchmark.pedantic(ways["nle_fast"], rounds=10)

    return run
