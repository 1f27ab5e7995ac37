"""Sinks that write pictures: movies, sequences and stills, by the file's ending."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.context import JobContext
from artifexpro.core.graph.kinds import SinkNode
from artifexpro.core.graph.node import Preflight, Socket, parameter
from artifexpro.core.graph.values import AudioStream, ImageBuffer, SocketType, StreamInfo, VideoStream
from artifexpro.core.media import color
from artifexpro.core.media.files import appearing, sha256, write_text
from artifexpro.core.media.frames import FramePattern, is_pattern
from artifexpro.core.media.movie import CONTAINERS, Codec, MovieWriter
from artifexpro.core.media.sequence import write_frame
from artifexpro.core.media.still import RECIPE, Header, Packing
from artifexpro.core.protocol import Artefact, FrameRange, Rate

_DEFAULT_CRF = 16
_PICTURES: Mapping[str, tuple[Packing, ...]] = {".exr": ("exr",), ".png": ("png8", "png16")}
_ENDINGS: Mapping[str, tuple[str, ...]] = {**CONTAINERS, **_PICTURES}


class FileOutput(SinkNode):
    """Writes a clip to a movie (.mp4, .mov, .mkv), to numbered frames or to one picture (.exr, .png).

    A name like frame.%04d.exr is a sequence. EXR frames are half float with alpha multiplied in, and carry the recipe,
    rate and timecode in their header; a movie's recipe lies beside it. A movie has the sound that is connected, which
    lies along the same frames. Files appear whole or not at all.
    """

    category: ClassVar[str] = "output"
    inputs: ClassVar[tuple[Socket, ...]] = (
        Socket("video", SocketType.VIDEO),
        Socket("audio", SocketType.AUDIO, optional=True),
    )
    example: ClassVar[Mapping[str, Any]] = {"path": "frames/frame.%04d.exr"}

    path: str = parameter("", "Where to write, inside the job's output folder or as a whole path.", unit="path")
    space: str = parameter(
        "auto",
        'Colour space of the file; "auto" is the job\'s (ACEScg) for EXR and sRGB for all else.',
        unit="colour space",
    )
    codec: Literal["auto", "h264", "prores4444", "ffv1", "png8", "png16"] = parameter(
        "auto", 'How pictures are packed; "auto" is h264 for movies and 8 bit for PNG.'
    )
    crf: int = parameter(
        _DEFAULT_CRF,
        "H.264 quality: 0 is lossless, lower is better and larger.",
        minimum=0,
        maximum=51,
        unit="x264 CRF",
    )

    def preflight(self, context: Preflight) -> None:
        packing = self._packing()
        if packing != "h264" and self.crf != _DEFAULT_CRF:
            raise ArtifexError(
                f"write {self.path} with crf {self.crf}", "only H.264 has this setting", "leaving crf as it is"
            )
        if packing in get_args(Codec) and is_pattern(self.path):
            raise ArtifexError(
                f"write {self.path}",
                "a movie is one file and needs no frame number",
                "the name without the number mark",
            )
        if "audio" in context.wired and packing not in get_args(Codec):
            raise ArtifexError(
                f"write sound to {self.path}", "pictures have no sound", "a movie (.mp4, .mov, .mkv), or no sound"
            )
        if is_pattern(self.path):
            FramePattern.parse(self.path)

    def write(self, context: JobContext, **inputs: Any) -> tuple[Artefact, ...]:
        video: VideoStream = inputs["video"]
        frames = context.frames or FrameRange(first=video.info.first, last=video.info.last)
        packing = self._packing()
        with context.stage("write"):
            if packing in get_args(Codec):
                return self._write_movie(context, video, inputs.get("audio"), frames, packing)
            return self._write_pictures(context, video, frames, packing)

    def _packing(self) -> Any:
        ending = Path(self.path).suffix.lower()
        packings = _ENDINGS.get(ending)
        if packings is None:
            raise ArtifexError(
                f'write "{self.path}"',
                f'files ending in "{ending}" cannot be written here' if ending else "the name has no ending",
                f"one of {', '.join(_ENDINGS)}",
            )
        if self.codec != "auto" and self.codec not in packings:
            raise ArtifexError(
                f"write {self.path} with codec {self.codec}",
                f"a {ending} file holds {' or '.join(packings)}",
                f"codec auto, or another ending than {ending}",
            )
        return packings[0] if self.codec == "auto" else self.codec

    def _write_movie(
        self, context: JobContext, video: VideoStream, audio: AudioStream | None, frames: FrameRange, codec: Codec
    ) -> tuple[Artefact, ...]:
        if audio is not None and audio.info.frame_rate != video.info.rate:
            raise ArtifexError(
                f"write {self.path} with its sound",
                f"the sound lies along {float(audio.info.frame_rate):g} frames a second and the pictures come "
                f"{float(video.info.rate):g} a second",
                f"frame_rate {video.info.rate} where the sound is read",
            )
        path = context.output / self.path
        space = self._space(color.DISPLAY)
        size = video.info.size_at(video.scale)
        with (
            appearing(path) as part,
            MovieWriter(
                part,
                codec,
                video.info.rate,
                size,
                self.crf,
                tagged=color.is_rec709(space),
                sound=None if audio is None else (audio.info.rate, audio.info.channels),
            ) as movie,
        ):
            for frame, picture in _pictures(context, video, frames):
                movie.add(_in_space(context, picture, space))
                if audio is not None:
                    movie.hear(audio.of_frame(frame))
        recipe = path.with_name(f"{path.stem}.recipe.json")
        write_text(recipe, json.dumps(context.recipe, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
        made = _artefact(path, "clip", video.info, frames, size, space).model_copy(update={"sha256": sha256(path)})
        return made, Artefact(path=str(recipe), role="recipe")

    def _write_pictures(
        self, context: JobContext, video: VideoStream, frames: FrameRange, packing: Packing
    ) -> tuple[Artefact, ...]:
        space = self._space(context.color.space_out if packing == "exr" else color.DISPLAY)
        size = video.info.size_at(video.scale)
        pattern = FramePattern.parse(self.path).inside(context.output) if is_pattern(self.path) else None
        if pattern is None and frames.first != frames.last:
            raise ArtifexError(
                f"write frames {frames.first} to {frames.last} to {self.path}",
                "the name is that of one picture",
                f"a number mark in the name, such as {_with_mark(self.path)}, or a range of one frame",
            )
        for frame, picture in _pictures(context, video, frames):
            path = context.output / self.path if pattern is None else pattern.path(frame)
            recipe = json.dumps(context.recipe, ensure_ascii=False, sort_keys=True)
            header = Header(space, video.info.rate, frame, {RECIPE: recipe})
            write_frame(path, _in_space(context, picture, space), packing, header)
        if pattern is None:
            made = _artefact(path, "still", video.info, frames, size, space)
            return (made.model_copy(update={"sha256": sha256(path)}),)
        return (_artefact(pattern.printf, "frames", video.info, frames, size, space),)

    def _space(self, otherwise: str) -> str:
        return otherwise if self.space == "auto" else self.space


def _pictures(context: JobContext, video: VideoStream, frames: FrameRange) -> Iterator[tuple[int, ImageBuffer]]:
    """The frames to write, each counted and each a chance to stop."""
    total = frames.last - frames.first + 1
    context.progress("write", 0, total)
    for done, (frame, picture) in enumerate(video.frames(frames.first, frames.last), start=1):
        context.check()
        yield frame, picture
        context.progress("write", done, total)


def _in_space(context: JobContext, picture: ImageBuffer, space: str) -> Any:
    return color.transform(picture.pixels, picture.space, space, context.color.config)


def _artefact(
    path: Path, role: Any, info: StreamInfo, frames: FrameRange, size: tuple[int, int], space: str
) -> Artefact:
    rate = Rate(num=info.rate.numerator, den=info.rate.denominator)
    return Artefact(path=str(path), role=role, frames=frames, rate=rate, width=size[0], height=size[1], space=space)


def _with_mark(path: str) -> str:
    name = Path(path)
    return f"{name.stem}.%04d{name.suffix}"
