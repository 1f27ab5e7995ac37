"""The media pool: bins, clips, and how clips get onto a timeline."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from OpenImageIO import ImageBuf

from tests.hosts.resolve.standin import clock, drop_in
from tests.hosts.resolve.standin.api import choices, fields
from tests.hosts.resolve.standin.faces import Face, Refused
from tests.hosts.resolve.standin.state import Bin, Clip, Edit, Item, Movie, Track
from tests.hosts.resolve.standin.timeline import Timeline, TimelineItem

STILLS = (".png", ".exr", ".tif", ".jpg")
APPENDS_ON = ("edit", "cut", "color")
"""Pages on which AppendToTimeline does something. Not measured: a script that keeps to these is right either way."""


class MediaPoolItem(Face):
    def GetName(self) -> str:
        return self._state.name

    def SetName(self, name: str) -> bool:
        self._state.name = name
        return True

    def GetUniqueId(self) -> str:
        return self._state.id

    def GetMediaId(self) -> str:
        return self._state.id

    def GetClipProperty(self, name: str | None = None) -> Any:
        clip = self._state
        told = {
            "File Path": clip.path,
            "FPS": float(clip.rate),
            "Frames": str(clip.frames),
            "Start": str(clip.first),
            "Resolution": f"{clip.size[0]}x{clip.size[1]}",
            "Clip Name": clip.name,
        }
        return told if name is None else told.get(name, "")

    def GetMetadata(self, name: str | None = None) -> Any:
        return dict(self._state.metadata) if name is None else self._state.metadata.get(name, "")

    def SetMetadata(self, name: Any, value: str | None = None) -> bool:
        self._state.metadata.update(name if isinstance(name, dict) else {name: value})
        return True

    def SetClipColor(self, color: str) -> bool:
        if color not in choices("ClipColor"):
            return False
        self._state.color = color
        return True

    def RemoveMotionBlur(self, _options: Any) -> Any:
        return self._host.studio_only("MediaPoolItem.RemoveMotionBlur")


class Folder(Face):
    def GetName(self) -> str:
        return self._state.name

    def GetUniqueId(self) -> str:
        return self._state.id

    def GetClipList(self) -> list[MediaPoolItem]:
        return [MediaPoolItem(self._host, clip) for clip in self._state.clips]

    def GetSubFolderList(self) -> list[Folder]:
        return [Folder(self._host, each) for each in self._state.bins]


class MediaPool(Face):
    def GetRootFolder(self) -> Folder:
        return Folder(self._host, self._state.root)

    def GetCurrentFolder(self) -> Folder:
        return Folder(self._host, self._current())

    def SetCurrentFolder(self, folder: Folder) -> bool:
        self._state.bin = folder._state.id
        return True

    def AddSubFolder(self, folder: Folder, name: str) -> Folder | None:
        """The new bin is the current one from then on."""
        if name in [each.name for each in folder._state.bins]:
            return None
        made = Bin(name)
        folder._state.bins.append(made)
        self._state.bin = made.id
        return Folder(self._host, made)

    def ImportMedia(self, what: list[Any]) -> list[MediaPoolItem]:
        clips = [clip for each in what if (clip := self._read(each)) is not None]
        self._current().clips.extend(clips)
        return [MediaPoolItem(self._host, clip) for clip in clips]

    def DeleteClips(self, clips: list[MediaPoolItem]) -> bool:
        ids = {clip._state.id for clip in clips}
        for each in _bins(self._state.root):
            each.clips = [clip for clip in each.clips if clip.id not in ids]
        return True

    def CreateEmptyTimeline(self, name: str) -> Timeline | None:
        if name in [edit.name for edit in self._state.edits]:
            return None
        label = self._state.settings["timelineFrameRate"]
        rate, drop = clock.rate_of(label), label.endswith("DF")
        start = clock.frame("01:00:00;00" if drop else "01:00:00:00", rate)
        self._state.edits.append(Edit(name, rate, drop, start, start))
        self._state.current = len(self._state.edits) - 1
        return Timeline(self._host, self._state.edit)

    def ImportTimelineFromFile(self, path: str, options: dict[str, Any]) -> Timeline | None:
        if set(options) - fields("TimelineImportOptions"):
            raise Refused(f"import options have no {set(options) - fields('TimelineImportOptions')}")
        edit = drop_in.read(Path(path), options.get("timelineName"), self._state, self._read)
        return None if edit is None else Timeline(self._host, edit)

    def AppendToTimeline(self, *what: Any) -> list[TimelineItem] | None:
        wanted = what[0] if isinstance(what[0], (list, tuple)) else list(what)
        edit = self._state.edit
        if edit is None or self._host.page not in APPENDS_ON:
            return None
        made = []
        for each in wanted:
            if not isinstance(each, dict):
                raise Refused("clips without a place land where nobody said; give a table for each")
            item = self._append(edit, each)
            if item is not None:
                made.append(TimelineItem(self._host, item, new=True))
        return made

    def _append(self, edit: Edit, info: dict[str, Any]) -> Item | None:
        if set(info) - fields("MediaPoolClipInfo"):
            raise Refused(f"a clip's table has no {set(info) - fields('MediaPoolClipInfo')}")
        clip: Clip = info["mediaPoolItem"]._state
        if info.get("mediaType") == 2 or not 1 <= info["trackIndex"] <= len(edit.video):
            return None
        track: Track = edit.video[info["trackIndex"] - 1]
        first, end = int(info["startFrame"]), min(int(info["endFrame"]), clip.frames)
        length = (end - first) * edit.rate // clip.rate
        start = int(info["recordFrame"])
        met = any(other.start < start + length and start < other.end for other in track.items)
        if track.locked or length < 1 or met:
            return None
        item = Item(clip.name, start, start + int(length), clip, first)
        track.items.append(item)
        track.items.sort(key=lambda each: each.start)
        return item

    def _current(self) -> Bin:
        return next((each for each in _bins(self._state.root) if each.id == self._state.bin), self._state.root)

    def _read(self, what: Any) -> Clip | None:
        project: Movie = self._state
        if isinstance(what, dict):
            if set(what) - fields("ImportClipInfo"):
                raise Refused(f"what is imported has no {set(what) - fields('ImportClipInfo')}")
            first, last = what["StartIndex"], what["EndIndex"]
            if not all(Path(what["FilePath"] % number).is_file() for number in (first, last)):
                return None
            rate = clock.rate_of(project.settings["timelineFrameRate"])
            return Clip(Path(what["FilePath"]).name, what["FilePath"], rate, last - first + 1, first=first)
        path = Path(what)
        if not path.is_absolute() or not path.is_file():
            return None
        if path.suffix in STILLS:
            spec = ImageBuf(str(path)).spec()
            return Clip(path.name, str(path), Fraction(24), 1, (spec.width, spec.height))
        with av.open(str(path)) as movie:
            video = movie.streams.video[0]
            rate = Fraction(video.average_rate or 24)
            return Clip(path.name, str(path), rate, video.frames, (video.width, video.height))


def _bins(root: Bin) -> list[Bin]:
    return [root, *(each for inner in root.bins for each in _bins(inner))]
