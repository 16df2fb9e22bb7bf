"""ONNX Runtime sessions: opened quietly on the device that was asked for, or a clear error."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from nle_fast.errors import BackendError, ModelError

__all__ = ["Session", "execution_provider", "one_line"]

Array = NDArray[Any]


def execution_provider(device: object) -> tuple[str, dict[str, str]]:
    """ONNX Runtime's provider and its options for None, "cpu", "cuda" or "cuda:1" (or a `torch.device`).

    Raises:
        BackendError: No such device, or this build of ONNX Runtime cannot use it.
    """
    name = "cpu" if device is None else str(device)
    kind, _, index = name.partition(":")
    if kind == "cpu" and not index:
        return "CPUExecutionProvider", {}
    if kind != "cuda" or (index and not index.isdigit()):
        raise BackendError(f'`device` must be "cpu", "cuda" or "cuda:<number>", got {name!r}; choose one of these.')
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        raise BackendError(
            f"`device` must be one that ONNX Runtime can use here, got {name!r} with a build for "
            f"{', '.join(ort.get_available_providers())}; install onnxruntime-gpu, or use device='cpu'."
        )
    # TF32 would round the evidence to three digits; exhaustive search would stall every new batch size.
    options = {"device_id": index or "0", "use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
    return "CUDAExecutionProvider", options


class Session:
    """One compiled graph. Running it is thread-safe.

    Args:
        model: The graph, complete with its weights.
        source: What the user called it, for messages.
        device: See `execution_provider`.
        optimize: False opens faster and runs slower.
        one_thread: Run on the calling thread alone: for work that is too small to be shared.
    """

    def __init__(
        self,
        model: onnx.ModelProto,
        source: str,
        device: object = None,
        *,
        optimize: bool = True,
        one_thread: bool = False,
    ) -> None:
        self._source = source
        provider = execution_provider(device)
        options = ort.SessionOptions()
        options.log_severity_level = 4  # what fails is raised, and told by us in one line
        # Threads that go on spinning after a run take the cores from what follows it: regions, words, another session.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        if one_thread:
            options.intra_op_num_threads = 1
        if not optimize:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            content = model.SerializeToString()
        except Exception as error:
            raise ModelError(
                f"`model` must be smaller than 2 GiB, got {source}, which cannot be put together: {one_line(error)}; "
                "use a smaller network or float16 weights."
            ) from error
        cuda = provider[0] == "CUDAExecutionProvider"
        if cuda:  # A missing driver is reported by us, once, and not by the C++ log.
            ort.set_default_logger_severity(4)
        try:
            self._session = ort.InferenceSession(content, options, providers=[provider])
        except Exception as error:
            raise BackendError(
                f"ONNX Runtime {ort.__version__} cannot open {source}: {one_line(error)}; "
                "check the file with onnx.checker, or export it again for an older opset."
            ) from error
        finally:
            if cuda:
                ort.set_default_logger_severity(2)
        if self._session.get_providers()[0] != provider[0]:
            raise BackendError(
                f"`device` must be one that works here, got {device!s}, but ONNX Runtime {ort.__version__} could not "
                "start CUDA; install the NVIDIA driver, CUDA and cuDNN it asks for, or use device='cpu'."
            )
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._place = ("cuda", int(provider[1]["device_id"])) if cuda else ("cpu", 0)

    @property
    def shares_gpu(self) -> bool:
        """Is this a GPU on which torch and Triton can go on with the outputs?"""
        if self._place[0] == "cpu" or importlib.util.find_spec("triton") is None:
            return False
        import torch

        return torch.cuda.is_available()

    def run(self, feeds: Mapping[str, Array], stay: Collection[str] = ()) -> list[Array]:
        """The outputs, in the order of the graph.

        Args:
            feeds: The inputs by name, on the host.
            stay: Outputs that stay on the device. Worth it on a GPU; on a CPU binding them gains nothing.

        Returns:
            NumPy arrays; for those that stay, torch tensors that are ONNX Runtime's own memory, without a copy.

        Raises:
            BackendError: ONNX Runtime refused; its error is the cause.
        """
        try:
            results: list[Array] = self._bound(feeds, stay) if stay else self._session.run(self._outputs, dict(feeds))
        except Exception as error:
            shapes = ", ".join(f"{name} {np.shape(value)}" for name, value in feeds.items())
            raise BackendError(
                f"ONNX Runtime {ort.__version__} failed in {self._source} on {shapes}: {one_line(error)}; "
                "check that the network runs on pictures of this size by itself."
            ) from error
        return results

    def _bound(self, feeds: Mapping[str, Array], stay: Collection[str]) -> list[Any]:
        import torch.utils.dlpack

        binding = self._session.io_binding()
        for name, array in feeds.items():
            binding.bind_cpu_input(name, array)
        for name in self._outputs:
            binding.bind_output(name, *(self._place if name in stay else ("cpu", 0)))
        self._session.run_with_iobinding(binding)  # returns when the device is done
        values = zip(self._outputs, binding.get_outputs(), strict=True)
        return [torch.utils.dlpack.from_dlpack(value) if name in stay else value.numpy() for name, value in values]


def one_line(error: Exception) -> str:
    """The first line of another library's message, for use inside one of ours."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300].rstrip(".")
