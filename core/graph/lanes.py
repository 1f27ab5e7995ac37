"""Who works when: pieces of work wait in lanes and are run by a few threads.

Rules that keep it quick and free of deadlocks:

- Work waits until all it needs is there; a thread that runs something never waits for something else.
- Two requests for equal work are one piece of work with two readers.
- A viewer comes before a render, an older request before a younger one, and whoever finishes a piece goes on with the
  next one itself instead of waking a sleeper.
- Work that nobody wants any more is dropped before it starts and asked to stop while it runs.

The lanes know nothing of pictures: names are hashable, results are anything.
"""

from __future__ import annotations

import atexit
import heapq
import itertools
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from artifexpro.core.errors import Cancelled

ABANDONED_SECONDS = 2.0
"""A thread that has gone on so long with what nobody wants is given up and replaced."""
SLOW_SECONDS = 30.0
"""Whoever waits for a piece that has been running so long is told."""
EXIT_SECONDS = 5.0
"""How long a program that ends waits for pieces that run."""


class Priority(IntEnum):
    """The smaller comes first."""

    VIEWER = 0
    RENDER = 1
    AHEAD = 2


@dataclass(slots=True, eq=False)
class Work:
    """One piece: `run` gets the results of `sources`, in order, and a function that raises `Cancelled` when nobody
    wants the result any more. Of pieces with the same `alone`, one runs at a time."""

    name: Hashable
    run: Callable[[Sequence[Any], Callable[[], None]], Any]
    sources: list[Work]
    lane: str = "cpu"
    alone: Hashable = None
    doing: Callable[[], str] = str
    """What it is busy with while it runs, in words: "node blur has been working on frame 12"."""
    readers: list[Work] = field(default_factory=list)
    pulls: set[Pull] = field(default_factory=set)
    waiting: int = 0
    uses: int = 0
    started: float | None = None
    done: bool = False
    result: Any = None
    error: BaseException | None = None

    @classmethod
    def of(cls, name: Hashable, result: Any) -> Work:
        """Work that is done already."""
        return cls(name, lambda results, check: result, [], done=True, result=result)

    def check(self) -> None:
        if not self.pulls:
            raise Cancelled

    def used(self) -> None:
        """One reader fewer; after the last one only a request for this very result keeps it."""
        self.uses -= 1
        if self.uses <= 0 and not any(pull.target is self for pull in self.pulls):
            self.result = None


@dataclass(slots=True, eq=False)
class Pull:
    """A request from outside: the pieces it takes, and the last of them, whose result it is."""

    priority: Priority
    order: int
    target: Work | None = None
    works: list[Work] = field(default_factory=list)
    finished: threading.Event = field(default_factory=threading.Event)


class _State:
    """What threads and callers share; threads hold this and not `Lanes`, which can therefore be collected."""

    def __init__(self, widths: Mapping[str, int], share: Callable[[int], None]) -> None:
        self.widths = dict(widths)
        self.share = share
        self.lock = threading.RLock()
        self.ready: dict[str, list[tuple[int, int, int, Work]]] = {lane: [] for lane in widths}
        self.awake = {lane: threading.Condition(self.lock) for lane in widths}
        self.idle = dict.fromkeys(widths, 0)
        self.threads = dict.fromkeys(widths, 0)
        self.flying: dict[Hashable, Work] = {}
        self.alone: dict[Hashable, deque[Work]] = {}
        self.running: dict[int, Work] = {}
        self.given_up: set[int] = set()
        self.count = itertools.count()
        self.closed = False


class Lanes:
    """Threads by lane. `share(n)` is called in a thread before each piece of the lane "cpu" and says how many threads
    libraries may use inside it: all cores for one piece alone, one each where several run."""

    def __init__(self, widths: Mapping[str, int] | None = None, share: Callable[[int], None] = lambda threads: None):
        cores = os.cpu_count() or 1
        self._state = _State(widths or {"cpu": cores, "gpu": 1, "io": 2}, share)
        self.lock = self._state.lock
        self._closing = weakref.finalize(self, _close, self._state)
        _open.add(self._state)

    def pull(self, priority: Priority) -> Pull:
        """A new request, to be sent off by `start` while holding `lock`."""
        return Pull(priority, next(self._state.count))

    def flying(self, name: Hashable) -> Work | None:
        """Work of that name that has not finished yet."""
        return self._state.flying.get(name)

    def start(self, pull: Pull, works: Iterable[Work], target: Work) -> None:
        """Send off `works`, sources before readers; those of them that are flying already are joined."""
        state = self._state
        with state.lock:
            pull.target = target
            for work in works:
                if work.done:
                    continue
                if work.pulls or work.started is not None:
                    _join(state, pull, work)
                    continue
                work.pulls.add(pull)
                pull.works.append(work)
                state.flying[work.name] = work
                for source in work.sources:
                    source.uses += 1
                    if not source.done:
                        work.waiting += 1
                        source.readers.append(work)
                if work.waiting == 0:
                    _push(state, work, pull)
            if target.done:
                pull.finished.set()
            _replace_hanging(state)

    def wait(
        self,
        pull: Pull,
        check: Callable[[], None],
        tell_slow: Callable[[Work, float], None] = lambda work, seconds: None,
        every: float = 0.05,
    ) -> Any:
        """The result. Raises the error of the piece that failed, or what `check`, called now and then, raises; the
        request is given up then. `tell_slow` gets the first piece that takes very long, and its seconds so far."""
        told = False
        try:
            check()
            while not pull.finished.wait(every):
                check()
                slow = self._look_after(pull)
                if slow and not told:
                    told = True
                    tell_slow(*slow)
            assert pull.target is not None
            if pull.target.error is not None:
                raise pull.target.error
            return pull.target.result
        finally:
            self.drop(pull)

    def _look_after(self, pull: Pull) -> tuple[Work, float] | None:
        """Replace threads that hang; the piece of `pull` that has been running for too long, if there is one."""
        now = time.monotonic()
        with self.lock:
            _replace_hanging(self._state)
            for work in self._state.running.values():
                if pull in work.pulls and now - (work.started or now) > SLOW_SECONDS:
                    return work, now - (work.started or now)
        return None

    def drop(self, pull: Pull) -> None:
        """Nobody waits for this request any more."""
        state = self._state
        with state.lock:
            works, pull.works = pull.works, []
            for work in works:
                work.pulls.discard(pull)
                if not work.pulls and work.started is None and not work.done:
                    state.flying.pop(work.name, None)
                    work.done, work.error = True, Cancelled()
                    for source in work.sources:
                        source.used()
                    work.sources = []

    def count(self, lane: str) -> int:
        """How many pieces of a lane run now."""
        with self.lock:
            running = self._state.running.items()
            return sum(1 for thread, work in running if work.lane == lane and thread not in self._state.given_up)

    def close(self) -> None:
        self._closing()


def _close(state: _State) -> None:
    with state.lock:
        state.closed = True
        for awake in state.awake.values():
            awake.notify_all()


_open: weakref.WeakSet[_State] = weakref.WeakSet()


@atexit.register
def _let_finish() -> None:
    """What runs when the program ends is finished, within reason: libraries abort when their threads just vanish."""
    until = time.monotonic() + EXIT_SECONDS
    states = list(_open)
    for state in states:
        _close(state)
    while time.monotonic() < until and any(state.running for state in states):
        time.sleep(0.001)


def _join(state: _State, pull: Pull, work: Work) -> None:
    """Want `work` and all that it still waits for, which some other request sent off."""
    wanted = [work]
    while wanted:
        each = wanted.pop()
        if pull in each.pulls or each.done:
            continue
        each.pulls.add(pull)
        pull.works.append(each)
        if each.started is None:
            wanted.extend(each.sources)
            if each.waiting == 0:
                _push(state, each, pull)


def _push(state: _State, work: Work, pull: Pull, wake: bool = True) -> None:
    """Have `work` run in its lane; unless `wake` is False somebody is woken, or hired, for it."""
    lane = work.lane
    heapq.heappush(state.ready[lane], (pull.priority, pull.order, next(state.count), work))
    if not wake:
        return
    if state.idle[lane]:
        state.awake[lane].notify()
    elif state.threads[lane] < state.widths[lane]:
        _hire(state, lane)


def _hire(state: _State, lane: str) -> None:
    state.threads[lane] += 1
    threading.Thread(target=_serve, args=(state, lane), name=f"lane {lane}", daemon=True).start()


def _replace_hanging(state: _State) -> None:
    """Give up threads that hang in what nobody wants, and hire others."""
    now = time.monotonic()
    for thread, work in state.running.items():
        if thread not in state.given_up and not work.pulls and now - (work.started or now) > ABANDONED_SECONDS:
            state.given_up.add(thread)
            state.threads[work.lane] -= 1
            if state.ready[work.lane]:
                _hire(state, work.lane)


def _first(work: Work) -> Pull:
    """The most pressing of those who want it."""
    return min(work.pulls, key=lambda pull: (pull.priority, pull.order))


def _serve(state: _State, lane: str) -> None:
    me = threading.get_ident()
    with state.lock:
        while not state.closed and me not in state.given_up:
            work = _next(state, lane)
            if work is None:
                state.idle[lane] += 1
                state.awake[lane].wait()
                state.idle[lane] -= 1
                continue
            work.started = time.monotonic()
            state.running[me] = work
            shared = sum(1 for each in state.running.values() if each.lane == "cpu") if lane == "cpu" else 0
            state.lock.release()
            try:
                if shared:
                    state.share(max(1, state.widths["cpu"] // shared))
                result, error = work.run([source.result for source in work.sources], work.check), None
            except BaseException as raised:
                result, error = None, raised
            finally:
                state.lock.acquire()
            del state.running[me]
            _finish(state, work, result, error)
            work = result = error = None
        state.given_up.discard(me)


def _next(state: _State, lane: str) -> Work | None:
    ready = state.ready[lane]
    while ready:
        work = heapq.heappop(ready)[3]
        if work.done or work.started is not None:
            continue
        if work.alone is None:
            return work
        if work.alone not in state.alone:
            state.alone[work.alone] = deque()
            return work
        state.alone[work.alone].append(work)
    return None


def _finish(state: _State, work: Work, result: Any, error: BaseException | None) -> None:
    """Hand the result on; an error goes to all that depend on it, without recursion. The thread that finished takes
    the first piece of its own lane that became ready, so nobody is woken for that one."""
    wake = False
    if work.alone is not None:
        for waiting in state.alone.pop(work.alone, ()):
            if waiting.pulls:
                _push(state, waiting, _first(waiting), wake)
                wake = True
    finished = [(work, result, error)]
    while finished:
        each, result, error = finished.pop()
        if each.done:
            continue
        each.done, each.result, each.error = True, result, error
        for source in each.sources:
            source.used()
        each.sources = []
        if state.flying.get(each.name) is each:
            del state.flying[each.name]
        for pull in each.pulls:
            if pull.target is each:
                pull.finished.set()
        for reader in each.readers:
            reader.waiting -= 1
            if error is not None:
                finished.append((reader, None, error))
            elif reader.waiting == 0 and reader.pulls and not reader.done:
                _push(state, reader, _first(reader), wake or reader.lane != work.lane)
                wake = wake or reader.lane == work.lane
        each.readers = []
