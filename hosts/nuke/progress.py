"""Progress bars of running jobs, in a thread of their own as Nuke wants them; what was cancelled there is handed back.

Only `show` and `cancelled` are called in the main thread; they exchange plain data under a lock.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import nuke


@dataclass(frozen=True)
class Line:
    """What one bar says. `part` is 0 to 1."""

    title: str
    message: str
    part: float


class Board:
    """The bars there should be, and those there are."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: dict[str, Line] = {}
        self._bars: dict[str, Any] = {}
        self._cancelled: set[str] = set()

    def show(self, lines: dict[str, Line]) -> None:
        """By job's key what is to be on the screen from the next `draw` on."""
        with self._lock:
            self._wanted = dict(lines)

    def cancelled(self) -> set[str]:
        """Keys of the jobs whose Cancel was pressed since the last time."""
        with self._lock:
            pressed, self._cancelled = self._cancelled, set()
        return pressed

    def draw(self) -> None:
        """Called in the ticking thread."""
        with self._lock:
            wanted = dict(self._wanted)
        for key in [key for key in self._bars if key not in wanted]:
            del self._bars[key]
        for key, line in wanted.items():
            bar = self._bars.setdefault(key, None) or nuke.ProgressTask(f"ArtifexPro {line.title}")
            self._bars[key] = bar
            bar.setMessage(line.message)
            bar.setProgress(int(line.part * 100))
            if bar.isCancelled():
                with self._lock:
                    self._cancelled.add(key)
