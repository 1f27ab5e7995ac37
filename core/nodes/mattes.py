"""Matte nodes: coverage taken from pictures, put together, and used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.kinds import PointNode
from artifexpro.core.graph.node import Socket, parameter
from artifexpro.core.graph.values import WORKING_SPACE, ImageBuffer, MaskChannel, SocketType, StreamInfo
from artifexpro.core.lazy import torch
from artifexpro.core.media import color
from artifexpro.core.media.grade import AP1_LUMINANCE

_MASK = (Socket("out", SocketType.MASK),)
_CHANNELS = {"red": 0, "green": 1, "blue": 2, "alpha": 3}


class MatteFrom(PointNode):
    """One channel of a clip, or its luminance, as a matte. What is below 0 or above 1 is cut off there.

    Luminance is that of the working space, ACEScg; a clip in another space is refused.
    """

    category: ClassVar[str] = "matte"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)
    outputs: ClassVar[tuple[Socket, ...]] = _MASK
    example: ClassVar[Mapping[str, Any]] = {"channel": "red"}

    channel: Literal["alpha", "luminance", "red", "green", "blue"] = parameter("luminance", "What becomes coverage.")

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        info = infos["video"]
        if self.channel == "luminance":
            check_space(info, "make a matte from luminance")
        return replace(info, space=WORKING_SPACE)

    def point(self, video: ImageBuffer) -> MaskChannel:
        if self.channel == "luminance":
            found = luminance(video.pixels)
        else:
            at = _CHANNELS[self.channel]
            found = video.pixels[:, at : at + 1]
        return MaskChannel(found.clamp(0, 1).contiguous(memory_format=torch.channels_last))


class InvertMatte(PointNode):
    """What was covered becomes bare, and the other way round."""

    category: ClassVar[str] = "matte"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("matte", SocketType.MASK),)
    outputs: ClassVar[tuple[Socket, ...]] = _MASK
    example: ClassVar[Mapping[str, Any]] = {"amount": 0.5}

    amount: float = parameter(
        1.0, "How much of the inverted matte: 0 is as it was, 0.5 grey all over.", minimum=0, maximum=1, animatable=True
    )

    def identity(self) -> str | None:
        return "matte" if self.amount == 0 else None

    def point(self, matte: MaskChannel) -> MaskChannel:
        return matte.with_pixels(self.amount + matte.pixels * (1 - 2 * self.amount))


class CombineMattes(PointNode):
    """Two mattes made into one."""

    category: ClassVar[str] = "matte"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("a", SocketType.MASK), Socket("b", SocketType.MASK))
    outputs: ClassVar[tuple[Socket, ...]] = _MASK
    example: ClassVar[Mapping[str, Any]] = {"operation": "subtract"}

    operation: Literal["union", "intersect", "subtract"] = parameter(
        "union", "What is covered: where a or b is, where both are, where a is and b is not."
    )

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        return together(infos["a"], infos["b"], "combine two mattes")

    def point(self, a: MaskChannel, b: MaskChannel) -> MaskChannel:
        if self.operation == "union":
            return a.with_pixels(a.pixels + b.pixels - a.pixels * b.pixels)
        if self.operation == "intersect":
            return a.with_pixels(a.pixels * b.pixels)
        return a.with_pixels(a.pixels - a.pixels * b.pixels)


class ApplyMatte(PointNode):
    """Leaves of a clip what a matte covers: colour and alpha are multiplied by it."""

    category: ClassVar[str] = "matte"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO), Socket("matte", SocketType.MASK))
    example: ClassVar[Mapping[str, Any]] = {"amount": 0.8}

    amount: float = parameter(
        1.0, "How much the matte counts: 0 leaves the clip whole.", minimum=0, maximum=1, animatable=True
    )

    def identity(self) -> str | None:
        return "video" if self.amount == 0 else None

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        return together(infos["video"], infos["matte"], "put a matte on a clip")

    def point(self, video: ImageBuffer, matte: MaskChannel) -> ImageBuffer:
        kept = matte.pixels if self.amount == 1 else 1 - self.amount + self.amount * matte.pixels
        return video.with_pixels(video.pixels * kept)


def luminance(pixels: torch.Tensor) -> torch.Tensor:
    """(1, 1, H, W): the luminance of (1, 4, H, W) premultiplied pixels in ACEScg, seen on black."""
    red, green, blue = AP1_LUMINANCE
    return red * pixels[:, 0:1] + green * pixels[:, 1:2] + blue * pixels[:, 2:3]


def check_space(info: StreamInfo, attempted: str) -> None:
    """Refuse a clip whose luminance is not that of the working space. Raises `ArtifexError`."""
    if not color.same(info.space, WORKING_SPACE):
        raise ArtifexError(
            attempted,
            f"the clip is in {info.space}, whose numbers are not light in {WORKING_SPACE}",
            f"a ColorSpace node to {WORKING_SPACE} before it",
            code="color",
        )


def together(one: StreamInfo, other: StreamInfo, attempted: str) -> StreamInfo:
    """What two pictures of one size are together: of the frames both have, a still standing on all; else as `one`.
    Raises `ArtifexError` where sizes or rates differ or no frame is in both."""
    if (one.width, one.height) != (other.width, other.height):
        raise ArtifexError(
            attempted,
            f"one has {one.width} x {one.height} pixels and the other {other.width} x {other.height}",
            "a Transform2D or crop before the matte is made, so that they have one size",
        )
    moving = [info for info in (one, other) if not (info.still or info.endless)]
    if not moving:
        still = one.still and other.still
        return replace(one, still=still, endless=not still)
    if len(moving) == 1:
        (clip,) = moving
        return replace(one, first=clip.first, last=clip.last, rate=clip.rate, still=False, endless=False)
    if one.rate != other.rate:
        raise ArtifexError(
            attempted, f"one has {one.rate} frames a second and the other {other.rate}", "clips of one rate"
        )
    first, last = max(one.first, other.first), min(one.last, other.last)
    if first > last:
        raise ArtifexError(
            attempted,
            f"one has frames {one.first} to {one.last} and the other {other.first} to {other.last}",
            "a TimeOffset node, so that they have frames in common",
            code="range",
        )
    return replace(one, first=first, last=last)
