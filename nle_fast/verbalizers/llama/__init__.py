"""A language model as verbalizer; the only modules that open llama.cpp, which is imported when a model is loaded.

`verbalizer` is what users hold. `prompt` and `prompt_text` are what a model reads, `decoding` is how it writes;
`engine` owns the threads, `flight` the texts that share calls, `model` and `tokens` what llama.cpp holds.
"""

from __future__ import annotations

from nle_fast.verbalizers.llama.verbalizer import EMBEDDED, Llama, Mode

__all__ = ["EMBEDDED", "Llama", "Mode"]
