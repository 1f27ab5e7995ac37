"""Pixels into latents as the transformer sees them: through the VAE, then mean 0 and deviation 1 a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


def still(picture: Tensor, vae: Any, device: Any) -> Tensor:
    """The latent (1, C, 1, h, w), float32 on `device`, of a `picture` (1, 3, H, W) in 0..1."""
    with torch.no_grad():
        pixels = (picture * 2 - 1).unsqueeze(2).to(device=vae.device, dtype=vae.dtype)
        latent = vae.encode(pixels).latent_dist.mode()
    return normalised(latent.to(device=device, dtype=torch.float32), vae)


def normalised(latents: Tensor, vae: Any) -> Tensor:
    """VAE latents as the transformer sees them: mean 0 and deviation 1 a channel."""
    mean, deviation = statistics(latents, vae)
    return (latents - mean) * (1.0 / deviation)


def denormalised(latents: Tensor, vae: Any) -> Tensor:
    """Transformer latents as the VAE sees them."""
    mean, deviation = statistics(latents, vae)
    return latents / (1.0 / deviation) + mean


def statistics(latents: Tensor, vae: Any) -> tuple[Tensor, Tensor]:
    """Mean and deviation a channel, (1, C, 1, 1, 1) each, from the VAE's configuration."""
    values = (vae.config.latents_mean, vae.config.latents_std)
    mean, deviation = (torch.tensor(value).view(1, -1, 1, 1, 1).to(latents.device, latents.dtype) for value in values)
    return mean, deviation
