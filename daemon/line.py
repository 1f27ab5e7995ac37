"""A child process's end of the two pipes it was started with: JSON lines from the daemon and to it."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import psutil  # type: ignore[import-untyped]

Said = dict[str, Any]
ALIVE_SECONDS = 1.0
RENDER_NICENESS = 10
_AUTOGROUP = Path("/proc/self/autogroup")


class Line:
    """The daemon at the other end. `hear` gets each of its messages, in a thread; without a daemon there is nothing
    left to work for, and the process ends."""

    def __init__(self, source: IO[bytes], sink: IO[bytes], hear: Callable[[Said], None]) -> None:
        self._source = source
        self._sink = sink
        self._hear = hear
        self._lock = threading.Lock()

    def start(self) -> None:
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        threading.Thread(target=self._beat, name="beat", daemon=True).start()

    def say(self, what: str, **rest: Any) -> None:
        """Send one message."""
        text = json.dumps({"say": what, **rest}).encode() + b"\n"
        with self._lock:
            try:
                self._sink.write(text)
                self._sink.flush()
            except OSError:
                os._exit(1)

    def _listen(self) -> None:
        for line in self._source:
            self._hear(json.loads(line))
        os._exit(0)

    def _beat(self) -> None:
        while True:
            time.sleep(ALIVE_SECONDS)
            self.say("alive")


def die_with(parent: int) -> None:
    """End this process when its parent ends, even by kill -9 (Linux; elsewhere the closed input does it)."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def step_back() -> None:
    """Let this process's work wait for that of viewers and hosts wherever both want the processor.

    On Linux a session's processes are weighed as one against other sessions', so the session is made nice as well: a
    worker is the only process of its own.
    """
    if sys.platform == "win32":
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        return
    os.nice(RENDER_NICENESS)
    with suppress(OSError):
        _AUTOGROUP.write_text(str(RENDER_NICENESS), encoding="ascii")


def take_standard_streams() -> tuple[IO[bytes], IO[bytes]]:
    """The pipes to the daemon; afterwards descriptor 1 is the log, and descriptor 0 is empty."""
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return source, sink
