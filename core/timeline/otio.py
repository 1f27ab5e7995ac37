"""A clip at its place in an .otio file, written whole and read back.

OpenTimelineIO counts time in floating point frames a second; 24000/1001 does not survive that, so the exact rate
stands in the metadata under "artifexpro" and is read from there.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.media.files import check_readable, write_text
from artifexpro.core.media.frames import FramePattern, is_pattern
from artifexpro.core.timeline.times import exact

METADATA = "artifexpro"
_RATE = "rate"


@dataclass(frozen=True, slots=True)
class Cut:
    """One clip on one track.

    `media` is a movie's path or a sequence's printf pattern; `first` to `last` are the frames it has, a movie's from 0,
    of which `handles` at each end are outside the cut. `record` is the timeline's frame at which the first frame shown
    lies, and `timeline_start` the number of the timeline's own first frame.
    """

    name: str
    track: str
    media: Path
    first: int
    last: int
    rate: Fraction
    record: int
    timeline_start: int = 0
    handles: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shown(self) -> int:
        """How many frames are in the cut."""
        return self.last - self.first + 1 - 2 * self.handles


def write(path: Path, cut: Cut) -> None:
    """Write a timeline with `cut` on its track, after a gap up to its place. Raises `ArtifexError`."""
    otio = importlib.import_module("opentimelineio")
    if cut.shown < 1:
        raise ArtifexError(
            f"place {cut.name} on the timeline",
            f"of its {cut.last - cut.first + 1} frames nothing is left between handles of {cut.handles}",
            "shorter handles or a longer clip",
        )
    if cut.record < cut.timeline_start:
        raise ArtifexError(
            f"place {cut.name} at frame {cut.record}",
            f"the timeline starts at frame {cut.timeline_start}",
            "a later frame, or an earlier start",
        )
    frames = _Frames(otio, cut.rate)
    clip = otio.schema.Clip(
        name=cut.name,
        media_reference=_reference(otio, cut, frames),
        source_range=frames.range(cut.first + cut.handles, cut.shown),
        metadata={METADATA: {**cut.metadata, _RATE: str(cut.rate)}},
    )
    track = otio.schema.Track(name=cut.track, kind=otio.schema.TrackKind.Video)
    if cut.record > cut.timeline_start:
        track.append(otio.schema.Gap(source_range=frames.range(0, cut.record - cut.timeline_start)))
    track.append(clip)
    timeline = otio.schema.Timeline(name=cut.name, global_start_time=frames.time(cut.timeline_start))
    timeline.tracks.append(track)
    write_text(path, otio.adapters.write_to_string(timeline, "otio_json") + "\n")


def read(path: Path) -> tuple[Cut, ...]:
    """The clips with media on all video tracks of an .otio file, at their places. Raises `ArtifexError`."""
    otio = importlib.import_module("opentimelineio")
    check_readable(path)
    try:
        timeline = otio.adapters.read_from_file(str(path), "otio_json")
        return tuple(_cuts(otio, timeline))
    except (otio.exceptions.OTIOError, ValueError, KeyError, AttributeError):
        raise ArtifexError(
            f"read {path}", "it is not a whole OpenTimelineIO timeline", "exporting it again", code="damaged"
        ) from None


class _Frames:
    """Makes OpenTimelineIO's times from whole frames at one rate."""

    def __init__(self, otio: Any, rate: Fraction) -> None:
        self._time = otio.opentime
        self._rate = float(rate)

    def time(self, frame: int) -> Any:
        return self._time.RationalTime(frame, self._rate)

    def range(self, first: int, count: int) -> Any:
        return self._time.TimeRange(self.time(first), self.time(count))


def _reference(otio: Any, cut: Cut, frames: _Frames) -> Any:
    available = frames.range(cut.first, cut.last - cut.first + 1)
    if not is_pattern(str(cut.media)):
        return otio.schema.ExternalReference(target_url=cut.media.as_posix(), available_range=available)
    pattern = FramePattern.parse(str(cut.media))
    return otio.schema.ImageSequenceReference(
        target_url_base=pattern.folder.as_posix() + "/",
        name_prefix=pattern.before,
        name_suffix=pattern.after,
        start_frame=cut.first,
        frame_step=1,
        rate=float(cut.rate),
        frame_zero_padding=pattern.digits,
        missing_frame_policy=otio.schema.ImageSequenceReference.MissingFramePolicy.error,
        available_range=available,
    )


def _cuts(otio: Any, timeline: Any) -> Iterator[Cut]:
    for track in timeline.video_tracks():
        for clip in track.find_clips():
            if clip.media_reference is not None and not clip.media_reference.is_missing_reference:
                yield _cut(otio, timeline, track.name, clip)


def _cut(otio: Any, timeline: Any, track: str, clip: Any) -> Cut:
    reference, shown = clip.media_reference, clip.source_range
    sequence = isinstance(reference, otio.schema.ImageSequenceReference)
    start = 0 if timeline.global_start_time is None else round(timeline.global_start_time.value)
    place = round(clip.transformed_time_range(shown, timeline.tracks).start_time.value)
    media_start = round(reference.available_range.start_time.value)
    first = reference.start_frame if sequence else media_start
    known = _plain(clip.metadata.get(METADATA, {}))
    return Cut(
        name=clip.name,
        track=track,
        media=_media(reference, sequence),
        first=first,
        last=first + round(reference.available_range.duration.value) - 1,
        rate=Fraction(known[_RATE]) if _RATE in known else exact(shown.duration.rate),
        record=start + place,
        timeline_start=start,
        handles=round(shown.start_time.value) - media_start,
        metadata={name: value for name, value in known.items() if name != _RATE},
    )


def _plain(value: Any) -> Any:
    """Metadata as Python's own tables and lists: OpenTimelineIO's end with their timeline."""
    if isinstance(value, Mapping):
        return {name: _plain(held) for name, held in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(held) for held in value]
    return value


def _media(reference: Any, sequence: bool) -> Path:
    if not sequence:
        return Path(reference.target_url)
    mark = f"%0{reference.frame_zero_padding}d" if reference.frame_zero_padding > 1 else "%d"
    return Path(reference.target_url_base) / f"{reference.name_prefix}{mark}{reference.name_suffix}"
