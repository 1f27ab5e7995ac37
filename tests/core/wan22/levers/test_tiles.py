"""Tiles: exact in time, close in space, without a seam."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import WanDecoder3d

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue, decode
from artifexpro.core.wan22.encode import denormalised
from artifexpro.core.wan22.generate import prepare
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.request import resolve

ROWS, COLUMNS, TILE = 10, 14, 8
"""In latents."""


@pytest.fixture(params=["smoke", "smoke-moe"])
def vae(request: pytest.FixtureRequest, random_models: Path) -> Any:
    spec = resolve(prompt="x", model=request.param, frames=1)
    return prepare(spec, catalogue.model(request.param), random_models, "cpu").vae()


def latents_for(vae: Any, frames: int) -> torch.Tensor:
    """Smooth ones, as a clip's are: a random decoder makes noise of noise."""
    generator = torch.Generator().manual_seed(2)
    coarse = torch.randn(1, vae.config.z_dim, frames, 3, 4, generator=generator)
    return torch.nn.functional.interpolate(coarse, size=(frames, ROWS, COLUMNS), mode="trilinear", align_corners=True)


def by_diffusers(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    """diffusers' own tiled decode, which has all frames in memory, with tiles of the same size and overlap."""
    side = TILE * vae.config.scale_factor_spatial
    step = side - min(decode.OVERLAP, side // 2)
    vae.enable_tiling(side, side, step, step)
    with torch.no_grad():
        return decode.pictures(vae.decode(denormalised(latents, vae)).sample)


def test_tiles_are_close_to_the_whole_and_leave_no_seam(vae: Any) -> None:
    latents, factor = latents_for(vae, 1), vae.config.scale_factor_spatial
    whole = torch.cat(list(decode.chunks(latents, vae)))
    tiled = torch.cat(list(decode.chunks(latents, vae, TILE * factor)))
    assert whole.shape == tiled.shape
    error = float((whole - tiled).abs().mean())
    assert 0 < error < 0.25 * float(whole.std())
    assert error < 1.05 * float((whole - by_diffusers(vae, latents)).abs().mean())
    for axis, length in ((1, ROWS), (2, COLUMNS)):
        cuts = decode.cuts(length, TILE, min(decode.OVERLAP, TILE * factor // 2) // factor)
        borders = [place * factor - 1 for cut in cuts for place in cut if 0 < place < length]
        steps = (tiled - whole).diff(dim=axis).abs().mean(dim=(0, 3 - axis, 3))
        elsewhere = torch.ones(len(steps), dtype=torch.bool)
        elsewhere[borders] = False
        assert float(steps[borders].max()) < float(steps[elsewhere].max())


def test_time_stays_exact(vae: Any) -> None:
    """What a tile has decoded does not change with what follows."""
    latents, tile = latents_for(vae, 2)[..., :8, :12], TILE * vae.config.scale_factor_spatial
    long, short = decode.chunks(latents, vae, tile), decode.chunks(latents[:, :, :1], vae, tile)
    assert torch.equal(next(long), next(short))
    assert len(next(long)) == 4


def test_a_chunk_is_never_decoded_larger_than_a_tile(vae: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: Counter[tuple[int, ...]] = Counter()
    forward = WanDecoder3d.forward

    def noting(self: Any, piece: torch.Tensor, **more: Any) -> Any:
        seen[tuple(piece.shape[3:])] += 1
        return forward(self, piece, **more)

    monkeypatch.setattr(WanDecoder3d, "forward", noting)
    list(decode.chunks(latents_for(vae, 1), vae, TILE * vae.config.scale_factor_spatial))
    assert seen == {(TILE - 1, TILE): 2 * 3}


def test_a_decoder_that_looks_at_no_neighbour_is_tiled_exactly() -> None:
    """The blend itself loses nothing: weights of all tiles add up to one at every pixel."""

    class Plain:
        device, dtype = torch.device("cpu"), torch.float32
        _cached_conv_counts = {"decoder": 0}

        class config:
            scale_factor_spatial, patch_size = 8, None
            latents_mean, latents_std = (0.0,) * 3, (1.0,) * 3

        def post_quant_conv(self, latents: torch.Tensor) -> torch.Tensor:
            return latents

        def decoder(self, piece: torch.Tensor, **_: Any) -> torch.Tensor:
            return piece.repeat_interleave(8, dim=3).repeat_interleave(8, dim=4)

    latents = torch.rand(1, 3, 1, 23, 37) * 2 - 1
    whole = next(decode.chunks(latents, Plain()))
    assert torch.allclose(next(decode.chunks(latents, Plain(), 64)), whole, atol=1e-6)


@pytest.mark.parametrize(
    ("length", "tile", "overlap"), [(8, 8, 4), (9, 8, 4), (45, 16, 8), (80, 32, 8), (160, 48, 8), (13, 8, 4)]
)
def test_tiles_cover_everything_and_overlap_enough(length: int, tile: int, overlap: int) -> None:
    cuts = decode.cuts(length, tile, overlap)
    assert (cuts[0][0], cuts[-1][1]) == (0, length)
    assert {end - start for start, end in cuts} == {cuts[0][1]}
    assert cuts[0][1] <= tile
    assert all(before[1] - after[0] >= overlap for before, after in pairwise(cuts))


def test_a_tiled_clip_is_close_to_the_whole(make: Any, plain: Any) -> None:
    size = {"width": 96, "height": 64, "frames": 1}
    assert 0 < float((make(Levers(tile=64), **size) - plain(**size)).abs().mean()) < 0.06


def test_a_tile_larger_than_the_picture_is_refused(make: Any, hooks: Any) -> None:
    with pytest.raises(ArtifexError, match="would be one tile"):
        make(Levers(tile=64), hooks)
    assert hooks.stages == ["load"]
