"""What the engine asks of a node class again and again, found out once a class."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from types import NoneType
from typing import Any, get_args

from artifexpro.core.graph.kinds import (
    AffineNode,
    AnalysisNode,
    FrameNode,
    GeneratorNode,
    PointNode,
    SinkNode,
    SourceNode,
    ValueNode,
)
from artifexpro.core.graph.node import Node
from artifexpro.core.graph.values import CHANNELS, SocketType


class Role(Enum):
    """How a step is computed."""

    FRAME = auto()
    POINT = auto()
    AFFINE = auto()
    SOURCE = auto()
    GENERATOR = auto()
    VALUE = auto()
    ANALYSIS = auto()
    SINK = auto()


_ROLES = {
    PointNode: Role.POINT,
    AffineNode: Role.AFFINE,
    FrameNode: Role.FRAME,
    SourceNode: Role.SOURCE,
    GeneratorNode: Role.GENERATOR,
    ValueNode: Role.VALUE,
    AnalysisNode: Role.ANALYSIS,
    SinkNode: Role.SINK,
}
FRAME_ROLES = frozenset({Role.FRAME, Role.POINT, Role.AFFINE})


@dataclass(frozen=True, slots=True)
class Limits:
    """The range of a numeric parameter; None is without end. `whole` ones take whole numbers."""

    minimum: float | None
    maximum: float | None
    whole: bool


@dataclass(frozen=True, slots=True)
class Face:
    """One node class as the engine sees it."""

    role: Role
    inputs: Mapping[str, SocketType]
    required: frozenset[str]
    output: SocketType | None
    pictures: tuple[str, ...]
    """Inputs that carry pictures."""
    values: tuple[str, ...]
    """Inputs that carry sound, data or controls."""
    moving: Mapping[str, Limits]
    """Parameters that may change from frame to frame."""
    has_identity: bool
    has_needs: bool
    has_description: bool
    has_fingerprint: bool
    is_plain: bool
    """Whether its output is described by its inputs alone and everything it gets is pictures."""
    lane: str

    @property
    def gives_pictures(self) -> bool:
        return self.output in CHANNELS


@cache
def face(declaration: type[Node]) -> Face:
    """The face of a node class. Raises `TypeError` for a class of no kind."""
    role = next((role for kind, role in _ROLES.items() if issubclass(declaration, kind)), None)
    if role is None:
        raise TypeError(f"{declaration.__name__} is none of the kinds in core.graph.kinds")
    inputs = {socket.name: socket.type for socket in declaration.inputs}
    values = tuple(name for name, kind in inputs.items() if kind not in CHANNELS)
    described = _overrides(declaration, FrameNode, "describe")
    return Face(
        role=role,
        inputs=inputs,
        required=frozenset(socket.name for socket in declaration.inputs if not socket.optional),
        output=declaration.outputs[0].type if declaration.outputs else None,
        pictures=tuple(name for name, kind in inputs.items() if kind in CHANNELS),
        values=values,
        moving=_moving(declaration) if role in FRAME_ROLES else {},
        has_identity=_overrides(declaration, FrameNode, "identity"),
        has_needs=role is Role.AFFINE or _overrides(declaration, FrameNode, "needs"),
        has_description=described,
        has_fingerprint=_overrides(declaration, Node, "fingerprint"),
        is_plain=role in FRAME_ROLES and not described and not values and not declaration.depends_on_time,
        lane=getattr(declaration, "lane", "cpu"),
    )


def _overrides(declaration: type[Node], base: type[Node], method: str) -> bool:
    return issubclass(declaration, base) and getattr(declaration, method) is not getattr(base, method)


def _moving(declaration: type[Node]) -> dict[str, Limits]:
    found = {}
    for name, info in declaration.model_fields.items():
        extra: Any = info.json_schema_extra
        if extra and extra.get("animatable"):
            kinds = [kind for kind in get_args(info.annotation) or (info.annotation,) if kind is not NoneType]
            low = next((mark.ge for mark in info.metadata if hasattr(mark, "ge")), None)
            high = next((mark.le for mark in info.metadata if hasattr(mark, "le")), None)
            found[name] = Limits(low, high, kinds == [int])
    return found


def problem_of(declaration: type[Node]) -> str | None:
    """Why a class cannot be a node, or None."""
    if inspect.isabstract(declaration) or not declaration.category or not declaration.help():
        return f"node {declaration.type_name()} has no category or no docstring"
    try:
        about = face(declaration)
    except TypeError as error:
        return str(error)
    if len(declaration.outputs) > 1 or (about.role is not Role.SINK and not declaration.outputs):
        return f"node {declaration.type_name()} must have one output"
    if clash := set(about.inputs) & set(declaration.model_fields):
        return f"node {declaration.type_name()} calls an input and a parameter {min(clash)}"
    if about.role is Role.VALUE and about.pictures:
        return f"node {declaration.type_name()} makes a value from pictures, which only an analysis may"
    return None
