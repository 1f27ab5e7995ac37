"""Composite nodes: several pictures become one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.node import FrameNode, Socket, parameter
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, SocketType, StreamInfo
from artifexpro.core.lazy import torch
from artifexpro.core.media import blend, color
from artifexpro.core.media.pixels import crop

if TYPE_CHECKING:
    from torch import Tensor


class Merge(FrameNode):
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

    def needs(self, request: FrameRequest, infos: Mapping[str, StreamInfo]) -> Mapping[str, tuple[FrameRequest, ...]]:
        a, b = infos["a"], infos["b"]
        if (a.width, a.height) == (b.width, b.height):
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
        if a.still or b.still:
            moving = a if b.still else b
            return replace(b, first=moving.first, last=moving.last, rate=moving.rate, still=moving.still)
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

    def render(self, request: FrameRequest, **inputs: ImageBuffer) -> ImageBuffer:
        a, b = inputs["a"], inputs["b"]
        cut = a.size != b.size
        background = b.pixels
        merged = blend.MODES[self.mode](_centred(a.pixels, b.size) if cut else a.pixels, background)
        pixels = merged if self.mix == 1 else torch.lerp(background, merged, self.mix)
        return b.with_pixels(crop(pixels, request.region) if cut else pixels)


def _centred(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """`pixels` in the middle of a transparent picture of `size`, cut where it is larger."""
    width, height = size
    left, top = (width - pixels.shape[3]) // 2, (height - pixels.shape[2]) // 2
    padding = (left, width - pixels.shape[3] - left, top, height - pixels.shape[2] - top)
    padded = torch.nn.functional.pad(pixels, padding)
    return padded.contiguous(memory_format=torch.channels_last)
