"""What to do after the card ran out of memory all the same: the next smaller way to compute the clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from artifexpro.core.wan22 import catalogue
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.plan import choosing, measured
from artifexpro.core.wan22.plan.cards import Card
from artifexpro.core.wan22.plan.choosing import Machine, levers_for, stages_of
from artifexpro.core.wan22.plan.making import Plan, planned, says
from artifexpro.core.wan22.request import ClipSpec


@dataclass(frozen=True, slots=True)
class Step:
    """The next plan, and the sentence for the artist that says what is different from now on."""

    plan: Plan
    sentence: str


def ladder(
    spec: ClipSpec,
    vram_gb: float,
    models: Path | None = None,
    ram_gb: float | None = None,
    *,
    stage: str,
    levers: Levers | None = None,
    card: str = "",
) -> Iterator[Step]:
    """Plans after `stage` ("text", "encode", "denoise" or "decode") ran out of memory, each predicted to need less of
    the card in that stage than the one before; ends where nothing less is left.

    `levers` are those in use when it happened, by default those that `make` chooses; the others are as for `make`.
    Levers of other stages stay as they are, so that what is finished stays valid. Plans whose memory the machine does
    not have are passed over.
    """
    machine = Machine(Card(vram_gb, card), ram_gb, measured.read(models))
    model = catalogue.model(spec.model)
    now = levers or levers_for(spec, model, machine)
    need = _need(spec, model, now, machine, stage)
    for following in _following(spec, model, now, machine, stage):
        less = _need(spec, model, following, machine, stage)
        plan = planned(spec, following, machine, models)
        if less < need and (ram_gb is None or plan.peak_ram_gb <= ram_gb):
            yield Step(plan, _sentence(stage, now, following))
            now, need = following, less


def _following(spec: ClipSpec, model: ModelSpec, now: Levers, machine: Machine, stage: str) -> Sequence[Levers]:
    if stage == "text":
        return choosing.texts(spec, now)
    if stage == "decode":
        return choosing.tiles(spec, model, now)
    if stage == "denoise":
        return choosing.kept_as(choosing.storages(spec, machine), now)
    return ()


def _need(spec: ClipSpec, model: ModelSpec, levers: Levers, machine: Machine, stage: str) -> float:
    return max(
        (each.vram_gb for each in stages_of(spec, model, levers, machine) if each.name.split(" ")[0] == stage),
        default=0.0,
    )


def _sentence(stage: str, before: Levers, after: Levers) -> str:
    done = {"text": "reading the text", "encode": "encoding", "denoise": "denoising", "decode": "decoding"}[stage]
    new = ", ".join(part for part in says(after, before).split(", ") if part not in says(before).split(", "))
    return f"The card ran out of memory while {done}; from here on {new}."
