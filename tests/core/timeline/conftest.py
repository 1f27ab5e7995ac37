"""Timelines as editing programs write them, made with OpenTimelineIO itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import opentimelineio
import pytest

schema, time = opentimelineio.schema, opentimelineio.opentime


class Edit:
    """Makes parts of timelines at one rate; lengths and places are frames."""

    schema = schema

    def __init__(self, rate: float = 24) -> None:
        self.rate = rate

    def time(self, frame: float, rate: float | None = None) -> Any:
        return time.RationalTime(frame, rate or self.rate)

    def range(self, first: float, count: float, rate: float | None = None) -> Any:
        return time.TimeRange(self.time(first, rate), self.time(count, rate))

    def clip(
        self,
        name: str,
        count: float,
        first: float = 0,
        *,
        path: str = "/media/{}.mov",
        has: tuple = (0, 100),
        **more: Any,
    ) -> Any:
        """A clip of `count` frames from frame `first` of a movie that has the frames `has` (first, count)."""
        rate = more.pop("rate", None)
        media = schema.ExternalReference(target_url=path.format(name), available_range=self.range(*has, rate))
        effects, enabled = more.pop("effects", []), more.pop("enabled", True)
        clip = schema.Clip(name=name, media_reference=media, source_range=self.range(first, count, rate), **more)
        clip.effects.extend(effects)
        clip.enabled = enabled
        return clip

    def gap(self, count: float) -> Any:
        return schema.Gap(duration=self.time(count))

    def dissolve(self, before: float, after: float, kind: str = "SMPTE_Dissolve") -> Any:
        return schema.Transition(transition_type=kind, in_offset=self.time(before), out_offset=self.time(after))

    def track(self, name: str, *children: Any, kind: str = "Video", **more: Any) -> Any:
        return schema.Track(name=name, kind=kind, children=list(children), **more)

    def stack(self, name: str, *children: Any, **more: Any) -> Any:
        return schema.Stack(name=name, children=list(children), **more)

    def timeline(self, *tracks: Any, start: float | None = None) -> Any:
        begins = None if start is None else self.time(start)
        made = schema.Timeline(name="edit", global_start_time=begins)
        made.tracks.extend(tracks)
        return made


@pytest.fixture
def edit() -> Callable[..., Edit]:
    return Edit
