"""The version of the engine, and of what it stands on."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version

__all__ = ["PACKAGES", "__version__", "versions"]

__version__ = version("nle_fast")

#: Distributions that an explanation may pass through.
PACKAGES = (
    "nle_fast",
    "numpy",
    "Pillow",
    "torch",
    "triton",
    "onnx",
    "onnxruntime-gpu",
    "onnxruntime",
    "llama-cpp-python",
)


@cache
def installed(package: str) -> str | None:
    """The installed version of a distribution, None where it is absent; nothing is imported."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def versions() -> dict[str, str]:
    """The installed ones of `PACKAGES` with their versions."""
    return {package: found for package in PACKAGES if (found := installed(package)) is not None}
