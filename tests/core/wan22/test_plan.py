"""The plan agrees with the arithmetic it states and refuses with something that would fit."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from artifexpro.core.wan22 import catalogue, plan
from artifexpro.core.wan22.request import ClipSpec, resolve

CARDS = (12, 16, 24, 48, 80, 141)


def clip(model: str, preset: str) -> ClipSpec:
    spec = catalogue.model(model)
    width, height = spec.sizes["720p"]
    size: dict[str, Any] = {"width": width, "height": height} if preset == "Cinema" else {}
    return resolve(prompt="x", model=model, preset=preset, **size)


@pytest.mark.parametrize("model", ["ti2v-5B", "t2v-A14B", "smoke", "smoke-moe"])
def test_every_plan_fits_or_names_the_nearest_that_does(model: str) -> None:
    for preset, card in itertools.product(("Draft", "Preview", "Production", "Cinema"), CARDS):
        spec = clip(model, preset)
        made = plan.make(spec, card)
        assert made.fits == (made.peak_vram_gb <= card)
        assert made.peak_vram_gb == max(stage.vram_gb for stage in made.stages)
        assert made.seconds is None
        if made.fits:
            continue
        found = re.fullmatch(r"the nearest that fits is (\S+) at (\d+)x(\d+), (\d+) frames", made.nearest)
        if found is None:
            assert made.nearest.startswith("nothing smaller fits")
            continue
        other, width, height, frames = found[1], int(found[2]), int(found[3]), int(found[4])
        smaller = replace(spec, model=other, width=width, height=height, frames=frames)
        assert plan.make(smaller, card).fits
        assert made.nearest in made.reason


def test_a_larger_card_never_fits_less() -> None:
    for model, preset in itertools.product(("ti2v-5B", "t2v-A14B"), ("Draft", "Preview", "Production", "Cinema")):
        fits = [plan.make(clip(model, preset), card).fits for card in CARDS]
        assert fits == sorted(fits)


def test_weights_are_what_they_weigh() -> None:
    """28.6 GB an A14B expert in bfloat16, 11.4 GB the text encoder, 10 GB the 5B network."""
    stages = {stage.name: stage for stage in plan.make(clip("t2v-A14B", "Preview"), 80).stages}
    assert stages["text"].vram_gb == pytest.approx(11.4, abs=0.1)
    smallest = replace(clip("t2v-A14B", "Preview"), width=16, height=16, frames=1)
    stages = {stage.name: stage for stage in plan.make(smallest, 80).stages}
    assert stages["denoise (transformer)"].vram_gb == pytest.approx(28.58, abs=0.01)
    stages = {
        stage.name: stage
        for stage in plan.make(replace(clip("ti2v-5B", "Preview"), width=32, height=32, frames=1), 80).stages
    }
    assert stages["denoise (transformer)"].vram_gb == pytest.approx(10.0, abs=0.01)


def test_activations_are_no_less_than_the_tensors_known_to_be_alive() -> None:
    """A14B at 1280x720x81: feed-forward 2.1 GB, two float32 copies of 1.5 GB each; an expert does not fit 24 GB."""
    made = plan.make(clip("t2v-A14B", "Preview"), 24)
    denoise = next(stage for stage in made.stages if stage.name == "denoise (transformer)")
    assert denoise.vram_gb > 28.58 + 2.1 + 2 * 1.5
    assert not made.fits


def test_more_pixels_or_frames_never_need_less() -> None:
    base = clip("ti2v-5B", "Draft")
    for bigger in (replace(base, frames=base.frames + 4), replace(base, width=base.width + 32)):
        pairs = zip(plan.make(base, 80).stages, plan.make(bigger, 80).stages, strict=True)
        assert all(small.vram_gb <= large.vram_gb for small, large in pairs)


def test_without_a_card_memory_is_what_counts() -> None:
    spec = clip("t2v-A14B", "Draft")
    assert plan.make(spec, 0).fits
    assert all(stage.vram_gb == 0 and stage.ram_gb > 0 for stage in plan.make(spec, 0).stages)
    refused = plan.make(spec, 0, ram_gb=16)
    assert not refused.fits
    assert "this machine has 16 GB" in refused.reason


def test_disk_counts_weights_only_while_they_are_to_come(tmp_path: Path) -> None:
    spec = clip("ti2v-5B", "Draft")
    before = plan.make(spec, 24, tmp_path).disk_gb
    (tmp_path / "ti2v-5B").mkdir()
    (tmp_path / "ti2v-5B" / "model_index.json").write_text("{}")
    after = plan.make(spec, 24, tmp_path).disk_gb
    assert before - after == pytest.approx(5.681 * 2 + (5.0 + 0.705) * 4, abs=0.05)
    assert after > 0


def test_the_plan_as_json_has_the_public_shape() -> None:
    told = plan.make(clip("ti2v-5B", "Draft"), 24).as_json()
    assert {"fits", "reason", "stages", "peak_vram_gb", "disk_gb", "seconds"} <= told.keys()
    expected = {"name", "resident", "offloaded", "quantised", "tiled", "vram_gb", "ram_gb", "seconds"}
    assert all(set(stage) == expected for stage in told["stages"])


def test_random_models_fit_anything() -> None:
    assert plan.make(clip("smoke", "Production"), 2).fits
