from typing import Any

import numpy as np
from numpy.typing import NDArray

from nle_fast.schema import Region

# scoring
def score_neurons(
    activations: NDArray[Any],
    gradients: NDArray[Any],
    element: str,
    k: int,
    maximum: bool,
    supporting: bool,
    opposing: bool,
    threads: int,
    unit: str = "",
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]: ...
def score_plain(
    activations: object,
    gradients: object,
    k: object,
    reduce: object,
    sign: object,
    threads: object,
    top_type: type[Any],
) -> Any: ...
def vector_units() -> list[str]: ...

# codes
def sparse_codes(
    projections: NDArray[np.float32], active: int, threads: int, overwrite: bool = False
) -> NDArray[np.float32]: ...
def weighed(maps: NDArray[np.float32], slopes: NDArray[np.float32], threads: int) -> NDArray[np.float32]: ...
def reconstruct(codes: NDArray[np.float32], directions: NDArray[np.float32], threads: int) -> NDArray[np.float32]: ...

# dissect
def ranked_activations(
    maps: NDArray[np.uint16], rows: NDArray[np.int64], places: NDArray[np.int64], threads: int
) -> NDArray[np.float32]: ...
def count_overlaps(
    maps: NDArray[np.uint16],
    rows: NDArray[np.int64],
    thresholds: NDArray[np.float32],
    codes: NDArray[np.uint16],
    starts: NDArray[np.int32],
    members: NDArray[np.int32],
    concepts: int,
    threads: int,
    unit: int = -1,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]: ...
def average_ranks(values: NDArray[np.float32], threads: int) -> NDArray[np.float32]: ...

# regions
def find_regions(
    maps: NDArray[np.float32],
    sizes: NDArray[np.int64],
    windows: NDArray[np.float64],
    threshold: float,
    connectivity: int,
    min_area: float,
    simplify: float,
    threads: int,
    region_type: type[Region],
    merged_names: tuple[str | None, ...],
    cell_names: tuple[str, ...],
    position_names: tuple[tuple[str, ...], ...] | None = None,
    place_words: tuple[str, ...] = (),
) -> tuple[Any, ...]: ...
def places_by_area(cells: list[int], width: int, height: int, window: list[float]) -> int: ...
def places_by_zone(sixteenths: list[int], width: int, height: int, place_words: tuple[str, ...]) -> tuple[str, ...]: ...

# heads
def logits_without(
    given: NDArray[np.float32],
    weight: NDArray[np.float32],
    maps: NDArray[np.float32],
    sets: NDArray[np.int64],
    classes: NDArray[np.int64] | None = None,
) -> NDArray[np.float32]: ...
def means_without(
    given: NDArray[np.float32],
    weight: NDArray[np.float32],
    maps: NDArray[np.float32],
    sets: NDArray[np.int64],
    classes: NDArray[np.int64] | None = None,
) -> NDArray[np.float32]: ...
def pooled_gradients(
    logits: NDArray[np.float32],
    weight: NDArray[np.float32],
    target: NDArray[np.int64],
    versus: NDArray[np.int64],
    positions: int,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]: ...
def rectified_gradients(
    logits: NDArray[np.float32],
    weight: NDArray[np.float32],
    bias: NDArray[np.float32],
    activations: NDArray[np.float32],
    target: NDArray[np.int64],
    versus: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]: ...
def rectified_gates(
    weight: NDArray[np.float32],
    bias: NDArray[np.float32],
    activations: NDArray[np.float32],
    classes: NDArray[np.int64],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...
def find_winner(logits: NDArray[np.float32], index: int | None = None) -> tuple[int, float]: ...

# stop_flag
class StopFlag:
    def arm(self, seconds: float) -> None: ...
    def stop(self) -> None: ...
    def requested(self) -> bool: ...
    @property
    def function(self) -> int: ...
    @property
    def data(self) -> int: ...
