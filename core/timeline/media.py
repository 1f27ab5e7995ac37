"""What a clip's media is: which files, and which frames they have.

OpenTimelineIO names a movie by URL and numbers its frames by the time the media itself carries (its timecode); the
readers here count a movie from 0 and a sequence by the numbers in its file names. This is where one becomes the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from artifexpro.core.errors import ArtifexError
from artifexpro.core.media.frames import FramePattern, is_pattern
from artifexpro.core.timeline.times import Moment, exact, whole

_DRIVE = re.compile(r"/[A-Za-z]:/")


@dataclass(frozen=True, slots=True)
class Media:
    """Files of one clip: a movie, a picture, or the printf pattern of a sequence.

    Its pictures are counted from 0 here; picture i has the number `start` + i x `step`, which for a sequence is the
    number in its file name and for a movie i itself. `count` is how many there are, None where the timeline does not
    say. `rate` is how many go to a second.
    """

    path: Path
    rate: Fraction
    start: int = 0
    step: int = 1
    count: int | None = None

    @property
    def is_sequence(self) -> bool:
        return is_pattern(self.path.name)

    def number(self, picture: int) -> int:
        """The number by which picture `picture` is read."""
        return self.start + picture * self.step

    def files(self, first: int, last: int) -> Iterator[Path]:
        """The files that hold pictures `first` to `last`."""
        if not self.is_sequence:
            yield self.path
            return
        pattern = FramePattern.parse(str(self.path))
        for picture in range(first, last + 1):
            yield pattern.path(self.number(picture))


@dataclass(frozen=True, slots=True)
class Reference:
    """A clip's media, None where it is offline, and the time in pictures at which its first picture lies."""

    media: Media | None
    origin: Moment = 0
    why: str = ""
    """Why there is no media, as a clause."""


def reference(otio: Any, described: Any, rate: Fraction, folder: Path) -> Reference:
    """What an OpenTimelineIO media reference stands for. `rate` is that of the clip, for media that has none of its
    own; relative paths start in `folder`. Raises `ArtifexError` where its times are no times."""
    kind = type(described)
    if kind is otio.schema.ExternalReference:
        return _file(described, rate, folder)
    if kind is otio.schema.ImageSequenceReference:
        return _sequence(described, rate, folder)
    if described is None or described.is_missing_reference:
        return Reference(None, why="the timeline names no file for it")
    return Reference(None, why=f"its media is {_article(kind.__name__)}, not files")


def _article(name: str) -> str:
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _file(described: Any, rate: Fraction, folder: Path) -> Reference:
    path = local_path(described.target_url, folder)
    if path is None:
        return Reference(None, why=f"its media is not on a disk: {described.target_url or 'it has no path'}")
    available = described.available_range
    if available is None:
        return Reference(Media(path, rate))
    rate = exact(available.duration.rate)
    origin, count = whole(available.start_time, rate), int(whole(available.duration, rate))
    if is_pattern(path.name):
        pattern = FramePattern.parse(str(path))
        return Reference(Media(pattern.printf, rate, start=int(origin), count=count), origin)
    return Reference(Media(path, rate, count=count), origin)


def _sequence(described: Any, rate: Fraction, folder: Path) -> Reference:
    padding = described.frame_zero_padding
    mark = f"%0{padding}d" if padding > 1 else "%d"
    named = f"{described.name_prefix}{mark}{described.name_suffix}"
    base = local_path(described.target_url_base or ".", folder)
    if base is None:
        return Reference(None, why=f"its media is not on a disk: {described.target_url_base}")
    step = described.frame_step
    if step < 1:
        raise ArtifexError(
            f"read the sequence {base / named}",
            f"the timeline says that it goes on by {step} frames",
            "exporting the timeline again",
            code="damaged",
        )
    own = (exact(described.rate) if described.rate else rate) / step
    available = described.available_range
    if available is None:
        return Reference(Media(base / named, own, described.start_frame, step))
    count = int(whole(available.duration, own))
    return Reference(Media(base / named, own, described.start_frame, step, count), whole(available.start_time, own))


def local_path(url: str, folder: Path) -> Path | None:
    """The path that a URL or path stands for, None where it is empty or on no disk. Relative ones start in `folder`."""
    if not url:
        return None
    if "://" not in url and not url.startswith("file:"):
        return folder / url
    parts = urlsplit(url)
    if parts.scheme != "file":
        return None
    path = unquote(parts.path)
    if parts.netloc not in ("", "localhost"):
        return Path(f"//{parts.netloc}{path}")
    return Path(path[1:] if _DRIVE.match(path) else path)
