"""What is done in Resolve, in Python: each verb takes plain values and gives plain values.

`artifexpro.lua` has the same verbs with the same values, and a test holds the two together. A verb that fails leaves
nothing half done. Results are read back from the timeline: what an insertion answers may not know its own id yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .troubles import Troubled

BIN = "ArtifexPro"
MARKER_COLOR = "Purple"
CLIP_COLOR = "Violet"
KEEPER = "ArtifexPro keeps your render settings"
"""A render preset that holds the artist's settings while a job of ours is added."""

Values = dict[str, Any]


def ask(thing: Any, method: str, *values: Any) -> Any:
    """Call a method of Resolve's. Of a program that was closed, and of a method it lacks, Resolve gives None."""
    member = getattr(thing, method, None)
    if member is None:
        raise Troubled("gone", method)
    return member(*values)


def need(thing: Any, method: str, *values: Any) -> Any:
    """Call a method whose answer cannot be nothing."""
    answer = ask(thing, method, *values)
    if answer is None:
        raise Troubled("silent", method)
    return answer


def look(resolve: Any, _values: Values) -> Values:
    """The program, the open project and timeline: all that a place is decided by."""
    told: Values = {
        "product": need(resolve, "GetProductName"),
        "version": need(resolve, "GetVersionString"),
        "page": ask(resolve, "GetCurrentPage") or "",
    }
    project = ask(need(resolve, "GetProjectManager"), "GetCurrentProject")
    if project is None:
        return told
    told["project"] = {"id": need(project, "GetUniqueId"), "name": need(project, "GetName")}
    timeline = ask(project, "GetCurrentTimeline")
    if timeline is not None:
        told["timeline"] = _timeline(timeline)
    return told


def where(resolve: Any, _values: Values) -> Values:
    """The open project and timeline by id, without a look at the tracks."""
    project = ask(need(resolve, "GetProjectManager"), "GetCurrentProject")
    timeline = None if project is None else ask(project, "GetCurrentTimeline")
    found = {"project": project, "timeline": timeline}
    return {name: need(each, "GetUniqueId") for name, each in found.items() if each is not None}


def item(resolve: Any, values: Values) -> Values:
    """One clip on the timeline: its place, its media and its grade."""
    _, timeline = _opened(resolve, values)
    track, found = _item(timeline, values["item"])
    media = ask(found, "GetMediaPoolItem")
    return {
        **_placed(found, track),
        "source": need(found, "GetLeftOffset"),
        "media": "" if media is None else str(need(media, "GetClipProperty", "File Path")),
        "takes": ask(found, "GetTakesCount") or 0,
        "grade": _grade(found),
    }


def find(resolve: Any, values: Values) -> Values:
    """The clip that carries the mark, wherever it was moved to; {} where there is none."""
    _, timeline = _opened(resolve, values)
    for track, each in _everywhere(timeline):
        if ask(each, "GetMarkerByCustomData", values["mark"]):
            return _placed(each, track)
    return {}


def insert(resolve: Any, values: Values) -> Values:
    """Frames `first` up to `end` of the media, at the absolute frame `record` of `track`, marked.

    A `track` above the uppermost is made.
    """
    project, timeline = _opened(resolve, values)
    pool = need(project, "GetMediaPool")
    clip = _imported(project, pool, values)
    made_track = 0
    try:
        track = values["track"]
        if track > need(timeline, "GetTrackCount", "video"):
            ask(timeline, "AddTrack", "video")
            track = made_track = need(timeline, "GetTrackCount", "video")
        wanted = {
            "mediaPoolItem": clip,
            "startFrame": values["first"],
            "endFrame": values["end"],
            "mediaType": 1,
            "trackIndex": track,
            "recordFrame": values["record"],
        }
        ask(pool, "AppendToTimeline", [wanted])
        landed = _with_media(timeline, need(clip, "GetUniqueId"))
        if landed is None:
            raise Troubled("dropped", f"track {track}, frame {values['record']}")
        _mark(timeline, landed[1], values)
    except Troubled:
        _take_back(timeline, pool, clip, made_track)
        raise
    ask(landed[1], "SetClipColor", CLIP_COLOR)
    return _placed(landed[1], landed[0])


def remove(resolve: Any, values: Values) -> Values:
    """Take a clip of ours off the timeline and out of the media pool."""
    project, timeline = _opened(resolve, values)
    _, found = _item(timeline, values["item"])
    media = ask(found, "GetMediaPoolItem")
    ask(timeline, "DeleteClips", [found], False)
    if media is not None:
        ask(need(project, "GetMediaPool"), "DeleteClips", [media])
    return {}


def take(resolve: Any, values: Values) -> Values:
    """The media as a new, selected take of a clip, whose grade must be what it was."""
    project, timeline = _opened(resolve, values)
    track, found = _item(timeline, values["item"])
    pool = need(project, "GetMediaPool")
    before = _grade(found)
    had, was = ask(found, "GetTakesCount") or 1, ask(found, "GetSelectedTakeIndex") or 1
    clip = _imported(project, pool, values)
    try:
        if not ask(found, "AddTake", clip, values["first"], values["end"]):
            raise Troubled("no-take", need(found, "GetName"))
        number = need(found, "GetTakesCount")
        chosen = ask(found, "SelectTakeByIndex", number) and need(found, "GetTakeByIndex", number)
        if not chosen or need(chosen["mediaPoolItem"], "GetUniqueId") != need(clip, "GetUniqueId"):
            raise Troubled("no-take", need(found, "GetName"))
        if _grade(found) != before:
            raise Troubled("grade-lost", need(found, "GetName"))
        _mark(timeline, found, values, keep=True)
    except Troubled:
        last = ask(found, "GetTakesCount") or 0
        if last > had:
            ask(found, "SelectTakeByIndex", was)
            ask(found, "DeleteTakeByIndex", last)
        ask(pool, "DeleteClips", [clip])
        raise
    return {**_placed(found, track), "take": need(found, "GetSelectedTakeIndex"), "takes": number, "grade": before}


def lut(resolve: Any, values: Values) -> Values:
    """A LUT of the master folder on a node, counted from 1."""
    project, timeline = _opened(resolve, values)
    _, found = _item(timeline, values["item"])
    _node(found, values["node"])
    ask(project, "RefreshLUTList")
    if not ask(found, "SetLUT", values["node"], values["lut"]):
        raise Troubled("no-lut", values["lut"])
    if ask(found, "GetLUT", values["node"]) != values["lut"]:
        raise Troubled("no-lut", values["lut"])
    return {"lut": values["lut"]}


def cdl(resolve: Any, values: Values) -> Values:
    """A CDL on a node. Resolve has no way to read one back; it says whether it took it."""
    _, timeline = _opened(resolve, values)
    _, found = _item(timeline, values["item"])
    _node(found, values["node"])
    table = {name: values[name] for name in ("Slope", "Offset", "Power", "Saturation")}
    if not ask(found, "SetCDL", {"NodeIndex": str(values["node"]), **table}):
        raise Troubled("no-cdl", " / ".join(table.values()))
    return {}


def still(resolve: Any, values: Values) -> Values:
    """The picture under the playhead, as a file."""
    project, _ = _opened(resolve, values)
    if not ask(project, "ExportCurrentFrameAsStill", values["path"]):
        raise Troubled("no-still")
    return {"path": values["path"]}


def render_start(resolve: Any, values: Values) -> Values:
    """Render frames `first` to `last` of the timeline into `folder`, by a job of our own.

    What the artist set on the Deliver page is put back before the job starts; no other job is touched.
    """
    project, _ = _opened(resolve, values)
    if ask(project, "IsRenderingInProgress"):
        raise Troubled("rendering")
    job = _with_artists_settings_kept(project, lambda: _added(project, values))
    if not ask(project, "StartRendering", [job], False):
        ask(project, "DeleteRenderJob", job)
        raise Troubled("no-render", "it did not start")
    return {"render": job}


def render_status(resolve: Any, values: Values) -> Values:
    """How far the job is; `status` "" where Resolve does not know it any more."""
    told = ask(_project(resolve), "GetRenderJobStatus", values["render"]) or {}
    return {
        "status": told.get("JobStatus", ""),
        "percent": told.get("CompletionPercentage", 0),
        "error": told.get("Error", ""),
    }


def render_end(resolve: Any, values: Values) -> Values:
    """Stop the job if it runs, and take it out of the queue by its id."""
    project = _project(resolve)
    if (ask(project, "GetRenderJobStatus", values["render"]) or {}).get("JobStatus") == "Rendering":
        ask(project, "StopRendering")
    return {"removed": bool(ask(project, "DeleteRenderJob", values["render"]))}


def seek(resolve: Any, values: Values) -> Values:
    """The playhead to a timecode."""
    _, timeline = _opened(resolve, values)
    ask(timeline, "SetCurrentTimecode", values["timecode"])
    return {"timecode": need(timeline, "GetCurrentTimecode")}


VERBS: dict[str, Callable[[Any, Values], Values]] = {
    verb.__name__: verb
    for verb in (
        look, where, item, find, insert, remove, take, lut, cdl, still, render_start, render_status, render_end, seek
    )
}  # fmt: skip


# ---------------------------------------------------------------------- the open project


def _project(resolve: Any) -> Any:
    project = ask(need(resolve, "GetProjectManager"), "GetCurrentProject")
    if project is None:
        raise Troubled("no-project")
    return project


def _opened(resolve: Any, values: Values) -> tuple[Any, Any]:
    """The open project and timeline; they must be those that `values` name, where it names some."""
    project = _project(resolve)
    if need(project, "GetUniqueId") != values.get("project", need(project, "GetUniqueId")):
        raise Troubled("other-project", str(values.get("project_name", "")))
    timeline = ask(project, "GetCurrentTimeline")
    if timeline is None:
        raise Troubled("no-timeline")
    if need(timeline, "GetUniqueId") != values.get("timeline", need(timeline, "GetUniqueId")):
        raise Troubled("other-timeline", str(values.get("timeline_name", "")))
    return project, timeline


def _timeline(timeline: Any) -> Values:
    told = {
        "id": need(timeline, "GetUniqueId"),
        "name": need(timeline, "GetName"),
        "rate": str(need(timeline, "GetSetting", "timelineFrameRate")),
        "start": need(timeline, "GetStartFrame"),
        "start_timecode": need(timeline, "GetStartTimecode"),
        "timecode": need(timeline, "GetCurrentTimecode"),
        "tracks": [_track(timeline, number) for number in _numbers(timeline)],
    }
    current = ask(timeline, "GetCurrentVideoItem")
    if current is not None:
        told["current"] = need(current, "GetUniqueId")
    return told


def _numbers(timeline: Any) -> range:
    return range(1, need(timeline, "GetTrackCount", "video") + 1)


def _track(timeline: Any, number: int) -> Values:
    items = ask(timeline, "GetItemListInTrack", "video", number) or []
    return {
        "locked": bool(ask(timeline, "GetIsTrackLocked", "video", number)),
        "enabled": bool(ask(timeline, "GetIsTrackEnabled", "video", number)),
        "items": [_placed(each, number) for each in items],
    }


# ---------------------------------------------------------------------- clips


def _placed(each: Any, track: int) -> Values:
    return {
        "id": need(each, "GetUniqueId"),
        "name": need(each, "GetName"),
        "track": track,
        "start": need(each, "GetStart"),
        "end": need(each, "GetEnd"),
    }


def _everywhere(timeline: Any) -> Iterator[tuple[int, Any]]:
    for number in _numbers(timeline):
        for each in ask(timeline, "GetItemListInTrack", "video", number) or []:
            yield number, each


def _item(timeline: Any, name: str) -> tuple[int, Any]:
    for number, each in _everywhere(timeline):
        if need(each, "GetUniqueId") == name:
            return number, each
    raise Troubled("no-item", name)


def _with_media(timeline: Any, media: str) -> tuple[int, Any] | None:
    for number, each in _everywhere(timeline):
        source = ask(each, "GetMediaPoolItem")
        if source is not None and ask(source, "GetUniqueId") == media:
            return number, each
    return None


def _imported(project: Any, pool: Any, values: Values) -> Any:
    """The media in a bin of ours; the artist's bin is the current one again afterwards."""
    was = need(pool, "GetCurrentFolder")
    root = need(pool, "GetRootFolder")
    bins = ask(root, "GetSubFolderList") or []
    ours = next((each for each in bins if ask(each, "GetName") == BIN), None) or need(pool, "AddSubFolder", root, BIN)
    ask(pool, "SetCurrentFolder", ours)
    media = values["media"]
    if "frames" in values:
        first, last = values["frames"]
        wanted: list[Any] = [{"FilePath": media, "StartIndex": first, "EndIndex": last}]
    else:
        wanted = [media]
    clips = ask(pool, "ImportMedia", wanted) or []
    ask(pool, "SetCurrentFolder", was)
    if not clips:
        raise Troubled("unread", media)
    ask(clips[0], "SetName", values["name"])
    return clips[0]


def _mark(timeline: Any, each: Any, values: Values, keep: bool = False) -> None:
    """A marker with the job on the clip's first shown frame, or the next one that has none. `keep` leaves the clip."""
    taken = ask(each, "GetMarkers") or {}
    frame = values["first"]
    while frame in taken:
        frame += 1
    ask(each, "AddMarker", frame, MARKER_COLOR, values["name"], values["note"], 1, values["mark"])
    if not ask(each, "GetMarkerByCustomData", values["mark"]):
        if not keep:
            ask(timeline, "DeleteClips", [each], False)
        raise Troubled("unmarked", values["name"])


def _take_back(timeline: Any, pool: Any, clip: Any, made_track: int) -> None:
    ask(pool, "DeleteClips", [clip])
    if made_track:
        ask(timeline, "DeleteTrack", "video", made_track)


def _grade(each: Any) -> Values:
    nodes = need(each, "GetNumNodes")
    version = ask(each, "GetCurrentVersion") or {}
    return {
        "version": str(version.get("versionName", "")),
        "luts": [ask(each, "GetLUT", number) or "" for number in range(1, nodes + 1)],
    }


def _node(each: Any, number: int) -> None:
    if not 1 <= number <= need(each, "GetNumNodes"):
        raise Troubled("no-node", str(number))


# ---------------------------------------------------------------------- rendering


def _with_artists_settings_kept(project: Any, add: Callable[[], str]) -> str:
    """Whatever `add` sets on the Deliver page is what the artist had set again afterwards."""
    if KEEPER in (ask(project, "GetRenderPresetList") or []):
        _give_back(project)
    if not ask(project, "SaveAsNewRenderPreset", KEEPER):
        raise Troubled("no-render", "the settings on the Deliver page could not be kept")
    try:
        return add()
    finally:
        _give_back(project)


def _give_back(project: Any) -> None:
    ask(project, "LoadRenderPreset", KEEPER)
    ask(project, "DeleteRenderPreset", KEEPER)


def _added(project: Any, values: Values) -> str:
    codecs = ask(project, "GetRenderCodecs", "exr") or {}
    codec = next((codecs[name] for name in sorted(codecs) if "half" in name), None)
    if codec is None or not ask(project, "SetCurrentRenderFormatAndCodec", "exr", codec):
        raise Troubled("no-render", "it writes no half float EXR")
    ask(
        project,
        "SetRenderSettings",
        {
            "SelectAllFrames": False,
            "MarkIn": values["first"],
            "MarkOut": values["last"],
            "TargetDir": values["folder"],
            "CustomName": values["name"],
            "ExportVideo": True,
            "ExportAudio": False,
        },
    )
    job = ask(project, "AddRenderJob")
    if not job:
        raise Troubled("no-render", "it was not added to the queue")
    return str(job)
