"""Keeps the viewing process alive while it is needed, and ends it when it is not."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from artifexpro.daemon.home import Home
from artifexpro.daemon.inbox import Inbox
from artifexpro.daemon.pipe import Said, WorkerProcess, viewer_command
from artifexpro.daemon.ring import sweep_orphans

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ViewerPatience:
    """Seconds to wait before the viewing process, a look or a session is given up."""

    look: float = 30.0
    """A look that keeps others waiting for so long is given up."""
    silence: float = 60.0
    quit: float = 2.0
    idle: float = 600.0
    """A process without a look for so long is ended: memory is for the artist's own programs then."""
    lease: float = 4 * 3600.0
    """A session that was not used for so long ends."""
    start_again: float = 0.5
    failed_starts: int = 3


class Listener(Protocol):
    """Who hears what the process says and how it ended."""

    def heard(self, said: Said) -> None: ...

    def died(self, said: str, *, blame: bool) -> None: ...

    def hopeless(self, said: str) -> None: ...


class ViewerProcess:
    """One child at most. Every method belongs to the daemon's loop."""

    def __init__(
        self,
        home: Home,
        inbox: Inbox,
        listener: Listener,
        *,
        command: Sequence[str] | None,
        patience: ViewerPatience,
    ) -> None:
        self._home = home
        self._inbox = inbox
        self._listener = listener
        self._command = list(command or viewer_command())
        self._patience = patience
        self._child: WorkerProcess | None = None
        self._was_heard = self._worked = 0.0
        self._failed_starts = 0
        self._not_before = 0.0
        self._doomed: str | None = None
        self._blame = True
        self._up = False

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    @property
    def ready(self) -> bool:
        """Whether it can be told something."""
        return self._up and self._doomed is None

    def state(self, *, busy: bool) -> str:
        if self._child is None:
            return "stopped"
        if not self.ready:
            return "starting"
        return "busy" if busy else "idle"

    def say(self, message: Said) -> None:
        if self._child is not None:
            self._child.say(message)

    def tick(self, *, busy: bool, wanted: bool) -> None:
        """`busy` while a picture is awaited, `wanted` while one waits to be asked for."""
        now = time.monotonic()
        if self._child is None:
            if wanted and now >= self._not_before:
                self._start(now)
        elif now - self._was_heard > self._patience.silence:
            self.doom(f"it said nothing for {self._patience.silence:.0f} seconds", blame=True)
        elif busy or wanted:
            self._worked = now
        elif self.ready and now - self._worked > self._patience.idle:
            self._retire(self._child)

    def doom(self, why: str, *, blame: bool) -> None:
        """Kill it; `why` is what is said of its death, `blame` whether the picture it made is to blame."""
        if self._child is not None and self._doomed is None:
            log.warning("killing viewer %s: %s", self._child.pid, why)
            self._doomed, self._blame = why, blame
            self._child.kill()

    def stop(self) -> None:
        child, self._child, self._up = self._child, None, False
        if child is not None:
            child.end(self._patience.quit)

    def _start(self, now: float) -> None:
        self._was_heard = self._worked = now
        command = [*self._command, "--home", str(self._home.root), "--parent", str(os.getpid())]
        try:
            child = WorkerProcess(
                command,
                self._home.log / "viewer.log",
                lambda said: self._inbox.post(lambda: self._heard(child, said)),
            )
        except OSError as error:
            log.error("the viewing process cannot be started: %s", error)
            self._failed_start(f"it cannot be started ({error.strerror})")
            return
        self._child, self._doomed, self._blame = child, None, True
        log.info("viewer %s started", child.pid)

    def _retire(self, child: WorkerProcess) -> None:
        log.info("viewer %s had nothing to do and is ended", child.pid)
        self._child, self._up = None, False
        self._listener.died("it had nothing to do", blame=False)
        threading.Thread(target=child.end, args=(self._patience.quit,), daemon=True).start()

    def _heard(self, child: WorkerProcess, said: Said | None) -> None:
        if child is not self._child:
            return
        if said is None:
            self._died(child)
            return
        self._was_heard = time.monotonic()
        if said.get("say") == "ready":
            self._up, self._failed_starts = True, 0
        elif self._doomed is None:
            self._listener.heard(said)

    def _died(self, child: WorkerProcess) -> None:
        said = self._doomed or child.how_it_ended()
        child.end(0)
        sweep_orphans()
        log.warning("viewer %s died: %s", child.pid, said)
        was_ready = self._up
        self._child, self._up = None, False
        self._listener.died(said, blame=self._blame)
        if not was_ready:
            self._failed_start(said)

    def _failed_start(self, said: str) -> None:
        """It died before it was ready. After some in a row, whoever waits is told why."""
        self._failed_starts += 1
        self._not_before = time.monotonic() + self._patience.start_again
        if self._failed_starts >= self._patience.failed_starts:
            self._failed_starts = 0
            self._listener.hopeless(said)
