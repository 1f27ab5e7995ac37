"""One transformer block: two modulations along one sequence, and in some blocks the sound.

The clip's tokens are noisy and modulated by the step's timestep; the reference picture and the past are clean and
modulated by timestep 0. Sound comes in after the feed-forward of every third or fourth block: each latent frame's
tokens attend to that frame's sound. It is part of the block, so that what treats blocks as units (caches, offload,
compilation) treats it right. Source: `WanS2VAttentionBlock`, `after_transformer_block` and `AudioInjector_WAN` in
Wan-Video/Wan2.2, wan/modules/s2v.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from diffusers.hooks._helpers import TransformerBlockMetadata, TransformerBlockRegistry
from diffusers.models.attention import FeedForward
from diffusers.models.normalization import AdaLayerNorm, FP32LayerNorm
from diffusers.models.transformers.transformer_wan import WanAttention, WanAttnProcessor
from torch import Tensor, nn


class Span(NamedTuple):
    """The part of the sequence that is here: how many of its tokens are the clip's, how many the clip's tokens before
    it are (none but on later ranks of a parallel run), and tokens in one latent frame."""

    noisy: int
    before: int
    frame: int


class WanS2VTransformerBlock(nn.Module):
    """Self-attention, attention to the text, feed-forward, and attention to the sound where `hears`."""

    def __init__(self, dim: int, ffn_dim: int, heads: int, eps: float, hears: bool) -> None:
        super().__init__()
        self.norm1 = FP32LayerNorm(dim, eps, elementwise_affine=False)
        self.attn1 = WanAttention(dim, heads, dim // heads, eps, processor=WanAttnProcessor())
        self.norm2 = FP32LayerNorm(dim, eps, elementwise_affine=True)
        self.attn2 = _attention_to_others(dim, heads, eps)
        self.norm3 = FP32LayerNorm(dim, eps, elementwise_affine=False)
        self.ffn = FeedForward(dim, inner_dim=ffn_dim, activation_fn="gelu-approximate")
        self.scale_shift_table = nn.Parameter(torch.randn(1, 6, dim) / dim**0.5)
        self.sound = SoundAttention(dim, heads) if hears else None

    def forward(
        self,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        temb: Tensor,
        rotary_emb: tuple[Tensor, Tensor],
        sound: Tensor,
        sound_style: Tensor,
        span: Span,
    ) -> Tensor:
        """(B, L, dim) to the same. `temb` is (B, 2, 6, dim): modulations for the clip's tokens and for clean ones;
        `sound` (B, latent frames, 5, dim) and `sound_style` (B, latent frames, dim) are the speech encoder's."""
        table = self.scale_shift_table.unsqueeze(1) + temb.float()
        shift, scale, gate, ff_shift, ff_scale, ff_gate = table.unbind(dim=2)
        noisy = span.noisy
        states = _modulated(self.norm1(hidden_states.float()), shift, scale, noisy).type_as(hidden_states)
        states = self.attn1(states, None, None, rotary_emb)
        hidden_states = _added(hidden_states, states, gate, noisy)

        states = self.norm2(hidden_states.float()).type_as(hidden_states)
        hidden_states = hidden_states + self.attn2(states, encoder_hidden_states, None, None)

        states = _modulated(self.norm3(hidden_states.float()), ff_shift, ff_scale, noisy).type_as(hidden_states)
        hidden_states = _added(hidden_states, self.ffn(states), ff_gate, noisy)
        if self.sound is None or not noisy:
            return hidden_states
        heard = hidden_states[:, :noisy] + self.sound(hidden_states[:, :noisy], sound, sound_style, span)
        return torch.cat([heard, hidden_states[:, noisy:]], dim=1)


class SoundAttention(nn.Module):
    """What each latent frame's sound adds to its tokens."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm = AdaLayerNorm(dim, output_dim=dim * 2, chunk_dim=1)
        self.attn = _attention_to_others(dim, heads, eps=1e-6)

    def forward(self, states: Tensor, sound: Tensor, style: Tensor, span: Span) -> Tensor:
        """`states` (B, n, dim) are the clip's tokens that are here; a frame that is only partly here is filled up for
        the time of the attention, in which no token sees another."""
        first, skipped = divmod(span.before, span.frame)
        last = -(-(span.before + span.noisy) // span.frame)
        missing = (last - first) * span.frame - skipped - span.noisy
        if skipped or missing:
            states = nn.functional.pad(states, (0, 0, skipped, missing))
        batch = states.shape[0]
        frames = states.unflatten(1, (-1, span.frame)).flatten(0, 1)
        normed = self.norm(frames, temb=style[:, first:last].flatten(0, 1))
        added: Tensor = self.attn(normed, sound[:, first:last].flatten(0, 1), None, None)
        return added.unflatten(0, (batch, -1)).flatten(1, 2)[:, skipped : skipped + span.noisy]


def _attention_to_others(dim: int, heads: int, eps: float) -> WanAttention:
    return WanAttention(
        dim, heads, dim // heads, eps, cross_attention_dim_head=dim // heads, processor=WanAttnProcessor()
    )


def _modulated(states: Tensor, shift: Tensor, scale: Tensor, noisy: int) -> Tensor:
    return torch.cat(
        [part * (1 + scale[:, [at]]) + shift[:, [at]] for at, part in enumerate(_parts(states, noisy))], dim=1
    )


def _added(states: Tensor, added: Tensor, gate: Tensor, noisy: int) -> Tensor:
    gated = [part.float() * gate[:, [at]] for at, part in enumerate(_parts(added, noisy))]
    return (states.float() + torch.cat(gated, dim=1)).type_as(states)


def _parts(states: Tensor, noisy: int) -> tuple[Tensor, Tensor]:
    return states[:, :noisy], states[:, noisy:]


TransformerBlockRegistry.register(
    model_class=WanS2VTransformerBlock,
    metadata=TransformerBlockMetadata(return_hidden_states_index=0),
)
