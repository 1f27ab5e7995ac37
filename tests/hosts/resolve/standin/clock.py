"""Timecode of the stand-in, by OpenTimelineIO: another one than the adapter's, so that each checks the other."""

from __future__ import annotations

from fractions import Fraction

import opentimelineio as otio

LABELS = {"23.976": Fraction(24000, 1001), "29.97": Fraction(30000, 1001), "59.94": Fraction(60000, 1001)}


def rate_of(label: str) -> Fraction:
    """The exact rate behind what Resolve calls it."""
    plain = label.replace(" DF", "")
    return LABELS.get(plain) or Fraction(plain)


def label_of(rate: Fraction) -> str:
    return next((label for label, exact in LABELS.items() if exact == rate), str(rate))


def timecode(frame: int, rate: Fraction, drop: bool) -> str:
    time = otio.opentime.RationalTime(frame, float(rate))
    return str(otio.opentime.to_timecode(time, float(rate), drop))


def frame(text: str, rate: Fraction) -> int:
    return round(otio.opentime.from_timecode(text, float(rate)).value)
