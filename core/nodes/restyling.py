"""Generators that make a clip of another one: its numbers and rate stay, and by default its shape and length."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

from artifexpro.core.graph.node import Socket, parameter
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, SocketType, StreamInfo
from artifexpro.core.nodes import material
from artifexpro.core.nodes.generators import STYLE, STYLE_STRENGTH, Style, _WanGenerator, made, read_frame
from artifexpro.core.nodes.material import Inputs
from artifexpro.core.wan22.given import Given
from artifexpro.core.wan22.request import LARGEST_FEATHER
from artifexpro.core.wan22.sources import Source


class _FromClip(_WanGenerator):
    """A clip made of another one, which decides on size, length, numbers and rate."""

    width: int = parameter(
        0, "Width of the clip; 0 follows the source's shape and the preset's size.", minimum=0, maximum=32768, unit="px"
    )
    height: int = parameter(
        0,
        "Height of the clip; 0 follows the source's shape and the preset's size.",
        minimum=0,
        maximum=32768,
        unit="px",
    )
    frames: int = parameter(
        0, "Frames from the source's beginning; 0 is all of it.", minimum=0, maximum=4093, unit="frames"
    )

    def provenance(self, models: Path) -> Mapping[str, Any]:
        """Without the numbers that the source decides on: the clip's own folder has those."""
        said = dict(super().provenance(models))
        own = {"frames": self.frames, "width": self.width, "height": self.height}
        said["spec"] = {name: value for name, value in said["spec"].items() if own.get(name, 1)}
        return said

    def more(self, infos: Mapping[str, StreamInfo]) -> Mapping[str, Any]:
        info = infos.get("video")
        return {} if info is None else {"source": Source(info.width, info.height, len(info), info.rate)}

    def first(self, infos: Mapping[str, StreamInfo]) -> int:
        return infos["video"].first

    def rate(self, infos: Mapping[str, StreamInfo]) -> Fraction:
        return infos["video"].rate

    def read(self, folder: Path, request: FrameRequest) -> ImageBuffer:
        return read_frame(folder, request, made(folder).first)


class StyleTransfer(_FromClip):
    """Makes a clip again in another style: by a prompt, a look by name, or both. It keeps its numbers and rate."""

    task: ClassVar[str] = "style"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)
    example: ClassVar[Mapping[str, Any]] = {"prompt": "a harbour at dusk", "style_preset": "watercolour", "seed": 7}

    style_preset: Style = parameter("none", STYLE)
    style_strength: float = parameter(1.0, STYLE_STRENGTH, minimum=0.0, maximum=1.0)
    strength: float = parameter(
        0.7, "How far from the source: 0.3 keeps nearly all of it, 1 nothing.", minimum=0.0, maximum=1.0
    )

    def more(self, infos: Mapping[str, StreamInfo]) -> Mapping[str, Any]:
        return {**super().more(infos), "style": self.style_preset, "strength": self.strength}

    def given(self, inputs: Inputs) -> Given:
        return Given(video=material.footage(inputs.get("video")))


class MaskedEdit(_FromClip):
    """Makes new what a mask covers of a clip, as the prompt says, and like a reference picture if one is connected."""

    task: ClassVar[str] = "edit"
    inputs: ClassVar[tuple[Socket, ...]] = (
        Socket("video", SocketType.VIDEO),
        Socket("mask", SocketType.MASK),
        Socket("reference", SocketType.IMAGE, optional=True),
    )
    example: ClassVar[Mapping[str, Any]] = {"prompt": "a red sports car", "feather": 12, "seed": 7}

    model: str = parameter("smoke-vace", 'The model, as "artifexpro models list" names it.')
    keep_outside: bool = parameter(
        True, "Lay the result over the source, so that nothing outside the mask changes at all."
    )
    feather: int = parameter(
        8,
        "Softness of the mask's edge, inwards, where the result lies over the source.",
        minimum=0,
        maximum=LARGEST_FEATHER,
        unit="px",
    )

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        mask, video = infos.get("mask"), infos["video"]
        if mask is not None and not (mask.still or mask.endless):
            material.check_same(mask, video)
        return super().describe(infos)

    def more(self, infos: Mapping[str, StreamInfo]) -> Mapping[str, Any]:
        return {**super().more(infos), "feather": self.feather if self.keep_outside else None}

    def given(self, inputs: Inputs) -> Given:
        reference = material.picture(inputs, "reference")
        video, mask = inputs["video"], inputs["mask"]
        return Given(
            video=material.footage(video),
            mask=material.footage(mask, like=video.info),
            references=() if reference is None else (reference,),
        )
