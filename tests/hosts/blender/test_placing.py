"""A clip never lands on another: checked over random timelines and by hand at the edges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifexpro.hosts.blender.placing import TOP_CHANNEL, NoRoom, Span, free_place

SPANS = st.builds(
    lambda channel, start, length: Span(channel, start, start + length),
    st.integers(1, 6),
    st.integers(-50, 50),
    st.integers(1, 40),
)


@given(wanted=SPANS, taken=st.lists(SPANS, max_size=20), closed=st.sets(st.integers(1, 6)))
def test_the_place_is_free_open_and_the_lowest_one(wanted: Span, taken: list[Span], closed: set[int]) -> None:
    place = free_place(wanted, taken, closed)
    assert (place.start, place.end) == (wanted.start, wanted.end)
    assert place.channel >= wanted.channel and place.channel not in closed
    assert not any(place.meets(span) for span in taken)
    for channel in range(wanted.channel, place.channel):
        assert channel in closed or any(wanted.on(channel).meets(span) for span in taken)


@pytest.mark.parametrize(
    ("start", "end", "meets"), [(0, 10, False), (0, 11, True), (20, 30, False), (19, 30, True), (12, 15, True)]
)
def test_strips_may_touch_but_not_meet(start: int, end: int, meets: bool) -> None:
    assert Span(2, 10, 20).meets(Span(2, start, end)) is meets
    assert not Span(1, 10, 20).meets(Span(2, start, end))


def test_a_full_timeline_is_told_in_a_sentence() -> None:
    taken = [Span(channel, 0, 100) for channel in range(1, TOP_CHANNEL + 1)]
    with pytest.raises(NoRoom, match="Frames 10 to 19 are taken on every channel from 3 up to 128"):
        free_place(Span(3, 10, 20), taken)


def test_a_job_keeps_its_place() -> None:
    span = Span(2, 10, 51)
    assert span.as_place() == {"channel": 2, "start": 10, "length": 41}
    assert Span.of(span.as_place()) == span
