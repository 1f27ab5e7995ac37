"""Grades against OpenColorIO and against their formulas."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Callable

import numpy as np
import PyOpenColorIO as ocio
import pytest
import torch

from artifexpro.core.media import hsv
from artifexpro.core.media.grade import AP1_LUMINANCE, cdl, corrector, graded, wheels
from artifexpro.core.media.pixels import from_rows, rows

MakePicture = Callable[..., torch.Tensor]
SLOPE, OFFSET, POWER = (1.3, 0.8, 1.1), (0.05, -0.1, 0.02), (1.4, 0.7, 1.2)
FLAT = (1.0, 1.0, 1.0)
NONE = (0.0, 0.0, 0.0)


@pytest.fixture
def light() -> torch.Tensor:
    """Opaque, from -2 to 50, most of it between 0 and 1."""
    chance = np.random.default_rng(5)
    picture = np.ones((40, 50, 4), np.float32)
    picture[..., :3] = chance.normal(0.4, 0.3, (40, 50, 3))
    picture[:4, :, :3] = chance.uniform(1, 50, (4, 50, 3))
    picture[4:6, :, :3] = chance.uniform(-2, 0, (2, 50, 3))
    picture[6, :, :3] = 0
    return from_rows(picture)


def by_opencolorio(pixels: torch.Tensor, transform: ocio.Transform) -> torch.Tensor:
    processor = ocio.Config.CreateRaw().getProcessor(transform)
    out = pixels.clone(memory_format=torch.channels_last)
    processor.getOptimizedCPUProcessor(ocio.OPTIMIZATION_NONE).applyRGBA(rows(out))
    return out


@pytest.mark.parametrize("saturation", [1.0, 0.0, 1.6])
@pytest.mark.parametrize(("clamp", "style"), [("black and white", ocio.CDL_ASC), ("none", ocio.CDL_NO_CLAMP)])
@pytest.mark.parametrize("power", [POWER, FLAT])
def test_cdl_is_that_of_opencolorio(
    light: torch.Tensor, saturation: float, clamp: str, style: object, power: tuple[float, float, float]
) -> None:
    theirs = ocio.CDLTransform()
    theirs.setSlope(SLOPE)
    theirs.setOffset(OFFSET)
    theirs.setPower(power)
    theirs.setSat(saturation)
    theirs.setStyle(style)
    result = graded(light, cdl(SLOPE, OFFSET, power, saturation, clamp))
    torch.testing.assert_close(result, by_opencolorio(light, theirs), atol=1e-5, rtol=1e-4)


def test_cdl_clamped_at_black_keeps_highlights(light: torch.Tensor) -> None:
    result = graded(light, cdl(SLOPE, OFFSET, POWER, 1.0, "black"))[:, :3].double()
    column = [torch.tensor(values, dtype=torch.float64).view(1, 3, 1, 1) for values in (SLOPE, OFFSET, POWER)]
    expected = (light[:, :3].double() * column[0] + column[1]).clamp(min=0) ** column[2]
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=1e-5)


def test_wheels_hold_what_each_is_not_about() -> None:
    ends = torch.tensor([[0.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]]).T.reshape(1, 4, 1, 2)
    lifted = graded(ends, wheels((0.1, 0.2, 0.3), FLAT, FLAT, NONE))[0, :3, 0]
    torch.testing.assert_close(lifted, torch.tensor([[0.1, 1], [0.2, 1], [0.3, 1]]))
    gained = graded(ends, wheels(NONE, FLAT, (2.0, 3.0, 0.5), NONE))[0, :3, 0]
    torch.testing.assert_close(gained, torch.tensor([[0, 2.0], [0, 3], [0, 0.5]]))
    bent = graded(ends, wheels(NONE, (2.0, 3.0, 0.5), FLAT, NONE))
    torch.testing.assert_close(bent, ends)
    moved = graded(ends, wheels(NONE, FLAT, FLAT, (0.1, 0.0, -0.1)))[0, :3, 0]
    torch.testing.assert_close(moved, torch.tensor([[0.1, 1.1], [0, 1], [-0.1, 0.9]]))


def test_wheels_are_their_formula(light: torch.Tensor) -> None:
    lift, gamma, gain, offset = (0.05, -0.02, 0.1), (1.3, 0.8, 2.0), (1.1, 0.9, 1.2), (0.01, 0.02, -0.03)
    result = rows(graded(light, wheels(lift, gamma, gain, offset))).astype(np.float64)
    for channel in range(3):
        x = rows(light)[..., channel].astype(np.float64)
        linear = gain[channel] * (x + lift[channel] * (1 - x))
        expected = np.where(linear > 0, np.abs(linear) ** (1 / gamma[channel]), linear) + offset[channel]
        np.testing.assert_allclose(result[..., channel], expected, atol=2e-5, rtol=1e-5)


def test_exposure_and_contrast_are_their_formula(light: torch.Tensor) -> None:
    result = graded(light, corrector(0.5, 1.3, 0.18, 1.0, 0.0))[:, :3].double()
    lit = light[:, :3].double() * 2**0.5
    expected = torch.where(lit > 0, 0.18 * (lit.clamp(min=0) / 0.18) ** 1.3, lit)
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=1e-5)


def test_contrast_keeps_its_pivot() -> None:
    pivot = torch.full((1, 4, 1, 1), 0.4)
    pivot[:, 3] = 1
    torch.testing.assert_close(graded(pivot, corrector(0.0, 1.7, 0.4, 1.0, 0.0)), pivot)


@pytest.mark.parametrize(("saturation", "hue"), [(0.0, 0.0), (1.7, 0.0), (1.0, 75.0), (0.6, -130.0)])
def test_saturation_and_hue_keep_grey_and_luminance(light: torch.Tensor, saturation: float, hue: float) -> None:
    result = graded(light, corrector(0.0, 1.0, 0.18, saturation, hue))
    weights = torch.tensor(AP1_LUMINANCE).view(1, 3, 1, 1)
    before, after = ((pixels[:, :3] * weights).sum(dim=1) for pixels in (light, result))
    torch.testing.assert_close(after, before, atol=2e-5, rtol=1e-4)
    grey = torch.full((1, 4, 1, 1), 0.5)
    torch.testing.assert_close(graded(grey, corrector(0.0, 1.0, 0.18, saturation, hue)), grey)


def test_turns_of_hue_add_up(light: torch.Tensor) -> None:
    once = graded(light, corrector(0.0, 1.0, 0.18, 1.0, 70.0))
    twice = graded(graded(light, corrector(0.0, 1.0, 0.18, 1.0, 30.0)), corrector(0.0, 1.0, 0.18, 1.0, 40.0))
    torch.testing.assert_close(twice, once, atol=3e-5, rtol=1e-4)
    third = graded(torch.tensor([0.9, 0.1, 0.1, 1.0]).view(1, 4, 1, 1), corrector(0.0, 1.0, 0.18, 1.0, 120.0))
    assert third[0, 1] > third[0, 0], "red does not turn towards green"


@pytest.mark.parametrize(
    "grade",
    [
        cdl(SLOPE, OFFSET, POWER, 1.3, "none"),
        cdl(SLOPE, OFFSET, FLAT, 1.3, "none"),
        wheels((0.1, 0.1, 0.0), (1.2, 1.0, 0.9), FLAT, (0.1, 0.0, 0.0)),
        corrector(0.3, 1.2, 0.18, 1.4, 20.0),
        corrector(0.3, 1.0, 0.18, 1.4, 20.0),
    ],
)
def test_coverage_is_divided_out(light: torch.Tensor, grade: object) -> None:
    covered = light * torch.linspace(0.05, 1, 50)
    covered = covered.contiguous(memory_format=torch.channels_last)
    expected = graded(light, grade) * torch.linspace(0.05, 1, 50)
    torch.testing.assert_close(graded(covered, grade), expected, atol=2e-5, rtol=2e-4)


def test_infinite_light_stays_in_its_channel() -> None:
    pixels = torch.tensor([math.inf, 0.5, -math.inf, 1.0]).view(1, 4, 1, 1)
    result = graded(pixels, cdl(SLOPE, OFFSET, POWER, 1.0, "none"))[0, :, 0, 0]
    assert (result[0], result[2], result[3]) == (math.inf, -math.inf, 1)
    assert result[1].isfinite()


@pytest.mark.parametrize("way", [hsv.by_opencv, hsv.by_planes])
@pytest.mark.parametrize(("hue", "saturation", "value"), [(0, 0.5, 1), (30, 1, 1), (-75, 1.5, 1.5), (200, 0, 0.5)])
def test_hue_and_saturation_are_those_of_the_hexagonal_model(
    way: Callable[..., torch.Tensor], hue: float, saturation: float, value: float
) -> None:
    picture = np.random.default_rng(3).random((12, 10, 4), np.float32)
    picture[..., 3] = 1
    picture[0, :5, :3] = np.eye(5, 3)
    picture[0, 5, :3] = 0.4
    picture[1, :, :3] *= 1e-7
    result = rows(way(from_rows(picture), hue % 360, saturation, value))
    for before, after in zip(picture.reshape(-1, 4), result.reshape(-1, 4), strict=True):
        h, s, v = colorsys.rgb_to_hsv(*before[:3].astype(float))
        expected = colorsys.hsv_to_rgb((h + hue / 360) % 1, min(1, s * saturation), v * value)
        np.testing.assert_allclose(after[:3], expected, atol=4e-6 * max(before[:3]))


def test_value_has_no_ceiling_and_black_a_floor() -> None:
    pixels = torch.tensor([[30.0, 10.0, 20.0, 1.0], [-0.5, 0.5, 0.25, 1.0], [-2.0, -1.0, -3.0, 1.0]]).T.reshape(
        1, 4, 1, 3
    )
    result = hsv.adjust(pixels, 0.0, 1.0, 2.0)[0, :3, 0].T
    torch.testing.assert_close(result, torch.tensor([[60.0, 20, 40], [0, 1, 0.75], [0, 0, 0]]), atol=1e-5, rtol=1e-6)


@pytest.mark.parametrize("hue", [0.0, 50.0])
def test_hue_needs_no_division_by_alpha(soft_picture: MakePicture, hue: float) -> None:
    whole, covered = soft_picture(), soft_picture(alpha=True)
    expected = hsv.adjust(whole, hue, 0.7, 1.2) * covered[:, 3:]
    torch.testing.assert_close(hsv.adjust(covered, hue, 0.7, 1.2), expected)
