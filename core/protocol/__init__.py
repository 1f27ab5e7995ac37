"""What adapters and the daemon say to each other, as data.

A message is a JSON header (`Request`, `Reply` or `Event`) followed by raw binary parts. Hosts build the same
JSON with the standard library alone; `docs/protocol.schema.json` is the contract they share, written by
`python -m artifexpro.core.protocol.schema`.
"""

from artifexpro.core.protocol.jobs import (
    Accepted,
    Artefact,
    ClientInfo,
    ColorContract,
    ConvertModel,
    Estimate,
    FetchModel,
    FrameRange,
    InputFile,
    JobRequest,
    JobResult,
    JobState,
    JobView,
    Rate,
    RenderGraph,
    Reproduction,
    StageTime,
    Target,
    VerifyModel,
    Work,
)
from artifexpro.core.protocol.messages import (
    PROTOCOL_VERSION,
    Event,
    EventKind,
    Failure,
    FrameToken,
    Operation,
    Reply,
    Request,
    check_version,
)

__all__ = [
    "PROTOCOL_VERSION",
    "Accepted",
    "Artefact",
    "ClientInfo",
    "ColorContract",
    "ConvertModel",
    "Estimate",
    "Event",
    "EventKind",
    "Failure",
    "FetchModel",
    "FrameRange",
    "FrameToken",
    "InputFile",
    "JobRequest",
    "JobResult",
    "JobState",
    "JobView",
    "Operation",
    "Rate",
    "RenderGraph",
    "Reply",
    "Reproduction",
    "Request",
    "StageTime",
    "Target",
    "VerifyModel",
    "Work",
    "check_version",
]
