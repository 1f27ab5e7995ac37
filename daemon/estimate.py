"""What a job will cost, said only as far as it is known.

Seconds are the median of past jobs that asked for the same work; what changes no cost (a prompt, a seed, where the
result goes) does not make work different.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from artifexpro.core.protocol import Estimate, RenderGraph, Work

COSTLESS = frozenset(
    {"prompt", "negative_prompt", "avoid", "seed", "extend_seed", "path", "name", "track", "first_frame"}
)


def likeness(work: Work) -> str:
    """Equal for two jobs that should take the same time on one machine."""
    return hashlib.blake2b(json.dumps(_cost(work), sort_keys=True).encode(), digest_size=16).hexdigest()


def _cost(work: Work) -> Any:
    if not isinstance(work, RenderGraph):
        return work.model_dump(mode="json")
    frames = None if work.frames is None else work.frames.last - work.frames.first
    cost = ["graph", frames, work.scale, _nodes(work.document)]
    return cost if work.each is None else [*cost, work.each.model_dump(mode="json")]


def _nodes(document: Mapping[str, Any]) -> Any:
    nodes = document.get("nodes")
    if not isinstance(nodes, Mapping):
        return document
    return [_node(node) for node in nodes.values()]


def _node(node: Any) -> Any:
    if not isinstance(node, Mapping):
        return node
    parameters = node.get("params")
    kept = {k: v for k, v in parameters.items() if k not in COSTLESS} if isinstance(parameters, Mapping) else parameters
    return [node.get("type"), node.get("version"), kept]


def estimate(past_seconds: Sequence[float], disk_bytes: int | None) -> Estimate:
    """From how long equal work took before, in seconds, and the bytes that arithmetic says it will write."""
    seconds = median(past_seconds) if past_seconds else None
    said = []
    if past_seconds:
        said.append(f"time: the median of {len(past_seconds)} earlier jobs of this kind on this machine")
    if disk_bytes is not None:
        said.append("disk: the pictures uncompressed, so at most this much")
    return Estimate(seconds=seconds, disk_bytes=disk_bytes, basis="; ".join(said))
