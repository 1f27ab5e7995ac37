"""A group: a graph that is used as a node.

It says which sockets and parameters of the nodes inside are sockets and parameters of the whole. Nodes of documents
and other groups refer to it by name and version, and every file that uses it carries it: see docs/graphs.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from artifexpro.core.graph.errors import DocumentError
from artifexpro.core.graph.jsontext import DEEPEST, Odd, check, quoted, read, unreadable, written
from artifexpro.core.graph.records import (
    GROUP_TYPE,
    PATH,
    NodeRecord,
    Wire,
    is_version,
    read_nodes,
    read_wire,
)

FORMAT = "artifexpro.group"
FORMAT_VERSION = 1
_GROUP_FIELDS = frozenset({"name", "version", "category", "doc", "inputs", "outputs", "parameters", "nodes"})
OWN = ("doc", "default", "minimum", "maximum")
"""What a group may say about a parameter itself."""


class Pin(NamedTuple):
    """A socket or parameter of a node inside a group."""

    node: str
    name: str


@dataclass(frozen=True, slots=True)
class GroupInput:
    """A socket of a group: its type ("VIDEO", "MASK", ...) and the sockets inside that get what is connected."""

    type: str
    to: tuple[Pin, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class GroupOutput:
    """An output of a group: its type and the output inside that it is."""

    type: str
    source: Wire


@dataclass(frozen=True, slots=True)
class GroupParameter:
    """A parameter of a group and the parameters inside that it sets.

    `own` has what is not as the first of them declares it: "doc", "default", "minimum", "maximum".
    """

    to: tuple[Pin, ...]
    own: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """A graph as a node. Raises `DocumentError` where its sockets and parameters do not belong to nodes inside."""

    name: str
    version: int = 1
    doc: str = ""
    nodes: Mapping[str, NodeRecord] = field(default_factory=dict)
    inputs: Mapping[str, GroupInput] = field(default_factory=dict)
    outputs: Mapping[str, GroupOutput] = field(default_factory=dict)
    parameters: Mapping[str, GroupParameter] = field(default_factory=dict)
    category: str = "group"

    def __post_init__(self) -> None:
        try:
            self._check()
        except Odd as odd:
            raise DocumentError(
                f"use the group {quoted(self.name)}",
                str(odd),
                "a group saved by ArtifexPro, or an earlier copy of this one",
            ) from None

    @property
    def key(self) -> str:
        """What files keep it by: "Name@version"."""
        return f"{self.name}@{self.version}"

    @property
    def type(self) -> str:
        """The type of a node that is this group."""
        return GROUP_TYPE + self.name

    def to_json(self) -> dict[str, Any]:
        raw: dict[str, Any] = {"name": self.name, "version": self.version, "category": self.category, "doc": self.doc}
        raw["inputs"] = {
            name: {"type": socket.type, "optional": socket.optional, "to": [list(pin) for pin in socket.to]}
            for name, socket in self.inputs.items()
        }
        raw["outputs"] = {
            name: {"type": socket.type, "from": list(socket.source)} for name, socket in self.outputs.items()
        }
        raw["parameters"] = {
            name: {"to": [list(pin) for pin in parameter.to], **parameter.own}
            for name, parameter in self.parameters.items()
        }
        return {**raw, "nodes": {name: record.to_json() for name, record in self.nodes.items()}}

    def _check(self) -> None:
        if not self.name:
            raise Odd("it has no name")
        if not is_version(self.version):
            raise Odd("its version is not a whole number from 1")
        if both := sorted(self.inputs.keys() & self.parameters.keys()):
            raise Odd(f'"{quoted(both[0])}" is the name of an input and of a parameter')
        taken: dict[Pin, str] = {}
        for name, to in (*_ends(self.inputs), *_ends(self.parameters)):
            if not name or not to:
                raise Odd(f'"{quoted(name)}" leads to nothing inside' if name else "an input or parameter has no name")
            for pin in to:
                if pin.node not in self.nodes:
                    raise Odd(f'"{quoted(name)}" leads to node "{quoted(pin.node)}", which is not inside')
                if pin in taken:
                    where = f'"{quoted(pin.name)}" of node "{quoted(pin.node)}"'
                    raise Odd(f'"{quoted(taken[pin])}" and "{quoted(name)}" both lead to {where}')
                taken[pin] = name
        for name, output in self.outputs.items():
            if not name or output.source.node not in self.nodes:
                raise Odd(
                    f'output "{quoted(name)}" comes from node "{quoted(output.source.node)}", which is not inside'
                )
        if slashed := next((name for name in self.nodes if PATH in name), None):
            raise Odd(f'the id "{quoted(slashed)}" has a "{PATH}" in it, which stands for what is inside a group')


def _ends(table: Mapping[str, GroupInput] | Mapping[str, GroupParameter]) -> Iterable[tuple[str, tuple[Pin, ...]]]:
    return ((name, entry.to) for name, entry in table.items())


@dataclass(frozen=True, slots=True)
class GroupFile:
    """A group saved as a file of its own, with the `groups` that it uses by "Name@version"."""

    group: Group
    groups: Mapping[str, Group] = field(default_factory=dict)

    @classmethod
    def loads(cls, text: str | bytes) -> GroupFile:
        """Read a group's text. Raises `DocumentError` where it is not JSON or not a group."""
        return cls.parse(read(text, "group"))

    @classmethod
    def parse(cls, data: Any) -> GroupFile:
        """Read a group from parsed JSON. Raises `DocumentError`."""
        raw = header(data, "group", FORMAT, {1: frozenset({"group", "groups"})})
        try:
            return cls(read_group(raw.get("group")), read_groups(raw.get("groups", {})))
        except Odd as odd:
            raise unreadable("group", str(odd)) from None

    def to_json(self) -> dict[str, Any]:
        raw: dict[str, Any] = {"format": FORMAT, "version": FORMAT_VERSION, "group": self.group.to_json()}
        return {**raw, "groups": groups_to_json(self.groups)} if self.groups else raw

    def dumps(self) -> str:
        """The group's text, ready to be saved; `loads` gives an equal group back."""
        raw = self.to_json()
        check_saved("group", {}, {**raw.get("groups", {}), self.group.key: raw["group"]})
        rows = [f'"format": "{FORMAT}"', f'"version": {FORMAT_VERSION}', f'"group": {written(raw["group"], 2, 2)}']
        if self.groups:
            rows.append(f'"groups": {written(raw["groups"], 3, 2)}')
        return "{\n " + ",\n ".join(rows) + "\n}\n"


def check_saved(thing: str, nodes: Mapping[str, Any], groups: Mapping[str, Any]) -> None:
    """Raise `DocumentError` where raw `nodes` or `groups` have a value that no file could hold."""
    for what, table in (("node", nodes), ("group", groups)):
        for name, raw in table.items():
            try:
                check(name)
                check(raw, DEEPEST - 2)
            except Odd as odd:
                because = f'{odd} (in {what} "{quoted(name)}")'
                raise DocumentError(f"save the {thing}", because, "another value there") from None


def header(data: Any, thing: str, form: str, fields: Mapping[int, frozenset[str]]) -> dict[str, Any]:
    """`data` once it says that it is a `thing` of a version in `fields`, which lists what each has beside that.

    Raises `DocumentError` for other things, newer versions and unknown fields: nothing is dropped unseen.
    """
    if not isinstance(data, dict) or data.get("format") != form:
        raise unreadable(thing, f'it does not say "format": "{form}"')
    version, newest = data.get("version"), max(fields)
    if not is_version(version):
        raise unreadable(thing, "its version is not a whole number from 1")
    if version > newest:
        told = str(version) if version < 10**9 else "of a far later release"
        raise DocumentError(
            f"open the {thing}",
            f"it was saved in format {told} and this release reads up to {newest}",
            "opening it with the release that saved it, or updating this one",
        )
    if unknown := data.keys() - fields[version] - {"format", "version"}:
        first = min(map(str, unknown))
        raise unreadable(thing, f'it has the field "{quoted(first)}", which format {version} does not know')
    return data


def read_groups(raw: Any) -> dict[str, Group]:
    """Groups by "Name@version" from parsed JSON. Raises `Odd`, `DocumentError`."""
    if not isinstance(raw, dict):
        raise Odd("its groups are not a table by name and version")
    groups = {}
    for key, entry in raw.items():
        check(key)
        groups[key] = read_group(entry)
        if groups[key].key != key:
            raise Odd(f'the group "{quoted(groups[key].key)}" is kept as "{quoted(key)}"')
    return groups


def groups_to_json(groups: Mapping[str, Group]) -> dict[str, Any]:
    return {key: group.to_json() for key, group in groups.items()}


def read_group(raw: Any) -> Group:
    """One group from parsed JSON. Raises `Odd`, `DocumentError`."""
    if not isinstance(raw, dict):
        raise Odd("a group is not a table")
    name, version = raw.get("name"), raw.get("version")
    if not isinstance(name, str) or not name:
        raise Odd("a group has no name")
    check(name)
    try:
        if unknown := raw.keys() - _GROUP_FIELDS:
            raise Odd(f'it has the unknown field "{quoted(min(map(str, unknown)))}"')
        if not is_version(version):
            raise Odd("its version is not a whole number from 1")
        check({title: value for title, value in raw.items() if title != "nodes"}, DEEPEST - 2)
        category, doc = _text(raw, "category", "group"), _text(raw, "doc", "")
        nodes = read_nodes(raw.get("nodes", {}), paths=True)
        inputs = {title: _input(title, entry) for title, entry in _table(raw, "inputs")}
        outputs = {title: _output(title, entry) for title, entry in _table(raw, "outputs")}
        parameters = {title: _parameter(title, entry) for title, entry in _table(raw, "parameters")}
    except Odd as odd:
        raise Odd(f'{odd} (in group "{quoted(name)}")') from None
    return Group(name, version, doc, nodes, inputs, outputs, parameters, category)


def _text(raw: Mapping[str, Any], title: str, default: str) -> str:
    value = raw.get(title, default)
    if not isinstance(value, str):
        raise Odd(f'its "{title}" is not text')
    return value


def _table(raw: Mapping[str, Any], title: str) -> Iterable[tuple[str, Any]]:
    value = raw.get(title, {})
    if not isinstance(value, dict) or not all(isinstance(entry, dict) for entry in value.values()):
        raise Odd(f'its "{title}" are not a table of tables by name')
    return value.items()


def _input(name: str, raw: dict[str, Any]) -> GroupInput:
    optional = raw.get("optional", False)
    if not raw.keys() <= {"type", "optional", "to"} or not isinstance(optional, bool):
        raise Odd(f'input "{quoted(name)}" is not {{"type", "optional", "to"}}')
    return GroupInput(_type(name, raw), _pins(name, raw), optional)


def _output(name: str, raw: dict[str, Any]) -> GroupOutput:
    source = read_wire(raw.get("from"))
    if source is None or not raw.keys() <= {"type", "from"}:
        raise Odd(f'output "{quoted(name)}" is not {{"type", "from": ["node", "output"]}}')
    return GroupOutput(_type(name, raw), source)


def _parameter(name: str, raw: dict[str, Any]) -> GroupParameter:
    own = {title: value for title, value in raw.items() if title != "to"}
    if not own.keys() <= set(OWN) or not isinstance(own.get("doc", ""), str):
        raise Odd(f'parameter "{quoted(name)}" has more than "to", "doc", "default", "minimum" and "maximum"')
    for title in ("minimum", "maximum"):
        if title in own and (isinstance(own[title], bool) or not isinstance(own[title], (int, float))):
            raise Odd(f'the {title} of parameter "{quoted(name)}" is not a number')
    return GroupParameter(_pins(name, raw), own)


def _type(name: str, raw: Mapping[str, Any]) -> str:
    kind = raw.get("type")
    if not isinstance(kind, str) or not kind:
        raise Odd(f'"{quoted(name)}" has no type')
    return kind


def _pins(name: str, raw: Mapping[str, Any]) -> tuple[Pin, ...]:
    to = raw.get("to")
    if not isinstance(to, list):
        raise Odd(f'"{quoted(name)}" does not say where it leads "to"')
    pins = []
    for end in to:
        if not isinstance(end, list) or len(end) != 2 or not all(isinstance(part, str) and part for part in end):
            raise Odd(f'"{quoted(name)}" leads to something that is not ["node", "name"]')
        pins.append(Pin(*end))
    return tuple(pins)
