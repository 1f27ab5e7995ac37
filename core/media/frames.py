"""Names of numbered frames: `frame.%04d.exr` or `frame.####.exr`, and which frames are on disk.

Standard library only: the daemon checks sequences before a job starts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from artifexpro.core.errors import ArtifexError

_MARK = re.compile(r"%(0?)(\d*)d|#+")


@dataclass(frozen=True, slots=True)
class FramePattern:
    """The file name of every frame of a sequence. `digits` is the least number of digits; larger numbers have more."""

    folder: Path
    before: str
    digits: int
    after: str

    @classmethod
    def parse(cls, path: str) -> FramePattern:
        """Read a printf or hash pattern. Raises `ArtifexError` unless the file name has exactly one number mark."""
        whole = Path(path)
        marks = list(_MARK.finditer(whole.name))
        if len(marks) != 1:
            raise ArtifexError(
                f"read {path} as a sequence",
                "its file name has more than one frame number" if marks else "its file name has no frame number",
                "a name like frame.%04d.exr or frame.####.exr",
            )
        mark = marks[0]
        digits = len(mark[0]) if mark[0].startswith("#") else int(mark[2] or 1) if mark[1] else 1
        return cls(whole.parent, whole.name[: mark.start()], digits, whole.name[mark.end() :])

    def path(self, frame: int) -> Path:
        return self.folder / f"{self.before}{frame:0{self.digits}d}{self.after}"

    @property
    def printf(self) -> Path:
        """The pattern as printf writes it."""
        mark = f"%0{self.digits}d" if self.digits > 1 else "%d"
        return self.folder / f"{self.before}{mark}{self.after}"

    @property
    def suffix(self) -> str:
        return Path(f"0{self.after}").suffix

    def inside(self, folder: Path) -> FramePattern:
        """The pattern with a relative folder starting at `folder`."""
        return FramePattern(folder / self.folder, self.before, self.digits, self.after)

    def on_disk(self) -> tuple[int, ...]:
        """Numbers of the frames that exist, in order. Raises `ArtifexError` where the folder cannot be read."""
        number = re.compile(re.escape(self.before) + r"(-?\d+)" + re.escape(self.after))
        try:
            names = {entry.name for entry in self.folder.iterdir()}
        except OSError:
            raise ArtifexError(
                f"find the frames of {self.printf}",
                f"the folder {self.folder} is not there or may not be read",
                "choosing the sequence again",
                code="missing",
            ) from None
        found = (int(match[1]) for name in names if (match := number.fullmatch(name)))
        return tuple(sorted({frame for frame in found if self.path(frame).name in names}))


def is_pattern(path: str) -> bool:
    """Whether a path's file name has a place for a frame number."""
    return _MARK.search(Path(path).name) is not None


def spans(frames: tuple[int, ...]) -> str:
    """Frame numbers in order as people write them: "1-3, 7, 9-12"."""
    parts: list[str] = []
    start = 0
    for at in range(1, len(frames) + 1):
        if at == len(frames) or frames[at] != frames[at - 1] + 1:
            first, last = frames[start], frames[at - 1]
            parts.append(f"{first}" if first == last else f"{first}-{last}")
            start = at
    return ", ".join(parts)
