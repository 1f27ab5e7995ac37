"""The source that plays an edit: each frame from the clip that lies there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import PrivateAttr

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.kinds import SourceNode
from artifexpro.core.graph.node import Preflight, parameter
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, StreamInfo
from artifexpro.core.media import movie, still
from artifexpro.core.media.files import check_readable, identity, sha256
from artifexpro.core.media.pixels import blank, crop
from artifexpro.core.timeline.index import Found, PlacedClip, TimelineIndex
from artifexpro.core.timeline.media import Media
from artifexpro.core.timeline.opening import open_timeline
from artifexpro.core.timeline.pictures import Fit, Pictures, unknown_ending

if TYPE_CHECKING:
    import torch

_DISSOLVE = "SMPTE_Dissolve"
_LARGEST = 65_536


class TimelineInput(SourceNode):
    """An edit as one clip: an OpenTimelineIO file, each frame read from the media that lies there.

    Frames carry the timeline's own numbers. Of several tracks the topmost picture is seen; gaps are transparent.
    Dissolves are mixed in scene-linear light; other transitions are refused. A clip of another rate is read by time:
    the picture on screen when the frame begins.
    """

    category: ClassVar[str] = "input"
    example: ClassVar[Mapping[str, Any]] = {"path": "/shots/edit.otio", "track": "V1"}

    path: str = parameter("", "The .otio file: its whole path.", unit="path")
    track: str = parameter("", "Name of the video track to play; empty plays what is seen of all of them.")
    handles: int = parameter(
        0,
        "Frames to add before the first and after the last frame, from the handles of the clips that lie there.",
        minimum=0,
        maximum=100_000,
        unit="frames",
    )
    width: int | None = parameter(
        None, "Width of the picture; empty is that of the first clip.", minimum=1, maximum=_LARGEST, unit="px"
    )
    height: int | None = parameter(
        None, "Height of the picture; empty is that of the first clip.", minimum=1, maximum=_LARGEST, unit="px"
    )
    fit: Fit = parameter(
        "letterbox",
        "Clips of another shape: whole on transparent black, filling the picture and cut, or stretched to it.",
    )
    space: str = parameter(
        "auto",
        'Colour space of all files; "auto" goes by the header of each, else sRGB, and scene-linear Rec.709 for '
        "floating point.",
        unit="colour space",
    )

    _timeline: TimelineIndex | None = PrivateAttr(None)
    _pictures: Pictures | None = PrivateAttr(None)
    _info: StreamInfo | None = PrivateAttr(None)

    def preflight(self, context: Preflight) -> None:
        if not self.path:
            raise ArtifexError("read a timeline", "none is chosen", "choosing an .otio file")
        if Path(self.path).suffix.lower() != ".otio":
            raise ArtifexError(f"read the timeline {self.path}", "its name does not end in .otio", "an .otio file")
        for clip in self._shown():
            self._check_media(clip)
        for _ in self._files():
            pass
        timeline = self._index()
        for layer in (timeline.track(self.track),) if self.track else timeline.layers:
            for change in layer.transitions:
                self._check_transition(change.kind)

    def fingerprint(self, context: Preflight) -> str:
        try:
            digest = hashlib.blake2b(identity(Path(self.path)).encode(), digest_size=16)
            for path in self._files():
                digest.update(identity(path).encode())
        except ArtifexError:
            return ""
        return digest.hexdigest()

    def provenance(self, models: Path) -> Mapping[str, Any]:
        files = {str(path): sha256(path) for path in self._files()}
        whole = hashlib.sha256("\n".join(files.values()).encode()).hexdigest()
        timeline = sha256(Path(self.path))
        return {"path": self.path, "sha256": timeline, "media": len(files), "media_sha256": whole}

    def describe(self) -> StreamInfo:
        if self._info is None:
            timeline = self._index()
            width, height = self.width, self.height
            if width is None or height is None:
                own = self._first_size()
                width, height = width or own[0], height or own[1]
            self._info = StreamInfo(
                timeline.first - self.handles, timeline.last + self.handles, timeline.rate, width, height
            )
        return self._info

    def read(self, request: FrameRequest) -> ImageBuffer:
        info, timeline = self.describe(), self._index()
        if request.frame not in info:
            raise ArtifexError(
                f"read frame {request.frame} of {self.path}",
                f"the timeline has frames {info.first} to {info.last}",
                "a frame in that range",
                code="range",
            )
        inside = min(max(request.frame, timeline.first), timeline.last)
        seen = timeline.seen(inside, self.track)
        beyond = request.frame - inside
        pixels = self._mixed([found._replace(frame=found.frame + beyond) for found in seen], info, request)
        return ImageBuffer(crop(pixels, request.region))

    def _mixed(self, seen: Iterable[Found], info: StreamInfo, request: FrameRequest) -> torch.Tensor:
        size = info.size_at(request.scale)
        mixed: torch.Tensor | None = None
        for found in seen:
            pixels = self._picture(found, request.frame, (info.width, info.height), size)
            part = pixels if found.weight == 1 else pixels * float(found.weight)
            mixed = part if mixed is None else mixed + part
        return blank(*size) if mixed is None else mixed

    def _picture(self, found: Found, frame: int, whole: tuple[int, int], size: tuple[int, int]) -> torch.Tensor:
        clip = found.clip
        media = self._check_media(clip)
        picture = found.picture
        if not _stands(media) and (picture < 0 or (media.count is not None and picture >= media.count)):
            has = "" if media.count is None else f", which has 0 to {media.count - 1}"
            raise ArtifexError(
                f"read frame {frame} of {self.path}",
                f"{clip.name} would show picture {picture} of its media there{has}",
                "a shorter transition, shorter handles, or media with longer handles",
                code="range",
            )
        return self._open_pictures().frame(media, picture, whole, size)

    def _check_media(self, clip: PlacedClip) -> Media:
        """The clip's media. Raises `ArtifexError` where it has none, or none that is known here."""
        media = clip.media
        if media is None or clip.unreadable:
            raise ArtifexError(
                f"play {clip.name} of the timeline {self.path}",
                clip.unreadable,
                "linking its media again, or switching the clip off",
                code="missing",
            )
        if media.path.suffix.lower() not in (still.ENDINGS if media.is_sequence else movie.ENDINGS | still.ENDINGS):
            raise unknown_ending(media)
        return media

    def _check_transition(self, kind: str) -> None:
        if kind != _DISSOLVE:
            raise ArtifexError(
                f"play the timeline {self.path}",
                f'it has a transition "{kind}", which is not known here',
                "a dissolve in its place, or a cut",
            )

    def _index(self) -> TimelineIndex:
        if self._timeline is None:
            path = Path(self.path)
            self._timeline = _opened(path, identity(path))
        return self._timeline

    def _open_pictures(self) -> Pictures:
        if self._pictures is None:
            self._pictures = Pictures(self.space, self.fit)
        return self._pictures

    def _shown(self) -> Iterator[PlacedClip]:
        """The clips that can come to be seen."""
        for layer, clip in self._index().clips(self.track):
            if layer.enabled and clip.enabled and clip.first <= clip.last:
                yield clip

    def _first_size(self) -> tuple[int, int]:
        for clip in self._shown():
            return self._open_pictures().full_size(self._check_media(clip))
        raise ArtifexError(
            f"play the timeline {self.path}", "no clip on it is seen", "setting width and height, or another track"
        )

    def _files(self) -> Iterator[Path]:
        """The media files that the edit shows, each once. Raises `ArtifexError` where one is missing."""
        told: set[Path] = set()
        for clip in self._shown():
            if clip.media is None or clip.unreadable:
                continue
            first, last = clip.picture(clip.first), clip.picture(clip.last)
            for path in clip.media.files(first, last):
                if path not in told:
                    told.add(path)
                    check_readable(path)
                    yield path


def _stands(media: Media) -> bool:
    return not media.is_sequence and media.path.suffix.lower() in still.ENDINGS


@lru_cache(maxsize=4)
def _opened(path: Path, identity: str) -> TimelineIndex:
    """The index of a timeline as it was at `identity`: every edit of a graph asks for it again."""
    return open_timeline(path)
