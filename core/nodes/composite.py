"""Composite nodes: several pictures become one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.kinds import PointNode
from artifexpro.core.graph.node import Socket, parameter
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, SocketType, StreamInfo
from artifexpro.core.lazy import torch
from artifexpro.core.media import blend, color
from artifexpro.core.media.pixels import crop

if TYPE_CHECKING:
    from torch import Tensor


class Merge(PointNode):
    """Lays the foreground "a" over the background "b".

    The result has the background's size, with the foreground centred on it, and the frames that both have; a still
    stands on all frames. Both must be in one colour space and of one frame rate.
    """

    category: ClassVar[str] = "composite"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("a", SocketType.VIDEO), Socket("b", SocketType.VIDEO))
    example: ClassVar[Mapping[str, Any]] = {"mode": "screen", "mix": 0.5}

    mode: Literal["over", "add", "screen", "multiply"] = parameter(
        "over", "How colours meet: over, add (light adds up), screen (adds without exceeding white), multiply."
    )
    mix: float = parameter(
        1.0, "How much of the result shows: 0 is the background alone.", minimum=0, maximum=1, animatable=True
    )

    def identity(self) -> str | None:
        return "b" if self.mix == 0 else None

    def is_pointwise(self, infos: Mapping[str, StreamInfo]) -> bool:
        a, b = infos["a"], infos["b"]
        return (a.width, a.height) == (b.width, b.height)

    def needs(self, request: FrameRequest, infos: Mapping[str, StreamInfo]) -> Mapping[str, tuple[FrameRequest, ...]]:
        if self.is_pointwise(infos):
            return {"a": (request,), "b": (request,)}
        whole = replace(request, region=None)
        return {"a": (whole,), "b": (whole,)}

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        a, b = infos["a"], infos["b"]
        if not color.same(a.space, b.space):
            raise ArtifexError(
                "merge two clips",
                f"the foreground is in {a.space} and the background in {b.space}",
                f"a ColorSpace node to {b.space} before the foreground",
                code="color",
            )
        if any(info.still or info.endless for info in (a, b)):
            ranged = min((b, a), key=lambda info: (info.still, info.endless))
            return replace(
                ranged, width=b.width, height=b.height, space=b.space, still=a.still and b.still, endless=ranged.endless
            )
        if a.rate != b.rate:
            raise ArtifexError(
                "merge two clips",
                f"the foreground has {a.rate} frames a second and the background {b.rate}",
                "clips of one rate",
            )
        first, last = max(a.first, b.first), min(a.last, b.last)
        if first > last:
            raise ArtifexError(
                "merge two clips",
                f"the foreground has frames {a.first} to {a.last} and the background {b.first} to {b.last}",
                "clips with frames in common, by setting where one of them starts",
                code="range",
            )
        return replace(b, first=first, last=last)

    def point(self, a: ImageBuffer, b: ImageBuffer) -> ImageBuffer:
        merged = blend.MODES[self.mode](a.pixels, b.pixels)
        return b.with_pixels(merged if self.mix == 1 else torch.lerp(b.pixels, merged, self.mix))

    def render(self, request: FrameRequest, a: ImageBuffer, b: ImageBuffer) -> ImageBuffer:
        if a.size == b.size:
            return self.point(a, b)
        merged = self.point(a.with_pixels(_centred(a.pixels, b.size)), b)
        return merged.with_pixels(crop(merged.pixels, request.region))


def _centred(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """`pixels` in the middle of a transparent picture of `size`, cut where it is larger."""
    width, height = size
    left, top = (width - pixels.shape[3]) // 2, (height - pixels.shape[2]) // 2
    padding = (left, width - pixels.shape[3] - left, top, height - pixels.shape[2] - top)
    padded = torch.nn.functional.pad(pixels, padding)
    return padded.contiguous(memory_format=torch.channels_last)
