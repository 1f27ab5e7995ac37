"""Exact frames out of OpenTimelineIO's floating point times."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

from artifexpro.core.errors import ArtifexError

Moment = int | Fraction
"""A time in frames: a whole number wherever it falls on a frame."""

_TOLERANCE = 0.005
"""By how much programs miss a rate over 1001 that they write with two or three decimals: 23.98 is 24000/1001."""
_WHOLE = 1e-6
"""How near to a frame a time must be to be that frame: floating point leaves such rests."""
_FINEST = 10_000


@lru_cache(maxsize=256)
def exact(rate: float) -> Fraction:
    """The frame rate that a floating point number stands for: 23.976, 23.98 and 23.976023976 are 24000/1001.

    Raises `ArtifexError` for what is no rate.
    """
    if not math.isfinite(rate) or rate <= 0:
        raise _damaged(f"a time in it has {rate:g} frames a second")
    above = math.ceil(rate)
    if above >= 10 and abs(rate - above * 1000 / 1001) < _TOLERANCE:
        return Fraction(above * 1000, 1001)
    return Fraction(rate).limit_denominator(1001)


def whole(time: Any, rate: Fraction) -> Moment:
    """An OpenTimelineIO time in frames at `rate`. Raises `ArtifexError` for what is no time."""
    value = time.value
    if not math.isfinite(value):
        raise _damaged(f"a time in it is {value:g}")
    nearest = round(value)
    frames: Moment = nearest if abs(value - nearest) < _WHOLE else Fraction(value).limit_denominator(_FINEST)
    if not frames:
        return 0
    own = exact(time.rate)
    return frames if own == rate else tidy(frames * rate / own)


def tidy(moment: Moment) -> Moment:
    """The same moment, as a whole number where it is one."""
    return moment.numerator if moment.denominator == 1 else moment


def _damaged(because: str) -> ArtifexError:
    return ArtifexError("read the timeline", because, "exporting the timeline again", code="damaged")
