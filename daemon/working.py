"""What a job in a worker sees of the world: `core.graph.context.JobContext`, by messages to the daemon."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.graph.context import QuietContext
from artifexpro.core.protocol import Artefact, FrameRange, InputFile, JobRequest, JobResult
from artifexpro.daemon.home import Home
from artifexpro.daemon.previews import Previews

if TYPE_CHECKING:
    import torch

PROGRESS_SECONDS = 0.05
PREVIEW_SECONDS = 0.2


class Tell(Protocol):
    """Sends a message about the job."""

    def __call__(self, what: str, **rest: Any) -> None: ...


@dataclass(frozen=True)
class Job:
    """Its name, which attempt this is, its own folder in the daemon's home."""

    name: str
    attempt: int
    folder: Path


@dataclass
class WorkerContext(QuietContext):
    """Tells the daemon of progress and previews, and stops the job when it was cancelled."""

    job: Job = field(kw_only=True)
    tell: Tell = field(kw_only=True)
    is_cancelled: Callable[[], bool] = field(kw_only=True)
    previews: Previews = field(kw_only=True)
    _told: tuple[str, float] = ("", 0.0)
    _shown: float = 0.0

    @classmethod
    def for_job(
        cls,
        request: JobRequest,
        job: Job,
        output: Path,
        home: Home,
        tell: Tell,
        is_cancelled: Callable[[], bool],
        previews: Previews,
        kept: dict[str, Any],
    ) -> WorkerContext:
        """Makes the job's folders, clears what a killed attempt left half-written in its own, checks its input files.

        Raises `ArtifexError`.

        A job to be made afresh gets a store of its own, in which nothing is kept from before.
        """
        try:
            for folder in (job.folder, output):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArtifexError(
                f"write to {output}", f"the folder cannot be made ({error.strerror})", "another output folder"
            ) from error
        for left in job.folder.rglob(".*.part*"):
            left.unlink()
        for file in request.inputs:
            check_input(file)
        return cls(
            output=output,
            store=job.folder / "store" if request.fresh else home.store,
            models=home.models,
            color=request.color,
            frames=_frames(request),
            target=request.target,
            job=job,
            tell=tell,
            is_cancelled=is_cancelled,
            previews=previews,
            kept=kept,
        )

    def check(self) -> None:
        if self.is_cancelled():
            raise Cancelled

    def progress(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        told_stage, told_at = self._told
        if stage == told_stage and done < total and now - told_at < PROGRESS_SECONDS:
            return
        self._told = (stage, now)
        self.tell("progress", stage=stage, done=done, total=total)

    def preview(self, pixels: torch.Tensor) -> None:
        now = time.monotonic()
        if now - self._shown < PREVIEW_SECONDS:
            return
        self._shown = now
        try:
            token = self.previews.share(pixels)
        except ArtifexError as error:
            self.note(f"There were no previews: {error.because}.")
            return
        self.tell("preview", frame=token.model_dump(mode="json"))

    def result(self, *artefacts: Artefact) -> JobResult:
        """What the job hands over, with the times and notes that were told here."""
        return JobResult(artefacts=artefacts, stages=tuple(self.stages), notes=tuple(self.notes))


def _frames(request: JobRequest) -> FrameRange | None:
    if request.work.kind != "graph":
        return None
    from artifexpro.core.project.render import frames_to_write

    return frames_to_write(request)


def check_input(file: InputFile) -> None:
    """Refuse a job's input that is missing or not the one that was meant."""
    try:
        if file.sha256 is None:
            with Path(file.path).open("rb"):
                return
        with Path(file.path).open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise ArtifexError(
            f"read {file.path}",
            f"it cannot be opened ({error.strerror})",
            "a file that exists and may be read",
            code="file",
        ) from error
    if found != file.sha256:
        raise ArtifexError(
            f"read {file.path}",
            "its content is not what it was when the job was sent",
            "sending the job again, if the new content is meant",
            code="file",
        )
