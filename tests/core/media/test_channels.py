"""Arithmetic across channels: OpenCV's way and torch's way are one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from artifexpro.core.media import channels
from artifexpro.core.media.channels import Mix, apart, coverage, joined, planes, raised

MakePicture = Callable[..., torch.Tensor]


@pytest.fixture(params=["OpenCV", "torch"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "torch":
        monkeypatch.setattr(channels, "on_card", lambda pixels: True)


def test_planes_and_back(soft_picture: MakePicture) -> None:
    pixels = soft_picture(alpha=True)
    split = planes(pixels)
    for at, plane in enumerate(split):
        assert torch.equal(plane, pixels[0, at])
    again = joined(split)
    assert torch.equal(again, pixels)
    assert again.is_contiguous(memory_format=torch.channels_last)


def test_coverage_in_all_channels(soft_picture: MakePicture) -> None:
    pixels = soft_picture(alpha=True)
    assert torch.equal(coverage(pixels), pixels[:, 3:].expand(1, 4, 48, 64))


def test_apart_and_together(soft_picture: MakePicture) -> None:
    pixels = soft_picture(alpha=True)
    pixels[:, 3, :5] = 0
    straight, divisor = apart(pixels)
    assert divisor is not None
    torch.testing.assert_close(straight * divisor, pixels)
    assert torch.equal(straight[:, 3], (pixels[:, 3] != 0).float())
    assert torch.equal(straight[:, :3, :5], pixels[:, :3, :5]), "light without coverage stays"


def test_an_opaque_picture_comes_back_as_it_is(soft_picture: MakePicture) -> None:
    pixels = soft_picture()
    straight, divisor = apart(pixels)
    assert straight is pixels
    assert divisor is None


@pytest.mark.parametrize("opaque", [True, False])
def test_mixing_is_a_matrix(soft_picture: MakePicture, opaque: bool) -> None:
    pixels = soft_picture(alpha=not opaque)
    matrix = np.random.default_rng(2).normal(size=(3, 4))
    whole = torch.tensor(np.vstack([matrix, (0, 0, 0, 1)]), dtype=torch.float32)
    expected = torch.einsum("ij,bjhw->bihw", whole, pixels)
    torch.testing.assert_close(Mix(matrix)(pixels, opaque=opaque), expected, atol=1e-5, rtol=1e-5)


def test_what_is_no_number_reaches_no_channel_without_weight() -> None:
    pixels = torch.tensor([torch.inf, torch.nan, 0.5, 1.0]).view(1, 4, 1, 1)
    diagonal = np.column_stack([np.diag([2.0, 2.0, 2.0]), [0.1, 0.1, 0.1]])
    result = Mix(diagonal)(pixels, opaque=True)[0, :, 0, 0]
    assert result[0] == torch.inf
    assert result[1].isnan()
    torch.testing.assert_close(result[2:], torch.tensor([1.1, 1.0]))


def test_powers() -> None:
    values = torch.tensor([0.0, 1e-30, 0.3, 1.0, 7.5, 6e4, -0.4, -3.0, torch.inf]).view(1, 1, 1, -1)
    pixels = values.repeat(1, 4, 1, 1).contiguous(memory_format=torch.channels_last)
    pixels[:, 3] = 1
    result = raised(pixels.clone(memory_format=torch.channels_last), (1.7, 0.4, 1.0))
    for channel, exponent in enumerate((1.7, 0.4, 1.0)):
        expected = torch.where(values < 0, values, values.clamp(min=0).double().pow(exponent).float())[0, 0]
        torch.testing.assert_close(result[0, channel], expected, atol=1e-30, rtol=1e-5)
    assert (result[:, 3] == 1).all()
    assert raised(torch.full((1, 4, 1, 1), torch.nan), (2.0, 2.0, 2.0)).isnan().all()


@pytest.mark.parametrize("exponents", [(1.7, 0.4, 2.2), (2.0, 2.0, 2.0), (0.5, 0.5, 0.5), (0.02, 0.5, 10.0)])
@pytest.mark.parametrize("least", [0.0, -3.0])
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_powers_of_all_channels_keep_black_black(
    exponents: tuple[float, float, float], least: float, alpha: float
) -> None:
    values = torch.tensor([0.0, 1e-30, 1e-4, 0.3, 1.0, 7.5, torch.inf, least]).view(1, 1, 1, -1)
    pixels = values.repeat(1, 4, 1, 1).contiguous(memory_format=torch.channels_last)
    pixels[:, 3] = alpha
    result = raised(pixels.clone(memory_format=torch.channels_last), exponents)
    for channel, exponent in enumerate(exponents):
        expected = torch.where(values < 0, values, values.clamp(min=0).double().pow(exponent).float())[0, 0]
        torch.testing.assert_close(result[0, channel], expected, atol=1e-12, rtol=1e-5)
    assert (result[:, :3, :, 0] == 0).all()
    assert (result[:, 3] == alpha).all()
