"""Pictures, from a worker or the viewing process to whoever looks.

That process writes them to shared memory and sends a token. Clients of this machine read there; for others the daemon
turns the token into a binary part.
"""

from __future__ import annotations

import mmap
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from artifexpro.core.lazy import torch
from artifexpro.core.protocol import FrameToken
from artifexpro.daemon import ring

if TYPE_CHECKING:
    from torch import Tensor

CHANNELS = 4


class Slots:
    """A ring that is made at the first picture and made anew for a larger one."""

    def __init__(self) -> None:
        self._ring: ring.Ring | None = None

    def write(self, pixels: memoryview, width: int, height: int, dtype: str, space: str, room: int = 0) -> FrameToken:
        """Copy RGBA pixels into shared memory; returns where they lie. `room` is the largest picture in bytes that is
        to come soon.

        Raises `ArtifexError` (code "shared-memory") where the system has no room.
        """
        size = pixels.nbytes
        if self._ring is None or self._ring.slot_bytes < size:
            self.close()
            self._ring = ring.Ring(max(size, room))
        return self._ring.write(pixels, width, height, dtype, space)

    def close(self) -> None:
        if self._ring is not None:
            self._ring.close()
            self._ring = None


class Previews:
    """Pictures of a job on its way."""

    def __init__(self) -> None:
        self._slots = Slots()

    def share(self, pixels: Tensor) -> FrameToken:
        """Write (H, W, 3) display-referred sRGB, clipped to 0..1, as 8 bit RGBA; returns where it lies.

        Raises as `Slots.write` does.
        """
        height, width = int(pixels.shape[0]), int(pixels.shape[1])
        picture = torch.full((height, width, CHANNELS), 255, dtype=torch.uint8)
        picture[..., :3] = (pixels.detach().float().clamp(0, 1) * 255).round().to("cpu", torch.uint8)
        return self._slots.write(picture.numpy().data, width, height, "uint8", "srgb_tx")

    def close(self) -> None:
        self._slots.close()


def read(token: FrameToken, where: Path | None = None) -> bytes | None:
    """The pixels of a token; None if newer ones took their place or the segment is gone."""
    if token.segment is None or Path(token.segment).name != token.segment:
        return None
    try:
        with ((where or ring.folder()) / token.segment).open("rb") as file:
            memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):
        return None
    with memory:
        _, _, offset, stride, _ = ring.FILE_HEADER.unpack_from(memory)
        start = ring.PAGE + token.slot * stride
        size = token.width * token.height * ring.DTYPES[token.dtype][1]
        if not _is_there(memory, start, token.generation, size):
            return None
        pixels = memory[start + offset : start + offset + size]
        return pixels if _is_there(memory, start, token.generation, size) else None


def _is_there(memory: mmap.mmap, start: int, generation: int, size: int) -> bool:
    if start + ring.SLOT_HEADER.size > len(memory):
        return False
    header = memory[start : start + ring.SLOT_HEADER.size]
    found, found_size, _, _, _, checksum = ring.SLOT_HEADER.unpack(header)
    return (found, found_size) == (generation, size) and zlib.crc32(header[:-4]) == checksum
