"""The node library as plain data: what `artifexpro nodes --json` prints and every host builds its nodes from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from artifexpro.core.graph.node import Node, Socket

_TYPES = {int: "int", float: "float", str: "string", bool: "bool"}


def catalogue(nodes: Iterable[type[Node]]) -> list[dict[str, Any]]:
    """One entry a node: name, category, version, doc, inputs, outputs, parameters, example."""
    return [entry(node) for node in nodes]


def entry(node: type[Node]) -> dict[str, Any]:
    """A node's entry. A parameter's type is int, float, string, bool or choice, a choice having `choices`; its default
    may be None. `example` is a node of a graph document."""
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


def _socket(socket: Socket) -> dict[str, Any]:
    return {"name": socket.name, "type": str(socket.type), "optional": socket.optional}


def _parameter(name: str, info: FieldInfo) -> dict[str, Any]:
    extra: Any = info.json_schema_extra
    choices = list(get_args(info.annotation)) if get_origin(info.annotation) is Literal else None
    described = {
        "name": name,
        "type": "choice" if choices else _type(info.annotation),
        "default": info.default,
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
