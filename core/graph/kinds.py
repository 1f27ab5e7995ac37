"""The kinds of nodes. They differ in the one method that does the work:

- `FrameNode.render`: one picture from pictures of its inputs; most nodes. Three special ones save work:
  `PointNode.point`, where each pixel depends on that pixel alone, runs of which are computed in one pass;
  `AffineNode.matrix`, where pixels only move, runs of which are one resampling.
- `SourceNode.read`: pictures from outside the graph.
- `GeneratorNode.generate`: a whole clip made once, kept on disk by key, then read frame by frame.
- `ValueNode.evaluate`: sound, data or a control, made once and lazy by itself.
- `AnalysisNode.analyse`: data from a whole clip, made once, kept on disk by key.
- `SinkNode.write`: takes a stream out of the graph.

Two questions are asked before a picture is computed, each with a default: `identity` (hand an input on untouched)
and `needs` (which frames and regions of the inputs one request takes).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from artifexpro.core.graph.context import JobContext
from artifexpro.core.graph.division import Division
from artifexpro.core.graph.node import Node, Socket
from artifexpro.core.graph.values import (
    DataPayload,
    FrameRequest,
    ImageBuffer,
    Picture,
    SocketType,
    StreamInfo,
    Value,
)
from artifexpro.core.protocol import Artefact

if TYPE_CHECKING:
    from numpy.typing import NDArray

Lane = Literal["cpu", "gpu", "io"]
"""Where a node's work waits its turn: processor cores, the graphics card, or files and devices."""


class FrameNode(Node):
    """One picture out of pictures of its inputs."""

    lane: ClassVar[Lane] = "cpu"

    def identity(self) -> str | None:
        """The input socket whose stream is handed on untouched, if these parameters change nothing."""
        return None

    def needs(self, request: FrameRequest, infos: Mapping[str, StreamInfo]) -> Mapping[str, tuple[FrameRequest, ...]]:
        """For each wired input of pictures, the requests that one output picture takes. By default the same one.

        `self` has its distances at `request.scale` and its moving parameters as they are at `request.frame`.
        """
        return dict.fromkeys(infos, (request,))

    def describe(self, infos: Mapping[str, StreamInfo]) -> StreamInfo:
        """Range, rate, size and space of the output, by default those of the first input that is not a still.

        Raises `ArtifexError` where the inputs do not fit together.
        """
        wired = [infos[socket.name] for socket in self.inputs if socket.name in infos]
        return next((info for info in wired if not info.still), wired[0])

    def render(self, request: FrameRequest, *_: Any, **inputs: Any) -> Picture:
        """The picture. `self` is as in `needs`.

        `inputs` has, by wired socket, one picture (where `needs` asked for several, a tuple of them) or, for sound,
        data and controls, the value itself.
        """
        raise NotImplementedError(f"{self.type_name()} does not define render()")


class PointNode(FrameNode):
    """Each pixel of the output from that same pixel of the inputs, wherever it lies and whatever is around it.

    The engine may hand over any part of a picture and runs several such nodes over one part after the other while it
    is warm in the processor's cache.
    """

    def is_pointwise(self, infos: Mapping[str, StreamInfo]) -> bool:
        """Whether that holds for these inputs; where it does not, the node is computed as any `FrameNode`."""
        return True

    def point(self, *_: Any, **inputs: Any) -> Picture:
        """Any part of the picture, from the same part of each input. Never writes to what it was given."""
        raise NotImplementedError(f"{self.type_name()} does not define point()")

    def render(self, request: FrameRequest, *_: Any, **inputs: Any) -> Picture:
        return self.point(**inputs)


class StraightNode(PointNode):
    """Acts on the colour of one picture as it is without alpha. In a straight run of such nodes alpha is divided out
    once and multiplied in once.
    """

    def straight(self, picture: ImageBuffer, *, opaque: bool, free: bool) -> ImageBuffer:
        """Any part of the picture, alpha divided out: it is 1, and 0 where there was no coverage, or `opaque`
        everywhere. The result may take the place of `picture` if that is `free`."""
        raise NotImplementedError(f"{self.type_name()} does not define straight()")

    def weights(self) -> NDArray[Any] | None:
        """Of a node that, with these parameters, makes red, green and blue each a weighted sum of the four channels and
        leaves alpha: the (3, 4) weights. A straight run of such nodes is one sum, by the product of their weights,
        which the last of them computes by `mixed`, with or without alpha in the colour."""
        return None

    def mixed(self, picture: ImageBuffer, weights: NDArray[Any]) -> ImageBuffer:
        """`picture` under the `weights` of a run."""
        raise NotImplementedError(f"{self.type_name()} does not define mixed()")

    def point(self, *_: Any, **inputs: Any) -> ImageBuffer:
        (picture,) = inputs.values()
        weights = self.weights()
        if weights is not None:
            return self.mixed(picture, weights)
        straight, division = Division.of(picture)
        made = self.straight(straight, opaque=division.opaque, free=not division.opaque)
        return division.undone(made)


class AffineNode(FrameNode):
    """Moves pixels by an affine map. A straight run of such nodes is computed as one, by the product of their maps:
    nothing is softened twice and nothing that leaves the picture on the way is lost. The last of them that `decides`
    says how pixels between pixels are computed."""

    decides: ClassVar[bool] = True

    def matrix(self, request: FrameRequest, info: StreamInfo) -> NDArray[Any]:
        """The 3 x 3 map from old to new pixel coordinates at `request.scale`, (0, 0) being the centre of the upper
        left pixel."""
        raise NotImplementedError(f"{self.type_name()} does not define matrix()")

    def resample(self, request: FrameRequest, picture: Picture, matrix: NDArray[Any]) -> Picture:
        """`picture`, the whole input, with its pixels moved by `matrix`; of the result what `request` asks for."""
        raise NotImplementedError(f"{self.type_name()} does not define resample()")


class SourceNode(Node):
    """Pictures from outside the graph."""

    lane: ClassVar[Lane] = "io"

    def describe(self) -> StreamInfo:
        """Range, rate, size and space. Opens the source; raises `ArtifexError` if it cannot be read."""
        raise NotImplementedError(f"{self.type_name()} does not define describe()")

    def read(self, request: FrameRequest) -> Picture:
        """One picture at the request's scale, in `describe().space`. Called from one thread at a time."""
        raise NotImplementedError(f"{self.type_name()} does not define read()")


class GeneratorNode(Node):
    """A whole clip made once. The result lies in a folder named by the node's key and is never made twice."""

    lane: ClassVar[Lane] = "io"
    """The lane in which finished frames are read; a clip is generated on the card once there is room on it."""

    def peak_vram(self, infos: Mapping[str, Any]) -> int:
        """Bytes of the card's memory that `generate` takes at most. 0 for what does not touch the card."""
        return 0

    def describe(self, infos: Mapping[str, Any]) -> StreamInfo:
        """What the clip will be, from the parameters and inputs alone.

        `infos` has, by wired socket, the `StreamInfo` of pictures and the `AudioInfo` of sound.
        """
        raise NotImplementedError(f"{self.type_name()} does not define describe()")

    def generate(self, context: JobContext, folder: Path, halfway: Path, *_: Any, **inputs: Any) -> None:
        """Make the clip in `folder` (empty at the start) from streams. The engine publishes the folder when this
        returns.

        What lies in `halfway` is there again if this attempt fails and the clip is asked for once more; the folder is
        made by who needs it and goes when the clip is published.
        """
        raise NotImplementedError(f"{self.type_name()} does not define generate()")

    def read(self, folder: Path, request: FrameRequest) -> Picture:
        """One picture of the finished clip at the request's scale."""
        raise NotImplementedError(f"{self.type_name()} does not define read()")

    def remember(self, context: JobContext, folder: Path) -> None:
        """Say again what the result's audience must know (notes), when the clip was made by an earlier job."""

    def record(self, context: JobContext, folder: Path) -> None:
        """Put into the recipe what only making the clip could settle: the same whether this job made it or another."""


class ValueNode(Node):
    """Sound, data or a control from sound, data and controls. Its inputs are never pictures: see `AnalysisNode`."""

    def evaluate(self, *_: Any, **inputs: Any) -> Value:
        """The value, of the type of the node's output. Cheap: what takes long happens when it is sampled."""
        raise NotImplementedError(f"{self.type_name()} does not define evaluate()")


class AnalysisNode(Node):
    """Data from whole streams, made once. The result lies on disk by the node's key and is never made twice."""

    outputs: ClassVar[tuple[Socket, ...]] = (Socket("out", SocketType.DATA),)

    def analyse(self, context: JobContext, *_: Any, **inputs: Any) -> DataPayload:
        """The result, from a `VideoStream` or value for each wired input. Long work calls `context.check()`."""
        raise NotImplementedError(f"{self.type_name()} does not define analyse()")


class SinkNode(Node):
    """Takes a stream out of the graph."""

    outputs: ClassVar[tuple[Socket, ...]] = ()
    refers: ClassVar[bool] = False
    """Whether it refers to files that other sinks write: it then runs after them."""

    def write(self, context: JobContext, *_: Any, **inputs: Any) -> tuple[Artefact, ...]:
        """Write what `context.frames` asks for (already checked to be in the stream) and say what was made.

        Files appear whole or not at all: written beside their place and renamed.
        """
        raise NotImplementedError(f"{self.type_name()} does not define write()")
