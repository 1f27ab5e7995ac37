"""What the network hears: from the speech model's layers to five tokens for each latent frame.

The layers are mixed by learned weights, then two causal convolutions of stride 2 bring 4 frames of sound to one latent
frame: four tokens and a learned fifth for attention, one more for the norm. Source: `CausalAudioEncoder` and
`MotionEncoder_tc` in Wan-Video/Wan2.2, wan/modules/s2v.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

LAYERS = 25
"""Hidden states of wav2vec2-large: what goes into its first layer, and what leaves each of the 24."""


class CausalConv1d(nn.Conv1d):
    """(B, C, T): three samples of now and before; before the first there is the first."""

    def __init__(self, channels: int, out: int, stride: int = 1) -> None:
        super().__init__(channels, out, kernel_size=3, stride=stride)

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(nn.functional.pad(input, (2, 0), mode="replicate"))


class SpeechEncoder(nn.Module):
    """Features (B, layers, audio_dim, frames) to (B, latent frames, 5, dim) and (B, latent frames, dim)."""

    def __init__(self, audio_dim: int, dim: int, layers: int = LAYERS, tokens: int = 4) -> None:
        super().__init__()
        self.tokens = tokens
        self.layer_weights = nn.Parameter(torch.full((1, layers, 1, 1), 0.01))
        self.conv_local = CausalConv1d(audio_dim, dim // 4 * tokens)
        self.conv_global = CausalConv1d(audio_dim, dim // 4)
        self.conv_half = CausalConv1d(dim // 4, dim // 2, stride=2)
        self.conv_quarter = CausalConv1d(dim // 2, dim, stride=2)
        self.proj_global = nn.Linear(dim, dim)
        self.padding_token = nn.Parameter(torch.zeros(1, 1, 1, dim))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        weights = nn.functional.silu(self.layer_weights)
        mixed = (features * weights / weights.sum(dim=1, keepdim=True)).sum(dim=1)
        batch = mixed.shape[0]
        local = self.conv_local(mixed).unflatten(1, (self.tokens, -1)).flatten(0, 1)
        local = self._condensed(local).unflatten(0, (batch, self.tokens)).transpose(1, 2)
        local = torch.cat([local, self.padding_token.expand(batch, local.shape[1], -1, -1)], dim=2)
        return local, self.proj_global(self._condensed(self.conv_global(mixed)))

    def _condensed(self, states: Tensor) -> Tensor:
        """(N, dim / 4, T) to (N, ceil(T / 4), dim)."""
        halved = self.conv_half(_normal(states).transpose(1, 2))
        return _normal(self.conv_quarter(_normal(halved).transpose(1, 2)))


def _normal(states: Tensor) -> Tensor:
    """(N, C, T) to (N, T, C), normalised over channels, through SiLU."""
    turned = states.transpose(1, 2)
    return nn.functional.silu(nn.functional.layer_norm(turned, turned.shape[-1:], eps=1e-6))
