"""From a document's records to nodes: groups opened, old versions brought up to date, every parameter checked.

A node that cannot be read is a problem of its own and of what hangs on it; the others are read all the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import ValidationError

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.curves import Curve
from artifexpro.core.graph.document import Document, NodeRecord, Wire
from artifexpro.core.graph.errors import GraphError, NodeError
from artifexpro.core.graph.faces import Limits, face
from artifexpro.core.graph.garbage import no_collecting
from artifexpro.core.graph.groups import flatten
from artifexpro.core.graph.jsontext import quoted
from artifexpro.core.graph.migrate import migrate
from artifexpro.core.graph.node import Node
from artifexpro.core.graph.registry import Registry


class Checked(NamedTuple):
    """A node with its parameters. One that moves has its curve in `curves` and, in `node`, the value of the first key.

    `wires` are in the order of their sockets' names. `identity` is the same for equal types, versions, parameters and
    names of wired sockets, and for no others.
    """

    node: Node
    curves: Mapping[str, Curve]
    wires: Mapping[str, Wire]
    identity: bytes


@dataclass(frozen=True, slots=True)
class CheckedGraph:
    """Nodes by id, and those that could not be read with the reason."""

    nodes: Mapping[str, Checked]
    problems: tuple[NodeError, ...] = ()
    shown: Mapping[str, str] = field(default_factory=dict)
    """For each group's node, the node inside whose pictures it shows."""


def check_nodes(document: Document, registry: Registry) -> CheckedGraph:
    """Read every node of `document`. Raises nothing: what is wrong with a node is among the `problems`."""
    with no_collecting():
        return _check_all(document, registry)


def _check_all(document: Document, registry: Registry) -> CheckedGraph:
    flat = flatten(document)
    nodes: dict[str, Checked] = {}
    problems = list(flat.problems)
    for name, record in flat.records.items():
        declaration = registry.get(record.type)
        if declaration is None:
            problems.append(_unknown(name, record, registry))
            continue
        try:
            nodes[name] = check_node(name, migrate(name, record, declaration), declaration)
        except NodeError as problem:
            problems.append(problem)
        except _Problems as several:
            problems.extend(several.problems)
    return CheckedGraph(nodes, tuple(problems), flat.shown)


_STILL: Mapping[str, Curve] = MappingProxyType({})


def check_node(name: str, record: NodeRecord, declaration: type[Node]) -> Checked:
    """One node from its record, which is of the declaration's version. Raises `NodeError`."""
    params = record.params
    curves = _STILL
    if any(isinstance(value, dict) for value in params.values()):
        params, curves = _without_curves(name, params, declaration)
    try:
        node = declaration.model_validate(dict(params), strict=True)
    except ValidationError as error:
        raise _Problems([_wrong_parameter(name, declaration, dict(problem)) for problem in error.errors()]) from None
    identity = f"{declaration.type_name()}\0{declaration.version}\0{node.model_dump_json()}"
    for moving, curve in sorted(curves.items()):
        identity += f"\0{moving}{curve.to_json()}"
    wires = record.inputs
    if len(wires) > 1:
        wires = dict(sorted(wires.items()))
    return Checked(node, curves, wires, f"{identity}\0{','.join(wires)}\0".encode())


def check_edit(
    name: str, node: Node, curves: Mapping[str, Curve], wired: Iterable[str], values: Mapping[str, Any]
) -> Checked:
    """`node`, moved by `curves` and with the sockets and parameters `wired`, after its parameters in `values` were set.

    Raises `GraphError`.
    """
    params = {**node.model_dump(), **{moving: curve.to_json() for moving, curve in curves.items()}, **values}
    record = NodeRecord(node.type_name(), node.version, params, dict.fromkeys(wired, Wire("")))
    try:
        return check_node(name, record, type(node))
    except NodeError as problem:
        raise GraphError([problem]) from None
    except _Problems as several:
        raise GraphError(several.problems) from None


class _Problems(Exception):
    def __init__(self, problems: list[NodeError]) -> None:
        self.problems = problems


def _without_curves(
    name: str, params: Mapping[str, Any], declaration: type[Node]
) -> tuple[dict[str, Any], dict[str, Curve]]:
    """The parameters with each curve's first value in its place, and the curves that do move."""
    constants, curves = dict(params), {}
    moving = face(declaration).moving
    for parameter, value in params.items():
        if not isinstance(value, dict) or set(value) != {"curve"}:
            continue
        if parameter not in moving:
            if parameter in declaration.model_fields and _is_number(declaration, parameter):
                because = f"{parameter} of {declaration.type_name()} holds for the whole clip"
                raise NodeError(name, f"animate {parameter} of node {name}", because, "one number instead of a curve")
            continue
        try:
            curve = Curve.parse(value)
        except ArtifexError as error:
            raise NodeError(name, f"animate {parameter} of node {name}", error.because, error.remedy) from None
        limits = moving[parameter]
        _check_bounds(name, parameter, curve, limits)
        first = curve.keys[0].value
        constants[parameter] = round(first) if limits.whole else first
        if not curve.is_constant:
            curves[parameter] = curve
    return constants, curves


def _is_number(declaration: type[Node], parameter: str) -> bool:
    return declaration.model_fields[parameter].annotation in (int, float)


def _check_bounds(name: str, parameter: str, curve: Curve, limits: Limits) -> None:
    low, high = curve.bounds()
    too_low = limits.minimum is not None and low < limits.minimum
    too_high = limits.maximum is not None and high > limits.maximum
    if not too_low and not too_high:
        return
    reached, limit = (low, limits.minimum) if too_low else (high, limits.maximum)
    where = f"{reached:g}" if math.isfinite(reached) else "any number, as it goes on for ever outside its keys"
    raise NodeError(
        name,
        f"animate {parameter} of node {name}",
        f"the curve reaches {where} and {parameter} goes {'down' if too_low else 'up'} to {limit:g}",
        "a curve that stays in that range; bezier handles and lines outside the keys count too",
    )


def _unknown(name: str, record: NodeRecord, registry: Registry) -> NodeError:
    if reason := registry.reason(record.type):
        return NodeError(name, f"use node {name}", reason, "a repaired release of that package")
    close = registry.close_to(record.type)
    remedy = f'"{close}", if that was meant' if close else "installing the package that brings this node"
    return NodeError(name, f"use node {name}", f'no node is called "{record.type}" here', remedy)


def _wrong_parameter(name: str, declaration: type[Node], problem: Mapping[str, Any]) -> NodeError:
    where = ".".join(str(part) for part in problem["loc"]) or "parameters"
    known = ", ".join(declaration.model_fields) or "no parameters"
    if problem["type"] == "extra_forbidden":
        because = f'{declaration.type_name()} has no parameter "{where}"'
        return NodeError(name, f"set {where} of node {name}", because, f"one of: {known}")
    if problem["type"] == "missing":
        because = f"{declaration.type_name()} cannot do without it"
        return NodeError(name, f"read {where} of node {name}", because, f'giving "{where}" a value')
    said = str(problem["msg"])
    because = said[0].lower() + said[1:].rstrip(".")
    described = declaration.model_fields[where].description if where in declaration.model_fields else None
    remedy = f"a value that fits ({described.rstrip('.')})" if described else "a value that fits"
    return NodeError(name, f"set {where} of node {name} to {quoted(repr(problem['input']))}", because, remedy)


def sampled(node: Node, moving: Iterator[tuple[str, float, Limits]]) -> Node:
    """`node` with moving parameters as they are at one frame. Raises `ArtifexError` where a value leaves its range."""
    update: dict[str, float] = {}
    for name, value, limits in moving:
        low, high = limits.minimum, limits.maximum
        if not math.isfinite(value) or (low is not None and value < low) or (high is not None and value > high):
            raise ArtifexError(
                f"set {name} to {value:g}",
                f"{name} goes from {'any number' if low is None else low} to {'any number' if high is None else high}",
                "a control or curve that stays in that range, for example through a clamp",
            )
        update[name] = round(value) if limits.whole else value
    return node.model_copy(update=update)
