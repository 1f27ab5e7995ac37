"""From an OpenTimelineIO timeline to an index of it, in one walk.

OpenTimelineIO reads the file and brings old schemas up to date; the walk asks it for each clip's own values only, since
its questions about places ("range in parent") go over the whole track each time.
"""

from __future__ import annotations

import importlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.media.files import check_readable
from artifexpro.core.timeline.index import Item, Kind, Layer, Nest, PlacedClip, TimelineIndex, Transition
from artifexpro.core.timeline.media import reference
from artifexpro.core.timeline.times import Moment, exact, tidy, whole

_DEEPEST = 100
_AGAIN = "exporting the timeline again"


def open_timeline(path: Path) -> TimelineIndex:
    """The index of an .otio file. Raises `ArtifexError` where it is missing, damaged, cut off, or no timeline."""
    check_readable(path)
    attempted = f"read the timeline {path}"
    otio = importlib.import_module("opentimelineio")
    try:
        text = path.read_text(encoding="utf-8")
        json.loads(text)
    except RecursionError:
        raise ArtifexError(attempted, "its parts lie too deep inside one another", _AGAIN, code="damaged") from None
    except ValueError as error:
        because = f"the file is cut off or damaged ({error})"
        raise ArtifexError(attempted, because, f"copying the file or {_AGAIN}", code="damaged") from None
    try:
        timeline = otio.adapters.read_from_string(text, "otio_json")
    except otio.exceptions.UnsupportedSchemaError:
        because = "it was written by a newer OpenTimelineIO than is known here"
        raise ArtifexError(attempted, because, "exporting it for an older version", code="damaged") from None
    except (otio.exceptions.OTIOError, ValueError, KeyError):
        because = "it is not a whole OpenTimelineIO timeline"
        raise ArtifexError(attempted, because, _AGAIN, code="damaged") from None
    if not isinstance(timeline, otio.schema.Timeline) or timeline.tracks is None:
        because = f"what is in it is {_called(timeline)}"
        raise ArtifexError(attempted, because, "exporting the timeline itself", code="damaged")
    return index_of(timeline, path.parent)


def index_of(timeline: Any, folder: Path) -> TimelineIndex:
    """The index of an OpenTimelineIO timeline. Relative media paths start in `folder`. Raises `ArtifexError`."""
    otio = importlib.import_module("opentimelineio")
    rate = _rate(otio, timeline)
    walk = _Walk(otio, rate, folder, timeline.name)
    start = timeline.global_start_time
    first = 0 if start is None else walk.frames(start)
    if first.denominator != 1:
        raise walk.damaged("its first frame lies between two frames")
    layers = walk.layers(timeline.tracks, int(first), 0)
    end = max((layer.end for layer in layers), default=first)
    last = max(int(first), -(-end.numerator // end.denominator) - 1)
    return TimelineIndex(timeline.name, rate, int(first), last, layers, tuple(walk.remarks()))


def _called(thing: Any) -> str:
    name = type(thing).__name__ if hasattr(thing, "schema_name") else ""
    if name == "SerializableCollection":
        return "a collection of timelines"
    return f"a {name.lower()}, not a timeline" if name and name != "UnknownSchema" else "not a timeline"


def _rate(otio: Any, timeline: Any) -> Fraction:
    """The timeline's frames a second: those of its start, else of its first clip, or of a gap if it has no clip."""
    if timeline.global_start_time is not None:
        return exact(timeline.global_start_time.rate)
    gap = None
    for item in timeline.tracks.find_children():
        if isinstance(item, otio.schema.Clip) and (shown := _shown(item)) is not None:
            return exact(shown.duration.rate)
        if isinstance(item, otio.schema.Gap) and gap is None and item.duration().value:
            gap = item.duration().rate
    if gap is None:
        raise ArtifexError(
            f"read the timeline {timeline.name}",
            "nothing lies on it that says how many frames go to a second",
            "exporting a timeline with a clip on it",
            code="damaged",
        )
    return exact(gap)


def _shown(clip: Any) -> Any:
    """The part of its media that a clip shows, None where it does not say."""
    if clip.source_range is not None or clip.media_reference is None:
        return clip.source_range
    return clip.media_reference.available_range


class _Walk:
    """One walk over a timeline at `rate`."""

    def __init__(self, otio: Any, rate: Fraction, folder: Path, name: str) -> None:
        self._otio = otio
        self._rate = rate
        self._folder = folder
        self._name = name
        self._rates: Counter[Fraction] = Counter()
        self._between = 0
        self._effects = 0

    def frames(self, time: Any) -> Moment:
        return whole(time, self._rate)

    def damaged(self, because: str) -> ArtifexError:
        return ArtifexError(f"read the timeline {self._name}", because, _AGAIN, code="damaged")

    def remarks(self) -> Iterable[str]:
        """What was converted, and what is not shown."""
        for rate, count in sorted(self._rates.items()):
            clips = "1 clip has" if count == 1 else f"{count} clips have"
            yield f"{clips} {rate} frames a second and the timeline {self._rate}: frames are picked by time."
        if self._between:
            cuts = "1 cut lies" if self._between == 1 else f"{self._between} cuts lie"
            yield f"{cuts} between two frames: the cut is seen at the next frame."
        if self._effects:
            clips = "1 clip has an effect" if self._effects == 1 else f"{self._effects} clips have effects"
            yield f"{clips} of another program that {'is' if self._effects == 1 else 'are'} not shown."

    def layers(self, stack: Any, origin: Moment, depth: int) -> tuple[Layer, ...]:
        """The layers of a stack whose first frame is `origin`."""
        if depth > _DEEPEST:
            raise self.damaged(f"timelines lie inside one another more than {_DEEPEST} deep")
        return tuple(self._layer(child, origin, depth) for child in stack)

    def _layer(self, child: Any, origin: Moment, depth: int) -> Layer:
        schema = self._otio.schema
        if not isinstance(child, schema.Track):
            return Layer(child.name, "video", self._items([child], origin, depth)[0], enabled=True)
        kind: Kind = "audio" if child.kind == schema.TrackKind.Audio else "video"
        items, transitions = self._items(child, origin, depth)
        if (window := child.source_range) is not None:
            end = origin + self._duration(window.duration, child.name)
            items, transitions = _trimmed(items, transitions, origin, end, self.frames(window.start_time))
        return Layer(child.name, kind, items, transitions, enabled=child.enabled)

    def _items(self, children: Any, origin: Moment, depth: int) -> tuple[tuple[Item, ...], tuple[Transition, ...]]:
        """Clips and transitions of a track that begins at `origin`."""
        schema = self._otio.schema
        items: list[Item] = []
        changes: list[Transition] = []
        place = origin
        before: Item | None = None
        pending: Any = None
        for child in children:
            if isinstance(child, schema.Transition):
                pending = child
                continue
            item, duration = self._item(child, place, depth)
            if item is not None:
                items.append(item)
            if pending is not None:
                changes.append(self._transition(pending, place, before, item))
                pending = None
            before = item
            place = place + duration
        if pending is not None:
            changes.append(self._transition(pending, place, before, None))
        return tuple(items), tuple(changes)

    def _transition(self, described: Any, cut: Moment, before: Item | None, after: Item | None) -> Transition:
        start, end = cut - self.frames(described.in_offset), cut + self.frames(described.out_offset)
        if end <= start:
            raise self.damaged(f'the transition "{described.name}" has no length')
        return Transition(described.transition_type, tidy(start), tidy(end), before, after)

    def _item(self, child: Any, place: Moment, depth: int) -> tuple[Item | None, Moment]:
        schema = self._otio.schema
        if isinstance(child, schema.Clip):
            clip = self._clip(child, place)
            return clip, clip.end - clip.start
        if isinstance(child, schema.Gap):
            return None, self._duration(child.duration(), child.name)
        if not isinstance(child, (schema.Stack, schema.Track)):
            raise self.damaged(f'"{child.name}" on it is of a kind that is not known here')
        shown = child.trimmed_range()
        duration = self._duration(shown.duration, child.name)
        inside = self.layers(child, 0, depth + 1) if isinstance(child, schema.Stack) else ()
        if isinstance(child, schema.Track):
            inside = (Layer(child.name, "video", *self._items(child, 0, depth + 1), enabled=True),)
        return Nest(
            child.name, place, tidy(place + duration), self.frames(shown.start_time), inside, child.enabled
        ), duration

    def _clip(self, clip: Any, place: Moment) -> PlacedClip:
        shown = _shown(clip)
        if shown is None:
            raise self.damaged(f'the clip "{clip.name}" says neither its length nor that of its media')
        own = exact(shown.duration.rate)
        found = reference(self._otio, clip.media_reference, own, self._folder)
        duration = self._duration(shown.duration, clip.name)
        end = tidy(place + duration)
        if end.denominator != 1:
            self._between += 1
        speed, why = self._speed(clip) if len(clip.effects) else (1, "")
        media = found.media
        rate = own if media is None else media.rate
        if rate != self._rate:
            self._rates[rate] += 1
        return PlacedClip(
            name=clip.name,
            start=place,
            end=end,
            source=tidy(whole(shown.start_time, rate) - found.origin),
            speed=speed if rate == self._rate else tidy(speed * rate / self._rate),
            media=media,
            enabled=clip.enabled,
            unreadable=found.why or why,
        )

    def _speed(self, clip: Any) -> tuple[Moment, str]:
        """How fast the clip plays its media, or why that is not known, as a clause."""
        schema = self._otio.schema
        speed: Moment = 1
        for effect in clip.effects:
            if isinstance(effect, schema.LinearTimeWarp):
                speed = speed * whole_speed(effect.time_scalar)
            elif isinstance(effect, schema.TimeEffect):
                return speed, "its speed changes in a way that is not known here"
            else:
                self._effects += 1
        if speed < 0:
            return speed, "it plays backwards, and timelines do not say from which frame"
        return tidy(speed), ""

    def _duration(self, time: Any, name: str) -> Moment:
        duration = self.frames(time)
        if duration < 0:
            raise self.damaged(f'"{name}" on it is shorter than nothing')
        return duration


def whole_speed(scalar: float) -> Fraction:
    """A speed as a fraction. Raises `ArtifexError` for what is none."""
    if not abs(scalar) < 1e6:
        raise ArtifexError("read the timeline", f"a clip in it has the speed {scalar:g}", _AGAIN, code="damaged")
    return Fraction(scalar).limit_denominator(10_000)


def _trimmed(
    items: tuple[Item, ...], transitions: tuple[Transition, ...], origin: Moment, end: Moment, by: Moment
) -> tuple[tuple[Item, ...], tuple[Transition, ...]]:
    """What is seen between `origin` and `end` of a track that is moved back by `by` frames."""
    kept: dict[Item, Item] = {}
    for item in items:
        left, right = item.start - by, min(item.end - by, end)
        cut = max(origin - left, 0)
        speed = item.speed if isinstance(item, PlacedClip) else 1
        source = tidy(item.source + cut * speed)
        kept[item] = replace(item, start=tidy(left + cut), end=tidy(right), source=source)
    changes = (
        replace(
            change,
            start=tidy(max(change.start - by, origin)),
            end=tidy(min(change.end - by, end)),
            before=change.before and kept[change.before],
            after=change.after and kept[change.after],
        )
        for change in transitions
    )
    return (
        tuple(item for item in kept.values() if item.start < item.end),
        tuple(change for change in changes if change.start < change.end),
    )
