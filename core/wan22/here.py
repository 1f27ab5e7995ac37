"""This machine as a plan takes it: the card that is used, and main memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import plan
from artifexpro.core.wan22.plan import Plan
from artifexpro.core.wan22.request import ClipSpec

GIB = float(1 << 30)


@dataclass(frozen=True, slots=True)
class Here:
    """Gigabytes of the card (0 without one) and of main memory, and the card's name as torch says it."""

    vram_gb: float
    ram_gb: float
    card: str = ""

    def plan(self, spec: ClipSpec, models: Path | None = None) -> Plan:
        return plan.make(spec, self.vram_gb, models, self.ram_gb, card=self.card)


def machine(device: Any) -> Here:
    """What `device` is a part of. Memory is counted as its makers do, in powers of two called gigabytes, which leaves
    plans the seven percent that they need beside what they count."""
    ram = psutil.virtual_memory().total / GIB
    if device.type != "cuda":
        return Here(0.0, ram)
    card = torch.cuda.get_device_properties(device)
    return Here(card.total_memory / GIB, ram, card.name)


def fitting(spec: ClipSpec, here: Here, models: Path) -> ClipSpec:
    """`spec` computed as the plan for this machine says. Raises `ArtifexError` (code "memory") where nothing fits."""
    made = here.plan(spec, models)
    if not made.fits:
        raise ArtifexError(
            f"generate {spec.frames} frames of {spec.width} x {spec.height} with {spec.model}",
            made.reason.removesuffix(made.nearest).rstrip("; "),
            made.nearest,
            code="memory",
        )
    return replace(spec, levers=made.levers)
