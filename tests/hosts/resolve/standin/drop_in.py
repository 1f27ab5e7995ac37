"""Import of an .otio file, as narrow as Resolve's: it takes what has the right shape and says nothing where not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import opentimelineio as otio

from tests.hosts.resolve.standin import clock
from tests.hosts.resolve.standin.state import Clip, Edit, Item, Movie, Track


def read(path: Path, name: str | None, project: Movie, open_media: Callable[[Any], Clip | None]) -> Edit | None:
    """The new timeline in `project`, or None where the name is taken or the file is not shaped as Resolve reads it."""
    if not path.is_file() or not _shaped(json.loads(path.read_text(encoding="utf-8"))):
        return None
    timeline = otio.adapters.read_from_file(str(path), "otio_json")
    name = name or timeline.name
    if name in [edit.name for edit in project.edits]:
        return None
    start = timeline.global_start_time
    label = next((each for each in clock.LABELS if abs(float(each) - start.rate) < 0.01), f"{start.rate:g}")
    edit = Edit(name, clock.rate_of(label), False, round(start.value), round(start.value), video=[])
    for track in timeline.video_tracks():
        edit.video.append(Track(track.name, _items(track, edit, open_media)))
    project.edits.append(edit)
    project.current = len(project.edits) - 1
    return edit


def _shaped(tree: Any) -> bool:
    """Clips of the second shape, their media by a bare absolute path, and a start."""
    clips = [each for each in _tables(tree) if each.get("OTIO_SCHEMA", "").startswith("Clip.")]
    media = [each for clip in clips for each in (clip.get("media_references") or {}).values()]
    paths = [each.get("target_url", "") for each in media]
    second = all(clip["OTIO_SCHEMA"] == "Clip.2" and clip.get("active_media_reference_key") for clip in clips)
    bare = all(Path(path).is_absolute() and "://" not in path for path in paths)
    return bool(clips) and second and bare and tree.get("global_start_time") is not None


def _tables(tree: Any) -> list[dict[str, Any]]:
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return [*([tree] if isinstance(tree, dict) else []), *(table for each in inner for table in _tables(each))]


def _items(track: Any, edit: Edit, open_media: Callable[[Any], Clip | None]) -> list[Item]:
    found = []
    for each in track:
        if isinstance(each, otio.schema.Clip):
            place = track.range_of_child(each)
            clip = open_media(each.media_reference.target_url)
            start = edit.start + round(place.start_time.rescaled_to(float(edit.rate)).value)
            length = round(place.duration.rescaled_to(float(edit.rate)).value)
            offset = each.source_range.start_time - each.media_reference.available_range.start_time
            found.append(Item(each.name, start, start + length, clip, round(offset.value)))
    return found
