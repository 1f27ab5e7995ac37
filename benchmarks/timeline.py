"""A timeline of 999 tracks and 10,000 clips: how long until it is open, and until it is known what is at a frame.

The peer is OpenTimelineIO itself, which reads the same file and then answers the same question, "which clips of which
frames of their media are here?", by its own search. Its answers are compared with ours before anything is timed.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import opentimelineio  # type: ignore[import-untyped]

from artifexpro.benchmarks.common import Figure, figure, tell
from artifexpro.core.timeline.index import TimelineIndex
from artifexpro.core.timeline.opening import open_timeline

TRACKS, CLIPS = 999, 10_000
RATE = 24000 / 1001
START = 86_400
LENGTH, GAP, HANDLE = 84, 3, 8
OPEN_TARGET, FIND_TARGET = "<= 5 s", "<= 5 ms"


def write(path: Path, tracks: int = TRACKS, clips: int = CLIPS) -> None:
    """Write an edit of `clips` clips with handles, dealt out evenly to `tracks` tracks, a short gap before each."""
    schema, time = opentimelineio.schema, opentimelineio.opentime

    def span(first: int, count: int) -> Any:
        return time.TimeRange(time.RationalTime(first, RATE), time.RationalTime(count, RATE))

    timeline = schema.Timeline(name="feature", global_start_time=time.RationalTime(START, RATE))
    made = [schema.Track(name=f"V{number + 1}", kind=schema.TrackKind.Video) for number in range(tracks)]
    for number in range(clips):
        media = schema.ExternalReference(f"/media/shot{number:05d}.mov", span(0, LENGTH + 2 * HANDLE))
        track = made[number % tracks]
        track.append(schema.Gap(duration=time.RationalTime(GAP + number % 7, RATE)))
        track.append(schema.Clip(f"shot{number:05d}", media, span(HANDLE, LENGTH)))
    timeline.tracks.extend(made)
    opentimelineio.adapters.write_to_file(timeline, str(path))


def at(index: TimelineIndex, frame: int) -> list[tuple[str, int]]:
    """Name and picture of each clip at a frame."""
    return [(found.clip.name, found.picture) for found in index.at(frame)]


def peer_at(timeline: Any, frame: int) -> list[tuple[str, int]]:
    """The same by OpenTimelineIO."""
    moment = opentimelineio.opentime.RationalTime(frame - START, RATE)
    found = []
    for track in timeline.tracks:
        clip = track.child_at_time(moment, shallow_search=True)
        if isinstance(clip, opentimelineio.schema.Clip):
            found.append((clip.name, round(track.transformed_time(moment, clip).value)))
    return found


def measure(path: Path, opens: int = 5, frames: int = 60) -> dict[str, list[float]]:
    """Seconds of each way. Raises `RuntimeError` where the two do not agree on what is at a frame."""
    chance = random.Random(1)
    taken: dict[str, list[float]] = {"open": [], "peer_open": [], "find": [], "peer_find": []}
    for _ in range(opens):
        began = perf_counter()
        index = open_timeline(path)
        between = perf_counter()
        timeline = opentimelineio.adapters.read_from_file(str(path))
        taken["open"].append(between - began)
        taken["peer_open"].append(perf_counter() - between)
    for number in range(frames):
        frame = chance.randint(index.first, index.last)
        began = perf_counter()
        ours = at(index, frame)
        taken["find"].append(perf_counter() - began)
        if number < 10:
            began = perf_counter()
            theirs = peer_at(timeline, frame)
            taken["peer_find"].append(perf_counter() - began)
            if ours != theirs:
                raise RuntimeError(f"OpenTimelineIO finds other clips at frame {frame}")
    return taken


def figures(taken: dict[str, list[float]]) -> list[Figure]:
    peer = f"OpenTimelineIO {opentimelineio.__version__}"
    return [
        figure(
            "timeline.open_s",
            taken["open"],
            "s",
            peer=peer,
            peers=taken["peer_open"],
            target=OPEN_TARGET,
            note="until every frame can be asked for; it reads the file with OpenTimelineIO, which is a part of ours",
        ),
        figure(
            "timeline.find_ms",
            [1000 * seconds for seconds in taken["find"]],
            "ms",
            peer=peer,
            peers=[1000 * seconds for seconds in taken["peer_find"]],
            target=FIND_TARGET,
            note="all clips of all tracks at a random frame, each with its picture of the media",
        ),
    ]


def run() -> list[Figure]:
    """Both figures, of a file written for them."""
    with tempfile.TemporaryDirectory(prefix="artifexpro-bench-") as folder:
        path = Path(folder) / "feature.otio"
        write(path)
        return figures(measure(path))


def main(arguments: Sequence[str]) -> int:
    tell(run(), as_json="--json" in arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
