"""The envelope: requests, replies, events, and how versions are compared."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from artifexpro.core.errors import ArtifexError
from artifexpro.core.protocol.base import Message

PROTOCOL_VERSION = 1


class Operation(StrEnum):
    """Everything a client can ask. Each has a right of its own in `daemon.rights`; what is not listed is refused."""

    HELLO = "hello"
    SUBMIT = "job.submit"
    ESTIMATE = "job.estimate"
    LIST = "job.list"
    SHOW = "job.show"
    CANCEL = "job.cancel"
    RETRY = "job.retry"
    REPRODUCE = "job.reproduce"
    WATCH = "job.watch"
    PREVIEW_OPEN = "preview.open"
    PREVIEW_EDIT = "preview.edit"
    PREVIEW_LOOK = "preview.look"
    PREVIEW_STATISTICS = "preview.statistics"
    PREVIEW_CLOSE = "preview.close"
    NODES = "catalogue.nodes"
    MODELS = "models.list"
    PLAN = "models.plan"
    STATUS = "daemon.status"
    DOCTOR = "daemon.doctor"
    STOP = "daemon.stop"


class EventKind(StrEnum):
    """What can happen to a job. Progress and previews are passing; all others are stored and can be asked for again."""

    QUEUED = "queued"
    STARTED = "started"
    PROGRESS = "progress"
    PREVIEW = "preview"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Request(Message):
    """Client to daemon. `id` is the client's own; the reply carries it back, and sending it again is safe."""

    v: int
    id: str = Field(min_length=1, max_length=64)
    op: str
    body: dict[str, Any] = {}


class Failure(Message):
    """Why something was refused or failed, in an artist's words. `code` is stable; `node` names a graph's node."""

    code: str
    attempted: str
    because: str
    remedy: str
    node: str | None = None

    @property
    def sentence(self) -> str:
        return f"Attempted to {self.attempted}. Failed because {self.because}. Try {self.remedy}."


class Reply(Message):
    """Daemon to client, one for each request: `body` when `ok`, else `error`."""

    v: int = PROTOCOL_VERSION
    id: str
    ok: bool
    body: dict[str, Any] = {}
    error: Failure | None = None


class Event(Message):
    """Daemon to client, unasked. `seq` grows by the order things happened; it is 0 for progress and previews."""

    v: int = PROTOCOL_VERSION
    event: EventKind
    job: str
    seq: int = 0
    body: dict[str, Any] = {}


class FrameToken(Message):
    """Where a frame lies in shared memory, or in binary part `part` of this message when `segment` is None.

    Pixels are RGBA, rows top to bottom, tightly packed, `dtype` float16 or uint8.
    """

    segment: str | None = None
    slot: int = 0
    generation: int = 0
    part: int | None = None
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    dtype: Literal["float16", "uint8"] = "float16"
    space: str = "srgb_tx"


def check_version(theirs: int, *, who: str, release: str) -> None:
    """Refuse a peer that speaks another protocol.

    `who` is "client" or "daemon", `release` its product version. Raises `ArtifexError` (code "version") with a
    sentence that names both protocol versions.
    """
    if theirs == PROTOCOL_VERSION:
        return
    older = "this side" if theirs > PROTOCOL_VERSION else f"the {who}"
    raise ArtifexError(
        f"talk to a {who} of release {release} that speaks protocol {theirs}",
        f"this side speaks protocol {PROTOCOL_VERSION}, and one release does not guess what another means",
        f"updating {older}, so that both speak the same protocol",
        code="version",
    )
