"""Every plan fits or names the nearest that does, and none contradicts the arithmetic."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from artifexpro.core.wan22 import catalogue, plan
from artifexpro.core.wan22.catalogue import CATALOGUE
from artifexpro.core.wan22.plan import memory
from artifexpro.core.wan22.presets import PRESETS
from artifexpro.core.wan22.profiles import PROFILES
from artifexpro.core.wan22.request import ClipSpec, resolve

CARDS = (12, 16, 24, 48, 80, 141)
RAM = 64.0
USABLE = [model.name for model in CATALOGUE.values() if model.later is None]
EVERY = [(name, task, preset) for name in USABLE for task in CATALOGUE[name].tasks for preset in PRESETS]


def clip(model: str, preset: str, **changes: Any) -> ClipSpec:
    return resolve(prompt="x", model=model, preset=preset, **changes)


@pytest.mark.parametrize(("model", "task", "preset"), EVERY)
def test_every_plan_fits_or_names_the_nearest_that_does(model: str, task: str, preset: str) -> None:
    for profile, card in itertools.product(("", *PROFILES), CARDS):
        spec = clip(model, preset, task=task, profile=profile)
        made = plan.make(spec, card, ram_gb=RAM)
        _agrees_with_itself(made, card)
        if not made.fits:
            _nearest_fits(made, spec, card)


def _agrees_with_itself(made: plan.Plan, card: float) -> None:
    assert made.peak_vram_gb == max(stage.vram_gb for stage in made.stages)
    assert made.peak_ram_gb == max(stage.ram_gb for stage in made.stages)
    assert made.fits == (made.peak_vram_gb <= card and made.peak_ram_gb <= RAM)
    assert 0 < made.written_gb <= made.disk_gb
    assert made.seconds is None and "nothing is known" in made.basis
    for stage in made.stages:
        assert set(stage.resident) or set(stage.offloaded)
        if "transformer" in stage.name:
            assert bool(stage.offloaded) == (made.levers.offload != "none")
            assert bool(stage.quantised) == (made.levers.quantise != "none")


def _nearest_fits(made: plan.Plan, spec: ClipSpec, card: float) -> None:
    assert made.nearest and made.nearest in made.reason
    found = re.fullmatch(r"the nearest that fits is (\S+) at (\d+)x(\d+), (\d+) frames", made.nearest)
    assert found is not None
    name, width, height, frames = found[1], int(found[2]), int(found[3]), int(found[4])
    assert plan.make(replace(spec, model=name, width=width, height=height, frames=frames), card, ram_gb=RAM).fits


@pytest.mark.parametrize("profile", ["", *PROFILES])
def test_a_picture_smaller_than_any_tile_is_decoded_whole(profile: str) -> None:
    made = plan.make(clip("ti2v-5B", "Draft", profile=profile, width=192, height=128), 80, ram_gb=RAM)
    assert made.fits
    assert made.levers.tile == 0


def test_a_larger_card_never_fits_less() -> None:
    for model, preset, profile in itertools.product(USABLE, PRESETS, ("", *PROFILES)):
        fits = [plan.make(clip(model, preset, profile=profile), card, ram_gb=RAM).fits for card in CARDS]
        assert fits == sorted(fits), (model, preset, profile)


def denoising(made: plan.Plan) -> plan.Stage:
    return next(stage for stage in made.stages if stage.name.startswith("denoise"))


def test_an_expert_is_never_whole_on_24_gb_and_is_in_8_bits() -> None:
    """28.6 GB in bfloat16, 14.3 GB in 8 bits."""
    plain = clip("t2v-A14B", "Preview")
    expert = CATALOGUE["t2v-A14B"]
    weights = [
        memory.weights(expert, "transformer", plain, replace(plain.levers, quantise=stored)) / memory.GB
        for stored in ("none", "int8")
    ]
    assert weights == pytest.approx([28.6, 14.3], abs=0.2)
    for preset, profile in itertools.product(PRESETS, ("", *PROFILES)):
        made = plan.make(clip("t2v-A14B", preset, profile=profile), 24, ram_gb=RAM)
        assert made.levers.offload == "block" or made.levers.quantise != "none"
    fast = denoising(plan.make(clip("t2v-A14B", "Draft", profile="Speed"), 24))
    assert (fast.resident, fast.quantised, fast.offloaded) == (("transformer",), ("transformer",), ())
    assert 14.3 < fast.vram_gb < 24
    large = denoising(plan.make(plain, 48))
    assert (large.resident, large.quantised, large.offloaded) == (("transformer",), (), ())
    assert large.vram_gb > 28.58 + 2.1 + 2 * 1.5


def test_what_does_not_fit_goes_where_the_profile_allows() -> None:
    draft = {profile: plan.make(clip("t2v-A14B", "Draft", profile=profile), 24).levers for profile in ("", *PROFILES)}
    kept = {name: (levers.offload, levers.quantise) for name, levers in draft.items()}
    assert kept == {
        "": ("block", "none"),
        "Speed": ("none", "int8"),
        "Memory": ("block", "int8"),
        "Quality": ("block", "none"),
    }
    small = plan.make(clip("t2v-A14B", "Draft", profile="Memory"), 80).levers
    assert (small.text_on_cpu, small.tile) == (True, 256)
    text = plan.make(clip("t2v-A14B", "Draft"), 11)
    assert text.levers.text_on_cpu and text.stages[0].vram_gb == 0 and text.stages[0].ram_gb > 11.4
    assert plan.make(clip("t2v-A14B", "Preview"), 16).levers.tile == 512


def test_what_is_asked_for_stays() -> None:
    asked = replace(clip("ti2v-5B", "Draft").levers, quantise="fp8", tile=256, text_on_cpu=True)
    made = plan.make(clip("ti2v-5B", "Draft", levers=asked), 141)
    assert made.levers == asked
    assert denoising(made).quantised == ("transformer",)


def test_weights_in_main_memory_count_against_the_machine() -> None:
    """Weights are read whole before they go to the card; in 8 bits they are never larger than that."""
    spec = clip("t2v-A14B", "Draft")
    assert plan.make(spec, 24, ram_gb=48).levers.offload == "block"
    assert plan.make(spec, 24, ram_gb=16).levers.quantise == "int8"
    refused = plan.make(spec, 24, ram_gb=12)
    assert not refused.fits
    assert "stage denoise (transformer) needs 15.9 GB" in refused.reason
    assert "this machine has 12 GB; nothing smaller fits either" in refused.reason


def test_more_pixels_or_frames_never_need_less() -> None:
    base = clip("ti2v-5B", "Draft")
    for bigger in (replace(base, frames=base.frames + 4), replace(base, width=base.width + 32)):
        pairs = zip(plan.make(base, 80).stages, plan.make(bigger, 80).stages, strict=True)
        assert all(small.vram_gb <= large.vram_gb for small, large in pairs)


def test_without_a_card_memory_is_what_counts() -> None:
    spec = clip("t2v-A14B", "Draft")
    made = plan.make(spec, 0)
    assert made.fits
    assert all(stage.vram_gb == 0 and stage.ram_gb > 0 and not stage.offloaded for stage in made.stages)
    eight = plan.make(spec, 0, ram_gb=24)
    assert (eight.fits, eight.levers.quantise) == (True, "int8")
    refused = plan.make(spec, 0, ram_gb=8)
    assert not refused.fits
    assert "this machine has 8 GB" in refused.reason


def test_disk_counts_weights_only_while_they_are_to_come(tmp_path: Path) -> None:
    spec = clip("ti2v-5B", "Draft")
    before = plan.make(spec, 24, tmp_path)
    (tmp_path / "ti2v-5B").mkdir()
    (tmp_path / "ti2v-5B" / "model_index.json").write_text("{}")
    after = plan.make(spec, 24, tmp_path)
    assert before.disk_gb - after.disk_gb == pytest.approx(5.681 * 2 + (5.0 + 0.705) * 4, abs=0.05)
    assert after.disk_gb == after.written_gb > 0


def test_frames_count_on_disk_in_the_size_they_are_delivered_in() -> None:
    cinema = plan.make(clip("t2v-A14B", "Cinema"), 80)
    assert cinema.written_gb == pytest.approx((1920 * 1080 * 241 * 8 + 16 * 61 * 90 * 160 * 4) / 1e9)


def test_the_plan_as_json_has_the_public_shape() -> None:
    told = plan.make(clip("ti2v-5B", "Draft"), 24).as_json()
    assert {"fits", "reason", "stages", "peak_vram_gb", "disk_gb", "seconds"} <= told.keys()
    expected = {"name", "resident", "offloaded", "quantised", "tiled", "vram_gb", "ram_gb", "seconds"}
    assert all(set(stage) == expected for stage in told["stages"])


def test_a_films_network_and_vae_take_turns_on_the_card_and_wait_in_memory() -> None:
    """16.3 billion parameters in bfloat16 are 32.6 GB; decoding 832x448 takes 7.3 GB beside the VAE's 0.5 GB."""
    levers = {card: plan.make(clip("s2v-14B", "Draft"), card, ram_gb=RAM).levers for card in CARDS}
    kept = {card: (each.offload, each.quantise) for card, each in levers.items()}
    assert kept[141] == kept[80] == kept[48] == ("none", "none")
    assert kept[24] == ("block", "none")
    stages = {stage.name: stage for stage in plan.make(clip("s2v-14B", "Draft"), 80, ram_gb=RAM).stages}
    assert 7.3 + 0.5 < stages["decode"].vram_gb < 10
    assert stages["decode"].ram_gb > 32.5 + 0.5
    assert stages["denoise (transformer)"].vram_gb > 32.5 + 2
    by_block = {stage.name: stage for stage in plan.make(clip("s2v-14B", "Draft"), 24, ram_gb=RAM).stages}
    assert by_block["decode"].vram_gb > stages["decode"].vram_gb + 1


def test_random_models_fit_anything() -> None:
    assert plan.make(clip("smoke", "Production"), 2).fits
    assert catalogue.model("smoke").random
