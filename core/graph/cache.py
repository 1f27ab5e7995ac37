"""Frames kept in memory, least recently used first to go, within a limit in bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from artifexpro.core.graph.values import ImageBuffer

DEFAULT_LIMIT = 2 * 1024**3


class FrameCache:
    """Pictures by (key, frame or None for stills, scale, region)."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.limit = limit
        self.bytes = 0
        self.hits = 0
        self.misses = 0
        self._kept: OrderedDict[Hashable, ImageBuffer] = OrderedDict()

    def get(self, name: Hashable) -> ImageBuffer | None:
        picture = self._kept.get(name)
        if picture is None:
            self.misses += 1
            return None
        self.hits += 1
        self._kept.move_to_end(name)
        return picture

    def put(self, name: Hashable, picture: ImageBuffer) -> None:
        """Keep `picture`, dropping the longest unused; one larger than the whole limit is not kept."""
        if picture.nbytes > self.limit or name in self._kept:
            return
        self._kept[name] = picture
        self.bytes += picture.nbytes
        while self.bytes > self.limit:
            _, dropped = self._kept.popitem(last=False)
            self.bytes -= dropped.nbytes

    def __len__(self) -> int:
        return len(self._kept)
