"""Resampling in torch against OpenCV's; both are asked on the processor."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from artifexpro.core.media import card, on_processor
from artifexpro.core.media.resample import about_centre

MakePicture = Callable[..., torch.Tensor]


@pytest.mark.parametrize("size", [(32, 24), (21, 17), (64, 5), (1, 1)])
def test_shrinking(soft_picture: MakePicture, size: tuple[int, int]) -> None:
    pixels = soft_picture(alpha=True)
    torch.testing.assert_close(card.shrunk(pixels, size), on_processor.shrunk(pixels, size), atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("how", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(128, 96), (100, 50)])
def test_growing(soft_picture: MakePicture, how: str, size: tuple[int, int]) -> None:
    pixels = soft_picture(alpha=True)
    torch.testing.assert_close(card.grown(pixels, size, how), on_processor.grown(pixels, size, how), atol=1e-5, rtol=0)


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("sigma", [0.6, 3.0])
def test_softening(soft_picture: MakePicture, sigma: float, dark: bool) -> None:
    pixels = soft_picture(alpha=True)
    ours, theirs = (way.blurred(pixels, sigma, 25, dark=dark) for way in (card, on_processor))
    torch.testing.assert_close(ours, theirs, atol=2e-6, rtol=1e-5)
    ours, theirs = (way.padded_and_halved(pixels, 6, 8, 6, 10, dark=dark) for way in (card, on_processor))
    torch.testing.assert_close(ours, theirs, atol=2e-6, rtol=1e-5)
    ours, theirs = (way.doubled_and_cropped(pixels, 6, 8, 100, 70) for way in (card, on_processor))
    torch.testing.assert_close(ours, theirs, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("filter", "off"), [("nearest", 2e-3), ("bilinear", 1e-3), ("bicubic", 1e-3), ("lanczos", 1e-3)]
)
def test_moving(soft_picture: MakePicture, filter: str, off: float) -> None:
    """OpenCV goes by a 32nd of a pixel; at hard edges that shows, so inner pixels are compared."""
    pixels = soft_picture(alpha=True)
    matrix = about_centre((64, 48), 3.3, -2.1, 17, 1.2)
    ours, theirs = (way.warped(pixels, matrix, (70, 50), filter) for way in (card, on_processor))
    assert ours.shape == theirs.shape == (1, 4, 50, 70)
    assert (theirs != 0).any(dim=1).float().mean() < 1, "nothing came to lie outside"
    difference = (ours - theirs)[:, :, 12:36, 12:52].abs()
    assert difference.mean() < off
    assert difference.max() < 10 * off


def test_channels_last(soft_picture: MakePicture) -> None:
    pixels = soft_picture()
    for made in (
        card.shrunk(pixels, (20, 20)),
        card.grown(pixels, (80, 80), "bicubic"),
        card.blurred(pixels, 1.0, 9, dark=True),
        card.warped(pixels, about_centre((64, 48), 1, 1, 1, 1), (64, 48), "bicubic"),
    ):
        assert made.is_contiguous(memory_format=torch.channels_last)
