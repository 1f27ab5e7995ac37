"""The node library and the models as clients get them: what there is, what is on disk, what a clip would need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from artifexpro.core.protocol.bodies import PlanModel
from artifexpro.daemon import machine


def nodes() -> list[dict[str, Any]]:
    """Every node in the shape of `artifexpro nodes --json`."""
    from artifexpro.core.nodes import library
    from artifexpro.core.nodes.catalogue import catalogue

    return catalogue(library())


def models(folder: Path) -> list[dict[str, Any]]:
    """Every known model, what it is made of, and which folders of its weights lie in `folder`."""
    from artifexpro.core.wan22.catalogue import CATALOGUE
    from artifexpro.core.wan22.shelf import kept_models, shelved
    from artifexpro.core.wan22.weights import installed

    here, kept = shelved(folder), kept_models(folder)
    return [
        {
            "name": spec.name,
            "family": spec.family,
            "tasks": list(spec.tasks),
            "about": spec.about,
            "licence": spec.licence,
            "repository": spec.repository,
            "revision": spec.revision,
            "usable": spec.later is None,
            "because": spec.later,
            "noise": spec.random,
            "installed": spec.random or installed(folder, spec),
            "download_gb": sum(part.parameters * part.stored_bytes for part in spec.components) / 1e9,
            "components": {part.name: part.parameters for part in spec.components},
            "kept": spec.name in kept,
            "copies": [
                {"folder": each.folder.name, "gb": each.size / 1e9, "used": each.used}
                for each in here
                if each.model == spec.name
            ],
        }
        for spec in CATALOGUE.values()
    ]


def plan(wanted: PlanModel, folder: Path) -> dict[str, Any]:
    """What a clip would need on this machine, or on the card and memory that were asked about. Takes seconds."""
    from artifexpro.core.wan22 import plan as memory
    from artifexpro.core.wan22.here import GIB
    from artifexpro.core.wan22.request import resolve

    spec = resolve(
        prompt="plan",
        model=wanted.model or _made_for(wanted.task),
        task=wanted.task,
        preset=wanted.preset,
        width=wanted.width,
        height=wanted.height,
        frames=wanted.frames,
        steps=wanted.steps,
        shift=wanted.shift,
        profile=wanted.profile,
        models=folder,
    )
    vram, card = wanted.vram_gb, wanted.card
    if vram is None:
        card, size = max(machine.probe().cards, key=lambda found: found[1], default=("", 0.0))
        vram = size * memory.GB / GIB
    ram = machine.ram_gb() * memory.GB / GIB if wanted.ram_gb is None else wanted.ram_gb
    made = memory.make(spec, vram, folder, ram, card=card)
    return {**made.as_json(), "model": spec.model, "task": spec.task, "notes": list(spec.notes)}


def _made_for(task: str | None) -> str:
    """The model whose first task this is, else one that does it; without a task the one that comes with the package,
    which is not what one plans for otherwise."""
    from artifexpro.core.wan22.catalogue import CATALOGUE, TINY

    able = [
        spec
        for spec in CATALOGUE.values()
        if task in spec.tasks and spec.later is None and not (spec.random or spec.embedded)
    ]
    return min(able, key=lambda spec: spec.tasks.index(str(task))).name if able else TINY.name
