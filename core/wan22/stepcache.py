"""A step that changes little takes its answer from the step before.

First Block Cache (diffusers; from ParaAttention, after TeaCache, arXiv 2411.19108): the first block is always computed;
if its residual differs from that of the last whole step by less than the threshold (mean absolute difference as a share
of the mean), the other blocks are left out and their last residual is added. The state belongs to one network and one
context: guided passes and experts never share it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from artifexpro.core.wan22.levers import refusal

_CACHEABLE = ("WanTransformer3DModel", "WanS2VTransformer3DModel")


def check(kind: str, layers: int) -> None:
    """Refuse to cache steps of a network of the class `kind` with `layers` blocks where that would do nothing, or
    something else. Raises `ArtifexError` (code "settings")."""
    if kind not in _CACHEABLE:
        raise refusal(
            "cache steps",
            f"{kind} adds to the picture between its blocks, and a cached step would add that twice",
            "a threshold of 0",
        )
    if layers < 2:
        raise refusal("cache steps", "the network has no blocks that could be left out", "a threshold of 0")


def enable(network: Any, threshold: float) -> None:
    """Cache steps of `network` whose first block changes by less than `threshold` (a share, 0..1).

    Raises `ArtifexError` (code "settings") as `check` does, and where nothing was hooked.
    """
    from diffusers import FirstBlockCacheConfig

    check(type(network).__name__, len(network.blocks))
    network.enable_cache(FirstBlockCacheConfig(threshold=threshold))
    if not all(_hooked(block) for block in network.blocks):
        raise refusal("cache steps", "this version of diffusers hooks none of the network's blocks", "a threshold of 0")


def context(network: Any, name: str) -> AbstractContextManager[Any]:
    """The state that passes called `name` ("shown", "avoided") have in the cache of `network`, if it has one."""
    cached = getattr(network, "is_cache_enabled", False)
    return network.cache_context(name) if cached else nullcontext()


def _hooked(block: Any) -> bool:
    registry = getattr(block, "_diffusers_hook", None)
    return registry is not None and any(name.startswith("fbc_") for name in registry.hooks)
