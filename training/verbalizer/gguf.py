"""Writes GGUF files: keys, tensors, and llama.cpp's block format of 8 bits.

Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (version 3); Q8_0 is, per 32 weights, one float16
scale and 32 signed bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["KINDS", "Value", "q8_0", "unpacked_q8_0", "write_gguf"]

Value = str | bool | int | float | Sequence[str] | Sequence[int]

#: Kinds of weights, and their numbers in the file.
KINDS = {"f32": 0, "f16": 1, "q8_0": 8}
_ALIGNED = 32
_BLOCK = np.dtype([("scale", "<f2"), ("weights", "i1", (32,))])


def write_gguf(path: Path, keys: Mapping[str, Value], tensors: Mapping[str, NDArray[np.float32]], kind: str) -> None:
    """Writes a file.

    Args:
        path: Where.
        keys: The header, `general.architecture` first. Whole numbers are written as uint32, floats as float32.
        tensors: By name; rows × columns. Vectors are always written as float32.
        kind: How matrices are written: "f32", "f16" or "q8_0".
    """
    head, data = bytearray(), bytearray()
    head += struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(keys))
    for key, value in keys.items():
        head += _string(key) + _value(value)
    for name, tensor in tensors.items():
        written = kind if tensor.ndim == 2 else "f32"
        head += _string(name) + struct.pack("<I", tensor.ndim)
        head += struct.pack(f"<{tensor.ndim}Q", *reversed(tensor.shape))
        head += struct.pack("<IQ", KINDS[written], len(data))
        data += _padded(_packed(tensor, written))
    part = path.with_suffix(".part")
    part.write_bytes(_padded(bytes(head)) + bytes(data))
    part.replace(path)  # an engine may have the old file mapped into its memory


def q8_0(tensor: NDArray[np.float32]) -> bytes:
    """The weights as 8-bit blocks, rounded as llama.cpp rounds them."""
    rows = tensor.astype(np.float32).reshape(-1, 32)
    scale = np.abs(rows).max(1, keepdims=True) / np.float32(127)
    inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
    blocks = np.empty(len(rows), _BLOCK)
    scaled = rows * inverse
    blocks["scale"] = scale[:, 0].astype(np.float16)
    blocks["weights"] = np.trunc(scaled + np.copysign(np.float32(0.5), scaled)).astype(np.int8)
    return blocks.tobytes()


def unpacked_q8_0(tensor: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a reader gets back of weights that were written in 8-bit blocks."""
    blocks = np.frombuffer(q8_0(tensor), _BLOCK)
    return (blocks["weights"].astype(np.float32) * blocks["scale"].astype(np.float32)[:, None]).reshape(tensor.shape)


def _packed(tensor: NDArray[np.float32], kind: str) -> bytes:
    if kind == "q8_0":
        return q8_0(tensor)
    return tensor.astype("<f2" if kind == "f16" else "<f4").tobytes()


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNED)


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: Value) -> bytes:
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + _string(value)
    if all(isinstance(item, str) for item in value):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(_string(str(item)) for item in value)
    return struct.pack(f"<IIQ{len(value)}i", 9, 5, len(value), *value)
