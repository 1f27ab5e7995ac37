"""The queue alone: what is stored, what is refused, who may end a job."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from artifexpro.core.errors import ArtifexError
from artifexpro.core.protocol import EventKind, Failure, JobRequest, JobResult, JobState
from artifexpro.daemon.ballast import Ballast
from artifexpro.daemon.queue import DiskFull, Queue

FAILURE = Failure(code="x", attempted="a", because="b", remedy="c")


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def job_request(key, **changes):
    work = {"kind": "graph", "document": {"nodes": {}}}
    return JobRequest.model_validate({"key": f"key-{key:05}", "work": work, **changes})


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ballast(tmp_path):
    made = Ballast(tmp_path / "ballast", size=100_000, low=100_000)
    made.restore()
    return made


@pytest.fixture
def queue(tmp_path, ballast, clock):
    opened = Queue(tmp_path / "queue.sqlite", ballast, clock)
    yield opened
    opened.close()


def test_what_was_accepted_is_there_after_reopening(queue, tmp_path, ballast):
    placed = queue.submit(job_request(1), "owner")
    again = Queue(tmp_path / "queue.sqlite", ballast)
    assert again.view(placed.job).state is JobState.QUEUED
    assert [event.event for event in again.events_after(0, 10)] == [EventKind.QUEUED]
    again.close()


def test_it_is_written_through(queue):
    assert queue._db.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert queue._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_two_owners_may_use_one_key(queue):
    first, second = queue.submit(job_request(1), "anna"), queue.submit(job_request(1), "ben")
    assert first.job != second.job and not second.duplicate


def test_a_worker_that_lost_its_claim_cannot_end_the_job(queue):
    queue.submit(job_request(1), "owner")
    lost = queue.claim("gpu", "first")
    queue.died(lost, "it was killed")
    held = queue.claim("gpu", "second")
    assert not queue.finish(lost, JobResult(notes=("from the dead",)))
    assert not queue.fail(lost, FAILURE)
    assert queue.died(lost, "again") is None
    assert queue.finish(held, JobResult(notes=("from the living",)))
    assert not queue.finish(held, JobResult(notes=("twice",)))
    assert queue.view(held.job).result.notes == ("from the living",)
    ends = [event for event in queue.events_after(0, 99) if event.event is EventKind.FINISHED]
    assert len(ends) == 1


def test_a_restart_queues_what_ran_and_ends_what_was_being_cancelled(queue):
    run, cancel = queue.submit(job_request(1), "o").job, queue.submit(job_request(2), "o").job
    queue.claim("gpu", "w"), queue.claim("gpu", "w")
    queue.cancel(cancel)
    assert queue.recover() == 2
    assert queue.view(run).state is JobState.QUEUED and queue.view(cancel).state is JobState.CANCELLED
    assert queue.recover() == 0


def test_interruptions_by_the_daemon_do_not_use_up_a_jobs_tries(queue):
    job = queue.submit(job_request(1), "o").job
    for _ in range(5):
        queue.claim("gpu", "w")
        queue.recover()
    assert queue.died(queue.claim("gpu", "w"), "killed") is JobState.QUEUED
    assert queue.view(job).attempt == 6


def test_the_database_itself_refuses_states_that_cannot_be(queue):
    job = queue.submit(job_request(1), "o").job
    for change in ("state = 'dancing'", "state = 'running'", "state = 'finished'", "holder = 'nobody'", "lane = 'sea'"):
        with pytest.raises(sqlite3.IntegrityError):
            queue._db.execute(f"UPDATE jobs SET {change} WHERE id = ?", (job,))


def test_a_queue_of_a_newer_release_is_left_alone(tmp_path, ballast):
    file = tmp_path / "future.sqlite"
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(ArtifexError, match=r"99.*newer release"):
        Queue(file, ballast)


def test_a_file_that_is_no_queue_is_refused_with_a_sentence(tmp_path, ballast):
    file = tmp_path / "broken.sqlite"
    file.write_bytes(b"this is not a database, " * 100)
    with pytest.raises(ArtifexError, match=r"broken\.sqlite") as refused:
        Queue(file, ballast)
    assert refused.value.code == "queue"


def fill(queue):
    """Let the database grow no further, as on a full disk."""
    pages = queue._db.execute("PRAGMA page_count").fetchone()[0]
    queue._db.execute(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_refuses_and_keeps_every_acknowledged_job(queue):
    fill(queue)
    accepted, number = [], 0
    with pytest.raises(DiskFull) as refused:
        for number in range(1000):
            accepted.append(queue.submit(job_request(number, title="x" * 400), "o").job)
    assert refused.value.code == "disk" and "full" in refused.value.because
    assert queue.counts()["queued"] == len(accepted)
    assert queue._db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert queue.placed(job_request(number, title="x" * 400), "o") is None
    queue._db.execute("PRAGMA max_page_count = 100000")
    assert not queue.submit(job_request(number, title="x" * 400), "o").duplicate
    assert {event.job for event in queue.events_after(0, 10_000)} >= set(accepted)


def test_what_ends_a_job_takes_the_ballast(queue, ballast):
    queue.submit(job_request(1), "o")
    claim = queue.claim("gpu", "w")
    tries = []

    def change():
        tries.append(ballast.path.exists())
        if len(tries) == 1:
            raise DiskFull("try", ballast.path)
        return queue.finish(claim, JobResult())

    assert queue.surely(change)
    assert tries == [True, False] and queue.view(claim.job).state is JobState.FINISHED


def test_without_ballast_left_the_full_disk_is_told(queue, ballast):
    ballast.drop()

    def change():
        raise DiskFull("try", ballast.path)

    with pytest.raises(DiskFull):
        queue.surely(change)


def test_little_room_stops_new_work_but_not_old(tmp_path, clock):
    hungry = Ballast(tmp_path / "ballast", size=1000, low=10**15)
    queue = Queue(tmp_path / "queue.sqlite", Ballast(tmp_path / "none", size=0, low=0), clock)
    (tmp_path / "none").touch()
    job = queue.submit(job_request(1), "o").job
    queue._ballast = hungry
    with pytest.raises(ArtifexError, match="nearly full") as refused:
        queue.submit(job_request(2), "o")
    assert refused.value.code == "disk"
    assert queue.submit(job_request(1), "o").job == job, "a resend of an accepted job is still answered"
    claim = queue.claim("gpu", "w")
    assert queue.finish(claim, JobResult())
    queue.close()


def test_the_ballast_comes_back_when_there_is_room(tmp_path):
    ballast = Ballast(tmp_path / "ballast", size=50_000, low=1000)
    assert ballast.problem() is not None
    ballast.restore()
    assert ballast.problem() is None and ballast.path.stat().st_size == 50_000
    assert ballast.path.stat().st_blocks * 512 >= 50_000, "a hole in a file frees nothing when it is removed"
    assert ballast.drop() and not ballast.drop()


class Histories(RuleBasedStateMachine):
    """Any order of what clients, workers, crashes and restarts do keeps the queue's promises."""

    jobs = Bundle("jobs")
    claims = Bundle("claims")

    def __init__(self):
        super().__init__()
        from pathlib import Path
        from tempfile import TemporaryDirectory

        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / "queue.sqlite"
        self.ballast = Ballast(Path(self.folder.name) / "ballast", size=1, low=1)
        self.ballast.restore()
        self.queue = Queue(self.path, self.ballast)
        self.accepted: dict[int, str] = {}
        self.results: dict[str, str] = {}
        self.workers = 0

    def teardown(self):
        self.queue.close()
        self.folder.cleanup()

    @rule(target=jobs, key=st.integers(0, 5))
    def submit(self, key):
        placed = self.queue.submit(job_request(key), "o")
        assert placed.duplicate == (key in self.accepted)
        assert self.accepted.setdefault(key, placed.job) == placed.job
        return placed.job

    @rule(target=claims)
    def claim(self):
        self.workers += 1
        return self.queue.claim("gpu", f"worker {self.workers}")

    @rule(claim=claims, note=st.text(max_size=3))
    def finish(self, claim, note):
        if claim is not None and self.queue.finish(claim, JobResult(notes=(note,))):
            assert claim.job not in self.results, "two results"
            self.results[claim.job] = note

    @rule(claim=claims)
    def die(self, claim):
        if claim is not None:
            self.queue.died(claim, "killed")

    @rule(claim=claims)
    def fail(self, claim):
        if claim is not None:
            self.queue.fail(claim, FAILURE)

    @rule(job=jobs)
    def cancel(self, job):
        try:
            self.queue.cancel(job)
        except ArtifexError as refused:
            assert refused.code == "state"

    @rule(job=jobs)
    def retry(self, job):
        try:
            self.queue.retry(job)
        except ArtifexError as refused:
            assert refused.code == "state"

    @rule()
    def restart(self):
        self.queue.close()
        self.queue = Queue(self.path, self.ballast)
        self.queue.recover()

    @invariant()
    def nothing_is_lost(self):
        assert sum(self.queue.counts().values()) == len(self.accepted)
        for job in self.accepted.values():
            view = self.queue.view(job)
            assert (view.result is not None) == (view.state is JobState.FINISHED) == (job in self.results)
            if view.result is not None:
                assert view.result.notes == (self.results[job],)

    @invariant()
    def the_last_event_tells_the_state(self):
        last = {event.job: event.event for event in self.queue.events_after(0, 10_000)}
        for job in self.accepted.values():
            told = "started" if self.queue.view(job).state is JobState.RUNNING else self.queue.view(job).state.value
            assert last[job].value == told


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
