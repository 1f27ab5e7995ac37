"""The line and the jobs on it, against a daemon played by the test: what is sent when, and that nothing waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artifexpro.hosts.bridge.jobs import CANCELLED, FAILED, QUEUED, RUNNING, WAITING, Job
from artifexpro.hosts.bridge.line import dial
from artifexpro.hosts.bridge.session import PULSE_SECONDS, RETRY_SECONDS, Session, Trouble, Unreachable

Done = Callable[[Any, Any], None]
REFUSAL = Trouble("Attempted to make 6 frames. Failed because a clip has 4k + 1 frames. Try 5 or 9.", passing=False)
BROKEN = Trouble("The daemon is away.", passing=True)


class PlayedLine:
    """Remembers what was posted; the test answers."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, dict[str, Any], Done]] = []
        self.events: list[dict[str, Any]] = []
        self.closed = False

    def post(self, op: str, body: dict[str, Any], done: Done) -> None:
        self.posted.append((op, body, done))

    def poll(self) -> list[dict[str, Any]]:
        events, self.events = self.events, []
        return events

    def picture(self, event: dict[str, Any]) -> tuple[int, int, list[float]]:
        return 1, 1, [0.0, 0.5, 1.0, 1.0]

    def close(self) -> None:
        self.closed = True

    def asked(self, op: str) -> list[dict[str, Any]]:
        return [body for name, body, _ in self.posted if name == op]

    def answer(self, op: str, reply: Any = None, trouble: Trouble | None = None) -> None:
        for entry in [entry for entry in self.posted if entry[0] == op]:
            self.posted.remove(entry)
            entry[2](reply, trouble)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def line() -> PlayedLine:
    return PlayedLine()


@pytest.fixture
def session(line: PlayedLine) -> Session:
    return Session(lambda: lambda: line, Clock())


def book(session: Session, key: str = "k" * 8, **more: Any) -> Job:
    job = Job(key, "a cat", {"key": key}, {"frame": 10}, **more)
    session.book.add(job)
    return job


def pump_until(session: Session, done: Callable[[], Any]) -> None:
    for _ in range(1000):
        session.pump()
        if done():
            return
        time.sleep(0.001)
    raise AssertionError("it did not happen")


def connect(session: Session) -> None:
    pump_until(session, lambda: session.connected)
    session.pump()


@pytest.mark.parametrize("endpoint", ["tcp://render.example.com:5570", "tcp://10.0.0.3:5570"])
def test_a_daemon_elsewhere_is_refused_without_a_look(endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="is on another machine"):
        dial(tmp_path, endpoint, start=False, introduction={"name": "test"})


def test_nothing_is_dialled_without_a_job(session: Session) -> None:
    for _ in range(5):
        session.pump()
    assert not session.connected and not session.connecting


def test_a_slow_dial_does_not_hold_a_pump_up(line: PlayedLine) -> None:
    gate = threading.Event()

    def dial() -> PlayedLine:
        gate.wait(10)
        return line

    session = Session(lambda: dial)
    book(session)
    session.pump()
    session.pump()
    assert session.connecting and not session.connected
    gate.set()
    connect(session)


def test_a_job_is_sent_once_and_watched_from_its_acceptance(session: Session, line: PlayedLine) -> None:
    job = book(session)
    connect(session)
    session.pump()
    assert line.asked("job.submit") == [{"key": "k" * 8}]
    line.answer("job.submit", {"job": "j1", "state": "queued", "duplicate": False})
    session.pump()
    assert (job.state, job.job) == (QUEUED, "j1")
    assert line.asked("job.submit") == line.asked("job.watch") == []


def test_a_job_from_a_reopened_file_is_watched_from_the_beginning(session: Session, line: PlayedLine) -> None:
    book(session, job="j1", state=RUNNING)
    connect(session)
    assert line.asked("job.watch") == [{"jobs": ["j1"], "after": 0}]
    session.ask_again()
    session.pump()
    assert len(line.asked("job.watch")) == 2, "another file may have opened: what it missed is asked for again"


def test_what_the_daemon_refuses_fails_with_its_sentence(session: Session, line: PlayedLine) -> None:
    job = book(session)
    connect(session)
    line.answer("job.submit", trouble=REFUSAL)
    assert (job.state, job.message) == (FAILED, REFUSAL.sentence)


def test_an_unreachable_daemon_is_told_and_tried_again_later() -> None:
    clock, tries = Clock(), []

    def dial() -> PlayedLine:
        tries.append(clock.now)
        raise Unreachable("The daemon is away.")

    session = Session(lambda: dial, clock)
    job = book(session)
    pump_until(session, lambda: session.trouble)
    for _ in range(5):
        session.pump()
    assert (session.trouble, job.state, len(tries)) == ("The daemon is away.", WAITING, 1)
    clock.now = RETRY_SECONDS
    pump_until(session, lambda: len(tries) == 2)


def test_cancelling_before_sending_ends_at_once(session: Session, line: PlayedLine) -> None:
    job = book(session)
    session.cancel(job)
    session.pump()
    assert (job.state, session.connecting) == (CANCELLED, False)


def test_cancelling_while_the_job_is_being_sent_waits_for_its_name(session: Session, line: PlayedLine) -> None:
    job = book(session)
    connect(session)
    session.cancel(job)
    assert job.state == WAITING
    line.answer("job.submit", {"job": "j1", "state": "queued", "duplicate": False})
    session.pump()
    session.pump()
    assert line.asked("job.cancel") == [{"job": "j1"}]
    line.events = [{"event": "cancelled", "job": "j1", "body": {}}]
    session.pump()
    assert job.state == CANCELLED


def test_finished_jobs_are_handed_over_until_they_are_delivered(session: Session, line: PlayedLine) -> None:
    job = book(session, job="j1", state=QUEUED)
    connect(session)
    line.events = [{"event": "finished", "job": "j1", "body": {"result": {"artefacts": [], "notes": ["Noise."]}}}]
    assert session.pump() == [job]
    assert session.pump() == [job]


def test_only_the_newest_preview_is_shown_and_only_once(session: Session, line: PlayedLine) -> None:
    book(session, job="j1", state=RUNNING)
    connect(session)
    line.events = [{"event": "preview", "job": "j1", "body": {"n": n}} for n in range(3)]
    session.pump()
    assert session.take_previews() == [("k" * 8, 1, 1, [0.0, 0.5, 1.0, 1.0])]
    assert session.take_previews() == []


def test_hanging_up_closes_the_line_and_keeps_the_jobs(session: Session, line: PlayedLine) -> None:
    job = book(session, job="j1", state=RUNNING)
    connect(session)
    session.hang_up(wait=True)
    assert line.closed and not session.connected and job.open


def test_a_line_that_breaks_keeps_the_job_and_dials_again(line: PlayedLine) -> None:
    clock, dials = Clock(), []

    def dial() -> PlayedLine:
        dials.append(clock.now)
        return line

    session = Session(lambda: dial, clock)
    job = book(session)
    connect(session)
    line.answer("job.submit", trouble=BROKEN)
    session.pump()
    assert (job.state, session.connected, session.trouble, len(dials)) == (WAITING, False, BROKEN.sentence, 1)
    clock.now += RETRY_SECONDS
    connect(session)
    assert (len(dials), session.trouble) == (2, "")
    assert line.asked("job.submit") == [{"key": "k" * 8}], "the same key: the daemon knows it is the same job"


def test_a_daemon_that_owes_a_clip_is_asked_whether_it_is_there(session: Session, line: PlayedLine) -> None:
    clock = session._clock
    assert isinstance(clock, Clock)
    job = book(session, job="j1", state=RUNNING)
    connect(session)
    session.pump()
    assert line.asked("daemon.status") == []
    clock.now += PULSE_SECONDS
    session.pump()
    line.answer("daemon.status", {"problem": "The disk is full."})
    assert session.trouble == "The disk is full."
    clock.now += PULSE_SECONDS
    session.pump()
    line.answer("daemon.status", trouble=BROKEN)
    assert not session.connected and job.open
