"""Latents into frames, chunk by chunk.

The VAE is causal: what has been decoded does not change with what follows, so frames leave while the rest is still
latents, and memory holds one chunk (1 frame, then 4 each). The loop follows `AutoencoderKLWan._decode` of diffusers
0.42 with its feature cache held here instead of in the model; a test holds it equal to the whole decode, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22.encode import denormalised

if TYPE_CHECKING:
    from torch import Tensor


def chunks(latents: Tensor, vae: Any) -> Iterator[Tensor]:
    """Frames (T, H, W, 3), float32 on the processor, display-referred sRGB in 0..1, for each latent frame in turn.

    `latents` are the transformer's, (1, C, T, h, w), normalised.
    """
    from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

    cache: list[Any] = [None] * vae._cached_conv_counts["decoder"]
    with torch.no_grad():
        wanted = latents.to(device=vae.device, dtype=vae.dtype)
        prepared = vae.post_quant_conv(denormalised(wanted, vae))
    for index in range(prepared.shape[2]):
        with torch.no_grad():
            decoded = vae.decoder(
                prepared[:, :, index : index + 1], feat_cache=cache, feat_idx=[0], first_chunk=index == 0
            )
            if vae.config.patch_size is not None:
                decoded = unpatchify(decoded, patch_size=vae.config.patch_size)
            yield pictures(decoded)


def pictures(decoded: Tensor) -> Tensor:
    """(1, 3, T, H, W) in -1..1 as (T, H, W, 3) in 0..1, float32 on the processor."""
    unit = (decoded[0].to(torch.float32).clamp(-1, 1) * 0.5 + 0.5).clamp(0, 1)
    return unit.permute(1, 2, 3, 0).contiguous().cpu()
