"""The arithmetic of a film that is made clip by clip: sizes, numbers of clips, which frames stay.

The network makes 80 frames (20 latent ones) at a time. A clip goes on from the 73 frames before it; the first one has
none, its first three frames are not shown (the reference throws them away), and so its sound starts three frames early:
frame n of the film shows what is heard at n / 16 s. The reference leaves the sound where it was and is three frames
late. Source: `WanS2V.generate` and `get_size_less_than_area` in Wan-Video/Wan2.2, wan/speech2video.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22.catalogue import Speech

_SCALES = 100
_SMALLEST = 0.1


@dataclass(frozen=True, slots=True)
class Part:
    """One clip of a film.

    `first` and `last` number its shown frames in the film; `skipped` of the decoded ones before them are not shown:
    what the clip goes on from, and the lead-in of a first clip.
    """

    number: int
    first: int
    last: int
    skipped: int


def parts(frames: int, speech: Speech, from_picture: bool) -> tuple[Part, ...]:
    """The clips that make a film of `frames` frames. `from_picture`: its first frame goes on from the picture."""
    lead = 0 if from_picture else speech.lead
    made = []
    for number in range(-(-(frames + lead) // speech.clip_frames)):
        begin = number * speech.clip_frames - lead
        goes_on = number > 0 or from_picture
        skipped = speech.past_frames if goes_on else 1 + lead
        made.append(Part(number, max(begin, 0), min(begin + speech.clip_frames, frames) - 1, skipped))
    return tuple(made)


def size_within(width: int, height: int, area: int, multiple: int) -> tuple[int, int]:
    """(width, height) for a picture of `width` x `height` pixels: its shape, in multiples of `multiple`, as large as
    `area` pixels allow and no larger than the picture rounded up.

    Raises `ArtifexError` (code "image") for a picture too narrow for that.
    """
    if height * width <= area:
        smallest, largest = _SMALLEST, 1.0
    else:
        edge = multiple - 1
        slope = edge * (height + width)
        pixels = height * width
        smallest = (math.sqrt(slope**2 - 2 * pixels * (edge**2 - area)) - slope) / (2 * pixels)
        largest = math.sqrt(area / pixels)
    for step in range(_SCALES):
        scale = largest - (largest - smallest) * step / _SCALES
        size = _rounded_up(int(width * scale), multiple), _rounded_up(int(height * scale), multiple)
        if size[0] * size[1] <= area and 0 not in size:
            return size
    raise ArtifexError(
        f"make a film from a picture of {width} x {height} pixels",
        f"no size of that shape in multiples of {multiple} pixels has at most {area:,} pixels",
        "a picture that is less narrow, or a width and height of your own",
        code="image",
    )


def _rounded_up(side: int, multiple: int) -> int:
    return -(-side // multiple) * multiple
