"""Graph documents: the JSON that is saved, sent and opened for ever.

Everything is by name, never by position. A document is read without knowing any node: types it does not know keep
their data and wires untouched and are reported only when the graph is compiled. See docs/graphs.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from artifexpro.core.graph.definition import Group, GroupFile, check_saved, groups_to_json, header, read_groups
from artifexpro.core.graph.errors import DocumentError
from artifexpro.core.graph.jsontext import Odd, read, unreadable, written
from artifexpro.core.graph.records import MOST_NODES, NodeRecord, Wire, read_nodes

__all__ = ["FORMAT", "FORMAT_VERSION", "GROUPS_VERSION", "Document", "NodeRecord", "Wire"]

FORMAT = "artifexpro.graph"
FORMAT_VERSION = 1
"""What a graph without groups is saved as, so that every release opens it."""
GROUPS_VERSION = 2
"""What a graph with groups is saved as. Format 2 is format 1 with "groups", and without "/" in ids."""
_FIELDS = {FORMAT_VERSION: frozenset({"nodes"}), GROUPS_VERSION: frozenset({"nodes", "groups"})}


@dataclass(frozen=True, slots=True)
class Document:
    """Nodes by id, and the groups that they and one another use by "Name@version"."""

    nodes: Mapping[str, NodeRecord] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)

    @classmethod
    def loads(cls, text: str | bytes) -> Document:
        """Read a document's text. Raises `DocumentError` where it is not JSON or not a graph."""
        return cls.parse(read(text, "graph"))

    @classmethod
    def parse(cls, data: Any) -> Document:
        """Read a document from parsed JSON. Raises `DocumentError`."""
        raw = header(data, "graph", FORMAT, _FIELDS)
        try:
            nodes = read_nodes(raw.get("nodes", {}), paths=raw["version"] >= GROUPS_VERSION)
            groups = read_groups(raw.get("groups", {}))
        except Odd as odd:
            raise unreadable("graph", str(odd)) from None
        if len(nodes) + sum(len(group.nodes) for group in groups.values()) > MOST_NODES:
            raise unreadable("graph", f"it has more than {MOST_NODES:,} nodes")
        return cls(nodes, groups)

    def to_json(self) -> dict[str, Any]:
        nodes = {name: record.to_json() for name, record in self.nodes.items()}
        if not self.groups:
            return {"format": FORMAT, "version": FORMAT_VERSION, "nodes": nodes}
        groups = groups_to_json(self.groups)
        return {"format": FORMAT, "version": GROUPS_VERSION, "groups": groups, "nodes": nodes}

    def dumps(self) -> str:
        """The document's text, ready to be saved: a line a node, so that tools that compare lines show what changed.
        `loads` gives an equal document back. Raises `DocumentError` for values that cannot be saved.
        """
        raw = self.to_json()
        check_saved("graph", raw["nodes"], raw.get("groups", {}))
        rows = [f'"format": "{FORMAT}"', f'"version": {raw["version"]}']
        if self.groups:
            rows.append(f'"groups": {written(raw["groups"], 3, 2)}')
        rows.append(f'"nodes": {written(raw["nodes"], 1, 2)}')
        return "{\n " + ",\n ".join(rows) + "\n}\n"

    def with_params(self, node: str, **values: Any) -> Document:
        """A copy in which `node` has `values` set."""
        record = self.nodes[node]
        changed = replace(record, params={**record.params, **values})
        return Document({**self.nodes, node: changed}, self.groups)

    def with_group(self, file: GroupFile) -> Document:
        """A copy that carries the group of `file` and those it uses. Raises `DocumentError` where this document has
        another group of the same name and version."""
        groups = dict(self.groups)
        for group in (*file.groups.values(), file.group):
            if groups.setdefault(group.key, group) != group:
                raise DocumentError(
                    f"bring in the group {group.name}",
                    f"the graph has another group that is also called {group.name}, version {group.version}",
                    "saving one of the two with a higher version",
                )
        return Document(self.nodes, groups)
