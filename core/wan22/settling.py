"""From a profile's wishes to levers that act on this machine.

Each wish is asked about by itself, of the same checks that refuse a lever which somebody set by hand: what cannot act
is left out and said, and a lever that was set by hand is never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import prepared, profiles
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.request import ClipSpec

if TYPE_CHECKING:
    from torch import device as Device
    from torch import dtype as DType

FASTEST = ("sage", "flash3", "cudnn", "flash")
"""Attention back ends, the fastest first."""


_NAMES = {
    "attention": "faster attention",
    "compile": "compiled blocks",
    "parallel": "other cards",
    "ema": "averaged weights",
}


def settled(
    spec: ClipSpec, model: ModelSpec, folder: Path, device: Device, dtype: DType, note: Callable[[str], None]
) -> ClipSpec:
    """`spec` with what its profile wishes of this machine and these weights, as far as it can act; `note` hears what
    was left out and why."""
    chosen, plain = profiles.profile(spec.profile), Levers()
    if chosen.levers.compile and device.type != "cuda":
        note(f"{chosen.name} without faster attention and compiled blocks: they need a card.")
    for name, ways in _wishes(chosen, model, device):
        if getattr(spec.levers, name) != getattr(plain, name):
            continue
        why = ""
        for way in ways:
            wished = replace(spec, levers=replace(spec.levers, **way))
            why = _refused(wished, model, folder, device, dtype)
            if not why:
                spec = wished
                break
        if why:
            note(f"{chosen.name} without {_NAMES[name]}: {why}.")
    return spec


def _refused(spec: ClipSpec, model: ModelSpec, folder: Path, device: Device, dtype: DType) -> str:
    """Why the spec's levers cannot act; empty where they can."""
    try:
        prepared.check(spec, model, folder, device, dtype)
    except ArtifexError as error:
        return error.because
    return ""


def _wishes(chosen: profiles.Profile, model: ModelSpec, device: Device) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """What is wished: a lever, and the ways to have it, the best first."""
    on_card = device.type == "cuda"
    if chosen.fastest_attention and on_card:
        yield "attention", [{"attention": name} for name in FASTEST]
    if chosen.all_cards and on_card and torch.cuda.device_count() > 1:
        counts = [count for count in range(torch.cuda.device_count(), 1, -1) if model.transformer.heads % count == 0]
        yield "parallel", [{"parallel": count, "cache": 0.0} for count in counts]
    if chosen.levers.compile and on_card:
        yield "compile", [{"compile": True}]
    if chosen.averaged:
        yield "ema", [{"ema": True}]
