"""What came before the clip, packed into few tokens: the farther back, the coarser.

73 frames are 19 latent frames. The last stays as fine as the clip itself, the two before it share patches twice as
large along each axis, the sixteen before those patches four times as large. Source: `FramePackMotioner` in
Wan-Video/Wan2.2, wan/modules/s2v/motioner.py (the rest of that file is unused by the published weights).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from artifexpro.core.wan22.s2v.positions import BUCKETS, PACKED


class PastPacker(nn.Module):
    """Latents (B, C, T, h, w), T up to 19, to tokens (B, n, dim): nearest past first. What is missing of 19 is zero."""

    def __init__(self, channels: int, dim: int) -> None:
        super().__init__()
        shapes = [(bucket.depth, bucket.side, bucket.side) for bucket in BUCKETS]
        self.near, self.middle, self.far = (nn.Conv3d(channels, dim, shape, stride=shape) for shape in shapes)

    def forward(self, latents: Tensor) -> Tensor:
        batch, channels, frames, rows, columns = latents.shape
        padded = latents.new_zeros(batch, channels, PACKED, rows, columns)
        kept = min(frames, PACKED)
        if kept:
            padded[:, :, -kept:] = latents[:, :, -kept:]
        parts = padded.split([bucket.frames for bucket in reversed(BUCKETS)], dim=2)
        layers = (self.near, self.middle, self.far)
        tokens = [layer(part).flatten(2).transpose(1, 2) for layer, part in zip(layers, reversed(parts), strict=True)]
        return torch.cat(tokens, dim=1)
