"""What every node cost: for hosts that show it, and for tests that ask "did it run?"."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class NodeStatistics(NamedTuple):
    """What a node cost so far: how often it ran, its seconds, how often its picture was found in the cache, and the
    bytes of one picture."""

    node: str
    runs: int
    seconds: float
    hits: int
    bytes: int


class Counters:
    """Runs, seconds, cache hits and bytes of a picture by step, counted from any number of threads."""

    def __init__(self, steps: int) -> None:
        self.runs = [0] * steps
        self.seconds = [0.0] * steps
        self.hits = [0] * steps
        self.bytes = [0] * steps
        self._lock = threading.Lock()

    def ran(self, steps: Sequence[int], laps: Sequence[float], times: int) -> None:
        """`steps` ran one after the other, `times` times; `laps` are when the first began and each ended, summed."""
        runs, seconds = self.runs, self.seconds
        with self._lock:
            for at, began, ended in zip(steps, laps, laps[1:], strict=False):
                runs[at] += times
                seconds[at] += ended - began

    def shared(self, steps: Sequence[int], seconds: Sequence[float]) -> None:
        """`steps` ran as one, which is counted as the last of them; the others' part of the time is told here."""
        with self._lock:
            for at, spent in zip(steps[:-1], seconds[:-1], strict=True):
                self.runs[at] += 1
                self.seconds[at] += spent
            self.seconds[steps[-1]] -= sum(seconds[:-1])

    def made(self, at: int, size: int) -> None:
        self.bytes[at] = size

    def found(self, at: int) -> None:
        with self._lock:
            self.hits[at] += 1

    def told(self, names: Iterable[str]) -> tuple[NodeStatistics, ...]:
        """The steps, called `names`, that anything was asked of."""
        rows = zip(names, self.runs, self.seconds, self.hits, self.bytes, strict=True)
        return tuple(NodeStatistics(*row) for row in rows if row[1] or row[3])
