"""The set of node types a graph may use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from artifexpro.core.graph.node import Node


class Registry:
    """Node classes by type name. Two classes of one name are a defect and refused."""

    def __init__(self, nodes: Iterable[type[Node]] = ()) -> None:
        self._nodes: dict[str, type[Node]] = {}
        for node in nodes:
            self.add(node)

    def add(self, node: type[Node]) -> None:
        name = node.type_name()
        if name in self._nodes:
            raise ValueError(f"two nodes are called {name}")
        if not node.category or not node.help():
            raise ValueError(f"node {name} has no category or no docstring")
        self._nodes[name] = node

    def get(self, name: str) -> type[Node] | None:
        return self._nodes.get(name)

    def close_to(self, name: str) -> str | None:
        """The known name most like `name`, for "did you mean"."""
        return next(iter(get_close_matches(name, self._nodes, n=1)), None)

    def __iter__(self) -> Iterator[type[Node]]:
        return iter(sorted(self._nodes.values(), key=lambda node: (node.category, node.type_name())))

    def __len__(self) -> int:
        return len(self._nodes)
