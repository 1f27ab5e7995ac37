"""The durable queue: every job ever accepted, and what happened to each.

One thread of the daemon is the only writer. Each change of a job and the event that tells of it are one
transaction. A worker's claim is fenced by attempt and holder: whoever lost the claim can no longer write a result,
so a job that ran twice has one result. The promise is at-least-once with idempotent outputs.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from artifexpro.core.errors import ArtifexError
from artifexpro.core.protocol import Event, EventKind, Failure, JobRequest, JobResult, JobState, JobView
from artifexpro.daemon.ballast import Ballast
from artifexpro.daemon.estimate import likeness
from artifexpro.daemon.schema import open_database

MAX_DEATHS = 3
T = TypeVar("T")

DONE = (JobState.FINISHED, JobState.FAILED, JobState.CANCELLED)


class DiskFull(ArtifexError):
    """A write was refused for want of space. Nothing of it was stored."""

    code = "disk"

    def __init__(self, attempted: str, path: Path) -> None:
        super().__init__(
            attempted,
            f"the disk of {path.parent} is full",
            "freeing space there, then the same again; jobs already accepted are safe",
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """One worker's hold on one job. Only the newest attempt's holder may end the job."""

    job: str
    attempt: int
    holder: str
    request: JobRequest


@dataclass(frozen=True, slots=True)
class Placed:
    """What `submit` did: the job, its state now, and whether the key was already known."""

    job: str
    state: JobState
    duplicate: bool


def lane_of(request: JobRequest) -> str:
    """Graphs go where torch is; downloads and checks of weights beside it, so that neither waits for the other."""
    return "gpu" if request.work.kind == "graph" else "io"


class Queue:
    """Jobs in one SQLite file. Times are seconds since 1970."""

    def __init__(self, path: Path, ballast: Ballast, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._db = open_database(path)
        self._ballast = ballast
        self._clock = clock
        self._head = self._newest_event()

    def close(self) -> None:
        self._db.close()

    # ------------------------------------------------------------------ jobs come in

    def submit(self, request: JobRequest, owner: str, *, reproduces: str | None = None) -> Placed:
        """Store a job and its `queued` event; from the return on it cannot be lost.

        The same key from the same owner is the same job. Raises `ArtifexError`: code "key-reused" if that key came
        with another request, "disk" if there is no room to keep the job safe.
        """
        known = self.placed(request, owner)
        if known is not None:
            return known
        if (problem := self._ballast.problem()) is not None:
            raise problem
        job = secrets.token_hex(8)
        row = {
            "id": job,
            "owner": owner,
            "key": request.key,
            "digest": _digest(request),
            "request": request.model_dump_json(),
            "kind": request.work.kind,
            "lane": lane_of(request),
            "likeness": likeness(request.work),
            "priority": request.priority,
            "state": JobState.QUEUED,
            "created": self._clock(),
            "reproduces": reproduces,
        }
        names = ", ".join(row)
        with self._transaction("accept a job"):
            self._db.execute(f"INSERT INTO jobs ({names}) VALUES (:{names.replace(', ', ', :')})", row)
            self._tell(job, EventKind.QUEUED, {"attempt": 0})
        return Placed(job, JobState.QUEUED, duplicate=False)

    def placed(self, request: JobRequest, owner: str) -> Placed | None:
        """The job that this owner already submitted under the request's key, if any."""
        row = self._one("SELECT id, state, digest FROM jobs WHERE owner = ? AND key = ?", owner, request.key)
        if row is None:
            return None
        if row["digest"] != _digest(request):
            raise ArtifexError(
                f"submit a job under the key {request.key}",
                f"job {row['id']} was submitted under that key and asks for something else",
                "a new key for a new job; a key stands for one request for ever",
                code="key-reused",
            )
        return Placed(row["id"], JobState(row["state"]), duplicate=True)

    # ------------------------------------------------------------------ workers

    def claim(self, lane: str, holder: str) -> Claim | None:
        """The next job for `lane`, now running and held by `holder`; None if none waits."""
        row = self._one(
            "SELECT id, attempt, request FROM jobs WHERE lane = ? AND state = 'queued' "
            "ORDER BY priority DESC, number LIMIT 1",
            lane,
        )
        if row is None:
            return None
        attempt = row["attempt"] + 1
        with self._transaction("start a job"):
            self._db.execute(
                "UPDATE jobs SET state = 'running', attempt = ?, holder = ?, started = ? WHERE id = ?",
                (attempt, holder, self._clock(), row["id"]),
            )
            self._tell(row["id"], EventKind.STARTED, {"attempt": attempt})
        return Claim(row["id"], attempt, holder, JobRequest.model_validate_json(row["request"]))

    def waiting(self, lane: str) -> bool:
        return self._one("SELECT 1 FROM jobs WHERE lane = ? AND state = 'queued' LIMIT 1", lane) is not None

    def finish(self, claim: Claim, result: JobResult) -> bool:
        """Store the one result. False, and nothing stored, if the claim is no longer the job's."""
        text = result.model_dump_json()
        return self._end(claim, JobState.FINISHED, {"result": json.loads(text)}, result=text)

    def fail(self, claim: Claim, error: Failure) -> bool:
        """As `finish`, with the reason why there is no result."""
        text = error.model_dump_json()
        return self._end(claim, JobState.FAILED, {"error": json.loads(text)}, error=text)

    def cancelled(self, claim: Claim) -> bool:
        """As `finish`, for a worker that stopped because it was asked to."""
        return self._end(claim, JobState.CANCELLED, {})

    def _end(self, claim: Claim, state: JobState, body: dict[str, Any], **columns: str) -> bool:
        changes = "".join(f", {name} = ?" for name in columns)
        with self._transaction("record what a job made"):
            changed = self._held(
                claim,
                f"state = ?, holder = NULL, cancelling = 0, finished = ?{changes}",
                state,
                self._clock(),
                *columns.values(),
            )
            if changed:
                self._tell(claim.job, EventKind(state.value), body)
        return changed

    def _held(self, claim: Claim, changes: str, *values: Any) -> bool:
        done = self._db.execute(
            f"UPDATE jobs SET {changes} WHERE id = ? AND state = 'running' AND attempt = ? AND holder = ?",
            (*values, claim.job, claim.attempt, claim.holder),
        )
        return done.rowcount == 1

    # ------------------------------------------------------------------ claims that ended by themselves

    def died(self, claim: Claim, said: str) -> JobState | None:
        """The worker died under this job: cancelled if that was wanted, queued again, or failed at the third death.

        `said` is what is known of the death, a clause. None if the claim is no longer the job's.
        """
        row = self._one("SELECT deaths, cancelling FROM jobs WHERE id = ?", claim.job)
        if row is None:
            return None
        if row["cancelling"]:
            return JobState.CANCELLED if self.cancelled(claim) else None
        deaths = row["deaths"] + 1
        if deaths >= MAX_DEATHS:
            return JobState.FAILED if self.fail(claim, _died_too_often(deaths, said)) else None
        with self._transaction("queue a job again"):
            changed = self._held(claim, "state = 'queued', holder = NULL, deaths = ?", deaths)
            if changed:
                self._tell(claim.job, EventKind.QUEUED, {"attempt": claim.attempt, "because": said})
        return JobState.QUEUED if changed else None

    def recover(self) -> int:
        """At the daemon's start nothing can be running: queue again what was, or end what was being cancelled.

        The interruption is not counted as a worker's death. Returns how many jobs were touched.
        """
        running = self._all("SELECT id, attempt, holder, cancelling, request FROM jobs WHERE state = 'running'")
        for row in running:
            claim = Claim(row["id"], row["attempt"], row["holder"], JobRequest.model_validate_json(row["request"]))
            if row["cancelling"]:
                self.cancelled(claim)
            else:
                self.release(claim, "the daemon stopped while the job ran")
        return len(running)

    def release(self, claim: Claim, because: str) -> None:
        """Give a job back to the queue through no fault of its own."""
        with self._transaction("queue a job again"):
            if self._held(claim, "state = 'queued', holder = NULL"):
                self._tell(claim.job, EventKind.QUEUED, {"attempt": claim.attempt, "because": because})

    # ------------------------------------------------------------------ what users ask

    def cancel(self, job: str) -> JobState:
        """Cancel at once if queued; mark as to be cancelled if running. Raises "state" if it already ended."""
        state = self._state(job)
        if state in DONE:
            raise _wrong_state(job, "cancel", state, "leaving it: there is nothing left to stop")
        with self._transaction("cancel a job"):
            if state is JobState.QUEUED:
                self._db.execute("UPDATE jobs SET state = 'cancelled', finished = ? WHERE id = ?", (self._clock(), job))
                self._tell(job, EventKind.CANCELLED, {})
                return JobState.CANCELLED
            self._db.execute("UPDATE jobs SET cancelling = 1 WHERE id = ?", (job,))
        return JobState.RUNNING

    def retry(self, job: str) -> None:
        """Queue a failed or cancelled job again, with all its tries. Raises "state" for any other."""
        state = self._state(job)
        if state not in (JobState.FAILED, JobState.CANCELLED):
            advice = "reproduce, which makes a finished job again" if state is JobState.FINISHED else "waiting for it"
            raise _wrong_state(job, "retry", state, advice)
        if (problem := self._ballast.problem()) is not None:
            raise problem
        with self._transaction("retry a job"):
            self._db.execute(
                "UPDATE jobs SET state = 'queued', deaths = 0, error = NULL, finished = NULL, started = NULL "
                "WHERE id = ?",
                (job,),
            )
            self._tell(job, EventKind.QUEUED, {"attempt": self.view(job).attempt})

    def view(self, job: str, *, whole: bool = False) -> JobView:
        """A job as the wire gives it, with its request if `whole`. Raises `ArtifexError` (code "no-job")."""
        return _view(self._row(job), whole=whole)

    def request(self, job: str) -> JobRequest:
        return JobRequest.model_validate_json(self._row(job)["request"])

    def newest(self, states: Sequence[JobState] | None, limit: int) -> list[JobView]:
        """The newest jobs first."""
        wanted = list(JobState) if states is None else list(states)
        marks = ", ".join("?" * len(wanted))
        rows = self._all(f"SELECT * FROM jobs WHERE state IN ({marks}) ORDER BY number DESC LIMIT ?", *wanted, limit)
        return [_view(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """Number of jobs by state; every state is named."""
        found = {row["state"]: row["n"] for row in self._all("SELECT state, count(*) n FROM jobs GROUP BY state")}
        return {state.value: found.get(state.value, 0) for state in JobState}

    def seconds_of_like(self, like: str, newest: int = 9) -> list[float]:
        """How long the last finished jobs of this likeness ran."""
        rows = self._all(
            "SELECT finished - started AS s FROM jobs WHERE likeness = ? AND state = 'finished' "
            "ORDER BY number DESC LIMIT ?",
            like,
            newest,
        )
        return [row["s"] for row in rows]

    def reproduced(self, job: str) -> str | None:
        """The job that this one is to reproduce, if any."""
        found = self._row(job)["reproduces"]
        return None if found is None else str(found)

    # ------------------------------------------------------------------ events

    def head(self) -> int:
        """The number of the newest event; 0 if nothing happened yet."""
        return self._head

    def events_after(self, seq: int, limit: int) -> list[Event]:
        """Stored events of all jobs with a greater number, oldest first."""
        rows = self._all("SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit)
        return [_event(row) for row in rows]

    def event_numbers(self, job: str, after: int, upto: int) -> list[int]:
        """Numbers of one job's events in after < number <= upto."""
        rows = self._all("SELECT seq FROM events WHERE job = ? AND seq > ? AND seq <= ? ORDER BY seq", job, after, upto)
        return [row["seq"] for row in rows]

    def event(self, seq: int) -> Event:
        row = self._one("SELECT * FROM events WHERE seq = ?", seq)
        assert row is not None
        return _event(row)

    def _tell(self, job: str, kind: EventKind, body: dict[str, Any]) -> None:
        self._db.execute(
            "INSERT INTO events (job, kind, body, time) VALUES (?, ?, ?, ?)",
            (job, kind, json.dumps(body), self._clock()),
        )

    # ------------------------------------------------------------------ the file

    @contextmanager
    def _transaction(self, attempted: str) -> Iterator[None]:
        """All or nothing. Raises `DiskFull` where the disk has no room, other errors as they come."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
            self._head = self._newest_event()
        except BaseException as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError) and _says_full(error):
                raise DiskFull(attempted, self._path) from error
            raise

    def surely(self, change: Callable[[], T]) -> T:
        """Make a change that frees or ends something even on a full disk: the ballast gives way to it."""
        try:
            return change()
        except DiskFull:
            if not self._ballast.drop():
                raise
            return change()

    def _newest_event(self) -> int:
        row = self._one("SELECT max(seq) AS head FROM events")
        return 0 if row is None or row["head"] is None else int(row["head"])

    def _state(self, job: str) -> JobState:
        return JobState(self._row(job)["state"])

    def _row(self, job: str) -> sqlite3.Row:
        row = self._one("SELECT * FROM jobs WHERE id = ?", job)
        if row is None:
            raise ArtifexError(
                f"find job {job}",
                "this daemon never accepted a job of that name",
                "one of the names that the list of jobs shows",
                code="no-job",
            )
        return row

    def _one(self, query: str, *values: Any) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute(query, values).fetchone()
        return row

    def _all(self, query: str, *values: Any) -> list[sqlite3.Row]:
        return self._db.execute(query, values).fetchall()


def _digest(request: JobRequest) -> str:
    """Identity of what is asked, whoever's program asks it and under whatever key."""
    text = request.model_dump_json(exclude={"key", "client"})
    return hashlib.blake2b(json.dumps(json.loads(text), sort_keys=True).encode(), digest_size=16).hexdigest()


def _says_full(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def _view(row: sqlite3.Row, *, whole: bool = False) -> JobView:
    request = JobRequest.model_validate_json(row["request"])
    return JobView(
        job=row["id"],
        key=row["key"],
        title=request.title,
        kind=row["kind"],
        state=JobState(row["state"]),
        attempt=row["attempt"],
        priority=row["priority"],
        created=row["created"],
        started=row["started"],
        finished=row["finished"],
        target=request.target,
        client=request.client,
        result=None if row["result"] is None else JobResult.model_validate_json(row["result"]),
        error=None if row["error"] is None else Failure.model_validate_json(row["error"]),
        request=request if whole else None,
    )


def _event(row: sqlite3.Row) -> Event:
    return Event(event=EventKind(row["kind"]), job=row["job"], seq=row["seq"], body=json.loads(row["body"]))


def _died_too_often(deaths: int, said: str) -> Failure:
    return Failure(
        code="worker-died",
        attempted="run the job",
        because=f"the worker died {deaths} times while it ran, the last time because {said}",
        remedy="a smaller size or fewer frames if memory ran out; the worker's log in the daemon's home says more",
    )


def _wrong_state(job: str, verb: str, state: JobState, remedy: str) -> ArtifexError:
    return ArtifexError(f"{verb} job {job}", f"it is {state.value}", remedy, code="state")
