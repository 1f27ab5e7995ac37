"""The transformer's lessons: which way from noise to what the caption says.

A clip x0 and noise e meet at sigma: x = (1 - sigma) x0 + sigma e, and the network is asked for e - x0 at timestep
1000 sigma (rectified flow, Liu et al. 2022, as Wan is trained). Levels are drawn evenly and shifted further to noise
than when clips are made: a wrong caption costs most above sigma 0.85. In a part of the steps the first frame is
given: clean, at timestep 0 of its own tokens, as TI2V-5B does it and `condition.FirstFrame` asks for it. Some captions
are dropped, for guidance, and some are replaced by words of no meaning, which therefore mean nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import text
from artifexpro.core.wan22.catalogue import TINY, TRAINED_STEPS
from artifexpro.core.wan22.prompting.defaults import DEFAULT_NEGATIVE_PROMPT
from artifexpro.core.wan22.tiny import captions, scenes

if TYPE_CHECKING:
    from torch import Tensor

SEEN = 72
"""Tokens that a caption is given with while training, at least one of them padding."""
_GIVEN = 0.35
"""Share of the steps whose clips begin from their first frame."""
_DROPPED, _NONSENSE = 0.08, 0.04
_SHIFT = 5.0
"""Of levels in lessons; clips are made at `TINY.shift`, and in few distilled steps at this one."""


@dataclass(frozen=True, slots=True)
class Material:
    """Clips of one size as normalised latents (N, C, T, h, w) float16, and the seeds of their scenes."""

    latents: Tensor
    seeds: Sequence[int]


@dataclass(frozen=True, slots=True)
class Lessons:
    """Clips of one size: those made from words alone, their things near the middle, and those whose first frame is
    given, their things anywhere."""

    free: Material
    given: Material


class Padded:
    """Attention to a caption of `SEEN` tokens as if it were padded to 512, exactly: padding is zero, so all of it has
    the same key, and the last of the tokens here counts as often as there is more of it. Training alone uses this: it
    saves the work on some 450 tokens that say nothing."""

    def __init__(self) -> None:
        from diffusers.models.transformers.transformer_wan import WanAttnProcessor

        self.attention = WanAttnProcessor()

    def __call__(self, attn: Any, hidden_states: Tensor, words: Tensor, mask: None, rotary: None) -> Any:
        counts = torch.zeros(1, 1, 1, words.shape[1], device=words.device, dtype=hidden_states.dtype)
        counts[..., -1] = math.log(text.TOKENS - words.shape[1] + 1)
        return self.attention(attn, hidden_states, words, counts, rotary)


def shorten(network: Any, short: bool) -> None:
    """Let a network see captions of `SEEN` tokens (while training), or of 512 again.

    While training, attention is plain matrix products: so few tokens that PyTorch's fused one for processors, whose
    way back is slow, takes longer."""
    from diffusers.models.attention_dispatch import AttentionBackendName
    from diffusers.models.transformers.transformer_wan import WanAttnProcessor

    for block in network.blocks:
        block.attn2.set_processor(Padded() if short else WanAttnProcessor())
        for processor in (block.attn1.processor, getattr(block.attn2.processor, "attention", None)):
            if processor is not None:
                processor._attention_backend = AttentionBackendName("_native_math") if short else None


def states(prompts: Sequence[str], tokenizer: Any, encoder: Any) -> Tensor:
    """Embeddings (N, SEEN, D) of `prompts`, zero where they have ended: `text.encode` for many, with gradients where
    `encoder` learns."""
    return read(prompts, tokenizer, encoder)[0]


def read(prompts: Sequence[str], tokenizer: Any, encoder: Any) -> tuple[Tensor, Tensor]:
    """`states`, and where prompts have not ended yet (N, SEEN)."""
    inputs = tokenizer(
        [text.clean(prompt) for prompt in prompts],
        padding="max_length",
        max_length=SEEN - 1,
        truncation=True,
        return_attention_mask=True,
        return_tensors="pt",
    )
    mask = inputs.attention_mask.to(encoder.device)
    found = encoder(inputs.input_ids.to(encoder.device), mask).last_hidden_state * mask.unsqueeze(-1)
    return torch.nn.functional.pad(found, (0, 0, 0, 1)), torch.nn.functional.pad(mask, (0, 1)).bool()


def loss(network: Any, encoder: Any, tokenizer: Any, lessons: Lessons, chance: Any, batch: int) -> Tensor:
    """The loss of one step on `batch` clips of one kind of `lessons`."""
    device = network.device
    given = float(torch.rand((), generator=chance)) < _GIVEN
    material = lessons.given if given else lessons.free
    chosen = torch.randint(len(material.seeds), (batch,), generator=chance).tolist()
    prompts = [prompt(material.seeds[index], chance) for index in chosen]
    clean = material.latents[chosen].to(device, torch.float32)
    noise = torch.randn(clean.shape, generator=chance).to(device)
    level = torch.rand(batch, generator=chance).to(device)
    sigma = (_SHIFT * level / (1 + (_SHIFT - 1) * level)).view(-1, 1, 1, 1, 1)
    seen = (1 - sigma) * clean + sigma * noise
    timestep = sigma.flatten() * TRAINED_STEPS
    counted = slice(None)
    if given and clean.shape[2] > 1:
        seen = torch.cat([clean[:, :, :1], seen[:, :, 1:]], dim=2)
        frames, patches = clean.shape[2], clean.shape[3] * clean.shape[4] // TINY.transformer.patch**2
        each = timestep.view(-1, 1, 1).repeat(1, frames, patches)
        each[:, 0] = 0
        timestep, counted = each.flatten(1), slice(1, None)
    words = states(prompts, tokenizer, encoder)
    answer = network(seen, timestep, words, return_dict=False)[0].float()
    return (answer - (noise - clean))[:, :, counted].square().mean()


def prompt(seed: int, chance: Any) -> str:
    """One of the captions of the scene of `seed`, seldom none, and seldom something that says nothing of it."""
    drawn = Random(int(torch.randint(2**62, (), generator=chance)))
    way = drawn.random()
    if way < _DROPPED:
        return ""
    if way < _DROPPED + _NONSENSE:
        letters = "abcdefghijklmnopqrstuvwxyzäéßñжшя的是在 "
        nonsense = "".join(drawn.choice(letters) for _ in range(drawn.randint(4, 40)))
        return drawn.choice((nonsense, DEFAULT_NEGATIVE_PROMPT))
    return captions.caption(scenes.scene(Random(seed)), drawn)
