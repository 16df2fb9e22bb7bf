"""The definition of each operation, in plain NumPy: slow, short, and what the C++ and Triton versions must equal."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from nle_fast.ops.positions import merge_positions
from nle_fast.schema import POSITIONS, Region

__all__ = [
    "find_regions",
    "find_winner",
    "label",
    "logits_without",
    "means_without",
    "places_by_area",
    "places_by_zone",
    "pooled_gradients",
    "reconstruct",
    "rectified_gates",
    "rectified_gradients",
    "score_neurons",
    "sixteenths",
    "sparse_codes",
    "upsample",
    "weighed",
]

Box = tuple[float, float, float, float]


def score_neurons(
    activations: NDArray[np.float32],
    gradients: NDArray[np.float32],
    k: int,
    reduce: str = "sum",
    sign: str = "supporting",
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """Score every neuron and take the top k.

    With R = A · G: `sum` scores Σ_hw R; `max` scores max_hw relu(R) for support and −max_hw relu(−R) for opposition.
    Ties go to the lowest neuron index.

    Args:
        activations: (N, C, H, W).
        gradients: (N, C, H, W), or (N, C) when constant over space.
        k: Neurons to keep, 1 ≤ k ≤ C.
        reduce: `"sum"` or `"max"`.
        sign: `"supporting"`: the k largest scores, falling. `"opposing"`: the k smallest, rising. `"both"`: first the k
            supporting, then the k opposing.

    Returns:
        values (N, k'), neurons (N, k'), maps (N, k', H, W) and total (N,) = Σ_c max(score_c, 0), where k' is k, or 2 k
        for `"both"`. `total` always uses the supporting score.

    Source: `../shared/method.md`, formulas; the published score is `max` with support only.
    """
    weights = gradients[:, :, None, None] if gradients.ndim == 2 else gradients
    relevance = activations.astype(np.float64) * weights.astype(np.float64)
    if reduce == "sum":
        supporting = opposing = relevance.sum(axis=(2, 3))
    else:
        supporting = np.maximum(relevance, 0).max(axis=(2, 3))
        opposing = np.minimum(relevance, 0).min(axis=(2, 3))
    total = np.maximum(supporting, 0).sum(axis=1).astype(np.float32)
    # Compared as float32, like the fast versions, so that ties are the same ties.
    supporting, opposing = supporting.astype(np.float32), opposing.astype(np.float32)

    chosen = []
    if sign in ("supporting", "both"):
        chosen.append((supporting, np.argsort(-supporting, axis=1, kind="stable")[:, :k]))
    if sign in ("opposing", "both"):
        chosen.append((opposing, np.argsort(opposing, axis=1, kind="stable")[:, :k]))
    values = np.concatenate([np.take_along_axis(scores, order, axis=1) for scores, order in chosen], axis=1)
    neurons = np.concatenate([order for _, order in chosen], axis=1).astype(np.int64)
    maps = np.take_along_axis(activations, neurons[:, :, None, None], axis=1).astype(np.float32)
    return values, neurons, maps, total


def sparse_codes(projections: NDArray[np.float32], active: int) -> NDArray[np.float32]:
    """At each position the `active` largest of what is positive, of equal ones those of the lowest features; else zero.

    Args:
        projections: (N, K, H, W).
        active: Most codes per position, at least 1.

    Returns:
        (N, K, H, W).

    Source: top-k codes as in Makhzani and Frey, "k-Sparse Autoencoders", ICLR 2014.
    """
    kept = np.argsort(-projections, axis=1, kind="stable")[:, :active]
    codes = np.zeros_like(projections)
    np.put_along_axis(codes, kept, np.take_along_axis(projections, kept, axis=1), axis=1)
    kept_only: NDArray[np.float32] = np.maximum(codes, 0)
    return kept_only


def reconstruct(codes: NDArray[np.float32], directions: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, C, H, W): at each position the sum of the directions (K, C) times their codes (N, K, H, W)."""
    maps = np.einsum("nkhw,kc->nchw", codes.astype(np.float64), directions.astype(np.float64))
    return np.asarray(maps, np.float32)


def weighed(maps: NDArray[np.float32], slopes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, C): the sum over positions of maps (N, C, H, W) × slopes, (N, C, H, W), (N, 1, H, W) or (N, C)."""
    weights = slopes[:, :, None, None] if slopes.ndim == 2 else slopes
    return np.asarray((maps.astype(np.float64) * weights.astype(np.float64)).sum((2, 3)), np.float32)


def upsample(
    plane: NDArray[np.float32], picture_size: tuple[int, int], window: Box | None = None
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Interpolate one map to the picture, bilinearly, with half-pixel centers and clamped edges.

    Args:
        plane: (H, W).
        picture_size: (width, height) in pixels.
        window: (left, top, right, bottom) of the picture that the map covers; None: all of it.

    Returns:
        values and visible, both (height, width); values are meaningless where the window does not reach.
    """
    width, height = picture_size
    left, top, right, bottom = window or (0.0, 0.0, float(width), float(height))
    rows, columns = plane.shape
    column, across, seen_x = _axis(width, left, right, columns)
    row, down, seen_y = _axis(height, top, bottom, rows)
    cells = plane.astype(np.float64)
    upper, lower = cells[row], cells[np.minimum(row + 1, rows - 1)]
    lines = upper + (lower - upper) * down[:, None]
    before, after = lines[:, column], lines[:, np.minimum(column + 1, columns - 1)]
    return before + (after - before) * across, seen_y[:, None] & seen_x


def _axis(
    size: int, low: float, high: float, length: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    center = np.arange(size) + 0.5
    coordinate = np.clip((center - low) / (high - low) * length - 0.5, 0.0, length - 1.0)
    base = np.clip(np.floor(coordinate).astype(np.int64), 0, max(0, length - 2))
    return base, coordinate - base, (center >= low) & (center <= high)


def label(on: NDArray[np.bool_], connectivity: int) -> tuple[NDArray[np.int64], int]:
    """Number the connected sets of a boolean picture 1, 2, … in the order of their first pixels; 0 is off."""
    steps = [(0, 1), (1, 0), (0, -1), (-1, 0)]
    if connectivity == 8:
        steps += [(1, 1), (1, -1), (-1, 1), (-1, -1)]
    labels = np.zeros(on.shape, dtype=np.int64)
    count = 0
    for start in zip(*np.nonzero(on), strict=True):
        if labels[start]:
            continue
        count += 1
        labels[start] = count
        todo = [start]
        while todo:
            y, x = todo.pop()
            for step_y, step_x in steps:
                near = (y + step_y, x + step_x)
                inside = 0 <= near[0] < on.shape[0] and 0 <= near[1] < on.shape[1]
                if inside and on[near] and not labels[near]:
                    labels[near] = count
                    todo.append(near)
    return labels, count


def find_regions(
    plane: NDArray[np.float32],
    picture_size: tuple[int, int],
    threshold: float = 0.5,
    connectivity: int = 8,
    min_area: float = 0.0,
    *,
    window: Box | None = None,
) -> tuple[Region, ...]:
    """The regions of one map: upsample, compare, label. Outlines are left empty.

    Args:
        plane: (H, W).
        picture_size: (width, height) in pixels.
        threshold: On where value > threshold × max(map).
        connectivity: 4 or 8.
        min_area: Regions smaller than this fraction of the picture are left out.
        window: (left, top, right, bottom) of the picture that the map covers; None: all of it.

    Returns:
        Regions by falling area, ties by their first pixel in scan order.
    """
    width, height = picture_size
    values, visible = upsample(plane, picture_size, window)
    peak = float(plane.max())
    labels, count = label(visible & (values > threshold * peak) & (peak > 0), connectivity)
    cell = _cell_of_pixels(height)[:, None] * 3 + _cell_of_pixels(width)
    regions = []
    for number in range(1, count + 1):
        inside = labels == number
        y, x = np.nonzero(inside)
        if len(x) < min_area * width * height:
            continue
        on = np.bincount(cell[inside], minlength=9)
        names = merge_positions(places_by_area(on.tolist(), picture_size, window))
        main_cell = _main_cell(on.tolist(), x, y, picture_size)
        regions.append(
            Region(
                area=len(x) / (width * height),
                bbox=(int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1),
                centroid=(float(x.mean()) + 0.5, float(y.mean()) + 0.5),
                mean=float(values[inside].mean()),
                peak=float(values[inside].max()),
                outline=(),
                position=names[0] if len(names) == 1 else POSITIONS[main_cell],
                cells=tuple((on / (width * height)).tolist()),
            )
        )
    return tuple(sorted(regions, key=lambda region: -region.area))


def places_by_area(on: list[int], picture_size: tuple[int, int], window: Box | None = None) -> int:
    """The area-weighted rule: which of the nine cells count as places, as a mask; see `ops.positions_by_area`.

    Args:
        on: Pixels that are on, per cell.
        picture_size: (width, height) in pixels.
        window: (left, top, right, bottom) of the picture that the map covers; None: all of it.

    Returns:
        Bit c for cell c.
    """
    width, height = picture_size
    _, visible = upsample(np.zeros((1, 1), np.float32), picture_size, window)
    cell = _cell_of_pixels(height)[:, None] * 3 + _cell_of_pixels(width)
    whole = np.bincount(cell.ravel(), minlength=9)
    seen = np.bincount(cell[visible], minlength=9)
    total = sum(on)
    if total == 0:
        return 0
    if 10 * total >= 9 * seen.sum():
        return 0x1FF
    filled = {c for c in range(9) if on[c] > 0 and 2 * on[c] >= seen[c] and 10 * seen[c] >= whole[c]}
    for quarters in (2, 3):
        places = {c for c in range(9) if on[c] > 0 and 4 * on[c] >= quarters * max(on)} | filled
        if len(places) < 7 or 2 * total >= seen.sum():
            break
    return sum(1 << c for c in places)


def sixteenths(on: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How much of a boolean picture is on in each cell of a 4 × 4 grid, in quarter pixels.

    A pixel is in the cell that holds its center; half of it on either side where its center lies on a cut.
    """
    height, width = on.shape
    return _quarters(height) @ on.astype(np.int64) @ _quarters(width).T


def places_by_zone(on: NDArray[np.int64], picture_size: tuple[int, int]) -> tuple[str, ...]:
    """One or two of `PLACES` for what is on; see `ops.find_places`.

    Args:
        on: (4, 4) as `sixteenths` gives it, of all regions of a map together.
        picture_size: (width, height) in pixels.
    """
    total, picture = int(on.sum()), 4 * picture_size[0] * picture_size[1]
    if total == 0:
        return ()
    for word, percent in (("entire picture", 85), ("most of the picture", 60)):
        if 100 * total >= percent * picture:
            return (word,)
    row, column = np.mgrid[:4, :4]
    zones = {
        "left half": column < 2,
        "right half": column >= 2,
        "upper half": row < 2,
        "lower half": row >= 2,
        "middle": (row % 3 > 0) & (column % 3 > 0),
        "upper left quarter": (row < 2) & (column < 2),
        "upper right quarter": (row < 2) & (column >= 2),
        "lower left quarter": (row >= 2) & (column < 2),
        "lower right quarter": (row >= 2) & (column >= 2),
    }
    true = []
    for words in [(zone,) for zone in zones] + list(combinations(zones, 2)):
        together = np.any([zones[word] for word in words], axis=0)
        each = all(100 * on[zones[word]].sum() >= 20 * total for word in words)
        if each and 100 * on[together].sum() >= 70 * total and together.mean() <= 0.75:
            true.append((together.sum(), len(words), words))
    # The first of the smallest, as `zones` and PLACES have them in one order.
    return min(true, key=lambda choice: choice[:2])[2] if true else ("spread over the picture",)


def logits_without(
    logits: NDArray[np.float32],
    weight: NDArray[np.float32],
    maps: NDArray[np.float32],
    sets: NDArray[np.int64],
    classes: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """What is left of the logits after Σ weight · mean(map) over each set; see `ops.logits_without`."""
    rows = (weight if classes is None else weight[classes]).astype(np.float64)
    means = maps.mean(1, dtype=np.float64)
    return np.stack([logits - rows[:, neurons] @ means[neurons] for neurons in sets])


def means_without(
    class_maps: NDArray[np.float32],
    weight: NDArray[np.float32],
    maps: NDArray[np.float32],
    sets: NDArray[np.int64],
    classes: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """Means over positions of relu(class_maps − Σ weight · map) over each set; see `ops.means_without`."""
    rows = (weight if classes is None else weight[classes]).astype(np.float64)
    taken = np.stack([rows[:, neurons] @ maps[neurons].astype(np.float64) for neurons in sets])
    means: NDArray[np.float64] = np.maximum(class_maps - taken, 0).mean(2)
    return means


def pooled_gradients(
    logits: NDArray[np.float32],
    weight: NDArray[np.float32],
    target: NDArray[np.int64],
    versus: NDArray[np.int64],
    positions: int,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows of the weights, less those of the rivals, over the number of positions; see `ops.pooled_gradients`."""
    chosen = np.where(target < 0, logits.argmax(1), target)
    rows = weight[chosen] - np.where(versus[:, None] >= 0, weight[versus], np.float32(0))
    return chosen, rows * np.float32(1 / positions)


def rectified_gates(
    weight: NDArray[np.float32],
    bias: NDArray[np.float32],
    activations: NDArray[np.float32],
    classes: NDArray[np.int64],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Shares where the map of the class is positive, and the sum of these times the map; see `ops.rectified_gates`."""
    maps = np.einsum("nc,nchw->nhw", weight[classes], activations)
    passes = (maps + bias[classes][:, None, None] > 0) & (classes >= 0)[:, None, None]
    gates = passes * np.float32(1 / np.prod(maps.shape[1:]))
    return gates[:, None], np.asarray((gates * maps.astype(np.float64)).sum((1, 2)), np.float32)


def rectified_gradients(
    logits: NDArray[np.float32],
    weight: NDArray[np.float32],
    bias: NDArray[np.float32],
    activations: NDArray[np.float32],
    target: NDArray[np.int64],
    versus: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows of the weights where the class map is positive, less those of the rival; see `ops.rectified_gradients`."""
    chosen = np.where(target < 0, logits.argmax(1), target)
    maps = np.einsum("kc,nchw->nkhw", weight, activations) + bias[:, None, None]
    gates = (maps > 0) * np.float32(1 / np.prod(maps.shape[2:]))
    pictures = np.arange(len(chosen))
    own = weight[chosen][:, :, None, None] * gates[pictures, chosen][:, None]
    other = weight[versus][:, :, None, None] * gates[pictures, versus][:, None]
    return chosen, np.asarray(own - np.where(versus[:, None, None, None] >= 0, other, 0), np.float32)


def find_winner(logits: NDArray[np.float32], index: int | None = None) -> tuple[int, float]:
    """The class of the largest logit, and the probability of it or of class `index`; see `ops.find_winner`."""
    winner = int(logits.argmax())
    powers = np.exp(logits.astype(np.float64) - float(logits[winner]))
    return winner, float(powers[winner if index is None else index] / powers.sum())


def _cell_of_pixels(size: int) -> NDArray[np.int64]:
    """The third, 0 to 2, that holds the center of each pixel."""
    return 3 * (2 * np.arange(size) + 1) // (2 * size)


def _quarters(size: int) -> NDArray[np.int64]:
    """(4, size): how many halves of each pixel lie in each quarter of an axis."""
    center = 2 * (2 * np.arange(size) + 1)
    before: NDArray[np.int64] = 1 + np.sign(np.arange(5)[:, None] * size - center)  # a cut at k / 4 · size
    return np.diff(before, axis=0)


def _main_cell(on: list[int], x: NDArray[np.int64], y: NDArray[np.int64], picture_size: tuple[int, int]) -> int:
    """The cell with the most pixels; among equals the one that holds the centroid, a cut belonging to the middle."""
    if on.count(max(on)) == 1:
        return on.index(max(on))
    column, row = (
        int(3 * (2 * pixels + 1).sum() >= 2 * len(pixels) * size)
        + int(3 * (2 * pixels + 1).sum() > 4 * len(pixels) * size)
        for pixels, size in zip((x, y), picture_size, strict=True)
    )
    return 3 * row + column
