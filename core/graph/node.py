"""How a node is declared.

A node is a pydantic class: its fields are its parameters, its docstring is its help, its class variables say which
wires go in and out. What it does is one method, and which one depends on its kind: see `core.graph.kinds`.

Rules, checked over all nodes by a test: inputs are never changed in place; the same parameters and inputs give the
same output; what touches the world outside is a sink or says so by `fingerprint`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from artifexpro.core.graph.records import NodeRecord
from artifexpro.core.graph.values import SocketType


@dataclass(frozen=True, slots=True)
class Socket:
    """One end of a wire. An `optional` input may stay unconnected."""

    name: str
    type: SocketType
    optional: bool = False


class Length:
    """Marks a parameter as a distance in full-scale pixels; the engine scales it with the request."""


Pixels = Annotated[float, Length()]


def parameter(
    default: Any,
    doc: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    unit: str = "",
    animatable: bool = False,
) -> Any:
    """A node's parameter: its default, what it does in one sentence, its range and unit."""
    extra: dict[str, Any] = {"unit": unit, "animatable": animatable}
    return Field(default, description=doc, ge=minimum, le=maximum, json_schema_extra=extra)


class Node(BaseModel):
    """Base of all nodes. The class's name is the node's type in documents, for ever: see `type_name`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    package: ClassVar[str] = ""
    """Of a node from an installed package, the name under which that package offers it; set when it is loaded."""
    category: ClassVar[str] = ""
    version: ClassVar[int] = 1
    inputs: ClassVar[tuple[Socket, ...]] = ()
    outputs: ClassVar[tuple[Socket, ...]] = (Socket("out", SocketType.VIDEO),)
    depends_on_time: ClassVar[bool] = False
    """Whether the output differs from frame to frame even when no input does."""
    example: ClassVar[Mapping[str, Any]] = {}
    """Parameters that show the node at work, for the catalogue and the documentation."""
    migrations: ClassVar[Mapping[int, Callable[[NodeRecord], NodeRecord]]] = {}
    """For each older version, the step from it to the next, as `core.graph.migrate` makes them. Documents stay as they
    are; a record of an old version goes through the steps whenever its graph is compiled."""
    formerly: ClassVar[tuple[str, ...]] = ()
    """Type names that documents may still have for this node. Not inherited."""

    @classmethod
    def type_name(cls) -> str:
        """The class's name, after the package's and a dot for nodes that other packages bring."""
        return f"{cls.package}.{cls.__name__}" if cls.package else cls.__name__

    @classmethod
    def help(cls) -> str:
        return inspect.cleandoc(cls.__doc__ or "")

    @classmethod
    def socket(cls, name: str) -> Socket | None:
        return next((socket for socket in cls.inputs if socket.name == name), None)

    @classmethod
    def output(cls, name: str) -> Socket | None:
        return next((socket for socket in cls.outputs if socket.name == name), None)

    @classmethod
    def lengths(cls) -> tuple[str, ...]:
        """Names of the parameters that are distances in pixels."""
        return _lengths(cls)

    def at_scale(self, scale: float) -> Self:
        """This node with its distances in pixels of a picture at `scale`."""
        if scale == 1.0 or not (names := _lengths(type(self))):
            return self
        return self.model_copy(update={name: getattr(self, name) * scale for name in names})

    def preflight(self, context: Preflight) -> None:
        """Refuse what can be known before work starts: a missing file, an empty prompt. Raises `ArtifexError`.

        Runs in the daemon: reads file names and declarations, never pixels.
        """

    def fingerprint(self, context: Preflight) -> str:
        """Identity of what the node reads outside the graph, part of its key: a file's path, size and time; the
        hashes of a model's weights as its manifest has them."""
        return ""

    def provenance(self, models: Path) -> Mapping[str, Any]:
        """What a recipe must say beyond type, version and parameters: model and hashes, input hashes.

        May read whole files; the worker calls it once a job.
        """
        return {}


@cache
def _lengths(declaration: type[Node]) -> tuple[str, ...]:
    fields = declaration.model_fields
    return tuple(name for name, info in fields.items() if any(isinstance(mark, Length) for mark in info.metadata))


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a node may look at before it runs: which of its input sockets are wired, where weights lie."""

    wired: frozenset[str]
    models: Path
