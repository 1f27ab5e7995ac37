"""Viewers: a session looks at one node of one graph, at any frame, while the graph is being edited.

Looks have numbers that only grow. A look that was asked before a newer one may never be answered: the newer one's
picture stands for both.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from artifexpro.core.protocol.base import Message
from artifexpro.core.protocol.jobs import Rate
from artifexpro.core.protocol.messages import PROTOCOL_VERSION, Failure, FrameToken

PREVIEW_SCALE = 0.25
MAX_CHANGES = 1000

SessionName = Field(min_length=1, max_length=64)


class PreviewRegion(Message):
    """A part of the picture in full-scale pixels, whatever the scale of the look; x to the right, y down."""

    x: int
    y: int
    width: int = Field(gt=0)
    height: int = Field(gt=0)


class OpenPreview(Message):
    """Look at `node` of `document`. `scale` and `region` are for looks that name none of their own.

    `view` "srgb" gives display-referred sRGB in 8 bits, "linear" half floats in the colour space of the stream. Both
    are RGBA, premultiplied; a matte comes as opaque grey, coverage as it is.
    """

    document: dict[str, Any]
    node: str = Field(min_length=1)
    scale: float = Field(default=PREVIEW_SCALE, gt=0, le=1)
    region: PreviewRegion | None = None
    view: Literal["srgb", "linear"] = "srgb"


class ParameterChange(Message):
    """New values of some parameters of one node."""

    node: str
    params: dict[str, Any]


class EditPreview(Message):
    """First the whole `document` is replaced, then `changes` are made, then another `node` is looked at; what is not
    named stays. No picture comes before the next look; what does not fit is told as that look's failure."""

    session: str = SessionName
    document: dict[str, Any] | None = None
    changes: tuple[ParameterChange, ...] = Field(default=(), max_length=MAX_CHANGES)
    node: str | None = Field(default=None, min_length=1)


class LookAtPreview(Message):
    """Show one frame. `scale` and `region` None are those the session was opened with."""

    session: str = SessionName
    number: int = Field(ge=1, le=2**53)
    frame: int
    scale: float | None = Field(default=None, gt=0, le=1)
    region: PreviewRegion | None = None


class WhichPreview(Message):
    session: str = SessionName


class PreviewInfo(Message):
    """The stream that is looked at: frames `first` to `last`, both included, exact rate, full-scale size, colour space.

    A `still` is one picture for all frames; an `endless` stream has any frame that is asked for.
    """

    first: int
    last: int
    rate: Rate
    width: int
    height: int
    space: str
    still: bool = False
    endless: bool = False


class PreviewOpened(Message):
    """The answer to `preview.open`. Where the graph cannot be shown as it is, `error` says why and at which node; the
    session is open all the same and shows the graph once an edit has mended it."""

    session: str
    info: PreviewInfo | None = None
    error: Failure | None = None


class PreviewFrame(Message):
    """A picture. Until `final` a better one of the same look may follow.

    `scale` is that of this picture, smaller than what was asked for as long as it is not final. `region` is the part
    shown, in pixels at that scale; None is the whole. `seconds` is how long it took the viewing process.
    """

    number: int
    frame: int
    scale: float
    region: PreviewRegion | None = None
    token: FrameToken
    seconds: float
    final: bool
    info: PreviewInfo
    notes: tuple[str, ...] = ()


class PreviewFailed(Message):
    """Why a look has no picture. The session goes on: the next edit or look is a new chance."""

    number: int
    error: Failure


class PreviewClosed(Message):
    """The daemon ended the session; `because` is a clause."""

    because: str


class NodeStatistics(Message):
    """What a node has cost this session: pictures computed, pictures found in memory instead, seconds of computing,
    bytes it holds in memory."""

    node: str
    runs: int = 0
    hits: int = 0
    seconds: float = 0.0
    bytes: int = 0


class PreviewStatistics(Message):
    """The answer to `preview.statistics`. `superseded` counts looks that a newer one took the place of."""

    nodes: tuple[NodeStatistics, ...] = ()
    pictures: int = 0
    superseded: int = 0


class PreviewEventKind(StrEnum):
    FRAME = "preview.frame"
    FAILED = "preview.failed"
    CLOSED = "preview.closed"


class PreviewEvent(Message):
    """Daemon to the client that opened the session, unasked and never stored: a client that reads slowly gets the
    newest only. The body is a `PreviewFrame`, `PreviewFailed` or `PreviewClosed`."""

    v: int = PROTOCOL_VERSION
    event: PreviewEventKind
    session: str
    body: dict[str, Any] = {}
