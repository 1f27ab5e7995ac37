"""How other threads reach the daemon's one loop: a queue, and a socket that wakes the poller."""

from __future__ import annotations

import contextlib
import queue
import socket
from collections.abc import Callable, Iterator

Job = Callable[[], None]


class Inbox:
    """Things to do in the loop's thread. `post` may be called from any thread and from signal handlers."""

    def __init__(self) -> None:
        self._things: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self.reader, self._writer = socket.socketpair()
        self.reader.setblocking(False)
        self._writer.setblocking(False)

    def post(self, thing: Job) -> None:
        self._things.put(thing)
        with contextlib.suppress(BlockingIOError, OSError):
            self._writer.send(b"\0")

    def drain(self) -> Iterator[Job]:
        """What was posted so far; the caller runs it."""
        with contextlib.suppress(BlockingIOError):
            while self.reader.recv(4096):
                pass
        while True:
            try:
                yield self._things.get_nowait()
            except queue.Empty:
                return

    def close(self) -> None:
        self.reader.close()
        self._writer.close()
