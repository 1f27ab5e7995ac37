"""Timecode of frame numbers."""

from __future__ import annotations

from fractions import Fraction

import pytest

from artifexpro.core.media.timecode import from_frame


@pytest.mark.parametrize(
    ("frame", "rate", "text", "packed"),
    [
        (0, Fraction(24), "00:00:00:00", 0),
        (1001, Fraction(24), "00:00:41:17", 0x00004117),
        (86400, Fraction(24), "01:00:00:00", 0x01000000),
        (1001, Fraction(24000, 1001), "00:00:41:17", 0x00004117),
        (107892, Fraction(30000, 1001), "00:59:56:12", 0x00595612),
    ],
)
def test_a_frame_has_its_timecode(frame: int, rate: Fraction, text: str, packed: int) -> None:
    timecode = from_frame(frame, rate)
    assert timecode is not None
    assert str(timecode) == text
    assert timecode.packed == packed


@pytest.mark.parametrize(("frame", "rate"), [(-1, Fraction(24)), (24 * 86400, Fraction(24)), (10, Fraction(48))])
def test_what_timecode_cannot_say_has_none(frame: int, rate: Fraction) -> None:
    assert from_frame(frame, rate) is None
