from __future__ import annotations

import pytest
import torch

from artifexpro.core.graph import cache as caching
from artifexpro.core.graph.cache import FrameCache, TieredCache
from artifexpro.core.graph.values import ImageBuffer

PICTURE = ImageBuffer(torch.zeros(1, 4, 2, 2))
SIZE = PICTURE.nbytes


def full(count: int) -> FrameCache:
    """A cache with room for `count` pictures that does not grow."""
    return FrameCache(ceiling=count * SIZE, floor=count * SIZE)


def test_what_saves_least_goes_first_and_the_limit_holds():
    cache = full(3)
    for name, seconds in (("slow", 5.0), ("quick", 0.1), ("medium", 1.0), ("new", 1.0)):
        cache.put(name, PICTURE, seconds)
    assert "quick" not in cache
    assert all(name in cache for name in ("slow", "medium", "new"))
    assert cache.bytes == 3 * SIZE


def test_of_equal_pictures_the_one_not_asked_for_longest_goes():
    cache = full(2)
    cache.put("a", PICTURE, 1.0)
    cache.put("b", PICTURE, 1.0)
    cache.put("c", PICTURE, 1.0)
    assert "a" not in cache
    assert cache.get("b") is PICTURE
    cache.put("d", PICTURE, 1.0)
    assert "b" in cache and "c" not in cache


def test_nothing_stays_for_ever_because_it_was_dear_once():
    cache = full(2)
    cache.put("dear", PICTURE, 10.0)
    for at in range(100):
        cache.put(at, PICTURE, 1.0)
    assert "dear" not in cache


def test_a_picture_larger_than_the_ceiling_is_not_kept():
    cache = FrameCache(ceiling=SIZE - 1)
    cache.put("a", PICTURE, 1.0)
    assert len(cache) == 0
    assert cache.get("a") is None


def test_near_misses_give_more_room_up_to_the_ceiling():
    cache = FrameCache(ceiling=64 * SIZE, floor=8 * SIZE)
    for at in range(40 * caching.ROUND):
        name = at % 32
        if cache.get(name) is None:
            cache.put(name, PICTURE, 1.0)
    assert cache.near_misses > 0
    assert 32 * SIZE <= cache.room <= 64 * SIZE
    hits = cache.hits
    for name in range(32):
        assert cache.get(name) is PICTURE
    assert cache.hits == hits + 32


def test_room_that_nobody_uses_is_given_back_down_to_the_floor():
    cache = FrameCache(ceiling=64 * SIZE, floor=8 * SIZE)
    cache.room = 64 * SIZE
    for at in range(40 * caching.ROUND):
        cache.get(at)
        cache.put(at, PICTURE, 1.0)
    assert cache.room == 8 * SIZE
    assert cache.bytes <= cache.room


def test_what_has_to_go_is_handed_on_with_its_cost():
    gone = []
    cache = full(1)
    cache.dropping = lambda name, picture, seconds: gone.append((name, seconds))
    cache.put("a", PICTURE, 2.0)
    cache.put("b", PICTURE, 3.0)
    assert gone == [("a", 2.0)]


class OnCard:
    """Stands for a tensor on a card: all that a cache looks at."""

    class device:
        type = "cuda"

    def numel(self) -> int:
        return PICTURE.pixels.numel()

    def element_size(self) -> int:
        return 4

    def cpu(self) -> torch.Tensor:
        return PICTURE.pixels


def test_what_the_card_has_no_room_for_goes_on_to_memory():
    tiers = TieredCache(memory=full(2), card=full(1))
    first, second = (ImageBuffer(OnCard()) for _ in range(2))
    tiers.put("first", first, 1.0)
    tiers.put("second", second, 1.0)
    tiers.put("here", PICTURE, 1.0)
    assert tiers.get("second") is second
    assert tiers.get("first").pixels is PICTURE.pixels
    assert tiers.get("here") is PICTURE
    assert (len(tiers.card), len(tiers.memory)) == (1, 2)
    tiers.clear()
    assert len(tiers) == 0


@pytest.mark.parametrize("count", [1, 7])
def test_letting_go_of_everything_frees_all_bytes(count):
    cache = full(10)
    for at in range(count):
        cache.put(at, PICTURE, 1.0)
    cache.clear()
    assert (len(cache), cache.bytes) == (0, 0)
    cache.put("again", PICTURE, 1.0)
    assert cache.get("again") is PICTURE
