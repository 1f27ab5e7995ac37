"""Streaming decode is the whole decode, chunk by chunk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from artifexpro.core.wan22 import catalogue, decode
from artifexpro.core.wan22.encode import denormalised, normalised
from artifexpro.core.wan22.generate import prepare
from artifexpro.core.wan22.request import resolve


@pytest.fixture(params=["smoke", "smoke-moe"])
def vae(request: pytest.FixtureRequest, random_models: Path) -> Any:
    """A VAE of the real class whose latents have a mean and deviation of their own."""
    spec = resolve(prompt="x", model=request.param, frames=1)
    loaded = prepare(spec, catalogue.model(request.param), random_models, "cpu").vae()
    channels = loaded.config.z_dim
    loaded.register_to_config(
        latents_mean=[index / channels - 0.5 for index in range(channels)],
        latents_std=[0.5 + index / channels for index in range(channels)],
    )
    return loaded


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_chunks_are_the_whole_decode_bit_for_bit(vae: Any, frames: int) -> None:
    latents = torch.randn(1, vae.config.z_dim, frames, 4, 6, generator=torch.Generator().manual_seed(2))
    pieces = list(decode.chunks(latents, vae))
    with torch.no_grad():
        whole = vae.decode(denormalised(latents, vae)).sample
    assert [len(piece) for piece in pieces] == [1] + [4] * (frames - 1)
    assert torch.equal(torch.cat(pieces), decode.pictures(whole))


def test_two_clips_decoded_in_turns_do_not_disturb_each_other(vae: Any) -> None:
    first, second = torch.randn(2, 1, vae.config.z_dim, 3, 4, 4, generator=torch.Generator().manual_seed(3))
    in_turns = list(zip(decode.chunks(first, vae), decode.chunks(second, vae), strict=True))
    for clip, pieces in zip((first, second), zip(*in_turns, strict=True), strict=True):
        assert torch.equal(torch.cat(pieces), torch.cat(list(decode.chunks(clip, vae))))


def test_frames_are_pictures(vae: Any) -> None:
    latents = 20 * torch.randn(1, vae.config.z_dim, 2, 4, 6, generator=torch.Generator().manual_seed(2))
    for piece in decode.chunks(latents, vae):
        assert piece.dtype == torch.float32
        assert piece.shape[1:] == (4 * vae.config.scale_factor_spatial, 6 * vae.config.scale_factor_spatial, 3)
        assert float(piece.min()) >= 0 and float(piece.max()) <= 1


def test_normalising_latents_and_back_changes_nothing(vae: Any) -> None:
    latents = torch.randn(1, vae.config.z_dim, 2, 3, 3, generator=torch.Generator().manual_seed(2))
    assert torch.allclose(denormalised(normalised(latents, vae), vae), latents, atol=1e-6)
