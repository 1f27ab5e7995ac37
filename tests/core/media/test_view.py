"""Views: the table against the view itself."""

from __future__ import annotations

import numpy as np
import PyOpenColorIO as ocio
import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.media import color, view
from artifexpro.core.media.pixels import from_rows, rows

SRGB, ACES = "sRGB - Display", "ACES 2.0 - SDR 100 nits (Rec.709)"
HDR = "ACES 2.0 - HDR 1000 nits (Rec.2020)"


def light(stops: tuple[float, float], colorful: float = 1.0) -> torch.Tensor:
    """Opaque light spread evenly over stops about middle grey; its channels differ by `colorful` stops (deviation)."""
    chance = np.random.default_rng(8)
    picture = np.ones((100, 200, 4), np.float32)
    level = chance.uniform(*stops, (100, 200, 1))
    picture[..., :3] = 0.18 * 2 ** (level + chance.normal(0, colorful, (100, 200, 3)))
    return from_rows(picture)


def test_the_view_itself_is_that_of_opencolorio() -> None:
    pixels = light((-6, 4))
    config = ocio.Config.CreateFromFile(color.DEFAULT_CONFIG)
    processor = config.getProcessor("ACEScg", SRGB, ACES, ocio.TRANSFORM_DIR_FORWARD).getDefaultCPUProcessor()
    expected = rows(pixels).copy()
    processor.applyRGBA(expected)
    np.testing.assert_allclose(rows(color.through(view.exact(SRGB, ACES, "ACEScg"), pixels)), expected, atol=1e-6)


@pytest.mark.parametrize(("display", "name"), [(SRGB, ACES), ("Rec.2100-PQ - Display", HDR)])
def test_the_table_errs_by_less_than_eyes_see(display: str, name: str) -> None:
    for colorful, mean, most in ((1.0, 0.1, 1.0), (3.0, 0.3, 6.0)):
        pixels = light((-7, 5), colorful)
        table, itself = (color.through(made(display, name, "ACEScg"), pixels) for made in (view.baked, view.exact))
        steps = 255 * (table - itself)[:, :3].abs().flatten()
        assert 0 < steps.mean() < mean
        assert steps.quantile(0.99) < most


def test_a_view_of_matrix_and_curve_needs_no_table() -> None:
    pixels = light((-7, 5))
    table, itself = (color.through(made(SRGB, "Un-tone-mapped", "ACEScg"), pixels) for made in (view.baked, view.exact))
    assert torch.equal(table, itself)


def test_grey_is_shown_more_exactly_still() -> None:
    grey = torch.logspace(-9, 6, 2000, base=2).view(1, 1, 1, -1).repeat(1, 4, 1, 1)
    grey[:, 3] = 1
    grey = grey.contiguous(memory_format=torch.channels_last)
    table, itself = (color.through(made(SRGB, ACES, "ACEScg"), grey) for made in (view.baked, view.exact))
    assert (table - itself).abs().max() < 0.5 / 255


def test_another_space_is_converted_first() -> None:
    pixels = light((-4, 3))
    log = color.transform(pixels, "ACEScg", "ACEScct")
    expected = color.through(view.baked(SRGB, ACES, "ACEScg"), pixels)
    torch.testing.assert_close(color.through(view.baked(SRGB, ACES, "ACEScct"), log), expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize(
    ("display", "space"),
    [(SRGB, "srgb_tx"), ("Gamma 2.2 Rec.709 - Display", "Gamma 2.2 Encoded Rec.709"),
     ("Rec.1886 Rec.709 - Display", "Gamma 2.4 Encoded Rec.709"), ("Rec.2100-PQ - Display", "Rec.2100-PQ - Display")],
)  # fmt: skip
def test_the_space_of_what_is_shown(display: str, space: str) -> None:
    assert view.space_of(display, ACES) == space


def test_unknown_names_are_refused_with_those_there_are() -> None:
    with pytest.raises(ArtifexError, match='"sRGB - Display" or'):
        view.space_of("CRT", ACES)
    with pytest.raises(ArtifexError, match='or "Un-tone-mapped"'):
        view.space_of(SRGB, "Filmic")
