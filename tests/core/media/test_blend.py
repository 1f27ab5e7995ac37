"""Merges against OpenImageIO and against their published properties."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import OpenImageIO as oiio
import pytest
import torch

from artifexpro.core.media.blend import MODES, add, multiply, over, screen
from artifexpro.core.media.pixels import rows


def premultiplied(seed: int, brightest: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.rand(1, 4, 16, 16, generator=generator).contiguous(memory_format=torch.channels_last)
    pixels[:, :3] *= pixels[:, 3:] * brightest
    return pixels


def oracle(operation: Callable[..., oiio.ImageBuf], a: torch.Tensor, b: torch.Tensor) -> np.ndarray:
    buffers = [oiio.ImageBuf(np.ascontiguousarray(rows(pixels))) for pixels in (a, b)]
    for buffer in buffers:
        buffer.specmod().alpha_channel = 3
    return operation(*buffers).get_pixels(oiio.FLOAT)


def test_over_is_that_of_openimageio() -> None:
    a, b = premultiplied(1), premultiplied(2, brightest=8)
    np.testing.assert_allclose(rows(over(a, b)), oracle(oiio.ImageBufAlgo.over, a, b), atol=1e-6)


def test_add_is_that_of_openimageio_with_coverage_at_most_one() -> None:
    a, b = premultiplied(1), premultiplied(2, brightest=8)
    expected = oracle(oiio.ImageBufAlgo.add, a, b)
    expected[..., 3] = expected[..., 3].clip(max=1)
    np.testing.assert_allclose(rows(add(a, b)), expected, atol=1e-6)


def test_multiply_of_opaque_pictures_is_that_of_openimageio() -> None:
    a, b = premultiplied(1, brightest=4), premultiplied(2, brightest=4)
    a[:, 3] = b[:, 3] = 1
    np.testing.assert_allclose(rows(multiply(a, b)), oracle(oiio.ImageBufAlgo.mul, a, b), atol=1e-6)


@pytest.mark.parametrize(("mode", "blend"), [("screen", lambda s, d: s + d - s * d), ("multiply", lambda s, d: s * d)])
def test_w3c_formula_on_colour_apart_from_alpha(mode: str, blend: Callable[..., torch.Tensor]) -> None:
    """Section 5 of Compositing and Blending Level 1: co = cs as (1 - ab) + cb ab (1 - as) + as ab B(cb, cs)."""
    a, b = premultiplied(1), premultiplied(2)
    covered_a, covered_b = a[:, 3:], b[:, 3:]
    straight_a, straight_b = a[:, :3] / covered_a, b[:, :3] / covered_b
    expected = (
        a[:, :3] * (1 - covered_b) + b[:, :3] * (1 - covered_a) + covered_a * covered_b * blend(straight_a, straight_b)
    )
    result = MODES[mode](a, b)
    torch.testing.assert_close(result[:, :3], expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(result[:, 3:], covered_a + covered_b - covered_a * covered_b)


def test_screen_never_darkens() -> None:
    a, b = premultiplied(1, brightest=6), premultiplied(2, brightest=6)
    assert (screen(a, b) >= torch.maximum(a, b) - 1e-6).all()


@pytest.mark.parametrize("mode", MODES)
def test_nothing_over_a_picture_is_the_picture(mode: str) -> None:
    b = premultiplied(2)
    nothing = torch.zeros_like(b)
    before = b.clone()
    torch.testing.assert_close(MODES[mode](nothing, b), b)
    assert torch.equal(b, before)
    assert torch.equal(nothing, torch.zeros_like(b))
