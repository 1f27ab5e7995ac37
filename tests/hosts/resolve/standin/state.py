"""What a project is made of, as plain data that saving and loading a project keeps."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any


def new_id() -> str:
    return str(uuid.uuid4())


@dataclass
class Clip:
    """Media in the pool: a movie, numbered frames or a still."""

    name: str
    path: str
    rate: Fraction
    frames: int
    size: tuple[int, int] = (0, 0)
    first: int = 0
    metadata: dict[str, str] = field(default_factory=dict)
    color: str = ""
    id: str = field(default_factory=new_id)


@dataclass
class Bin:
    """A folder of the media pool."""

    name: str
    clips: list[Clip] = field(default_factory=list)
    bins: list[Bin] = field(default_factory=list)
    id: str = field(default_factory=new_id)

    def everywhere(self) -> list[Clip]:
        return [*self.clips, *(clip for each in self.bins for clip in each.everywhere())]


@dataclass
class Node:
    """A node of a clip's grade."""

    lut: str = ""
    cdl: dict[str, str] | None = None


@dataclass
class Take:
    clip: Clip
    first: int
    end: int


@dataclass
class Item:
    """A clip on a track: frames from `start` up to `end`, which is not of it, of the timeline's absolute numbers."""

    name: str
    start: int
    end: int
    clip: Clip | None
    source: int = 0
    markers: dict[float, dict[str, Any]] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=lambda: [Node()])
    takes: list[Take] = field(default_factory=list)
    selected: int = 0
    version: str = "Version 1"
    color: str = ""
    enabled: bool = True
    id: str = field(default_factory=new_id)


@dataclass
class Track:
    name: str
    items: list[Item] = field(default_factory=list)
    locked: bool = False
    enabled: bool = True


@dataclass
class Edit:
    """A timeline. `start` and `playhead` are absolute frames."""

    name: str
    rate: Fraction
    drop: bool
    start: int
    playhead: int
    video: list[Track] = field(default_factory=lambda: [Track("Video 1")])
    audio: list[Track] = field(default_factory=lambda: [Track("Audio 1")])
    markers: dict[float, dict[str, Any]] = field(default_factory=dict)
    id: str = field(default_factory=new_id)

    def tracks(self, kind: str) -> list[Track]:
        return {"video": self.video, "audio": self.audio, "subtitle": []}[kind]

    def items(self) -> list[Item]:
        return [item for track in (*self.video, *self.audio) for item in track.items]


@dataclass
class RenderJob:
    settings: dict[str, Any]
    edit: str
    format: str
    codec: str
    status: str = "Ready"
    done: int = 0
    id: str = field(default_factory=new_id)


@dataclass
class Movie:
    """A project: its media, its timelines, its render queue and what the Deliver page is set to."""

    name: str
    root: Bin = field(default_factory=lambda: Bin("Master"))
    edits: list[Edit] = field(default_factory=list)
    current: int = -1
    jobs: list[RenderJob] = field(default_factory=list)
    render: dict[str, Any] = field(default_factory=dict)
    format: str = "mov"
    codec: str = "H264"
    presets: dict[str, tuple[dict[str, Any], str, str]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=lambda: {"timelineFrameRate": "24"})
    bin: str = ""
    id: str = field(default_factory=new_id)

    @property
    def edit(self) -> Edit | None:
        return self.edits[self.current] if 0 <= self.current < len(self.edits) else None
