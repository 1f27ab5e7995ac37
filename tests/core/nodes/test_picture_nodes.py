"""Transform2D, Blur, ColorSpace and ContactSheet in graphs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, Region, StreamInfo
from artifexpro.core.media import color
from artifexpro.core.media.resample import gaussian, gaussian_reads
from artifexpro.core.nodes.color import ColorSpace
from artifexpro.core.nodes.effects import Blur
from artifexpro.core.nodes.transform import Transform2D


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("Transform2D", {}),
        ("Transform2D", {"rotate": 360.0}),
        ("Transform2D", {"filter": "nearest"}),
        ("Blur", {"size": 0.0}),
    ],
)
def test_what_changes_nothing_is_not_computed(graph: Callable, plate: tuple, kind: str, params: dict) -> None:
    built = graph(plate=plate, node=(kind, params, {"video": "plate"}))
    assert built.key("node") == built.key("plate")
    built.frame("node", 1001)
    assert built.evaluator.runs[built.plan.index["node"]] == 0


def test_x_goes_right_y_goes_up(soft_picture: Callable[..., torch.Tensor]) -> None:
    pixels = soft_picture()
    moved = Transform2D(x=5.0, y=3.0, filter="nearest").render(FrameRequest(1), video=ImageBuffer(pixels)).pixels
    torch.testing.assert_close(moved[:, :, :-3, 5:], pixels[:, :, 3:, :-5])


def test_distances_shrink_with_the_preview() -> None:
    half = Transform2D(x=10.0, y=-4.0, rotate=30.0, scale=2.0).at_scale(0.5)
    assert (half.x, half.y, half.rotate, half.scale) == (5.0, -2.0, 30.0, 2.0)
    assert Blur(size=8.0).at_scale(0.25).size == 2.0


def test_blur_asks_for_what_it_reads_and_no_more() -> None:
    info = StreamInfo(1, 1, 24, 640, 480)
    region = Region(100, 100, 50, 40)
    (asked,) = Blur(size=5.0).needs(FrameRequest(1, region=region), {"video": info})["video"]
    assert asked.region == gaussian_reads(region, 5.0, (640, 480))
    assert region.grown(20).width <= asked.region.width <= region.grown(34).width
    (clamped,) = Blur(size=5.0).needs(FrameRequest(1, region=Region(0, 470, 8, 10)), {"video": info})["video"]
    assert (clamped.region.x, clamped.region.y + clamped.region.height) == (0, 480)


def test_blur_keeps_light_and_the_edges_of_a_plate(graph: Callable, plate: tuple) -> None:
    built = graph(plate=plate, soft=("Blur", {"size": 6.0}, {"video": "plate"}))
    sharp, soft = built.frame("plate", 1001).pixels, built.frame("soft", 1001).pixels
    torch.testing.assert_close(soft, gaussian(sharp, 6.0))
    flat = ImageBuffer(torch.ones(1, 4, 20, 20).contiguous(memory_format=torch.channels_last))
    assert torch.allclose(Blur(size=9.0).render(FrameRequest(1), video=flat).pixels, flat.pixels)


def test_color_space_changes_pixels_and_says_so(graph: Callable, plate: tuple) -> None:
    built = graph(plate=plate, log=("ColorSpace", {"to": "ACEScct"}, {"video": "plate"}))
    assert built.evaluator.info(built.plan.index["log"]).space == "ACEScct"
    shown = built.frame("log", 1001)
    assert shown.space == "ACEScct"
    torch.testing.assert_close(shown.pixels, color.transform(built.frame("plate", 1001).pixels, "ACEScg", "ACEScct"))


def test_an_unknown_space_is_refused_before_pixels() -> None:
    with pytest.raises(ArtifexError, match='"ACEScct"'):
        ColorSpace(to="ACESct").describe({"video": StreamInfo(1, 1, 24, 8, 8)})


def test_merging_spaces_is_refused_at_the_merge(graph: Callable, plate: tuple) -> None:
    log = ("ColorSpace", {"to": "ACEScct"}, {"video": "plate"})
    built = graph(plate=plate, log=log, merge=("Merge", {}, {"a": "log", "b": "plate"}))
    with pytest.raises(ArtifexError, match="a ColorSpace node to ACEScg") as refusal:
        built.frame("merge", 1001)
    assert refusal.value.node == "merge"


@pytest.mark.parametrize(
    ("columns", "count", "frames", "rows"),
    [(3, 6, [1001, 1002, 1003, 1004, 1005, 1006], 2), (2, 3, [1001, 1003, 1006], 2), (4, 100, range(1001, 1007), 2)],
)
def test_a_contact_sheet_shows_frames_in_order(
    graph: Callable, plate: tuple, columns: int, count: int, frames: list[int], rows: int
) -> None:
    params = {"columns": columns, "count": count, "width": 96}
    built = graph(plate=plate, sheet=("ContactSheet", params, {"video": "plate"}))
    sheet = built.frame("sheet", 1001)
    width, height = built.evaluator.info(built.plan.index["plate"]).size_at(1 / columns)
    assert sheet.size == (columns * width, rows * height)
    for at, frame in enumerate(frames):
        top, left = height * (at // columns), width * (at % columns)
        cell = sheet.pixels[:, :, top : top + height, left : left + width]
        torch.testing.assert_close(cell, built.frame("plate", frame, 1 / columns).pixels)


def test_a_contact_sheet_of_one_picture(graph: Callable, plate: tuple) -> None:
    nodes = {"plate": plate, "hold": ("FrameHold", {"frame": 1003}, {"video": "plate"})}
    built = graph(**nodes, sheet=("ContactSheet", {"columns": 2}, {"video": "hold"}))
    assert built.frame("sheet", 1001).size == (192, 64)


def test_frames_on_a_wide_contact_sheet_stay_as_large_as_they_are(graph: Callable, plate: tuple) -> None:
    built = graph(plate=plate, sheet=("ContactSheet", {"columns": 2, "count": 2, "width": 5000}, {"video": "plate"}))
    cell = built.frame("sheet", 1001).pixels[:, :, :, :96]
    torch.testing.assert_close(cell, built.frame("plate", 1001).pixels)
