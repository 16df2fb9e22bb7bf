"""Makes `nle_fast` importable on a machine where it is not installed; import this first.

The kernels lie beside the package in the source tree. Where the C++ extension is missing, an empty one stands in for
it: kernels, their definition and the torch classifier do without; whoever needs it fails with an AttributeError.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

__all__ = ["ROOT", "WITHOUT_CORE"]

ROOT = Path(__file__).parents[1]
if importlib.util.find_spec("nle_fast") is None:
    sys.path.insert(0, str(ROOT))

import nle_fast  # noqa: E402

WITHOUT_CORE: str | None = None
try:
    importlib.import_module("nle_fast._core")
except ImportError as err:
    WITHOUT_CORE = f"the C++ extension is missing ({err})"
    nle_fast._core = sys.modules["nle_fast._core"] = types.ModuleType("nle_fast._core")
if importlib.util.find_spec("nle_fast.kernels") is None:
    nle_fast.__path__.append(str(ROOT))
