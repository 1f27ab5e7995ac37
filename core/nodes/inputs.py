"""Sources: pictures from files, in the working space whatever the file holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import PrivateAttr

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.kinds import SourceNode
from artifexpro.core.graph.node import Preflight, parameter
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, StreamInfo
from artifexpro.core.media import movie, still
from artifexpro.core.media.files import Stamp, check_readable, identity, sha256
from artifexpro.core.media.frames import FramePattern, is_pattern
from artifexpro.core.media.movie import MovieReader
from artifexpro.core.media.pixels import crop
from artifexpro.core.media.sequence import SequenceReader, parse_rate, span
from artifexpro.core.media.still import StillInfo

if TYPE_CHECKING:
    import torch

STILL_RATE = Fraction(24)
"""A picture has no rate; this one is never used where anything moves."""
_SPACE = 'Colour space of the file; "auto" goes by its header, else sRGB, and scene-linear Rec.709 for floating point.'


class _FileSource(SourceNode):
    """What sources that read files share."""

    category: ClassVar[str] = "input"
    _info: StreamInfo | None = PrivateAttr(None)
    _stamps: dict[Path, Stamp] = PrivateAttr(default_factory=dict)
    """What the files were when the graph was compiled: this is what its keys stand for."""

    def describe(self) -> StreamInfo:
        if self._info is None:
            with self._unchanged(*list(self._stamps)[:1]):
                info = self._open()
            self._info = info
        return self._info

    def _identities(self, paths: Iterable[Path]) -> str:
        """Differs whenever one of the files was written again; empty where one is missing, which preflight refuses."""
        digest = hashlib.blake2b(digest_size=16)
        self._stamps.clear()
        try:
            for path in paths:
                check_readable(path)
                stamp = self._stamps[path] = Stamp.of(path)
                digest.update(f"{path}\0{stamp.size}\0{stamp.changed}".encode())
        except (ArtifexError, OSError):
            self._stamps.clear()
            return ""
        return digest.hexdigest()

    @contextmanager
    def _unchanged(self, *paths: Path) -> Iterator[None]:
        """Whatever the block reads of the files, or fails to, is refused where they are not what they were. Costs one
        question to the file system for each. Raises `ArtifexError`."""
        try:
            yield
        finally:
            for path in paths:
                if path in self._stamps:
                    self._stamps[path].check(path)

    def _open(self) -> StreamInfo:
        raise NotImplementedError

    def _size(self, request: FrameRequest) -> tuple[int, int]:
        return self.describe().size_at(request.scale)

    def _check(self, request: FrameRequest, path: str) -> None:
        info = self.describe()
        if request.frame not in info:
            raise ArtifexError(
                f"read frame {request.frame} of {path}",
                f"the clip has frames {info.first} to {info.last}",
                "a frame in that range",
                code="range",
            )


class MediaInput(_FileSource):
    """A movie or a picture from a file.

    Pixels come scene-linear in ACEScg with alpha multiplied in. A picture stands on every frame.
    """

    example: ClassVar[Mapping[str, Any]] = {"path": "/shots/sh010/plate.mov", "first_frame": 1001}

    path: str = parameter("", "The file: its whole path.", unit="path")
    space: str = parameter("auto", _SPACE, unit="colour space")
    first_frame: int = parameter(
        1001, "Number of the file's first frame in this graph.", minimum=-1_000_000, maximum=100_000_000, unit="frames"
    )

    _movie: MovieReader | None = PrivateAttr(None)
    _still: StillInfo | None = PrivateAttr(None)

    def preflight(self, context: Preflight) -> None:
        if is_pattern(self.path):
            raise ArtifexError(f"read {self.path}", "it names a sequence of frames", "the node SequenceInput")
        _check_ending(self.path, movie.ENDINGS | still.ENDINGS)
        check_readable(Path(self.path))

    def fingerprint(self, context: Preflight) -> str:
        return self._identities([Path(self.path)])

    def provenance(self, models: Path) -> Mapping[str, Any]:
        return {"path": self.path, "sha256": _hash(Path(self.path))}

    def _open(self) -> StreamInfo:
        path = Path(self.path)
        if path.suffix.lower() in movie.ENDINGS:
            self._movie = MovieReader(path)
            info = self._movie.info
            last = self.first_frame + info.frames - 1
            return StreamInfo(self.first_frame, last, info.rate, info.width, info.height)
        self._still = still.probe(path)
        return StreamInfo(
            self.first_frame, self.first_frame, STILL_RATE, self._still.width, self._still.height, still=True
        )

    def read(self, request: FrameRequest) -> ImageBuffer:
        self._check(request, self.path)
        return ImageBuffer(crop(self._picture(request), request.region))

    def _picture(self, request: FrameRequest) -> torch.Tensor:
        size = self._size(request)
        if self._movie is None:
            with self._unchanged(Path(self.path)):
                return still.read(Path(self.path), size, self.space)
        return self._movie.frame(request.frame - self.first_frame, size, self._movie.space(self.space))


class SequenceInput(_FileSource):
    """Numbered pictures on disk as a clip; frames keep their numbers.

    Pixels come scene-linear in ACEScg with alpha multiplied in. A frame that is missing on disk is refused when it is
    asked for.
    """

    example: ClassVar[Mapping[str, Any]] = {"path": "/shots/sh010/plate.%04d.exr", "rate": "24000/1001"}

    path: str = parameter("", "The frames: plate.%04d.exr or plate.####.exr, with the whole path.", unit="path")
    first: int | None = parameter(None, "First frame; empty is the first on disk.", unit="frames")
    last: int | None = parameter(None, "Last frame; empty is the last on disk.", unit="frames")
    rate: str = parameter(
        "auto", 'Frames a second, such as 24 or 24000/1001; "auto" takes what the frames\' header says.', unit="1/s"
    )
    space: str = parameter("auto", _SPACE, unit="colour space")

    _frames: SequenceReader | None = PrivateAttr(None)

    def preflight(self, context: Preflight) -> None:
        pattern = FramePattern.parse(self.path)
        _check_ending(self.path, still.ENDINGS)
        if not pattern.folder.is_absolute():
            raise ArtifexError(
                f"read {self.path}",
                "the path does not say from which folder it starts",
                "the whole path of the frames",
            )
        if self.rate != "auto":
            parse_rate(self.rate)
        for frame in self._span():
            check_readable(pattern.path(frame))

    def fingerprint(self, context: Preflight) -> str:
        try:
            frames = self._span()
        except ArtifexError:
            return ""
        pattern = FramePattern.parse(self.path)
        return self._identities(pattern.path(frame) for frame in frames)

    def provenance(self, models: Path) -> Mapping[str, Any]:
        pattern = FramePattern.parse(self.path)
        frames = {frame: _hash(pattern.path(frame)) for frame in self._span()}
        whole = hashlib.sha256("\n".join(frames.values()).encode()).hexdigest()
        return {"path": self.path, "frames": sorted(frames), "sha256": whole}

    def _span(self) -> tuple[int, ...]:
        return span(FramePattern.parse(self.path), self.first, self.last)

    def _open(self) -> StreamInfo:
        self._frames = SequenceReader(self.path, self.first, self.last, self.space)
        info = self._frames.info
        rate = info.rate if self.rate == "auto" else parse_rate(self.rate)
        if rate is None:
            raise ArtifexError(
                f"play {self.path}", "the frames do not say how many go to a second", "setting rate, for example to 24"
            )
        return StreamInfo(self._frames.first, self._frames.last, rate, info.width, info.height)

    def read(self, request: FrameRequest) -> ImageBuffer:
        self._check(request, self.path)
        assert self._frames is not None
        with self._unchanged(self._frames.pattern.path(request.frame)):
            return ImageBuffer(crop(self._frames.frame(request.frame, self._size(request)), request.region))


def _hash(path: Path) -> str:
    """SHA-256 of a file. Graphs that run on clip after clip of one movie ask for it again. Raises `ArtifexError`."""
    return _hashed(path, identity(path))


@lru_cache(maxsize=4096)
def _hashed(path: Path, identity: str) -> str:
    return sha256(path)


def _check_ending(path: str, known: frozenset[str]) -> None:
    ending = Path(path).suffix.lower()
    if not path:
        raise ArtifexError("read a file", "none is chosen", "choosing one")
    if ending not in known:
        raise ArtifexError(
            f"read {path}",
            f'files ending in "{ending}" are not known here' if ending else "its name has no ending",
            f"one of {', '.join(sorted(known))}",
        )
