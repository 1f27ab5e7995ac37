"""Frames for other processes on this machine: a ring of slots in shared memory, written here, read by hosts.

A segment is a file in the system's memory folder, mapped plainly: Python's own `shared_memory` lets any reader that
exits delete it (before 3.13), and a hard-killed owner leaves it behind either way. So the owner holds a lock on its
file, which the operating system drops however the owner ends, and `sweep_orphans` removes what nobody holds.

The writer never waits. A slot's header is a seqlock: its generation is odd while pixels change and even after, and a
checksum tells a header that was read half-written. The reader is `hosts.bridge.frames`.
"""

from __future__ import annotations

import mmap
import os
import re
import secrets
import struct
import sys
import tempfile
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from artifexpro.core.errors import ArtifexError
from artifexpro.core.protocol import FrameToken

FILE_HEADER = struct.Struct("<8sIIQI")
"""Magic, slots, bytes before a slot's pixels, bytes from slot to slot, CRC-32 of what precedes."""
SLOT_HEADER = struct.Struct("<QQIIII")
"""Generation, pixel bytes, width, height, number format, CRC-32 of what precedes."""
MAGIC = b"AFXRING1"
PAGE = 4096
DTYPES = {"float16": (0, 8), "uint8": (1, 4)}
"""Number format's code in a slot, bytes a pixel."""
_NAME = re.compile(r"artifexpro-([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.ring")


def folder() -> Path:
    """Where segments lie: memory where the system has a folder for it, else the temporary folder."""
    memory = Path("/dev/shm")
    return memory if sys.platform == "linux" and memory.is_dir() else Path(tempfile.gettempdir())


def boot_id() -> str:
    """Eight hexadecimal digits that differ from one start of the machine to the next."""
    if sys.platform == "linux":
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
    return f"{int(psutil.boot_time()) & 0xFFFFFFFF:08x}"


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot being written: `pixels` is its memory, `token` what a reader needs once it is published."""

    pixels: memoryview
    token: FrameToken


class Ring:
    """A segment of `slots` slots of `slot_bytes` each, owned by this process and removed by `close`.

    A frame stays readable until `slots` newer ones were begun. Raises `ArtifexError` (code "shared-memory") where the
    system has no room for it. Belongs to one thread at a time.
    """

    def __init__(self, slot_bytes: int, slots: int = 4, where: Path | None = None) -> None:
        if not 2 <= slots <= 64 or slot_bytes <= 0:
            raise ValueError(f"a ring cannot have {slots} slots of {slot_bytes} bytes")
        self.slot_bytes = slot_bytes
        self.slots = slots
        self._offset = PAGE
        self._stride = self._offset + -(-slot_bytes // PAGE) * PAGE
        self._generations = [0] * slots
        self._next = 0
        self.path, self._file = _create(where or folder(), PAGE + slots * self._stride)
        self._memory = mmap.mmap(self._file, PAGE + slots * self._stride)
        head = FILE_HEADER.pack(MAGIC, slots, self._offset, self._stride, 0)[:-4]
        self._memory[: FILE_HEADER.size] = head + zlib.crc32(head).to_bytes(4, "little")
        self._discard = weakref.finalize(self, _discard, self._memory, self.path, self._file)

    @property
    def name(self) -> str:
        """What tokens call this segment."""
        return self.path.name

    def write(
        self, pixels: bytes | memoryview, width: int, height: int, dtype: str = "float16", space: str = "srgb_tx"
    ) -> FrameToken:
        """Copy RGBA pixels (rows top to bottom, tightly packed) into the next slot; returns its token."""
        with self.slot(width, height, dtype, space) as slot:
            slot.pixels[:] = memoryview(pixels).cast("B")
        return slot.token

    @contextmanager
    def slot(self, width: int, height: int, dtype: str = "float16", space: str = "srgb_tx") -> Iterator[Slot]:
        """The next slot, to be filled in place; it is published when the block ends without an error."""
        code, pixel = DTYPES[dtype]
        size = width * height * pixel
        if not 0 < size <= self.slot_bytes:
            raise ValueError(f"a frame of {width} x {height} {dtype} does not fit a slot of {self.slot_bytes} bytes")
        at, self._next = self._next, (self._next + 1) % self.slots
        start = PAGE + at * self._stride
        writing = self._generations[at] + 1
        self._generations[at] = writing + 1
        self._put_header(start, writing, size, width, height, code)
        token = FrameToken.model_validate(
            {
                "segment": self.name,
                "slot": at,
                "generation": writing + 1,
                "width": width,
                "height": height,
                "dtype": dtype,
                "space": space,
            }
        )
        with memoryview(self._memory) as memory, memory[start + self._offset : start + self._offset + size] as pixels:
            yield Slot(pixels, token)
        self._put_header(start, writing + 1, size, width, height, code)

    def close(self) -> None:
        """Remove the segment, as the end of this process does too. Who has it open keeps what is in it."""
        self._discard()

    def _put_header(self, start: int, generation: int, size: int, width: int, height: int, code: int) -> None:
        body = SLOT_HEADER.pack(generation, size, width, height, code, 0)[:-4]
        self._memory[start : start + SLOT_HEADER.size] = body + zlib.crc32(body).to_bytes(4, "little")


def _discard(memory: mmap.mmap, path: Path, file: int) -> None:
    with suppress(BufferError):
        memory.close()
    with suppress(FileNotFoundError):
        _remove(path, file)


def sweep_orphans(where: Path | None = None) -> list[str]:
    """Remove segments whose owner has ended, however it ended; returns their names. Others' are left alone."""
    removed = []
    for path in (where or folder()).glob("artifexpro-*.ring"):
        if not _NAME.fullmatch(path.name):
            continue
        with suppress(FileNotFoundError, PermissionError):
            if _abandoned(path):
                path.unlink()
                removed.append(path.name)
    return sorted(removed)


def _create(where: Path, size: int) -> tuple[Path, int]:
    """A new file of `size` bytes with its memory set aside, locked by this process."""
    path = where / f"artifexpro-{boot_id()}-{os.getpid()}-{secrets.token_hex(4)}.ring"
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    except OSError as error:
        raise _no_room(where, size, error) from error
    try:
        _hold(file)
        _set_aside(file, size)
    except OSError as error:
        os.close(file)
        path.unlink()
        raise _no_room(where, size, error) from error
    return path, file


def _no_room(where: Path, size: int, error: OSError) -> ArtifexError:
    return ArtifexError(
        f"set aside {size / 1e6:.0f} MB of shared memory",
        f"{where} does not allow it ({error.strerror})",
        f"freeing memory; in a container, one with a larger {where}",
        code="shared-memory",
    )


if sys.platform == "win32":

    def _hold(file: int) -> None:
        """Windows does not remove a file that is mapped."""

    def _set_aside(file: int, size: int) -> None:
        os.ftruncate(file, size)

    def _remove(path: Path, file: int) -> None:
        os.close(file)
        path.unlink()

    def _abandoned(path: Path) -> bool:
        return True
else:
    import fcntl

    def _hold(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _set_aside(file: int, size: int) -> None:
        """Real pages now: with too little memory, a hole in the file would end the process at its first write."""
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file, 0, size)
        else:
            os.ftruncate(file, size)

    def _remove(path: Path, file: int) -> None:
        path.unlink()
        os.close(file)

    def _abandoned(path: Path) -> bool:
        """Nobody holds its lock. One of this boot whose process lives may be about to take its lock."""
        found = _NAME.fullmatch(path.name)
        if found and found[1] == boot_id() and psutil.pid_exists(int(found[2])) and path.stat().st_size == 0:
            return False
        file = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(file)
        return True
