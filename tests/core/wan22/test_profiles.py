"""Profiles: the wishes asked for, and those alone that can act."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue, profiles
from artifexpro.core.wan22.levers import Levers, Lora
from artifexpro.core.wan22.request import ClipSpec, resolve

Small = Callable[..., ClipSpec]


def test_the_profiles_are_the_ones_asked_for() -> None:
    speed, memory, quality = (profiles.profile(name) for name in ("Speed", "Memory", "Quality"))
    assert speed.fastest_attention and speed.all_cards and speed.distilled
    assert speed.levers.compile and speed.levers.cache > 0
    assert memory.levers == Levers(offload="block", quantise="int8", text_on_cpu=True, tile=256)
    assert memory.storage == (("block", "int8"),)
    assert quality.averaged and (quality.levers.ensemble, quality.levers.consistency, quality.levers.smoothing) == (
        3,
        0.5,
        0.5,
    )
    assert all(quantise == "none" for _, quantise in quality.storage)
    with pytest.raises(ArtifexError, match="no profile has that name") as refused:
        profiles.profile("Fast")
    assert "Speed, Memory, Quality" in refused.value.remedy


def test_what_can_do_nothing_is_not_wished(small: Small) -> None:
    assert small(profile="Speed", steps=5).levers == Levers(cache=0.1)
    assert small(profile="Speed", steps=4).levers == Levers()
    assert small(profile="Quality").levers == Levers(ensemble=3, consistency=0.5, smoothing=0.5)
    assert small(profile="Quality", frames=5).levers == Levers(ensemble=3, consistency=0.5)
    assert small(profile="Quality", frames=1).levers == Levers(ensemble=3)


def test_a_lever_set_by_hand_is_kept(small: Small) -> None:
    assert small(profile="Quality", levers=Levers(ensemble=2)).levers.ensemble == 2
    assert small(profile="Speed", steps=9, levers=Levers(cache=0.05)).levers.cache == 0.05


def loras(models: Path, model: str, *names: str) -> None:
    folder = models / profiles.LORAS / model
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(b"")


def test_distilled_weights_on_disk_are_used_by_speed(tmp_path: Path) -> None:
    loras(
        tmp_path,
        "t2v-A14B",
        "Lightning-4steps-high.safetensors",
        "Lightning-4steps-low.safetensors",
        "grain.safetensors",
    )
    asked: dict[str, Any] = {"prompt": "x", "model": "t2v-A14B", "preset": "Preview", "models": tmp_path}
    spec = resolve(**asked, profile="Speed")
    folder = tmp_path / profiles.LORAS / "t2v-A14B"
    assert spec.levers.loras == (
        Lora(str(folder / "Lightning-4steps-high.safetensors"), 1.0, "high", 4),
        Lora(str(folder / "Lightning-4steps-low.safetensors"), 1.0, "low", 4),
    )
    assert (spec.steps, spec.guidance, spec.shift, spec.levers.cache) == (4, (1.0, 1.0), 5.0, 0.0)
    assert resolve(**asked).levers.loras == ()


def test_half_a_pair_of_distilled_weights_is_not_used_and_that_is_said(tmp_path: Path) -> None:
    loras(tmp_path, "t2v-A14B", "Lightning-4steps-high.safetensors")
    spec = resolve(prompt="x", model="t2v-A14B", profile="Speed", models=tmp_path)
    assert spec.levers.loras == () and spec.steps == 25
    assert any("no distilled weights" in note for note in spec.notes)
    assert profiles.distilled_loras(tmp_path, catalogue.model("ti2v-5B")) == ()
