"""Pictures on the way: a linear map from latents to RGB, found for each VAE by least squares.

Soft random colour fields are encoded; the average colour of each latent's pixels is then regressed on the latent's
channels. The result is a thumbnail at latent resolution, good for judging composition and colour, for any VAE.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22.encode import normalised

if TYPE_CHECKING:
    from torch import Tensor

_SEED = 7
_FIELDS = 12
_LATENTS = 8
_RIDGE = 1e-2
"""Share of the mean variance added to each channel, so that nearly equal channels get no huge opposite weights."""


@dataclass(frozen=True, slots=True)
class PreviewMap:
    """`matrix` (C, 3) and `offset` (3,): colour = latent @ matrix + offset, display-referred sRGB in 0..1."""

    matrix: Tensor
    offset: Tensor

    def picture(self, latents: Tensor, frame: int | None = None) -> Tensor:
        """(h, w, 3) on the processor from one frame (default: the middle) of latents (1, C, T, h, w)."""
        index = latents.shape[2] // 2 if frame is None else frame
        channels = latents[0, :, index].detach().to(device="cpu", dtype=torch.float32).permute(1, 2, 0)
        return (channels @ self.matrix + self.offset).clamp(0, 1).contiguous()


def fit(vae: Any) -> PreviewMap:
    """The map for `vae`, always the same for the same weights."""
    factor = vae.config.scale_factor_spatial
    colours = colour_fields(_LATENTS * factor)
    with torch.no_grad():
        pixels = (colours * 2 - 1).unsqueeze(2).to(device=vae.device, dtype=vae.dtype)
        encoded = normalised(vae.encode(pixels).latent_dist.mode(), vae)
    latents = encoded[:, :, 0].permute(0, 2, 3, 1).reshape(-1, encoded.shape[1]).double().cpu()
    averages = torch.nn.functional.avg_pool2d(colours, factor).permute(0, 2, 3, 1).reshape(-1, 3).double()
    centre, middle = latents.mean(dim=0), averages.mean(dim=0)
    known, wanted = latents - centre, averages - middle
    gram = known.T @ known
    ridge = _RIDGE * gram.diagonal().mean().clamp_min(1e-12) * torch.eye(len(gram), dtype=gram.dtype)
    matrix = torch.linalg.solve(gram + ridge, known.T @ wanted)
    return PreviewMap(matrix.float(), (middle - centre @ matrix).float())


def colour_fields(side: int) -> Tensor:
    """Soft random colour fields (N, 3, side, side) in 0..1: grids of 2 to 5 colours a side, smoothly enlarged."""
    generator = torch.Generator().manual_seed(_SEED)
    grids = [torch.rand(1, 3, 2 + index % 4, 2 + index % 4, generator=generator) for index in range(_FIELDS)]
    enlarged = [
        torch.nn.functional.interpolate(grid, size=(side, side), mode="bicubic", align_corners=True) for grid in grids
    ]
    return torch.cat(enlarged).clamp(0, 1)
