"""What this machine has for the engine, what it lacks, and how to get it."""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

from nle_fast.version import installed

__all__ = ["Check", "examine"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report.

    Attributes:
        what: The part that was looked at.
        state: `"ok"`, `"missing"` (the engine does not run whole without it), or `"absent"` (optional).
        found: Version, device or reason.
        remedy: What to do about it; empty when nothing is to be done.
    """

    what: str
    state: Literal["ok", "missing", "absent"]
    found: str
    remedy: str = ""

    def row(self) -> tuple[str, str, str]:
        """What, found, remedy."""
        return self.what, self.found, self.remedy

    def to_dict(self) -> dict[str, str]:
        """All fields, JSON-ready."""
        return asdict(self)


def examine() -> list[Check]:
    """Look at every part by really loading it."""
    checks = [
        Check("Python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        Check("CPU", "ok", f"{os.cpu_count()} cores"),
        _load("C++ extension", "nle_fast", "nle_fast.ops", "pip install --force-reinstall nle_fast"),
    ]
    for what, distributions, module in (
        ("NumPy", ("numpy",), "numpy"),
        ("Pillow", ("Pillow",), "PIL.Image"),
        ("PyTorch", ("torch",), "torch"),
        ("ONNX", ("onnx",), "onnx"),
        ("ONNX Runtime", ("onnxruntime-gpu", "onnxruntime"), "onnxruntime"),
        ("llama.cpp", ("llama-cpp-python",), "llama_cpp"),
    ):
        distribution = next((name for name in distributions if installed(name)), distributions[-1])
        checks.append(_load(what, distribution, module, f"pip install {distribution}"))
    checks += [
        _optional("Triton", _triton),
        _optional("CUDA (torch)", _cuda),
        _optional("CUDA (ONNX Runtime)", _ort_cuda),
    ]
    return checks


def _load(what: str, distribution: str, module: str, remedy: str) -> Check:
    try:
        importlib.import_module(module)
    # A broken shared library raises OSError, a missing one ImportError, a version conflict almost anything.
    except Exception as error:
        return Check(what, "missing", " ".join(f"{type(error).__name__}: {error}".split())[:200], remedy)
    return Check(what, "ok", f"{distribution} {installed(distribution) or '(no metadata)'}")


def _optional(what: str, probe: Callable[[], tuple[str | None, str]]) -> Check:
    try:
        found, remedy = probe()
    except Exception as error:
        found, remedy = None, " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return Check(what, "absent", "not available", remedy) if found is None else Check(what, "ok", found)


def _triton() -> tuple[str | None, str]:
    version = installed("triton")
    return (f"triton {version}" if version else None), "Linux only: pip install triton; CPUs use C++"


def _cuda() -> tuple[str | None, str]:
    import torch

    name = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return name, "needs an NVIDIA GPU and the CUDA build of torch; CPUs use C++"


def _ort_cuda() -> tuple[str | None, str]:
    import onnxruntime

    # The GPU package lists its provider also where no GPU is; torch's word on the device decides.
    listed = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    device, _ = _cuda()
    return (
        f"CUDAExecutionProvider on {device}" if listed and device else None
    ), "needs an NVIDIA GPU and onnxruntime-gpu"
