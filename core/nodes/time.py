"""Time nodes: which frames of a clip are shown when, and several of them as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import floor
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.kinds import FrameNode
from artifexpro.core.graph.node import Socket, parameter
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, SocketType, StreamInfo
from artifexpro.core.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

_VIDEO = (Socket("video", SocketType.VIDEO),)
_EARLIEST, _LATEST = -1_000_000, 100_000_000


class TimeOffset(FrameNode):
    """The same clip, earlier or later."""

    category: ClassVar[str] = "process"
    inputs: ClassVar[tuple[Socket, ...]] = _VIDEO
    example: ClassVar[Mapping[str, Any]] = {"by": 12}

    by: int = parameter(
        0, "Frames by which the clip comes later; below 0 it comes earlier.", minimum=_EARLIEST, maximum=-_EARLIEST,
        unit="frames",
    )  # fmt: skip

    def identity(self) -> str | None:
        return "video" if self.by == 0 else None

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        info = infos["video"]
        return replace(info, first=info.first + self.by, last=info.last + self.by)

    def needs(self, request: FrameRequest, infos: Mapping[str, StreamInfo]) -> Mapping[str, tuple[FrameRequest, ...]]:
        return {"video": (request.at(request.frame - self.by),)}

    def render(self, request: FrameRequest, video: ImageBuffer) -> ImageBuffer:
        return video


class TimeRemap(FrameNode):
    """Shows at each frame the frame of the clip that `frame` says, which is animated: slower, faster, backwards, held.

    Before the clip's first frame and after its last these two stand.
    """

    category: ClassVar[str] = "process"
    inputs: ClassVar[tuple[Socket, ...]] = _VIDEO
    example: ClassVar[Mapping[str, Any]] = {"frame": 1012.5, "between": "blend", "last": 1049}

    frame: float = parameter(
        1001.0, "Frame of the clip that is shown; animate it.", minimum=_EARLIEST, maximum=_LATEST, unit="frames",
        animatable=True,
    )  # fmt: skip
    between: Literal["nearest", "blend"] = parameter(
        "nearest", "What is shown between two frames: the nearer, or both, blended by how near they are."
    )
    first: int | None = parameter(
        None, "First frame of the result; empty is the clip's.", minimum=_EARLIEST, maximum=_LATEST, unit="frames"
    )
    last: int | None = parameter(
        None, "Last frame of the result; empty is the clip's.", minimum=_EARLIEST, maximum=_LATEST, unit="frames"
    )

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        info = infos["video"]
        first = info.first if self.first is None else self.first
        last = info.last if self.last is None else self.last
        if last < first:
            raise ArtifexError(
                f"show frames {first} to {last}", "that is before the first one", "a last frame from the first one on"
            )
        return replace(info, first=first, last=last)

    def needs(self, request: FrameRequest, infos: Mapping[str, StreamInfo]) -> Mapping[str, tuple[FrameRequest, ...]]:
        if self.between == "nearest":
            return {"video": (request.at(floor(self.frame + 0.5)),)}
        below = floor(self.frame)
        if self.frame == below:
            return {"video": (request.at(below),)}
        return {"video": (request.at(below), request.at(below + 1))}

    def render(self, request: FrameRequest, video: ImageBuffer | tuple[ImageBuffer, ...]) -> ImageBuffer:
        if isinstance(video, ImageBuffer):
            return video
        below, above = video
        return below.with_pixels(torch.lerp(below.pixels, above.pixels, self.frame - floor(self.frame)))


class FrameBlend(FrameNode):
    """The mean of each frame and its neighbours: motion blur, less noise where nothing moves. At the clip's ends the
    first or last frame counts for those that are not there."""

    category: ClassVar[str] = "process"
    inputs: ClassVar[tuple[Socket, ...]] = _VIDEO
    example: ClassVar[Mapping[str, Any]] = {"before": 1, "after": 2}

    before: int = parameter(1, "How many frames before.", minimum=0, maximum=64, unit="frames")
    after: int = parameter(1, "How many frames after.", minimum=0, maximum=64, unit="frames")

    def identity(self) -> str | None:
        return "video" if self.before == self.after == 0 else None

    def needs(self, request: FrameRequest, infos: Mapping[str, StreamInfo]) -> Mapping[str, tuple[FrameRequest, ...]]:
        return {"video": _window(request, self.before, self.after)}

    def render(self, request: FrameRequest, video: ImageBuffer | tuple[ImageBuffer, ...]) -> ImageBuffer:
        pictures = _several(video)
        total = pictures[0].pixels.to(torch.float32, copy=True)
        for picture in pictures[1:]:
            total += picture.pixels
        return pictures[0].with_pixels((total / len(pictures)).to(pictures[0].pixels.dtype))


class TemporalMedian(FrameNode):
    """The median over time of each channel of each pixel: takes away what is there for a frame only, such as dust,
    sparkle and single bad frames, without softening. At the clip's ends the end frame counts for those that are not
    there."""

    category: ClassVar[str] = "process"
    inputs: ClassVar[tuple[Socket, ...]] = _VIDEO
    example: ClassVar[Mapping[str, Any]] = {"reach": 2, "mix": 0.8}

    reach: int = parameter(1, "How many frames before and after count.", minimum=1, maximum=8, unit="frames")
    mix: float = parameter(1.0, "How much of the result shows.", minimum=0, maximum=1, animatable=True)

    def identity(self) -> str | None:
        return "video" if self.mix == 0 else None

    def needs(self, request: FrameRequest, infos: Mapping[str, StreamInfo]) -> Mapping[str, tuple[FrameRequest, ...]]:
        if self.mix == 0:
            return {"video": (request,)}
        return {"video": _window(request, self.reach, self.reach)}

    def render(self, request: FrameRequest, video: ImageBuffer | tuple[ImageBuffer, ...]) -> ImageBuffer:
        pictures = _several(video)
        here = pictures[len(pictures) // 2]
        if len(pictures) == 1:
            return here
        median = _median([picture.pixels for picture in pictures])
        return here.with_pixels(median if self.mix == 1 else torch.lerp(here.pixels, median, self.mix))


def _window(request: FrameRequest, before: int, after: int) -> tuple[FrameRequest, ...]:
    return tuple(request.at(frame) for frame in range(request.frame - before, request.frame + after + 1))


def _several(pictures: ImageBuffer | tuple[ImageBuffer, ...]) -> tuple[ImageBuffer, ...]:
    return (pictures,) if isinstance(pictures, ImageBuffer) else pictures


def _median(frames: list[Tensor]) -> Tensor:
    """By comparing neighbours until the middle is in its place, which for few frames takes a tenth of the time of
    sorting. What is not a number stays so."""
    sorting, middle = list(frames), len(frames) // 2
    for last in range(len(frames) - 1, middle - 1, -1):
        for at in range(last):
            one, other = sorting[at], sorting[at + 1]
            sorting[at], sorting[at + 1] = torch.minimum(one, other), torch.maximum(one, other)
    return sorting[middle]
