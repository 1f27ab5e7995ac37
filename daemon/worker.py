"""The process that runs jobs, one after the other: `python -m artifexpro.daemon.worker`.

It owns torch, so that running out of memory or a crash in a driver takes only this process with it. It speaks JSON
lines on the standard input and output it was started with; libraries that print go to the log. It ends when the
daemon does, however the daemon ended.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.graph.store import ResultStore
from artifexpro.core.protocol import Failure, JobRequest, JobResult
from artifexpro.daemon.home import Home
from artifexpro.daemon.previews import Previews
from artifexpro.daemon.working import Job, WorkerContext

Runner = Callable[[JobRequest, WorkerContext], JobResult]
Said = dict[str, Any]
log = logging.getLogger(__name__)
ALIVE_SECONDS = 1.0


class Line:
    """The daemon at the other end of two pipes."""

    def __init__(self, source: IO[bytes], sink: IO[bytes]) -> None:
        self._source = source
        self._sink = sink
        self._lock = threading.Lock()
        self._jobs: queue.SimpleQueue[Said | None] = queue.SimpleQueue()
        self._cancelled: set[str] = set()

    def start(self) -> None:
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        threading.Thread(target=self._beat, name="beat", daemon=True).start()

    def say(self, what: str, **rest: Any) -> None:
        """Send one message; without a daemon to hear it there is nothing left to work for."""
        text = json.dumps({"say": what, **rest}).encode() + b"\n"
        with self._lock:
            try:
                self._sink.write(text)
                self._sink.flush()
            except OSError:
                os._exit(1)

    def next_job(self) -> Said | None:
        return self._jobs.get()

    def is_cancelled(self, job: str) -> bool:
        return job in self._cancelled

    def done_with(self, job: str) -> None:
        self._cancelled.discard(job)

    def _listen(self) -> None:
        for line in self._source:
            said = json.loads(line)
            if said["op"] == "run":
                self._jobs.put(said)
            elif said["op"] == "cancel":
                self._cancelled.add(said["job"])
            else:
                self._jobs.put(None)
        os._exit(0)

    def _beat(self) -> None:
        while True:
            time.sleep(ALIVE_SECONDS)
            self.say("alive")


def run_job(said: Said, line: Line, home: Home, runners: Mapping[str, Runner], previews: Previews) -> None:
    """Run one job and say how it ended, whatever happens in it."""
    job = Job(said["job"], said["attempt"], Path(said["folder"]))

    def tell(what: str, **rest: Any) -> None:
        line.say(what, job=job.name, attempt=job.attempt, **rest)

    try:
        request = JobRequest.model_validate(said["request"])
        context = WorkerContext.for_job(
            request, job, Path(said["output"]), home, tell, lambda: line.is_cancelled(job.name), previews
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
        line.done_with(job.name)


def _defect(error: Exception) -> Failure:
    said = " ".join(str(error).split())[:500].rstrip(".") or "no reason given"
    return Failure(
        code="defect",
        attempted="run the job",
        because=f"it stopped with: {said}",
        remedy="the worker's log in the daemon's home, and reporting this as a defect",
    )


def die_with(parent: int) -> None:
    """End this process when its parent ends, even by kill -9 (Linux; elsewhere the closed input does it)."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def take_standard_streams() -> tuple[IO[bytes], IO[bytes]]:
    """The pipes to the daemon; afterwards descriptor 1 is the log, and descriptor 0 is empty."""
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return source, sink


def serve(arguments: list[str], runners: Mapping[str, Runner]) -> int:
    """Run jobs until told to quit."""
    parser = argparse.ArgumentParser(prog="artifexpro.daemon.worker")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--lane", required=True)
    parser.add_argument("--parent", type=int, required=True)
    chosen = parser.parse_args(arguments)
    die_with(chosen.parent)
    line = Line(*take_standard_streams())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    home = Home(chosen.home)
    line.start()
    if chosen.lane == "gpu":
        ResultStore(home.store).sweep()
    line.say("ready", pid=os.getpid())
    previews = Previews()
    while (said := line.next_job()) is not None:
        run_job(said, line, home, runners, previews)
    previews.close()
    return 0


def main() -> int:
    from artifexpro.daemon.runners import RUNNERS

    return serve(sys.argv[1:], RUNNERS)


if __name__ == "__main__":
    sys.exit(main())
