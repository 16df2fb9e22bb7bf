from typing import Any

import numpy as np
from numpy.typing import NDArray

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
def vector_units() -> list[str]: ...
