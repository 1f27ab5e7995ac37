"""Times and peaks of a clip as it is made, kept for the next plan.

A meter is the hooks of one clip: it hands everything on, and looks at the clock and at the card's memory around each
stage, without the stages inside it. What was cancelled or failed is not kept; nor is text whose embeddings were found
again, for then no encoder was loaded inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import catalogue
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.plan import measured
from artifexpro.core.wan22.plan.measured import Run
from artifexpro.core.wan22.plan.stages import PROCESSOR, Work, way, works
from artifexpro.core.wan22.request import ClipSpec

if TYPE_CHECKING:
    from torch import Tensor

KINDS = ("text", "encode", "denoise", "decode")


@dataclass
class Meter:
    """Hooks that measure. `device` is where the networks are computed."""

    hooks: Hooks
    device: Any
    seconds: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)
    _inner: list[float] = field(default_factory=list)

    def check(self) -> None:
        self.hooks.check()

    def progress(self, stage: str, done: int, total: int) -> None:
        self.hooks.progress(stage, done, total)

    def preview(self, pixels: Tensor) -> None:
        self.hooks.preview(pixels)

    def note(self, sentence: str) -> None:
        self.hooks.note(sentence)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        on_card = self.device.type == "cuda"
        if on_card:
            torch.cuda.synchronize(self.device)
            torch.cuda.reset_peak_memory_stats(self.device)
        began = perf_counter()
        self._inner.append(0.0)
        with self.hooks.stage(name):
            yield
            if on_card:
                torch.cuda.synchronize(self.device)
        whole, inner = perf_counter() - began, self._inner.pop()
        if self._inner:
            self._inner[-1] += whole
        if name == "text" and not inner:
            return
        self.seconds[name] = self.seconds.get(name, 0.0) + whole - inner
        if on_card:
            self.peaks[name] = max(self.peaks.get(name, 0), torch.cuda.max_memory_allocated(self.device))

    def keep(self, spec: ClipSpec, models: Path, *, only: tuple[str, ...] = KINDS) -> None:
        """Keep what was measured of a finished clip, computed as `spec.levers` say, beside `models`. `only` are the
        stages that were: not those that ran out of memory and went on in another way."""
        measured.add(models, self.runs(spec, only))

    def runs(self, spec: ClipSpec, only: tuple[str, ...] = KINDS) -> list[Run]:
        """The clip's stages as runs."""
        made = works(spec, catalogue.model(spec.model), spec.levers)
        done = [kind for kind in only if kind in self.seconds]
        return [self._run(kind, [each for each in made if each.kind == kind], spec) for kind in done]

    def _run(self, kind: str, made: list[Work], spec: ClipSpec) -> Run:
        here = self.device.type == "cuda" and not any(work.on_processor for work in made)
        return Run(
            card=torch.cuda.get_device_name(self.device) if here else PROCESSOR,
            stage=kind,
            model=spec.model,
            dtype=made[0].dtype,
            way=way(spec.levers, kind),
            flops=sum(work.operations for work in made),
            seconds=self.seconds[kind],
            predicted_bytes=max(work.weights + work.tensors for work in made),
            peak_bytes=self.peaks.get(kind, 0) if here else 0,
        )
