"""Room to write "done" on a full disk.

On a full disk even marking a job as finished fails. So the daemon keeps a file of dead weight that it removes when
a write is refused, and stops accepting work before that, while the artist's other programs still have room.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from artifexpro.core.errors import ArtifexError

MEGABYTE = 1_000_000
BALLAST_BYTES = 64 * MEGABYTE
LOW_BYTES = 256 * MEGABYTE


@dataclass
class Ballast:
    """The file, its size, and how much must stay free beside it while work is accepted; sizes in bytes."""

    path: Path
    size: int = BALLAST_BYTES
    low: int = LOW_BYTES

    def restore(self) -> None:
        """Make the file if it is missing and the disk has room for it beside the low-space mark."""
        if self._whole() or self.free() < self.low + self.size:
            return
        try:
            with self.path.open("wb") as file:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, self.size)
                else:
                    for _ in range(0, self.size, MEGABYTE):
                        file.write(bytes(MEGABYTE))
        except OSError:
            self.path.unlink(missing_ok=True)

    def drop(self) -> bool:
        """Remove the file so that a refused write can be tried again; False if it was already gone."""
        existed = self.path.exists()
        self.path.unlink(missing_ok=True)
        return existed

    def free(self) -> int:
        """Free bytes on the home's disk."""
        return shutil.disk_usage(self.path.parent).free

    def problem(self) -> ArtifexError | None:
        """Why no new work is accepted now, if so."""
        free = self.free()
        if free >= self.low and self._whole():
            return None
        return ArtifexError(
            "accept a job",
            f"the disk of {self.path.parent} is nearly full ({free // MEGABYTE} MB free, "
            f"{(self.low + (0 if self._whole() else self.size)) // MEGABYTE} MB are needed)",
            "freeing space there, then sending the job again; jobs already accepted are safe",
            code="disk",
        )

    def _whole(self) -> bool:
        return self.path.exists() and self.path.stat().st_size == self.size
