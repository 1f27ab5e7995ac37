"""Timelines and the clips on them, as scripts see them."""

from __future__ import annotations

from typing import Any

from tests.hosts.resolve.standin import clock
from tests.hosts.resolve.standin.api import choices, fields
from tests.hosts.resolve.standin.faces import Face, Refused
from tests.hosts.resolve.standin.state import Edit, Item, Take, Track

MARKERS = ("color", "name", "note", "duration", "customData")


def add_marker(markers: dict[float, dict[str, Any]], frame: float, values: tuple[Any, ...]) -> bool:
    """A second marker on one frame is not made, nor one of a colour that does not exist."""
    marker = dict(zip(MARKERS, (*values, "")[: len(MARKERS)], strict=True))
    if marker["color"] not in choices("MarkerColor") or float(frame) in markers:
        return False
    if not all(isinstance(marker[name], str) for name in ("color", "name", "note", "customData")):
        return False
    markers[float(frame)] = marker
    return True


def by_custom_data(markers: dict[float, dict[str, Any]], data: str) -> dict[float, dict[str, Any]]:
    return dict([(frame, marker) for frame, marker in markers.items() if marker["customData"] == data][:1])


class Timeline(Face):
    def GetName(self) -> str:
        return self._state.name

    def GetUniqueId(self) -> str:
        return self._state.id

    def GetStartFrame(self) -> int:
        return self._state.start

    def GetEndFrame(self) -> int:
        return max((item.end for item in self._state.items()), default=self._state.start)

    def GetStartTimecode(self) -> str:
        return self._timecode(self._state.start)

    def GetCurrentTimecode(self) -> str:
        return self._timecode(self._state.playhead)

    def SetCurrentTimecode(self, timecode: str) -> bool:
        self._state.playhead = clock.frame(timecode, self._state.rate)
        return True

    def GetSetting(self, name: str) -> str:
        edit: Edit = self._state
        known = {
            "timelineFrameRate": clock.label_of(edit.rate),
            "timelineDropFrameTimecode": "1" if edit.drop else "0",
            "timelineResolutionWidth": "1920",
            "timelineResolutionHeight": "1080",
        }
        return known.get(name, "")

    def GetTrackCount(self, kind: str) -> int:
        return len(self._tracks(kind))

    def AddTrack(self, kind: str, *_: Any) -> bool:
        tracks = self._tracks(kind)
        tracks.append(Track(f"{kind.capitalize()} {len(tracks) + 1}"))
        return True

    def DeleteTrack(self, kind: str, index: int) -> bool:
        track = self._track(kind, index)
        if track is None:
            return False
        self._tracks(kind).remove(track)
        return True

    def GetTrackName(self, kind: str, index: int) -> str:
        track = self._track(kind, index)
        return "" if track is None else track.name

    def SetTrackName(self, kind: str, index: int, name: str) -> bool:
        track = self._track(kind, index)
        if track is None:
            return False
        track.name = name
        return True

    def GetIsTrackLocked(self, kind: str, index: int) -> bool:
        track = self._track(kind, index)
        return track is not None and track.locked

    def SetTrackLock(self, kind: str, index: int, locked: bool) -> bool:
        track = self._track(kind, index)
        if track is None:
            return False
        track.locked = locked
        return True

    def GetIsTrackEnabled(self, kind: str, index: int) -> bool:
        track = self._track(kind, index)
        return track is not None and track.enabled

    def GetItemListInTrack(self, kind: str, index: int) -> list[TimelineItem]:
        track = self._track(kind, index)
        return [] if track is None else [TimelineItem(self._host, item) for item in track.items]

    def GetCurrentVideoItem(self) -> TimelineItem | None:
        edit: Edit = self._state
        for track in reversed(edit.video):
            for item in track.items:
                if track.enabled and item.start <= edit.playhead < item.end:
                    return TimelineItem(self._host, item)
        return None

    def GetCurrentClipThumbnailImage(self) -> dict[str, Any] | None:
        if self._host.page != "color":
            return None
        return {"width": 1, "height": 1, "format": "RGB 8 bit", "data": "AAAA"}

    def DeleteClips(self, items: list[TimelineItem], _ripple: bool = False) -> bool:
        ids = {item._state.id for item in items}
        for track in self._state.video:
            if any(item.id in ids for item in track.items) and track.locked:
                return False
            track.items = [item for item in track.items if item.id not in ids]
        return True

    def AddMarker(self, frame: float, *values: Any) -> bool:
        return add_marker(self._state.markers, frame, values)

    def GetMarkers(self) -> dict[float, dict[str, Any]]:
        return dict(self._state.markers)

    def GetMarkerByCustomData(self, data: str) -> dict[float, dict[str, Any]]:
        return by_custom_data(self._state.markers, data)

    def CreateSubtitlesFromAudio(self, _settings: Any = None) -> Any:
        return self._host.studio_only("Timeline.CreateSubtitlesFromAudio")

    def _timecode(self, frame: int) -> str:
        return clock.timecode(frame, self._state.rate, self._state.drop)

    def _tracks(self, kind: str) -> list[Track]:
        return self._state.tracks(kind) if kind in choices("TrackType") else []

    def _track(self, kind: str, index: int) -> Track | None:
        tracks = self._tracks(kind)
        return tracks[int(index) - 1] if 1 <= index <= len(tracks) else None


class TimelineItem(Face):
    """`new` is what an insertion answered: until the track is read again it does not know its own id."""

    def __init__(self, host: Any, state: Item, new: bool = False) -> None:
        super().__init__(host, state)
        self._new = new

    def GetName(self) -> str:
        return self._state.name

    def SetName(self, name: str) -> bool:
        self._state.name = name
        return True

    def GetUniqueId(self) -> str | None:
        return None if self._new else self._state.id

    def GetStart(self, _precise: bool = False) -> int:
        return self._state.start

    def GetEnd(self, _precise: bool = False) -> int:
        return self._state.end

    def GetDuration(self, _precise: bool = False) -> int:
        return self._state.end - self._state.start

    def GetLeftOffset(self, _precise: bool = False) -> int:
        return self._state.source

    def GetRightOffset(self, _precise: bool = False) -> int:
        clip = self._state.clip
        return 0 if clip is None else clip.frames - self._state.source - self.GetDuration()

    def GetMediaPoolItem(self) -> Any:
        from tests.hosts.resolve.standin.media import MediaPoolItem

        return None if self._state.clip is None else MediaPoolItem(self._host, self._state.clip)

    def SetClipColor(self, color: str) -> bool:
        if color not in choices("ClipColor"):
            return False
        self._state.color = color
        return True

    def GetClipColor(self) -> str:
        return self._state.color

    def AddMarker(self, frame: float, *values: Any) -> bool:
        return add_marker(self._state.markers, frame, values)

    def GetMarkers(self) -> dict[float, dict[str, Any]]:
        return dict(self._state.markers)

    def GetMarkerByCustomData(self, data: str) -> dict[float, dict[str, Any]]:
        return by_custom_data(self._state.markers, data)

    # ------------------------------------------------------------------ takes

    def AddTake(self, clip: Any, first: int | None = None, end: int | None = None) -> bool:
        item: Item = self._state
        if item.clip is None:
            return False
        if not item.takes:
            item.takes.append(Take(item.clip, item.source, item.source + self.GetDuration()))
        added = clip._state
        item.takes.append(Take(added, int(first or 0), added.frames if end is None else int(end)))
        return self.SelectTakeByIndex(len(item.takes))

    def GetTakesCount(self) -> int:
        return len(self._state.takes)

    def GetSelectedTakeIndex(self) -> int:
        return self._state.selected

    def GetTakeByIndex(self, index: int) -> dict[str, Any] | None:
        from tests.hosts.resolve.standin.media import MediaPoolItem

        if not 1 <= index <= len(self._state.takes):
            return None
        take = self._state.takes[int(index) - 1]
        clip = MediaPoolItem(self._host, take.clip)
        return {"startFrame": take.first, "endFrame": take.end, "mediaPoolItem": clip}

    def SelectTakeByIndex(self, index: int) -> bool:
        if not 1 <= index <= len(self._state.takes):
            return False
        take = self._state.takes[int(index) - 1]
        self._state.selected = int(index)
        self._state.clip, self._state.source = take.clip, take.first
        return True

    def DeleteTakeByIndex(self, index: int) -> bool:
        if not 1 <= index <= len(self._state.takes) or index == self._state.selected:
            return False
        del self._state.takes[int(index) - 1]
        return True

    # ------------------------------------------------------------------ grade

    def GetNumNodes(self) -> int:
        return len(self._state.nodes)

    def GetCurrentVersion(self) -> dict[str, Any]:
        return {"versionName": self._state.version, "versionType": 0}

    def GetLUT(self, index: int) -> str:
        node = self._node(index)
        return "" if node is None else node.lut

    def SetLUT(self, index: int, path: str) -> bool:
        """Only what the list of LUTs has, and the list is of the master folder when it was last refreshed."""
        node, known = self._node(index), self._host.known_luts
        prefix = f"{self._host.luts.as_posix()}/"
        name = path[len(prefix) :] if path.startswith(prefix) else path
        if node is None or (name and name not in known):
            return False
        node.lut = name
        return True

    def SetCDL(self, cdl: dict[str, Any]) -> bool:
        if set(cdl) != fields("CDLMap"):
            raise Refused(f"a CDL has the keys {sorted(fields('CDLMap'))}")
        if not all(isinstance(value, str) for value in cdl.values()):
            return False
        node = self._node(int(cdl["NodeIndex"]))
        triples = [cdl[name].split() for name in ("Slope", "Offset", "Power")]
        if node is None or any(len(triple) != 3 for triple in triples):
            return False
        node.cdl = dict(cdl)
        return True

    def CreateMagicMask(self, _mode: str) -> Any:
        return self._host.studio_only("TimelineItem.CreateMagicMask")

    def SmartReframe(self) -> Any:
        return self._host.studio_only("TimelineItem.SmartReframe")

    def _node(self, index: int) -> Any:
        return self._state.nodes[int(index) - 1] if 1 <= index <= len(self._state.nodes) else None
