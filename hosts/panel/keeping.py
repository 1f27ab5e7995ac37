"""The jobs of a panel on disk, so that what was accepted is offered at the next start.

Two programs of one kind may run at once: each has a file of its own, the first whose lock is free.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from pathlib import Path

from ..bridge.home import Home
from ..bridge.jobs import JobBook

MOST_PROGRAMS = 100


class Keeping:
    """One file, held as long as this process lives. Raises `OSError` where the folder cannot be written."""

    def __init__(self, folder: Path, title: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        stem = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "panel"
        for number in range(1, MOST_PROGRAMS):
            self.path = folder / f"{stem}-{number}.json"
            self._lock = _held(self.path.with_suffix(".lock"))
            if self._lock is not None:
                return
        raise OSError(f"{MOST_PROGRAMS - 1} programs use {folder}")

    def load(self, book: JobBook) -> str:
        """Put the saved jobs into the book; a sentence where the file is damaged: it is kept beside it."""
        try:
            book.adopt(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return ""
        except (ValueError, KeyError, TypeError):
            aside = self.path.with_suffix(".damaged")
            self.path.replace(aside)
            return (
                f"Attempted to read the panel's jobs. Failed because {self.path.name} is damaged; it is kept as "
                f"{aside}. Try the history, which has all that the daemon made."
            )
        return ""

    def save(self, book: JobBook) -> None:
        """Write the book as a whole: a crash leaves the old file or the new one."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(book.as_text(), encoding="utf-8")
        fresh.replace(self.path)

    def close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def usual_folder(home: Path | None = None) -> Path:
    """Beside the daemon's things, in the same home."""
    return Home.find(home).root / "panel"


def _held(path: Path) -> int | None:
    """An open file that nobody else holds, or None. The system lets go of it when the process ends, however it ends."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        with contextlib.suppress(OSError):
            os.close(handle)
        return None
    return handle
