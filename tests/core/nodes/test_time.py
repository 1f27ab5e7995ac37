"""Which frames are shown when, and several as one."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, Region, StreamInfo
from artifexpro.core.nodes.time import FrameBlend, TemporalMedian, TimeOffset, TimeRemap

CLIP = {"video": StreamInfo(1001, 1006, Fraction(24), 4, 2)}
REQUEST = FrameRequest(1003, 0.5, Region(0, 0, 2, 1))


def flat(value: float) -> ImageBuffer:
    return ImageBuffer(torch.full((1, 4, 2, 4), value).contiguous(memory_format=torch.channels_last))


def asked(node: Any, frame: int = 1003) -> list[int]:
    requests = node.needs(REQUEST.at(frame), CLIP)["video"]
    assert {(request.scale, request.region) for request in requests} == {(REQUEST.scale, REQUEST.region)}
    return [request.frame for request in requests]


def test_an_offset_clip_is_the_same_later() -> None:
    node = TimeOffset(by=10)
    info = node.describe(CLIP)
    assert (info.first, info.last) == (1011, 1016)
    assert asked(node, 1013) == [1003]
    picture = flat(0.5)
    assert node.render(REQUEST, video=picture) is picture
    assert TimeOffset(by=0).identity() == "video"


@pytest.mark.parametrize(
    ("frame", "nearest", "blend"),
    [
        (1002.0, [1002], [1002]),
        (1002.25, [1002], [1002, 1003]),
        (1002.5, [1003], [1002, 1003]),
        (-7.75, [-8], [-8, -7]),
    ],
)
def test_a_remapped_clip_asks_for_the_frame_that_is_shown(frame: float, nearest: list[int], blend: list[int]) -> None:
    assert asked(TimeRemap(frame=frame)) == nearest
    assert asked(TimeRemap(frame=frame, between="blend")) == blend


def test_between_two_frames_both_show() -> None:
    node = TimeRemap(frame=1002.25, between="blend")
    found = node.render(REQUEST, video=(flat(1.0), flat(3.0)))
    assert torch.equal(found.pixels, flat(1.5).pixels)


def test_a_remapped_clip_has_the_range_it_is_given() -> None:
    assert TimeRemap().describe(CLIP) == CLIP["video"]
    info = TimeRemap(first=990, last=1100).describe(CLIP)
    assert (info.first, info.last) == (990, 1100)
    with pytest.raises(ArtifexError, match="before the first one"):
        TimeRemap(last=1000).describe(CLIP)


def test_blended_frames_are_the_mean_of_the_window() -> None:
    node = FrameBlend(before=1, after=2)
    assert asked(node) == [1002, 1003, 1004, 1005]
    pictures = tuple(flat(value) for value in (1.0, 2.0, 4.0, 9.0))
    assert torch.equal(node.render(REQUEST, video=pictures).pixels, flat(4.0).pixels)
    assert [float(picture.pixels.mean()) for picture in pictures] == [1, 2, 4, 9]
    assert FrameBlend(before=0, after=0).identity() == "video"


@pytest.mark.parametrize("reach", [1, 2, 3])
def test_the_median_over_time_is_numpys(reach: int) -> None:
    torch.manual_seed(reach)
    frames = [torch.rand(1, 4, 6, 5).contiguous(memory_format=torch.channels_last) for _ in range(2 * reach + 1)]
    node = TemporalMedian(reach=reach)
    assert asked(node) == list(range(1003 - reach, 1004 + reach))
    found = node.render(REQUEST, video=tuple(map(ImageBuffer, frames)))
    expected = torch.from_numpy(torch.stack(frames).numpy()).quantile(0.5, dim=0)
    torch.testing.assert_close(found.pixels, expected)
    assert found.pixels.is_contiguous(memory_format=torch.channels_last)
    half = TemporalMedian(reach=reach, mix=0.5).render(REQUEST, video=tuple(map(ImageBuffer, frames)))
    torch.testing.assert_close(half.pixels, (expected + frames[reach]) / 2)


def test_a_frame_of_dust_goes_and_the_median_without_mix_asks_for_nothing_more() -> None:
    found = TemporalMedian().render(REQUEST, video=(flat(0.2), flat(5.0), flat(0.25)))
    assert torch.equal(found.pixels, flat(0.25).pixels)
    assert asked(TemporalMedian(mix=0)) == [1003]


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize(
    "node", [FrameBlend(), TemporalMedian(), TemporalMedian(reach=2), TimeRemap(frame=2.5, between="blend")]
)
def test_pixels_that_are_no_numbers_stay_seen(node: Any, value: float) -> None:
    count = len(asked(node))
    pictures = [flat(0.5) for _ in range(count)]
    pictures[0].pixels[0, 0, 0, 0] = value
    found = node.render(REQUEST, video=tuple(pictures)).pixels
    assert torch.isfinite(found[0, 0, 1:]).all()
    if value != value:
        assert not torch.isfinite(found[0, 0, 0, 0])


def test_windows_repeat_the_end_frame(graph: Callable[..., Any], plate: tuple) -> None:
    nodes = graph(plate=plate, blend=("FrameBlend", {"before": 2, "after": 0}, {"video": "plate"}))
    first, second = (nodes.frame("plate", frame).pixels for frame in (1001, 1002))
    torch.testing.assert_close(nodes.frame("blend", 1001).pixels, first)
    torch.testing.assert_close(nodes.frame("blend", 1002).pixels, (2 * first + second) / 3)


def test_an_animated_frame_plays_a_clip_at_half_speed_and_backwards(graph: Callable[..., Any], plate: tuple) -> None:
    def remapped(between: str, *keys: tuple[int, int]) -> Any:
        curve = {"keys": [{"frame": frame, "value": value} for frame, value in keys]}
        params = {"frame": {"curve": curve}, "between": between, "last": 1011}
        return graph(plate=plate, remap=("TimeRemap", params, {"video": "plate"}))

    slow = remapped("blend", (1001, 1001), (1011, 1006))
    plates = {frame: slow.frame("plate", frame).pixels for frame in range(1001, 1007)}
    torch.testing.assert_close(slow.frame("remap", 1003).pixels, plates[1002])
    torch.testing.assert_close(slow.frame("remap", 1004).pixels, (plates[1002] + plates[1003]) / 2)
    torch.testing.assert_close(slow.frame("remap", 1011).pixels, plates[1006])
    back = remapped("nearest", (1001, 1006), (1011, 996))
    assert torch.equal(back.frame("remap", 1002).pixels, plates[1005])
    assert torch.equal(back.frame("remap", 1011).pixels, plates[1001])


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("TimeOffset", {"by": 1}),
        ("TimeRemap", {"frame": 1003.5, "between": "blend"}),
        ("FrameBlend", {}),
        ("TemporalMedian", {"reach": 1, "mix": 0.7}),
    ],
)
def test_previews_and_regions_are_those_of_the_whole(
    kind: str, params: dict[str, Any], graph: Callable[..., Any], plate: tuple
) -> None:
    nodes = graph(plate=plate, node=(kind, params, {"video": "plate"}))
    whole = nodes.frame("node", 1003).pixels
    region = Region(5, 6, 20, 10)
    torch.testing.assert_close(nodes.frame("node", 1003, region=region).pixels, whole[:, :, 6:16, 5:25])
    small = nodes.frame("node", 1003, 0.5).pixels
    assert (torch.nn.functional.avg_pool2d(whole, 2) - small).abs().max() < 0.05
