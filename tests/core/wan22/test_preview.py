"""The map from latents to colours, found by least squares."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from artifexpro.core.wan22 import catalogue, preview
from artifexpro.core.wan22.encode import normalised
from artifexpro.core.wan22.generate import prepare
from artifexpro.core.wan22.request import resolve

CHANNELS = 6


class LinearVae:
    """Encodes each 8 x 8 patch as a fixed linear function of its average colour."""

    device = torch.device("cpu")
    dtype = torch.float32
    config = SimpleNamespace(
        scale_factor_spatial=8, latents_mean=[0.3] * CHANNELS, latents_std=[1.7] * CHANNELS, z_dim=CHANNELS
    )

    def __init__(self) -> None:
        self.mixing = torch.randn(CHANNELS, 3, generator=torch.Generator().manual_seed(4))

    def encode(self, pixels: torch.Tensor) -> Any:
        patches = torch.nn.functional.avg_pool2d(pixels[:, :, 0], 8)
        latents = torch.einsum("ck,nkhw->nchw", self.mixing, patches).unsqueeze(2)
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: latents))


def test_a_linear_vae_is_inverted() -> None:
    vae = LinearVae()
    colours = preview.fit(vae)
    picture = torch.rand(1, 3, 16, 24, generator=torch.Generator().manual_seed(9))
    enlarged = picture.repeat_interleave(8, dim=2).repeat_interleave(8, dim=3)
    latents = normalised(vae.encode((enlarged * 2 - 1).unsqueeze(2)).latent_dist.mode(), vae)
    shown = colours.picture(latents)
    assert shown.shape == (16, 24, 3)
    assert float((shown - picture[0].permute(1, 2, 0)).abs().max()) < 0.03


@pytest.mark.parametrize("model", ["smoke", "smoke-moe"])
def test_the_map_of_a_real_vae_is_better_than_grey_and_always_the_same(model: str, random_models: Path) -> None:
    spec = resolve(prompt="x", model=model, frames=1)
    vae = prepare(spec, catalogue.model(model), random_models, "cpu").vae()
    colours = preview.fit(vae)
    assert torch.equal(colours.matrix, preview.fit(vae).matrix)
    factor = vae.config.scale_factor_spatial
    fields = preview.colour_fields(8 * factor)
    with torch.no_grad():
        latents = normalised(vae.encode((fields * 2 - 1).unsqueeze(2)).latent_dist.mode(), vae)
    truth = torch.nn.functional.avg_pool2d(fields, factor).permute(0, 2, 3, 1)
    shown = torch.stack([colours.picture(latent) for latent in latents.split(1)])
    assert float((shown - truth).square().mean()) < 0.95 * float((truth.mean(dim=(0, 1, 2)) - truth).square().mean())


def test_the_frame_shown_is_the_middle_one_unless_said() -> None:
    colours = preview.PreviewMap(torch.eye(3), torch.zeros(3))
    latents = torch.arange(5.0).div(10).view(1, 1, 5, 1, 1).expand(1, 3, 5, 2, 2)
    assert torch.equal(colours.picture(latents), torch.full((2, 2, 3), 0.2))
    assert torch.equal(colours.picture(latents, frame=4), torch.full((2, 2, 3), 0.4))
