"""Colour against OpenColorIO and OpenImageIO."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import OpenImageIO as oiio
import PyOpenColorIO as ocio
import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.media import color
from artifexpro.core.media.pixels import rows

MakePicture = Callable[..., torch.Tensor]
PAIRS = [("srgb_tx", "ACEScg"), ("ACEScg", "srgb_tx"), ("ACEScg", "ACEScct"), ("lin_rec709", "ACES2065-1")]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_opaque_pixels_as_opencolorio_has_them(soft_picture: MakePicture, source: str, target: str) -> None:
    pixels = soft_picture()
    before = pixels.clone()
    config = ocio.Config.CreateFromFile(color.DEFAULT_CONFIG)
    processor = config.getProcessor(source, target).getDefaultCPUProcessor()
    result = rows(color.transform(pixels, source, target))
    for x, y in ((0, 0), (31, 17), (63, 47)):
        np.testing.assert_allclose(result[y, x], processor.applyRGBA(rows(pixels)[y, x].tolist()), rtol=1e-6)
    assert torch.equal(pixels, before)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_premultiplied_pixels_as_openimageio_has_them(soft_picture: MakePicture, source: str, target: str) -> None:
    pixels = soft_picture(alpha=True)
    buffer = oiio.ImageBuf(np.ascontiguousarray(rows(pixels)))
    buffer.specmod().alpha_channel = 3
    expected = oiio.ImageBufAlgo.colorconvert(
        buffer, source, target, unpremult=True, colorconfig=color.DEFAULT_CONFIG
    ).get_pixels(oiio.FLOAT)
    np.testing.assert_allclose(rows(color.transform(pixels, source, target)), expected, atol=2e-5)


def test_there_and_back_again(soft_picture: MakePicture) -> None:
    pixels = soft_picture(alpha=True)
    back = color.transform(color.transform(pixels, "srgb_tx", "ACEScg"), "ACEScg", "srgb_tx")
    torch.testing.assert_close(back, pixels, atol=1e-5, rtol=1e-4)


def test_white_of_srgb_is_one_in_the_working_space() -> None:
    white = torch.ones(1, 4, 2, 2).contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(color.transform(white, "srgb_tx", "ACEScg"), white, atol=1e-4, rtol=0)


def test_light_without_coverage_survives() -> None:
    glow = torch.zeros(1, 4, 2, 2).contiguous(memory_format=torch.channels_last)
    glow[:, :3] = 0.5
    result = color.transform(glow, "lin_rec709", "ACEScg")
    assert (result[:, :3] > 0.4).all()
    assert (result[:, 3] == 0).all()


def test_nothing_to_do_is_the_same_picture(soft_picture: MakePicture) -> None:
    pixels = soft_picture()
    assert color.transform(pixels, "ACEScg", "lin_ap1_scene") is pixels


def test_half_stays_half(soft_picture: MakePicture) -> None:
    assert color.transform(soft_picture().half(), "srgb_tx", "ACEScg").dtype == torch.float16


def test_reuse_takes_the_same_memory(soft_picture: MakePicture) -> None:
    pixels = soft_picture()
    expected = color.transform(pixels, "srgb_tx", "ACEScg")
    result = color.transform(pixels, "srgb_tx", "ACEScg", reuse=True)
    assert result.data_ptr() == pixels.data_ptr()
    assert torch.equal(result, expected)


@pytest.mark.parametrize(("wrong", "meant"), [("ACESgc", "ACEScg"), ("srgb_tex", "srgb_tx"), ("acecsct", "ACEScct")])
def test_an_unknown_space_is_refused_with_one_spelt_alike(wrong: str, meant: str) -> None:
    with pytest.raises(ArtifexError) as refusal:
        color.canonical(wrong)
    assert meant.lower() in str(refusal.value).lower()
    assert wrong in str(refusal.value)


def test_an_empty_or_strange_space_names_the_usual_ones() -> None:
    for name in ("", "zzzzzzzz"):
        with pytest.raises(ArtifexError, match='"ACEScg" or "srgb_tx"'):
            color.canonical(name)


def test_a_config_that_is_not_there_is_refused() -> None:
    with pytest.raises(ArtifexError, match="built-in"):
        color.canonical("ACEScg", "ocio://no-such-config")


@pytest.mark.parametrize(
    ("space", "identifier"),
    [
        ("ACEScg", "lin_ap1_scene"),
        ("srgb_tx", "srgb_rec709_scene"),
        ("lin_rec709", "lin_rec709_scene"),
        ("ACEScct", None),
    ],
)
def test_interop_identifiers(space: str, identifier: str | None) -> None:
    assert color.interop_id(space) == identifier


@pytest.mark.parametrize(
    ("space", "tagged"), [("srgb_tx", True), ("g24_rec709", True), ("lin_rec709", False), ("p3d65_display", False)]
)
def test_which_spaces_a_movie_may_call_rec709(space: str, tagged: bool) -> None:
    assert color.is_rec709(space) is tagged


def test_names_of_one_space_are_the_same() -> None:
    assert color.same("scene_linear", "lin_ap1")
    assert not color.same("ACEScg", "ACEScct")
