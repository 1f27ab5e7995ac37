"""A model that stays in main memory for the next clip.

Reading one from the disk takes up to half a minute, and the next clip mostly wants the same one: another seed, another
word. One model is kept at a time, as far as main memory has room for it beside what a clip itself takes; the card is
left to others between clips.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass, replace

import psutil  # type: ignore[import-untyped]

from artifexpro.core.lazy import torch
from artifexpro.core.wan22.loading import Loader

SHARE = 0.5
"""Of main memory, for a kept model and what a clip takes together. The rest is the host's and everybody else's."""


@dataclass
class Warm:
    """Keeps the loader of the last clip with its components. `memory` are the bytes of main memory to share."""

    memory: float = 0.0
    _loader: Loader | None = None

    @classmethod
    def of_this_machine(cls) -> Warm:
        return cls(SHARE * psutil.virtual_memory().total)

    def take(self, fresh: Loader, needed: float) -> Loader:
        """`fresh`, or the last clip's loader if it gives the very same: equal files, formats, device and levers.

        Another model's components are let go first. `needed` are the bytes of main memory that the clip takes itself.
        """
        kept, self._loader = self._loader, None
        room = int(max(0.0, self.memory - needed)) if fresh.movable else 0
        if kept == fresh and room:
            return replace(kept, room=room)
        if kept is not None:
            kept.kept.clear()
            gc.collect()
        return replace(fresh, room=room)

    def put_back(self, loader: Loader) -> None:
        """After a clip, however it ended: what may stay leaves the card."""
        if not loader.room:
            loader.kept.clear()
        for component in loader.kept.values():
            component.to("cpu")
        if loader.device.type == "cuda":
            torch.cuda.empty_cache()
        self._loader = loader if loader.kept else None
