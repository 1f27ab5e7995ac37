"""A finished clip tells the next plan how fast it was; a cancelled one tells nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from artifexpro.core.errors import Cancelled
from artifexpro.core.wan22 import catalogue, plan
from artifexpro.core.wan22.generate import LATENTS, decode_saved, generate
from artifexpro.core.wan22.plan import measured
from artifexpro.core.wan22.plan.meter import Meter
from artifexpro.core.wan22.request import ClipSpec

Small = Callable[..., ClipSpec]


@pytest.fixture
def models(random_models: Path, tmp_path: Path) -> Path:
    """A models folder of this test's own, in which runs may be kept."""
    own = tmp_path / "models"
    own.mkdir()
    (own / "smoke").symlink_to(random_models / "smoke", target_is_directory=True)
    return own


def test_a_clip_that_was_made_gives_the_next_plan_its_seconds(
    models: Path, small: Small, hooks: Any, tmp_path: Path
) -> None:
    spec = small(task="t2v")
    assert plan.make(spec, 0, models).seconds is None
    for _ in generate(spec, models, hooks, folder=tmp_path):
        pass
    kept = {run.stage: run for run in measured.read(models).runs}
    assert {"denoise", "decode"} <= kept.keys()
    assert {run.card for run in kept.values()} == {"processor"}
    after = plan.make(spec, 0, models)
    assert after.seconds is not None
    stages = {stage.name.split(" ")[0]: stage.seconds for stage in after.stages}
    assert stages["denoise"] == pytest.approx(kept["denoise"].seconds)
    assert stages["decode"] == pytest.approx(kept["decode"].seconds)
    assert "measured here" in after.basis


def test_decoding_saved_latents_is_measured_as_decoding_alone(
    models: Path, small: Small, hooks: Any, tmp_path: Path
) -> None:
    next(generate(small(task="t2v"), models, hooks, folder=tmp_path))
    assert measured.read(models).runs == ()
    for _ in decode_saved(tmp_path / LATENTS, models, hooks):
        pass
    assert [run.stage for run in measured.read(models).runs] == ["decode"]


def test_a_cancelled_clip_tells_nothing(models: Path, small: Small, hooks: Any, tmp_path: Path) -> None:
    hooks.cancel_when = lambda heard: heard.done("denoise") >= 2
    with pytest.raises(Cancelled):
        list(generate(small(task="t2v"), models, hooks, folder=tmp_path))
    assert measured.read(models).runs == ()


def test_a_meter_hands_everything_on_and_adds_up_equal_stages(small: Small, hooks: Any) -> None:
    meter = Meter(hooks, torch.device("cpu"))
    for name in ("load", "decode", "decode"):
        with meter.stage(name):
            meter.progress(name, 1, 2)
    meter.note("said")
    meter.preview(torch.zeros(1, 1, 3))
    meter.check()
    assert hooks.stages == ["load", "decode", "decode"]
    assert hooks.notes == ["said"] and len(hooks.previews) == 1 and len(hooks.told) == 3
    spec = small(task="t2v")
    (run,) = meter.runs(spec)
    assert (run.stage, run.seconds) == ("decode", meter.seconds["decode"])
    assert run.flops == plan.flops.decode(catalogue.model("smoke"), 64, 64, 9)
