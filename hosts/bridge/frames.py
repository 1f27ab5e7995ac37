"""Reading frames out of the daemon's shared memory.

A segment is a plain file that is mapped into memory: `multiprocessing.shared_memory` of Python 3.12 and older deletes
a segment when a program that merely looked at it exits. The writer never waits for readers, so a reader must find out
that a slot was overwritten under its hands: each slot's header has a generation that is odd while pixels are written,
and a checksum, and is read before and after the pixels. The other side is `daemon.ring`.
"""

from __future__ import annotations

import mmap
import re
import struct
import sys
import tempfile
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import BridgeError

FILE_HEADER = struct.Struct("<8sIIQI")
"""Magic, slots, bytes before a slot's pixels, bytes from slot to slot, CRC-32 of what precedes."""
SLOT_HEADER = struct.Struct("<QQIIII")
"""Generation, pixel bytes, width, height, number format, CRC-32 of what precedes."""
MAGIC = b"AFXRING1"
PAGE = 4096
DTYPES = {"float16": (0, 8), "uint8": (1, 4)}
"""Number format's code in a slot, bytes a pixel."""
_NAME = re.compile(r"artifexpro-[0-9a-f]{8}-\d+-[0-9a-f]{8}\.ring")
_KEPT_OPEN = 4


class Stale(BridgeError):
    """The frame was overwritten by a newer one; the next token is the one to read."""

    def __init__(self, because: str = "newer pictures took its place") -> None:
        super().__init__("show a picture on its way", because, "the next picture", code="stale")


@dataclass(frozen=True)
class Frame:
    """RGBA pixels, rows top to bottom, tightly packed, of number format `dtype` ("float16" or "uint8")."""

    width: int
    height: int
    dtype: str
    space: str
    pixels: bytes

    def floats(self, *, bottom_up: bool = False) -> list[float]:
        """The pixels as numbers, 0 to 1 for uint8; with `bottom_up`, rows from the bottom as Blender counts them."""
        row = self.width * DTYPES[self.dtype][1]
        data = self.pixels
        if bottom_up:
            data = b"".join(data[at : at + row] for at in range(len(data) - row, -1, -row))
        if self.dtype == "uint8":
            return [value / 255 for value in data]
        return list(struct.unpack(f"<{len(data) // 2}e", data))


def folder() -> Path:
    """Where segments lie: memory where the system has a folder for it, else the temporary folder."""
    memory = Path("/dev/shm")
    return memory if sys.platform == "linux" and memory.is_dir() else Path(tempfile.gettempdir())


def can_share() -> bool:
    """Whether this process can look for segments at all."""
    return folder().is_dir()


class FrameReader:
    """Opens segments as tokens name them and keeps the last few open. Belongs to one thread at a time."""

    def __init__(self, where: Path | None = None) -> None:
        self._folder = where or folder()
        self._open: OrderedDict[str, _Segment] = OrderedDict()

    def copy(self, token: Mapping[str, Any], parts: Sequence[bytes] = ()) -> Frame:
        """The frame a `FrameToken` speaks of, as bytes of one's own; `parts` are the binary parts of its message.

        Raises `Stale` if it was overwritten, `BridgeError` (code "segment") if its segment is gone or damaged.
        """
        width, height, dtype = int(token["width"]), int(token["height"]), str(token.get("dtype", "float16"))
        if token.get("segment") is None:
            pixels = _part(token, parts, width * height * DTYPES[dtype][1])
        else:
            with self.view(token) as seen:
                pixels = bytes(seen)
        return Frame(width, height, dtype, str(token.get("space", "srgb_tx")), pixels)

    @contextmanager
    def view(self, token: Mapping[str, Any]) -> Iterator[memoryview]:
        """The pixels where they lie, read-only, without a copy; they are good only if the block ends without `Stale`.

        Raises as `copy` does, `Stale` also at the end of the block.
        """
        segment = self._segment(str(token["segment"]))
        slot, expected = int(token["slot"]), _expected(token)
        start, size = segment.find(slot, expected)
        with memoryview(segment.memory) as memory, memory.toreadonly()[start : start + size] as pixels:
            yield pixels
            segment.find(slot, expected)

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].memory.close()

    def _segment(self, name: str) -> _Segment:
        if name in self._open:
            self._open.move_to_end(name)
            return self._open[name]
        self._open[name] = _Segment(self._folder, name)
        while len(self._open) > _KEPT_OPEN:
            self._open.popitem(last=False)[1].memory.close()
        return self._open[name]


class _Segment:
    """One mapped file."""

    def __init__(self, where: Path, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise _unusable(name, "its name is not that of a segment")
        try:
            with open(where / name, "rb") as file:
                self.memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise _unusable(name, "it is not there any more: the process that made it has ended") from error
        try:
            self._slots, self._offset, self._stride = self._layout()
        except ValueError as error:
            self.memory.close()
            raise _unusable(name, str(error)) from error

    def _layout(self) -> tuple[int, int, int]:
        if len(self.memory) < FILE_HEADER.size:
            raise ValueError("it is too short")
        magic, slots, offset, stride, crc = FILE_HEADER.unpack_from(self.memory)
        if magic != MAGIC or crc != zlib.crc32(self.memory[: FILE_HEADER.size - 4]):
            raise ValueError("its header is damaged, or from another release")
        if len(self.memory) < PAGE + slots * stride:
            raise ValueError("it is shorter than its header says")
        return slots, offset, stride

    def find(self, slot: int, expected: tuple[int, int, int, int, int]) -> tuple[int, int]:
        """Where the pixels start and how many bytes they are, if the slot holds what the token says."""
        if not 0 <= slot < self._slots:
            raise Stale("its slot does not exist")
        at = PAGE + slot * self._stride
        header = self.memory[at : at + SLOT_HEADER.size]
        *found, crc = SLOT_HEADER.unpack(header)
        if crc != zlib.crc32(header[:-4]) or tuple(found) != expected or found[1] > self._stride - self._offset:
            raise Stale
        return at + self._offset, found[1]


def _expected(token: Mapping[str, Any]) -> tuple[int, int, int, int, int]:
    width, height = int(token["width"]), int(token["height"])
    code, pixel = DTYPES[str(token.get("dtype", "float16"))]
    return int(token["generation"]), width * height * pixel, width, height, code


def _part(token: Mapping[str, Any], parts: Sequence[bytes], size: int) -> bytes:
    number = token.get("part")
    if not isinstance(number, int) or not 0 <= number < len(parts) or len(parts[number]) != size:
        raise BridgeError(
            "show a picture on its way",
            "the message does not carry the pixels it speaks of",
            "installing the same release on both sides",
            code="segment",
        )
    return parts[number]


def _unusable(name: str, because: str) -> BridgeError:
    return BridgeError(f"open the shared memory {name}", because, "the next picture", code="segment")
