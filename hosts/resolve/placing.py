"""Where a clip goes: decided once, when the artist asks for it.

Resolve drops what it is told to put onto another clip, without a word, so free places are looked for here, over plain
numbers: clips that are there, and places promised to clips still being made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fractions import Fraction

from ..bridge.errors import BridgeError


@dataclass(frozen=True)
class Span:
    """A stretch of one video track: frames from `start` up to, but not including, `end`."""

    track: int
    start: int
    end: int

    def meets(self, other: Span) -> bool:
        return self.track == other.track and self.start < other.end and other.start < self.end

    @property
    def length(self) -> int:
        return self.end - self.start

    def on(self, track: int) -> Span:
        return Span(track, self.start, self.end)


def free_place(wanted: Span, taken: Iterable[Span], closed: Collection[int], tracks: int) -> Span:
    """`wanted` on its own track or the nearest one above where it meets nothing; one above `tracks` is a new one."""
    spans = tuple(taken)
    for track in range(max(1, wanted.track), tracks + 1):
        place = wanted.on(track)
        if track not in closed and not any(place.meets(span) for span in spans):
            return place
    promised = max((span.track for span in spans), default=0)
    above = range(tracks + 1, max(tracks, promised) + 2)
    return next(wanted.on(track) for track in above if not any(wanted.on(track).meets(span) for span in spans))


def chosen_place(wanted: Span, taken: Iterable[Span], locked: Collection[int]) -> Span:
    """`wanted`, on that track and no other. Raises `BridgeError` where the track is locked or the place taken."""
    if wanted.track in locked:
        raise _refused(wanted, f"track V{wanted.track} is locked", "unlocking it, or another track")
    if any(wanted.meets(span) for span in taken):
        because = f"a clip is there, or one is on its way there, within {wanted.length} frames"
        raise _refused(wanted, because, "another track, or the playhead elsewhere")
    return wanted


def gap_at(track: int, frame: int, taken: Iterable[Span], start: int) -> Span:
    """The gap of `track` around `frame`. Raises `BridgeError` where a clip is there, or none comes after it."""
    spans = [span for span in taken if span.track == track]
    if any(span.start <= frame < span.end for span in spans):
        raise _no_gap(track, "the playhead is on a clip there", "moving it into the gap")
    after = [span.start for span in spans if span.start > frame]
    if not after:
        raise _no_gap(track, "no clip comes after the playhead there", "a clip at the playhead instead of a filled gap")
    before = max((span.end for span in spans if span.end <= frame), default=start)
    return Span(track, before, min(after))


def shown(pictures: int, made: Fraction, rate: Fraction) -> int:
    """So many frames of a timeline `pictures` of a clip take: Resolve leaves out a last one that is not whole."""
    return int(pictures * rate / made)


def reserved(pictures: int, made: Fraction, rate: Fraction) -> int:
    """So many frames must be free for them."""
    return -int(-pictures * rate // made)


def pictures_for(length: int, made: Fraction, rate: Fraction) -> int:
    """So many pictures of a clip fill `length` frames of a timeline."""
    return -int(-length * made // rate)


def fitting(pictures: int, length: int, made: Fraction, rate: Fraction) -> int:
    """The most pictures, up to `pictures`, that take no more than `length` frames."""
    while pictures > 1 and shown(pictures, made, rate) > length:
        pictures -= 1
    return pictures


def _refused(wanted: Span, because: str, remedy: str) -> BridgeError:
    return BridgeError(f"put a clip on V{wanted.track}", because, remedy, code="no-room")


def _no_gap(track: int, because: str, remedy: str) -> BridgeError:
    return BridgeError(f"fill a gap on V{track}", because, remedy, code="no-gap")
