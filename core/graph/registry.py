"""The set of node types a graph may use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from artifexpro.core.graph.faces import problem_of
from artifexpro.core.graph.node import Node


class Registry:
    """Node classes by type name, the names they had formerly included. Two of one name are a defect and refused."""

    def __init__(self, nodes: Iterable[type[Node]] = ()) -> None:
        self._nodes: dict[str, type[Node]] = {}
        self._former: dict[str, type[Node]] = {}
        self.missing: dict[str, str] = {}
        """Packages that could not be loaded, and why."""
        for node in nodes:
            self.add(node)

    def add(self, node: type[Node]) -> None:
        name = node.type_name()
        former = vars(node).get("formerly", ())
        names = (name, *former)
        for each in names:
            if each in self._nodes or each in self._former or names.count(each) > 1:
                raise ValueError(f"two nodes are, or were, called {each}")
        if problem := problem_of(node):
            raise ValueError(problem)
        self._nodes[name] = node
        self._former.update(dict.fromkeys(former, node))

    def get(self, name: str) -> type[Node] | None:
        """The node called `name`, or that was called so."""
        return self._nodes.get(name) or self._former.get(name)

    def reason(self, name: str) -> str | None:
        """Why a node that a document names is not here, if it should be."""
        return self.missing.get(name.partition(".")[0])

    def close_to(self, name: str) -> str | None:
        """The known name most like `name`, for "did you mean"."""
        return next(iter(get_close_matches(name, self._nodes, n=1)), None)

    def __iter__(self) -> Iterator[type[Node]]:
        return iter(sorted(self._nodes.values(), key=lambda node: (node.category, node.type_name())))

    def __len__(self) -> int:
        return len(self._nodes)
