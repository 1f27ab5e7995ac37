"""One graph for every clip of a track: the documents and frame ranges of the jobs.

The graph keeps everything but its source, which is pointed at the clip's media and numbered as the timeline numbers it,
so that what comes back lies at its place by its frame numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.document import Document, NodeRecord
from artifexpro.core.media import movie, still
from artifexpro.core.media.files import check_readable
from artifexpro.core.media.frames import FramePattern
from artifexpro.core.media.movie import MovieReader
from artifexpro.core.protocol import FrameRange
from artifexpro.core.timeline.index import Layer, Nest, PlacedClip, TimelineIndex
from artifexpro.core.timeline.media import Media
from artifexpro.core.timeline.pictures import unknown_ending

MEDIA, SEQUENCE = "MediaInput", "SequenceInput"


@dataclass(frozen=True, slots=True)
class ClipWork:
    """One clip's job: the graph that reads it, and the frames to compute, in the numbers of that graph.

    `handles` are those in `frames`, before and after what the clip shows. `remarks` are sentences about what differs
    from the clip as it lies on the timeline.
    """

    clip: PlacedClip
    document: Document
    frames: FrameRange
    handles: tuple[int, int]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passed:
    """A clip or nested timeline for which there is no job, and why."""

    clip: PlacedClip | Nest
    why: ArtifexError


def each_clip(
    document: Document, source: str, timeline: TimelineIndex, track: str, handles: int = 0
) -> Iterator[ClipWork | Passed]:
    """For every clip of a track, in order, its job, or why it has none.

    `source` is the id of the MediaInput or SequenceInput to point at the clip; it becomes the one that reads its kind
    of media. A clip gets `handles` frames at each end, or as many as its media has. A movie's frames keep the numbers
    they have on the timeline, a sequence's those of its files. Raises `ArtifexError` at once where the node is not
    there or is no such source, or the timeline has no such track.
    """
    attempted = f"run the graph on each clip of {track}"
    record = document.nodes.get(source)
    if record is None:
        raise ArtifexError(attempted, f'the graph has no node "{source}"', f"one of: {', '.join(document.nodes)}")
    if record.type not in (MEDIA, SEQUENCE):
        because = f'its node "{source}" is a {record.type}, which reads no files'
        raise ArtifexError(attempted, because, f"a {MEDIA} or {SEQUENCE} of the graph")
    return _each(document, source, record, timeline.track(track), handles)


def _each(
    document: Document, source: str, record: NodeRecord, layer: Layer, handles: int
) -> Iterator[ClipWork | Passed]:
    for item in layer.items:
        try:
            yield _work(document, source, record, item, handles)
        except ArtifexError as error:
            yield Passed(item, error)


def _work(document: Document, source: str, record: NodeRecord, item: PlacedClip | Nest, handles: int) -> ClipWork:
    attempted = f"run the graph on the clip {item.name}"
    if isinstance(item, Nest):
        raise ArtifexError(attempted, "it is a timeline of its own", "running on the tracks inside it")
    if not item.enabled:
        raise ArtifexError(attempted, "it is switched off", "switching it on")
    media = item.media
    if media is None or item.unreadable:
        raise ArtifexError(attempted, item.unreadable, "linking its media again", code="missing")
    if item.last < item.first:
        raise ArtifexError(attempted, "it lies between two frames", "a longer clip")
    has = pictures(media)
    if media.path.suffix.lower() in still.ENDINGS and not media.is_sequence:
        frames = FrameRange(first=item.first - handles, last=item.last + handles)
        params = {"path": str(media.path), "first_frame": item.first}
        return ClipWork(item, _pointed(document, source, record, MEDIA, params), frames, (handles, handles))
    shown = item.picture(item.first), item.picture(item.last)
    head, tail = min(handles, shown[0]), min(handles, has - 1 - shown[1])
    if shown[0] < 0 or tail < 0:
        because = f"it shows pictures {shown[0]} to {shown[1]} of its media, which has 0 to {has - 1}"
        raise ArtifexError(attempted, because, "linking the right media", code="range")
    kind, offset = (SEQUENCE, media.start) if media.is_sequence else (MEDIA, item.first - shown[0])
    if media.is_sequence:
        params = {"path": str(media.path), "first": None, "last": None, "rate": str(media.rate)}
    else:
        params = {"path": str(media.path), "first_frame": offset}
    frames = FrameRange(first=offset + shown[0] - head, last=offset + shown[1] + tail)
    remarks = _remarks(item, media, handles, (head, tail))
    return ClipWork(item, _pointed(document, source, record, kind, params), frames, (head, tail), remarks)


def _remarks(clip: PlacedClip, media: Media, asked: int, handles: tuple[int, int]) -> tuple[str, ...]:
    said: list[str] = []
    if clip.speed != 1:
        said.append(
            f"{clip.name} does not play one picture of its media a frame: the job is for its pictures as they are, "
            "one a frame."
        )
    if min(handles) < asked:
        said.append(f"{clip.name} has handles of {handles[0]} and {handles[1]} frames where {asked} were asked for.")
    return tuple(said)


def _pointed(document: Document, source: str, record: NodeRecord, kind: str, params: Mapping[str, Any]) -> Document:
    kept = (
        record.params
        if record.type == kind
        else {key: record.params[key] for key in ("space",) if key in record.params}
    )
    pointed = replace(
        record, type=kind, version=record.version if record.type == kind else 1, params={**kept, **params}
    )
    return replace(document, nodes={**document.nodes, source: pointed})


def pictures(media: Media) -> int:
    """How many pictures the media has, by its timeline or else by its files. Raises `ArtifexError` where the files are
    not there or are of a kind that is not known here."""
    if media.is_sequence:
        if media.step != 1:
            raise ArtifexError(
                f"read {media.path}", f"its frame numbers go on by {media.step}", "renumbering the frames on disk"
            )
        present = FramePattern.parse(str(media.path)).on_disk()
        if not present:
            raise ArtifexError(
                f"read {media.path}", "no frame of it is on disk", "linking the clip's media again", code="missing"
            )
        return present[-1] - media.start + 1
    check_readable(media.path)
    ending = media.path.suffix.lower()
    if ending in still.ENDINGS:
        return 1
    if ending not in movie.ENDINGS:
        raise unknown_ending(media)
    if media.count is not None:
        return media.count
    with MovieReader(media.path) as reader:
        return reader.info.frames


def missing(timeline: TimelineIndex) -> Iterator[tuple[PlacedClip, Path | None]]:
    """The clips on video tracks that cannot be read, with the file that is not there; None for those without media."""
    for _, clip in timeline.clips():
        if clip.media is None or clip.unreadable:
            yield clip, None
        elif clip.last >= clip.first:
            media = clip.media
            used = media.files(clip.picture(clip.first), clip.picture(clip.last))
            gone = next((path for path in used if not path.exists()), None)
            if gone is not None:
                yield clip, gone
