"""SMPTE timecode of a frame number, as EXR headers carry it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

MOST_FRAMES_A_SECOND = 40
"""Timecode has two bits for the tens of its frame digits."""


@dataclass(frozen=True, slots=True)
class Timecode:
    """Hours, minutes, seconds, frames; without dropped numbers."""

    hours: int
    minutes: int
    seconds: int
    frames: int

    @property
    def packed(self) -> int:
        """The 32 bit word of SMPTE ST 12-1 in the layout OpenEXR stores: two decimal digits a byte, hours first."""
        word = 0
        for value in (self.hours, self.minutes, self.seconds, self.frames):
            word = word << 8 | value // 10 << 4 | value % 10
        return word

    def __str__(self) -> str:
        return f"{self.hours:02d}:{self.minutes:02d}:{self.seconds:02d}:{self.frames:02d}"


def from_frame(frame: int, rate: Fraction) -> Timecode | None:
    """The timecode of frame number `frame` counted from 0 at midnight, without drop frame; None where timecode has no
    number for it: before 0, after a day, or more than 40 frames a second."""
    a_second = round(rate)
    if frame < 0 or not 0 < a_second <= MOST_FRAMES_A_SECOND or frame >= a_second * 86400:
        return None
    seconds, frames = divmod(frame, a_second)
    return Timecode(seconds // 3600, seconds // 60 % 60, seconds % 60, frames)
