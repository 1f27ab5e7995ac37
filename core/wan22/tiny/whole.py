"""The VAE over whole clips in one pass, as training wants it: equal to chunk by chunk, and two to three times as fast.

`AutoencoderKLWan` goes through a clip in chunks and carries what they share in feature caches. Its causal
convolutions pad with zeros where there is no cache, which over a whole clip is the same; only its changes of the frame
rate are left out then, and are put back here: the first frame is by itself, as in the first chunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


class Whole:
    """An `AutoencoderKLWan` inside `at_once`."""

    def __init__(self, vae: Any) -> None:
        self._vae = vae

    def encoded(self, pixels: Tensor) -> Tensor:
        """Latents (N, C, T, h, w), not normalised, of `pixels` (N, 3, frames, H, W) in -1..1, with gradients."""
        from diffusers.models.autoencoders.autoencoder_kl_wan import patchify

        patches = patchify(pixels, patch_size=self._vae.config.patch_size)
        latents: Tensor = self._vae.quant_conv(self._vae.encoder(patches))
        return latents[:, : self._vae.config.z_dim]

    def decoded(self, latents: Tensor) -> Tensor:
        """Pixels (N, 3, frames, H, W), not cut to -1..1, of `latents` as `encoded` gives them, with gradients."""
        from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

        patches = self._vae.decoder(self._vae.post_quant_conv(latents), first_chunk=True)
        pixels: Tensor = unpatchify(patches, patch_size=self._vae.config.patch_size)
        return pixels


@contextmanager
def at_once(vae: Any) -> Iterator[Whole]:
    """`vae` for whole clips. Its passes with feature caches stay as they are."""
    from diffusers.models.autoencoders.autoencoder_kl_wan import WanResample

    held = []
    for module in vae.modules():
        if isinstance(module, WanResample) and module.mode == "upsample3d":
            held.append(module.register_forward_pre_hook(_more_frames, with_kwargs=True))
        elif isinstance(module, WanResample) and module.mode == "downsample3d":
            held.append(module.register_forward_hook(_fewer_frames, with_kwargs=True))
    try:
        yield Whole(vae)
    finally:
        for handle in held:
            handle.remove()


def _more_frames(module: Any, given: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    frames = given[0]
    if named.get("feat_cache") is not None or frames.shape[2] == 1:
        return None
    later = module.time_conv(frames[:, :, 1:]).unflatten(1, (2, -1))
    twice = later.permute(0, 2, 3, 1, 4, 5).flatten(2, 3)
    return (_after_first(frames, twice), *given[1:]), named


def _fewer_frames(module: Any, given: tuple[Any, ...], named: Mapping[str, Any], frames: Tensor) -> Any:
    if named.get("feat_cache") is not None or frames.shape[2] == 1:
        return None
    return _after_first(frames, module.time_conv(frames))


def _after_first(frames: Tensor, others: Tensor) -> Tensor:
    return torch.cat([frames[:, :, :1], others], dim=2)
