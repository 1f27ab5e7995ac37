"""The picture a clip starts from: the one under the playhead in the selected movie or image strip.

Only a file and a number leave Blender; the daemon opens the file. So the picture is the strip's media as it is on
disk, before crops, modifiers or anything below it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import strips


class NoPicture(Exception):
    """The strip cannot give a first picture; `str()` is a sentence for the artist."""


@dataclass(frozen=True)
class Picture:
    """Picture number `index`, counted from 0, of the movie `path`; or the still `path`, with `index` None."""

    path: str
    index: int | None


def picture_under(strip: Any, frame: int, absolute: Callable[[str], str]) -> Picture:
    """The picture `strip` shows at timeline frame `frame`; `absolute` resolves Blender's paths. Raises `NoPicture`."""
    if strip is None:
        raise NoPicture("No strip is selected. Select a movie or image strip, or turn off Start from Strip.")
    if strip.type not in ("MOVIE", "IMAGE"):
        raise NoPicture(f"The strip {strip.name} is neither a movie nor an image. Select one that is.")
    span = strips.span_of(strip)
    if not span.start <= frame < span.end:
        raise NoPicture(
            f"The playhead is not over the strip {strip.name}. Move it between {span.start} and {span.end - 1}."
        )
    if len(strip.retiming_keys):
        raise NoPicture(f"The strip {strip.name} is retimed: its picture is not one of the file. Select another clip.")
    offset = _trimmed(strip) + frame - strips.content_start(strip)
    if strip.use_reverse_frames:
        offset = _pictures(strip) - 1 - offset
    if strip.type == "MOVIE":
        return Picture(absolute(strip.filepath), max(0, offset))
    elements = strip.elements
    element = elements[min(max(0, offset), len(elements) - 1)]
    return Picture(absolute(strip.directory + element.filename), None)


def _trimmed(strip: Any) -> int:
    """Pictures cut off the start of the file itself (hold and trim offsets in the strip come on top)."""
    return int(strip.content_trim_start if hasattr(strip, "content_trim_start") else strip.animation_offset_start)


def _pictures(strip: Any) -> int:
    return int(strip.content_duration if hasattr(strip, "content_duration") else strip.frame_duration)
