"""The first picture of a TI2V clip: its latent takes the place of the first frame's, and counts as free of noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class FirstFrame:
    """`latent` is (1, C, 1, h, w), normalised, float32, on the transformer's device."""

    latent: Tensor

    def imposed(self, latents: Tensor) -> Tensor:
        """`latents` (1, C, T, h, w) with this as their first frame."""
        return torch.cat([self.latent, latents[:, :, 1:]], dim=2)

    def timesteps(self, timestep: Tensor, latents: Tensor, patch: int) -> Tensor:
        """(1, tokens): 0 where the picture is given, `timestep` elsewhere."""
        frames, rows, columns = latents.shape[2], latents.shape[3] // patch, latents.shape[4] // patch
        each = timestep.to(latents.device).expand(frames, rows * columns).clone()
        each[0] = 0
        return each.reshape(1, -1)


def check_picture(image: Tensor) -> None:
    """Refuse what is not an (H, W, 3) picture of finite numbers. Raises `ArtifexError` (code "image")."""
    attempted = "start the clip from a picture"
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        shape = " x ".join(str(side) for side in image.shape)
        raise ArtifexError(
            attempted,
            f"it has the shape {shape or 'of a single number'}",
            "one RGB picture, height x width x 3",
            code="image",
        )
    if not bool(torch.isfinite(image).all()):
        raise ArtifexError(
            attempted, "it contains values that are no numbers", "a picture whose pixels are all finite", code="image"
        )


def fitted(image: Tensor, width: int, height: int) -> Tensor:
    """`image` (H, W, 3) scaled to cover width x height and cut around its centre: (1, 3, height, width), 0..1.

    A picture of that size already comes back unchanged but for its layout.
    """
    planes = image.to(torch.float32).permute(2, 0, 1).unsqueeze(0)
    rows, columns = planes.shape[2:]
    if (rows, columns) == (height, width):
        return planes.clamp(0, 1)
    scale = max(width / columns, height / rows)
    size = (max(height, round(rows * scale)), max(width, round(columns * scale)))
    larger = torch.nn.functional.interpolate(planes, size=size, mode="bicubic", antialias=True)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    return larger[:, :, top : top + height, left : left + width].clamp(0, 1)


def first_frame(picture: Tensor, vae: Any, device: Any) -> FirstFrame:
    """Encode `picture` (1, 3, H, W) in 0..1 to the latent that starts the clip."""
    with torch.no_grad():
        pixels = (picture * 2 - 1).unsqueeze(2).to(device=vae.device, dtype=vae.dtype)
        latent = vae.encode(pixels).latent_dist.mode()
    return FirstFrame(normalised(latent.to(device=device, dtype=torch.float32), vae))


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
