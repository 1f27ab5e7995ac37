"""Analyses of whole clips: right, made once, in bounded memory; and flicker taken out by one."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.graph.context import QuietContext
from artifexpro.core.graph.values import DataPayload, FrameRequest, ImageBuffer, StreamInfo, VideoStream
from artifexpro.core.nodes.analysis import ColorAnalyzer, Deflicker, SceneDetector

INFO = StreamInfo(1001, 1006, Fraction(24), 8, 4)


def flat(value: float, width: int = 8, height: int = 4) -> ImageBuffer:
    pixels = torch.full((1, 4, height, width), value)
    pixels[:, 3] = 1
    return ImageBuffer(pixels.contiguous(memory_format=torch.channels_last))


def clip(look: Callable[[int], ImageBuffer], info: StreamInfo = INFO) -> VideoStream:
    return VideoStream(info, lambda request: look(request.frame))


@pytest.fixture
def context(tmp_path: Path) -> QuietContext:
    return QuietContext(tmp_path, tmp_path / "store", tmp_path / "models")


def test_luminance_of_each_frame_and_of_the_clip(context: QuietContext) -> None:
    def look(frame: int) -> ImageBuffer:
        picture = flat((frame - 1000) / 10)
        picture.pixels[:, :3, 0, 0] = 2.0
        picture.pixels[:, :3, 0, 1] = -1.0
        return picture

    found = ColorAnalyzer().analyse(context, video=clip(look))
    assert found.kind == "luminance"
    assert found.content["first"] == 1001
    means = [(30 * (frame - 1000) / 10 + 2 - 1) / 32 for frame in range(1001, 1007)]
    assert found.content["mean"] == pytest.approx(means, abs=1e-6)
    assert found.content["maximum"] == pytest.approx([2.0] * 6)
    assert found.content["minimum"] == pytest.approx([-1.0] * 6)
    assert found.content["clip"] == pytest.approx({"mean": sum(means) / 6, "minimum": -1.0, "maximum": 2.0})


def test_frames_are_looked_at_small(context: QuietContext) -> None:
    asked: list[FrameRequest] = []

    def pull(request: FrameRequest) -> ImageBuffer:
        asked.append(request)
        return flat(0.5)

    ColorAnalyzer(scale=0.5).analyse(context, video=VideoStream(INFO, pull))
    assert asked == [FrameRequest(frame, 0.5) for frame in range(1001, 1007)]


def test_green_counts_most(context: QuietContext) -> None:
    def look(frame: int) -> ImageBuffer:
        picture = flat(0.0)
        picture.pixels[:, frame - 1001] = 1.0
        return picture

    found = ColorAnalyzer().analyse(context, video=clip(look, replace(INFO, last=1003)))
    assert found.content["mean"] == pytest.approx([0.27223, 0.67408, 0.05369], abs=1e-5)


def test_a_still_is_one_frame_and_what_has_no_end_is_refused(context: QuietContext) -> None:
    still = clip(lambda frame: flat(0.5), replace(INFO, last=1001, still=True))
    assert ColorAnalyzer().analyse(context, video=still).content["mean"] == pytest.approx([0.5])
    with pytest.raises(ArtifexError, match="has no end"):
        ColorAnalyzer().analyse(context, video=clip(lambda frame: flat(0.5), replace(INFO, endless=True)))
    with pytest.raises(ArtifexError, match="not light in ACEScg"):
        ColorAnalyzer().analyse(context, video=clip(lambda frame: flat(0.5), replace(INFO, space="ACEScct")))


def test_pixels_that_are_no_numbers_are_told_with_their_frame(context: QuietContext) -> None:
    for value in (math.nan, math.inf):
        with pytest.raises(ArtifexError, match="frame 1004"):
            ColorAnalyzer().analyse(context, video=clip(lambda frame: flat(value if frame == 1004 else 0.5)))  # noqa: B023


def test_a_cancelled_analysis_stops_at_the_next_frame(tmp_path: Path) -> None:
    class Cancelling(QuietContext):
        def check(self) -> None:
            if len(seen) == 3:
                raise Cancelled

    seen: list[int] = []

    def look(frame: int) -> ImageBuffer:
        seen.append(frame)
        return flat(0.5)

    with pytest.raises(Cancelled):
        ColorAnalyzer().analyse(Cancelling(tmp_path, tmp_path, tmp_path), video=clip(look))
    assert seen == [1001, 1002, 1003]


def test_a_long_clip_is_looked_at_a_few_frames_at_a_time(context: QuietContext) -> None:
    alive: list[weakref.ref] = []

    def frames(requests: Any) -> Iterator[ImageBuffer]:
        for _ in requests:
            assert sum(ref() is not None for ref in alive) <= 3
            picture = flat(0.5)
            alive.append(weakref.ref(picture.pixels))
            yield picture
            del picture

    stream = VideoStream(replace(INFO, last=1100), lambda request: flat(0.5), 1.0, frames)
    assert len(ColorAnalyzer().analyse(context, video=stream).content["mean"]) == 100


def edit(*lengths: int) -> VideoStream:
    """Shots of so many frames, each of another brightness, with a little movement in them."""
    cuts = [sum(lengths[: at + 1]) for at in range(len(lengths))]

    def look(frame: int) -> ImageBuffer:
        shot = next(at for at, cut in enumerate(cuts) if frame - 1001 < cut)
        return flat((0.02, 0.9)[shot % 2] + 0.001 * (frame % 3))

    return clip(look, replace(INFO, last=1000 + sum(lengths)))


def test_cuts_are_found_with_the_numbers_of_the_clips_frames(context: QuietContext) -> None:
    found = SceneDetector().analyse(context, video=edit(20, 30, 25))
    assert found == DataPayload("scenes", {"cuts": [1021, 1051], "scenes": [[1001, 1020], [1021, 1050], [1051, 1075]]})
    assert SceneDetector(threshold=250.0).analyse(context, video=edit(20, 30, 25)).content["cuts"] == []


def test_short_scenes_are_not_cut_out(context: QuietContext) -> None:
    assert SceneDetector(shortest=2).analyse(context, video=edit(20, 3, 20)).content["cuts"] == [1021, 1024]
    assert len(SceneDetector(shortest=15).analyse(context, video=edit(20, 3, 20)).content["cuts"]) == 1


def test_scenes_of_stills_and_of_what_is_no_clip(context: QuietContext) -> None:
    still = clip(lambda frame: flat(0.5), replace(INFO, last=1001, still=True))
    assert SceneDetector().analyse(context, video=still).content == {"cuts": [], "scenes": [[1001, 1001]]}
    with pytest.raises(ArtifexError, match="has no end"):
        SceneDetector().analyse(context, video=clip(lambda frame: flat(0.5), replace(INFO, endless=True)))
    with pytest.raises(ArtifexError, match="look at frame 1001"):
        SceneDetector().analyse(context, video=clip(lambda frame: flat(math.nan)))


def luminances(*means: float, first: int = 1001) -> DataPayload:
    return DataPayload("luminance", {"first": first, "mean": list(means), "clip": {"mean": sum(means) / len(means)}})


def exposure(node: Deflicker, frame: int, data: DataPayload) -> float:
    picture = flat(1.0)
    found = node.render(FrameRequest(frame), video=picture, data=data)
    assert torch.equal(found.pixels[:, 3:], picture.pixels[:, 3:])
    assert torch.equal(picture.pixels, flat(1.0).pixels)
    return float(found.pixels[0, 0, 0, 0])


def test_each_frame_gets_the_clips_exposure() -> None:
    data = luminances(0.2, 0.4, 0.6)
    assert [exposure(Deflicker(), frame, data) for frame in (1001, 1002, 1003)] == pytest.approx([2, 1, 2 / 3])
    assert exposure(Deflicker(strength=0.5), 1001, data) == pytest.approx(math.sqrt(2))
    assert Deflicker(strength=0).identity() == "video"


def test_with_a_window_slow_changes_stay() -> None:
    data = luminances(*(0.1 + 0.01 * frame for frame in range(50)))
    assert exposure(Deflicker(window=2), 1026, data) == pytest.approx(1)
    assert exposure(Deflicker(), 1026, data) == pytest.approx((0.1 + 0.245) / 0.35)


def test_a_black_frame_stays_black() -> None:
    assert exposure(Deflicker(), 1001, luminances(0.0, 0.5)) == 1
    assert exposure(Deflicker(), 1001, luminances(0.0, 0.0)) == 1


def test_data_of_something_else_is_refused() -> None:
    with pytest.raises(ArtifexError, match='the data is of kind "number"'):
        exposure(Deflicker(), 1001, DataPayload("number", {"value": 1}))
    for frame in (1000, 1003):
        with pytest.raises(ArtifexError, match="frames 1001 to 1002 were analysed"):
            exposure(Deflicker(), frame, luminances(0.5, 0.5))


def test_a_flickering_clip_is_evened_out_and_analysed_once(graph: Callable[..., Any], plate: tuple) -> None:
    flicker = {"curve": {"keys": [{"frame": 1001 + at, "value": 0.2 * (at % 3)} for at in range(6)]}}

    def flickering() -> Any:
        return graph(
            plate=plate,
            matte=("MatteFrom", {"channel": "alpha"}, {"video": "plate"}),
            uneven=("ApplyMatte", {"amount": flicker}, {"video": "plate", "matte": "matte"}),
            light=("ColorAnalyzer", {"scale": 1.0}, {"video": "uneven"}),
            even=("Deflicker", {}, {"video": "uneven", "data": "light"}),
            again=("ColorAnalyzer", {"scale": 1.0}, {"video": "even"}),
        )

    nodes = flickering()
    before, after = (nodes.evaluator.value(nodes.plan.index[name]).content["mean"] for name in ("light", "again"))
    assert max(before) / min(before) > 1.1
    assert max(after) / min(after) == pytest.approx(1, abs=1e-4)
    once_more = flickering()
    once_more.evaluator.value(once_more.plan.index["light"])
    assert once_more.evaluator.runs[once_more.plan.index["uneven"]] == 0
    small = nodes.frame("even", 1003, 0.5).pixels
    assert (torch.nn.functional.avg_pool2d(nodes.frame("even", 1003).pixels, 2) - small).abs().max() < 0.05
