"""The node library as plain data: what `artifexpro nodes --json` prints and every host builds its nodes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from artifexpro.core.graph.curves import Curve
from artifexpro.core.graph.definition import Group, Pin
from artifexpro.core.graph.errors import NodeError
from artifexpro.core.graph.migrate import migrate
from artifexpro.core.graph.node import Node, Socket
from artifexpro.core.graph.records import PATH, NodeRecord
from artifexpro.core.graph.registry import Registry

_TYPES = {int: "int", float: "float", str: "string", bool: "bool", Curve: "curve"}


def catalogue(nodes: Iterable[type[Node]]) -> list[dict[str, Any]]:
    """One entry a node: name, category, version, doc, inputs, outputs, parameters, example."""
    return [entry(node) for node in nodes]


def entry(node: type[Node]) -> dict[str, Any]:
    """A node's entry. A parameter's type is int, float, string, bool, curve or choice, a choice having `choices`; its
    default may be None. `example` is a node of a graph document."""
    return {
        "name": node.type_name(),
        "category": node.category,
        "version": node.version,
        "doc": node.help(),
        "inputs": [_socket(socket) for socket in node.inputs],
        "outputs": [_socket(socket) for socket in node.outputs],
        "parameters": [_parameter(name, info) for name, info in node.model_fields.items()],
        "example": {
            "type": node.type_name(),
            "version": node.version,
            "params": dict(node.example),
            "inputs": {socket.name: ["source", "out"] for socket in node.inputs if not socket.optional},
        },
    }


def group_entry(group: Group, groups: Mapping[str, Group], registry: Registry) -> dict[str, Any]:
    """The entry of a group, so that a host can publish it like any node; `groups` has those that it uses, by
    "Name@version". A parameter whose nodes are animated inside has None for a default.

    Raises `NodeError`, naming the node inside, where a socket or parameter leads to something unknown here.
    """
    return {
        "name": group.type,
        "category": group.category,
        "version": group.version,
        "doc": group.doc,
        "inputs": [
            {"name": name, "type": socket.type, "optional": socket.optional} for name, socket in group.inputs.items()
        ],
        "outputs": [{"name": name, "type": socket.type, "optional": False} for name, socket in group.outputs.items()],
        "parameters": [_exposed(name, group, groups, registry) for name in group.parameters],
        "example": {
            "type": group.type,
            "version": group.version,
            "params": {},
            "inputs": {name: ["source", "out"] for name, socket in group.inputs.items() if not socket.optional},
        },
    }


def _exposed(name: str, group: Group, groups: Mapping[str, Group], registry: Registry) -> dict[str, Any]:
    """A group's parameter as its first node inside declares it, but for what the groups on the way say themselves."""
    said: dict[str, Any] = {}
    ranges: list[Mapping[str, Any]] = []
    parameter, where = group.parameters[name], ""
    while True:
        said = {**parameter.own, **said}
        ranges.append(parameter.own)
        pin = parameter.to[0]
        record = group.nodes[pin.node]
        where = f"{where}{PATH}{pin.node}" if where else pin.node
        if pin.name in record.params:
            said.setdefault("default", record.params[pin.name])
        if record.group is None:
            break
        inner = groups.get(record.group)
        if inner is None or pin.name not in inner.parameters or len(ranges) > len(groups) + 1:
            because = f"nothing here knows the parameter {pin.name} of {record.group}"
            raise NodeError(where, f"publish {name} of the group", because, "the file of that group")
        group, parameter = inner, inner.parameters[pin.name]
    described = _parameter(name, _field(name, where, pin, record, registry))
    ranges.append({title: described[title] for title in ("minimum", "maximum") if described[title] is not None})
    lowest = [each["minimum"] for each in ranges if "minimum" in each]
    highest = [each["maximum"] for each in ranges if "maximum" in each]
    default = said.get("default", described["default"])
    return {
        **described,
        "default": None if isinstance(default, dict) else default,
        "minimum": max(lowest, default=None),
        "maximum": min(highest, default=None),
        "doc": said.get("doc", described["doc"]),
    }


def _field(name: str, where: str, pin: Pin, record: NodeRecord, registry: Registry) -> FieldInfo:
    """The declaration of a parameter of a node, which may have been saved by an older version of it."""
    declaration = registry.get(record.type)
    if declaration is not None:
        only = replace(record, params={pin.name: record.params.get(pin.name)}, inputs={})
        for now in migrate(where, only, declaration).params:
            if now in declaration.model_fields:
                return declaration.model_fields[now]
    because = f"nothing here knows the parameter {pin.name} of {record.type}"
    raise NodeError(where, f"publish {name} of the group", because, "installing what brings this node")


def _socket(socket: Socket) -> dict[str, Any]:
    return {"name": socket.name, "type": str(socket.type), "optional": socket.optional}


def _parameter(name: str, info: FieldInfo) -> dict[str, Any]:
    extra: Any = info.json_schema_extra
    choices = list(get_args(info.annotation)) if get_origin(info.annotation) is Literal else None
    described = {
        "name": name,
        "type": "choice" if choices else _type(info.annotation),
        "default": info.default.to_json() if isinstance(info.default, Curve) else info.default,
        "minimum": next((mark.ge for mark in info.metadata if hasattr(mark, "ge")), None),
        "maximum": next((mark.le for mark in info.metadata if hasattr(mark, "le")), None),
        "unit": extra["unit"],
        "animatable": extra["animatable"],
        "doc": info.description,
    }
    return {**described, "choices": choices} if choices else described


def _type(annotation: Any) -> str:
    """The name of a parameter's type; one that may also be left empty has the same name."""
    kinds = [kind for kind in get_args(annotation) or (annotation,) if kind is not type(None)]
    return _TYPES[kinds[0]]
