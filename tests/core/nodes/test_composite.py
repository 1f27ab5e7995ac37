"""Merge: formulas, sizes, frames, spaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, StreamInfo
from artifexpro.core.media import blend
from artifexpro.core.nodes.composite import Merge

CLIP = StreamInfo(1001, 1010, Fraction(24), 64, 48)
STILL = StreamInfo(1, 1, Fraction(24), 64, 48, still=True)


def merged(a: StreamInfo, b: StreamInfo) -> StreamInfo:
    infos: Mapping[str, StreamInfo] = {"a": a, "b": b}
    return Merge().describe(infos)


@pytest.mark.parametrize("mode", blend.MODES)
@pytest.mark.parametrize("mix", [1.0, 0.25])
def test_modes_and_mix(soft_picture: Callable[..., torch.Tensor], mode: str, mix: float) -> None:
    a, b = (ImageBuffer(soft_picture(phase=phase, alpha=True)) for phase in (0, 2))
    result = Merge(mode=mode, mix=mix).render(FrameRequest(1), a=a, b=b)
    expected = b.pixels * (1 - mix) + blend.MODES[mode](a.pixels, b.pixels) * mix
    torch.testing.assert_close(result.pixels, expected)


def test_mix_zero_hands_the_background_on(graph: Callable, plate: tuple) -> None:
    nodes = {"plate": plate, "soft": ("Blur", {}, {"video": "plate"})}
    merge = graph(**nodes, merge=("Merge", {"mix": 0.0}, {"a": "soft", "b": "plate"}))
    assert merge.key("merge") == merge.key("plate")


def test_frames_are_those_that_both_have() -> None:
    result = merged(replace(CLIP, first=1005, last=1020), CLIP)
    assert (result.first, result.last) == (1005, 1010)
    for a, b in ((STILL, CLIP), (CLIP, STILL)):
        assert (merged(a, b).first, merged(a, b).last, merged(a, b).still) == (1001, 1010, False)
    assert merged(STILL, STILL).still


def test_what_is_endless_has_no_range_of_its_own() -> None:
    endless = replace(CLIP, first=1, last=1, endless=True, width=20, space="lin_ap1")
    for a, b in ((endless, CLIP), (CLIP, endless)):
        result = merged(a, b)
        assert (result.first, result.last, result.rate, result.still, result.endless) == (1001, 1010, 24, False, False)
        assert (result.width, result.space) == (b.width, b.space)
    for a, b in ((endless, endless), (endless, STILL), (STILL, endless)):
        assert (merged(a, b).endless, merged(a, b).still) == (True, False)
    assert (merged(STILL, STILL).endless, merged(STILL, STILL).still) == (False, True)


def test_pixels_meet_pixels_where_sizes_are_equal() -> None:
    assert Merge().is_pointwise({"a": CLIP, "b": STILL})
    assert not Merge().is_pointwise({"a": CLIP, "b": replace(CLIP, height=10)})


def test_clips_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ArtifexError, match="1001 to 1010 and the background 2001 to 2010"):
        merged(CLIP, replace(CLIP, first=2001, last=2010))
    with pytest.raises(ArtifexError, match="24 frames a second and the background 25"):
        merged(CLIP, replace(CLIP, rate=Fraction(25)))
    with pytest.raises(ArtifexError, match="a ColorSpace node to ACEScg"):
        merged(replace(CLIP, space="ACEScct"), CLIP)
    assert merged(replace(CLIP, space="lin_ap1"), CLIP).space == "ACEScg"


@pytest.mark.parametrize("size", [(32, 20), (100, 30), (63, 47), (65, 100)])
def test_a_foreground_of_another_size_lies_in_the_middle(
    soft_picture: Callable[..., torch.Tensor], size: tuple[int, int]
) -> None:
    a, b = ImageBuffer(soft_picture(*size)), ImageBuffer(soft_picture(phase=3))
    result = Merge().render(FrameRequest(1), a=a, b=b).pixels
    left, top = (64 - size[0]) // 2, (48 - size[1]) // 2
    for y in range(48):
        for x in (0, 15, 31, 48, 63):
            inside = 0 <= y - top < size[1] and 0 <= x - left < size[0]
            expected = a.pixels[0, :, y - top, x - left] if inside else b.pixels[0, :, y, x]
            torch.testing.assert_close(result[0, :, y, x], expected)
    info = merged(replace(CLIP, width=size[0], height=size[1]), CLIP)
    assert (info.width, info.height) == (64, 48)


def test_an_over_of_two_sources_by_the_engine(graph: Callable, footage: Path, plate: tuple) -> None:
    clip = ("MediaInput", {"path": str(footage / "clip.mp4")}, {})
    both = graph(plate=plate, clip=clip, merge=("Merge", {}, {"a": "plate", "b": "clip"}))
    expected = blend.over(both.frame("plate", 1003).pixels, both.frame("clip", 1003).pixels)
    torch.testing.assert_close(both.frame("merge", 1003).pixels, expected)
