"""Seconds: from runs here, else from the card's published peak, else none at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import plan
from artifexpro.core.wan22.plan import measured
from artifexpro.core.wan22.plan.cards import Card
from artifexpro.core.wan22.plan.measured import Measured, Run
from artifexpro.core.wan22.request import ClipSpec, resolve

RTX_4090, H100, A100, H20 = (
    "NVIDIA GeForce RTX 4090",
    "NVIDIA H100 80GB HBM3",
    "NVIDIA A100-SXM4-80GB",
    "NVIDIA H20",
)


def run(**changes: Any) -> Run:
    given: dict[str, Any] = {
        "card": RTX_4090,
        "stage": "denoise",
        "model": "ti2v-5B",
        "dtype": "bfloat16",
        "way": "",
        "flops": 5e14,
        "seconds": 5.0,
    }
    return Run(**{**given, **changes})


def clip(model: str = "ti2v-5B", **changes: Any) -> ClipSpec:
    return replace(resolve(prompt="x", model=model, preset="Preview"), **changes)


def seconds(made: plan.Plan, stage: str) -> float:
    return sum(each.seconds or 0.0 for each in made.stages if each.name.startswith(stage))


@pytest.mark.parametrize(
    ("card", "gigabytes", "model", "size", "frames", "steps", "official"),
    [
        (RTX_4090, 24, "ti2v-5B", (1280, 704), 121, 50, 534.7),
        (A100, 80, "t2v-A14B", (1280, 720), 81, 40, 2735.7),
        (H100, 80, "t2v-A14B", (1280, 720), 81, 40, 1041.5),
        (H20, 96, "t2v-A14B", (1280, 720), 81, 40, 4048.7),
        (H100, 80, "t2v-A14B", (832, 480), 81, 40, 326.9),
        (A100, 80, "t2v-A14B", (832, 480), 81, 40, 785.7),
    ],
)
def test_predictions_are_near_the_official_table(
    card: str, gigabytes: int, model: str, size: tuple[int, int], frames: int, steps: int, official: float
) -> None:
    spec = clip(model, width=size[0], height=size[1], frames=frames, steps=steps)
    made = plan.make(spec, gigabytes, card=card)
    assert made.seconds is not None
    assert official / 1.5 < made.seconds < 1.5 * official
    assert "published peak" in made.basis


def test_nothing_is_said_of_a_card_that_nobody_knows() -> None:
    for card in ("", "NVIDIA GeForce RTX 4080 SUPER Ti", "Some Card"):
        made = plan.make(clip(), 24, card=card)
        assert made.seconds is None
        assert all(stage.seconds is None for stage in made.stages if stage.name != "encode")
        assert "nothing is known" in made.basis
    assert plan.make(clip(), 0).seconds is None


def test_cards_are_known_by_their_whole_name() -> None:
    assert Card(24, RTX_4090).peak == 165.2e12
    assert Card(80, H100).peak == Card(80, "NVIDIA H100").peak == 989.4e12
    assert Card(80, "NVIDIA H100 PCIe").peak == 756e12
    assert Card(40, "NVIDIA A100-PCIE-40GB").peak == 312e12
    assert Card(24, "NVIDIA A10").peak == 125e12
    assert Card(16, "NVIDIA A10G").peak is None


def test_the_next_plan_uses_the_median_of_what_ran_here(tmp_path: Path) -> None:
    spec = clip()
    before = plan.make(spec, 24, tmp_path, card=RTX_4090)
    measured.add(tmp_path, [run(seconds=5.0), run(seconds=4.0), run(seconds=100.0)])
    after = plan.make(spec, 24, tmp_path, card=RTX_4090)
    assert seconds(after, "decode") == seconds(before, "decode")
    rate = 5e14 / 5.0
    assert seconds(after, "denoise") == pytest.approx(seconds(before, "denoise") * 165.2e12 * 0.6 / rate)
    assert "measured here" in after.basis
    assert plan.make(spec, 24, tmp_path, card=H100).seconds == plan.make(spec, 24, card=H100).seconds


def test_runs_of_the_same_kind_count_before_others_of_the_same_stage() -> None:
    known = Measured((run(), run(way="sage", seconds=2.0), run(model="t2v-A14B", seconds=10.0)))
    asked = (RTX_4090, "denoise", "ti2v-5B", "bfloat16")
    assert known.rate(*asked, "") == 1e14
    assert known.rate(*asked, "sage") == 2.5e14
    assert known.rate(*asked, "compiled") == pytest.approx(1e14)
    assert known.rate(RTX_4090, "denoise", "ti2v-5B", "float16", "") is None


def test_a_random_model_says_nothing_of_a_real_one() -> None:
    known = Measured((run(model="smoke", flops=1e6, seconds=5.0),))
    assert known.rate(RTX_4090, "denoise", "smoke", "bfloat16", "") == 2e5
    assert known.rate(RTX_4090, "denoise", "ti2v-5B", "bfloat16", "") is None


def test_a_measured_peak_corrects_the_predicted_one(tmp_path: Path) -> None:
    spec = clip()
    before = plan.make(spec, 48, tmp_path, card=RTX_4090)
    measured.add(tmp_path, [run(stage="decode", dtype="float32", predicted_bytes=20e9, peak_bytes=22e9)])
    after = plan.make(spec, 48, tmp_path, card=RTX_4090)
    assert after.stages[-1].vram_gb == pytest.approx(1.1 * before.stages[-1].vram_gb)
    assert plan.make(spec, 23, tmp_path, card=RTX_4090).levers.tile == 512
    assert plan.make(spec, 23, card=RTX_4090).levers.tile == 0


def test_only_the_newest_runs_of_a_kind_are_kept(tmp_path: Path) -> None:
    for count in range(15):
        measured.add(tmp_path, [run(seconds=1.0 + count), run(stage="decode", seconds=3.0)])
    kept = measured.read(tmp_path).runs
    assert [each.seconds for each in kept if each.stage == "denoise"] == [1.0 + count for count in range(6, 15)]
    assert len(kept) == 2 * measured.KEPT
    measured.add(tmp_path, [run(seconds=0.0)])
    assert measured.read(tmp_path).runs == kept


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda count: measured.add(tmp_path, [run(card=f"card {count}")]), range(12)))
    assert {each.card for each in measured.read(tmp_path).runs} == {f"card {count}" for count in range(12)}


@pytest.mark.parametrize("content", ["", "{}", '{"runs": [{"card": 1}]}'])
def test_a_damaged_file_is_refused_with_what_to_do(content: str, tmp_path: Path) -> None:
    (tmp_path / measured.FILE).write_text(content)
    with pytest.raises(ArtifexError, match="damaged") as refused:
        plan.make(clip(), 24, tmp_path)
    assert "removing it" in refused.value.remedy
