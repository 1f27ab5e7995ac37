"""Order, joining, dropping and errors of pieces of work, with pieces that tell what happened to them."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from artifexpro.core.errors import Cancelled
from artifexpro.core.graph.lanes import ABANDONED_SECONDS, Lanes, Priority, Pull, Work


class Yard:
    """Lanes of one thread, and a gate that holds the first piece until it is opened."""

    def __init__(self, width: int = 1) -> None:
        self.lanes = Lanes({"cpu": width, "gpu": 1, "io": 2})
        self.gate = threading.Event()
        self.ran: list[object] = []

    def work(
        self, name: object, *sources: Work, action: Callable[[Sequence[object]], object] | None = None, **rest: object
    ) -> Work:
        def run(results: Sequence[object], check: Callable[[], None]) -> object:
            self.ran.append(name)
            return action(results) if action else (name, *results)

        return Work(name, run, list(sources), **rest)  # type: ignore[arg-type]

    def start(self, *works: Work, priority: Priority = Priority.RENDER) -> Pull:
        with self.lanes.lock:
            pull = self.lanes.pull(priority)
            self.lanes.start(pull, works, works[-1])
        return pull

    def block(self) -> Pull:
        """Keep the lane's thread busy until the gate opens."""
        pull = self.start(self.work("gate", action=lambda results: self.gate.wait(10)))
        while "gate" not in self.ran:
            time.sleep(0.001)
        return pull

    def wait(self, pull: Pull) -> object:
        return self.lanes.wait(pull, lambda: None)


@pytest.fixture
def yard():
    yard = Yard()
    yield yard
    yard.gate.set()
    yard.lanes.close()


def test_sources_come_first_and_their_results_are_handed_over_in_order(yard):
    a, b = yard.work("a"), yard.work("b")
    assert yard.wait(yard.start(a, b, yard.work("c", a, b))) == ("c", ("a",), ("b",))


def test_a_viewer_comes_before_renders_and_older_requests_before_younger(yard):
    yard.block()
    pulls = [yard.start(yard.work(name)) for name in ("first", "second")]
    pulls += [yard.start(yard.work("viewer"), priority=Priority.VIEWER)]
    pulls += [yard.start(yard.work("ahead"), priority=Priority.AHEAD)]
    yard.gate.set()
    for pull in pulls:
        yard.wait(pull)
    assert yard.ran == ["gate", "viewer", "first", "second", "ahead"]


def test_equal_requests_are_one_piece_of_work(yard):
    yard.block()
    mine = yard.start(yard.work("same"))
    with yard.lanes.lock:
        flying = yard.lanes.flying("same")
    theirs = yard.start(flying)
    yard.gate.set()
    assert yard.wait(mine) == yard.wait(theirs) == ("same",)
    assert yard.ran.count("same") == 1


def test_who_joins_keeps_what_the_joined_work_waits_for(yard):
    yard.block()
    source = yard.work("source")
    mine = yard.start(source, yard.work("shared", source))
    theirs = yard.start(yard.lanes.flying("shared"))
    yard.lanes.drop(mine)
    yard.gate.set()
    assert yard.wait(theirs) == ("shared", ("source",))


def test_a_joined_request_that_is_more_pressing_hurries_the_work(yard):
    yard.block()
    slow = yard.start(yard.work("slow"))
    late = yard.start(yard.work("late"))
    hurried = yard.start(yard.lanes.flying("late"), priority=Priority.VIEWER)
    yard.gate.set()
    for pull in (slow, late, hurried):
        yard.wait(pull)
    assert yard.ran == ["gate", "late", "slow"]


def test_dropped_work_never_starts(yard):
    yard.block()
    stale = yard.start(yard.work("stale"))
    wanted = yard.start(yard.work("wanted"))
    yard.lanes.drop(stale)
    yard.gate.set()
    yard.wait(wanted)
    assert yard.ran == ["gate", "wanted"]
    assert yard.lanes.flying("stale") is None


def test_running_work_that_nobody_wants_is_asked_to_stop(yard):
    stopped = threading.Event()

    def run(results: Sequence[object], check: Callable[[], None]) -> None:
        yard.ran.append("long")
        try:
            while True:
                check()
                time.sleep(0.001)
        except Cancelled:
            stopped.set()
            raise

    pull = yard.start(Work("long", run, []))
    while not yard.ran:
        time.sleep(0.001)
    yard.lanes.drop(pull)
    assert stopped.wait(5)


def test_an_error_reaches_all_that_depend_on_it_and_nobody_else(yard):
    def fail(results: Sequence[object]) -> None:
        raise ValueError("torn")

    bad = yard.work("bad", action=fail)
    between = yard.work("between", bad)
    broken = yard.start(bad, between, yard.work("end", between))
    whole = yard.start(yard.work("other"))
    with pytest.raises(ValueError, match="torn"):
        yard.wait(broken)
    assert yard.wait(whole) == ("other",)
    assert "between" not in yard.ran and "end" not in yard.ran


def test_an_error_at_the_start_of_ten_thousand_reaches_the_end(yard):
    def fail(results: Sequence[object]) -> None:
        raise ValueError("torn")

    works = [yard.work("n0", action=fail)]
    for at in range(1, 10_000):
        works.append(yard.work(f"n{at}", works[-1]))
    with pytest.raises(ValueError, match="torn"):
        yard.wait(yard.start(*works))


def test_pieces_that_must_be_alone_run_one_at_a_time():
    yard = Yard(width=2)
    inside, most = 0, 0
    lock = threading.Lock()

    def enter(results: Sequence[object]) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.005)
        with lock:
            inside -= 1

    pulls = [yard.start(yard.work(at, action=enter, alone="reader")) for at in range(8)]
    for pull in pulls:
        yard.wait(pull)
    assert most == 1
    assert len(yard.ran) == 8


def test_independent_pieces_run_at_the_same_time():
    yard = Yard(width=2)
    both = threading.Barrier(2, timeout=10)
    pulls = [yard.start(yard.work(at, action=lambda results: both.wait())) for at in range(2)]
    assert sorted(yard.wait(pull) for pull in pulls) == [0, 1]


def test_lanes_do_not_wait_for_one_another(yard):
    yard.block()
    assert yard.wait(yard.start(yard.work("read", lane="io"))) == ("read",)


def test_results_are_let_go_when_the_last_reader_has_them(yard):
    source = yard.work("source")
    yard.wait(yard.start(source, yard.work("end", source)))
    assert source.result is None


def test_a_thread_that_hangs_in_dropped_work_is_replaced(yard):
    hanging = yard.block()
    yard.lanes.drop(hanging)
    time.sleep(ABANDONED_SECONDS + 0.1)
    assert yard.wait(yard.start(yard.work("next"))) == ("next",)


def test_what_the_waiter_raises_gives_the_request_up(yard):
    yard.block()
    pull = yard.start(yard.work("unwanted"))

    def cancelled() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        yard.lanes.wait(pull, cancelled)
    yard.gate.set()
    yard.wait(yard.start(yard.work("last")))
    assert yard.ran == ["gate", "last"]


def test_threads_end_when_the_lanes_are_forgotten():
    before = set(threading.enumerate())
    lanes = Lanes({"cpu": 1})
    with lanes.lock:
        pull = lanes.pull(Priority.RENDER)
        work = Work("a", lambda results, check: 1, [])
        lanes.start(pull, [work], work)
    assert lanes.wait(pull, lambda: None) == 1
    (thread,) = set(threading.enumerate()) - before
    del lanes
    gc.collect()
    thread.join(5)
    assert not thread.is_alive()
