"""Small GGUF models with random weights, written when a test needs them."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from nle_fast import Llama
from nle_fast.verbalizers.llama.prompt import MARKERS, PROMPT

TEXTS = (
    "The network's answer is zebra rather than horse, mainly because of stripes in the center and on the left.",
    "These make up 57% of the evidence for it. However, the sky at the top speaks against it.",
    "Zebra: stripes (center, left); against: sky (top). In layer4, the evidence comes from neuron 431, share 42.0%.",
)

_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6


def _byte_pairs() -> dict:
    """Byte-level pairs, as the embedded model has them; every word of `TEXTS` is one token."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in printable}
    letters |= {byte: chr(256 + i) for i, byte in enumerate(byte for byte in range(256) if byte not in letters)}
    merges: dict[str, None] = {}
    for word in dict.fromkeys(word for text in TEXTS for word in re.findall(r" ?[^\W\d_]+", text)):
        parts = [letters[byte] for byte in word.encode()]
        merges |= {f"{''.join(parts[:n])} {parts[n]}": None for n in range(1, len(parts))}
    tokens = dict.fromkeys([*MARKERS, *letters.values(), *(merge.replace(" ", "") for merge in merges)])
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": list(tokens),
        "tokenizer.ggml.token_type": [_CONTROL if token in MARKERS else _NORMAL for token in tokens],
        "tokenizer.ggml.merges": list(merges),
        "tokenizer.ggml.bos_token_id": 0,
        "tokenizer.ggml.eos_token_id": 0,
        "tokenizer.ggml.add_bos_token": False,
    }


def _sentence_pieces(*, bytes_too: bool = True) -> dict:
    """Pieces with "▁" for a space, which the tokenizer also puts before a text; `bytes_too`: anything can be said."""
    words = sorted({word for text in TEXTS for word in text.split()})
    letters = sorted({letter for text in TEXTS for letter in text} - {" "})
    pieces = ["▁", *letters, *(f"▁{letter}" for letter in letters)]
    for word in words:  # every beginning, so that pairs of pieces lead to the whole
        pieces += [f"▁{word[:n]}" for n in range(2, len(word) + 1)]
    pieces = list(dict.fromkeys(pieces))
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256) if bytes_too), *pieces]
    types = [_UNKNOWN, _CONTROL, _CONTROL, *(_BYTE for _ in range(256) if bytes_too), *(_NORMAL for _ in pieces)]
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.scores": [float(len(token)) for token in tokens],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_space_prefix": True,
    }


VOCABULARIES = {
    "byte pairs": _byte_pairs,
    "sentence pieces": _sentence_pieces,
    "sentence pieces without bytes": lambda: _sentence_pieces(bytes_too=False),
}
#: Vocabularies in which anything can be said.
WHOLE = [name for name in VOCABULARIES if "without" not in name]


def write_model(
    path: Path, vocabulary: str = "byte pairs", *, layers: int = 2, width: int = 64, context: int = 2048,
    seed: int = 0, weights: bool = True, **keys,
) -> Path:  # fmt: skip
    """A llama with random weights. With byte pairs it reads compact prompts, else text."""
    header = {
        "general.architecture": "llama",
        "general.file_type": 0,
        "llama.context_length": context,
        "llama.embedding_length": width,
        "llama.block_count": layers,
        "llama.feed_forward_length": 2 * width,
        "llama.attention.head_count": 2,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": width // 2,
    }
    header |= VOCABULARIES[vocabulary]()
    if vocabulary == "byte pairs":
        header["nle_fast.prompt"] = PROMPT
    header |= keys
    size = len(header["tokenizer.ggml.tokens"])
    generator = np.random.default_rng(seed)

    def matrix(rows, columns):
        return generator.normal(0, columns**-0.5, (rows, columns)).astype(np.float32)

    ones = np.ones(width, np.float32)
    tensors = {"token_embd.weight": matrix(size, width), "output_norm.weight": ones}
    for i in range(layers):
        tensors |= {
            f"blk.{i}.attn_norm.weight": ones,
            f"blk.{i}.ffn_norm.weight": ones,
            **{f"blk.{i}.attn_{name}.weight": matrix(width, width) for name in ("q", "k", "v", "output")},
            f"blk.{i}.ffn_gate.weight": matrix(2 * width, width),
            f"blk.{i}.ffn_up.weight": matrix(2 * width, width),
            f"blk.{i}.ffn_down.weight": matrix(width, 2 * width),
        }
    _write(path, header, tensors if weights else {})
    return path


def _write(path: Path, header: dict, tensors: dict) -> None:
    """A GGUF file, version 3: all numbers of 32 bits, matrices as rows."""

    def string(text):
        return struct.pack("<Q", len(text.encode())) + text.encode()

    def value(it):
        if isinstance(it, list):
            kind = 8 if isinstance(it[0], str) else 6 if isinstance(it[0], float) else 5
            items = b"".join(
                string(item) if kind == 8 else struct.pack("<f" if kind == 6 else "<i", item) for item in it
            )
            return struct.pack("<IIQ", 9, kind, len(it)) + items
        kinds = {bool: (7, "<?"), int: (4, "<I"), float: (6, "<f")}
        if isinstance(it, str):
            return struct.pack("<I", 8) + string(it)
        kind, layout = kinds[type(it)]
        return struct.pack("<I", kind) + struct.pack(layout, it)

    head, at = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(header)), 0
    head += b"".join(string(key) + value(it) for key, it in header.items())
    for name, tensor in tensors.items():
        sizes = tensor.shape[::-1]
        head += string(name) + struct.pack(f"<I{len(sizes)}QIQ", len(sizes), *sizes, 0, at)
        at += tensor.nbytes
        assert at % 32 == 0
    path.write_bytes(head + bytes(-len(head) % 32) + b"".join(tensor.tobytes() for tensor in tensors.values()))


@contextmanager
def open_models(folder: Path) -> Iterator[dict[str, Llama]]:
    """Vocabulary → a verbalizer, open until the block ends."""
    with ExitStack() as opened:
        paths = {name: write_model(folder / f"{name}.gguf", name) for name in WHOLE}
        yield {name: opened.enter_context(Llama(path, timeout_s=60)) for name, path in paths.items()}


def write_encoder(path: Path) -> Path:
    """A BERT with random weights: it makes features of a text, and cannot go on with it."""
    width, tokens = 32, ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁zebra", "▁horse", "a", "b"]
    header = {
        "general.architecture": "bert",
        "bert.context_length": 64,
        "bert.embedding_length": width,
        "bert.block_count": 1,
        "bert.feed_forward_length": width,
        "bert.attention.head_count": 2,
        "bert.attention.layer_norm_epsilon": 1e-5,
        "bert.attention.causal": False,
        "tokenizer.ggml.model": "bert",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [1] * len(tokens),
        "tokenizer.ggml.token_type_count": 2,
        "tokenizer.ggml.unknown_token_id": 1,
        "tokenizer.ggml.seperator_token_id": 3,
        "tokenizer.ggml.padding_token_id": 0,
        "tokenizer.ggml.cls_token_id": 2,
    }
    shapes = {"token_embd": (len(tokens), width), "token_types": (2, width), "position_embd": (64, width)}
    shapes |= {f"blk.0.{name}": (width, width) for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
    shapes |= {"blk.0.ffn_up": (width, width), "blk.0.ffn_down": (width, width)}
    vectors = ["token_embd_norm", "blk.0.attn_output_norm", "blk.0.layer_output_norm"]
    biases = [*vectors, *(name for name in shapes if name.startswith("blk"))]
    tensors = {f"{name}.weight": np.full(shape, 0.1, np.float32) for name, shape in shapes.items()}
    tensors |= {f"{name}.weight": np.ones(width, np.float32) for name in vectors}
    tensors |= {f"{name}.bias": np.zeros(width, np.float32) for name in biases}
    _write(path, header, tensors)
    return path
