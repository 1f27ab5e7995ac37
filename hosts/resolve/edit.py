"""The open timeline as places are decided by: plain numbers out of what the verb `look` told."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ..bridge.errors import BridgeError
from . import timecode
from .placing import Span

PAGES = ("edit", "cut", "color")
"""Where Resolve puts clips onto a timeline."""


@dataclass(frozen=True)
class Clip:
    """A clip that lies on a video track."""

    id: str
    name: str
    span: Span


@dataclass(frozen=True)
class Edit:
    """The open project and timeline. Frames are absolute, as Resolve counts them."""

    project: str
    project_name: str
    timeline: str
    timeline_name: str
    page: str
    rate: Fraction
    drop: bool
    start: int
    playhead: int
    clips: tuple[Clip, ...]
    locked: frozenset[int]
    hidden: frozenset[int]
    tracks: int
    current: Clip | None

    @property
    def taken(self) -> tuple[Span, ...]:
        return tuple(clip.span for clip in self.clips)

    @property
    def closed(self) -> frozenset[int]:
        """Tracks that are locked or switched off."""
        return self.locked | self.hidden

    @property
    def names(self) -> dict[str, Any]:
        """What verbs take to make sure that they work on this timeline and no other."""
        return {
            "project": self.project,
            "project_name": self.project_name,
            "timeline": self.timeline,
            "timeline_name": self.timeline_name,
        }

    def timecode(self, frame: int) -> str:
        return timecode.timecode_of(frame, self.rate, self.drop)


def edit_of(told: dict[str, Any]) -> Edit:
    """The timeline that `look` saw. Raises `BridgeError` where no project or timeline is open, or its rate is odd."""
    if "project" not in told:
        raise _none("no project is open in Resolve", "opening a project", "no-project")
    project, timeline = told["project"], told.get("timeline")
    if timeline is None:
        raise _none("the project has no timeline open", "opening or making a timeline", "no-timeline")
    try:
        rate = timecode.rate_of(timeline["rate"])
        playhead = timecode.frame_of(timeline["timecode"], rate)
    except ValueError as odd:
        raise _none(f"its timeline counts in a way unknown here ({odd})", "a timeline of a usual rate", "rate") from odd
    clips = tuple(_clip(each) for track in timeline["tracks"] for each in track["items"])
    return Edit(
        project=project["id"],
        project_name=project["name"],
        timeline=timeline["id"],
        timeline_name=timeline["name"],
        page=told["page"],
        rate=rate,
        drop=timecode.is_drop(timeline["start_timecode"]),
        start=timeline["start"],
        playhead=playhead,
        clips=clips,
        locked=_numbers(timeline, "locked", True),
        hidden=_numbers(timeline, "enabled", False),
        tracks=len(timeline["tracks"]),
        current=next((clip for clip in clips if clip.id == timeline.get("current")), None),
    )


def _clip(told: dict[str, Any]) -> Clip:
    return Clip(told["id"], told["name"], Span(told["track"], told["start"], told["end"]))


def _numbers(timeline: dict[str, Any], what: str, value: bool) -> frozenset[int]:
    return frozenset(number for number, track in enumerate(timeline["tracks"], 1) if track[what] is value)


def _none(because: str, remedy: str, code: str) -> BridgeError:
    return BridgeError("find a place for the clip", because, remedy, code=code)
