"""The pictures of a timeline, for what is rendered out of it: real files, decoded and written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
from OpenImageIO import ImageBuf, ImageOutput, ImageSpec

from tests.hosts.resolve.standin.state import Clip, Edit

EMPTY = (36, 64, 3)


def of_frame(edit: Edit, frame: int) -> Any:
    """(H, W, 3) float32 of the uppermost clip at an absolute frame; black where there is none."""
    for track in reversed(edit.video):
        for item in track.items:
            if track.enabled and item.enabled and item.clip is not None and item.start <= frame < item.end:
                return of_clip(item.clip, item.source + int((frame - item.start) * item.clip.rate / edit.rate))
    return np.zeros(EMPTY, np.float32)


def of_clip(clip: Clip, index: int) -> Any:
    if "%" in clip.path:
        return _still(clip.path % (clip.first + index))
    if clip.frames == 1:
        return _still(clip.path)
    with av.open(clip.path) as movie:
        for number, frame in enumerate(movie.decode(video=0)):
            if number == index:
                return frame.to_ndarray(format="rgb24").astype(np.float32) / 255
    raise LookupError(f"{clip.path} has no picture {index}")


def write(path: Path, pixels: Any) -> None:
    if not path.parent.is_dir():
        raise FileNotFoundError(path.parent)
    height, width, channels = pixels.shape
    kind = "half" if path.suffix == ".exr" else "uint8"
    out = ImageOutput.create(str(path))
    out.open(str(path), ImageSpec(width, height, channels, kind))
    out.write_image(np.ascontiguousarray(pixels))
    out.close()


def _still(path: str) -> Any:
    return np.asarray(ImageBuf(path).get_pixels("float"))[:, :, :3]
