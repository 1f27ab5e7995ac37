"""The colour-difference key on mixtures that are known."""

from __future__ import annotations

import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.media.key import Screen, color_difference

SCREENS: dict[Screen, tuple[float, float, float]] = {"green": (0.05, 0.35, 0.1), "blue": (0.05, 0.1, 0.35)}
LEAD = 0.25
"""By how much the screen's channel leads."""
GREY = 0.3


def edge(screen: Screen, share: torch.Tensor) -> torch.Tensor:
    """An opaque row of pixels: so much grey before the screen."""
    colors = [torch.lerp(torch.tensor(back), torch.tensor(GREY), share) for back in SCREENS[screen]]
    return torch.stack([*colors, torch.ones_like(share)]).view(1, 4, 1, -1)


@pytest.mark.parametrize("screen", SCREENS)
def test_coverage_is_the_share_of_the_foreground(screen: Screen) -> None:
    share = torch.tensor([0.0, 0.1, 0.5, 0.9, 1.0])
    keyed = color_difference(edge(screen, share), screen, 1 / LEAD, 0.0, 1.0, 1.0)[0, :, 0]
    torch.testing.assert_close(keyed[3], share, atol=1e-6, rtol=0)
    assert (keyed[:, 0].abs() < 1e-6).all(), "the screen is not gone"
    torch.testing.assert_close(keyed[:, 4], torch.tensor([GREY, GREY, GREY, 1.0]))


def test_clips_stretch_the_matte() -> None:
    share = torch.tensor([0.0, 0.2, 0.5, 0.8, 1.0])
    keyed = color_difference(edge("green", share), "green", 1 / LEAD, 0.2, 0.8, 1.0)
    torch.testing.assert_close(keyed[0, 3, 0], torch.tensor([0, 0, 0.5, 1, 1]), atol=1e-5, rtol=0)
    with pytest.raises(ArtifexError, match="a higher white clip"):
        color_difference(edge("green", share), "green", 1.0, 0.5, 0.5, 1.0)


def test_despill_takes_the_lead_and_no_more() -> None:
    greenish = torch.tensor([[0.3, 0.4, 0.2, 1.0], [0.3, 0.2, 0.6, 1.0]]).T.reshape(1, 4, 1, 2)
    spared = color_difference(greenish, "green", 0.0, 0.0, 1.0, 0.0)
    torch.testing.assert_close(spared, greenish)
    half = color_difference(greenish, "green", 0.0, 0.0, 1.0, 0.5)
    torch.testing.assert_close(half[0, 1, 0], torch.tensor([0.35, 0.2]))
    whole = color_difference(greenish, "green", 0.0, 0.0, 1.0, 1.0)
    torch.testing.assert_close(whole[0, 1, 0], torch.tensor([0.3, 0.2]))


def test_coverage_that_was_there_is_kept() -> None:
    share = torch.tensor([0.3, 0.7])
    opaque = edge("green", share)
    covered = opaque * 0.4
    expected = 0.4 * color_difference(opaque, "green", 1 / LEAD, 0.0, 1.0, 1.0)
    torch.testing.assert_close(color_difference(covered, "green", 1 / LEAD, 0.0, 1.0, 1.0), expected)
    fire = torch.tensor([2.0, 0.5, 0.1, 0.0]).view(1, 4, 1, 1)
    torch.testing.assert_close(color_difference(fire, "green", 1 / LEAD, 0.0, 1.0, 1.0), fire)
