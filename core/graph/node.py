"""How a node is declared.

A node is a pydantic class: its fields are its parameters, its docstring is its help, its class variables say which
wires go in and out. Four kinds differ in the one method they define:

- `FrameNode.render`: one frame from the same frame of its inputs; most nodes.
- `SourceNode.read`: frames from outside the graph.
- `GeneratorNode.generate`: a whole clip made once, kept on disk by key, then read frame by frame.
- `SinkNode.write`: takes the stream out of the graph.

Two questions are asked before work, each with a default: `identity` (hand an input on untouched) and `needs` (which
frames and regions of the inputs one request takes).

Rules, checked over all nodes by a test: inputs are never changed in place; the same parameters and inputs give the
same output; what touches the world outside is a sink or says so by `fingerprint`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from artifexpro.core.graph.context import JobContext
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, SocketType, StreamInfo, VideoStream
from artifexpro.core.protocol import Artefact


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
    """Base of all nodes. The class's name is the node's type in documents, for ever."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    category: ClassVar[str] = ""
    version: ClassVar[int] = 1
    inputs: ClassVar[tuple[Socket, ...]] = ()
    outputs: ClassVar[tuple[Socket, ...]] = (Socket("out", SocketType.VIDEO),)
    depends_on_time: ClassVar[bool] = False
    """Whether the output differs from frame to frame even when no input does."""
    example: ClassVar[Mapping[str, Any]] = {}
    """Parameters that show the node at work, for the catalogue and the documentation."""

    @classmethod
    def type_name(cls) -> str:
        return cls.__name__

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
        return tuple(name for name, info in cls.model_fields.items() if _is_length(info))

    def at_scale(self, scale: float) -> Node:
        """This node with its distances in pixels of a picture at `scale`."""
        if scale == 1.0 or not (names := self.lengths()):
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


def _is_length(info: FieldInfo) -> bool:
    return any(isinstance(mark, Length) for mark in info.metadata)


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a node may look at before it runs: which of its input sockets are wired, where weights lie."""

    wired: frozenset[str]
    models: Path


class FrameNode(Node):
    """One frame out of the same frame of each input."""

    def identity(self) -> str | None:
        """The input socket whose stream is handed on untouched, if these parameters change nothing."""
        return None

    def needs(self, request: FrameRequest, infos: Mapping[str, StreamInfo]) -> Mapping[str, tuple[FrameRequest, ...]]:
        """For each wired input, the requests that one output frame takes. By default the same frame and region."""
        return dict.fromkeys(infos, (request,))

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        """Range, rate, size and space of the output, by default those of the first wired input.

        Raises `ArtifexError` where the inputs do not fit together.
        """
        return next(infos[socket.name] for socket in self.inputs if socket.name in infos)

    def render(self, request: FrameRequest, **inputs: ImageBuffer) -> ImageBuffer:
        """The picture. `self` already has its distances at `request.scale`.

        `inputs` has one buffer a wired socket; where `needs` asked for several frames of one, a tuple of them.
        """
        raise NotImplementedError(f"{self.type_name()} does not define render()")


class SourceNode(Node):
    """Frames from outside the graph."""

    def describe(self) -> StreamInfo:
        """Range, rate, size and space. Opens the source; raises `ArtifexError` if it cannot be read."""
        raise NotImplementedError(f"{self.type_name()} does not define describe()")

    def read(self, request: FrameRequest) -> ImageBuffer:
        """One frame at the request's scale, in `describe().space`. Called from one thread at a time."""
        raise NotImplementedError(f"{self.type_name()} does not define read()")


class GeneratorNode(Node):
    """A whole clip made once. The result lies in a folder named by the node's key and is never made twice."""

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        """What the clip will be, from the parameters and inputs alone."""
        raise NotImplementedError(f"{self.type_name()} does not define describe()")

    def generate(self, context: JobContext, folder: Path, halfway: Path, **inputs: VideoStream) -> None:
        """Make the clip in `folder` (empty at the start). The engine publishes the folder when this returns.

        What lies in `halfway` is there again if this attempt fails and the clip is asked for once more; the folder is
        made by who needs it and goes when the clip is published.
        """
        raise NotImplementedError(f"{self.type_name()} does not define generate()")

    def read(self, folder: Path, request: FrameRequest) -> ImageBuffer:
        """One frame of the finished clip at the request's scale."""
        raise NotImplementedError(f"{self.type_name()} does not define read()")

    def remember(self, context: JobContext, folder: Path) -> None:
        """Say again what the result's audience must know (notes), also when the clip was made by an earlier job."""


class SinkNode(Node):
    """Takes a stream out of the graph."""

    outputs: ClassVar[tuple[Socket, ...]] = ()
    refers: ClassVar[bool] = False
    """Whether it refers to files that other sinks write: it then runs after them."""

    def write(self, context: JobContext, **inputs: VideoStream) -> tuple[Artefact, ...]:
        """Write what `context.frames` asks for (already checked to be in the stream) and say what was made.

        Files appear whole or not at all: written beside their place and renamed.
        """
        raise NotImplementedError(f"{self.type_name()} does not define write()")
