"""What the sequencer asks of a graph: how long a preset's clip is, which nodes have a seed, and another one."""

from __future__ import annotations

import copy
import random
from typing import Any

from ..bridge.graphs import Document

LENGTHS = {"Draft": 41, "Preview": 81, "Production": 121, "Cinema": 241}
"""Frames of each preset: the panel states the length, because the place on the timeline depends on it."""


def generators(document: Document) -> list[dict[str, Any]]:
    """The nodes of a graph document that have a seed."""
    return [node for node in document.get("nodes", {}).values() if "seed" in node.get("params", {})]


def with_seed(document: Document, seed: int) -> Document:
    """The same graph with another seed in every generator."""
    varied = copy.deepcopy(document)
    for node in generators(varied):
        node["params"]["seed"] = seed
    return varied


def another_seed(besides: int, largest: int) -> int:
    """A seed from 0 to `largest` that is not `besides`."""
    seed = random.randrange(largest)
    return seed if seed != besides else largest
