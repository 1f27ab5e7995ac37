"""Which levers a clip is computed with on a machine: the first set of its profile's that fits, or the smallest.

Text and pictures are settled each for itself, because their levers touch no other stage: the text encoder goes to the
processor only where it does not fit, and frames are decoded in tiles only where whole ones do not fit. What a spec
itself asks for is never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from artifexpro.core.wan22 import profiles
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.levers import LEAST_TILE, Levers
from artifexpro.core.wan22.plan.cards import Card
from artifexpro.core.wan22.plan.measured import Measured
from artifexpro.core.wan22.plan.stages import Stage, staged, works
from artifexpro.core.wan22.request import ClipSpec

RAM_SHARE = 0.9
"""Of main memory, that a clip may take; the system and the artist's programs have the rest."""
TILES = (0, 512, 256)
"""Sides of decoded tiles in pixels that are tried, whole pictures first."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a plan is made for. `ram_gb` None is not known and not checked."""

    card: Card
    ram_gb: float | None = None
    measured: Measured = Measured()

    @property
    def has_card(self) -> bool:
        return self.card.vram_gb > 0

    def has_room(self, stage: Stage) -> bool:
        has_ram = self.ram_gb is None or stage.ram_gb <= RAM_SHARE * self.ram_gb
        return stage.vram_gb <= self.card.vram_gb and has_ram


def stages_of(spec: ClipSpec, model: ModelSpec, levers: Levers, machine: Machine) -> tuple[Stage, ...]:
    return tuple(staged(work, spec, levers, machine.card, machine.measured) for work in works(spec, model, levers))


def levers_for(spec: ClipSpec, model: ModelSpec, machine: Machine) -> Levers:
    """What the clip is computed with on `machine`; where nothing fits, what comes nearest."""

    def fits(levers: Levers, kind: str) -> bool:
        stages = stages_of(spec, model, levers, machine)
        return all(machine.has_room(stage) for stage in stages if stage.name.startswith(kind))

    chosen = _first(storages(spec, machine), lambda levers: fits(levers, "denoise"))
    if not machine.has_card:
        return chosen
    chosen = _first(texts(spec, chosen), lambda levers: fits(levers, "text"))
    return _first(tiles(spec, model, chosen), lambda levers: fits(levers, "decode"))


def storages(spec: ClipSpec, machine: Machine) -> list[Levers]:
    """The spec's levers with each way its profile allows to keep the networks, largest first; then without a step cache
    that only the profile wished, which keeps what it needs of the step before. On the processor nothing is offloaded:
    all is in its memory."""
    asked = spec.levers
    allowed = profiles.profile(spec.profile).storage
    if not machine.has_card:
        allowed = tuple(("none", quantise) for _, quantise in allowed)
    found = [
        replace(asked, offload=offload, quantise=quantise if asked.quantise == "none" else asked.quantise)
        for offload, quantise in dict.fromkeys(allowed)
        if asked.offload in ("none", offload)
    ]
    wished = profiles.profile(spec.profile).levers.cache
    if wished and asked.cache == wished:
        found += [replace(each, cache=0.0) for each in found]
    return list(dict.fromkeys(found)) or [asked]


def texts(spec: ClipSpec, levers: Levers) -> list[Levers]:
    """`levers` with the text encoder on the card and on the processor; only there where the profile says so."""
    there = replace(levers, text_on_cpu=True)
    wished = spec.levers.text_on_cpu or profiles.profile(spec.profile).levers.text_on_cpu
    return [there] if wished else [levers, there]


def tiles(spec: ClipSpec, model: ModelSpec, levers: Levers) -> list[Levers]:
    """`levers` with whole pictures and then smaller and smaller tiles, from the profile's on; whole ones alone
    where the picture is no larger than a tile."""
    if spec.levers.tile:
        return [levers]
    least = LEAST_TILE * model.vae.spatial
    begin = profiles.profile(spec.profile).levers.tile
    sides = TILES[TILES.index(begin) :] if begin else TILES
    helping = [side for side in sides if not side or _helps(side, least, spec)]
    return [replace(levers, tile=side) for side in helping or (0,)]


def _helps(side: int, least: int, spec: ClipSpec) -> bool:
    return side >= least and side < max(spec.width, spec.height)


def _first(candidates: Sequence[Levers], fits: Callable[[Levers], bool]) -> Levers:
    """The first that fits, else the last, which is the smallest."""
    return next((levers for levers in candidates if fits(levers)), candidates[-1])


def kept_as(candidates: Sequence[Levers], now: Levers) -> list[Levers]:
    """The candidates' ways to keep the networks, everything else as `now`."""
    return [
        replace(now, offload=each.offload, quantise=each.quantise, cache=min(now.cache, each.cache))
        for each in candidates
    ]
