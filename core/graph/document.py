"""Graph documents: the JSON that is saved, sent and opened for ever.

Everything is by name, never by position. A document is read without knowing any node: types it does not know keep
their data and wires untouched and are reported only when the graph is compiled.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from artifexpro.core.graph.errors import DocumentError

FORMAT = "artifexpro.graph"
FORMAT_VERSION = 1
_NODE_FIELDS = frozenset({"type", "version", "params", "inputs", "ui"})


class Wire(NamedTuple):
    """Where an input comes from: a node's id and the name of one of its outputs."""

    node: str
    output: str = "out"


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """One node as it is saved. `ui` (position, colour, label) belongs to the editors and never changes a result."""

    type: str
    version: int = 1
    params: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Wire] = field(default_factory=dict)
    ui: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """Nodes by id."""

    nodes: Mapping[str, NodeRecord] = field(default_factory=dict)

    @classmethod
    def loads(cls, text: str | bytes) -> Document:
        """Read a document's text. Raises `DocumentError` where it is not JSON or not a graph."""
        try:
            data = json.loads(text, object_pairs_hook=_without_doubles)
        except (ValueError, RecursionError) as error:
            raise _unreadable(f"it is not whole JSON ({error})") from None
        return cls.parse(data)

    @classmethod
    def parse(cls, data: Any) -> Document:
        """Read a document from parsed JSON. Raises `DocumentError`."""
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise _unreadable(f'it does not say "format": "{FORMAT}"')
        version = data.get("version")
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            raise _unreadable("its version is not a whole number from 1")
        if version > FORMAT_VERSION:
            raise DocumentError(
                "open the graph",
                f"it was saved in format {version} and this release reads up to {FORMAT_VERSION}",
                "opening it with the release that saved it, or updating this one",
            )
        nodes = data.get("nodes", {})
        if not isinstance(nodes, dict):
            raise _unreadable("its nodes are not a table by id")
        return cls({name: _record(name, raw) for name, raw in nodes.items()})

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "nodes": {name: _raw(record) for name, record in self.nodes.items()},
        }

    def dumps(self) -> str:
        """The document's text, ready to be saved; `loads` gives an equal document back."""
        return json.dumps(self.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def with_params(self, node: str, **values: Any) -> Document:
        """A copy in which `node` has `values` set."""
        record = self.nodes[node]
        return Document({**self.nodes, node: replace(record, params={**record.params, **values})})


def _without_doubles(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for name, value in pairs:
        if name in table:
            raise ValueError(f'"{name}" stands twice in one table')
        table[name] = value
    return table


def _unreadable(because: str) -> DocumentError:
    return DocumentError("open the graph", because, "a graph saved by ArtifexPro, or an earlier copy of this one")


def _record(name: str, raw: Any) -> NodeRecord:
    def table(field_name: str) -> dict[str, Any]:
        value = raw.get(field_name, {})
        if not isinstance(value, dict):
            raise _unreadable(f'"{field_name}" of node "{name}" is not a table by name')
        return value

    if not name or not isinstance(raw, dict):
        raise _unreadable(f'node "{name}" is not a table' if name else "a node has an empty id")
    if unknown := sorted(raw.keys() - _NODE_FIELDS):
        raise _unreadable(f'node "{name}" has the unknown field "{unknown[0]}"')
    kind, version = raw.get("type"), raw.get("version", 1)
    if not isinstance(kind, str) or not kind:
        raise _unreadable(f'node "{name}" has no type')
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise _unreadable(f'the version of node "{name}" is not a whole number from 1')
    wires = {socket: _wire(name, socket, end) for socket, end in table("inputs").items()}
    return NodeRecord(kind, version, table("params"), wires, table("ui"))


def _wire(node: str, socket: str, end: Any) -> Wire:
    if isinstance(end, list) and 1 <= len(end) <= 2 and all(isinstance(part, str) and part for part in end):
        return Wire(*end)
    raise _unreadable(f'the wire into "{socket}" of node "{node}" is not ["node", "output"]')


def _raw(record: NodeRecord) -> dict[str, Any]:
    raw: dict[str, Any] = {"type": record.type, "version": record.version}
    if record.params:
        raw["params"] = dict(record.params)
    if record.inputs:
        raw["inputs"] = {socket: list(wire) for socket, wire in record.inputs.items()}
    if record.ui:
        raw["ui"] = dict(record.ui)
    return raw
