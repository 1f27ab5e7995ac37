"""Bringing a saved node up to the version that is installed.

Migrations stand beside the node, as `Node.migrations`: from version n a function of the record, as a rule one of those
made here, to version n + 1. They run whenever a graph is compiled and leave the document itself alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.document import Document
from artifexpro.core.graph.errors import NodeError
from artifexpro.core.graph.node import Node
from artifexpro.core.graph.records import NodeRecord
from artifexpro.core.graph.registry import Registry

Migration = Callable[[NodeRecord], NodeRecord]


def migrate(name: str, record: NodeRecord, declaration: type[Node]) -> NodeRecord:
    """The record of node `name` as version `declaration.version` would have saved it; `record` is left alone.

    Raises `NodeError` where it was saved by a newer version, a step is missing, or a step fails.
    """
    newest = declaration.version
    if record.version == newest and record.type == declaration.type_name():
        return record
    if record.version > newest:
        because = f"it was saved by version {record.version} of {record.type} and version {newest} is here"
        raise NodeError(name, f"use node {name}", because, "updating this installation")
    if record.version < newest:
        record = deepcopy(record)
    for version in range(record.version, newest):
        record = replace(_stepped(name, record, declaration, version), version=version + 1)
    return replace(record, type=declaration.type_name())


def _stepped(name: str, record: NodeRecord, declaration: type[Node], version: int) -> NodeRecord:
    attempted = f"bring node {name} from version {record.version} of {record.type} to version {declaration.version}"
    step = declaration.migrations.get(version)
    if step is None:
        raise NodeError(
            name,
            attempted,
            f"{declaration.type_name()} does not say how version {version} becomes version {version + 1}",
            f"the release that saved it, or a new {declaration.type_name()} in its place",
        )
    try:
        return step(record)
    except Exception as error:
        raise NodeError.at(name, error, attempted) from error


def upgraded(document: Document, registry: Registry) -> tuple[Document, list[NodeError]]:
    """`document` with every node that can be saved as its installed version, and why others stayed as they are.

    What an editor shows: compiling does the same without being asked and without changing the document.
    """
    problems: list[NodeError] = []
    nodes = dict(document.nodes)
    for name, record in document.nodes.items():
        declaration = registry.get(record.type)
        if declaration is None:
            continue
        try:
            nodes[name] = migrate(name, record, declaration)
        except NodeError as problem:
            problems.append(problem)
    return Document(nodes, document.groups), problems


def unchanged(record: NodeRecord) -> NodeRecord:
    """The step to a version that reads older nodes as they are."""
    return record


def renamed_param(old: str, new: str) -> Migration:
    """The step to a version in which parameter `old` is called `new`. A control that drives it stays connected."""

    def step(record: NodeRecord) -> NodeRecord:
        params, inputs = _renamed(record.params, old, new), _renamed(record.inputs, old, new)
        return replace(record, params=params, inputs=inputs)

    return step


def renamed_input(old: str, new: str) -> Migration:
    """The step to a version in which input `old` is called `new`."""
    return lambda record: replace(record, inputs=_renamed(record.inputs, old, new))


def removed_param(name: str) -> Migration:
    """The step to a version without parameter `name`, which changed nothing any more."""
    return lambda record: replace(record, params=_without(record.params, name), inputs=_without(record.inputs, name))


def changed(name: str, function: Callable[[Any], Any], default: Any = None) -> Migration:
    """The step to a version in which parameter `name` means something else: `function` of the old value is the new.

    A curve changes at its keys, handles with them, as far as `function` is a straight line there; `default` is what
    the old version took where nothing was saved, None where the new version's default means the same.
    A parameter that a control drives is refused at the node: what comes by a wire cannot be changed here.
    """

    def step(record: NodeRecord) -> NodeRecord:
        if name in record.inputs:
            because = f"{name} means something else since and a control drives it"
            raise ArtifexError(f"set {name}", because, f"connecting the control to {name} of a new node of this kind")
        old = record.params.get(name, default)
        if old is None:
            return record
        new = _changed_curve(old["curve"], function) if isinstance(old, dict) and "curve" in old else function(old)
        return replace(record, params={**record.params, name: new})

    return step


def in_turn(*steps: Migration) -> Migration:
    """Several steps to one version, in their order."""

    def step(record: NodeRecord) -> NodeRecord:
        for each in steps:
            record = each(record)
        return record

    return step


def _changed_curve(curve: Mapping[str, Any], function: Callable[[Any], Any]) -> dict[str, Any]:
    keys = []
    for key in curve["keys"]:
        value = function(key["value"])
        moved = {**key, "value": value}
        for side in ("left", "right"):
            if key.get(side) is not None:
                frames, rise = key[side]
                moved[side] = [frames, function(key["value"] + rise) - value]
        if "amplitude" in key:
            moved["amplitude"] = abs(function(key["value"] + key["amplitude"]) - value)
        keys.append(moved)
    return {"curve": {**curve, "keys": keys}}


def _renamed(table: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    return {new if name == old else name: value for name, value in table.items()}


def _without(table: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {each: value for each, value in table.items() if each != name}
