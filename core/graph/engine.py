"""What all plans of one process share: the threads, the pictures in memory, the room on the card."""

from __future__ import annotations

import os
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cached_property

from artifexpro.core.graph.cache import FrameCache, TieredCache
from artifexpro.core.graph.lanes import Lanes
from artifexpro.core.graph.vram import VramGate
from artifexpro.core.lazy import cv2, torch


class Engine:
    """`cores` is how many threads may compute at once. Without `cache` and `vram` there is a cache of the usual size,
    and the card's memory is asked for when something first needs it."""

    def __init__(
        self, *, cores: int | None = None, cache: FrameCache | TieredCache | None = None, vram: VramGate | None = None
    ) -> None:
        self.cores = cores or os.cpu_count() or 1
        self.lanes = Lanes({"cpu": self.cores, "gpu": 1, "io": 2}, share=_use_threads)
        self.cache = TieredCache() if cache is None else cache
        self._vram = vram

    @property
    def vram(self) -> VramGate:
        """The room on the card."""
        if self._vram is None:
            self._vram = _card()
        return self._vram

    def helpers(self) -> Executor | None:
        """Threads that may take a share of one picture; None while other pictures keep the cores busy."""
        if self.cores == 1 or self.lanes.count("cpu") > 1:
            return None
        return self._pool

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.cores, "strip", initializer=lambda: torch.set_num_threads(1))

    def close(self) -> None:
        self.lanes.close()


def _card() -> VramGate:
    """The gate of this machine's card, all of whose memory may be taken; without a card there is no room on it."""
    if not torch.cuda.is_available():
        return VramGate(0)

    def peak() -> int:
        taken = int(torch.cuda.max_memory_allocated())
        torch.cuda.reset_peak_memory_stats()
        return taken

    return VramGate(int(torch.cuda.mem_get_info()[1]), peak)


def _use_threads(count: int) -> None:
    """Of torch for the calling thread alone: OpenMP keeps the number by thread. Of OpenCV for all threads, which are
    about to do the same."""
    torch.set_num_threads(count)
    cv2.setNumThreads(count)
