"""Makes the language model that the package embeds: corpus, tokenizer, network, GGUF, card."""
