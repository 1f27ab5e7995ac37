"""The bodies of requests that are not a `JobRequest`: what each operation may be told."""

from __future__ import annotations

from pydantic import Field

from artifexpro.core.protocol.base import Message
from artifexpro.core.protocol.jobs import ClientInfo, JobState


class Nothing(Message):
    """An operation that takes no settings refuses any."""


class Hello(Message):
    """`shared_memory` says that this client can open the daemon's shared memory: previews then come as a token."""

    client: ClientInfo = ClientInfo()
    shared_memory: bool = False


class ListJobs(Message):
    """The newest `limit` jobs, of all states or of those named."""

    states: tuple[JobState, ...] | None = None
    limit: int = Field(default=100, ge=1, le=1000)


class WhichJob(Message):
    job: str = Field(min_length=1, max_length=64)


class Watch(Message):
    """Send stored events after number `after`, then new ones as they come; `jobs` None is every job."""

    after: int = Field(default=0, ge=0)
    jobs: tuple[str, ...] | None = None


class PlanModel(Message):
    """What would a clip need? 0 and None stand for the preset's or the model's own value.

    `model` None is the one made for `task`, and without a task the one that makes noise. `vram_gb` is the size of the
    card in gigabytes; 0 is no card, None is the card of the daemon's machine, and so is `ram_gb` None its main memory.
    `card` is the name of a card that is asked about, as torch says it: what is known of its speed gives seconds.
    """

    model: str | None = None
    task: str | None = None
    preset: str = "Draft"
    profile: str = ""
    width: int = Field(default=0, ge=0)
    height: int = Field(default=0, ge=0)
    frames: int = Field(default=0, ge=0)
    steps: int = Field(default=0, ge=0)
    shift: float | None = None
    vram_gb: float | None = Field(default=None, ge=0)
    ram_gb: float | None = Field(default=None, ge=0)
    card: str = Field(default="", max_length=200)
