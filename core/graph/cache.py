"""Pictures kept in memory: those that save most seconds a byte stay longest, and the room for them adapts.

What goes first is decided by GreedyDual-Size (Cao and Irani, "Cost-aware WWW proxy caching algorithms", 1997): a
picture's worth is its seconds a byte on top of a clock that rises to the worth of whatever was dropped last, so that
old pictures lose to new ones of equal cost.

How much room there is follows what is asked: names of dropped pictures are remembered for a while, and a request for
one of them (a near miss) says that more room would have helped. Where nothing is asked again, the room shrinks.
"""

from __future__ import annotations

import heapq
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from artifexpro.core.graph.values import Picture

MEBIBYTE = 1024**2
DEFAULT_FLOOR = 256 * MEBIBYTE
DEFAULT_CEILING = 4096 * MEBIBYTE
CARD_CEILING = 2048 * MEBIBYTE
"""Room on the card at most: it is wanted for models."""
ROUND = 64
"""Requests after which the room is judged anew."""
NEAR_MISSES = 0.05
"""The share of near misses from which more room is given."""
STEP = 0.25
"""By how much of itself the room grows; it shrinks by half of that."""
REMEMBERED = 4096
"""Names of dropped pictures that are remembered."""


@dataclass(slots=True)
class _Kept:
    picture: Picture
    seconds: float
    worth: float


class FrameCache:
    """Pictures by name, for any number of threads.

    `room` is the limit in bytes now; it moves between `floor` and `ceiling`.
    """

    def __init__(
        self,
        ceiling: int = DEFAULT_CEILING,
        floor: int = DEFAULT_FLOOR,
    ) -> None:
        self.ceiling = ceiling
        self.floor = min(floor, ceiling)
        self.room = self.floor
        self.bytes = 0
        self.hits = 0
        self.misses = 0
        self.near_misses = 0
        self.dropping: Callable[[Hashable, Picture, float], None] = lambda name, picture, seconds: None
        """Gets what has to go, with its seconds."""
        self._kept: dict[Hashable, _Kept] = {}
        self._queue: list[tuple[float, int, Hashable]] = []
        self._dropped: OrderedDict[Hashable, None] = OrderedDict()
        self._clock = 0.0
        self._counter = 0
        self._seen = (0, 0, 0)
        self._lock = threading.Lock()

    def get(self, name: Hashable) -> Picture | None:
        with self._lock:
            kept = self._kept.get(name)
            if kept is None:
                self.misses += 1
                self.near_misses += name in self._dropped
            else:
                self.hits += 1
                kept.worth = self._clock + kept.seconds / max(1, kept.picture.nbytes)
            if self.hits + self.misses >= sum(self._seen[:2]) + ROUND:
                self._adapt()
            return kept.picture if kept else None

    def put(self, name: Hashable, picture: Picture, seconds: float) -> None:
        """Keep `picture`, which took `seconds` to make; one larger than the ceiling is not kept."""
        size = picture.nbytes
        with self._lock:
            if size > self.ceiling or name in self._kept:
                return
            if size > self.room:
                self.room = min(self.ceiling, 2 * size)
            kept = _Kept(picture, seconds, self._clock + seconds / max(1, size))
            self._kept[name] = kept
            self._dropped.pop(name, None)
            self.bytes += size
            self._enqueue(name, kept)
            gone = self._make_room()
        for old, dropped in gone:
            self.dropping(old, dropped.picture, dropped.seconds)

    def clear(self) -> None:
        """Let go of everything, as memory is needed elsewhere."""
        with self._lock:
            self._kept.clear()
            self._queue.clear()
            self.bytes = 0

    def _enqueue(self, name: Hashable, kept: _Kept) -> None:
        self._counter += 1
        heapq.heappush(self._queue, (kept.worth, self._counter, name))

    def _make_room(self) -> list[tuple[Hashable, _Kept]]:
        gone: list[tuple[Hashable, _Kept]] = []
        while self.bytes > self.room:
            worth, _, name = heapq.heappop(self._queue)
            kept = self._kept.get(name)
            if kept is None:
                continue
            if kept.worth > worth:
                self._enqueue(name, kept)
                continue
            self._clock = worth
            del self._kept[name]
            self.bytes -= kept.picture.nbytes
            gone.append((name, kept))
            self._dropped[name] = None
            if len(self._dropped) > REMEMBERED:
                self._dropped.popitem(last=False)
        return gone

    def _adapt(self) -> None:
        """More room where near misses were many, less where nothing kept was asked for."""
        hits, misses, near = (
            now - seen for now, seen in zip((self.hits, self.misses, self.near_misses), self._seen, strict=True)
        )
        self._seen = (self.hits, self.misses, self.near_misses)
        if near >= NEAR_MISSES * (hits + misses):
            self.room = min(self.ceiling, round(self.room * (1 + STEP)))
        elif hits == 0 and near == 0:
            self.room = max(self.floor, round(self.room * (1 - STEP / 2)))

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, name: Hashable) -> bool:
        return name in self._kept


class TieredCache:
    """Two tiers by where pixels lie: what the card's has no room for goes on to memory, from where it is handed out
    as it is. Clips and analyses have a third tier on disk, by key: see `core.graph.store`."""

    def __init__(self, memory: FrameCache | None = None, card: FrameCache | None = None) -> None:
        self.memory = FrameCache() if memory is None else memory
        self.card = FrameCache(ceiling=CARD_CEILING) if card is None else card
        self.card.dropping = self._move

    def get(self, name: Hashable) -> Picture | None:
        found = self.card.get(name) if len(self.card) else None
        return self.memory.get(name) if found is None else found

    def put(self, name: Hashable, picture: Picture, seconds: float) -> None:
        """Keep `picture`, which took `seconds` to make, where its pixels are."""
        (self.memory if picture.pixels.device.type == "cpu" else self.card).put(name, picture, seconds)

    def clear(self) -> None:
        """Let go of everything, as memory is needed elsewhere."""
        self.card.clear()
        self.memory.clear()

    def _move(self, name: Hashable, picture: Picture, seconds: float) -> None:
        self.memory.put(name, picture.with_pixels(picture.pixels.cpu()), seconds)

    def __len__(self) -> int:
        return len(self.card) + len(self.memory)

    def __contains__(self, name: Hashable) -> bool:
        return name in self.card or name in self.memory
