"""Where a clip goes on the timeline: decided once, when the artist presses Generate.

Blender's data API lets two strips lie on top of each other on one channel without a word, so a free place is
looked for here, over plain numbers: strips that are there, and places promised to clips still being made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

TOP_CHANNEL = 128
"""Blender's sequencer has channels 1 to 128."""


class NoRoom(Exception):
    """No channel is free over the whole range; `str()` is a sentence for the artist."""


@dataclass(frozen=True)
class Span:
    """A stretch of one channel: frames from `start` up to, but not including, `end`."""

    channel: int
    start: int
    end: int

    def meets(self, other: Span) -> bool:
        return self.channel == other.channel and self.start < other.end and other.start < self.end

    @classmethod
    def of(cls, place: Mapping[str, Any]) -> Span:
        """The span that `as_place` froze."""
        return cls(place["channel"], place["start"], place["start"] + place["length"])

    def as_place(self) -> dict[str, Any]:
        """The span as a job keeps it."""
        return {"channel": self.channel, "start": self.start, "length": self.length}

    @property
    def length(self) -> int:
        return self.end - self.start

    def on(self, channel: int) -> Span:
        return Span(channel, self.start, self.end)


def free_place(wanted: Span, taken: Iterable[Span], closed: Collection[int] = ()) -> Span:
    """`wanted` on its own channel, or on the nearest one above it where it meets nothing.

    `closed` are channels that are locked or muted: a clip put there could not be seen or moved. Raises `NoRoom`.
    """
    spans = tuple(taken)
    for channel in range(max(1, wanted.channel), TOP_CHANNEL + 1):
        place = wanted.on(channel)
        if channel not in closed and not any(place.meets(span) for span in spans):
            return place
    raise NoRoom(
        f"Frames {wanted.start} to {wanted.end - 1} are taken on every channel from {wanted.channel} "
        f"up to {TOP_CHANNEL}. Move the playhead, or free a channel."
    )
