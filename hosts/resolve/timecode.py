"""Timecode and rates as Resolve writes them, over whole frames and exact fractions."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

_WRITTEN = re.compile(r"(\d{2}):(\d{2}):(\d{2})([:;])(\d{2,3})")
_NEAR = 0.01


def rate_of(written: Any) -> Fraction:
    """The exact rate behind "23.976", 29.97 or "29.97 DF". Raises `ValueError`."""
    number = float(str(written).replace("DF", "").strip())
    whole = round(number)
    if whole < 1:
        raise ValueError(f"{written} frames a second")
    if abs(number - whole) < 1e-6:
        return Fraction(whole)
    drop = Fraction(round(number * 1.001) * 1000, 1001)
    if abs(float(drop) - number) < _NEAR:
        return drop
    return Fraction(number).limit_denominator(1001)


def is_drop(timecode: str) -> bool:
    """Whether a timecode skips numbers: then its frames stand behind a semicolon."""
    return ";" in timecode


def frame_of(timecode: str, rate: Fraction) -> int:
    """Absolute frame number of "01:00:00:00", or of the drop-frame "01:00:00;00". Raises `ValueError`."""
    found = _WRITTEN.fullmatch(timecode.strip())
    if found is None:
        raise ValueError(f"{timecode} is no timecode")
    hours, minutes, seconds, frames = (int(found[group]) for group in (1, 2, 3, 5))
    a_second = round(rate)
    number = ((hours * 60 + minutes) * 60 + seconds) * a_second + frames
    if found[4] == ":":
        return number
    minute = hours * 60 + minutes
    return number - _dropped(a_second) * (minute - minute // 10)


def timecode_of(frame: int, rate: Fraction, drop: bool) -> str:
    """The timecode of an absolute frame."""
    a_second = round(rate)
    if drop:
        frame += _numbers_skipped(frame, a_second)
    seconds, frames = divmod(frame, a_second)
    mark = ";" if drop else ":"
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{mark}{frames:02d}"


def _dropped(a_second: int) -> int:
    """Numbers left out at the start of each minute that is not a tenth one: 2 at 30 frames a second, 4 at 60."""
    return a_second // 15


def _numbers_skipped(frame: int, a_second: int) -> int:
    skip = _dropped(a_second)
    minute = a_second * 60 - skip
    tens, rest = divmod(frame, minute * 10 + skip)
    return skip * (9 * tens + (max(0, rest - skip) // minute))
