"""The jobs and the line they travel on: all that happens between pressing Generate and a finished clip.

Nothing here knows a host. `pump()` never waits: finding (or starting) the daemon happens in a thread that only hands
its result over, and every question is posted with a callback that runs inside a later `pump()`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from .jobs import CANCELLED, FAILED, FINISHED, QUEUED, RUNNING, WAITING, Job, JobBook

RETRY_SECONDS = 5.0
"""So long after a failed attempt the daemon is looked for again while a job waits for it."""
PULSE_SECONDS = 5.0
"""How often a daemon that owes a clip is asked whether it is there: one that died is dialled, and so started, again."""

Body = dict[str, Any]
Preview = tuple[str, int, int, list[float]]
"""A job's key, width, height, RGBA floats from the bottom row up."""


class Unreachable(Exception):
    """No line to the daemon; `str()` is a sentence for the artist."""


@dataclass(frozen=True)
class Trouble:
    """Why a question was not answered. `passing` is the line's fault: the same question may be answered later."""

    sentence: str
    passing: bool


class Line(Protocol):
    """An open line to the daemon: what this module asks of `line.Line`."""

    def post(self, op: str, body: Body, done: Callable[[Body | None, Trouble | None], None]) -> None:
        """Ask without waiting; `done` gets the reply's body, or None and the trouble, inside a later `poll`."""

    def poll(self) -> list[Body]:
        """Events since the last time, after running what was answered."""

    def picture(self, event: Body) -> tuple[int, int, list[float]] | None:
        """The picture a preview event is about, or None where it was overwritten meanwhile."""

    def close(self) -> None: ...


Dial = Callable[[], Line]


class _Dialling:
    """One attempt to reach the daemon, in a thread of its own."""

    def __init__(self, dial: Dial) -> None:
        self.line: Line | None = None
        self.trouble = ""
        self._dial = dial
        self._thread = threading.Thread(target=self._run, name="artifexpro-dial", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.line = self._dial()
        except Unreachable as why:
            self.trouble = str(why)

    @property
    def over(self) -> bool:
        return not self._thread.is_alive()


class Session:
    """One line for all that is open in the host.

    `dialler` is asked in the host's main thread for the function that dials; that one runs in a thread.
    """

    def __init__(self, dialler: Callable[[], Dial], clock: Callable[[], float] = time.monotonic) -> None:
        self.book = JobBook()
        self.models: list[str] = []
        self.trouble = ""
        self._dialler = dialler
        self._clock = clock
        self._dialling: _Dialling | None = None
        self._line: Line | None = None
        self._retry_at = 0.0
        self._pulse_at = 0.0
        self._asked: set[tuple[str, str]] = set()
        self._previews: dict[str, Body] = {}

    @property
    def connected(self) -> bool:
        return self._line is not None

    @property
    def connecting(self) -> bool:
        return self._dialling is not None

    @property
    def busy(self) -> bool:
        """Whether something is expected to happen soon."""
        return self.connecting or any(job.open for job in self.book)

    def dial_now(self) -> None:
        """Look for the daemon, whatever was tried before."""
        if self._line is None and self._dialling is None:
            self._dialling = _Dialling(self._dialler())

    def hang_up(self, *, wait: bool = False) -> None:
        """Close the line. Jobs go on in the daemon and are asked for when a line is open again.

        Closing takes a moment: a thread does it, unless the host ends and has to `wait`.
        """
        if self._line is not None:
            closing = threading.Thread(target=self._line.close, name="artifexpro-close", daemon=True)
            closing.start()
            if wait:
                closing.join()
        self._line = self._dialling = None
        self._retry_at, self.trouble = 0.0, ""
        self.ask_again()

    def ask_again(self) -> None:
        """Forget which questions were asked: another file is open, or the line is another."""
        self._asked.clear()
        self._previews.clear()

    def ask(self, op: str, body: Body, then: Callable[[Body], None]) -> None:
        """Ask something besides the jobs, once on this line; `then` gets the answer inside a later `pump`."""
        self._ask(op, "", body, then)

    def cancel(self, job: Job) -> None:
        """Ask for the job's end; one the daemon never heard of ends at once."""
        if job.state == WAITING and ("job.submit", job.key) not in self._asked:
            self.book.close(job, CANCELLED, "Cancelled before it was sent.")
            return
        job.cancel_asked = True
        self.book.touch(job)

    def ask(self, op: str, body: Body, done: Callable[[Body | None, Trouble | None], None]) -> bool:
        """Ask the daemon anything: `done` gets the answer, or why there is none, inside a later `pump`.

        False, and nothing is asked, while no line is open. A line that is lost takes its questions with it.
        """
        if self._line is None:
            return False
        self._line.post(op, body, done)
        return True

    def pump(self) -> list[Job]:
        """Take in what happened, send what is due. Returns the finished jobs that wait to be put in place."""
        self._look_after_line()
        if self._line is not None:
            for event in self._line.poll():
                self._hear(event)
        if self._line is not None:
            self._send_due()
            self._feel_pulse()
        return [job for job in self.book if job.state == FINISHED]

    def take_previews(self) -> list[Preview]:
        """The newest picture of each running job, once."""
        waiting, self._previews = self._previews, {}
        if self._line is None:
            return []
        pictures = ((key, self._line.picture(event)) for key, event in waiting.items())
        return [(key, *picture) for key, picture in pictures if picture is not None]

    def _look_after_line(self) -> None:
        if self._line is not None:
            return
        if self._dialling is None:
            if self._clock() >= self._retry_at and self._owed():
                self.dial_now()
            return
        if not self._dialling.over:
            return
        attempt, self._dialling = self._dialling, None
        self._line, self.trouble = attempt.line, attempt.trouble
        if self._line is None:
            self._retry_at = self._clock() + RETRY_SECONDS
        else:
            self._pulse_at = self._clock() + PULSE_SECONDS
            self._ask("models.list", "", {}, self._models_came)

    def _owed(self) -> bool:
        """Whether the daemon has, or is to get, a job that is not done."""
        return any(job.state in (WAITING, QUEUED, RUNNING) for job in self.book)

    def _feel_pulse(self) -> None:
        if self._clock() >= self._pulse_at and self._owed():
            self._pulse_at = self._clock() + PULSE_SECONDS
            self._ask("daemon.status", str(self._pulse_at), {}, self._status_came)

    def _status_came(self, status: Body) -> None:
        self.trouble = status["problem"] or ""

    def _hear(self, event: Body) -> None:
        job = self.book.hear(event)
        if job is not None and event["event"] == "preview":
            self._previews[job.key] = event

    def _send_due(self) -> None:
        for job in self.book:
            if job.state == WAITING:
                self._ask("job.submit", job.key, job.request, partial(self._accepted, job), job)
            elif job.state in (QUEUED, RUNNING):
                self._ask("job.watch", job.key, {"jobs": [job.job], "after": 0}, _nothing, job)
                if job.cancel_asked:
                    self._ask("job.cancel", job.key, {"job": job.job}, _nothing)

    def _accepted(self, job: Job, reply: Body) -> None:
        self.book.accepted(job, reply)
        self._asked.add(("job.watch", job.key))

    def _models_came(self, reply: Body) -> None:
        self.models = [model["name"] for model in reply["models"]]

    def _ask(self, op: str, about: str, body: Body, then: Callable[[Body], None], job: Job | None = None) -> None:
        """Ask once on this line; a job whose question is refused fails with the daemon's own sentence."""
        if self._line is None or (op, about) in self._asked:
            return
        self._asked.add((op, about))

        line = self._line

        def done(reply: Body | None, trouble: Trouble | None) -> None:
            if reply is not None:
                then(reply)
            elif trouble is not None and line is self._line:
                self._unanswered(trouble, job)

        line.post(op, body, done)

    def _unanswered(self, trouble: Trouble, job: Job | None) -> None:
        if trouble.passing:
            self.hang_up()
            self.trouble, self._retry_at = trouble.sentence, self._clock() + RETRY_SECONDS
        elif job is not None:
            self.book.close(job, FAILED, trouble.sentence)


def _nothing(_reply: Body) -> None:
    """For answers that say only that it was heard."""
