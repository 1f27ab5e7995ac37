"""After the card ran out of memory: smaller and smaller plans, and what each changes in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from artifexpro.core.wan22 import plan
from artifexpro.core.wan22.catalogue import CATALOGUE
from artifexpro.core.wan22.presets import PRESETS
from artifexpro.core.wan22.profiles import PROFILES
from artifexpro.core.wan22.request import ClipSpec, resolve

USABLE = [model.name for model in CATALOGUE.values() if model.later is None]


def clip(model: str = "t2v-A14B", preset: str = "Draft", **changes: Any) -> ClipSpec:
    return resolve(prompt="x", model=model, preset=preset, **changes)


def need(made: plan.Plan, stage: str) -> float:
    return max(each.vram_gb for each in made.stages if each.name.split(" ")[0] == stage)


@pytest.mark.parametrize("profile", ["", *PROFILES])
@pytest.mark.parametrize("model", USABLE)
def test_every_step_needs_less_and_says_what_changed(model: str, profile: str) -> None:
    for preset in PRESETS:
        spec = clip(model, preset, profile=profile)
        for stage in ("text", "encode", "denoise", "decode"):
            now = plan.make(spec, 80)
            for step in plan.ladder(spec, 80, stage=stage):
                assert need(step.plan, stage) < need(now, stage)
                assert step.plan.levers != now.levers
                assert step.sentence.startswith("The card ran out of memory while")
                assert len(step.sentence.split("from here on ")[1]) > 10
                now = step.plan


def test_the_experts_go_to_memory_and_then_to_eight_bits() -> None:
    steps = list(plan.ladder(clip(), 80, stage="denoise"))
    assert [(step.plan.levers.offload, step.plan.levers.quantise) for step in steps] == [
        ("block", "none"),
        ("block", "int8"),
    ]
    assert "block by block" in steps[0].sentence
    assert "8 bits" in steps[1].sentence and "block by block" not in steps[1].sentence


def test_decoding_goes_to_smaller_tiles_and_leaves_the_rest() -> None:
    begun = plan.make(clip(), 80).levers
    steps = list(plan.ladder(clip(), 80, stage="decode"))
    assert [step.plan.levers for step in steps] == [replace(begun, tile=side) for side in (512, 256)]
    later = list(plan.ladder(clip(), 80, stage="decode", levers=steps[0].plan.levers))
    assert [step.plan.levers.tile for step in later] == [256]


def test_text_goes_to_the_processor() -> None:
    (step,) = plan.ladder(clip(), 80, stage="text")
    assert step.plan.levers.text_on_cpu
    assert "text is read on the processor" in step.sentence


def test_a_plan_for_which_the_machine_lacks_memory_is_passed_over() -> None:
    steps = list(plan.ladder(clip(), 80, ram_gb=24, stage="denoise", levers=clip().levers))
    assert [(step.plan.levers.offload, step.plan.levers.quantise) for step in steps] == [
        ("none", "int8"),
        ("block", "int8"),
    ]


def test_quality_never_goes_to_eight_bits() -> None:
    steps = list(plan.ladder(clip(profile="Quality"), 80, stage="denoise"))
    assert [step.plan.levers.quantise for step in steps] == ["none"]


def test_nothing_less_than_the_smallest_is_tried() -> None:
    smallest = plan.make(clip(profile="Memory"), 80).levers
    for stage in ("text", "denoise", "decode"):
        assert list(plan.ladder(clip(profile="Memory"), 80, stage=stage, levers=smallest)) == []
