"""A result as an .otio file that Resolve imports as it stands, where no script may run.

Resolve wants clips of the second shape, media by a bare absolute path, and the timeline's own start. OpenTimelineIO is
not among what hosts may load, so the JSON is written here; tests read it back with OpenTimelineIO.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

_MEDIA = "DEFAULT_MEDIA"


@dataclass(frozen=True)
class Cut:
    """`pictures` of a movie from `first` on, `made` of them a second, at the absolute frame `record` of a track."""

    name: str
    media: Path
    available: int
    first: int
    pictures: int
    made: Fraction
    track: int
    record: int
    rate: Fraction
    start: int
    job: str = ""


def write(path: Path, cut: Cut) -> None:
    """One clip at its place on a timeline of its own. The file appears whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(timeline(cut), indent=1, ensure_ascii=False), encoding="utf-8")
    part.replace(path)


def timeline(cut: Cut) -> dict[str, Any]:
    tracks = [_track(number, []) for number in range(1, cut.track)]
    gap = cut.record - cut.start
    children = [_gap(gap, cut.rate)] if gap else []
    tracks.append(_track(cut.track, [*children, _clip(cut)]))
    return {
        "OTIO_SCHEMA": "Timeline.1",
        "metadata": {},
        "name": cut.name,
        "global_start_time": _time(cut.start, cut.rate),
        "tracks": {**_named("Stack.1", "tracks"), "source_range": None, "children": tracks},
    }


def _clip(cut: Cut) -> dict[str, Any]:
    reference = {
        **_named("ExternalReference.1", cut.media.name),
        "available_range": _range(0, cut.available, cut.made),
        "available_image_bounds": None,
        "target_url": cut.media.as_posix(),
    }
    marker = {
        **_named("Marker.2", cut.name),
        "metadata": {"artifexpro": {"job": cut.job}},
        "color": "PURPLE",
        "comment": f"job {cut.job}",
        "marked_range": _range(cut.first, 1, cut.made),
    }
    return {
        **_named("Clip.2", cut.name),
        "source_range": _range(cut.first, cut.pictures, cut.made),
        "effects": [],
        "markers": [marker],
        "enabled": True,
        "media_references": {_MEDIA: reference},
        "active_media_reference_key": _MEDIA,
    }


def _track(number: int, children: list[Any]) -> dict[str, Any]:
    empty = {**_named("Track.1", f"Video {number}"), "source_range": None, "effects": [], "markers": []}
    return {**empty, "enabled": True, "kind": "Video", "children": children}


def _gap(length: int, rate: Fraction) -> dict[str, Any]:
    empty = {**_named("Gap.1", ""), "source_range": _range(0, length, rate), "effects": [], "markers": []}
    return {**empty, "enabled": True}


def _named(schema: str, name: str) -> dict[str, Any]:
    return {"OTIO_SCHEMA": schema, "metadata": {}, "name": name}


def _range(first: int, count: int, rate: Fraction) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": _time(first, rate), "duration": _time(count, rate)}


def _time(frame: int, rate: Fraction) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": float(frame)}
