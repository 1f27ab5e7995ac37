"""Room on the graphics card: work starts when what it will take is free, and what it took is remembered.

Parallel work by declared need, not by hope: a clip that is generated says its peak before it starts, and from then on
the measured peak of equal work counts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from artifexpro.core.errors import ArtifexError

GIBIBYTE = 1024**3


class VramGate:
    """Admits work to a card with `total` bytes; `peak` gives the most that was taken since it was last asked."""

    def __init__(self, total: int, peak: Callable[[], int] = lambda: 0) -> None:
        self.total = total
        self.taken = 0
        self.learned: dict[Hashable, int] = {}
        self._peak = peak
        self._changed = threading.Condition()

    @contextmanager
    def admit(self, kind: Hashable, declared: int, check: Callable[[], None]) -> Iterator[None]:
        """Wait until there is room for work of `kind`, then hold it. `check`, called while waiting, may raise.

        Raises `ArtifexError` where the card could never hold it.
        """
        need = self.learned.get(kind, declared)
        if need > self.total:
            raise ArtifexError(
                "find room on the graphics card",
                f"this takes {need / GIBIBYTE:.1f} GB and the card has {self.total / GIBIBYTE:.1f}",
                "a smaller picture, fewer frames or a smaller model",
                code="vram",
            )
        with self._changed:
            while self.taken + need > self.total:
                self._changed.wait(0.05)
                check()
            alone = self.taken == 0
            self.taken += need
        self._peak()
        try:
            yield
        finally:
            with self._changed:
                self.taken -= need
                if alone and self.taken == 0 and (peak := self._peak()):
                    self.learned[kind] = peak
                self._changed.notify_all()
