"""Tensors as rows of pixels, and alpha multiplied in and out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import OpenImageIO as oiio
import pytest
import torch

from artifexpro.core.graph.values import Region
from artifexpro.core.media.pixels import (
    blank,
    crop,
    from_any_rows,
    from_rgb,
    from_rows,
    is_opaque,
    premultiply,
    rows,
    unpremultiply,
    within,
)

MakePicture = Callable[..., torch.Tensor]


@pytest.mark.parametrize(("width", "height"), [(64, 48), (1, 5), (5, 1), (1, 1)])
def test_rows_are_the_same_memory(soft_picture: MakePicture, width: int, height: int) -> None:
    pixels = soft_picture(width, height)
    seen = rows(pixels)
    assert seen.shape == (height, width, 4)
    seen[0, 0, 1] = 7
    assert pixels[0, 1, 0, 0] == 7
    assert from_rows(seen).data_ptr() == pixels.data_ptr()


def test_pictures_are_channels_last() -> None:
    for pixels in (blank(4, 3), from_rgb(torch.rand(3, 4, 3)), from_any_rows(np.ones((3, 4, 2), np.float32))):
        assert pixels.shape == (1, 4, 3, 4)
        assert pixels.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_any_number_of_channels_becomes_rgba(channels: int) -> None:
    array = np.random.default_rng(1).random((3, 4, channels), np.float32)
    red, green, blue, alpha = from_any_rows(array)[0].numpy()
    grey = channels < 3
    np.testing.assert_array_equal(red, array[..., 0])
    np.testing.assert_array_equal(green, array[..., 0 if grey else 1])
    np.testing.assert_array_equal(blue, array[..., 0 if grey else 2])
    np.testing.assert_array_equal(alpha, array[..., channels - 1] if channels in (2, 4) else np.ones((3, 4)))


def as_buffer(pixels: torch.Tensor) -> oiio.ImageBuf:
    buffer = oiio.ImageBuf(np.ascontiguousarray(rows(pixels)))
    buffer.specmod().alpha_channel = 3
    return buffer


@pytest.mark.parametrize(
    ("ours", "theirs"), [(premultiply, oiio.ImageBufAlgo.premult), (unpremultiply, oiio.ImageBufAlgo.unpremult)]
)
def test_alpha_as_openimageio_does_it(
    ours: Callable[[torch.Tensor], torch.Tensor], theirs: Callable[[oiio.ImageBuf], oiio.ImageBuf]
) -> None:
    pixels = torch.rand(1, 4, 8, 8).contiguous(memory_format=torch.channels_last)
    pixels[:, 3, :2] = 0
    before = pixels.clone()
    expected = theirs(as_buffer(pixels)).get_pixels(oiio.FLOAT)
    np.testing.assert_allclose(rows(ours(pixels)), expected, rtol=2e-6)
    assert torch.equal(pixels, before)


def test_a_region_is_cut_out(soft_picture: MakePicture) -> None:
    pixels = soft_picture()
    cut = crop(pixels, Region(10, 20, 5, 7))
    assert torch.equal(cut, pixels[:, :, 20:27, 10:15])
    assert crop(pixels, None) is pixels
    assert within(Region(-3, 40, 100, 20), (64, 48)) == Region(0, 40, 64, 8)


@pytest.mark.parametrize(
    ("alpha", "opaque"), [(1.0, True), (1 - 2e-7, True), (0.999, False), (1.01, False), (0.0, False)]
)
def test_opaque_is_alpha_of_one_but_for_rounding(alpha: float, opaque: bool) -> None:
    pixels = from_rows(np.ones((9, 7, 4), np.float32))
    pixels[0, 3, 5, 4] = alpha
    assert is_opaque(pixels) is opaque
