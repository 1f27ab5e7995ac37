"""Prompts into embeddings, as the reference and diffusers' WanPipeline do it.

The text is repaired (ftfy), unescaped twice, its white space folded; 512 tokens go in; what stands at padding is set to
zero, so that the transformer sees the words alone.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

TOKENS = 512


@dataclass(frozen=True, slots=True)
class Embedding:
    """`states` is (1, 512, text_dim). `tokens` is how long the text was, the end mark included."""

    states: Tensor
    tokens: int

    @property
    def cut(self) -> bool:
        return self.tokens > TOKENS


def clean(prompt: str) -> str:
    """The prompt as the text encoder was trained to see it."""
    import ftfy

    return " ".join(html.unescape(html.unescape(ftfy.fix_text(prompt))).split())


def encode(prompt: str, tokenizer: Any, encoder: Any) -> Embedding:
    """The embedding of `prompt`, on the encoder's device in its number format; zero beyond the text's end."""
    text = clean(prompt)
    length = len(tokenizer(text, add_special_tokens=True).input_ids)
    inputs = tokenizer(
        text,
        padding="max_length",
        max_length=TOKENS,
        truncation=True,
        add_special_tokens=True,
        return_attention_mask=True,
        return_tensors="pt",
    )
    mask = inputs.attention_mask.to(encoder.device)
    with torch.no_grad():
        states = encoder(inputs.input_ids.to(encoder.device), mask).last_hidden_state
    return Embedding(states * mask.unsqueeze(-1).to(states.dtype), length)
