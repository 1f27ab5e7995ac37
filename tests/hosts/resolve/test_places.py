"""Places, rates and timecode: plain numbers, held against OpenTimelineIO where it has an answer."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest

from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.resolve import placing
from artifexpro.hosts.resolve.placing import Span
from artifexpro.hosts.resolve.timecode import frame_of, is_drop, rate_of, timecode_of
from artifexpro.hosts.resolve.wishes import Wish
from tests.hosts.resolve.standin import clock

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("written", "rate"),
    [
        ("24", Fraction(24)),
        (25.0, Fraction(25)),
        ("23.976", Fraction(24000, 1001)),
        (23.976023, Fraction(24000, 1001)),
        ("29.97 DF", NTSC),
        ("47.952", Fraction(48000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("119.88", Fraction(120000, 1001)),
        ("12.5", Fraction(25, 2)),
    ],
)
def test_rates_are_exact(written: Any, rate: Fraction) -> None:
    assert rate_of(written) == rate


@pytest.mark.parametrize("written", ["", "fast", "0", "-24"])
def test_what_is_no_rate_is_refused(written: str) -> None:
    with pytest.raises(ValueError):
        rate_of(written)


@pytest.mark.parametrize(
    ("rate", "drop"),
    [(Fraction(24), False), (Fraction(24000, 1001), False), (NTSC, True), (NTSC, False), (Fraction(60000, 1001), True)],
)
def test_timecode_is_that_of_opentimelineio_there_and_back(rate: Fraction, drop: bool) -> None:
    around = [
        base + step for base in (0, 1798, 1800, 17982, 107892, 109692) for step in range(-4, 5) if base + step >= 0
    ]
    for frame in (*around, *random.Random(1).sample(range(2_000_000), 400)):
        written = timecode_of(frame, rate, drop)
        assert written == clock.timecode(frame, rate, drop)
        assert frame_of(written, rate) == frame and is_drop(written) is drop


@pytest.mark.parametrize("written", ["", "1:2:3:4", "01:00:00", "aa:bb:cc:dd"])
def test_what_is_no_timecode_is_refused(written: str) -> None:
    with pytest.raises(ValueError):
        frame_of(written, Fraction(24))


def test_a_free_place_is_the_nearest_track_above_that_is_free_and_open() -> None:
    taken = [Span(1, 0, 10), Span(3, 5, 6)]
    assert placing.free_place(Span(1, 2, 8), taken, (), 3) == Span(2, 2, 8)
    assert placing.free_place(Span(1, 2, 8), taken, (2,), 3) == Span(4, 2, 8)
    assert placing.free_place(Span(1, 10, 12), taken, (), 3) == Span(1, 10, 12)
    assert placing.free_place(Span(1, 2, 8), [*taken, Span(4, 0, 9)], (2,), 3) == Span(5, 2, 8), "promised there"


@pytest.mark.parametrize(
    ("locked", "taken", "said"), [((1,), (), "locked"), ((), (Span(1, 9, 20),), "a clip is there")]
)
def test_a_chosen_place_is_that_or_none(locked: Any, taken: Any, said: str) -> None:
    with pytest.raises(BridgeError, match=said):
        placing.chosen_place(Span(1, 0, 10), taken, locked)
    assert placing.chosen_place(Span(1, 0, 9), [Span(1, 9, 20)], ()) == Span(1, 0, 9)


def test_gaps_end_where_clips_begin() -> None:
    taken = [Span(1, 10, 20), Span(1, 30, 40), Span(2, 0, 100)]
    assert placing.gap_at(1, 25, taken, 0) == Span(1, 20, 30)
    assert placing.gap_at(1, 5, taken, 3) == Span(1, 3, 10)
    for frame, said in ((15, "on a clip"), (50, "no clip comes after")):
        with pytest.raises(BridgeError, match=said):
            placing.gap_at(1, frame, taken, 0)


def test_pictures_and_frames_of_two_rates() -> None:
    """What is reserved always holds what is shown, and what fits never takes more than there is."""
    rates = [Fraction(16), Fraction(24), Fraction(24000, 1001), Fraction(25), NTSC, Fraction(60)]
    for made in rates:
        for rate in rates:
            for count in range(1, 60):
                assert 0 <= placing.reserved(count, made, rate) - placing.shown(count, made, rate) <= 1
                pictures = placing.pictures_for(count, made, rate)
                assert placing.reserved(pictures, made, rate) >= count
                assert placing.shown(placing.fitting(pictures, count, made, rate), made, rate) <= max(
                    count, rate / made
                )
    assert placing.shown(41, Fraction(24), Fraction(24000, 1001)) == 40
    assert placing.reserved(41, Fraction(24), Fraction(24000, 1001)) == 41


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ({"prompt": " "}, "the prompt is empty"),
        ({"prompt": "a", "kind": "dream"}, 'there is no kind "dream"'),
        ({"prompt": "a", "preset": "Huge"}, 'there is no preset "Huge"'),
        ({"prompt": "a", "lenght": 5}, "wishes have no lenght"),
        ({"prompt": "a", "frames": "many"}, "'many' is no value for frames"),
        ({"prompt": "a", "frames": 2.5}, "2.5 is no value for frames"),
        ({"prompt": "a", "frames": True}, "True is no value for frames"),
        ({"prompt": "a", "handles": -1}, "counted from 0"),
        ({"prompt": "a", "track": 0}, "counted from 0"),
        ({"prompt": "a", "made": "x"}, "'x' is no value for made"),
        ({"prompt": 3}, "3 is no value for prompt"),
        ({"prompt": "a", "kind": "gap", "frames": 9}, "frames would do nothing for a gap"),
        ({"prompt": "a", "kind": "take", "handles": 8, "track": 2}, "handles, track would do nothing for a take"),
        ({"kind": "look", "prompt": "warm"}, "prompt would do nothing for a look"),
        ({"prompt": "a", "at": "01:00:02:00"}, "at would do nothing for a clip"),
    ],
)
def test_wishes_that_cannot_be_are_refused(said: dict[str, Any], because: str) -> None:
    with pytest.raises(BridgeError) as refusal:
        Wish.of(said)
    assert because in refusal.value.sentence() and refusal.value.sentence().startswith("Attempted to")


def test_a_wish_takes_numbers_as_json_and_lua_write_them() -> None:
    wish = Wish.of({"prompt": "a", "frames": 5.0, "made": "24000/1001", "track": None})
    assert (wish.frames, wish.made, wish.track) == (5, Fraction(24000, 1001), None)
    assert Wish.of({"prompt": "a", "kind": "take", "strength": 1}).strength == 1
