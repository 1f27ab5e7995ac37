"""One small function for each thing a client can ask.

An operation gets the desk (what the daemon has), who asks, and the body it checked; it answers with data, or with
`Later` where it has to look at something slow: that runs in a thread, and the daemon goes on serving.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from artifexpro.core.protocol import (
    PROTOCOL_VERSION,
    Accepted,
    JobRequest,
    JobResult,
    JobState,
    JobView,
    Operation,
)
from artifexpro.core.protocol.bodies import Hello, ListJobs, Nothing, PlanModel, Watch, WhichJob
from artifexpro.core.protocol.previews import EditPreview, LookAtPreview, OpenPreview, WhichPreview
from artifexpro.core.version import VERSION
from artifexpro.daemon import catalogue, doctor, reproduce
from artifexpro.daemon.ballast import Ballast
from artifexpro.daemon.estimate import estimate, likeness
from artifexpro.daemon.home import Home
from artifexpro.daemon.keys import KnownClients, User
from artifexpro.daemon.outbound import Peer
from artifexpro.daemon.queue import Placed, Queue
from artifexpro.daemon.supervisor import Supervisor
from artifexpro.daemon.viewing import Viewing

Answer = BaseModel | Mapping[str, Any]


@dataclass(frozen=True)
class Later:
    """`look` runs in a thread, on its own or in the order of submits; `then` makes the answer in the daemon's loop."""

    look: Callable[[], Any]
    then: Callable[[Any], Answer]
    thread: Literal["checks", "slow"]


@dataclass(frozen=True)
class Awaited:
    """`begin` is called at once, in the daemon's loop, with a function that takes the answer when it is there."""

    begin: Callable[[Callable[[Answer | Exception], None]], None]


@dataclass
class Desk:
    """What operations work with."""

    home: Home
    queue: Queue
    ballast: Ballast
    known: KnownClients
    supervisor: Supervisor
    viewing: Viewing
    admit: Callable[[JobRequest, Home], int | None]
    peers: Callable[[], int]
    stop: Callable[[], None]
    endpoint: str = ""
    public_key: str = ""
    began: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Asker:
    """Who asks, the connection that hears the job's events, and the request's id, the same when it is sent again."""

    user: User
    peer: Peer
    request: str


def hello(desk: Desk, asker: Asker, body: Hello) -> Answer:
    asker.peer.shared_memory = body.shared_memory
    return {"version": VERSION, "protocol": PROTOCOL_VERSION, "pid": os.getpid(), "user": asker.user.name}


def submit(desk: Desk, asker: Asker, body: JobRequest) -> Answer | Later:
    return _submit(desk, asker, body, reproduces=None)


def _submit(desk: Desk, asker: Asker, request: JobRequest, reproduces: str | None) -> Answer | Later:
    known = desk.queue.placed(request, asker.user.key)
    if known is not None:
        return _accepted(desk, asker, request, known, None)
    desk.ballast.restore()
    if (problem := desk.ballast.problem()) is not None:
        raise problem

    def store(disk_bytes: int | None) -> Answer:
        placed = desk.queue.submit(request, asker.user.key, reproduces=reproduces)
        return _accepted(desk, asker, request, placed, disk_bytes)

    return Later(lambda: desk.admit(request, desk.home), store, thread="checks")


def _accepted(desk: Desk, asker: Asker, request: JobRequest, placed: Placed, disk_bytes: int | None) -> Accepted:
    after = 0 if placed.duplicate else asker.peer.position
    asker.peer.watch([placed.job], after, desk.queue)
    expected = estimate(desk.queue.seconds_of_like(likeness(request.work)), disk_bytes)
    return Accepted(job=placed.job, state=placed.state, duplicate=placed.duplicate, estimate=expected)


def estimate_job(desk: Desk, asker: Asker, body: JobRequest) -> Answer | Later:
    """What `submit` would say of the same request, refusals included; nothing is stored."""
    past = desk.queue.seconds_of_like(likeness(body.work))
    return Later(lambda: desk.admit(body, desk.home), lambda disk: estimate(past, disk), thread="checks")


def list_jobs(desk: Desk, asker: Asker, body: ListJobs) -> Answer:
    views = [_with_progress(desk, view) for view in desk.queue.newest(body.states, body.limit)]
    return {"jobs": [view.model_dump(mode="json") for view in views]}


def show(desk: Desk, asker: Asker, body: WhichJob) -> Answer:
    return _with_progress(desk, desk.queue.view(body.job, whole=True))


def cancel(desk: Desk, asker: Asker, body: WhichJob) -> Answer:
    if desk.queue.surely(lambda: desk.queue.cancel(body.job)) is JobState.RUNNING:
        desk.supervisor.cancel(body.job)
    return _with_progress(desk, desk.queue.view(body.job))


def retry(desk: Desk, asker: Asker, body: WhichJob) -> Answer:
    desk.queue.retry(body.job)
    asker.peer.watch([body.job], asker.peer.position, desk.queue)
    return desk.queue.view(body.job)


def reproduce_job(desk: Desk, asker: Asker, body: WhichJob) -> Answer | Later:
    view = desk.queue.view(body.job, whole=True)
    if view.request is None or view.result is None:
        raise reproduce.not_finished(body.job, view.state)
    reproduce.refuse_overwriting(body.job, view.result, Path(view.request.output or desk.home.jobs / body.job))
    request = reproduce.again(view.request, f"reproduce-{asker.request}")
    return _submit(desk, asker, request, reproduces=body.job)


def compare_with_first(queue: Queue, job: str, result: JobResult) -> JobResult:
    """A finished reproduction says how it compares with the job it reproduces; other results stay as they are."""
    first = queue.reproduced(job)
    of = None if first is None else queue.view(first).result
    if first is None or of is None:
        return result
    return result.model_copy(update={"reproduction": reproduce.compare(first, of, result)})


def watch(desk: Desk, asker: Asker, body: Watch) -> Answer:
    if body.jobs is None:
        asker.peer.watch_all(body.after)
    else:
        for job in body.jobs:
            desk.queue.view(job)
        asker.peer.watch(body.jobs, body.after, desk.queue)
    return {"head": desk.queue.head()}


def status(desk: Desk, asker: Asker, body: Nothing) -> Answer:
    problem = desk.ballast.problem()
    return {
        "version": VERSION,
        "protocol": PROTOCOL_VERSION,
        "pid": os.getpid(),
        "endpoint": desk.endpoint,
        "home": str(desk.home.root),
        "seconds": round(time.monotonic() - desk.began, 3),
        "accepting": problem is None,
        "problem": None if problem is None else str(problem),
        "lanes": [_lane(lane) for lane in desk.supervisor.lanes.values()],
        "viewer": desk.viewing.status(),
        "queue": desk.queue.counts(),
        "connections": desk.peers(),
    }


def _lane(lane: Any) -> dict[str, Any]:
    return {
        "name": lane.name,
        "state": lane.state(),
        "pid": None if lane.worker is None else lane.worker.pid,
        "job": None if lane.claim is None else lane.claim.job,
    }


def open_preview(desk: Desk, asker: Asker, body: OpenPreview) -> Awaited:
    return Awaited(lambda settle: desk.viewing.open(asker.peer, body, settle))


def edit_preview(desk: Desk, asker: Asker, body: EditPreview) -> Answer:
    desk.viewing.edit(asker.peer, body)
    return {}


def look_at_preview(desk: Desk, asker: Asker, body: LookAtPreview) -> Answer:
    return {"superseded": desk.viewing.look(asker.peer, body)}


def preview_statistics(desk: Desk, asker: Asker, body: WhichPreview) -> Awaited:
    return Awaited(lambda settle: desk.viewing.statistics(asker.peer, body.session, settle))


def close_preview(desk: Desk, asker: Asker, body: WhichPreview) -> Answer:
    desk.viewing.close(asker.peer, body.session)
    return {}


def nodes(desk: Desk, asker: Asker, body: Nothing) -> Answer | Later:
    return Later(catalogue.nodes, lambda found: {"nodes": found}, thread="slow")


def models(desk: Desk, asker: Asker, body: Nothing) -> Answer | Later:
    return Later(lambda: catalogue.models(desk.home.models), lambda found: {"models": found}, thread="slow")


def plan(desk: Desk, asker: Asker, body: PlanModel) -> Answer | Later:
    return Later(lambda: catalogue.plan(body, desk.home.models), _as_it_is, thread="slow")


def examine(desk: Desk, asker: Asker, body: Nothing) -> Answer | Later:
    known = len(desk.known.all())
    return Later(
        lambda: doctor.examine(desk.home, desk.ballast, desk.endpoint, known),
        lambda checks: {"checks": checks},
        thread="slow",
    )


def _as_it_is(answer: Answer) -> Answer:
    return answer


def stop(desk: Desk, asker: Asker, body: Nothing) -> Answer:
    desk.stop()
    return {}


def _with_progress(desk: Desk, view: JobView) -> JobView:
    found = desk.supervisor.progress_of(view.job)
    return view if found is None else view.model_copy(update={"stage": found[0], "progress": found[1]})


@dataclass(frozen=True)
class Entry:
    """An operation: the model its body must fit, and the function that answers."""

    body: type[BaseModel]
    answer: Callable[..., Answer | Later | Awaited]


TABLE: Mapping[Operation, Entry] = {
    Operation.HELLO: Entry(Hello, hello),
    Operation.SUBMIT: Entry(JobRequest, submit),
    Operation.ESTIMATE: Entry(JobRequest, estimate_job),
    Operation.LIST: Entry(ListJobs, list_jobs),
    Operation.SHOW: Entry(WhichJob, show),
    Operation.CANCEL: Entry(WhichJob, cancel),
    Operation.RETRY: Entry(WhichJob, retry),
    Operation.REPRODUCE: Entry(WhichJob, reproduce_job),
    Operation.WATCH: Entry(Watch, watch),
    Operation.PREVIEW_OPEN: Entry(OpenPreview, open_preview),
    Operation.PREVIEW_EDIT: Entry(EditPreview, edit_preview),
    Operation.PREVIEW_LOOK: Entry(LookAtPreview, look_at_preview),
    Operation.PREVIEW_STATISTICS: Entry(WhichPreview, preview_statistics),
    Operation.PREVIEW_CLOSE: Entry(WhichPreview, close_preview),
    Operation.NODES: Entry(Nothing, nodes),
    Operation.MODELS: Entry(Nothing, models),
    Operation.PLAN: Entry(PlanModel, plan),
    Operation.STATUS: Entry(Nothing, status),
    Operation.DOCTOR: Entry(Nothing, examine),
    Operation.STOP: Entry(Nothing, stop),
}
