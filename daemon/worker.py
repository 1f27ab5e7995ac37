"""The process that runs jobs, one after the other: `python -m artifexpro.daemon.worker`.

It owns torch, so that running out of memory or a crash in a driver takes only this process with it. It speaks JSON
lines on the standard input and output it was started with; libraries that print go to the log. It ends when the
daemon does, however the daemon ended.
"""

from __future__ import annotations

import argparse
import logging
import os
import queue
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.graph.store import ResultStore
from artifexpro.core.memory import keep_freed
from artifexpro.core.protocol import Failure, JobRequest, JobResult
from artifexpro.daemon.home import Home
from artifexpro.daemon.line import Line, Said, die_with, step_back, take_standard_streams
from artifexpro.daemon.previews import Previews
from artifexpro.daemon.working import Job, WorkerContext

STORE_BYTES = 200_000_000_000
"""What clips and analyses kept from former jobs may take on the disk; those not used for longest go first."""
Runner = Callable[[JobRequest, WorkerContext], JobResult]
log = logging.getLogger(__name__)


class Orders:
    """What the daemon wants: jobs in order, and which of them not any more."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Said | None] = queue.SimpleQueue()
        self._cancelled: set[str] = set()

    def hear(self, said: Said) -> None:
        if said["op"] == "run":
            self._jobs.put(said)
        elif said["op"] == "cancel":
            self._cancelled.add(said["job"])
        else:
            self._jobs.put(None)

    def next_job(self) -> Said | None:
        return self._jobs.get()

    def is_cancelled(self, job: str) -> bool:
        return job in self._cancelled

    def done_with(self, job: str) -> None:
        self._cancelled.discard(job)


def run_job(
    said: Said,
    line: Line,
    orders: Orders,
    home: Home,
    runners: Mapping[str, Runner],
    previews: Previews,
    kept: dict[str, Any],
) -> None:
    """Run one job and say how it ended, whatever happens in it."""
    job = Job(said["job"], said["attempt"], Path(said["folder"]))

    def tell(what: str, **rest: Any) -> None:
        line.say(what, job=job.name, attempt=job.attempt, **rest)

    try:
        request = JobRequest.model_validate(said["request"])
        context = WorkerContext.for_job(
            request, job, Path(said["output"]), home, tell, lambda: orders.is_cancelled(job.name), previews, kept
        )
        context.check()
        result = runners[request.work.kind](request, context)
        tell("finished", result=result.model_dump(mode="json"))
    except Cancelled:
        tell("cancelled")
    except ArtifexError as error:
        tell("failed", error=Failure(**error.details()).model_dump(mode="json"))
    except Exception as error:
        log.exception("job %s stopped", job.name)
        tell("failed", error=_defect(error).model_dump(mode="json"))
    finally:
        orders.done_with(job.name)


def _defect(error: Exception) -> Failure:
    said = " ".join(str(error).split())[:500].rstrip(".") or "no reason given"
    return Failure(
        code="defect",
        attempted="run the job",
        because=f"it stopped with: {said}",
        remedy="the worker's log in the daemon's home, and reporting this as a defect",
    )


def serve(arguments: list[str], runners: Mapping[str, Runner]) -> int:
    """Run jobs until told to quit."""
    parser = argparse.ArgumentParser(prog="artifexpro.daemon.worker")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--lane", required=True)
    parser.add_argument("--parent", type=int, required=True)
    chosen = parser.parse_args(arguments)
    die_with(chosen.parent)
    keep_freed()
    step_back()
    orders = Orders()
    line = Line(*take_standard_streams(), orders.hear)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    home = Home(chosen.home)
    line.start()
    if chosen.lane == "gpu":
        store = ResultStore(home.store)
        store.sweep()
        store.trim(STORE_BYTES)
    line.say("ready", pid=os.getpid())
    previews = Previews()
    kept: dict[str, Any] = {}
    while (said := orders.next_job()) is not None:
        run_job(said, line, orders, home, runners, previews, kept)
    previews.close()
    return 0


def main() -> int:
    from artifexpro.daemon.runners import RUNNERS

    return serve(sys.argv[1:], RUNNERS)


if __name__ == "__main__":
    sys.exit(main())
