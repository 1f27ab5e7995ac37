"""The stages of one clip, each tried again with less memory when the card runs out of it.

What is finished stays: embeddings, encoded clips, the steps taken so far and the frames already handed out.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import plan, prepared
from artifexpro.core.wan22.here import Here
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.loading import Loader
from artifexpro.core.wan22.request import ClipSpec

T = TypeVar("T")


@dataclass
class Attempts:
    """`loader` has the levers in use now; `stages` are those that ran out of memory on the way."""

    spec: ClipSpec
    loader: Loader
    here: Here
    models: Path
    hooks: Hooks
    stages: set[str] = field(default_factory=set)

    def go(self, stage: str, work: Callable[[Loader], T]) -> T:
        """What `work` makes with the loader, called again with the next one down each time memory runs out.

        Raises `ArtifexError` (code "memory") when nothing smaller is left.
        """
        while True:
            try:
                return work(self.loader)
            except torch.OutOfMemoryError as error:
                why = str(error)
            self.step_down(stage, why)

    def step_down(self, stage: str, why: str = "") -> None:
        """On to less memory for `stage`, and tell the artist. Call it outside the handler of the error, which keeps
        hold of what filled the memory."""
        self.stages.add(stage)
        self.loader.kept.clear()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        for following in plan.ladder(
            self.spec,
            self.here.vram_gb,
            self.models,
            self.here.ram_gb,
            stage=stage,
            levers=self.loader.levers,
            card=self.here.card,
        ):
            levers = following.plan.levers
            if self._can(replace(self.spec, levers=levers)):
                self.hooks.note(following.sentence)
                self.loader = replace(self.loader, levers=levers, kept={})
                return
        raise ArtifexError(
            f"{stage} {self.spec.frames} frames of {self.spec.width} x {self.spec.height} with {self.spec.model}",
            f"the card ran out of memory and nothing that needs less is left to try ({' '.join(why.split())[:200]})",
            "closing other programs that use the card, or a smaller or shorter clip",
            code="memory",
        )

    def _can(self, spec: ClipSpec) -> bool:
        """Whether this machine can do what the spec's levers say."""
        loader = self.loader
        try:
            prepared.check(spec, loader.model, loader.folder, loader.device, loader.formats.transformer)
        except ArtifexError:
            return False
        return True
