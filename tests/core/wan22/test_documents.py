"""docs/wan22-models.md says what the data say: its tables are made from them, here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from artifexpro.core.wan22 import plan
from artifexpro.core.wan22.catalogue import CATALOGUE, TASKS
from artifexpro.core.wan22.presets import PRESETS
from artifexpro.core.wan22.profiles import NOT_TAKEN, PROFILES
from artifexpro.core.wan22.request import resolve

PAGE = Path(__file__).parents[3] / "docs" / "wan22-models.md"
CARDS = (12, 16, 24, 48, 80, 141)
RAM = 64


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(map(str, row))} |" for row in (heads, *rows)]
    return "\n".join([lines[0], f"|{'---|' * len(heads)}", *lines[1:]])


def models() -> str:
    rows = [
        (
            f"`{model.name}`",
            ", ".join(TASKS[task] for task in model.tasks),
            f"{sum(part.parameters for part in model.components if part.name.startswith('transformer')) / 1e9:.1f} B",
            f"{sum(part.parameters * part.stored_bytes for part in model.components) / 1e9:.0f} GB",
            f"{model.shift:g}",
            model.trained,
            model.licence,
            model.repository or "",
        )
        for model in CATALOGUE.values()
        if not (model.random or model.embedded)
    ]
    return table(("model", "tasks", "networks", "download", "shift", "frames", "licence", "repository"), rows)


def presets() -> str:
    rows = [
        (
            each.name,
            each.resolution
            if each.delivered == each.resolution
            else f"{each.resolution}, delivered at {each.delivered}",
            each.steps,
            f"{each.guidance[0]:g}, {each.guidance[1]:g}",
            each.frames,
            f"{each.shift:g}",
            each.dtype,
            ", ".join(each.after).replace("color_grade", "colour grade") or "none",
        )
        for each in PRESETS.values()
    ]
    heads = ("preset", "size", "steps", "guidance (low, high noise)", "frames", "shift", "format", "after-work")
    return table(heads, rows)


def profiles() -> str:
    return table(("profile", "what it does"), [(name, each.about) for name, each in PROFILES.items()])


def plans() -> str:
    rows = []
    for model, preset in (
        ("ti2v-5B", "Preview"),
        ("ti2v-5B", "Cinema"),
        ("t2v-A14B", "Draft"),
        ("t2v-A14B", "Preview"),
    ):
        for profile in ("", *PROFILES):
            spec = resolve(prompt="x", model=model, preset=preset, profile=profile, task="t2v")
            rows.append(
                (f"`{model}` {preset}", profile or "none", *(cell(plan.make(spec, card, None, RAM)) for card in CARDS))
            )
    return table(("clip", "profile", *(f"{card} GB" for card in CARDS)), rows)


def cell(made: plan.Plan) -> str:
    if not made.fits:
        return "no"
    levers = made.levers
    marks = [("block", levers.offload == "block"), ("8 bit", levers.quantise != "none"), ("text", levers.text_on_cpu)]
    marks.append((f"tile {levers.tile}", bool(levers.tile)))
    return ", ".join([f"{made.peak_vram_gb:.1f}", *(name for name, there in marks if there)])


def reasons() -> str:
    return "\n".join(f"- **{name}**: {why}." for name, why in NOT_TAKEN.items())


@pytest.mark.parametrize("part", [models, presets, profiles, plans, reasons])
def test_the_page_has_the_table_that_the_data_make(part: object) -> None:
    assert part() in PAGE.read_text(encoding="utf-8")  # type: ignore[operator]
