from __future__ import annotations

import torch

from artifexpro.core.graph.cache import FrameCache
from artifexpro.core.graph.values import ImageBuffer


def test_the_longest_unused_goes_first_and_the_limit_holds():
    picture = ImageBuffer(torch.zeros(1, 4, 2, 2))
    cache = FrameCache(limit=3 * picture.nbytes)
    for name in "abc":
        cache.put(name, picture)
    cache.get("a")
    cache.put("d", picture)
    assert cache.get("b") is None
    assert cache.get("a") is picture
    assert cache.bytes <= cache.limit


def test_a_picture_larger_than_the_limit_is_not_kept():
    cache = FrameCache(limit=1)
    cache.put("a", ImageBuffer(torch.zeros(1, 4, 2, 2)))
    assert len(cache) == 0
    assert cache.bytes == 0
