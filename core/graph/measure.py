"""How large a document's groups become when they are opened, counted from their definitions alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from artifexpro.core.graph.definition import Group
from artifexpro.core.graph.records import MOST_NODES, NodeRecord

MOST_BYTES = 512 * 2**20
"""Bytes, about, of the paths, wires and parameters that opening one document's groups may make."""
_ENTRY = 100
"""Bytes, about, of a node, a wire or a parameter."""
_TOLD = 8


class Size(NamedTuple):
    """What opening a group makes: nodes, paths (one a node and a wire), and bytes, its own path not counted."""

    nodes: int
    names: int
    bytes: int


class Measure:
    """The groups that nodes lead to, directly or through one another: `sizes` by key of those that end."""

    def __init__(self, nodes: Mapping[str, NodeRecord], groups: Mapping[str, Group]) -> None:
        self._uses = _reached(nodes, groups)
        self.sizes: dict[str, Size] = {}
        users: dict[str, list[str]] = {key: [] for key in self._uses}
        waits_for = {key: len(inner) for key, inner in self._uses.items()}
        for key, inner in self._uses.items():
            for each in inner:
                users[each].append(key)
        ready = [key for key, count in waits_for.items() if not count]
        while ready:
            key = ready.pop()
            self.sizes[key] = self._size(groups[key])
            for user in users[key]:
                waits_for[user] -= 1
                if not waits_for[user]:
                    ready.append(user)

    def endless(self, key: str) -> tuple[str, ...]:
        """Empty for a group that ends. For one that contains itself or a group that does, the way from it to the
        repetition: ("A@1", "B@1", "A@1") where A is in B and B in A; of a long way the beginning."""
        if key in self.sizes:
            return ()
        way = [key]
        while len(way) < _TOLD and way[-1] not in way[:-1]:
            way.append(next(inner for inner in self._uses[way[-1]] if inner not in self.sizes))
        return tuple(way)

    def _size(self, group: Group) -> Size:
        """Past what is refused anyway a size grows no further: doubled a thousand times, it would fill memory."""
        names = size = 0
        nodes = len(group.nodes)
        for name, record in group.nodes.items():
            inner = self.sizes.get(record.group or "", Size(0, 0, 0))
            own = 1 + len(record.inputs)
            nodes += inner.nodes
            names += inner.names + own
            size += inner.bytes + (inner.names + own) * (len(name) + 1)
            size += _ENTRY * (own + len(record.params)) + sum(len(wire.node) for wire in record.inputs.values())
        pins = [len(entry.to) for entry in group.inputs.values()]
        pins += [len(entry.to) for entry in group.parameters.values()]
        size += _ENTRY * sum(pins)
        return Size(min(nodes, 2 * MOST_NODES), min(names, 2 * MOST_BYTES), min(size, 2 * MOST_BYTES))


def _reached(nodes: Mapping[str, NodeRecord], groups: Mapping[str, Group]) -> dict[str, tuple[str, ...]]:
    """For each group that `nodes` lead to, the groups its own nodes are."""
    uses: dict[str, tuple[str, ...]] = {}
    waiting = list(_used(nodes.values(), groups))
    while waiting:
        key = waiting.pop()
        if key not in uses:
            uses[key] = _used(groups[key].nodes.values(), groups)
            waiting.extend(uses[key])
    return uses


def _used(records: Iterable[NodeRecord], groups: Mapping[str, Group]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for record in records if (key := record.group) is not None and key in groups))
