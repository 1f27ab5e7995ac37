"""Each conversion: what it keeps and what it loses."""

from __future__ import annotations

import pytest
import torch

from artifexpro.core.graph.conversions import CONVERSIONS
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, SocketType


def matte(coverage: float) -> ImageBuffer:
    return ImageBuffer(torch.full((1, 4, 2, 2), coverage))


def colour(*rgba: float) -> ImageBuffer:
    return ImageBuffer(torch.tensor(rgba).view(1, 4, 1, 1).expand(1, 4, 2, 2).contiguous())


def convert(a: SocketType, b: SocketType, picture: ImageBuffer) -> torch.Tensor:
    return CONVERSIONS[a, b]().render(FrameRequest(1), value=picture).pixels


@pytest.mark.parametrize("kind", [SocketType.IMAGE, SocketType.VIDEO])
def test_matte_to_picture_keeps_coverage_as_grey(kind: SocketType):
    grey = convert(SocketType.MASK, kind, matte(0.25))
    assert torch.equal(grey[:, :3], torch.full((1, 3, 2, 2), 0.25))
    assert torch.equal(grey[:, 3], torch.ones(1, 2, 2))


@pytest.mark.parametrize("kind", [SocketType.IMAGE, SocketType.VIDEO])
def test_picture_to_matte_keeps_alpha_and_loses_colour(kind: SocketType):
    found = convert(kind, SocketType.MASK, colour(0.1, 0.2, 0.3, 0.4))
    assert torch.allclose(found, torch.full((1, 4, 2, 2), 0.4))


def test_video_to_image_takes_the_first_frame(bench):
    graph = bench.evaluator(a=("Ramp", {}, {}), still=("Needle", {}, {"still": "a"}))
    assert bench.value(graph, "still", 1) == 1
    assert graph.info(graph.plan.index["still"]).still


def test_image_to_video_shows_it_on_every_frame(bench):
    graph = bench.evaluator(
        a=("Ramp", {}, {}), still=("Needle", {}, {"still": "a"}), out=("Add", {}, {"plate": "still"})
    )
    assert [bench.value(graph, "out", frame) for frame in (1, 7, 500)] == [2, 2, 2]


def test_video_to_matte_in_a_graph(bench):
    graph = bench.evaluator(a=("Ramp", {}, {}), cut=("Matte", {}, {"matte": "a"}))
    assert bench.value(graph, "cut", 6) == 6
    assert not graph.info(graph.plan.index["cut"]).still
