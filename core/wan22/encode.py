"""Pixels into latents as the transformer sees them: through the VAE, then mean 0 and deviation 1 a channel.

The VAE is causal and reads a clip as 1 frame, then 4 each; so does this, with the feature cache of
`AutoencoderKLWan._encode` (diffusers 0.42) held here: memory holds one chunk of pixels, whatever the clip's length. A
test holds it equal to the whole encode, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22.hooks import Hooks

if TYPE_CHECKING:
    from torch import Tensor


class Encoder:
    """Encodes one clip, a chunk at a time."""

    def __init__(self, vae: Any) -> None:
        self._vae = vae
        self._cache: list[Any] = [None] * vae._cached_conv_counts["encoder"]

    def push(self, pixels: Tensor) -> Tensor:
        """The next latent frame, (1, C, 1, h, w) float32 on the VAE's device, normalised, of the next `pixels`
        (1, 3, n, H, W) in -1..1: one frame at first, then four each time.

        Raises `ArtifexError` (code "numbers") where the VAE answers with none."""
        from diffusers.models.autoencoders.autoencoder_kl_wan import patchify

        vae = self._vae
        with torch.no_grad():
            given = pixels.to(device=vae.device, dtype=vae.dtype)
            if vae.config.patch_size is not None:
                given = patchify(given, patch_size=vae.config.patch_size)
            moments = vae.quant_conv(vae.encoder(given, feat_cache=self._cache, feat_idx=[0]))
        latent = moments[:, : vae.config.z_dim].to(torch.float32)
        if not bool(torch.isfinite(latent).all()):
            raise ArtifexError(
                "encode a picture",
                "the VAE answered with values that are no numbers",
                "`artifexpro models verify`; weights that are whole do not do that",
                code="numbers",
            )
        return normalised(latent, vae)


def spans(frames: int) -> Iterator[range]:
    """The frames of each chunk: 0, 1 to 4, 5 to 8 and so on."""
    yield range(1)
    for first in range(1, frames, 4):
        yield range(first, min(first + 4, frames))


def clip(chunks: Iterable[Tensor], vae: Any, device: Any, hooks: Hooks) -> Tensor:
    """The latents (1, C, T, h, w), float32 on `device`, of a clip given in chunks (1, 3, n, H, W), -1..1, as `spans`
    says. Raises what `hooks.check` raises before each."""
    encoder, latents = Encoder(vae), []
    for chunk in chunks:
        hooks.check()
        latents.append(encoder.push(chunk).to(device))
    return torch.cat(latents, dim=2)


def still(picture: Tensor, vae: Any, device: Any) -> Tensor:
    """The latent (1, C, 1, h, w), float32 on `device`, of a `picture` (1, 3, H, W) in 0..1."""
    return Encoder(vae).push((picture * 2 - 1).unsqueeze(2)).to(device)


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
