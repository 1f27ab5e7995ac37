"""A worker whose jobs are told what to do by their document: {"double": {"steps": 3, "seconds": 0.01, ...}}."""

from __future__ import annotations

import os
import signal
import sys
import time
from hashlib import sha256
from typing import Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.protocol import Artefact, JobRequest, JobResult, RenderGraph
from artifexpro.daemon.worker import serve
from artifexpro.daemon.working import WorkerContext


def orange(width: int, height: int) -> Any:
    import torch

    return torch.tensor([1.5, 0.5, -0.1]).expand(height, width, 3)


def run(request: JobRequest, context: WorkerContext) -> JobResult:
    assert isinstance(request.work, RenderGraph)
    orders = request.work.document["double"]
    for step in range(orders.get("steps", 1)):
        if not orders.get("deaf"):
            context.check()
        if "picture" in orders:
            context.preview(orange(*orders["picture"]))
        context.progress("double", step, orders.get("steps", 1))
        (context.output / f"step.{step}").touch()
        time.sleep(orders.get("seconds", 0.0))
    if "die_until" in orders and context.job.attempt < orders["die_until"]:
        os.kill(os.getpid(), signal.SIGKILL)
    if "refuse" in orders:
        raise ArtifexError("make a double", orders["refuse"], "another one", code="double")
    if "raise" in orders:
        raise ValueError(orders["raise"])
    if orders.get("print"):
        print("libraries print what they like", flush=True)
    text = orders.get("text", "made") + (str(time.time_ns()) if orders.get("differs") else "")
    file = context.output / "made.txt"
    part = file.with_suffix(".part")
    part.write_text(text)
    part.replace(file)
    artefact = Artefact(path=str(file), role="still", node="double", sha256=sha256(text.encode()).hexdigest())
    notes = (f"attempt {context.job.attempt}", f"torch {'torch' in sys.modules}")
    return JobResult(artefacts=(artefact,), recipe={"text": text}, notes=notes)


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1:], {"graph": run, "models.verify": run}))
