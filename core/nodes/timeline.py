"""The sink that places a clip on a timeline file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.context import JobContext
from artifexpro.core.graph.kinds import SinkNode
from artifexpro.core.graph.node import Preflight, Socket, parameter
from artifexpro.core.graph.values import SocketType, VideoStream
from artifexpro.core.media.frames import FramePattern, is_pattern
from artifexpro.core.protocol import Artefact, FrameRange, Rate
from artifexpro.core.timeline import otio


class TimelineOutput(SinkNode):
    """Writes an OpenTimelineIO file with the clip at its place.

    The place and the handles are those of the job's target; without a target the clip lies at its own first frame. The
    file refers to the movie or frames that a FileOutput of the same graph writes from the same clip.
    """

    category: ClassVar[str] = "output"
    inputs: ClassVar[tuple[Socket, ...]] = (Socket("video", SocketType.VIDEO),)
    refers: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"path": "edit.otio", "media": "frames/frame.%04d.exr", "track": "AI"}

    path: str = parameter(
        "edit.otio", "The .otio file, inside the job's output folder or as a whole path.", unit="path"
    )
    media: str = parameter(
        "clip.mp4", "The movie or frame.%04d.exr of the clip, written as a FileOutput does.", unit="path"
    )
    track: str = parameter("V1", "Name of the track.")
    name: str = parameter("Generated clip", "Name of the clip on the track.")
    start: int = parameter(
        0, "Number of the timeline's first frame.", minimum=-1_000_000, maximum=100_000_000, unit="frames"
    )

    def preflight(self, context: Preflight) -> None:
        if Path(self.path).suffix.lower() != ".otio":
            raise ArtifexError(f'write the timeline "{self.path}"', "its name does not end in .otio", "edit.otio")
        if not self.media:
            raise ArtifexError(f"write the timeline {self.path}", "it says no media", "the path of a FileOutput")
        if is_pattern(self.media):
            FramePattern.parse(self.media)

    def write(self, context: JobContext, **inputs: VideoStream) -> tuple[Artefact, ...]:
        info = inputs["video"].info
        frames = context.frames or FrameRange(first=info.first, last=info.last)
        handles = context.target.handles if context.target else 0
        place = context.target.frame if context.target else None
        media = (context.output / self.media).absolute()
        self._check(media, frames)
        first = frames.first if is_pattern(self.media) else 0
        path = context.output / self.path
        record = frames.first + handles if place is None else place
        with context.stage("write"):
            otio.write(
                path,
                otio.Cut(
                    name=self.name,
                    track=self.track,
                    media=media,
                    first=first,
                    last=first + frames.last - frames.first,
                    rate=info.rate,
                    record=record,
                    timeline_start=self.start,
                    handles=handles,
                    metadata={"recipe": context.recipe},
                ),
            )
        rate = Rate(num=info.rate.numerator, den=info.rate.denominator)
        shown = FrameRange(first=record, last=record + frames.last - frames.first - 2 * handles)
        return (Artefact(path=str(path), role="timeline", frames=shown, rate=rate),)

    def _check(self, media: Path, frames: FrameRange) -> None:
        """Refuse to refer to what is not there. Raises `ArtifexError`."""
        if is_pattern(self.media):
            pattern = FramePattern.parse(str(media))
            wanted = [pattern.path(frames.first), pattern.path(frames.last)]
        else:
            wanted = [media]
        for path in wanted:
            if not path.exists():
                raise ArtifexError(
                    f"place {self.media} on the timeline {self.path}",
                    f"{path} is not there",
                    f'a FileOutput with path "{self.media}" on the same clip',
                    code="missing",
                )
