"""Keeps one worker process a lane alive and busy.

torch lives in the workers. One that dies, falls silent or ignores a cancellation is replaced; its job is queued
again, and failed with a sentence when it was the third worker to die under it.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from pydantic import ValidationError

from artifexpro.core.protocol import EventKind, Failure, JobResult
from artifexpro.daemon.home import Home
from artifexpro.daemon.inbox import Inbox
from artifexpro.daemon.pipe import Said, WorkerProcess, worker_command
from artifexpro.daemon.queue import Claim, DiskFull, Queue
from artifexpro.daemon.ring import sweep_orphans

log = logging.getLogger(__name__)
LANES = ("gpu", "io")
PASSING = {"progress": EventKind.PROGRESS, "preview": EventKind.PREVIEW}


@dataclass(frozen=True)
class Patience:
    """Seconds to wait before a worker is taken for hopeless, or for no longer needed."""

    cancel: float = 20.0
    silence: float = 60.0
    quit: float = 2.0
    idle: float = 600.0
    """A worker without a job for so long is ended: the card's memory is for the artist's own programs then."""
    start_again: float = 0.5
    failed_starts: int = 3


@dataclass
class Lane:
    """A worker's place. `claim` is what it works on now; `doomed` why it is being killed."""

    name: str
    worker: WorkerProcess | None = None
    ready: bool = False
    claim: Claim | None = None
    heard: float = 0.0
    worked: float = 0.0
    cancelled: float | None = None
    doomed: str | None = None
    failed_starts: int = 0
    not_before: float = 0.0
    progress: tuple[str, float] | None = None
    facts: Said = field(default_factory=dict)

    def state(self) -> str:
        if self.worker is None:
            return "stopped"
        if not self.ready:
            return "starting"
        return "idle" if self.claim is None else "busy"


class Supervisor:
    """All lanes. Every method belongs to the daemon's loop; `tick` is called several times a second."""

    def __init__(
        self,
        home: Home,
        queue: Queue,
        inbox: Inbox,
        tell: Callable[[str, EventKind, Said], None],
        *,
        command: Sequence[str] | None = None,
        patience: Patience | None = None,
        finishing: Callable[[str, JobResult], JobResult] = lambda job, result: result,
    ) -> None:
        """`tell` passes progress and previews on; `finishing` may add to a result before it is stored."""
        self._home = home
        self._queue = queue
        self._inbox = inbox
        self._tell = tell
        self._command = list(command or worker_command())
        self._patience = patience or Patience()
        self._finishing = finishing
        self._daemon = uuid.uuid4().hex[:8]
        self._unsaved: list[Callable[[], object]] = []
        self.lanes = {name: Lane(name) for name in LANES}

    def tick(self) -> None:
        """Start, feed, and end what has to be ended."""
        self._save_what_waits()
        for lane in self.lanes.values():
            if lane.worker is not None:
                self._watch_over(lane, lane.worker)
            if lane.claim is None and self._queue.waiting(lane.name):
                self._put_to_work(lane)

    def cancel(self, job: str) -> None:
        """Tell the worker that runs `job`, if any does."""
        for lane in self.lanes.values():
            if lane.claim is not None and lane.claim.job == job and lane.worker is not None and lane.cancelled is None:
                lane.cancelled = time.monotonic()
                lane.worker.say({"op": "cancel", "job": job})

    def progress_of(self, job: str) -> tuple[str, float] | None:
        """(stage, share of it done) of a running job."""
        for lane in self.lanes.values():
            if lane.claim is not None and lane.claim.job == job:
                return lane.progress
        return None

    def close(self) -> None:
        """End the workers; what they ran goes back to the queue."""
        for lane in self.lanes.values():
            if lane.worker is None:
                continue
            worker, claim = lane.worker, lane.claim
            lane.worker = lane.claim = None
            if claim is not None:
                worker.kill()
                self._save(partial(self._queue.release, claim, "the daemon was stopped"))
            worker.end(self._patience.quit)

    # ------------------------------------------------------------------ a lane's life

    def _watch_over(self, lane: Lane, worker: WorkerProcess) -> None:
        now = time.monotonic()
        if lane.cancelled is not None and now - lane.cancelled > self._patience.cancel:
            self._doom(lane, "it went on after it was told to cancel")
        elif now - lane.heard > self._patience.silence:
            self._doom(lane, f"it said nothing for {self._patience.silence:.0f} seconds")
        elif lane.claim is not None or self._queue.waiting(lane.name):
            lane.worked = now
        elif lane.ready and now - lane.worked > self._patience.idle:
            self._retire(lane, worker)

    def _retire(self, lane: Lane, worker: WorkerProcess) -> None:
        log.info("worker %s of lane %s had nothing to do and is ended", worker.pid, lane.name)
        lane.worker, lane.ready = None, False
        threading.Thread(target=worker.end, args=(self._patience.quit,), daemon=True).start()

    def _doom(self, lane: Lane, why: str) -> None:
        if lane.doomed is None and lane.worker is not None:
            log.warning("killing worker %s of lane %s: %s", lane.worker.pid, lane.name, why)
            lane.doomed = why
            lane.worker.kill()

    def _put_to_work(self, lane: Lane) -> None:
        if lane.worker is None:
            if time.monotonic() >= lane.not_before:
                self._start(lane)
            return
        if not lane.ready or lane.doomed is not None or self._unsaved:
            return
        holder = f"{self._daemon}:{lane.name}:{lane.worker.pid}"
        try:
            claim = self._queue.surely(lambda: self._queue.claim(lane.name, holder))
        except DiskFull:
            log.error("the disk is full: no job can be started")
            return
        if claim is None:
            return
        lane.claim, lane.progress = claim, None
        folder = self._home.jobs / claim.job
        lane.worker.say(
            {
                "op": "run",
                "job": claim.job,
                "attempt": claim.attempt,
                "request": claim.request.model_dump(mode="json"),
                "output": claim.request.output or str(folder),
                "folder": str(folder),
            }
        )

    def _start(self, lane: Lane) -> None:
        command = [*self._command, "--home", str(self._home.root), "--lane", lane.name, "--parent", str(os.getpid())]
        lane.ready, lane.doomed, lane.cancelled = False, None, None
        lane.heard = lane.worked = time.monotonic()
        try:
            worker = WorkerProcess(
                command,
                self._home.log / f"worker-{lane.name}.log",
                lambda said: self._inbox.post(lambda: self._heard(lane, worker, said)),
            )
        except OSError as error:
            log.error("a worker cannot be started: %s", error)
            self._failed_start(lane, f"it cannot be started ({error.strerror})")
            return
        lane.worker = worker
        log.info("worker %s started in lane %s", worker.pid, lane.name)

    def _failed_start(self, lane: Lane, said: str) -> None:
        """A worker died before it was ready. After some in a row, the job that waits first is told why it waits."""
        lane.failed_starts += 1
        lane.not_before = time.monotonic() + self._patience.start_again
        if lane.failed_starts < self._patience.failed_starts:
            return
        lane.failed_starts = 0
        holder = f"{self._daemon}:{lane.name}:none"

        def give_up() -> None:
            claim = self._queue.claim(lane.name, holder)
            if claim is not None:
                self._queue.fail(claim, _no_worker(said))

        self._save(give_up)

    # ------------------------------------------------------------------ what workers say

    def _heard(self, lane: Lane, worker: WorkerProcess, said: Said | None) -> None:
        if lane.worker is not worker:
            return
        if said is None:
            self._died(lane, worker)
            return
        lane.heard = time.monotonic()
        what = said.get("say")
        if what == "ready":
            lane.ready, lane.failed_starts, lane.facts = True, 0, said
        claim = lane.claim
        if claim is None or said.get("job") != claim.job or said.get("attempt") != claim.attempt:
            return
        if what in PASSING:
            self._passing(lane, claim, str(what), said)
        elif what in ("finished", "failed", "cancelled"):
            lane.claim, lane.cancelled, lane.progress = None, None, None
            self._save(partial(self._record, claim, str(what), said))

    def _passing(self, lane: Lane, claim: Claim, what: str, said: Said) -> None:
        body = {key: value for key, value in said.items() if key not in ("say", "job", "attempt")}
        if what == "progress":
            lane.progress = (str(body["stage"]), float(body["done"]) / max(1.0, float(body["total"])))
        self._tell(claim.job, PASSING[what], body)

    def _record(self, claim: Claim, what: str, said: Said) -> None:
        try:
            if what == "finished":
                result = JobResult.model_validate(said["result"])
                self._queue.finish(claim, self._finishing(claim.job, result))
            elif what == "failed":
                self._queue.fail(claim, Failure.model_validate(said["error"]))
            else:
                self._queue.cancelled(claim)
        except (ValidationError, KeyError) as error:
            log.exception("a worker's answer for job %s cannot be read", claim.job)
            self._queue.fail(claim, _unreadable(error))

    def _died(self, lane: Lane, worker: WorkerProcess) -> None:
        said = lane.doomed or worker.how_it_ended()
        worker.end(0)
        sweep_orphans()
        log.warning("worker %s of lane %s died: %s", worker.pid, lane.name, said)
        claim, was_ready = lane.claim, lane.ready
        lane.worker = lane.claim = lane.progress = lane.cancelled = lane.doomed = None
        lane.ready = False
        if not was_ready:
            self._failed_start(lane, said)
        if claim is not None:
            self._save(partial(self._queue.died, claim, said))

    # ------------------------------------------------------------------ a full disk

    def _save(self, change: Callable[[], object]) -> None:
        """Store an outcome; on a disk so full that even the ballast did not help, keep it until there is room."""
        try:
            self._queue.surely(change)
        except DiskFull:
            log.error("the disk is full: an outcome waits in memory")
            self._unsaved.append(change)

    def _save_what_waits(self) -> None:
        waiting, self._unsaved = self._unsaved, []
        for change in waiting:
            self._save(change)


def _no_worker(said: str) -> Failure:
    return Failure(
        code="no-worker",
        attempted="start a worker for the job",
        because=f"each one died before it was ready, the last because {said}",
        remedy="artifexpro doctor, which says what is missing; then retry the job",
    )


def _unreadable(error: Exception) -> Failure:
    said = " ".join(str(error).split())[:300]
    return Failure(
        code="defect",
        attempted="take over the job's result",
        because=f"the worker's answer has another form than this release knows ({said})",
        remedy="restarting the daemon, if it was updated while it ran; otherwise this is a defect to report",
    )
