"""What the artist has asked for and how far it is: the list a panel shows and the host's file keeps.

The book in memory is the truth while the host runs. What keeps the jobs in the file (a scene in Blender, the script in
Nuke, the project in Resolve) carries a copy of them as text, so that they survive closing it. Undo brings an older copy
back and must not make a clip arrive a second time: that is why the copy is read only when a file is opened.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Union

WAITING = "waiting"
QUEUED = "queued"
RUNNING = "running"
FINISHED = "finished"
DELIVERED = "delivered"
FAILED = "failed"
CANCELLED = "cancelled"

OPEN = frozenset({WAITING, QUEUED, RUNNING, FINISHED})
KEPT_CLOSED = 50
"""So many closed jobs stay in a file; older ones are dropped from it (what was delivered keeps its recipe)."""
Keeper = Union[int, str]
"""What a job is saved with, by the name or number it has in this session. A host with one file open has only `ONLY`."""
ONLY: Keeper = 0


@dataclass
class Job:
    """One clip on its way. `key` is made here, `job` is the daemon's name for it once it has accepted.

    `place` is where the result goes, frozen when it was asked for: JSON that only its host reads. `request` is the
    whole JobRequest, sent again with the same key until the daemon has answered. `message` is one sentence for the
    panel.
    """

    key: str
    title: str
    request: dict[str, Any]
    place: dict[str, Any]
    state: str = WAITING
    job: str = ""
    message: str = ""
    notes: list[str] = field(default_factory=list)
    result: dict[str, Any] | None = None
    cancel_asked: bool = False
    keeper: Keeper = ONLY
    progress: float | None = None
    stage: str = ""

    @property
    def open(self) -> bool:
        return self.state in OPEN


_PASSING = ("keeper", "progress", "stage")
_SAVED = tuple(item.name for item in fields(Job) if item.name not in _PASSING)


class JobBook:
    """All jobs of the open file, in the order they were asked for."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._changed: set[Keeper] = set()

    def __iter__(self) -> Iterator[Job]:
        return iter(tuple(self._jobs.values()))

    def __len__(self) -> int:
        return len(self._jobs)

    def get(self, key: str) -> Job | None:
        return self._jobs.get(key)

    def by_job(self, job: str) -> Job | None:
        return next((item for item in self._jobs.values() if item.job and item.job == job), None)

    def of_keeper(self, keeper: Keeper = ONLY) -> list[Job]:
        return [job for job in self if job.keeper == keeper]

    def add(self, job: Job) -> None:
        if job.key in self._jobs:
            raise ValueError(f"two jobs with the key {job.key}")
        self._jobs[job.key] = job
        self._changed.add(job.keeper)

    def touch(self, job: Job) -> None:
        """Note that `job` has changed, so that its keeper's copy is written again."""
        self._changed.add(job.keeper)

    def take_changed(self) -> set[Keeper]:
        changed, self._changed = self._changed, set()
        return changed

    def clear_closed(self, keeper: Keeper = ONLY) -> None:
        for job in self.of_keeper(keeper):
            if not job.open:
                del self._jobs[job.key]
        self._changed.add(keeper)

    def promised(self, keeper: Keeper = ONLY, besides: Job | None = None) -> list[dict[str, Any]]:
        """Places of results that have not arrived yet."""
        return [job.place for job in self.of_keeper(keeper) if job.open and job is not besides]

    def accepted(self, job: Job, reply: dict[str, Any]) -> None:
        """The daemon has the job: it is in its queue's file, whatever happens to the host."""
        job.job = reply["job"]
        job.message = ""
        if job.state == WAITING:
            job.state = QUEUED
        self.touch(job)

    def close(self, job: Job, state: str, message: str = "") -> None:
        job.state, job.message, job.progress, job.stage = state, message, None, ""
        self.touch(job)

    def hear(self, event: dict[str, Any]) -> Job | None:
        """Take in one event of the daemon; the job it was about, or None where it is not one of ours."""
        job = self.by_job(event["job"])
        if job is None or job.state in (DELIVERED, CANCELLED, FAILED):
            return None
        kind, body = event["event"], event.get("body", {})
        if kind in ("queued", "started"):
            job.state, job.progress, job.stage = (QUEUED if kind == "queued" else RUNNING), None, ""
            self.touch(job)
        elif kind == "progress":
            job.state = RUNNING
            job.stage, job.progress = body["stage"], body["done"] / max(1, body["total"])
        elif kind == "finished":
            self._finish(job, body["result"])
        elif kind == "failed":
            self.close(job, FAILED, sentence(body["error"]))
        elif kind == "cancelled":
            self.close(job, CANCELLED, "Cancelled.")
        return job

    def _finish(self, job: Job, result: dict[str, Any]) -> None:
        job.state, job.progress, job.stage = FINISHED, None, ""
        job.result = result
        job.notes = list(result.get("notes", ()))
        self.touch(job)

    def as_text(self, keeper: Keeper = ONLY) -> str:
        """The jobs of one keeper as JSON, the last `KEPT_CLOSED` closed ones among them."""
        jobs = self.of_keeper(keeper)
        dropped = [job.key for job in jobs if not job.open][:-KEPT_CLOSED]
        kept = (job for job in jobs if job.key not in dropped)
        return json.dumps([{name: value for name, value in asdict(job).items() if name in _SAVED} for job in kept])

    def adopt(self, text: str, keeper: Keeper = ONLY) -> None:
        """Take over the jobs a file was saved with. A known key stays where it is: scenes get copied."""
        for saved in json.loads(text):
            if saved["key"] not in self._jobs:
                self._jobs[saved["key"]] = Job(**saved, keeper=keeper)

    def forget_all(self) -> None:
        """Another file is opened; what was asked for in the last one is in that file."""
        self._jobs.clear()
        self._changed.clear()


def sentence(failure: dict[str, Any] | None) -> str:
    """A Failure of the protocol as the artist reads it."""
    if failure is None:
        return "The daemon did not say why it failed."
    return f"Attempted to {failure['attempted']}. Failed because {failure['because']}. Try {failure['remedy']}."
