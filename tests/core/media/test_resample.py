"""Size, place and sharpness of pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import cv2
import numpy as np
import OpenImageIO as oiio
import pytest
import torch

from artifexpro.core.graph.values import Region
from artifexpro.core.media import on_processor
from artifexpro.core.media.pixels import crop, from_rows, rows
from artifexpro.core.media.resample import Filter, about_centre, affine, gaussian, gaussian_reads, resize

MakePicture = Callable[..., torch.Tensor]
FILTERS = get_args(Filter)


def noise(width: int, height: int) -> torch.Tensor:
    return from_rows(np.random.default_rng(3).random((height, width, 4), np.float32))


def test_shrinking_by_a_whole_factor_is_the_mean() -> None:
    pixels = noise(60, 40)
    expected = torch.nn.functional.avg_pool2d(pixels, 4)
    torch.testing.assert_close(resize(pixels, (15, 10)), expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("size", [(41, 29), (128, 96), (20, 100)])
def test_resize_is_near_openimageio(soft_picture: MakePicture, size: tuple[int, int]) -> None:
    pixels = soft_picture(alpha=True)
    buffer = oiio.ImageBuf(np.ascontiguousarray(rows(pixels)))
    target = oiio.ROI(0, size[0], 0, size[1], 0, 1, 0, 4)
    expected = oiio.ImageBufAlgo.resize(buffer, roi=target).get_pixels(oiio.FLOAT)
    result = rows(resize(pixels, size))
    assert result.shape == expected.shape
    inner = np.s_[3:-3, 3:-3]
    np.testing.assert_allclose(result[inner], expected[inner], atol=8e-3)


def test_resize_to_the_same_size_is_the_same_picture() -> None:
    pixels = noise(8, 6)
    assert resize(pixels, (8, 6)) is pixels


def test_half_stays_half() -> None:
    pixels = noise(8, 6).half()
    assert resize(pixels, (4, 3)).dtype == torch.float16
    assert gaussian(pixels, 1.0).dtype == torch.float16


@pytest.mark.parametrize("sigma", [0.5, 2.0, 4.4])
def test_gaussian_is_the_convolution(sigma: float) -> None:
    pixels = noise(40, 30)
    reach = int(np.ceil(4 * sigma))
    distance = torch.arange(-reach, reach + 1, dtype=torch.float64)
    kernel = torch.exp(-(distance**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    padded = torch.nn.functional.pad(pixels.double(), [reach] * 4, mode="replicate").view(4, 1, 30 + 2 * reach, -1)
    expected = torch.nn.functional.conv2d(torch.nn.functional.conv2d(padded, kernel), kernel.transpose(2, 3))
    torch.testing.assert_close(gaussian(pixels, sigma), expected.view(1, 4, 30, 40).float(), atol=2e-6, rtol=1e-4)


@pytest.mark.parametrize("sigma", [5.0, 7.3, 16.0, 33.0, 70.0])
def test_a_wide_gaussian_is_near_the_convolution(sigma: float) -> None:
    pixels = noise(203, 150)
    taps = 2 * int(np.ceil(4 * sigma)) + 1
    expected = cv2.GaussianBlur(rows(pixels), (taps, taps), sigma, borderType=cv2.BORDER_REPLICATE)
    contrast = expected.max() - expected.min()
    np.testing.assert_allclose(rows(gaussian(pixels, sigma)), expected, atol=1e-3 * contrast)


@pytest.mark.parametrize("sigma", [2.0, 5.0, 17.0, 40.0])
def test_a_region_is_blurred_as_in_the_whole_picture(sigma: float) -> None:
    pixels = noise(403, 350)
    whole = gaussian(pixels, sigma)
    for region in (Region(190, 133, 30, 20), Region(0, 0, 9, 7), Region(390, 340, 13, 10)):
        read = gaussian_reads(region, sigma, (403, 350))
        part = gaussian(crop(pixels, read), sigma)
        inner = crop(part, Region(region.x - read.x, region.y - read.y, region.width, region.height))
        torch.testing.assert_close(inner, crop(whole, region), atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("filter", FILTERS)
def test_moving_by_whole_pixels_keeps_their_values(filter: Filter) -> None:
    pixels = noise(20, 16)
    moved = affine(pixels, about_centre((20, 16), 3, 2, 0, 1), filter)
    torch.testing.assert_close(moved[:, :, :-2, 3:], pixels[:, :, 2:, :-3], atol=1e-6, rtol=1e-5)
    assert (moved[:, :, -2:] == 0).all()
    assert (moved[:, :, :, :3] == 0).all()


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize("size", [(16, 16), (15, 15)])
def test_a_quarter_turn_is_exact_and_counter_clockwise(filter: Filter, size: tuple[int, int]) -> None:
    pixels = noise(*size)
    turned = affine(pixels, about_centre(size, 0, 0, 90, 1), filter)
    torch.testing.assert_close(turned, torch.rot90(pixels, 1, (2, 3)), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("filter", ["bilinear", "bicubic", "lanczos"])
def test_half_size_is_the_mean_in_the_middle(filter: Filter) -> None:
    pixels = noise(32, 24)
    small = affine(pixels, about_centre((32, 24), 0, 0, 0, 0.5), filter)
    expected = torch.nn.functional.avg_pool2d(pixels, 2)
    torch.testing.assert_close(small[:, :, 6:18, 8:24], expected, atol=1e-4, rtol=1e-3)
    assert (small[:, :, :5] == 0).all()


@pytest.mark.parametrize("filter", FILTERS)
def test_there_and_back_again(soft_picture: MakePicture, filter: Filter) -> None:
    pixels = soft_picture(96, 96)
    there = affine(pixels, about_centre((96, 96), 5.5, -3.25, 20, 1.3), filter)
    inverse = np.linalg.inv(about_centre((96, 96), 5.5, -3.25, 20, 1.3))
    back = affine(there, inverse, filter)
    inner = np.s_[:, :, 40:56, 40:56]
    tolerance = 0.02 if filter == "nearest" else 2e-3
    torch.testing.assert_close(back[inner], pixels[inner], atol=tolerance, rtol=0)


def test_a_shrunk_chequerboard_is_grey_not_moire() -> None:
    board = (torch.arange(64).view(1, -1) + torch.arange(64).view(-1, 1)) % 2
    pixels = board.float().expand(1, 4, 64, 64).contiguous(memory_format=torch.channels_last)
    small = affine(pixels, about_centre((64, 64), 0, 0, 0, 0.31), "bicubic")
    inner = small[:, :, 26:38, 26:38]
    assert (inner - 0.5).abs().max() < 0.1


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("margin", [6, 24, 96])
@pytest.mark.parametrize(("width", "height"), [(47, 33), (5, 7), (64, 400)])
def test_bands_of_a_pyramid_are_the_whole_bit_by_bit(width: int, height: int, margin: int, dark: bool) -> None:
    picture = np.random.default_rng(0).random((height, width, 4), np.float32)
    right, below = margin + width % 2, margin + height % 2
    border = cv2.BORDER_CONSTANT if dark else cv2.BORDER_REPLICATE
    padded = cv2.copyMakeBorder(picture, margin, below, margin, right, border)
    small = on_processor.padded_and_halved(from_rows(picture), margin, right, margin, below, dark=dark)
    np.testing.assert_array_equal(rows(small), cv2.pyrDown(padded, borderType=cv2.BORDER_REPLICATE))
    large = on_processor.doubled_and_cropped(small, margin, margin, width, height)
    whole = cv2.pyrUp(rows(small))[margin : margin + height, margin : margin + width]
    np.testing.assert_array_equal(rows(large), whole)
