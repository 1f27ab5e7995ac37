"""Grain: the same for the same seed and frame, of the size and strength asked for."""

from __future__ import annotations

import pytest
import torch

from artifexpro.core.graph.values import Region
from artifexpro.core.media.grain import TILE, grained, weaker
from artifexpro.core.media.pixels import crop

FIRST = {"seed": 3, "frame": 1001, "size": 1.0, "intensity": 0.1, "color": 0.5}


def flat(value: float, width: int = 400, height: int = 300, alpha: float = 1.0) -> torch.Tensor:
    pixels = torch.full((1, 4, height, width), value * alpha).contiguous(memory_format=torch.channels_last)
    pixels[:, 3] = alpha
    return pixels


def grain(pixels: torch.Tensor, region: Region | None = None, **other: float) -> torch.Tensor:
    whole = Region(0, 0, pixels.shape[3], pixels.shape[2])
    return grained(pixels, region or whole, **{**FIRST, **other}) - pixels


def test_seed_and_frame_decide() -> None:
    pixels = flat(0.5)
    first = grain(pixels)
    assert torch.equal(grain(pixels), first)
    others = [grain(pixels, **other) for other in ({"seed": 4}, {"frame": 1002}, {"frame": -1001})]
    for other in others:
        same = torch.corrcoef(torch.stack([first.flatten(), other.flatten()]))[0, 1]
        assert abs(same) < 0.05


@pytest.mark.parametrize("value", [0.04, 0.5, 1.0, 9.0])
def test_strength_follows_the_root_of_the_light(value: float) -> None:
    noise = grain(flat(value))[:, :3]
    assert noise.std() == pytest.approx(0.1 * value**0.5, rel=0.05)
    assert abs(noise.mean()) < 0.01 * value**0.5


@pytest.mark.parametrize(("size", "reach"), [(0.0, 0), (1.0, 1), (4.0, 4)])
def test_grains_have_their_size(size: float, reach: int) -> None:
    """A gaussian of deviation s correlates with itself, moved by d, by exp(-d^2 / 4 s^2)."""
    noise = grain(flat(1.0, 900, 800), size=size)[0, 0]
    moved = max(1, reach)
    same = torch.corrcoef(torch.stack([noise[:, :-moved].flatten(), noise[:, moved:].flatten()]))[0, 1]
    assert same == pytest.approx(0.0 if size == 0 else 2.718 ** (-(moved**2) / (4 * size**2)), abs=0.06)


@pytest.mark.parametrize(("color", "same"), [(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)])
def test_channels_share_grain(color: float, same: float) -> None:
    noise = grain(flat(1.0), color=color)[0, :3].flatten(1)
    assert torch.corrcoef(noise)[0, 1] == pytest.approx(same, abs=0.05)


@pytest.mark.parametrize("size", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("scale", [0.5, 0.25])
def test_a_preview_has_the_grain_of_the_whole_made_smaller(size: float, scale: float) -> None:
    whole = grain(flat(1.0, 800, 640), size=size)
    shrunk = torch.nn.functional.avg_pool2d(whole[:, :3], round(1 / scale))
    small = grain(flat(1.0, 200, 160), size=size * scale, intensity=0.1 * weaker(size * scale, scale))[:, :3]
    assert small.std() == pytest.approx(float(shrunk.std()), rel=0.15)


def test_coverage_is_kept_and_premultiplied() -> None:
    covered = grain(flat(0.6, alpha=0.5))
    torch.testing.assert_close(covered, 0.5 * grain(flat(0.6)) * torch.tensor([1, 1, 1, 0]).view(1, 4, 1, 1))
    assert (grain(flat(0.0)) == 0).all()
    fire = flat(0.6)
    fire[:, 3] = 0
    assert (grain(fire) == 0).all()
    assert (grain(flat(-0.5))[:, :3] == 0).all()


def test_a_region_has_the_grain_of_the_whole() -> None:
    wide = flat(0.5, TILE + 300, 200)
    whole = grain(wide)
    for region in (Region(0, 0, 30, 20), Region(TILE - 100, 90, 350, 100), Region(TILE + 290, 199, 10, 1)):
        assert torch.equal(grain(crop(wide, region), region), crop(whole, region))
