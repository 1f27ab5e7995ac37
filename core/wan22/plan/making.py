"""The plan of a clip: what would happen, whether it fits, and what would fit instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from artifexpro.core.wan22 import catalogue
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.plan import measured, stages
from artifexpro.core.wan22.plan.cards import Card
from artifexpro.core.wan22.plan.choosing import Machine, levers_for, stages_of
from artifexpro.core.wan22.plan.memory import GB
from artifexpro.core.wan22.plan.stages import PROCESSOR, Stage
from artifexpro.core.wan22.presets import PRESETS
from artifexpro.core.wan22.request import ClipSpec


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer to "will it run here", and how: `levers` are what the clip is computed with.

    `seconds` are of all stages, without reading weights from the disk; None where a stage's are not known. `written_gb`
    is what the clip itself puts on the disk, part of `disk_gb`. `basis` says what the numbers rest on.
    """

    fits: bool
    reason: str
    stages: tuple[Stage, ...]
    peak_vram_gb: float
    disk_gb: float
    seconds: float | None
    peak_ram_gb: float
    written_gb: float
    levers: Levers
    basis: str
    nearest: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain data in the shape of `models plan --json`."""
        return asdict(self)


def make(
    spec: ClipSpec, vram_gb: float, models: Path | None = None, ram_gb: float | None = None, *, card: str = ""
) -> Plan:
    """The plan for `spec` on a card of `vram_gb` (0 is no card: everything is in RAM, `ram_gb` of it if known).

    With `models`, disk space counts only what is not there yet, and what runs here measured is used. `card` is the
    card's name as torch says it. Never loads anything. Raises `ArtifexError` where the measurements are damaged.
    """
    machine = Machine(Card(vram_gb, card if vram_gb else PROCESSOR), ram_gb, measured.read(models))
    model = catalogue.model(spec.model)
    return planned(spec, levers_for(spec, model, machine), machine, models)


def planned(spec: ClipSpec, levers: Levers, machine: Machine, models: Path | None = None) -> Plan:
    """The plan for `spec` computed with just these `levers`."""
    model = catalogue.model(spec.model)
    made = stages_of(spec, model, levers, machine)
    known = [stage.seconds for stage in made if stage.seconds is not None]
    crowded = [stage for stage in made if not machine.has_room(stage)]
    nearest = _nearest(spec, machine) if crowded else ""
    return Plan(
        fits=not crowded,
        reason=_refusal(spec, machine, crowded, levers, nearest)
        if crowded
        else _fitting(made, machine, says(levers, spec.levers)),
        stages=made,
        peak_vram_gb=max(stage.vram_gb for stage in made),
        disk_gb=stages.disk(spec, model, models) / GB,
        seconds=sum(known) if len(known) == len(made) else None,
        peak_ram_gb=max(stage.ram_gb for stage in made),
        written_gb=stages.written(spec, model) / GB,
        levers=levers,
        basis=_basis(spec, machine, len(known) == len(made)),
        nearest=nearest,
    )


def _fitting(made: tuple[Stage, ...], machine: Machine, how: str) -> str:
    if machine.has_card:
        return f"fits the card{f': {how}' if how else ''}"
    need = max(stage.ram_gb for stage in made)
    return f"fits the processor, without a card, in {need:.1f} GB of memory, slowly{f': {how}' if how else ''}"


def says(levers: Levers, wished: Levers = Levers()) -> str:  # noqa: B008
    """What `levers` do about memory, in words; empty where they do nothing. `wished` are those before."""
    said = ["every step is computed whole"] if wished.cache and not levers.cache else []
    if levers.offload == "block":
        said.append("the networks come to the card block by block")
    if levers.offload == "model":
        said.append("the networks wait in memory")
    if levers.quantise != "none":
        said.append(f"their weights are stored in {'8 bits' if levers.quantise == 'int8' else '8 bit floats'}")
    if levers.text_on_cpu:
        said.append("text is read on the processor")
    if levers.tile:
        said.append(f"pictures are decoded in tiles of {levers.tile} pixels")
    return ", ".join(said)


def _refusal(spec: ClipSpec, machine: Machine, crowded: list[Stage], levers: Levers, nearest: str) -> str:
    worst = max(crowded, key=lambda stage: max(stage.vram_gb, stage.ram_gb))
    on_card = worst.vram_gb > machine.card.vram_gb
    need = worst.vram_gb if on_card else worst.ram_gb
    size = machine.card.vram_gb if on_card else machine.ram_gb or 0.0
    has = f"{'the card' if on_card else 'this machine'} has {size:.3g} GB"
    held = " and ".join((*worst.resident, *(name for name in worst.offloaded if name not in worst.resident)))
    how = says(levers, spec.levers)
    return (
        f"stage {worst.name} needs {need:.1f} GB for {held} at {spec.width}x{spec.height}, {spec.frames} frames"
        f"{f', although {how}' if how else ''}, and {has}; {nearest}"
    )


def _basis(spec: ClipSpec, machine: Machine, timed: bool) -> str:
    said = "weights counted, tensors by arithmetic on the real classes' shapes"
    card = machine.card
    runs = [run for run in machine.measured.runs if run.card == card.name and run.model == spec.model]
    if runs:
        return f"{said}, seconds from {len(runs)} stages measured here"
    if not timed:
        what = card.name or f"a card of {card.vram_gb:g} GB of an unknown make"
        return f"{said}, no seconds: nothing is known of the speed of {what if machine.has_card else 'this processor'}"
    return f"{said}, seconds predicted from the card's published peak"


def _nearest(spec: ClipSpec, machine: Machine) -> str:
    for candidate in _smaller(spec):
        model = catalogue.model(candidate.model)
        levers = levers_for(candidate, model, machine)
        if all(machine.has_room(stage) for stage in stages_of(candidate, model, levers, machine)):
            return (
                f"the nearest that fits is {candidate.model} at {candidate.width}x{candidate.height}, "
                f"{candidate.frames} frames"
            )
    return "nothing smaller fits either"


def _smaller(spec: ClipSpec) -> Iterator[ClipSpec]:
    """The same clip made smaller: first size and length with the same model, then other models of the same task."""
    able = [
        other
        for other in catalogue.CATALOGUE.values()
        if spec.task in other.tasks and other.later is None and not (other.random or other.embedded)
    ]
    for model in sorted(able, key=lambda other: (other.name != spec.model, -other.parameters)):
        yield from _sizes(spec, model)


def _sizes(spec: ClipSpec, model: ModelSpec) -> Iterator[ClipSpec]:
    sizes = sorted({(spec.width, spec.height), *model.sizes.values()}, key=lambda size: -size[0] * size[1])
    lengths = sorted({spec.frames, *(preset.frames for preset in PRESETS.values())}, reverse=True)
    levers = spec.levers if model.name == spec.model else replace(spec.levers, loras=())
    for width, height in sizes:
        if width * height > spec.width * spec.height or width % model.multiple or height % model.multiple:
            continue
        for frames in lengths:
            if frames <= spec.frames:
                yield replace(spec, model=model.name, width=width, height=height, frames=frames, levers=levers)
