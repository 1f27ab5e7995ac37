"""Numbered frames on disk as one clip."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.media import still
from artifexpro.core.media.files import appearing
from artifexpro.core.media.frames import FramePattern, spans
from artifexpro.core.media.still import Header, Packing, StillInfo


class SequenceReader:
    """Reads frames `first` to `last` of a pattern. A frame that is not on disk is refused when it is asked for.

    `first` and `last` None are the first and last frame on disk. Raises `ArtifexError` where there is none.
    """

    def __init__(self, pattern: str, first: int | None = None, last: int | None = None, space: str = "auto") -> None:
        self.pattern = FramePattern.parse(pattern)
        self.present = span(self.pattern, first, last)
        self.first = self.present[0] if first is None else first
        self.last = self.present[-1] if last is None else last
        self.space = space
        self.info: StillInfo = still.probe(self.pattern.path(self.present[0]))

    def frame(self, number: int, size: tuple[int, int] | None = None) -> torch.Tensor:
        """(1, 4, H, W) float32 in the working space, premultiplied, at `size`. Raises `ArtifexError`."""
        path = self.pattern.path(number)
        if not path.exists():
            raise missing_frame(self.pattern, number, self.present)
        return still.read(path, size, self.space, like=self.info)


def span(pattern: FramePattern, first: int | None, last: int | None) -> tuple[int, ...]:
    """Frames on disk from `first` to `last`, which must be there where they are given. Raises `ArtifexError`."""
    found = pattern.on_disk()
    if not found:
        raise ArtifexError(
            f"read {pattern.printf}",
            "no frame of that name is on disk",
            "choosing the sequence again: the number mark stands for at least as many digits as it says",
            code="missing",
        )
    for end in (first, last):
        if end is not None and end not in found:
            raise missing_frame(pattern, end, found)
    start, stop = found[0] if first is None else first, found[-1] if last is None else last
    if start > stop:
        raise ArtifexError(
            f"read frames {start} to {stop} of {pattern.printf}",
            "the last comes before the first",
            f"a range among the frames on disk: {spans(found)}",
            code="range",
        )
    return tuple(frame for frame in found if start <= frame <= stop)


def missing_frame(pattern: FramePattern, frame: int, found: tuple[int, ...]) -> ArtifexError:
    return ArtifexError(
        f"read frame {frame} of {pattern.printf}",
        f"{pattern.path(frame).name} is not on disk, which has {spans(found)}",
        "rendering the missing frame, or a range without it",
        code="missing",
    )


def write_frame(path: Path, pixels: torch.Tensor, packing: Packing, header: Header) -> None:
    """Write one frame so that it appears whole or not at all. Raises `ArtifexError`."""
    with appearing(path) as part:
        still.write(part, pixels, packing, header)


def parse_rate(text: str) -> Fraction:
    """A frame rate written "24" or "24000/1001". Raises `ArtifexError` for anything else, decimal fractions included:
    23.976 is no rate that any camera has."""
    try:
        if "." in text or "e" in text.lower():
            raise ValueError
        rate = Fraction(text)
        if rate <= 0:
            raise ValueError
    except (ValueError, ZeroDivisionError):
        raise ArtifexError(
            f'use the frame rate "{text}"', "it is not a whole number or a fraction of two", "24, 25 or 24000/1001"
        ) from None
    return rate
