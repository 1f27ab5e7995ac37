"""What all plans of one process share: the threads, the pictures in memory, the room on the card."""

from __future__ import annotations

import os
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cached_property

from artifexpro.core.graph.cache import FrameCache
from artifexpro.core.graph.lanes import Lanes
from artifexpro.core.graph.vram import VramGate
from artifexpro.core.lazy import torch


class Engine:
    """`cores` is how many threads may compute at once; `ram` and `vram` limit what is kept, in bytes."""

    def __init__(
        self, *, cores: int | None = None, cache: FrameCache | None = None, vram: VramGate | None = None
    ) -> None:
        self.cores = cores or os.cpu_count() or 1
        self.lanes = Lanes({"cpu": self.cores, "gpu": 1, "io": 2}, share=_use_threads)
        self.cache = FrameCache() if cache is None else cache
        self.vram = VramGate(0) if vram is None else vram

    def helpers(self) -> Executor | None:
        """Threads that may take a share of one picture; None while other pictures keep the cores busy."""
        if self.cores == 1 or self.lanes.count("cpu") > 1:
            return None
        return self._pool

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.cores, "strip", initializer=lambda: _use_threads(1))

    def close(self) -> None:
        self.lanes.close()


def _use_threads(count: int) -> None:
    """For the calling thread alone: OpenMP keeps the number by thread."""
    torch.set_num_threads(count)
