"""A llama in plain PyTorch, as llama.cpp computes it, and its way into a GGUF file.

Root-mean-square norms, rotary positions on neighboring pairs of features, SwiGLU, and one table for reading and writing
tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from nle_fast.verbalizers.llama.prompt import PROMPT
from training.verbalizer.gguf import Value, write_gguf
from training.verbalizer.vocabulary import Vocabulary

__all__ = ["Llama", "Shape", "export"]

_EPSILON = 1e-5
_BASE = 10_000.0
_CONTEXT = 1024  # tokens that llama.cpp makes room for; positions have no weights, so it need not be trained


@dataclass(frozen=True)
class Shape:
    """Of a network: layers, features, features inside a layer's second half, heads."""

    layers: int = 4
    width: int = 192
    inner: int = 512
    heads: int = 6


class _Layer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.attn_norm = nn.RMSNorm(shape.width, _EPSILON)
        self.ffn_norm = nn.RMSNorm(shape.width, _EPSILON)
        self.attn_qkv = nn.Linear(shape.width, 3 * shape.width, bias=False)
        self.attn_output = nn.Linear(shape.width, shape.width, bias=False)
        self.ffn_gate_up = nn.Linear(shape.width, 2 * shape.inner, bias=False)
        self.ffn_down = nn.Linear(shape.inner, shape.width, bias=False)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
        n, t, width = x.shape
        split = self.attn_qkv(self.attn_norm(x)).view(n, t, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(_turned(query, turn), _turned(key, turn), value, is_causal=True)
        x = x + self.attn_output(seen.transpose(1, 2).reshape(n, t, width))
        gate, up = self.ffn_gate_up(self.ffn_norm(x)).chunk(2, -1)
        return x + self.ffn_down(F.silu(gate) * up)


class Llama(nn.Module):
    """Logits of the next token.

    Args:
        tokens: Size of the vocabulary.
        shape: Of the network.
    """

    def __init__(self, tokens: int, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(tokens, shape.width)
        self.layers = nn.ModuleList(_Layer(shape) for _ in range(shape.layers))
        self.output_norm = nn.RMSNorm(shape.width, _EPSILON)
        for parameter in self.parameters():
            if parameter.ndim == 2:
                nn.init.normal_(parameter, std=0.02 if parameter.shape[0] == tokens else parameter.shape[1] ** -0.5)
        for layer in self.layers:
            for last in (layer.attn_output, layer.ffn_down):
                last.weight.data /= (2 * shape.layers) ** 0.5

    def features(self, tokens: Tensor) -> Tensor:
        """(N, T) tokens → (N, T, width): what the logits are made of."""
        x = self.token_embd(tokens)
        turn = _turns(tokens.shape[1], self.shape.width // self.shape.heads)
        for layer in self.layers:
            x = layer(x, turn)
        return self.output_norm(x)

    def logits(self, features: Tensor) -> Tensor:
        """(…, width) features → (…, tokens)."""
        return F.linear(features, self.token_embd.weight)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, T) tokens → (N, T, tokens): logits of the token after each."""
        return self.logits(self.features(tokens))


def _turns(length: int, head: int) -> tuple[Tensor, Tensor]:
    speed = _BASE ** (-torch.arange(0, head, 2, dtype=torch.float32) / head)
    angle = torch.outer(torch.arange(length, dtype=torch.float32), speed)
    return angle.cos(), angle.sin()


def _turned(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Neighboring features are a pair; llama.cpp calls this the normal kind of rotary position."""
    cos, sin = turn
    a, b = x[..., ::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


def export(network: Llama, vocabulary: Vocabulary, path: Path, kind: str = "q8_0") -> None:
    """Writes a network as a GGUF file that llama.cpp runs.

    Args:
        network: To write.
        vocabulary: Its tokens.
        path: Where.
        kind: Of the matrices: "f32", "f16" or "q8_0".
    """
    shape = network.shape
    keys: dict[str, Value] = {
        "general.architecture": "llama",
        "general.name": "nle_fast verbalizer",
        "general.license": "MIT",
        "nle_fast.prompt": PROMPT,
        "llama.vocab_size": len(vocabulary.tokens),
        "llama.context_length": _CONTEXT,
        "llama.embedding_length": shape.width,
        "llama.block_count": shape.layers,
        "llama.feed_forward_length": shape.inner,
        "llama.attention.head_count": shape.heads,
        "llama.attention.head_count_kv": shape.heads,
        "llama.attention.layer_norm_rms_epsilon": _EPSILON,
        "llama.rope.dimension_count": shape.width // shape.heads,
        "llama.rope.freq_base": _BASE,
        **vocabulary.keys,
        "general.file_type": {"f32": 0, "f16": 1, "q8_0": 7}[kind],
    }
    write_gguf(path, keys, tensors(network), kind)


def tensors(network: Llama) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """The weights by llama.cpp's names."""
    found = {"token_embd.weight": network.token_embd.weight, "output_norm.weight": network.output_norm.weight}
    for i, layer in enumerate(network.layers):
        query, key, value = layer.attn_qkv.weight.chunk(3)
        gate, up = layer.ffn_gate_up.weight.chunk(2)
        named = {
            "attn_norm": layer.attn_norm.weight, "attn_q": query, "attn_k": key, "attn_v": value,
            "attn_output": layer.attn_output.weight, "ffn_norm": layer.ffn_norm.weight, "ffn_gate": gate,
            "ffn_up": up, "ffn_down": layer.ffn_down.weight,
        }  # fmt: skip
        found |= {f"blk.{i}.{name}.weight": weight for name, weight in named.items()}
    return {name: weight.detach().numpy().copy() for name, weight in found.items()}
