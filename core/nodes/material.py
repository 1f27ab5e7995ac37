"""Streams as the models take them: pictures and clips in display-referred sRGB, mattes as coverage, read when asked;
sound as one channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.values import AudioStream, ImageBuffer, MaskStream, Picture, StreamInfo, VideoStream
from artifexpro.core.lazy import torch
from artifexpro.core.media import color
from artifexpro.core.media.sound import resampled
from artifexpro.core.wan22.footage import Footage

Inputs = Mapping[str, Any]
"""A stream by wired socket."""
_READ_AT_ONCE = 10
"""Seconds of sound."""


def picture(inputs: Inputs, name: str) -> torch.Tensor | None:
    """The first picture of an input, as `shown` has it; None where nothing is connected."""
    stream = inputs.get(name)
    return None if stream is None else _shown(stream, stream.info.first)


def footage(stream: VideoStream | MaskStream | None, like: StreamInfo | None = None) -> Footage | None:
    """A stream frame by frame, read when asked. A still stands for all frames; what has no range of its own takes that
    of `like`."""
    if stream is None:
        return None
    info = like if stream.info.endless and like is not None else stream.info
    channels = 1 if isinstance(stream, MaskStream) else 3
    frames = 1 if info.still else len(info)
    size = stream.info.width, stream.info.height
    return Footage(frames, *size, lambda index: _shown(stream, info.first + index), channels)


def paced(stream: VideoStream | None, rate: Fraction) -> Footage | None:
    """A stream at `rate` frames a second, whatever its own: each frame is the one that is seen at that time."""
    own = footage(stream)
    if stream is None or own is None or own.frames == 1:
        return own
    faster = stream.info.rate / rate
    frames = -int(-own.frames / faster // 1)
    return replace(own, frames=frames, frame=lambda index: own.frame(int(index * faster)))


def sound(stream: AudioStream, rate: int) -> torch.Tensor:
    """All of a sound, (samples,) float32 at `rate`: the mean of its channels."""
    info, step = stream.info, _READ_AT_ONCE * stream.info.rate
    pieces = (stream.pull(at, min(step, info.length - at)).mean(dim=0) for at in range(0, info.length, step))
    return resampled(pieces, info.rate, rate)


def _shown(stream: VideoStream | MaskStream, frame: int) -> torch.Tensor:
    return shown(stream.frame(frame))


def shown(picture: Picture) -> torch.Tensor:
    """A picture as the model sees it: (H, W, 3), display-referred sRGB in 0..1, transparent parts on black; of a matte
    its coverage, (H, W, 1). What is no number stays none."""
    if isinstance(picture, ImageBuffer):
        pixels = color.transform(picture.pixels, picture.space, color.DISPLAY)[:, :3]
    else:
        pixels = picture.pixels
    return pixels[0].clamp(0, 1).permute(1, 2, 0).contiguous()


def check_same(mask: StreamInfo, video: StreamInfo) -> None:
    """Refuse a mask that moves otherwise than the clip. Raises `ArtifexError`."""
    if (mask.width, mask.height) != (video.width, video.height):
        because = f"the mask is {mask.width} x {mask.height} pixels and the clip {video.width} x {video.height}"
        remedy = "a mask of the clip's size"
    elif (mask.first, mask.last) != (video.first, video.last):
        because = f"the mask has frames {mask.first} to {mask.last} and the clip {video.first} to {video.last}"
        remedy = "a mask of the clip's frames, or a still"
    else:
        return
    raise ArtifexError("edit the clip inside the mask", because, remedy, code="image")
