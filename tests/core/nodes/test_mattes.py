"""Coverage taken from pictures, put together, and used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.values import WORKING_SPACE, ImageBuffer, MaskChannel, StreamInfo
from artifexpro.core.nodes.mattes import ApplyMatte, CombineMattes, InvertMatte, MatteFrom, together

CLIP = StreamInfo(1001, 1010, Fraction(24), 2, 2)


def colour(*rgba: float) -> ImageBuffer:
    pixels = torch.tensor(rgba).view(1, 4, 1, 1).expand(1, 4, 2, 2)
    return ImageBuffer(pixels.contiguous(memory_format=torch.channels_last))


def matte(coverage: float) -> MaskChannel:
    return MaskChannel(torch.full((1, 1, 2, 2), float(coverage)))


@pytest.mark.parametrize(
    ("channel", "expected"),
    [("alpha", 0.5), ("red", 0.1), ("green", 0.2), ("blue", 0.3), ("luminance", 0.0272228 + 0.1348164 + 0.0161069)],
)
def test_a_channel_becomes_coverage(channel: Any, expected: float) -> None:
    picture = colour(0.1, 0.2, 0.3, 0.5)
    found = MatteFrom(channel=channel).point(video=picture)
    assert found.pixels.shape == (1, 1, 2, 2)
    assert float(found.pixels.mean()) == pytest.approx(expected, abs=1e-5)
    assert torch.equal(picture.pixels, colour(0.1, 0.2, 0.3, 0.5).pixels)


def test_coverage_is_cut_off_and_never_made_up() -> None:
    found = MatteFrom(channel="red").point(video=colour(7.0, 0, 0, 1)).pixels
    assert torch.equal(found, torch.ones(1, 1, 2, 2))
    assert torch.equal(MatteFrom(channel="blue").point(video=colour(0, 0, -1, 1)).pixels, torch.zeros(1, 1, 2, 2))
    assert MatteFrom(channel="red").point(video=colour(float("nan"), 0, 0, 1)).pixels.isnan().all()


def test_luminance_of_another_space_is_refused() -> None:
    with pytest.raises(ArtifexError) as refusal:
        MatteFrom().describe({"video": replace(CLIP, space="ACEScct")})
    assert "a ColorSpace node to ACEScg" in refusal.value.remedy
    assert MatteFrom(channel="red").describe({"video": replace(CLIP, space="ACEScct")}).space == WORKING_SPACE


@pytest.mark.parametrize(("amount", "expected"), [(0.0, 0.2), (0.5, 0.5), (1.0, 0.8)])
def test_an_inverted_matte(amount: float, expected: float) -> None:
    node = InvertMatte(amount=amount)
    assert float(node.point(matte=matte(0.2)).pixels.mean()) == pytest.approx(expected)
    assert node.identity() == ("matte" if amount == 0 else None)


@pytest.mark.parametrize(
    ("operation", "expected"), [("union", [0, 1, 1, 1]), ("intersect", [0, 0, 0, 1]), ("subtract", [0, 1, 0, 0])]
)
def test_two_mattes(operation: Any, expected: list[int]) -> None:
    node = CombineMattes(operation=operation)
    pairs = [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert [float(node.point(a=matte(a), b=matte(b)).pixels.mean()) for a, b in pairs] == expected
    half = float(node.point(a=matte(0.5), b=matte(0.5)).pixels.mean())
    assert half == pytest.approx(0.75 if operation == "union" else 0.25)


@pytest.mark.parametrize(("amount", "kept"), [(1.0, 0.25), (0.5, 0.625)])
def test_a_matte_leaves_what_it_covers(amount: float, kept: float) -> None:
    found = ApplyMatte(amount=amount).point(video=colour(0.4, 0.8, 1.2, 1.0), matte=matte(0.25))
    torch.testing.assert_close(found.pixels, colour(0.4, 0.8, 1.2, 1.0).pixels * kept)
    assert found.pixels.is_contiguous(memory_format=torch.channels_last)


def test_frames_of_two_are_those_both_have() -> None:
    other = replace(CLIP, first=1005, last=1020)
    assert (together(CLIP, other, "x").first, together(CLIP, other, "x").last) == (1005, 1010)
    still, endless = replace(CLIP, still=True), replace(CLIP, endless=True)
    for stands in (still, endless):
        for pair in ((CLIP, stands), (stands, CLIP)):
            found = together(*pair, "x")
            assert (found.first, found.last, found.still, found.endless) == (1001, 1010, False, False)
    assert together(still, still, "x").still
    assert together(still, endless, "x").endless


@pytest.mark.parametrize(
    ("other", "because"),
    [
        (replace(CLIP, width=4), "one has 2 x 2 pixels and the other 4 x 2"),
        (replace(CLIP, rate=Fraction(25)), "one has 24 frames a second and the other 25"),
        (replace(CLIP, first=2000, last=2010), "one has frames 1001 to 1010 and the other 2000 to 2010"),
    ],
)
def test_what_does_not_fit_is_refused(other: StreamInfo, because: str) -> None:
    for node, names in ((ApplyMatte(), ("video", "matte")), (CombineMattes(), ("a", "b"))):
        with pytest.raises(ArtifexError) as refusal:
            node.describe(dict(zip(names, (CLIP, other), strict=True)))
        assert refusal.value.because == because


def test_a_matte_from_luminance_cuts_a_clip(graph: Callable[..., Any], plate: tuple) -> None:
    nodes = graph(
        plate=plate,
        light=("MatteFrom", {"channel": "luminance"}, {"video": "plate"}),
        dark=("InvertMatte", {}, {"matte": "light"}),
        shadows=("ApplyMatte", {}, {"video": "plate", "matte": "dark"}),
        lights=("ApplyMatte", {"amount": 1.0}, {"video": "plate", "matte": "light"}),
    )
    whole = nodes.frame("plate", 1003).pixels
    parts = nodes.frame("shadows", 1003).pixels + nodes.frame("lights", 1003).pixels
    torch.testing.assert_close(parts, whole)
    assert nodes.frame("light", 1003).pixels.shape[1] == 1


def test_how_much_a_matte_counts_may_move(graph: Callable[..., Any], plate: tuple) -> None:
    moving = {"curve": {"keys": [{"frame": 1001, "value": 0.0}, {"frame": 1005, "value": 1.0}]}}
    nodes = graph(
        plate=plate,
        cut=("ApplyMatte", {"amount": moving}, {"video": "plate", "matte": "plate"}),
    )
    for frame, amount in ((1001, 0.0), (1003, 0.5), (1006, 1.0)):
        whole = nodes.frame("plate", frame).pixels
        torch.testing.assert_close(nodes.frame("cut", frame).pixels, whole * (1 - amount + amount * whole[:, 3:]))
