"""What a running node may ask of the job it runs in.

The worker implements it; tests and `artifexpro render` in a script use `QuietContext`. A node never finds out
paths, models or cancellation by any other way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from artifexpro.core.protocol import ColorContract, FrameRange, StageTime, Target

if TYPE_CHECKING:
    import torch


class JobContext(Protocol):
    """The job as a node sees it."""

    output: Path
    """Where relative output paths start."""
    store: Path
    """Results of generators and analyses, a folder per key; survives restarts, shared by all jobs."""
    models: Path
    """Weights on disk, a folder per model."""
    color: ColorContract
    frames: FrameRange | None
    """What sinks write; None is all their stream has. Handles are already in it."""
    target: Target | None
    recipe: dict[str, Any]
    """How the result can be made again; goes into headers and sidecars."""
    kept: dict[str, Any]
    """What took long to load and may serve later jobs of the same process, by who put it there."""

    def check(self) -> None:
        """Raise `Cancelled` if the job was cancelled. Long work calls it at each step."""

    def progress(self, stage: str, done: int, total: int) -> None:
        """Tell how far `stage` is; cheap enough to call for every frame."""

    def preview(self, pixels: torch.Tensor) -> None:
        """Show a picture on the way: (H, W, 3), float, display-referred sRGB in 0..1."""

    def note(self, sentence: str) -> None:
        """A sentence the artist must see with the result."""

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Time the block as `name` in the job's report."""


@dataclass
class QuietContext:
    """A context without an audience: collects notes and times, is cancelled by nobody."""

    output: Path
    store: Path
    models: Path
    color: ColorContract = ColorContract()
    frames: FrameRange | None = None
    target: Target | None = None
    recipe: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    stages: list[StageTime] = field(default_factory=list)

    def check(self) -> None:
        pass

    def progress(self, stage: str, done: int, total: int) -> None:
        pass

    def preview(self, pixels: torch.Tensor) -> None:
        pass

    def note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = perf_counter()
        try:
            yield
        finally:
            self.stages.append(StageTime(name=name, seconds=perf_counter() - began))
