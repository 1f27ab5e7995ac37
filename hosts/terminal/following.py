"""From a submitted job to its end: progress on the way, Ctrl-C cancels it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from artifexpro.hosts.bridge.client import Client
from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.terminal.output import Failed, remark

_POLL_SECONDS = 0.05
_LINE_SECONDS = 5.0
_PATIENCE = 3.0
"""So long a line may be down before the daemon is started again: the bridge has tried by itself until then."""
_CANCEL_SECONDS = 60.0

Event = dict[str, Any]


class Show(Protocol):
    """Tells how far a job is."""

    def __call__(self, stage: str, done: float, total: float) -> None: ...


def run(client: Client, request: dict[str, Any]) -> tuple[str, Event]:
    """Submit a job and wait for its end; returns its name and its `JobResult`. Raises `Failed`."""
    accepted = client.submit(request)
    job = str(accepted["job"])
    _say_estimate(job, accepted.get("estimate") or {})
    return job, follow(client, job)


def follow(client: Client, job: str) -> Event:
    """Wait for the end of a job whose events this client hears. Raises `Failed` where it made nothing."""
    with _shown() as show:
        by_hand = False
        try:
            end = _wait(client, job, show)
        except KeyboardInterrupt:
            by_hand = True
            end = _cancel(client, job, show)
    if end["event"] == "failed":
        raise Failed(f"{BridgeError.from_failure(end['body']['error']).sentence()} (job {job})")
    if end["event"] == "cancelled":
        raise Failed(f"Job {job} was cancelled{' from the keyboard' if by_hand else ''}.")
    result: Event = end["body"]["result"]
    return result


def _wait(client: Client, job: str, show: Show, until: float | None = None) -> Event:
    down_since: float | None = None
    while True:
        for event in client.poll():
            if event["job"] != job:
                continue
            if event["event"] == "progress":
                show(event["body"]["stage"], event["body"]["done"], event["body"]["total"])
            elif event["event"] == "queued" and event["body"].get("because"):
                remark(f"Queued again: {event['body']['because']}.")
            elif event["event"] in ("finished", "failed", "cancelled"):
                return event
        down_since = _mind_line(client, down_since)
        if until is not None and time.monotonic() > until:
            raise Failed(f"Job {job} was told to stop and has not stopped yet: artifexpro jobs show {job}.")
        time.sleep(_POLL_SECONDS)


def _mind_line(client: Client, down_since: float | None) -> float | None:
    """Start the daemon again if it stays away: the job is in its queue, and goes on when it is back."""
    if client.trouble is None:
        return None
    now = time.monotonic()
    if down_since is not None and now - down_since > _PATIENCE:
        remark("The daemon is gone; starting it again.")
        client.connect()
        return None
    return down_since or now


def _cancel(client: Client, job: str, show: Show) -> Event:
    remark("Cancelling ...")
    client.post("job.cancel", {"job": job})
    return _wait(client, job, show, time.monotonic() + _CANCEL_SECONDS)


def _say_estimate(job: str, estimate: dict[str, Any]) -> None:
    said = []
    if estimate.get("seconds") is not None:
        said.append(f"about {estimate['seconds']:.0f} s")
    if estimate.get("disk_bytes") is not None:
        said.append(f"up to {estimate['disk_bytes'] / 1e6:.0f} MB on disk")
    remark(f"Job {job}" + (f": {', '.join(said)}." if said else "."))


@contextmanager
def _shown() -> Iterator[Show]:
    """A bar where a person watches, lines where a file does."""
    if sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield _Lines()


@contextmanager
def _bar() -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("waiting", total=None)
        last = ""

        def show(stage: str, done: float, total: float) -> None:
            nonlocal last
            if stage != last:
                progress.reset(task, description=stage, total=total)
                last = stage
            progress.update(task, completed=done, total=total)

        yield show


class _Lines:
    """The start and the end of each stage, and a line now and then between."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stage = ""
        self._at = 0.0

    def __call__(self, stage: str, done: float, total: float) -> None:
        now = self._clock()
        if stage == self._stage and done < total and now - self._at < _LINE_SECONDS:
            return
        self._stage, self._at = stage, now
        remark(f"{stage} {done:g} of {total:g}")
