"""Glow adds light and keeps its sum."""

from __future__ import annotations

import pytest
import torch

from artifexpro.core.media.glow import glowing
from artifexpro.core.media.resample import gaussian


def lamp(width: int = 160, height: int = 120, brightness: float = 40.0) -> torch.Tensor:
    pixels = torch.full((1, 4, height, width), 0.1).contiguous(memory_format=torch.channels_last)
    pixels[:, 3] = 1
    pixels[:, :3, height // 2, width // 2] = torch.tensor([brightness, brightness / 2, brightness / 4]).view(1, 3)
    return pixels


@pytest.mark.parametrize("size", [2.0, 8.0, 18.0])
def test_the_light_that_is_added_is_what_was_above_the_threshold(size: float) -> None:
    pixels = lamp()
    added = (glowing(pixels, 2.0, size, 0.5) - pixels)[:, :3]
    brightest = 40.0
    expected = 0.5 * (brightest - 2.0) * torch.tensor([1.0, 0.5, 0.25])
    torch.testing.assert_close(added.sum(dim=(0, 2, 3)), expected, atol=0.05, rtol=0.01)
    assert (added >= 0).all()


def test_glow_is_a_blur_of_what_is_bright() -> None:
    pixels = lamp()
    bright = torch.zeros_like(pixels)
    bright[:, :3, 60, 80] = 38.0 * torch.tensor([1.0, 0.5, 0.25])
    expected = pixels + 0.7 * gaussian(bright, 5.0, "dark")
    torch.testing.assert_close(glowing(pixels, 2.0, 5.0, 0.7), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [0.0, 2.0, 9.0, 18.0])
@pytest.mark.parametrize("lights", [[(0, 0)], [(119, 159)], [(3, 90), (70, 20)], [(60, 0), (61, 159)]])
def test_wherever_the_lights_are_it_is_the_blur_of_the_whole_picture(
    lights: list[tuple[int, int]], size: float
) -> None:
    pixels = lamp(brightness=1.0)
    bright = torch.zeros_like(pixels)
    for row, column in lights:
        pixels[:, :3, row, column], bright[:, :3, row, column] = 9.0, 7.0
    expected = pixels + (gaussian(bright, size, "dark") if size else bright)
    torch.testing.assert_close(glowing(pixels, 2.0, size, 1.0), expected, atol=2e-6, rtol=1e-5)


def test_coverage_stays_and_nothing_above_the_threshold_is_nothing_added() -> None:
    pixels = lamp()
    pixels[:, 3] = 0.3
    assert torch.equal(glowing(pixels, 1.0, 4.0, 2.0)[:, 3], pixels[:, 3])
    assert torch.equal(glowing(pixels, 40.0, 4.0, 2.0), pixels)


def test_outside_the_picture_it_is_dark() -> None:
    white = torch.ones(1, 4, 64, 64).contiguous(memory_format=torch.channels_last)
    lit = glowing(white, 0.0, 6.0, 1.0)[0, 0]
    assert lit[32, 32] == pytest.approx(2, abs=1e-4)
    assert lit[0, 32] == pytest.approx(1.5, abs=0.05)
    assert lit[0, 0] == pytest.approx(1.25, abs=0.05)
