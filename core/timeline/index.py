"""What lies where on a timeline, found at once however long it is.

Every layer keeps its clips in order with the whole frames at which they begin, so that finding a frame is one bisection
a layer. Times are exact: clips of another rate, cuts between frames and changed speeds are kept as fractions and turned
into a picture only for the frame that is asked for.

    layer V2                  |---- b ----|
    layer V1     |---- a ----><---- c ----|       >< a dissolve: a and c are both seen
                 ^ start      ^ cut       ^ end
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

from artifexpro.core.errors import ArtifexError
from artifexpro.core.timeline.media import Media
from artifexpro.core.timeline.times import Moment

Kind = Literal["video", "audio"]


class Found(NamedTuple):
    """A clip at a frame, in the numbers of the timeline that it lies on directly: which layer it is on, and how much of
    it is seen, less than 1 in a dissolve or fade."""

    clip: PlacedClip
    layer: Layer
    frame: int
    weight: Fraction = Fraction(1)

    @property
    def picture(self) -> int:
        """Which of its media's pictures is shown, counted from 0."""
        return self.clip.picture(self.frame)


@dataclass(frozen=True, slots=True, eq=False)
class PlacedClip:
    """A clip at its place: from `start` to before `end` in frames of the timeline.

    At `start` it shows `source`, in pictures of its media counted from 0, and goes on by `speed` pictures a frame.
    `unreadable` says, as a clause, why it has no pictures: offline, not on a disk, a change of speed that is not known
    here; it is empty for a clip that has some.
    """

    name: str
    start: Moment
    end: Moment
    source: Moment
    speed: Moment
    media: Media | None
    enabled: bool = True
    unreadable: str = ""

    @property
    def first(self) -> int:
        """The first whole frame at which it is shown."""
        return math.ceil(self.start)

    @property
    def last(self) -> int:
        """The last whole frame at which it is shown; before `first` for a clip that falls between two frames."""
        return math.ceil(self.end) - 1

    def picture(self, frame: int) -> int:
        """The picture on screen when `frame` begins, also for a frame before or after the clip, in its handles."""
        return math.floor(self.source + (frame - self.start) * self.speed)

    def handles(self) -> tuple[int, int] | None:
        """How many frames its media has before and after what is shown; None where the timeline does not say, and for a
        picture that stands."""
        if self.media is None or self.media.count is None or self.speed == 0:
            return None
        after = (self.media.count - 1 - self.source) / Fraction(self.speed) + self.start - self.last
        before = self.source / Fraction(self.speed) + self.first - self.start
        return max(0, math.floor(before)), max(0, math.floor(after))


@dataclass(frozen=True, slots=True, eq=False)
class Nest:
    """A timeline inside a timeline, at its place: `source` is the frame of its own at `start`."""

    name: str
    start: Moment
    end: Moment
    source: Moment
    layers: tuple[Layer, ...]
    enabled: bool = True

    def inner(self, frame: int) -> int:
        """Its own frame at `frame`."""
        return math.floor(self.source + frame - self.start)


Item = PlacedClip | Nest


@dataclass(frozen=True, slots=True, eq=False)
class Transition:
    """From `before` to `after`, either of which may be a gap, over the frames from `start` to before `end`. `kind` is
    OpenTimelineIO's name for it."""

    kind: str
    start: Moment
    end: Moment
    before: Item | None
    after: Item | None

    def progress(self, frame: int) -> Fraction:
        """How much of `after` is seen in the middle of `frame`."""
        done = Fraction(frame) + Fraction(1, 2) - self.start
        return min(Fraction(1), max(Fraction(0), done / (self.end - self.start)))


class Layer:
    """One track: clips and nested timelines in order, never two at one time but in a transition."""

    def __init__(
        self, name: str, kind: Kind, items: tuple[Item, ...], transitions: tuple[Transition, ...] = (), *, enabled: bool
    ) -> None:
        self.name = name
        self.kind = kind
        self.items = items
        self.transitions = transitions
        self.enabled = enabled
        self._firsts = [math.ceil(item.start) for item in items]
        self._ends = [math.ceil(item.end) for item in items]
        self._changes = [math.ceil(change.start) for change in transitions]

    @property
    def end(self) -> Moment:
        return max((item.end for item in self.items), default=0)

    def item(self, frame: int) -> Item | None:
        """What lies there, as if there were no transitions."""
        at = bisect_right(self._firsts, frame) - 1
        return self.items[at] if at >= 0 and frame < self._ends[at] else None

    def transition(self, frame: int) -> Transition | None:
        """The transition that goes on there."""
        at = bisect_right(self._changes, frame) - 1
        return self.transitions[at] if at >= 0 and frame < self.transitions[at].end else None

    def clips(self) -> Iterator[PlacedClip]:
        """Its clips in order, without those of nested timelines."""
        return (item for item in self.items if isinstance(item, PlacedClip))

    def at(self, frame: int) -> list[Found]:
        """Every clip there, disabled and offline ones too, nested timelines opened."""
        if self.transitions and (change := self.transition(frame)) is not None:
            share = change.progress(frame)
            return self._all(change.before, frame, 1 - share) + self._all(change.after, frame, share)
        return self._all(self.item(frame), frame, _WHOLLY)

    def seen(self, frame: int) -> list[Found]:
        """What of it is seen there, topmost first, with its share. No share is left for what lies below where the
        shares make 1: pictures are taken to cover what is below them."""
        if not self.enabled:
            return []
        if (change := self.transition(frame)) is not None:
            share = change.progress(frame)
            return self._seen(change.before, frame, 1 - share) + self._seen(change.after, frame, share)
        return self._seen(self.item(frame), frame, _WHOLLY)

    def _all(self, item: Item | None, frame: int, weight: Fraction) -> list[Found]:
        if item is None:
            return []
        if isinstance(item, PlacedClip):
            return [Found(item, self, frame, weight)]
        inner = item.inner(frame)
        return [found._replace(weight=found.weight * weight) for layer in item.layers for found in layer.at(inner)]

    def _seen(self, item: Item | None, frame: int, weight: Fraction) -> list[Found]:
        if item is None or not item.enabled:
            return []
        if isinstance(item, PlacedClip):
            return [Found(item, self, frame, weight)]
        return [found._replace(weight=found.weight * weight) for found in topmost(item.layers, item.inner(frame))]


_WHOLLY = Fraction(1)


def topmost(layers: tuple[Layer, ...], frame: int) -> list[Found]:
    """What is seen at `frame` of layers given from the lowest to the highest: the topmost picture, in a fade also what
    it lets through. Their shares are at most 1 together; the rest is transparent."""
    seen: list[Found] = []
    left = _WHOLLY
    for layer in reversed(layers):
        if layer.kind != "video":
            continue
        found = layer.seen(frame)
        if found:
            seen += found if left == 1 else [each._replace(weight=each.weight * left) for each in found]
            left *= 1 - sum((each.weight for each in found), start=Fraction(0))
            if left <= 0:
                break
    return seen


@dataclass(frozen=True, slots=True, eq=False)
class TimelineIndex:
    """A whole timeline: frames `first` to `last` (both included) at the exact `rate`, and its layers from the lowest to
    the highest. Frames carry the timeline's own numbers: those of its timecode, counted from midnight.

    `remarks` are sentences about what was converted on the way, or is not shown.
    """

    name: str
    rate: Fraction
    first: int
    last: int
    layers: tuple[Layer, ...]
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.last - self.first + 1

    def at(self, frame: int) -> list[Found]:
        """Every clip at `frame`, from the lowest layer to the highest, sound, disabled and offline ones too."""
        found: list[Found] = []
        for layer in self.layers:
            found += layer.at(frame)
        return found

    def seen(self, frame: int, track: str = "") -> list[Found]:
        """What is seen at `frame` (see `topmost`), of the whole timeline or of `track` alone. Raises `ArtifexError`
        for a track that is not there."""
        return self.track(track).seen(frame) if track else topmost(self.layers, frame)

    def clips(self, track: str = "") -> Iterator[tuple[Layer, PlacedClip]]:
        """All clips of the video layers, or of the layer `track`, with those of nested timelines."""
        layers = (self.track(track),) if track else self.layers
        return _clips(tuple(layer for layer in layers if layer.kind == "video"))

    def track(self, name: str) -> Layer:
        """The one video layer of that name. Raises `ArtifexError` where there is none, or more than one."""
        pictures = [layer for layer in self.layers if layer.kind == "video"]
        same = [layer for layer in pictures if layer.name == name]
        if len(same) == 1:
            return same[0]
        if same:
            raise ArtifexError(
                f"use track {name} of the timeline {self.name}",
                f"{len(same)} of its tracks are called so",
                "giving its tracks different names",
            )
        known = ", ".join(layer.name for layer in pictures[:8]) or "none"
        more = f" and {len(pictures) - 8} more" if len(pictures) > 8 else ""
        raise ArtifexError(
            f"use track {name} of the timeline {self.name}",
            "it has no such video track",
            f"one of those it has: {known}{more}",
            code="missing",
        )


def _clips(layers: tuple[Layer, ...]) -> Iterator[tuple[Layer, PlacedClip]]:
    for layer in layers:
        for item in layer.items:
            if isinstance(item, PlacedClip):
                yield layer, item
            else:
                yield from _clips(item.layers)
